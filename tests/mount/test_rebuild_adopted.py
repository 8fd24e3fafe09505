"""A library that adopted what stood on its remote comes back from there, also without a copy of the catalog."""
import os
import shutil

from drive import sha256
from test_adopt import adopt, everything, pictures  # noqa: F401 a fixture
from test_rebuild import files_below, fsck, lose, rebuild


def files_of(drive):
    """The bytes of each file in Library, by path."""
    return {path: sha256(drive.path / "Library" / path) for path in files_below(drive.path / "Library")}


def test_what_was_adopted_comes_back_from_keys_and_sidecars_too(make_drive, pictures):  # noqa: F811
    drive = make_drive()
    adopt(drive, f"file://{pictures}")
    drive.mount()
    os.setxattr(drive.path / "Library/large0.jpg", "user.xdg.comment", b"said of an adopted one")
    os.setxattr(drive.path / "Library/2023/anna.jpg", "user.xdg.comment", b"with a sidecar of their own")
    (drive.path / "Library/new.txt").write_text("sent by the library", encoding="utf-8")
    drive.backed_up()
    before = files_of(drive)
    drive.backed_up()  # reading them whole recorded their hashes
    stood = everything(pictures)
    drive.remote = pictures
    lose(drive)
    shutil.rmtree(pictures / ".shoebox/catalog")
    rebuild(drive)
    drive.mount()
    drive.wait_sealed()
    assert files_of(drive) == before
    assert os.getxattr(drive.path / "Library/large0.jpg", "user.xdg.comment") == b"said of an adopted one"
    assert os.getxattr(drive.path / "Library/2023/anna.jpg", "user.xdg.comment") == b"with a sidecar of their own"
    drive.backed_up()
    now = everything(pictures)
    for path in [path for path in stood if path.endswith(".xmp")]:  # ours name the photo by its new number
        del stood[path], now[path]
    assert now == stood
    fsck(drive)
