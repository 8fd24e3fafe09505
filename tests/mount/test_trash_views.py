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


def test_an_album_goes_to_trash_as_one_entry_and_comes_back(two):
    (two.path / "Albums/Trip/Day 1").mkdir(parents=True)
    os.link(two.path / "Library/a.jpg", two.path / "Albums/Trip/a.jpg")
    os.link(two.path / "Library/b.jpg", two.path / "Albums/Trip/Day 1/sea.jpg")
    gio("trash", two.path / "Albums/Trip")
    assert two.names("Albums") == []
    assert two.names("Library") == two.names("Dates/2020/01") == ["a.jpg", "b.jpg"]
    wait_until(lambda: two.names("Trash") == ["Trip"], 5, "the album in Trash")
    assert sorted(os.listdir(trashed(two, "Trip"))) == ["Day 1", "a.jpg"]
    assert (trashed(two, "Trip") / "a.jpg").read_bytes() == (two.path / "Library/a.jpg").read_bytes()
    with pytest.raises(OSError) as caught:
        os.getxattr(two.path / "Library/a.jpg", "user.shoebox.albums")
    assert caught.value.errno == errno.ENODATA
    put_back(two, "Trip", "Albums/Trip")

    def back():
        return two.names("Albums/Trip") == ["Day 1", "a.jpg"] and two.names("Albums/Trip/Day 1") == ["sea.jpg"]
    wait_until(back, 5, "the album")
    wait_until(lambda: (two.path / "Albums/Trip/a.jpg").stat().st_ino == (two.path / "Library/a.jpg").stat().st_ino, 5,
               "the photo itself in the album")
    assert os.getxattr(two.path / "Library/b.jpg", "user.shoebox.albums") == b"Trip/Day 1"
    wait_until(lambda: two.names("Trash") == [], 5, "an empty Trash")

    gio("trash", two.path / "Albums/Trip")
    two.run("trash", "restore", "Trip")
    wait_until(back, 5, "the album by the command")
    gio("trash", two.path / "Albums/Trip")
    two.remount()
    two.run("trash", "empty", "--all")
    assert two.names("Trash") == os.listdir(trashed(two, "")) == two.names("Albums") == []
    assert two.names("Library") == ["a.jpg", "b.jpg"]
    assert two.run("fsck").returncode == 0


def test_gio_restores_an_album(two):
    (two.path / "Albums/Trip").mkdir()
    os.link(two.path / "Library/a.jpg", two.path / "Albums/Trip/a.jpg")
    gio("trash", two.path / "Albums/Trip")
    listed = subprocess.run(["gio", "list", "trash://"], check=False, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("gvfs is not here: gio has no trash://")
    gio("trash", "--restore", listed.stdout.split()[0])
    wait_until(lambda: two.names("Albums/Trip") == ["a.jpg"], 5, "the album")


def test_a_person_goes_to_trash_and_comes_back(two):
    gio("trash", two.path / "People/Anna")
    assert two.names("People") == []
    two.remount()
    assert two.names("People") == [] and two.names("Library") == ["a.jpg", "b.jpg"]
    put_back(two, "Anna", "People/Anna")
    wait_until(lambda: two.names("People/Anna") == ["a.jpg", "b.jpg"], 5, "the person")
    assert two.run("fsck").returncode == 0


def test_a_folder_of_dates_goes_to_trash_with_its_photos_and_comes_back(two):
    (two.path / "Albums/Trip").mkdir()
    os.link(two.path / "Library/a.jpg", two.path / "Albums/Trip/a.jpg")
    gio("trash", two.path / "Dates/2020/01")
    for folder in ("Library", "Albums/Trip", "People/Anna", "Dates"):
        wait_until(lambda folder=folder: two.names(folder) == [], 5, f"{folder} without the photos")
    assert sorted(os.listdir(trashed(two, "01"))) == ["a.jpg", "b.jpg"]
    (two.path / "Dates/2020").mkdir()
    put_back(two, "01", "Dates/2020/01")
    for folder, names in (("Library", ["a.jpg", "b.jpg"]), ("Albums/Trip", ["a.jpg"]),
                          ("People/Anna", ["a.jpg", "b.jpg"]), ("Dates/2020/01", ["a.jpg", "b.jpg"])):
        wait_until(lambda folder=folder, names=names: two.names(folder) == names, 5, f"the photos in {folder}")
    gio("trash", two.path / "Dates/2020")
    two.run("trash", "restore", "2020")
    wait_until(lambda: two.names("Library") == two.names("Dates/2020/01") == ["a.jpg", "b.jpg"], 5, "the year")
    assert two.run("fsck").returncode == 0


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


def test_what_empties_a_folder_of_dates_may_go_on_writing_there(two, photo):
    script = ("import os, shutil, sys; [os.unlink(p) for p in sys.argv[3:]]; os.makedirs(sys.argv[1], exist_ok=True);"
              "shutil.copy2(sys.argv[2], sys.argv[1])")
    month = two.path / "Dates/2020/01"
    subprocess.run(["python3", "-c", script, month, photo("new.jpg", date=DATE), month / "a.jpg", month / "b.jpg"],
                   check=True)
    wait_until(lambda: two.names("Dates/2020/01") == ["new.jpg"], 5, "the new photo")
    two.wait_for("Library/2020/01/new.jpg")
    assert two.run("fsck").returncode == 0


def test_restoring_all_is_no_error_although_a_photo_brings_its_sidecar_along(two):
    (two.path / "Library/a.jpg.xmp").write_bytes(b"<x/>")
    two.wait_for("Dates/2020/01/a.jpg.xmp")
    for name in ("a.jpg", "b.jpg"):
        os.unlink(two.path / "Dates/2020/01" / name)
    wait_until(lambda: two.names("Trash") == ["a.jpg", "a.jpg.xmp", "b.jpg"], 5, "all in Trash")
    done = two.run("trash", "restore", "--all")
    assert (done.stdout, done.stderr) == ("3 files restored\n", "")
    wait_until(lambda: two.names("Library") == ["a.jpg", "a.jpg.xmp", "b.jpg"], 5, "all again")


def test_rm_in_dates_takes_the_sidecar_along(two):
    (two.path / "Library/a.jpg.xmp").write_bytes(b"<x/>")
    two.wait_for("Dates/2020/01/a.jpg.xmp")
    os.unlink(two.path / "Dates/2020/01/a.jpg")
    wait_until(lambda: two.names("Library") == ["b.jpg"], 5, "neither photo nor sidecar")
    two.wait_gone("Library/a.jpg.xmp", 5)
    wait_until(lambda: two.names("Trash") == ["a.jpg", "a.jpg.xmp"], 5, "both in Trash")
    os.rename(two.path / "Trash/a.jpg", two.path / "Library/a.jpg")
    wait_until(lambda: two.names("Library") == ["a.jpg", "a.jpg.xmp", "b.jpg"], 5, "both again")
    assert (two.path / "Library/a.jpg.xmp").read_bytes() == b"<x/>"
    wait_until(lambda: two.names("Trash") == [], 5, "an empty Trash")
    # In Library a file is a file.
    os.unlink(two.path / "Library/a.jpg")
    assert two.names("Library") == ["a.jpg.xmp", "b.jpg"]
