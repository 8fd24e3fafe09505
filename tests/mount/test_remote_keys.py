"""The keys on a remote follow the names in the library: after renames, deletions and replacements."""
import os
import shutil

from drive import sha256, wait_until
from test_backup import big_file


def objects(drive):
    """Keys on the remote, without what belongs to the remote itself."""
    files = (p.relative_to(drive.remote).as_posix() for p in drive.remote.rglob("*") if p.is_file())
    own = (".shoebox/remote", ".shoebox/tmp/", ".shoebox/catalog/", ".shoebox/thumbnails/", ".shoebox/owner/")
    return sorted(k for k in files if not k.startswith(own))


def settle(drive):
    """Until everything is backed up and stands where it belongs."""
    drive.run("backup", "now")
    drive.run("backup", "wait")
    wait_until(lambda: drive.status()["remotes"][0]["tidying"] == 0, 60, "the remote's keys")


def test_a_renamed_folder_is_renamed_on_the_remote(drive, folder):
    (drive.path / "Library/2020").mkdir()
    for number in range(30):
        big_file(drive.path / f"Library/2020/{number}.mp4", 300 << 10, number)
    drive.backed_up()
    os.rename(drive.path / "Library/2020", drive.path / "Library/Summer")
    drive.evict()
    settle(drive)
    assert objects(drive) == sorted(f"Library/Summer/{n}.mp4" for n in range(30))
    assert not (drive.remote / "Library/2020").exists()
    for number in range(30):
        want = big_file(folder / "want", 300 << 10, number)
        assert sha256(drive.remote / f"Library/Summer/{number}.mp4") == sha256(want)
        assert sha256(drive.path / f"Library/Summer/{number}.mp4") == sha256(want)


def test_a_folder_renamed_just_before_a_kill_is_renamed_on_the_remote(drive):
    (drive.path / "Library/2020").mkdir()
    for number in range(10):
        big_file(drive.path / f"Library/2020/{number}.mp4", 100 << 10, number)
    drive.backed_up()
    os.rename(drive.path / "Library/2020", drive.path / "Library/Summer")
    drive.kill()
    drive.mount()
    settle(drive)
    assert objects(drive) == sorted(f"Library/Summer/{n}.mp4" for n in range(10))


def test_two_names_that_are_swapped_are_swapped_on_the_remote(drive):
    one = big_file(drive.path / "Library/a.mp4", 200 << 10, 1)
    two = big_file(drive.path / "Library/b.mp4", 200 << 10, 2)
    hashes = sha256(one), sha256(two)
    drive.backed_up()
    os.rename(one, drive.path / "Library/c.mp4")
    os.rename(two, drive.path / "Library/a.mp4")
    os.rename(drive.path / "Library/c.mp4", drive.path / "Library/b.mp4")
    settle(drive)
    assert objects(drive) == ["Library/a.mp4", "Library/b.mp4"]
    assert (sha256(drive.remote / "Library/b.mp4"), sha256(drive.remote / "Library/a.mp4")) == hashes


def test_what_is_deleted_waits_in_versions_and_goes_when_trash_is_emptied(drive):
    wanted = sha256(big_file(drive.path / "Library/a.mp4", 200 << 10))
    big_file(drive.path / "Library/b.mp4", 200 << 10, 2)
    drive.backed_up()
    os.remove(drive.path / "Library/a.mp4")
    settle(drive)
    version = f".shoebox/versions/Library/a~{wanted[:8]}.mp4"
    assert objects(drive) == [version, "Library/b.mp4"]
    assert sha256(drive.remote / version) == wanted
    drive.run("trash", "restore", "a.mp4")
    settle(drive)
    assert objects(drive) == ["Library/a.mp4", "Library/b.mp4"]
    os.remove(drive.path / "Library/a.mp4")
    drive.run("trash", "empty", "--all")
    settle(drive)
    assert objects(drive) == ["Library/b.mp4"]


def test_a_replaced_photo_leaves_its_old_bytes_in_versions(drive, photo, folder):
    original = photo("a.jpg", date="2023:07:14 10:11:12")
    shutil.copy2(original, drive.path / "Library/a.jpg")
    old = sha256(original)
    drive.backed_up()
    edited = folder / "edited.jpg"
    edited.write_bytes(original.read_bytes() + b"edited")
    shutil.copy2(edited, drive.path / "Library/.a.jpg.Xa4k9Z")
    os.rename(drive.path / "Library/.a.jpg.Xa4k9Z", drive.path / "Library/a.jpg")
    settle(drive)
    assert objects(drive) == [f".shoebox/versions/Library/a~{old[:8]}.jpg", "Library/a.jpg"]
    assert sha256(drive.remote / "Library/a.jpg") == sha256(edited)
    assert sha256(drive.remote / f".shoebox/versions/Library/a~{old[:8]}.jpg") == old


def test_a_file_replaced_behind_our_back_is_not_removed(drive):
    big_file(drive.path / "Library/a.mp4", 200 << 10)
    wanted = sha256(drive.path / "Library/a.mp4")
    drive.backed_up()
    (drive.remote / "Library/a.mp4").write_bytes(b"somebody else's")
    os.rename(drive.path / "Library/a.mp4", drive.path / "Library/b.mp4")
    settle(drive)
    wait_until(lambda: (drive.remote / "Library/b.mp4").exists() and sha256(drive.remote / "Library/b.mp4") == wanted,
               60, "the upload under the new name")
    assert (drive.remote / "Library/a.mp4").read_bytes() == b"somebody else's"
