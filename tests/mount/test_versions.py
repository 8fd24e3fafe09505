"""Older versions of a photo: which there are, where they lie, and bringing them back."""
import os
import shutil

import pytest
from drive import sha256, wait_until
from test_remote_keys import objects, settle


@pytest.fixture
def edited(drive, photo, folder):
    """Library/a.jpg, backed up, edited in place, backed up again: the two files it was made of."""
    first = photo("a.jpg", date="2023:07:14 10:11:12")
    second = folder / "edited.jpg"
    second.write_bytes(first.read_bytes() + b"edited")
    shutil.copy2(first, drive.path / "Library/a.jpg")
    drive.backed_up()
    shutil.copyfile(second, drive.path / "Library/a.jpg")
    settle(drive)
    return first, second


def versions(drive, path="Library/a.jpg"):
    """What `shoebox versions` lists."""
    return drive.json("versions", drive.path / path)["versions"]


def test_versions_are_listed_with_where_they_are(drive, edited):
    first, second = edited
    present, older = versions(drive)
    assert present["current"] and not older["current"]
    assert (present["bytes"], older["bytes"]) == (second.stat().st_size, first.stat().st_size)
    assert older["local"] and older["remotes"] == present["remotes"] == ["default"]
    listing = drive.run("versions", drive.path / "Library/a.jpg").stdout
    assert f"a.jpg@{older['version']}" in listing and "this disk, default" in listing


def test_an_older_version_comes_back_and_the_present_one_stays(drive, edited):
    first, second = edited
    present, older = versions(drive)
    drive.run("restore", f"{drive.path}/Library/a.jpg@{older['version']}")
    assert sha256(drive.path / "Library/a.jpg") == sha256(first)
    assert [v["version"] for v in versions(drive)] == [older["version"], present["version"]]
    drive.run("restore", drive.path / "Library/a.jpg")
    assert sha256(drive.path / "Library/a.jpg") == sha256(second)
    settle(drive)
    assert sha256(drive.remote / "Library/a.jpg") == sha256(second)
    assert objects(drive) == [f".shoebox/versions/Library/a~{sha256(first)[:8]}.jpg", "Library/a.jpg"]
    drive.remount()
    assert sha256(drive.path / "Library/a.jpg") == sha256(second)


def test_a_version_that_comes_back_at_once_is_what_is_read(drive, photo, folder):
    first = photo("first.jpg", date="2023:07:14 10:11:12")
    second = folder / "second.jpg"
    second.write_bytes(first.read_bytes() + b"longer" * 1000)
    target = drive.path / "Library/a.jpg"
    for attempt in range(2):
        shutil.copyfile(first, target)
        drive.wait_for("Dates/2023/07/a.jpg")
        drive.wait_sealed(30)
        # As editors and rsync save: the name is a temporary one until the bytes are complete.
        temporary = drive.path / "Library/.a.jpg.Xy12Za"
        shutil.copyfile(second, temporary)
        os.rename(temporary, target)
        assert sha256(target) == sha256(second)
        drive.run("restore", target)
        assert sha256(target) == sha256(first), attempt
        os.remove(target)


def test_an_evicted_version_comes_back_from_the_remote(drive, edited):
    first, _ = edited
    drive.evict()
    older = versions(drive)[1]
    assert not older["local"]
    drive.run("restore", f"{drive.path}/Library/a.jpg@{older['version']}")
    assert sha256(drive.path / "Library/a.jpg") == sha256(first)
    wait_until(lambda: "a.jpg" in drive.names("Dates/2023/07"), 30, "the photo in Dates")


def test_what_was_removed_comes_back_by_its_path(drive, edited):
    _, second = edited
    os.remove(drive.path / "Library/a.jpg")
    listed = versions(drive)
    assert listed[0]["trashed"]
    drive.run("restore", drive.path / "Library/a.jpg")
    assert sha256(drive.path / "Library/a.jpg") == sha256(second)


def test_what_cannot_be_restored_is_said(drive, edited):
    done = drive.run("restore", f"{drive.path}/Library/a.jpg@999999", check=False)
    assert done.returncode != 0 and "no version 999999" in done.stderr
    done = drive.run("restore", drive.path / "Library/never.jpg", check=False)
    assert done.returncode != 0 and "nor in Trash" in done.stderr
    older = versions(drive)[1]["version"]
    with open(drive.path / "Library/a.jpg", "rb"):
        done = drive.run("restore", f"{drive.path}/Library/a.jpg@{older}", check=False)
        assert done.returncode != 0 and "open" in done.stderr
