"""The Delete key on folders of the views, as file managers do it, and rm -r of folders of Dates."""
import errno
import os
import shutil
import subprocess

import pytest
from drive import wait_until

DATE = "2020:01:14 10:11:12"


def gio(*arguments):
    """GIO's file operations, as Nautilus and others do them."""
    if shutil.which("gio") is None:
        pytest.skip("gio is not here")
    done = subprocess.run(["gio", *map(str, arguments)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def trashed(drive, name):
    """Where a file manager put it."""
    return drive.path / f".Trash-{os.getuid()}" / "files" / name


def put_back(drive, name, path):
    """What the file manager does when somebody restores it."""
    os.rename(trashed(drive, name), drive.path / path)
    os.unlink(drive.path / f".Trash-{os.getuid()}" / "info" / f"{name}.trashinfo")


@pytest.fixture
def two(drive, photo):
    """Two photos of January 2020, of Anna."""
    for name in ("a.jpg", "b.jpg"):
        shutil.copy2(photo(name, date=DATE, people=["Anna"]), drive.path / "Library" / name)
        drive.wait_for(f"Dates/2020/01/{name}")
    return drive


@pytest.mark.parametrize("gone", ["Dates/2020/01", "Dates/2020"])
def test_rm_r_of_a_folder_of_dates_says_nothing(two, photo, gone):
    shutil.copy2(photo("c.jpg", date="2020:02:03 04:05:06"), two.path / "Library/c.jpg")
    two.wait_for("Dates/2020/02/c.jpg")
    (two.path / "Library/a.jpg.xmp").write_bytes(b"<x/>")
    two.wait_for("Dates/2020/01/a.jpg.xmp")
    done = subprocess.run(["rm", "-r", two.path / gone], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    # Another process sees nothing of it.
    two.wait_gone(gone, 5)
    for folder, left in (("Dates", "2020"), ("Library", "c.jpg")):
        names = [left] if gone.endswith("01") else []
        wait_until(lambda folder=folder, names=names: two.names(folder) == names, 5, f"{names} in {folder}")


def test_what_removes_the_last_name_itself_finds_the_folder_only_to_remove_it(two):
    script = "import os, sys; [os.unlink(p) for p in sys.argv[2:]]; os.rmdir(sys.argv[1])"
    month = two.path / "Dates/2020/01"
    subprocess.run(["python3", "-c", script, month, month / "a.jpg", month / "b.jpg"], check=True)
    wait_until(lambda: two.names("Dates") == [], 5, "no date")
