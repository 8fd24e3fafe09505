"""XMP sidecars of what the owner said, as they stand beside the originals on a remote."""
import json
import os
import shutil
import subprocess

from drive import wait_until
from test_rebuild import lose, rebuild

DATE = "2023:07:14 10:11:12"


def set_attribute(path, name, value):
    os.setxattr(path, name, value.encode())


def settled(drive):
    """Until all is on the remote and in its place."""
    drive.backed_up()
    wait_until(lambda: drive.status()["remotes"][0]["tidying"] == 0, 60, "the remote's keys")


def sidecar(drive, key):
    """What ExifTool reads in this sidecar on the remote."""
    read = subprocess.run(["exiftool", "-j", "-G1", "-struct", str(drive.remote / key)], check=True,
                          capture_output=True)
    return json.loads(read.stdout)[0]


def sidecars(drive):
    """Keys of all sidecars on the remote."""
    return sorted(p.relative_to(drive.remote).as_posix() for p in drive.remote.rglob("*.xmp"))


def listed(value):
    return sorted(value if isinstance(value, list) else [value])


def state_everything(drive, path):
    """Says all that can be said about the photo at this path below the mount point."""
    (drive.path / "Albums/Trip").mkdir(exist_ok=True)
    set_attribute(drive.path / path, "user.shoebox.people", "Anna\nZoë")
    set_attribute(drive.path / path, "user.shoebox.albums", "Trip")
    set_attribute(drive.path / path, "user.shoebox.date", "1999-12")
    set_attribute(drive.path / path, "user.shoebox.favorite", "1")
    set_attribute(drive.path / path, "user.xdg.tags", "beach,sun")
    set_attribute(drive.path / path, "user.xdg.comment", "At the sea")
    set_attribute(drive.path / path, "user.baloo.rating", "8")
    set_attribute(drive.path / path, "user.shoebox.place", "Italy/Toscana/Arezzo")


def test_what_was_said_stands_beside_the_original_for_exiftool(drive, photo):
    shutil.copy2(photo("a.jpg", date=DATE, people=["Anna", "Ben"]), drive.path / "Library/a.jpg")
    shutil.copy2(photo("b.jpg", date=DATE), drive.path / "Library/b.jpg")
    drive.wait_for("People/Ben/a.jpg")
    before = (drive.path / "Library/a.jpg").read_bytes()
    state_everything(drive, "Library/a.jpg")
    settled(drive)
    assert sidecars(drive) == ["Library/a.jpg.xmp"]
    said = sidecar(drive, "Library/a.jpg.xmp")
    assert listed(said["XMP-iptcExt:PersonInImage"]) == ["Zoë"]  # that Anna is there the file says itself
    assert listed(said["XMP-dc:Subject"]) == ["beach", "sun"]
    assert listed(said["XMP-digiKam:TagsList"]) == ["People/Zoë", "beach", "sun"]
    assert said["XMP-dc:Description"] == "At the sea"
    assert said["XMP-xmp:Rating"] == 4
    assert said["XMP-exif:DateTimeOriginal"] == "1999:12"
    assert (said["XMP-photoshop:Country"], said["XMP-photoshop:State"], said["XMP-photoshop:City"]) == (
        "Italy", "Toscana", "Arezzo")
    text = (drive.remote / "Library/a.jpg.xmp").read_text(encoding="utf-8")
    assert "<shoebox:Favorite>True</shoebox:Favorite>" in text
    assert "Ben" in text.split("shoebox:DeniedPeople")[1]
    assert "Trip" in text.split("shoebox:Albums")[1]
    assert (drive.remote / "Library/a.jpg").read_bytes() == before


def test_a_sidecar_follows_renames_trash_and_what_is_taken_back(drive, photo):
    shutil.copy2(photo("a.jpg", date=DATE), drive.path / "Library/a.jpg")
    drive.wait_for("Dates/2023/07/a.jpg")
    set_attribute(drive.path / "Library/a.jpg", "user.xdg.comment", "one")
    settled(drive)
    assert sidecars(drive) == ["Library/a.jpg.xmp"]
    (drive.path / "Library/2020").mkdir()
    os.rename(drive.path / "Library/a.jpg", drive.path / "Library/2020/b.jpg")
    set_attribute(drive.path / "Library/2020/b.jpg", "user.xdg.comment", "two")
    settled(drive)
    assert sidecars(drive) == ["Library/2020/b.jpg.xmp"]
    assert sidecar(drive, "Library/2020/b.jpg.xmp")["XMP-dc:Description"] == "two"
    (drive.path / "Library/2020/b.jpg").unlink()
    settled(drive)
    assert not [key for key in sidecars(drive) if key.startswith("Library/")]
    os.rename(drive.path / "Trash" / drive.names("Trash")[0], drive.path / "Library/back.jpg")
    settled(drive)
    assert sidecars(drive) == ["Library/back.jpg.xmp"]
    assert sidecar(drive, "Library/back.jpg.xmp")["XMP-dc:Description"] == "two"
    os.removexattr(drive.path / "Library/back.jpg", "user.xdg.comment")
    settled(drive)
    assert not sidecars(drive)


def test_the_owners_own_sidecar_is_never_touched(drive, photo):
    shutil.copy2(photo("a.jpg", date=DATE), drive.path / "Library/a.jpg")
    drive.wait_for("Dates/2023/07/a.jpg")
    set_attribute(drive.path / "Library/a.jpg", "user.xdg.comment", "mine")
    settled(drive)
    own = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
    (drive.path / "Library/a.jpg.xmp").write_bytes(own)
    settled(drive)
    set_attribute(drive.path / "Library/a.jpg", "user.xdg.comment", "mine again")
    settled(drive)
    assert (drive.remote / "Library/a.jpg.xmp").read_bytes() == own
    assert sidecar(drive, ".shoebox/sidecars/Library/a.jpg.xmp")["XMP-dc:Description"] == "mine again"
    assert not list((drive.remote / ".shoebox/versions").rglob("*")), "ours was no version of theirs"


def test_what_was_said_during_a_pause_survives_a_kill_and_a_rebuilt_library_knows_its_sidecars(drive, photo):
    shutil.copy2(photo("a.jpg", date=DATE), drive.path / "Library/a.jpg")
    drive.wait_for("Dates/2023/07/a.jpg")
    drive.backed_up()
    drive.run("backup", "pause")
    set_attribute(drive.path / "Library/a.jpg", "user.xdg.comment", "said in a tunnel")
    wait_until(lambda: drive.status()["remotes"][0]["sidecars"] == 1, 30, "the count")
    drive.kill()
    drive.mount()
    assert not sidecars(drive)
    drive.run("backup", "resume")
    settled(drive)
    assert sidecar(drive, "Library/a.jpg.xmp")["XMP-dc:Description"] == "said in a tunnel"
    lose(drive)
    rebuild(drive)
    drive.mount()
    set_attribute(drive.path / "Library/a.jpg", "user.xdg.comment", "said after it")
    settled(drive)
    assert sidecars(drive) == ["Library/a.jpg.xmp"]
    assert sidecar(drive, "Library/a.jpg.xmp")["XMP-dc:Description"] == "said after it"
