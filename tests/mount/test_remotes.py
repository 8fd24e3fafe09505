"""Several remotes: copies = 2, one of them gone, and adding and removing them."""
import json
import shutil

from drive import sha256, wait_until
from test_backup import big_file


def two_remotes(make_drive):
    """A mounted drive that wants two copies, in drive.remote and drive.folder / "second"."""
    drive = make_drive()
    (drive.folder / "second").mkdir()
    drive.library.mkdir(mode=0o700)
    (drive.library / "shoebox.toml").write_text(
        f'copies = 2\n[[remote]]\nname = "first"\nurl = "file://{drive.remote}"\n'
        f'[[remote]]\nname = "second"\nurl = "file://{drive.folder / "second"}"\n', encoding="utf-8")
    return drive.mount()


def test_reads_fall_over_to_the_remote_that_is_there(make_drive, folder):
    drive = two_remotes(make_drive)
    source = big_file(folder / "a.mp4", 3 << 20)
    shutil.copy2(source, drive.path / "Library/a.mp4")
    drive.backed_up()
    drive.evict()
    assert drive.state("Library/a.mp4") == "remote"
    for gone in (drive.remote, drive.folder / "second"):
        away = gone.with_name(gone.name + "-away")
        gone.rename(away)
        drive.drop_caches()
        assert sha256(drive.path / "Library/a.mp4") == sha256(source)
        away.rename(gone)
        wait_until(lambda: all(r["online"] for r in drive.json("status")["remotes"]), 60, "both remotes")
        drive.backed_up()
        drive.evict()


def test_only_what_both_confirmed_is_evicted(make_drive, folder):
    drive = two_remotes(make_drive)
    first = big_file(folder / "a.mp4", 1 << 20, 1)
    second = big_file(folder / "b.mp4", 1 << 20, 2)
    shutil.copy2(first, drive.path / "Library/a.mp4")
    drive.backed_up()
    away = drive.folder / "away"
    (drive.folder / "second").rename(away)
    shutil.copy2(second, drive.path / "Library/b.mp4")
    drive.run("backup", "now")
    wait_until(lambda: (drive.remote / "Library/b.mp4").exists(), 60, "the copy on the remote that is there")
    drive.run("evict", "--all")
    assert drive.state("Library/a.mp4") == "remote"
    assert drive.state("Library/b.mp4") in ("local", "pending")
    away.rename(drive.folder / "second")
    drive.backed_up()
    drive.run("evict", "--all")
    assert drive.state("Library/b.mp4") == "remote"
    assert sha256(drive.path / "Library/b.mp4") == sha256(second)


def test_a_remote_that_is_added_fills_up_and_then_the_first_can_go(drive, folder):
    settings = drive.library / "shoebox.toml"
    settings.write_text("# my own words\n" + settings.read_text())
    source = big_file(drive.path / "Library/a.mp4", 1 << 20)
    wanted = sha256(source)
    drive.backed_up()
    drive.evict()
    done = drive.run("remote", "remove", "default", check=False)
    assert done.returncode != 0 and "only copy of 1 original:" in done.stderr
    (drive.folder / "second").mkdir()
    drive.run("remote", "add", "second", f"file://{drive.folder}/second")
    assert settings.read_text().startswith("# my own words\n")
    listed = json.loads(drive.run("remote", "list", "--json").stdout)["remotes"]
    assert [(r["name"], r["in_use"]) for r in listed] == [("default", True), ("second", False)]
    assert "read and removed" in drive.run("remote", "test", "second").stdout
    drive.remount()
    drive.backed_up()
    assert sha256(drive.folder / "second/Library/a.mp4") == wanted
    drive.evict()
    drive.run("remote", "remove", "default")
    assert "default" not in settings.read_text() and settings.read_text().startswith("# my own words\n")
    drive.remount()
    shutil.rmtree(drive.remote)
    assert sha256(drive.path / "Library/a.mp4") == wanted


def test_after_a_removal_nothing_is_evicted_on_the_strength_of_it(drive):
    big_file(drive.path / "Library/a.mp4", 1 << 20)
    drive.backed_up()
    drive.run("remote", "remove", "default")
    drive.run("evict", "--all", check=False)
    assert drive.state("Library/a.mp4") != "remote"
    done = drive.run("remote", "test", "default", check=False)
    assert done.returncode != 0 and "no remote is called" in done.stderr
