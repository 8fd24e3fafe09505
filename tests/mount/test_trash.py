"""Trash and the Delete key of file managers."""
import errno
import os
import shutil

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
    wait_until(lambda: drive.json("status")["not_decoded"] == 0, 120, "decoding")
    removed = 0
    with pytest.raises(OSError) as caught:
        for path in sorted(base.iterdir()):
            path.unlink()
            removed += 1
    assert caught.value.errno == errno.EDQUOT
    assert removed >= 1000
    drive.run("trash", "allow")
    sorted(base.iterdir())[0].unlink()
