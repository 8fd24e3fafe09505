"""Several remotes: copies = 2, one of them gone, and adding and removing them while the drive is used."""
import json
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from drive import SHOEBOX, Drive, sha256, wait_until
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


def files_in(folder):
    """What stands in a folder, and when it was written."""
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


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
        wait_until(lambda: all(r["online"] for r in drive.status()["remotes"]), 60, "both remotes")
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
    assert [(r["name"], r["in_use"]) for r in listed] == [("default", True), ("second", True)]
    assert "read and removed" in drive.run("remote", "test", "second").stdout
    drive.backed_up()
    assert sha256(drive.folder / "second/Library/a.mp4") == wanted
    drive.evict()
    drive.run("remote", "remove", "default")
    assert "default" not in settings.read_text() and settings.read_text().startswith("# my own words\n")
    shutil.rmtree(drive.remote)
    drive.drop_caches()
    assert sha256(drive.path / "Library/a.mp4") == wanted
    (drive.path / "Library/b.txt").write_text("after the change", encoding="utf-8")
    drive.backed_up()
    assert (drive.folder / "second/Library/b.txt").read_text(encoding="utf-8") == "after the change"
    assert [r["name"] for r in drive.json("status")["remotes"]] == ["second"]
    drive.remount()
    assert sha256(drive.path / "Library/a.mp4") == wanted
    drive.unmount()
    assert drive.run("fsck", check=False).returncode == 0


def test_a_remote_that_is_removed_while_mounted_gets_and_gives_nothing_more(drive, folder, photo):
    shutil.copy2(photo("a.jpg", date="2023:07:14 10:11:12"), drive.path / "Library/a.jpg")
    os.makedirs(drive.path / "Albums/Trip")
    os.link(drive.path / "Library/a.jpg", drive.path / "Albums/Trip/a.jpg")
    drive.backed_up()
    drive.run("remote", "remove", "default")
    before = files_in(drive.remote)
    (drive.path / "Library/b.txt").write_text("nowhere yet", encoding="utf-8")
    (drive.folder / "second").mkdir()
    drive.run("remote", "add", "second", f"file://{drive.folder}/second")
    drive.backed_up()
    for name in ("a.jpg", "a.jpg.xmp", "b.txt"):  # what was said of it goes there as well
        assert (drive.folder / "second/Library" / name).exists(), name
    assert files_in(drive.remote) == before
    # The place was given up: another library writes there without a takeover.
    other = Drive(folder / "other", remotes=[f"file://{drive.remote}"])
    try:
        subprocess.run([SHOEBOX, "rebuild", "--from", str(drive.remote), str(other.library)], check=True,
                       capture_output=True, timeout=120, env=drive.env)
        other.mount()
        (other.path / "Library/c.txt").write_text("c", encoding="utf-8")
        other.backed_up()
        assert other.json("status")["remotes"][0]["owner"]["this_library"]
    finally:
        other.close()


def test_a_remote_that_comes_again_elsewhere_is_not_taken_on_trust(drive):
    big_file(drive.path / "Library/a.mp4", 1 << 20)
    drive.backed_up()
    drive.run("backup", "pause")
    drive.run("remote", "remove", "default")
    (drive.folder / "second").mkdir()
    drive.run("remote", "add", "default", f"file://{drive.folder}/second")  # the same name, another place
    drive.run("evict", "--all", check=False)
    assert drive.state("Library/a.mp4") == "pending"
    drive.run("backup", "resume")
    drive.backed_up()
    assert (drive.folder / "second/Library/a.mp4").exists()
    drive.evict()
    assert drive.state("Library/a.mp4") == "remote"


def test_settings_that_are_edited_count_after_a_reload(drive):
    settings = drive.library / "shoebox.toml"
    (drive.path / "Library/a.txt").write_text("a", encoding="utf-8")
    drive.backed_up()
    good = settings.read_text()
    settings.write_text("copies = 3\n" + good + "manual = true\nbandwidth = [\"08:00-23:00 5 MiB/s\"]\n")
    said = drive.run("config", "reload").stdout
    assert "copies = 3 but there is 1 remote" in said and "count from now on" in said
    status = drive.json("status")
    assert status["copies"] == 3
    (drive.path / "Library/b.txt").write_text("b", encoding="utf-8")
    wait_until(lambda: "manual" in drive.status()["remotes"][0]["waiting_for"], 30, "the policy")
    # What is refused changes nothing.
    settings.write_text(good + "bandwith = \"5 MiB/s\"\n")
    done = drive.run("config", "reload", check=False)
    assert done.returncode != 0 and 'did you mean "bandwidth"' in done.stderr
    assert drive.json("status")["copies"] == 3
    settings.write_text(good)
    drive.run("config", "reload")
    drive.backed_up()
    assert drive.json("status")["copies"] == 1
    # Taken out by hand, the only copy stays in use as well.
    big_file(drive.path / "Library/c.mp4", 1 << 20)
    drive.backed_up()
    drive.evict()
    settings.write_text("")
    done = drive.run("config", "reload", check=False)
    assert done.returncode != 0 and "only copy of 1 original:" in done.stderr
    drive.drop_caches()
    assert (drive.path / "Library/c.mp4").stat().st_size == len((drive.path / "Library/c.mp4").read_bytes())


def test_reads_go_on_while_remotes_change(make_drive, folder):
    drive = two_remotes(make_drive)
    settings = drive.library / "shoebox.toml"
    source = big_file(folder / "a.mp4", 24 << 20)
    shutil.copy2(source, drive.path / "Library/a.mp4")
    drive.backed_up()
    drive.evict()
    text = settings.read_text()
    with ThreadPoolExecutor(1) as pool:
        for connections in (5, 6):  # both are made anew under the reader
            read = pool.submit(sha256, drive.path / "Library/a.mp4")
            settings.write_text(text.replace("[[remote]]\n", f"[[remote]]\nconnections = {connections}\n"))
            drive.run("config", "reload")
            assert read.result(60) == sha256(source)
            drive.evict()
        read = pool.submit(sha256, drive.path / "Library/a.mp4")
        drive.run("remote", "remove", "first")
        assert read.result(60) == sha256(source)


def test_after_a_removal_nothing_is_evicted_on_the_strength_of_it(drive):
    big_file(drive.path / "Library/a.mp4", 1 << 20)
    drive.backed_up()
    drive.run("remote", "remove", "default")
    drive.run("evict", "--all", check=False)
    assert drive.state("Library/a.mp4") != "remote"
    done = drive.run("remote", "test", "default", check=False)
    assert done.returncode != 0 and "no remote is called" in done.stderr


def test_a_remote_may_be_told_as_a_folder(drive):
    (drive.folder / "a second").mkdir()
    done = drive.run("remote", "add", "second", "a second", check=False)
    assert done.returncode == 1 and "write a URL" in done.stderr and "a path from /" in done.stderr, done.stderr
    drive.run("remote", "add", "second", f"{drive.folder}/a second")
    assert drive.status()["remotes"][1]["url"] == f"file://{drive.folder}/a%20second"
    (drive.path / "Library/a.txt").write_bytes(b"a")
    drive.backed_up()
    assert (drive.folder / "a second/Library/a.txt").read_bytes() == b"a"


def test_what_cannot_be_reached_does_not_become_a_remote_by_adopting(make_drive, folder):
    drive = make_drive()
    settings = f'[[remote]]\nname = "nas"\nurl = "file://{drive.remote}"\n'
    drive.library.mkdir()
    (drive.library / "shoebox.toml").write_text(settings, encoding="utf-8")
    place = folder / "pictures"
    for _ in range(2):
        done = drive.run("adopt", f"file://{place}", check=False)
        assert done.returncode == 1 and f"folder {place} is not there" in done.stderr, done.stderr
        assert (drive.library / "shoebox.toml").read_text(encoding="utf-8") == settings
        if drive.process is None:
            drive.mount()
    assert len(drive.status()["remotes"]) == 1
    # Once it was adopted from, its section stays, and being away is no reason to forget it.
    place.mkdir()
    (place / "a.txt").write_bytes(b"a")
    drive.run("adopt", f"file://{place}")
    place.rename(folder / "away")
    assert drive.run("adopt", f"file://{place}", check=False).returncode == 1
    assert [remote["url"] for remote in drive.status()["remotes"]][1:] == [f"file://{place}"]


def test_what_is_no_second_place_is_refused(make_drive, folder):
    drive = make_drive().mount()
    (drive.path / "Library/backup").mkdir()
    shortcut = folder / "shortcut"
    shortcut.symlink_to(drive.path / "Library/backup")
    settings = (drive.library / "shoebox.toml").read_text()
    for url, why in ((f"file://{drive.path}/Library/backup", "lies on a Shoebox drive"),
                     (f"file://{shortcut}", "lies on a Shoebox drive"),
                     (f"file://{drive.path}/Library/not/there/yet", "lies on a Shoebox drive"),
                     (f"file://{drive.remote}/", "is the folder of remote"),
                     ("file:///", "is the root of this machine")):
        done = drive.run("remote", "add", "more", url, check=False)
        assert done.returncode != 0 and why in done.stderr, (url, done.stderr)
    assert (drive.library / "shoebox.toml").read_text() == settings
    # Not there when the settings are read, and on the drive once it is mounted.
    drive.unmount()
    (drive.library / "shoebox.toml").write_text(
        settings + f'[[remote]]\nname = "more"\nurl = "file://{drive.path}/Library/backup"\n', encoding="utf-8")
    drive.mount()
    (drive.path / "Library/a.txt").write_bytes(b"a")
    drive.run("backup", "now")
    wait_until(lambda: "lies on a Shoebox drive" in drive.status()["remotes"][1]["last_error"], 60, "status to say why")
    assert os.listdir(drive.path / "Library/backup") == []


def test_originals_stay_while_the_only_remote_that_has_them_cannot_be_reached(make_drive, folder):
    drive = make_drive(settings=f'cache = "1MiB"\n[[remote]]\nname = "nas"\nurl = "file://{folder}/drive/remote"\n')
    drive.mount()
    source = big_file(folder / "a.mp4", 3 << 20)
    shutil.copy2(source, drive.path / "Library/a.mp4")
    drive.run("pin", "Library/a.mp4")  # it is over the limit
    drive.backed_up()
    away = drive.folder / "away"
    drive.remote.rename(away)
    big_file(drive.path / "Library/b.mp4", 1 << 20, 2)
    drive.run("backup", "now")
    wait_until(lambda: not drive.status()["remotes"][0]["online"], 60, "offline")
    drive.run("unpin", "Library/a.mp4")
    done = drive.run("evict", "Library/a.mp4", check=False)
    assert done.returncode == 1 and "kept Library/a.mp4: its copy on nas cannot be read now" in done.stderr, done.stderr
    time.sleep(5)  # the evictor looks every few seconds
    assert drive.state("Library/a.mp4") == "local"
    drive.drop_caches()
    assert sha256(drive.path / "Library/a.mp4") == sha256(source)
    away.rename(drive.remote)
    drive.run("backup", "now")
    wait_until(lambda: drive.state("Library/a.mp4") == "remote", 60, "the cache limit, when the remote is there again")
    assert sha256(drive.path / "Library/a.mp4") == sha256(source)


def test_a_remote_put_back_to_an_older_state_of_itself_counts_for_nothing_it_lost(make_drive, folder):
    drive = make_drive().mount()
    for number in range(2):
        shutil.copy2(big_file(folder / f"old{number}.mp4", 1 << 20, number), drive.path / "Library")
    drive.backed_up()
    older = drive.folder / "older"
    shutil.copytree(drive.remote, older)
    sources = [big_file(folder / f"new{number}.mp4", 1 << 20, 10 + number) for number in range(2)]
    for source in sources:
        shutil.copy2(source, drive.path / "Library")
    drive.wait_sealed()
    os.setxattr(drive.path / "Library/old0.mp4", "user.xdg.comment", b"at the sea")
    drive.backed_up()
    wait_until(lambda: (drive.remote / "Library/old0.mp4.xmp").exists(), 30, "the sidecar")

    # While it is mounted, and nothing on it changes but for one more file.
    shutil.rmtree(drive.remote)
    shutil.copytree(older, drive.remote)
    shutil.copy2(big_file(folder / "more.mp4", 1 << 20, 20), drive.path / "Library")
    drive.wait_sealed()
    drive.run("backup", "now")
    wait_until(lambda: "put back to an older state" in drive.log_text(), 90, "somebody notices")
    drive.backed_up()
    wait_until(lambda: (drive.remote / "Library/old0.mp4.xmp").exists(), 30, "the sidecar, again")
    drive.evict()
    for source in sources:
        assert drive.state(f"Library/{source.name}") == "remote"
        assert sha256(drive.path / "Library" / source.name) == sha256(source)

    # Between two mounts; and the catalog there is whole again.
    drive.unmount()
    shutil.rmtree(drive.remote)
    shutil.copytree(older, drive.remote)
    drive.mount()
    wait_until(lambda: drive.log_text().count("put back to an older state") > 1, 90, "somebody notices again")
    drive.backed_up()
    drive.kill()
    again = Drive(drive.folder / "again")
    subprocess.run([SHOEBOX, "rebuild", "--from", str(drive.remote), str(again.library)], check=True, timeout=120)
    again.mount("--read-only")
    try:
        for source in sources:
            assert sha256(again.path / "Library" / source.name) == sha256(source)
        assert os.getxattr(again.path / "Library/old0.mp4", "user.xdg.comment") == b"at the sea"
    finally:
        again.close()


def test_status_tells_what_a_remote_lost_that_was_put_back_to_an_older_state(make_drive, folder):
    drive = make_drive().mount()
    shutil.copy2(big_file(folder / "old.mp4", 1 << 20, 1), drive.path / "Library")
    drive.backed_up()
    older = drive.folder / "older"
    shutil.copytree(drive.remote, older)
    shutil.copy2(big_file(folder / "new.mp4", 1 << 20, 2), drive.path / "Library")
    drive.backed_up()
    drive.evict()
    drive.unmount()
    newer = drive.folder / "newer"
    drive.remote.rename(newer)
    older.rename(drive.remote)
    drive.mount()
    wait_until(lambda: "put back to an older state" in drive.log_text(), 90, "somebody notices")
    assert drive.status()["remotes"][0]["lost_files"] == 1
    assert "1 original missing or damaged there" in drive.run("status").stdout


def test_status_tells_of_an_original_that_a_read_found_missing_until_it_is_back(make_drive, folder):
    drive = make_drive().mount()
    source = big_file(folder / "a.mp4", 1 << 20)
    shutil.copy2(source, drive.path / "Library/a.mp4")
    drive.backed_up()
    drive.evict()
    away = folder / "away.mp4"
    (drive.remote / "Library/a.mp4").rename(away)
    try:
        sha256(drive.path / "Library/a.mp4")
        raise AssertionError("read without its bytes")
    except OSError:
        pass
    assert drive.status()["remotes"][0]["lost_files"] == 1
    away.rename(drive.remote / "Library/a.mp4")

    def reads_again():
        try:
            return sha256(drive.path / "Library/a.mp4") == sha256(source)
        except OSError:
            return False
    wait_until(reads_again, 60, "its bytes")
    wait_until(lambda: drive.status()["remotes"][0]["lost_files"] == 0, 10, "that it is found")
