"""Fixtures of the mount tests."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from drive import PHOTOS, Drive, remove_tree  # noqa: E402

MAKE_PHOTOS = Path(__file__).parents[2] / "packaging" / "make-photos"


def pytest_sessionstart(session):
    """Without FUSE there is nothing to test here."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        print("skipped: /dev/fuse cannot be opened")
        pytest.exit("skipped: /dev/fuse cannot be opened", 77)


@pytest.fixture
def folder():
    """A folder of its own for one test."""
    path = Path(tempfile.mkdtemp(prefix="shoebox-test-"))
    yield path
    remove_tree(path)


@pytest.fixture
def loop_disk(folder):
    """Makes a small disk of its own, of so many MiB; its path. Ask for it before drives, which are closed first."""
    disk = folder / "disk"

    def make(size_mib):
        with open(folder / "disk.img", "wb") as file:
            file.truncate(size_mib << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(folder / "disk.img")], check=True)
        disk.mkdir()
        if subprocess.run(["mount", "-o", "loop", str(folder / "disk.img"), str(disk)], check=False,
                          capture_output=True).returncode:
            pytest.skip("loop devices cannot be mounted here")
        return disk
    yield make
    if disk.is_mount():
        subprocess.run(["umount", str(disk)], check=False)


@pytest.fixture
def make_drive(folder):
    """Makes drives that are closed after the test, whatever happens."""
    drives = []

    def make(name="drive", **options):
        drives.append(Drive(folder / name, **options))
        return drives[-1]
    yield make
    for one in reversed(drives):
        one.close()


@pytest.fixture
def drive(make_drive):
    """A mounted drive with a directory remote."""
    return make_drive().mount()


@pytest.fixture(scope="session")
def made_photos():
    """A folder of 24 photos with dates, places and people, made on the spot."""
    path = Path(tempfile.mkdtemp(prefix="shoebox-made-"))
    subprocess.run([str(MAKE_PHOTOS), str(path), "24"], check=True)
    yield path
    remove_tree(path)


@pytest.fixture
def photo(made_photos, folder):
    """Makes a photo with its own bytes: photo("a.jpg", date="2023:07:14 10:11:12", people=["Anna"])."""
    made = 0

    def make(name="photo.jpg", date=None, people=(), into=None):
        nonlocal made
        made += 1
        path = (into or folder) / name
        shutil.copy(sorted(made_photos.glob("*.jpg"))[0], path)
        tags = ["-all=", f"-UserComment=number {made} {name}"]
        if date:
            tags.append(f"-DateTimeOriginal={date}")
        regions = ",".join("{Area={X=0.5,Y=0.5,W=0.1,H=0.1,Unit=normalized},Name=%s,Type=Face}" % p for p in people)
        if people:
            tags.append("-RegionInfo={AppliedToDimensions={W=9,H=9,Unit=pixel},RegionList=[%s]}" % regions)
        subprocess.run(["exiftool", "-q", "-overwrite_original", *tags, str(path)], check=True)
        return path
    return make


@pytest.fixture(scope="session")
def manifest():
    """What ExifTool says of each photo of the set, by path; skips where the set is absent."""
    listing = PHOTOS / "MANIFEST.jsonl"
    if not listing.exists():
        pytest.skip(f"the photo set is not at {PHOTOS}")
    rows = [json.loads(line) for line in listing.read_text(encoding="utf-8").splitlines()]
    return {row["path"]: row for row in rows}
