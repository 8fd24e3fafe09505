"""A library whose disk is lost comes back from its remote: shoebox rebuild."""
import json
import os
import shutil
import signal
import subprocess
import time

import pytest
from drive import SHOEBOX, sha256, wait_until

DATE = "2023:07:14 10:11:12"


def listing(root):
    """Everything stat tells of every name below, and its attributes."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            attributes = {}
            if not os.path.islink(path):
                attributes = {key: os.getxattr(path, key) for key in os.listxattr(path)}
            target = os.readlink(path) if os.path.islink(path) else None
            found[os.path.relpath(path, root)] = (
                oct(st.st_mode), st.st_nlink, st.st_uid, st.st_gid, st.st_mtime_ns,
                st.st_size if not os.path.isdir(path) else 0, st.st_ino, attributes, target)
    return found


def files_below(root):
    """Paths of the regular files below."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield os.path.relpath(path, root)


def rebuild(drive, *options, check=True, **more):
    """Rebuilds the library of this drive from its remote."""
    done = subprocess.run([SHOEBOX, "rebuild", "--from", str(drive.remote), str(drive.library), *options], check=False,
                          capture_output=True, text=True, timeout=120, env=drive.env, **more)
    assert not check or done.returncode == 0, done.stderr
    return done


def lose(drive):
    """Unmounts, and the disk with the library is gone."""
    drive.unmount()
    shutil.rmtree(drive.library)


def fsck(drive):
    """No finding is left."""
    out = drive.run("fsck", check=False)
    assert out.returncode == 0, out.stdout + out.stderr


@pytest.fixture
def filled(drive, made_photos, photo, folder):
    """A library in use: photos, albums, people, odd files; backed up, some of it evicted."""
    source = folder / "source"
    shutil.copytree(made_photos, source / "camera")
    (source / "papers").mkdir()
    (source / "papers/letter.txt").write_text("dear reader\n", encoding="utf-8")
    (source / "papers/empty").write_bytes(b"")
    (source / "papers/link").symlink_to("letter.txt")
    os.link(source / "papers/letter.txt", source / "papers/same.txt")
    (source / "big.mp4").write_bytes(os.urandom(3 << 20))
    os.chmod(source / "papers/letter.txt", 0o640)
    os.setxattr(source / "papers/letter.txt", "user.note", b"keep")
    shutil.copy2(photo("anna.jpg", date=DATE, people=["Anna"]), source / "anna.jpg")
    subprocess.run(["rsync", "-aHAX", f"{source}/", f"{drive.path}/Library/"], check=True)
    drive.wait_for("People/Anna/anna.jpg", 180)
    drive.wait_sealed(180)
    os.makedirs(drive.path / "Albums/Trip/Day 1")
    os.link(drive.path / "Library/anna.jpg", drive.path / "Albums/Trip/Day 1/first.jpg")
    some = sorted(files_below(drive.path / "Library/camera"))[0]
    os.makedirs(drive.path / "People/Ben", exist_ok=True)
    os.link(drive.path / "Library/camera" / some, drive.path / "People/Ben/ben.jpg")
    os.unlink(drive.path / "Library/camera" / sorted(files_below(drive.path / "Library/camera"))[-1])
    os.unlink(source / "camera" / sorted(files_below(source / "camera"))[-1])
    drive.backed_up()
    drive.evict(drive.path / "Library/camera")
    drive.evict(drive.path / "Library/big.mp4")
    drive.source = source
    return drive


def test_everything_comes_back(filled):
    before = listing(filled.path)
    hashes = {path: sha256(filled.path / path) for path in files_below(filled.path)}
    filled.backed_up()
    lose(filled)
    rebuild(filled)
    filled.mount()
    assert listing(filled.path) == before
    assert filled.names("Albums/Trip/Day 1") == ["first.jpg"]
    assert "anna.jpg" in filled.names("People/Anna") and "ben.jpg" in filled.names("People/Ben")
    assert filled.state("Library/big.mp4") == "remote"
    filled.backed_up()
    asked = filled.json("status")["remotes"][0]["requests"]
    for name in filled.names("Library/camera"):
        jpeg = filled.run("thumbnail", filled.path / "Library/camera" / name, "--size", "256", text=False).stdout
        assert jpeg.startswith(b"\xff\xd8"), name
    assert filled.json("status")["remotes"][0]["requests"] == asked, "thumbnails are here before any original"
    status = filled.json("status")["remotes"][0]
    assert status["pending_files"] == 0 and status["backed_up_files"] > 20
    fsck(filled)
    for path, digest in hashes.items():
        assert sha256(filled.path / path) == digest, path
    out = subprocess.run(["rsync", "-aHAXn", "--delete", "--itemize-changes", f"{filled.source}/",
                          f"{filled.path}/Library/"], check=True, capture_output=True, text=True).stdout
    assert [line for line in out.splitlines() if not line.startswith(".d")] == []
    fsck(filled)


def test_the_backup_goes_on_after_a_rebuild(filled, folder):
    lose(filled)
    rebuild(filled)
    filled.mount()
    (filled.path / "Library/after.txt").write_text("after", encoding="utf-8")
    sent = filled.json("status")["remotes"][0]["sent_bytes"]
    filled.backed_up()
    assert filled.json("status")["remotes"][0]["sent_bytes"] - sent < 20_000, "changes only, no second snapshot"
    before = listing(filled.path)
    lose(filled)
    rebuild(filled)
    filled.mount()
    assert listing(filled.path) == before
    assert (filled.path / "Library/after.txt").read_text(encoding="utf-8") == "after"


def test_all_brings_the_originals_and_needs_the_remote_no_more(filled):
    hashes = {path: sha256(filled.path / path) for path in files_below(filled.path)}
    filled.backed_up()
    lose(filled)
    told = json.loads(rebuild(filled, "--all", "--json").stdout)
    assert told["fetched_files"] > 20 and told["lost"] == [] and told["failed"] == []
    filled.remote.rename(filled.folder / "away")
    filled.mount()
    for path, digest in hashes.items():
        assert sha256(filled.path / path) == digest, path
    (filled.folder / "away").rename(filled.remote)


def test_what_was_not_backed_up_is_told_and_does_not_stand_there_unreadable(drive):
    (drive.path / "Library/kept.txt").write_text("kept", encoding="utf-8")
    drive.backed_up()
    (drive.remote / "Library/blocked").write_text("a file where the upload needs a folder", encoding="utf-8")
    (drive.path / "Library/blocked").mkdir()
    (drive.path / "Library/blocked/late.txt").write_text("too late", encoding="utf-8")

    def catalog_sent():
        drive.run("backup", "now")
        return drive.json("status")["remotes"][0]["catalog_pending_changes"] == 0
    wait_until(catalog_sent, 30, "the catalog's backup")
    assert drive.json("status")["remotes"][0]["pending_files"] == 1
    lose(drive)
    told = json.loads(rebuild(drive, "--json").stdout)
    assert told["lost"] == ["Library/blocked/late.txt"]
    assert "late.txt" in (drive.library / "recovered/rebuild.txt").read_text(encoding="utf-8")
    drive.mount()
    assert drive.names("Library") == ["blocked", "kept.txt"] and drive.names("Library/blocked") == []
    fsck(drive)


def test_a_library_is_never_overwritten(filled):
    done = rebuild(filled, check=False)
    assert done.returncode != 0 and "not empty" in done.stderr
    filled.unmount()
    done = rebuild(filled, check=False)
    assert done.returncode != 0 and "not empty" in done.stderr
    filled.mount()
    fsck(filled)


def test_a_rebuild_that_was_killed_goes_on(filled):
    before = listing(filled.path)
    lose(filled)
    for delay_s in (0.02, 0.1, 0.2, 0.3, 0.5):
        process = subprocess.Popen([SHOEBOX, "rebuild", "--all", "--from", str(filled.remote), str(filled.library)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=filled.env)
        time.sleep(delay_s)  # any moment will do
        process.send_signal(signal.SIGKILL)
        if process.wait() == 0:
            shutil.rmtree(filled.library)
    rebuild(filled, "--all")
    filled.mount()
    assert listing(filled.path) == before
    fsck(filled)


def test_a_damaged_end_of_the_journal_costs_nothing_that_stands_there(filled):
    filled.backed_up()
    before = listing(filled.path)
    catalog = filled.remote / ".shoebox/catalog"
    known = set(catalog.rglob("*"))
    (filled.path / "Library/last.txt").write_text("last", encoding="utf-8")
    filled.backed_up()
    new = [path for path in catalog.rglob("*") if path not in known and not path.name.startswith("head")]
    assert new
    filled.unmount()
    for path in new:
        bytes_now = bytearray(path.read_bytes())
        bytes_now[len(bytes_now) // 2] ^= 1
        path.write_bytes(bytes_now)
    shutil.rmtree(filled.library)
    done = rebuild(filled)
    assert "the catalog lacks changes" in done.stderr, done.stderr
    filled.mount()
    assert (filled.path / "Library/last.txt").read_text(encoding="utf-8") == "last"
    now = listing(filled.path)
    now.pop("Library/last.txt"), now.pop("Library"), before.pop("Library")
    assert now == before
    # The backup is made whole again.
    (filled.path / "Library/last.txt").write_text("other", encoding="utf-8")
    filled.backed_up()
    fsck(filled)
    lose(filled)
    rebuild(filled)
    filled.mount()
    assert (filled.path / "Library/last.txt").read_text(encoding="utf-8") == "other"


def flip_segments(drive):
    """One bit of each segment of the backup of the catalog flips; their keys."""
    below = drive.remote / ".shoebox/catalog"
    segments = [path for path in below.rglob("*") if path.is_file() and not path.name.startswith("head")]
    for path in segments:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    return {str(path.relative_to(drive.remote)) for path in segments}


def test_a_backup_of_the_catalog_that_rots_is_found_and_sent_again(filled):
    filled.backed_up()
    before = listing(filled.path)
    rotten = flip_segments(filled)
    told = filled.json("verify", "--all")
    assert {finding["key"] for finding in told["findings"]} == rotten
    assert told["damaged"] == told["queued_again"] == len(rotten)
    filled.backed_up()
    again = filled.json("verify", "--all")
    assert again["damaged"] == 0 and again["catalog_objects"] > 0
    lose(filled)
    rebuild(filled)
    filled.mount()
    assert listing(filled.path) == before


@pytest.mark.parametrize("options", [["--takeover"], []])
def test_a_library_made_without_its_damaged_catalog_writes_there(filled, options):
    flip_segments(filled)
    lose(filled)
    rebuild(filled, *options)
    filled.mount()
    (filled.path / "Library/after.txt").write_text("after", encoding="utf-8")
    filled.backed_up()
    before = listing(filled.path)
    lose(filled)
    rebuild(filled)
    filled.mount()
    assert listing(filled.path) == before


def test_a_remote_without_a_backup_is_refused_with_words(drive):
    drive.unmount()
    shutil.rmtree(drive.library)
    shutil.rmtree(drive.remote / ".shoebox/catalog", ignore_errors=True)
    done = rebuild(drive, check=False)
    assert done.returncode != 0 and "no backup of a catalog" in done.stderr, done.stderr


def test_the_settings_come_back_without_any_secret(make_drive, folder):
    secret = folder / "bucket.toml"
    secret.write_text('access_key = "AKIDEXAMPLE"\nsecret_key = "hunter2"\n', encoding="utf-8")
    secret.chmod(0o600)
    drive = make_drive()
    second = drive.folder / "second"
    second.mkdir()
    drive.library.mkdir(mode=0o700)
    (drive.library / "shoebox.toml").write_text(
        f'cache = "3 GiB"\ncopies = 2\nkeep = "8w"\ndates_layout = "%Y"\n'
        f'[[remote]]\nname = "nas"\nurl = "file://{drive.remote}"\nhours = "00:00-24:00"\n'
        f'[[remote]]\nname = "second"\nurl = "file://{second}"\nbandwidth = ["08:00-23:00 50 MiB/s"]\n'
        f'[[remote]]\nname = "bucket"\nurl = "s3://photos/home"\nendpoint = "http://127.0.0.1:9"\n'
        f'credentials_file = "{secret}"\nmanual = true\n', encoding="utf-8")
    drive.mount()
    (drive.path / "Library/a.txt").write_text("a", encoding="utf-8")
    drive.run("backup", "now")
    wait_until(lambda: (drive.remote / "Library/a.txt").exists(), 120, "the copy")
    drive.run("remote", "add", "late", f"file://{drive.folder / 'late'}")  # goes into the backup as well
    wait_until(lambda: drive.status()["remotes"][0]["catalog_pending_changes"] == 0, 120, "the catalog")
    lose(drive)
    told = json.loads(rebuild(drive, "--json").stdout)
    assert len(told["to_do"]) == 1 and "remote bucket:" in told["to_do"][0] and "credentials_file" in told["to_do"][0]
    text = (drive.library / "shoebox.toml").read_text(encoding="utf-8")
    assert f'# credentials_file = "{secret}"' in text
    for line in ('cache = "3 GiB"', "copies = 2", 'keep = "56d"', 'dates_layout = "%Y"', 'hours = "00:00-24:00"',
                 'bandwidth = "08:00-23:00 50 MiB/s"', "manual = true"):
        assert line in text, text
    drive.mount()
    assert [r["name"] for r in drive.json("status")["remotes"]] == ["nas", "second", "bucket", "late"]
    assert (drive.path / "Library/a.txt").read_text(encoding="utf-8") == "a"
