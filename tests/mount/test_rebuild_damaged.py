"""A part of the catalog's backup rotted on the remote: rebuild takes what it lacks from the objects there."""
import hashlib
import json
import os
import shutil

import pytest
from drive import sha256
from test_rebuild import filled, fsck, lose, rebuild  # noqa: F401 (a fixture)
from test_remote_sidecars import set_attribute, settled, state_everything

DATE = "2023:07:14 10:11:12"
SAID = ("user.shoebox.people", "user.shoebox.albums", "user.shoebox.date", "user.shoebox.favorite", "user.xdg.tags",
        "user.xdg.comment", "user.baloo.rating", "user.shoebox.place")


def said(drive, path):
    """All that is said about a photo."""
    standing = os.listxattr(drive.path / path)
    return {name: os.getxattr(drive.path / path, name) for name in SAID if name in standing}


class Backup:
    """The backup of the catalog as it stood at one moment."""

    def __init__(self, drive):
        self.folder = next((drive.remote / ".shoebox/catalog").iterdir())
        self.kept = {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def newest(self):
        """Name and lines of the head that counts."""
        heads = {name: data.decode().splitlines() for name, data in self.kept.items() if name.startswith("head")}
        return max(heads.items(), key=lambda head: int(value_of(head[1], "counter")))

    def put_back(self):
        """It is all that is left: what was sent since is gone."""
        for path in self.folder.iterdir():
            path.unlink()
        for name, data in self.kept.items():
            (self.folder / name).write_bytes(data)
        return self.newest()


def value_of(lines, word):
    """Of the line that begins so."""
    return next(line.split(" ", 1)[1] for line in lines if line.startswith(word + " "))


def lose_a_journal_segment(backup):
    """A head names one more segment than can be read."""
    name, lines = backup.put_back()
    sequence, counter = int(value_of(lines, "sequence")), int(value_of(lines, "counter"))
    segment = f"segment journal {'ab' * 32} 1000 10 {sequence} {sequence + 10} 0"
    lines = [line for line in lines if not line.startswith(("sequence ", "counter ", "sha256 "))]
    at = next(at for at, line in enumerate(lines) if line.startswith("snapshot "))
    lines[at:at] = [f"counter {counter + 1}", f"sequence {sequence + 10}"]
    text = "\n".join([*lines, segment, ""])
    other = "head.1" if name == "head.0" else "head.0"
    (backup.folder / other).write_text(f"{text}sha256 {hashlib.sha256(text.encode()).hexdigest()}\n", encoding="utf-8")


def rot_the_newest_head(backup):
    """What it named is not found by anybody."""
    name, lines = backup.put_back()
    other = "head.1" if name == "head.0" else "head.0"
    (backup.folder / other).write_text("\n".join([*lines, "rotten", ""]), encoding="utf-8")


@pytest.mark.parametrize("damage", [lose_a_journal_segment, rot_the_newest_head])
def test_what_the_catalog_lacks_comes_from_the_objects(filled, photo, damage):  # noqa: F811
    drive = filled
    for name in ("said", "taken-back", "moved", "edited", "trashed", "restored"):
        shutil.copy2(photo(f"{name}.jpg", date=DATE), drive.path / f"Library/{name}.jpg")
    drive.wait_sealed()
    state_everything(drive, "Library/taken-back.jpg")
    state_everything(drive, "Library/moved.jpg")
    os.unlink(drive.path / "Library/restored.jpg")
    settled(drive)
    backup = Backup(drive)

    state_everything(drive, "Library/said.jpg")
    for name in ("user.shoebox.people", "user.shoebox.albums", "user.shoebox.favorite", "user.xdg.tags"):
        os.removexattr(drive.path / "Library/taken-back.jpg", name)
    set_attribute(drive.path / "Library/taken-back.jpg", "user.xdg.comment", "Another")
    shutil.copy2(photo("new.jpg", date=DATE), drive.path / "Library/new.jpg")
    shutil.copy2(photo("silent.jpg", date="2021:02:03 04:05:06"), drive.path / "Library/silent.jpg")
    (drive.path / "Library/note.txt").write_text("dear reader", encoding="utf-8")
    drive.wait_sealed()
    set_attribute(drive.path / "Library/new.jpg", "user.xdg.comment", "New here")
    (drive.path / "Library/folder").mkdir()
    os.rename(drive.path / "Library/moved.jpg", drive.path / "Library/folder/name.jpg")
    shutil.copy2(photo("edited.jpg", date=DATE), drive.path / "Library/edited.jpg")  # of the same size
    os.unlink(drive.path / "Library/trashed.jpg")
    drive.run("trash", "restore", "restored.jpg")
    settled(drive)
    names = drive.names("Library")
    before = {path: said(drive, path) for path in ("Library/said.jpg", "Library/taken-back.jpg", "Library/new.jpg",
                                                   "Library/folder/name.jpg", "Library/edited.jpg")}
    hashes = {path: sha256(drive.path / path) for path in [*before, "Library/restored.jpg", "Library/silent.jpg",
                                                          "Library/note.txt"]}
    trashed = sha256(drive.path / "Trash/trashed.jpg")
    sent = {path: path.stat().st_mtime_ns for path in drive.remote.rglob("*.xmp")}
    lose(drive)
    damage(backup)
    told = json.loads(rebuild(drive, "--json", "--takeover").stdout)
    adopted = told["adopted"]
    assert told["damaged_parts"] == 1 and adopted["failed"] == 0 and adopted["list"] == [], told
    assert (adopted["statements"], adopted["moved"]) == (3, 3), "said, taken back, new; moved, to Trash, from Trash"
    assert (adopted["photos"], adopted["others"], adopted["changed"]) == (3, 1, 1), "new, silent, edited; note"
    assert adopted["received_bytes"] < 2 << 20, "heads and tails"
    assert told["lost"] == []

    drive.mount()
    assert drive.names("Library") == sorted([*names, "trashed.jpg"]), "what went to Trash is back"
    for path, digest in hashes.items():
        assert sha256(drive.path / path) == digest, path
    assert sha256(drive.path / "Library/trashed.jpg") == trashed
    assert {path: said(drive, path) for path in before} == before
    assert "silent.jpg" in drive.names("Dates/2021/02")
    assert "said.jpg" in drive.names("People/Zoë") and "taken-back.jpg" not in drive.names("People/Zoë")
    fsck(drive)
    settled(drive)
    kept = {path: path.stat().st_mtime_ns for path in drive.remote.rglob("*.xmp")}
    for name in ("said.jpg.xmp", "taken-back.jpg.xmp", "folder/name.jpg.xmp"):
        path = drive.remote / "Library" / name
        assert kept[path] == sent[path], f"{name}: was sent already, and is known"
    told = drive.json("verify", "--all")
    assert told["damaged"] == told["missing"] == 0, told
    # The next backup is whole again.
    lose(drive)
    assert "damaged_parts" not in json.loads(rebuild(drive, "--json", "--takeover").stdout)
    drive.mount()
    assert {path: said(drive, path) for path in before} == before
