"""Extended attributes of photos, in the spellings of desktops and our own: on every name, for good."""
import errno
import os
import shutil
import subprocess

import pytest
from drive import wait_until

DATE = "2023:07:14 10:11:12"
SHARED = {"user.xdg.tags": "beach,sun", "user.xdg.comment": "At the sea ☀", "user.baloo.rating": "8"}


def get(path, name):
    return os.getxattr(path, name).decode()


@pytest.fixture
def names(drive, photo):
    """A photo that shows under four names."""
    shutil.copy2(photo("a.jpg", date=DATE, people=["Anna"]), drive.path / "Library/a.jpg")
    (drive.path / "Albums/Trip").mkdir()
    os.link(drive.wait_for("Dates/2023/07/a.jpg"), drive.path / "Albums/Trip/a.jpg")
    return [drive.path / p for p in ("Library/a.jpg", "Dates/2023/07/a.jpg", "People/Anna/a.jpg", "Albums/Trip/a.jpg")]


def test_tags_comment_and_rating_stand_on_every_name_and_survive(drive, names):
    for (attribute, value), path in zip(SHARED.items(), names[1:], strict=True):  # each set by another name
        os.setxattr(path, attribute, value.encode())
    shutil.copyfile(names[0], drive.path / "Library/twin.jpg")
    drive.wait_sealed(20)
    everywhere = [*names, drive.path / "Library/twin.jpg"]

    def check():
        for path in everywhere:
            assert {attribute: get(path, attribute) for attribute in SHARED} == SHARED, path
    wait_until(lambda: "user.xdg.tags" in os.listxattr(everywhere[-1]), 20, "the twin is found")
    check()
    drive.remount()
    check()
    drive.kill()
    drive.mount()
    check()


def test_attributes_stay_when_an_editor_replaces_the_photo(drive, names, photo):
    for attribute, value in SHARED.items():
        os.setxattr(names[0], attribute, value.encode())
    os.setxattr(names[0], "user.shoebox.favorite", b"1")
    edited = drive.path / "Library/.a.jpg.a8Xk2Q"
    shutil.copyfile(photo("edited.jpg", date=DATE, people=["Anna"]), edited)
    os.rename(edited, drive.path / "Library/a.jpg")
    for attribute, value in SHARED.items():
        assert get(names[0], attribute) == value
        assert get(names[3], attribute) == value
    assert get(names[3], "user.shoebox.favorite") == "1"


def test_people_albums_date_and_favorite_can_be_said_by_attributes(drive, names):
    os.setxattr(names[1], "user.shoebox.people", "Ben\nZoë".encode())
    drive.wait_for("People/Zoë/a.jpg", 5)
    drive.wait_gone("People/Anna/a.jpg", 5)
    os.setxattr(names[0], "user.shoebox.albums", b"Home/Day 1")
    drive.wait_for("Albums/Home/Day 1/a.jpg", 5)
    drive.wait_gone("Albums/Trip/a.jpg", 5)
    os.setxattr(names[0], "user.shoebox.date", b"1999-12-31")
    drive.wait_for("Dates/1999/12/a.jpg", 5)
    os.setxattr(names[0], "user.shoebox.favorite", b"1")
    drive.remount()
    shown = drive.path / "Dates/1999/12/a.jpg"
    assert get(shown, "user.shoebox.people") == "Ben\nZoë"
    assert get(shown, "user.shoebox.albums") == "Home/Day 1"
    assert get(shown, "user.shoebox.favorite") == "1"
    os.removexattr(shown, "user.shoebox.date")
    drive.wait_for("Dates/2023/07/a.jpg", 5)
    with pytest.raises(OSError) as caught:
        os.setxattr(names[0], "user.shoebox.sha256", b"0")
    assert caught.value.errno == errno.EPERM
    assert drive.run("fsck").returncode == 0


def test_what_a_file_says_of_itself_is_answered_and_not_listed(drive, folder, photo):
    made = photo("s.jpg", date=DATE)
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-dc:Subject=beach", "-XMP-xmp:Rating=3",
                    "-XMP-dc:Description=At the sea", str(made)], check=True)
    shutil.copy2(made, drive.path / "Library/s.jpg")
    shown = drive.wait_for("Dates/2023/07/s.jpg")
    assert get(shown, "user.xdg.tags") == "beach"
    assert get(shown, "user.xdg.comment") == "At the sea"
    assert get(shown, "user.baloo.rating") == "6"
    assert os.listxattr(shown) == []
    again = subprocess.run(["rsync", "-aX", "--itemize-changes", "--delete", f"{folder}/s.jpg", f"{drive.path}/Library/"],
                           check=True, capture_output=True, text=True)
    assert again.stdout == ""


def test_a_place_is_what_was_said_else_what_the_file_says(drive, names, photo):
    def place(path):
        try:
            return get(path, "user.shoebox.place")
        except OSError as error:
            assert error.errno == errno.ENODATA
            return None
    assert place(names[0]) is None
    made = photo("p.jpg", date=DATE)
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-GPSLatitude=43.4674483", "-GPSLatitudeRef=N",
                    "-GPSLongitude=11.8851264", "-GPSLongitudeRef=E", str(made)], check=True)
    shutil.copy2(made, drive.path / "Library/p.jpg")
    shown = drive.wait_for("Dates/2023/07/p.jpg")
    assert place(shown) == "43.467448, 11.885126"
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-photoshop:Country=Italy", "-IPTC:City=Arezzo",
                    "-XMP-photoshop:State=Toscana", str(made)], check=True)
    shutil.copy2(made, drive.path / "Library/p.jpg")
    wait_until(lambda: place(drive.path / "Library/p.jpg") == "Italy/Toscana/Arezzo", 20, "the names")
    os.setxattr(names[1], "user.shoebox.place", b"Italy / Rome\n")
    drive.remount()
    assert [place(path) for path in names] == ["Italy/Rome"] * 4
    os.setxattr(drive.path / "Library/p.jpg", "user.shoebox.place", b"")
    assert place(drive.path / "Library/p.jpg") is None
    os.removexattr(drive.path / "Library/p.jpg", "user.shoebox.place")
    assert place(drive.path / "Library/p.jpg") == "Italy/Toscana/Arezzo"
    for bad in (b"a/b/c/d/e", b"91, 0", b"/"):
        with pytest.raises(OSError) as caught:
            os.setxattr(names[0], "user.shoebox.place", bad)
        assert caught.value.errno == errno.EINVAL
    assert os.listxattr(names[0]) == []


def test_a_place_goes_with_an_export_and_is_read_from_its_sidecar(drive, names, folder, photo):
    os.setxattr(names[0], "user.shoebox.place", "Germany/Hessen/Frankfurt／Main/Römer".encode())
    drive.run("export", folder / "out", "--with-sidecars")
    read = subprocess.run(["exiftool", "-s3", "-Country", "-State", "-City", "-Location",
                           str(folder / "out/Library/a.jpg.xmp")], check=True, capture_output=True, text=True)
    assert read.stdout.splitlines() == ["Germany", "Hessen", "Frankfurt/Main", "Römer"]
    os.setxattr(names[0], "user.shoebox.place", b"-34.5, 18.25")
    drive.run("export", folder / "again", "--with-sidecars")
    read = subprocess.run(["exiftool", "-s3", "-n", "-GPSLatitude", "-GPSLongitude",
                           str(folder / "again/Library/a.jpg.xmp")], check=True, capture_output=True, text=True)
    assert [round(float(line), 6) for line in read.stdout.splitlines()] == [-34.5, 18.25]
    shutil.copy2(photo("other.jpg", date=DATE), drive.path / "Library/other.jpg")
    shutil.copy2(folder / "out/Library/a.jpg.xmp", drive.path / "Library/other.jpg.xmp")
    drive.wait_for("Dates/2023/07/other.jpg")

    def told():
        try:
            return get(drive.path / "Library/other.jpg", "user.shoebox.place")
        except OSError:
            return None
    wait_until(lambda: told() == "Germany/Hessen/Frankfurt／Main/Römer", 20, "the sidecar's place")


def test_a_renamed_person_stays_renamed_for_new_photos(drive, photo):
    shutil.copy2(photo("a.jpg", date=DATE, people=["Ana"]), drive.path / "Library/a.jpg")
    drive.wait_for("People/Ana/a.jpg")
    os.rename(drive.path / "People/Ana", drive.path / "People/Anna")
    drive.remount()
    shutil.copy2(photo("b.jpg", date=DATE, people=["Ana"]), drive.path / "Library/b.jpg")
    drive.wait_for("People/Anna/b.jpg")
    assert drive.names("People") == ["Anna"]



def test_what_is_no_rating_is_refused(names):
    for bad in (b"abc", b"11", b"-1", b""):
        with pytest.raises(OSError) as caught:
            os.setxattr(names[0], "user.baloo.rating", bad)
        assert caught.value.errno == errno.EINVAL
    os.setxattr(names[0], "user.baloo.rating", b"10")
    assert get(names[1], "user.baloo.rating") == "10"
