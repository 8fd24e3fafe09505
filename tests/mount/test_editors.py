"""Programs that keep the former bytes beside a photo they edit, or set it aside to save: ExifTool, vim."""
import os
import shutil
import subprocess

import pytest
from drive import sha256, wait_until

DATE = "2023:07:14 10:11:12"
FOLDERS = ("Library/2023/07", "Albums/Trip")


@pytest.fixture
def said(drive, photo):
    """A photo of the album Trip, a favourite with a caption and a person; its home is Library/2023/07/k.jpg."""
    made = photo("k.jpg", date=DATE)
    (drive.path / "Albums/Trip").mkdir()
    shutil.copy2(made, drive.path / "Albums/Trip/k.jpg")
    home = drive.wait_for("Library/2023/07/k.jpg")
    os.setxattr(home, "user.shoebox.favorite", b"1")
    os.setxattr(home, "user.shoebox.people", b"Anna")
    os.setxattr(home, "user.xdg.comment", b"the two of us")
    return made


def exiftool(*arguments):
    """The real one; in its default mode it keeps x.jpg_original."""
    subprocess.run(["exiftool", "-q", *map(str, arguments)], check=True, capture_output=True, timeout=120)


def expect_photo(drive, folder, backup_copy, hashed):
    """One photo, with all that was said about it, everywhere; its former bytes a plain file beside it."""
    drive.wait_sealed()
    wait_until(lambda: len(drive.names("Dates/2023/07")) == 1, 30, "one photo in Dates")
    assert drive.names("People/Anna") == ["k.jpg"]
    for name in ("Library/2023/07/k.jpg", "Albums/Trip/k.jpg", "People/Anna/k.jpg"):
        path = drive.path / name
        assert sha256(path) == hashed, name
        assert os.getxattr(path, "user.shoebox.favorite") == b"1", name
        assert os.getxattr(path, "user.shoebox.people") == b"Anna", name
        assert os.getxattr(path, "user.shoebox.albums") == b"Trip", name
        assert os.getxattr(path, "user.xdg.comment") == b"the two of us", name
    for one in FOLDERS:
        # What is made in the album has a home in Library as well, as every file there.
        beside = [backup_copy] if backup_copy and one in (folder, "Library/2023/07") else []
        assert drive.names(one) == ["k.jpg", *beside]
    assert drive.names("Trash") == []


@pytest.mark.parametrize("place", FOLDERS)
def test_what_exiftool_writes_is_the_photo_and_its_backup_copy_a_plain_file(drive, said, place):
    before = sha256(said)
    path = drive.path / place / "k.jpg"
    exiftool("-Artist=Anna", path)
    edited = sha256(path)
    assert edited != before
    expect_photo(drive, place, "k.jpg_original", edited)
    assert sha256(drive.path / place / "k.jpg_original") == before
    # Once more: it keeps the first one's bytes.
    exiftool("-Artist=Ben", path)
    edited = sha256(path)
    expect_photo(drive, place, "k.jpg_original", edited)
    assert sha256(drive.path / place / "k.jpg_original") == before
    drive.backed_up()
    assert sha256(drive.remote / "Library/2023/07/k.jpg") == edited
    exiftool("-restore_original", drive.path / place)
    expect_photo(drive, place, None, before)
    exiftool("-Artist=Cleo", path)
    edited = sha256(path)
    exiftool("-delete_original!", drive.path / place)
    # Out of the album only, as everything that is deleted there.
    left = ("k.jpg_original", "Library/2023/07") if place.startswith("Albums") else (None, None)
    expect_photo(drive, left[1] or place, left[0], edited)
    drive.backed_up()
    assert drive.run("fsck").returncode == 0
    drive.remount()
    expect_photo(drive, left[1] or place, left[0], edited)


@pytest.mark.parametrize("place", FOLDERS)
@pytest.mark.parametrize("keeps", (True, False))
def test_what_vim_writes_after_it_set_the_file_aside_is_the_photo(drive, said, place, keeps):
    path = drive.path / place / "k.jpg"
    backup = "backup" if keeps else "nobackup writebackup"
    # `backupdir=.`: beside the file. vim -es says what is wrong by its exit code.
    subprocess.run(["vim.tiny", "-Nu", "NONE", "-i", "NONE", "-n", "-b", "-es", "-c",
                    f"set {backup} backupcopy=no backupdir=.", "-c", "silent! set backupskip=", "-c", "$s/$/more/", "-c",
                    "wq!", str(path)], check=True, timeout=120, stdin=subprocess.DEVNULL,
                   env={**os.environ, "HOME": str(drive.folder)})
    edited = sha256(path)
    assert edited != sha256(said)
    expect_photo(drive, place, "k.jpg~" if keeps else None, edited)
    if keeps:
        assert sha256(drive.path / place / "k.jpg~") == sha256(said)
    assert drive.run("fsck").returncode == 0


@pytest.mark.parametrize("place", FOLDERS)
@pytest.mark.parametrize("backup", ("k.jpg.bak", "k.jpg_original", "k.bak"))
def test_another_picture_under_the_name_of_one_that_was_renamed_is_a_photo_of_its_own(drive, said, photo, folder, place,
                                                                                      backup):
    other = photo("other.jpg", date="2023:07:20 10:00:00")
    path = drive.path / place
    subprocess.run(f"mv k.jpg {backup} && cp '{other}' k.jpg", shell=True, cwd=path, check=True, timeout=120)
    drive.wait_sealed()
    wait_until(lambda: len(drive.names("Dates/2023/07")) == 2, 30, "both photos in Dates")
    former, new = path / backup, path / "k.jpg"
    assert sha256(former) == sha256(said) and sha256(new) == sha256(other)
    assert os.getxattr(former, "user.shoebox.people") == b"Anna"
    assert os.getxattr(former, "user.shoebox.albums") == b"Trip"
    assert os.getxattr(former, "user.xdg.comment") == b"the two of us"
    assert [sha256(drive.path / "People/Anna" / name) for name in drive.names("People/Anna")] == [sha256(said)]
    assert sha256(said) in [sha256(drive.path / "Albums/Trip" / name) for name in drive.names("Albums/Trip")]
    for name in ("user.shoebox.people", "user.xdg.comment"):
        with pytest.raises(OSError):
            os.getxattr(new, name)
    assert drive.run("fsck").returncode == 0


def test_what_rsync_puts_over_a_photo_that_it_backs_up_is_the_photo(drive, said, photo, folder):
    source = folder / "source"
    source.mkdir()
    new = photo("k.jpg", date="2023:07:14 12:00:00", into=source)
    before = sha256(said)
    assert sha256(new) != before
    subprocess.run(["rsync", "-a", "--ignore-times", "--backup", f"{source}/", f"{drive.path}/Library/2023/07/"],
                   check=True, timeout=120)
    expect_photo(drive, "Library/2023/07", "k.jpg~", sha256(new))
    assert sha256(drive.path / "Library/2023/07/k.jpg~") == before
    assert drive.run("fsck").returncode == 0


def test_a_folder_of_exiftools_copied_in_shows_each_photo_once(drive, photo, folder):
    source = folder / "source"
    source.mkdir()
    made = photo("k.jpg", date=DATE, into=source)
    shutil.copy2(photo("other.jpg", date="2010:01:02 03:04:05"), source / "k.jpg_original")
    subprocess.run(["rsync", "-a", f"{source}/", f"{drive.path}/Library/Phone/"], check=True, timeout=120)
    drive.wait_sealed()
    wait_until(lambda: drive.names("Dates") == ["2023"], 30, "only the photo in Dates")
    assert drive.names("Dates/2023/07") == ["k.jpg"]
    assert sha256(drive.path / "Dates/2023/07/k.jpg") == sha256(made)
    again = subprocess.run(["rsync", "-ai", "--delete", f"{source}/", f"{drive.path}/Library/Phone/"], check=True,
                           timeout=120, capture_output=True, text=True)
    assert again.stdout == ""
