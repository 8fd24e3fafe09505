"""Trash and the Delete key of file managers."""
import errno
import os
import shutil
import subprocess

import pytest
from drive import sha256, wait_until

DATE = "2023:07:14 10:11:12"


@pytest.fixture
def kept(drive, photo):
    """A decoded photo at Library/k.jpg."""
    made = photo("k.jpg", date=DATE)
    shutil.copy2(made, drive.path / "Library/k.jpg")
    drive.wait_for("Dates/2023/07/k.jpg")
    return made


def test_rm_of_a_photo_moves_it_to_trash_and_of_text_deletes_it(drive, kept):
    (drive.path / "Library/t.txt").write_bytes(b"text")
    os.unlink(drive.path / "Library/t.txt")
    os.unlink(drive.path / "Library/k.jpg")
    assert drive.names("Trash") == ["k.jpg"]
    assert sha256(drive.path / "Trash/k.jpg") == sha256(kept)
    drive.wait_gone("Dates/2023/07/k.jpg")


def test_mv_out_of_trash_restores(drive, kept):
    os.unlink(drive.path / "Library/k.jpg")
    os.rename(drive.path / "Trash/k.jpg", drive.path / "Library/back.jpg")
    assert drive.names("Trash") == []
    assert sha256(drive.path / "Library/back.jpg") == sha256(kept)
    drive.wait_for("Dates/2023/07")


def test_rm_in_trash_is_for_good(drive, kept):
    os.unlink(drive.path / "Library/k.jpg")
    os.unlink(drive.path / "Trash/k.jpg")
    assert drive.names("Trash") == []
    assert drive.run("fsck").returncode == 0


def test_file_manager_delete_key_and_undo(drive, kept):
    top = drive.path / f".Trash-{os.getuid()}"
    top.mkdir(mode=0o700)
    for name in ("files", "info"):
        (top / name).mkdir(mode=0o700, exist_ok=True)
    info = top / "info/k.jpg.trashinfo"
    info.write_text("[Trash Info]\nPath=Library/k.jpg\nDeletionDate=2024-01-01T00:00:00\n")
    os.rename(drive.path / "Library/k.jpg", top / "files/k.jpg")
    assert drive.names("Trash") == ["k.jpg"]
    drive.wait_gone("Dates/2023/07/k.jpg")
    os.rename(top / "files/k.jpg", drive.path / "Library/k.jpg")
    info.unlink()
    assert drive.names("Trash") == []
    drive.wait_for("Dates/2023/07/k.jpg")


def gio(*arguments):
    """GIO's file operations, as Nautilus and others do them."""
    if shutil.which("gio") is None:
        pytest.skip("gio is not here")
    return subprocess.run(["gio", *map(str, arguments)], check=True)


def test_gio_trash_of_a_folder_shows_in_both_places_and_comes_back(drive, photo):
    (drive.path / "Library/f/g").mkdir(parents=True)
    shutil.copy2(photo("a.jpg", date=DATE), drive.path / "Library/f/g/a.jpg")
    drive.wait_for("Dates/2023/07/a.jpg")
    top = drive.path / f".Trash-{os.getuid()}"

    def all_empty():  # soon: the kernel is told of names that it did not ask for
        wait_until(lambda: os.listdir(top / "files") == os.listdir(top / "info") == drive.names("Trash") == [],
                   5, "an empty Trash")
    gio("trash", drive.path / "Library/f")
    assert (top / "files/f/g/a.jpg").is_file()
    drive.wait_for("Trash/f/g/a.jpg", 5)
    assert "Path=Library/f\n" in (top / "info/f.trashinfo").read_text(encoding="ascii")
    drive.wait_gone("Dates/2023/07/a.jpg")
    os.rename(drive.path / "Trash/f", drive.path / "Library/f")
    wait_until(lambda: (drive.path / "Library/f/g").is_dir() and not (drive.path / "Library/f").is_symlink(), 5,
               "the folder in place of the link")
    all_empty()
    drive.wait_for("Dates/2023/07/a.jpg")
    gio("trash", drive.path / "Library/f")
    drive.run("trash", "restore", "f")
    drive.wait_for("Library/f/g/a.jpg", 5)
    all_empty()
    gio("trash", drive.path / "Library/f")
    drive.wait_for("Trash/f", 5)
    os.unlink(drive.path / "Trash/f")
    all_empty()
    drive.remount()
    assert drive.names("Library") == drive.names("Trash") == []
    assert drive.run("fsck").returncode == 0


def test_trash_cli_puts_lists_and_restores(drive, kept):
    if shutil.which("trash-put") is None:
        pytest.skip("trash-cli is not here")
    (drive.path / "Library/f").mkdir()
    shutil.copy2(kept, drive.path / "Library/f/twin.jpg")
    for name in ("k.jpg", "f"):
        subprocess.run(["trash-put", drive.path / "Library" / name], check=True)
    listed = subprocess.run(["trash-list"], check=True, capture_output=True, text=True).stdout
    assert str(drive.path / "Library/k.jpg") in listed and str(drive.path / "Library/f") in listed
    wait_until(lambda: drive.names("Trash") == ["f", "k.jpg"], 5, "both in Trash")
    for name in ("k.jpg", "f"):
        subprocess.run(["trash-restore", drive.path / "Library" / name], input="0\n", check=True, text=True,
                       capture_output=True)
    assert drive.names("Library") == ["f", "k.jpg"] and drive.names("Library/f") == ["twin.jpg"]
    wait_until(lambda: drive.names("Trash") == [], 5, "an empty Trash")
    drive.wait_for("Dates/2023/07/k.jpg")
    subprocess.run(["trash-put", drive.path / "Library/k.jpg"], check=True)
    drive.run("trash", "empty", "--all")
    assert str(drive.path) not in subprocess.run(["trash-list"], check=True, capture_output=True, text=True).stdout
    assert drive.run("fsck").returncode == 0


def test_trash_verbs_list_restore_and_empty(drive, kept):
    os.unlink(drive.path / "Library/k.jpg")
    listing = drive.json("trash", "list")
    assert "k.jpg" in str(listing)
    drive.run("trash", "restore", drive.path / "Trash/k.jpg")
    assert sha256(drive.wait_for("Library/k.jpg")) == sha256(kept)
    os.unlink(drive.path / "Library/k.jpg")
    drive.run("trash", "empty", "--all")
    assert drive.names("Trash") == []


def test_same_name_twice_in_trash(drive, photo):
    for number in (1, 2):
        shutil.copy2(photo("s.jpg", date=DATE), drive.path / "Library/s.jpg")
        drive.wait_for("Dates/2023/07")
        os.unlink(drive.path / "Library/s.jpg")
        assert len(drive.names("Trash")) == number


def test_trashed_photo_that_was_not_sent_is_still_sent(drive, photo):
    drive.run("backup", "pause")
    made = photo("u.jpg", date=DATE)
    shutil.copy2(made, drive.path / "Library/u.jpg")
    drive.wait_for("Dates/2023/07/u.jpg")
    os.unlink(drive.path / "Library/u.jpg")
    drive.run("backup", "resume")
    drive.backed_up()
    assert sha256(made) in {sha256(p) for p in drive.remote.rglob("*") if p.is_file()}


def test_breaker_stops_a_run_away_deletion(drive):
    base = drive.path / "Library/bulk"
    base.mkdir()
    for number in range(1100):
        (base / f"{number:04}.jpg").write_bytes(b"photo %d" % number)
    drive.wait_sealed(120)
    removed = 0
    with pytest.raises(OSError) as caught:
        for path in sorted(base.iterdir()):
            path.unlink()
            removed += 1
    assert caught.value.errno == errno.EDQUOT
    assert removed >= 1000
    drive.run("trash", "allow")
    sorted(base.iterdir())[0].unlink()


@pytest.fixture
def twins(drive, kept):
    """Library/2023/07/k.jpg, and a copy of its own in an album."""
    (drive.path / "Library/2023/07").mkdir(parents=True)
    os.rename(drive.path / "Library/k.jpg", drive.path / "Library/2023/07/k.jpg")
    (drive.path / "Albums/Trip").mkdir()
    shutil.copy2(kept, drive.path / "Albums/Trip/k.jpg")
    drive.wait_sealed()
    return kept


@pytest.mark.parametrize("removed", ("2023", "2023/07"))
def test_rm_r_of_a_folder_ends_well_while_a_copy_stands_in_an_album(drive, twins, removed):
    subprocess.run(["rm", "-r", str(drive.path / "Library" / removed)], check=True, timeout=60)
    assert not (drive.path / "Library" / removed).exists()
    assert sha256(drive.path / "Library/Kept/2023/07/k.jpg") == sha256(twins)
    assert sha256(drive.path / "Albums/Trip/k.jpg") == sha256(twins)
    assert drive.names("Trash") == ["k.jpg"]
    assert len(drive.names("Dates/2023/07")) == 1
    drive.kill()
    drive.mount()
    assert sha256(drive.path / "Library/Kept/2023/07/k.jpg") == sha256(twins)
    assert not (drive.path / "Library" / removed).exists()
    assert drive.run("fsck").returncode == 0


def test_rsync_delete_removes_once_while_a_copy_stands_in_an_album(drive, twins, folder):
    source = folder / "source"
    (source / "07").mkdir(parents=True)
    for turn in range(2):
        done = subprocess.run(["rsync", "-ai", "--delete", "--omit-dir-times", f"{source}/",
                               f"{drive.path}/Library/2023/"], check=True, timeout=60, capture_output=True, text=True)
        assert ("deleting" in done.stdout) == (turn == 0), done.stdout
    assert sha256(drive.path / "Albums/Trip/k.jpg") == sha256(twins)
    assert sha256(drive.path / "Library/Kept/2023/07/k.jpg") == sha256(twins)
