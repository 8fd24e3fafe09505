"""Leaving costs one command: plain folders with everything, compared, resumable, nothing replaced."""
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from drive import sha256, spoil


def tree(folder):
    """Relative path -> (bytes' hash, mtime in ns, mode) of all files below."""
    files = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file() and not path.is_symlink():
            stat = path.stat()
            files[str(path.relative_to(folder))] = (sha256(path), stat.st_mtime_ns, stat.st_mode)
    return files


@pytest.fixture
def filled(drive):
    """A drive with odd names, times, links and an album."""
    library = drive.path / "Library"
    (library / "2023/ümläut and space").mkdir(parents=True)
    for number, name in enumerate(["2023/a.jpg", "2023/ümläut and space/b \n x.txt", "empty.txt", "big.bin"]):
        path = library / name
        path.write_bytes(os.urandom([70_000, 5, 0, 3_000_000][number]))
        os.chmod(path, 0o640)
        os.utime(path, ns=(1_000_000_000_000_000_000, 1_600_000_000_123_456_789))
    os.link(library / "2023/a.jpg", library / "2023/second name.jpg")
    os.symlink("2023/a.jpg", library / "link")
    os.setxattr(library / "2023/a.jpg", "user.xdg.tags", b"beach,sun")
    os.setxattr(library / "2023/a.jpg", "user.note", b"kept")
    os.utime(library / "2023", ns=(0, 1_500_000_000_000_000_000))
    return drive


def test_everything_is_there_and_the_same(filled, folder):
    out = folder / "out"
    said = filled.json("export", out)
    assert (said["failed"], said["skipped"], said["linked"]) == (0, 0, 1)
    assert tree(out / "Library") == tree(filled.path / "Library")
    assert os.readlink(out / "Library/link") == "2023/a.jpg"
    assert (out / "Library/2023/a.jpg").stat().st_ino == (out / "Library/2023/second name.jpg").stat().st_ino
    assert os.getxattr(out / "Library/2023/a.jpg", "user.note") == b"kept"
    assert (out / "Library/2023").stat().st_mtime_ns == 1_500_000_000_000_000_000
    assert not list(out.rglob(".shoebox-export-*"))


def test_a_second_run_copies_nothing_and_heals_what_is_missing(filled, folder):
    out = folder / "out"
    filled.json("export", out)
    before = tree(out)
    assert filled.json("export", out)["copied"] == 0
    (out / "Library/big.bin").unlink()
    assert filled.json("export", out)["copied"] == 1
    assert tree(out) == before


def test_nothing_of_the_destination_is_replaced(filled, folder):
    out = folder / "out"
    (out / "Library/2023").mkdir(parents=True)
    (out / "Library/2023/a.jpg").write_bytes(b"somebody's")
    done = filled.run("export", out, "--json", check=False)
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert said["failed"] >= 1 and any(entry["path"] == "Library/2023/a.jpg" for entry in said["list"])
    assert (out / "Library/2023/a.jpg").read_bytes() == b"somebody's"
    assert (out / "Library/big.bin").stat().st_size == 3_000_000


def test_evicted_originals_come_along(filled, folder):
    filled.backed_up()
    filled.evict()
    assert filled.state("Library/big.bin") == "remote"
    out = folder / "out"
    assert filled.json("export", out)["failed"] == 0
    assert tree(out / "Library") == tree(filled.path / "Library")


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_sidecars_tell_other_programs_what_was_said(filled, folder):
    album = filled.path / "Albums/Trip"
    album.mkdir()
    os.link(filled.path / "Library/2023/a.jpg", album / "a.jpg")
    person = filled.path / "People/Anna"
    person.mkdir()
    os.link(filled.path / "Library/2023/a.jpg", person / "a.jpg")
    out = folder / "out"
    said = filled.json("export", out, "--view", "Library", "--view", "Albums", "--with-sidecars")
    assert said["failed"] == 0 and said["sidecars"] >= 2
    assert (out / "Albums/Trip/a.jpg").stat().st_ino == (out / "Library/2023/a.jpg").stat().st_ino
    seen = json.loads(subprocess.run(["exiftool", "-json", "-XMP:all", str(out / "Library/2023/a.jpg.xmp")],
                                     capture_output=True, check=True).stdout)[0]
    assert seen["PersonInImage"] == "Anna"
    assert seen["Subject"] == ["beach", "sun"]
    assert "People/Anna" in seen["TagsList"]
    assert not (out / "Library/empty.txt.xmp").exists()


def test_bad_destinations_are_refused(filled, folder):
    for bad in [filled.path / "Library/out", filled.library / "out"]:
        done = filled.run("export", bad, check=False)
        assert done.returncode == 1 and "in the library itself" in done.stderr
    file = folder / "file"
    file.write_text("x")
    done = filled.run("export", file, check=False)
    assert done.returncode == 1 and "not a folder" in done.stderr
    done = filled.run("export", folder / "o", "--view", "Nowhere", check=False)
    assert done.returncode == 1 and "Nowhere" in done.stderr


def test_what_the_disk_spoiled_is_copied_and_told(make_drive, folder):
    drive = make_drive(remotes=[]).mount()
    (drive.path / "Library/good.mp4").write_bytes(b"good" * 1000)
    (drive.path / "Library/bad.mp4").write_bytes(b"fine" * 1000)
    drive.wait_sealed()
    spoil(drive, b"fine")
    out = folder / "out"
    for _ in range(2):  # also where it stands already
        done = drive.run("export", out, "--json", check=False)
        assert done.returncode == 1, done.stderr
        said = json.loads(done.stdout)
        assert (said["damaged"], said["failed"]) == (1, 0)
        assert [entry["path"] for entry in said["list"]] == ["Library/bad.mp4"]
        assert (out / "Library/bad.mp4").read_bytes() == b"spoi" + b"fine" * 999
        assert (out / "Library/good.mp4").read_bytes() == b"good" * 1000
