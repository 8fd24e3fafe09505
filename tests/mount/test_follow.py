"""A read-only mount of a rebuilt library follows the machine that writes, within a minute."""
import errno
import os
import shutil
import subprocess
import time

import pytest
from drive import SHOEBOX, sha256, wait_until
from test_owner import SETTINGS, rebuild

MINUTE = 60


def follow(drive, make_drive):
    """A copy of the drive's library, with one file, mounted to follow it."""
    (drive.path / "Library/first.txt").write_text("first", encoding="utf-8")
    drive.backed_up()
    copy = make_drive("copy")
    rebuild(copy, drive.remote)
    return copy.mount("--read-only")


@pytest.fixture
def follower(drive, make_drive):
    """One that follows the drive."""
    return follow(drive, make_drive)


def owner_files(drive):
    """What stands on the remote, and when it was written."""
    return {str(path): path.stat().st_mtime_ns for path in drive.remote.rglob("*") if path.is_file()}


def test_what_the_writer_does_shows_within_a_minute(drive, follower, photo):
    assert follower.names("Library") == ["first.txt"]
    assert not os.path.lexists(follower.path / "Library/anna.jpg")  # the kernel remembers that it is not there
    source = photo("anna.jpg", date="2023:07:14 10:11:12", people=["Anna"])
    begin = time.monotonic()
    subprocess.run(["cp", "-p", str(source), str(drive.path / "Library/anna.jpg")], check=True)
    follower.wait_for("Library/anna.jpg", MINUTE)
    follower.wait_for("Dates/2023/07/anna.jpg", MINUTE)
    assert time.monotonic() - begin < MINUTE
    drive.backed_up()
    wait_until(lambda: reads(follower, "Library/anna.jpg"), MINUTE, "the original")
    assert sha256(follower.path / "Library/anna.jpg") == sha256(source)
    wait_until(lambda: follower.run("thumbnail", follower.path / "Library/anna.jpg", "--size", "256", check=False,
                                    text=False).stdout.startswith(b"\xff\xd8"), MINUTE, "the thumbnail")
    # Renamed, put in an album, and another one removed.
    begin = time.monotonic()
    os.rename(drive.path / "Library/anna.jpg", drive.path / "Library/renamed.jpg")
    os.makedirs(drive.path / "Albums/Trip")
    os.link(drive.path / "Library/renamed.jpg", drive.path / "Albums/Trip/best.jpg")
    os.unlink(drive.path / "Library/first.txt")
    follower.wait_for("Library/renamed.jpg", MINUTE)
    follower.wait_for("Albums/Trip/best.jpg", MINUTE)
    follower.wait_gone("Library/anna.jpg", MINUTE)
    follower.wait_gone("Library/first.txt", MINUTE)
    assert time.monotonic() - begin < MINUTE
    assert follower.names("Library") == ["renamed.jpg"]
    assert sha256(follower.path / "Albums/Trip/best.jpg") == sha256(source)
    # Edited: the bytes of the same name are others.
    (drive.path / "Library/note.txt").write_text("one", encoding="utf-8")
    drive.backed_up()
    wait_until(lambda: reads(follower, "Library/note.txt") == b"one", MINUTE, "the first bytes")
    (drive.path / "Library/note.txt").write_text("two!", encoding="utf-8")
    drive.backed_up()
    wait_until(lambda: reads(follower, "Library/note.txt") == b"two!", MINUTE, "the second bytes")
    follower.unmount()
    assert follower.run("fsck", check=False).returncode == 0


def reads(drive, path):
    """The bytes of a file; None while it cannot be read: its copy may not be known yet."""
    try:
        return (drive.path / path).read_bytes()
    except OSError:
        return None


def test_a_follower_writes_nothing(drive, follower):
    wait_until(lambda: follower.status()["remotes"][0]["catalog_backed_up_at"] > 0, MINUTE, "the first look")
    before = owner_files(drive)
    for change in (lambda: (follower.path / "Library/new.txt").write_text("x", encoding="utf-8"),
                   lambda: os.unlink(follower.path / "Library/first.txt"),
                   lambda: os.mkdir(follower.path / "Albums/Mine"),
                   lambda: os.rename(follower.path / "Library/first.txt", follower.path / "Library/2.txt")):
        with pytest.raises(OSError) as refused:
            change()
        assert refused.value.errno == errno.EROFS
    assert (follower.path / "Library/first.txt").read_text(encoding="utf-8") == "first"
    status = follower.json("status")
    assert status["read_only"] and status["remotes"][0]["pending_files"] == 0
    follower.unmount()
    assert owner_files(drive) == before
    assert drive.json("status")["remotes"][0]["owner"]["this_library"]


def test_a_follower_catches_up_after_a_long_time_and_after_a_crash(drive, follower):
    wait_until(lambda: follower.status()["remotes"][0]["catalog_backed_up_at"] > 0, MINUTE, "the first look")
    follower.kill()
    for number in range(40):
        (drive.path / f"Library/{number}.txt").write_text(str(number), encoding="utf-8")
    os.unlink(drive.path / "Library/first.txt")
    drive.backed_up()
    follower.mount("--read-only")
    wait_until(lambda: follower.names("Library") == sorted(f"{n}.txt" for n in range(40)), MINUTE, "the names")
    assert (follower.path / "Library/39.txt").read_text(encoding="utf-8") == "39"
    follower.unmount()
    assert follower.run("fsck", check=False).returncode == 0


def test_one_command_makes_a_follower_and_mounts_it(drive, make_drive, folder):
    (drive.path / "Library/first.txt").write_text("first", encoding="utf-8")
    drive.backed_up()
    copy = make_drive("copy", remotes=[])
    before = owner_files(drive)
    copy.mount("--read-only", "--from", str(drive.remote))
    assert (copy.path / "Library/first.txt").read_text(encoding="utf-8") == "first"
    assert copy.json("status")["read_only"]
    (drive.path / "Library/second.txt").write_text("second", encoding="utf-8")
    drive.backed_up()
    copy.wait_for("Library/second.txt", MINUTE)
    # The same command again: the library is there.
    copy.unmount()
    copy.mount("--read-only", "--from", str(drive.remote))
    assert copy.names("Library") == ["first.txt", "second.txt"]
    copy.unmount()

    def refused(*options, library=copy.library):
        done = subprocess.run([SHOEBOX, "mount", *options, str(library), str(copy.path)], check=False,
                              capture_output=True, text=True, timeout=120, env=copy.env)
        assert done.returncode == 1, (options, done.stdout)
        return done.stderr
    assert "is none of its remotes" in refused("--read-only", "--from", str(folder))
    assert "goes with --read-only" in refused("--from", str(drive.remote))
    assert "--from only" in refused("--read-only", "--option", "lease=3s")
    shutil.copytree(drive.remote, folder / "bare")
    shutil.rmtree(folder / "bare/.shoebox/catalog")
    assert "no backup of a catalog" in refused("--read-only", "--from", str(folder / "bare"), library=folder / "none")
    assert not (folder / "none/catalog").exists()
    (folder / "other").mkdir()
    (folder / "other/mine.txt").write_text("mine", encoding="utf-8")
    assert "is not empty" in refused("--read-only", "--from", str(drive.remote), library=folder / "other")
    assert {path for path in owner_files(drive) if "owner" in path} == {path for path in before if "owner" in path}


def test_a_half_made_follower_is_finished_by_the_same_command(drive, make_drive):
    (drive.path / "Library/first.txt").write_text("first", encoding="utf-8")
    drive.backed_up()
    copy = make_drive("copy", remotes=[])
    command = [SHOEBOX, "mount", "-f", "--read-only", "--from", str(drive.remote), str(copy.library), str(copy.path)]
    for delay_s in (0.05, 0.2, 0.4):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=copy.env,
                                   start_new_session=True)
        time.sleep(delay_s)  # any moment will do
        os.killpg(process.pid, 9)
        process.wait()
        copy.detach()
    copy.mount("--read-only", "--from", str(drive.remote))
    assert copy.names("Library") == ["first.txt"]


def test_what_is_not_uploaded_yet_says_so_at_once(drive, follower):
    settings = drive.library / "shoebox.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text + 'bandwidth = "256 KiB/s"\n', encoding="utf-8")  # three minutes for the original
    drive.run("config", "reload")
    original = os.urandom(48 << 20)
    (drive.path / "Library/new.bin").write_bytes(original)
    path = follower.wait_for("Library/new.bin", 2 * MINUTE)
    assert follower.state("Library/new.bin") == "pending"
    assert path.stat().st_size == len(original)
    for _ in range(2):
        with pytest.raises(OSError) as failed:
            path.read_bytes()
        assert failed.value.errno == errno.EIO
    assert follower.log_text().count("no remote has it yet") == 1
    settings.write_text(text, encoding="utf-8")
    drive.run("config", "reload")
    drive.backed_up()
    wait_until(lambda: reads(follower, "Library/new.bin") == original, 2 * MINUTE, "the original")
    assert follower.state("Library/new.bin") in ("remote", "partial", "local")


def test_the_next_remote_is_followed_when_the_first_is_gone(make_drive):
    drive = make_drive()
    second = drive.folder / "second"
    second.mkdir()
    drive.library.mkdir(mode=0o700)
    (drive.library / "shoebox.toml").write_text(
        f'[[remote]]\nname = "first"\nurl = "file://{drive.remote}"\n'
        f'[[remote]]\nname = "second"\nurl = "file://{second}"\n', encoding="utf-8")
    copy = follow(drive.mount(), make_drive)
    wait_until(lambda: copy.status()["remotes"][0]["catalog_backed_up_at"] > 0, MINUTE, "the first look")
    drive.remote.rename(drive.folder / "away")
    (drive.path / "Library/later.txt").write_text("later", encoding="utf-8")
    copy.wait_for("Library/later.txt", 2 * MINUTE)
    wait_until(lambda: reads(copy, "Library/later.txt") == b"later", 2 * MINUTE, "its bytes")
    assert copy.json("status")["remotes"][1]["catalog_backed_up_at"] > 0
    (drive.folder / "away").rename(drive.remote)
    copy.unmount()
    assert copy.run("fsck", check=False).returncode == 0


def test_bytes_of_a_history_that_was_given_up_are_not_shown_in_another(make_drive, folder):
    first = make_drive("first", settings=SETTINGS.format(remote=folder / "first/remote")).mount()
    (first.path / "Library/shared.txt").write_text("shared", encoding="utf-8")
    first.backed_up()
    first.kill()
    second = make_drive("second")
    rebuild(second, first.remote, "--takeover")
    second.mount()
    (second.path / "Library/theirs.txt").write_text("of the second", encoding="utf-8")
    second.backed_up()
    copy = make_drive("copy")
    rebuild(copy, first.remote)
    copy.mount("--read-only")
    wait_until(lambda: reads(copy, "Library/theirs.txt") == b"of the second", MINUTE, "what is kept on the copy's disk")
    # The first one goes on from before that, with files that get the numbers of the second's.
    first.mount()
    (first.path / "Library/mine.txt").write_text("of the first.", encoding="utf-8")
    first.wait_sealed()
    first.run("remote", "takeover", "--force", "--replace-backup", "nas")
    first.backed_up()
    copy.wait_for("Library/mine.txt", 2 * MINUTE)
    assert reads(copy, "Library/mine.txt") in (None, b"of the first.")
    wait_until(lambda: reads(copy, "Library/mine.txt") == b"of the first.", 2 * MINUTE, "the bytes of the first")
    copy.wait_gone("Library/theirs.txt")
    copy.unmount()
    assert copy.run("fsck", "--read-data", check=False).returncode == 0
