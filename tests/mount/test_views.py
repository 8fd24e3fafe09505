"""Dates, Albums and People by the operation table: statements and their undoing."""
import errno
import os
import shutil
import subprocess

import pytest
from drive import sha256, wait_until

DATE = "2023:07:14 10:11:12"


def raises(code, call):
    with pytest.raises(OSError) as caught:
        call()
    assert caught.value.errno == code, caught.value


def test_one_photo_has_one_inode_under_all_its_names(drive, photo):
    shutil.copy2(photo("p.jpg", date=DATE, people=["Anna"]), drive.path / "Library/p.jpg")
    drive.wait_for("Dates/2023/07/p.jpg")
    drive.wait_for("People/Anna/p.jpg")
    (drive.path / "Albums/Trip").mkdir()
    os.link(drive.path / "Library/p.jpg", drive.path / "Albums/Trip/p.jpg")
    inodes = {(drive.path / name).stat().st_ino
              for name in ("Library/p.jpg", "Dates/2023/07/p.jpg", "People/Anna/p.jpg", "Albums/Trip/p.jpg")}
    assert len(inodes) == 1
    assert (drive.path / "Library/p.jpg").stat().st_nlink == 3  # Library, People, Albums; Dates does not count


def test_photo_born_in_an_album_gets_a_home_by_its_date(drive, photo):
    made = photo("born.jpg", date=DATE)
    (drive.path / "Albums/Trip").mkdir()
    shutil.copy2(made, drive.path / "Albums/Trip/born.jpg")
    home = drive.wait_for("Library/2023/07/born.jpg")
    assert sha256(home) == sha256(made)
    assert home.stat().st_mtime_ns == made.stat().st_mtime_ns
    drive.wait_for("Dates/2023/07/born.jpg")
    assert drive.names("Albums/Trip") == ["born.jpg"]


def test_removing_from_an_album_leaves_the_photo(drive, photo):
    (drive.path / "Albums/Trip").mkdir()
    shutil.copy2(photo("a.jpg", date=DATE), drive.path / "Albums/Trip/a.jpg")
    drive.wait_for("Library/2023/07/a.jpg")
    os.unlink(drive.path / "Albums/Trip/a.jpg")
    assert drive.names("Albums/Trip") == []
    assert (drive.path / "Library/2023/07/a.jpg").exists()
    drive.remount()
    assert drive.names("Albums/Trip") == []


def test_denied_person_does_not_come_back(drive, photo):
    shutil.copy2(photo("d.jpg", date=DATE, people=["Anna", "Ben"]), drive.path / "Library/d.jpg")
    os.unlink(drive.wait_for("People/Anna/d.jpg"))
    drive.remount()
    drive.wait_for("People/Ben/d.jpg")
    assert "d.jpg" not in drive.names("People/Anna")
    shutil.copy2(drive.path / "Library/d.jpg", drive.path / "Library/twin.jpg")  # the same bytes once more
    drive.wait_sealed(20)
    assert drive.names("People/Anna") == []


def test_drag_from_dates_to_an_album_adds_and_takes_nothing_away(drive, photo):
    shutil.copy2(photo("m.jpg", date=DATE), drive.path / "Library/m.jpg")
    drive.wait_for("Dates/2023/07/m.jpg")
    (drive.path / "Albums/Trip").mkdir()
    subprocess.run(["mv", drive.path / "Dates/2023/07/m.jpg", drive.path / "Albums/Trip/"], check=True)
    assert drive.names("Albums/Trip") == ["m.jpg"]
    drive.wait_for("Dates/2023/07/m.jpg")
    assert (drive.path / "Library/m.jpg").exists()


def test_same_names_from_different_folders_get_stable_numbers(drive, photo):
    for number, folder in enumerate(("a", "b", "c")):
        (drive.path / "Library" / folder).mkdir()
        shutil.copy2(photo(f"x{number}.jpg", date=DATE), drive.path / "Library" / folder / "IMG_1.jpg")
        wait_until(lambda n=number: len(drive.names("Dates/2023/07")) == n + 1
                   if (drive.path / "Dates/2023/07").exists() else False, 20, "row")
    assert drive.names("Dates/2023/07") == ["IMG_1 (2).jpg", "IMG_1 (3).jpg", "IMG_1.jpg"]
    before = {n: (drive.path / "Dates/2023/07" / n).stat().st_ino for n in drive.names("Dates/2023/07")}
    drive.remount()
    assert before == {n: (drive.path / "Dates/2023/07" / n).stat().st_ino for n in drive.names("Dates/2023/07")}


def test_twin_costs_no_second_object_and_no_second_upload(drive, photo):
    made = photo("t.jpg", date=DATE)
    shutil.copy2(made, drive.path / "Library/t.jpg")
    drive.wait_for("Dates/2023/07/t.jpg")
    shutil.copy2(made, drive.path / "Library/other.jpg")
    drive.backed_up()
    stored = [p for p in drive.remote.rglob("*.jpg")]
    assert len(stored) == 1
    assert (drive.path / "Library/t.jpg").stat().st_ino != (drive.path / "Library/other.jpg").stat().st_ino
    assert len(drive.names("Dates/2023/07")) == 1


def test_moving_a_day_restates_the_date(drive, photo):
    shutil.copy2(photo("w.jpg", date=DATE), drive.path / "Library/w.jpg")
    drive.wait_for("Dates/2023/07/w.jpg")
    os.makedirs(drive.path / "Dates/1999/12", exist_ok=True)
    os.rename(drive.path / "Dates/2023/07/w.jpg", drive.path / "Dates/1999/12/w.jpg")
    drive.wait_gone("Dates/2023/07/w.jpg")
    drive.remount()
    assert (drive.path / "Dates/1999/12/w.jpg").exists()


def test_only_real_dates_can_be_made(drive):
    os.makedirs(drive.path / "Dates/2001/02")
    for name in ("soon", "2001/13", "0000"):
        raises(errno.EPERM, lambda name=name: os.mkdir(drive.path / "Dates" / name))


def test_removing_from_dates_trashes_and_restoring_brings_all_names_back(drive, photo):
    (drive.path / "Albums/Trip").mkdir()
    shutil.copy2(photo("r.jpg", date=DATE), drive.path / "Albums/Trip/r.jpg")
    drive.wait_for("Library/2023/07/r.jpg")
    os.unlink(drive.path / "Dates/2023/07/r.jpg")
    for name in ("Library/2023/07/r.jpg", "Albums/Trip/r.jpg", "Dates/2023/07/r.jpg"):
        assert not (drive.path / name).exists(), name
    assert drive.names("Trash") == ["r.jpg"]
    drive.run("trash", "restore", drive.path / "Trash/r.jpg")
    for name in ("Library/2023/07/r.jpg", "Albums/Trip/r.jpg", "Dates/2023/07/r.jpg"):
        drive.wait_for(name)


def test_albums_nest_and_rename_with_what_they_hold(drive, photo):
    os.makedirs(drive.path / "Albums/Italy/Rome")
    shutil.copy2(photo("n.jpg", date=DATE), drive.path / "Albums/Italy/Rome/n.jpg")
    drive.wait_for("Library/2023/07/n.jpg")
    os.rename(drive.path / "Albums/Italy", drive.path / "Albums/Italia")
    assert drive.names("Albums/Italia/Rome") == ["n.jpg"]
    drive.remount()
    assert drive.names("Albums/Italia/Rome") == ["n.jpg"]
    assert "Italia/Rome" in os.getxattr(drive.path / "Library/2023/07/n.jpg", "user.shoebox.albums").decode()
    raises(errno.ENOTEMPTY, lambda: os.rmdir(drive.path / "Albums/Italia"))


def test_renaming_and_merging_persons(drive, photo):
    for name, people in (("1.jpg", ["Ana"]), ("2.jpg", ["Anna"])):
        shutil.copy2(photo(name, date=DATE, people=people), drive.path / "Library" / name)
    drive.wait_for("People/Ana/1.jpg")
    drive.wait_for("People/Anna/2.jpg")
    os.rename(drive.path / "People/Ana/1.jpg", drive.path / "People/Anna/1.jpg")
    assert drive.names("People/Anna") == ["1.jpg", "2.jpg"]
    os.rename(drive.path / "People/Anna", drive.path / "People/Anna Schmidt")
    drive.remount()
    assert drive.names("People/Anna Schmidt") == ["1.jpg", "2.jpg"]


def test_folders_do_not_move_between_views(drive):
    (drive.path / "Albums/Trip").mkdir()
    (drive.path / "Library/dir").mkdir()
    raises(errno.EPERM, lambda: os.rename(drive.path / "Albums/Trip", drive.path / "People/Trip"))
    raises(errno.EPERM, lambda: os.rename(drive.path / "Library/dir", drive.path / "Albums/dir"))
    raises(errno.EPERM, lambda: os.mkdir(drive.path / "Something"))
    raises(errno.EPERM, lambda: (drive.path / "file").write_bytes(b""))


def test_editor_that_saves_by_temp_and_rename_keeps_album_and_person(drive, photo):
    (drive.path / "Albums/Trip").mkdir()
    shutil.copy2(photo("e.jpg", date=DATE, people=["Anna"]), drive.path / "Albums/Trip/e.jpg")
    drive.wait_for("Library/2023/07/e.jpg")
    edited = photo("edited.jpg", date=DATE, people=["Anna"])
    shutil.copy2(edited, drive.path / "Library/2023/07/.goutputstream-ABC123")
    os.rename(drive.path / "Library/2023/07/.goutputstream-ABC123", drive.path / "Library/2023/07/e.jpg")
    for name in ("Library/2023/07/e.jpg", "Albums/Trip/e.jpg", "People/Anna/e.jpg", "Dates/2023/07/e.jpg"):
        wait_until(lambda name=name: (drive.path / name).exists() and sha256(drive.path / name) == sha256(edited),
                   20, f"the new bytes at {name}")


def test_exiftool_edits_in_place_in_an_album(drive, photo):
    (drive.path / "Albums/Trip").mkdir()
    shutil.copy2(photo("x.jpg", date=DATE), drive.path / "Albums/Trip/x.jpg")
    drive.wait_for("Library/2023/07/x.jpg")
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-DateTimeOriginal=2010:01:02 03:04:05",
                    drive.path / "Albums/Trip/x.jpg"], check=True)
    drive.wait_for("Dates/2010/01/x.jpg")
    drive.wait_gone("Dates/2023/07/x.jpg")
    assert drive.names("Albums/Trip") == ["x.jpg"]


def test_dates_from_file_names_and_mtime(drive, photo):
    for name in ("IMG_20210304_050607.jpg", "WhatsApp Image 2020-02-03 at 04.05.06.jpg"):
        shutil.copy2(photo(name), drive.path / "Library" / name)
    plain = photo("plain.jpg")
    os.utime(plain, (1_000_000_000, 1_000_000_000))
    shutil.copy2(plain, drive.path / "Library/plain.jpg")
    arrived = photo("arrived.jpg")
    shutil.copyfile(arrived, drive.path / "Library/arrived.jpg")
    drive.wait_for("Dates/2021/03/IMG_20210304_050607.jpg")
    drive.wait_for("Dates/2020/02/WhatsApp Image 2020-02-03 at 04.05.06.jpg")
    drive.wait_for("Dates/2001/09/plain.jpg")
    drive.wait_for("Dates/Unknown/arrived.jpg")
    os.utime(drive.path / "Library/plain.jpg", (1_200_000_000, 1_200_000_000))
    drive.wait_for("Dates/2008/01/plain.jpg")
    drive.wait_gone("Dates/2001/09/plain.jpg")


def test_junk_stays_where_it_was_written_and_is_not_sent(drive):
    (drive.path / "Albums/Trip").mkdir()
    for name in (".DS_Store", "Thumbs.db", "._x.jpg", "half.jpg.part", "y.crdownload"):
        (drive.path / "Albums/Trip" / name).write_bytes(b"junk")
    (drive.path / "Library/.hidden").write_bytes(b"junk")
    (drive.path / "Library/real.txt").write_bytes(b"text")
    drive.backed_up()
    sent = [p.name for p in drive.remote.rglob("*") if p.is_file() and ".shoebox" not in p.parts]
    assert sent == ["real.txt"]
    assert len(drive.names("Albums/Trip")) == 5


def test_rename_over_another_photo_in_an_album_is_refused(drive, photo):
    (drive.path / "Albums/Trip").mkdir()
    for name in ("1.jpg", "2.jpg"):
        shutil.copy2(photo(name, date=DATE), drive.path / "Albums/Trip" / name)
        drive.wait_for(f"Library/2023/07/{name}")
    raises(errno.EEXIST, lambda: os.rename(drive.path / "Albums/Trip/1.jpg", drive.path / "Albums/Trip/2.jpg"))
    assert drive.names("Albums/Trip") == ["1.jpg", "2.jpg"]


def test_views_agree_after_kill(drive, made_photos):
    (drive.path / "Albums/All").mkdir()
    for source in made_photos.glob("*.jpg"):
        shutil.copy2(source, drive.path / "Albums/All")
    wait_until(lambda: sum(len(f) for _, _, f in os.walk(drive.path / "Library")) == 24, 60, "homes")
    drive.kill()
    drive.mount()
    wait_until(lambda: sum(len(f) for _, _, f in os.walk(drive.path / "Dates")) == 24, 60, "dates")
    assert len(drive.names("Albums/All")) == 24
    assert drive.run("fsck").returncode == 0


def test_a_date_edited_through_dates_moves_the_photo(drive, photo):
    shutil.copy2(photo("scan.jpg", date="2008:10:05 10:11:12"), drive.path / "Library/scan.jpg")
    drive.wait_for("Dates/2008/10/scan.jpg")
    # Writes a temporary file and renames it over the photo: the name in Dates is one that was given, from then on.
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-AllDates=2011:02:03 10:00:00",
                    str(drive.path / "Dates/2008/10/scan.jpg")], check=True)
    drive.wait_for("Dates/2011/02/scan.jpg")
    drive.wait_gone("Dates/2008")
    assert drive.names("Library") == ["scan.jpg"]
    assert drive.names("Dates") == ["2011"]
