"""Backup, eviction and lazy reading over a directory remote."""
import json
import os
import shutil
import subprocess

import pytest
from drive import sha256, spoil, wait_until


def big_file(path, size, seed=1):
    """A file of pseudo-random bytes, written in one go."""
    import random
    path.write_bytes(random.Random(seed).randbytes(size))
    return path


def test_backup_lands_under_the_library_path(drive, folder):
    source = big_file(folder / "v.mp4", 3 << 20)
    (drive.path / "Library/2020").mkdir()
    shutil.copy2(source, drive.path / "Library/2020/v.mp4")
    drive.backed_up()
    assert sha256(drive.remote / "Library/2020/v.mp4") == sha256(source)
    status = drive.json("status")
    assert status["remotes"][0]["pending_files"] == 0 and status["remotes"][0]["backed_up_files"] == 1


def test_upload_survives_an_unmount_and_a_kill(drive, folder):
    drive.run("backup", "pause")
    source = big_file(folder / "a.mp4", 1 << 20)
    shutil.copy2(source, drive.path / "Library/a.mp4")
    drive.kill()
    drive.mount()
    assert drive.json("status")["remotes"][0]["pending_files"] == 1
    drive.run("backup", "resume")
    drive.backed_up()
    assert sha256(drive.remote / "Library/a.mp4") == sha256(source)


def test_nothing_that_is_not_backed_up_is_evicted(drive, folder):
    drive.run("backup", "pause")
    source = big_file(folder / "a.mp4", 2 << 20)
    shutil.copy2(source, drive.path / "Library/a.mp4")
    done = drive.run("evict", drive.path / "Library/a.mp4", check=False)
    assert done.returncode != 0 and "backup" in done.stderr
    assert drive.state("Library/a.mp4") in ("pending", "local")
    assert sha256(drive.path / "Library/a.mp4") == sha256(source)


def test_reading_a_range_of_an_evicted_file_fetches_little(drive, folder):
    source = big_file(folder / "a.mp4", 64 << 20)
    shutil.copy2(source, drive.path / "Library/a.mp4")
    drive.backed_up()
    drive.evict()
    assert drive.state("Library/a.mp4") == "remote"
    before = drive.json("status")["remotes"][0]["received_bytes"]
    want = source.read_bytes()
    with open(drive.path / "Library/a.mp4", "rb") as file:
        file.seek(40 << 20)
        assert file.read(1000) == want[40 << 20:(40 << 20) + 1000]
    assert drive.json("status")["remotes"][0]["received_bytes"] - before <= 16 << 20
    assert drive.state("Library/a.mp4") == "partial"


def test_what_was_fetched_of_an_evicted_file_leaves_again(drive, folder):
    source = big_file(folder / "a.mp4", 64 << 20)
    shutil.copy2(source, drive.path / "Library/a.mp4")
    drive.backed_up()
    drive.evict()
    left = drive.json("status")["local_bytes"]
    again = drive.json("evict", drive.path / "Library/a.mp4")
    assert again["evicted"] == 0 and again["kept"] == [], "nothing leaves of what has left"
    with open(drive.path / "Library/a.mp4", "rb") as file:
        file.seek(40 << 20)
        piece = file.read(1000)
    assert drive.json("status")["local_bytes"] > left
    told = drive.json("evict", "--all")
    assert told["evicted"] == 1 and told["freed_bytes"] > 0, told
    assert drive.json("status")["local_bytes"] == left
    drive.drop_caches()
    with open(drive.path / "Library/a.mp4", "rb") as file:
        file.seek(40 << 20)
        assert file.read(1000) == piece == source.read_bytes()[40 << 20:(40 << 20) + 1000]
    assert sha256(drive.path / "Library/a.mp4") == sha256(source)


def test_evicting_everything_says_why_something_stays(drive, folder):
    drive.run("backup", "pause")
    shutil.copy2(big_file(folder / "a.mp4", 2 << 20), drive.path / "Library/a.mp4")
    wait_until(lambda: drive.status()["originals"] == 1, 30, "the original")
    done = drive.run("evict", "--all", check=False)
    assert done.returncode == 1 and "kept 1: its backup to default is not done" in done.stderr, done.stderr


def test_head_and_tail_of_an_evicted_file_cost_no_request(drive, folder):
    source = big_file(folder / "a.mp4", 5 << 20)
    shutil.copy2(source, drive.path / "Library/a.mp4")
    drive.backed_up()
    drive.evict()
    before = drive.json("status")["remotes"][0]["requests"]
    want = source.read_bytes()
    with open(drive.path / "Library/a.mp4", "rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        assert os.pread(file.fileno(), 128 << 10, 0) == want[:128 << 10]
        assert os.pread(file.fileno(), 64 << 10, len(want) - (64 << 10)) == want[-(64 << 10):]
    assert drive.json("status")["remotes"][0]["requests"] == before


def test_one_evicted_photo_costs_at_most_two_requests(drive, folder):
    source = big_file(folder / "a.jpg", 4 << 20)
    shutil.copy2(source, drive.path / "Library/a.jpg")
    drive.backed_up()
    drive.evict()
    before = drive.json("status")["remotes"][0]["requests"]
    assert sha256(drive.path / "Library/a.jpg") == sha256(source)
    assert drive.json("status")["remotes"][0]["requests"] - before <= 2


def test_pinned_photos_stay(drive, folder):
    for number in (1, 2):
        shutil.copy2(big_file(folder / f"{number}.mp4", 1 << 20, number), drive.path / "Library")
    drive.backed_up()
    drive.run("pin", drive.path / "Library/1.mp4")
    drive.run("evict", "--all")
    assert drive.state("Library/1.mp4") == "local"
    assert drive.state("Library/2.mp4") == "remote"
    drive.run("unpin", drive.path / "Library/1.mp4")
    drive.run("evict", "--all")
    assert drive.state("Library/1.mp4") == "remote"


def test_cache_limit_is_kept(make_drive, folder):
    drive = make_drive(settings='cache = "20 MiB"\n')
    (drive.library / "shoebox.toml").write_text(
        f'cache = "20 MiB"\n[[remote]]\nname = "disk"\nurl = "file://{drive.remote}"\n', encoding="utf-8")
    drive.mount()
    for number in range(30):
        big_file(drive.path / f"Library/{number}.mp4", 2 << 20, number)
    drive.backed_up()
    used = lambda: sum(p.stat().st_blocks * 512 for sub in ("objects", "partial") for p in (drive.library / sub).rglob("*")
                       if p.is_file())
    wait_until(lambda: used() <= 26 << 20, 30, "the cache limit")
    for number in range(30):
        big_file(folder / "want", 2 << 20, number)
        assert sha256(drive.path / f"Library/{number}.mp4") == sha256(folder / "want")


def test_writing_into_an_evicted_file_keeps_the_rest(drive, folder):
    source = big_file(folder / "a.mp4", 3 << 20)
    shutil.copy2(source, drive.path / "Library/a.mp4")
    drive.backed_up()
    drive.evict()
    with open(drive.path / "Library/a.mp4", "r+b") as file:
        file.seek(1 << 20)
        file.write(b"changed")
    want = bytearray(source.read_bytes())
    want[1 << 20:(1 << 20) + 7] = b"changed"
    assert (drive.path / "Library/a.mp4").read_bytes() == bytes(want)
    drive.backed_up()
    assert bytes(want) in (p.read_bytes() for p in (drive.remote / "Library").rglob("a*.mp4"))


def test_remote_that_went_away_leaves_the_drive_usable(drive, folder):
    source = big_file(folder / "a.mp4", 3 << 20)
    shutil.copy2(source, drive.path / "Library/a.mp4")
    drive.backed_up()
    drive.evict()
    drive.remote.rename(folder / "elsewhere")
    with pytest.raises(OSError):
        (drive.path / "Library/a.mp4").read_bytes()
    assert (drive.path / "Library/a.mp4").stat().st_size == 3 << 20
    big_file(drive.path / "Library/b.mp4", 1 << 20, 2)
    wait_until(lambda: drive.status()["remotes"][0]["last_error"], 30, "the error in status")
    assert drive.json("status")["remotes"][0]["pending_files"] == 1
    (folder / "elsewhere").rename(drive.remote)
    drive.backed_up()
    wait_until(lambda: _reads(drive.path / "Library/a.mp4"), 60, "reading again")
    assert sha256(drive.path / "Library/a.mp4") == sha256(source)


def _reads(path):
    try:
        return bool(path.read_bytes())
    except OSError:
        return False


def test_a_rotted_remote_copy_is_never_served(drive, folder):
    source = big_file(folder / "a.mp4", 3 << 20)
    shutil.copy2(source, drive.path / "Library/a.mp4")
    drive.backed_up()
    drive.evict()
    stored = drive.remote / "Library/a.mp4"
    bytes_ = bytearray(stored.read_bytes())
    bytes_[1 << 20] ^= 1
    stored.write_bytes(bytes_)
    with pytest.raises(OSError):
        (drive.path / "Library/a.mp4").read_bytes()
    bytes_[1 << 20] ^= 1
    stored.write_bytes(bytes_)


def test_local_rot_is_found_by_fsck_and_fetched_again(drive, folder):
    source = big_file(folder / "a.mp4", 3 << 20)
    shutil.copy2(source, drive.path / "Library/a.mp4")
    drive.backed_up()
    drive.unmount()
    stored = [p for p in (drive.library / "objects").rglob("*") if p.is_file()][0]
    mode = stored.stat().st_mode
    stored.chmod(0o600)
    with open(stored, "r+b") as file:
        file.seek(1 << 20)
        file.write(b"rot")
    stored.chmod(mode & 0o7777)
    done = drive.run("fsck", "--read-data", check=False)
    assert done.returncode != 0 and "rot" in (done.stdout + done.stderr).lower() or "hash" in (done.stdout + done.stderr)
    drive.run("fsck", "--read-data", "--repair", check=False)
    drive.mount()
    assert sha256(drive.path / "Library/a.mp4") == sha256(source)


def test_what_fsck_repaired_is_read_at_once(drive, folder):
    source = big_file(folder / "a.mp4", 3 << 20)
    shutil.copy2(source, drive.path / "Library/a.mp4")
    drive.backed_up()
    stored = [p for p in (drive.library / "objects").rglob("*") if p.is_file()][0]
    with open(stored, "r+b") as file:
        file.seek(1 << 20)
        file.write(b"rot")
    drive.drop_caches()
    assert sha256(drive.path / "Library/a.mp4") != sha256(source)  # the kernel keeps these pages
    drive.run("fsck", "--read-data", "--repair")
    assert sha256(drive.path / "Library/a.mp4") == sha256(source)


def test_what_verify_found_bad_stays_on_this_disk_and_what_is_lost_is_told(drive, folder):
    sources = [big_file(folder / f"{number}.mp4", 1 << 20, number) for number in range(3)]
    for source in sources:
        shutil.copy2(source, drive.path / "Library")
    drive.backed_up()
    (drive.remote / "Library/0.mp4").unlink()
    (drive.remote / "Library/1.mp4").write_bytes(b"spoiled")
    drive.run("evict", drive.path / "Library/2.mp4")
    (drive.remote / "Library/2.mp4").rename(drive.folder / "away")
    drive.run("backup", "pause")
    found = json.loads(drive.run("verify", "--all", "--json", check=False).stdout)
    assert (found["missing"], found["damaged"], found["queued_again"]) == (2, 1, 2)
    kept = drive.run("evict", "--all", check=False)
    assert kept.returncode == 1 and "kept 2" in kept.stderr
    drive.drop_caches()
    for source in sources[:2]:
        assert sha256(drive.path / "Library" / source.name) == sha256(source)
    assert drive.json("status")["remotes"][0]["lost_files"] == 1
    assert "LOST: 1 original" in drive.run("status").stdout
    (drive.folder / "away").rename(drive.remote / "Library/2.mp4")
    drive.run("backup", "resume")
    drive.backed_up()
    assert drive.json("verify", "--all")["damaged"] == 0
    assert drive.json("status")["remotes"][0]["lost_files"] == 0
    drive.evict()
    for source in sources:
        assert sha256(drive.path / "Library" / source.name) == sha256(source)


def test_import_dedupes_resumes_and_moves_only_what_is_backed_up(drive, made_photos, folder):
    source = folder / "camera"
    shutil.copytree(made_photos, source)
    shutil.copy2(sorted(source.glob("*.jpg"))[0], source / "copy of one.jpg")
    drive.run("import", source)
    stored = sum(len(names) for _, _, names in os.walk(drive.path / "Library"))
    assert stored in (24, 25)
    again = drive.json("import", source)
    assert again["imported"] == 0
    drive.run("import", "--move", source, timeout_s=180)
    assert not any(p.is_file() for p in source.rglob("*"))
    sent = {sha256(p) for p in (drive.remote).rglob("*.jpg")}
    for picture in made_photos.glob("*.jpg"):
        assert sha256(picture) in sent


def test_thumbnails_come_in_both_sizes_and_upright(drive, made_photos, folder):
    picture = sorted(made_photos.glob("*.jpg"))[0]
    turned = folder / "turned.jpg"
    shutil.copy2(picture, turned)
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-n", "-Orientation=6", turned], check=True)
    from PIL import Image
    shutil.copy2(turned, drive.path / "Library/turned.jpg")
    drive.backed_up()
    drive.evict()
    before = drive.json("status")["remotes"][0]["requests"]
    width, height = Image.open(turned).size
    for size in (256, 1024):
        jpeg = drive.run("thumbnail", drive.path / "Library/turned.jpg", "--size", size, text=False).stdout
        (folder / "thumb.jpg").write_bytes(jpeg)
        shown = Image.open(folder / "thumb.jpg")
        assert max(shown.size) == size
        assert (shown.size[0] > shown.size[1]) == (height > width)
    assert drive.json("status")["remotes"][0]["requests"] == before


def test_full_disk_evicts_first_then_says_so(loop_disk, make_drive, folder):
    disk = loop_disk(400)
    drive = make_drive()
    drive.library = disk / "library"
    drive.mount()
    for number in range(4):  # 160 MiB that may be evicted
        big_file(drive.path / f"Library/{number}.mp4", 40 << 20, number)
    drive.backed_up()
    # Programs that look before they copy see the room that those would make.
    def counts_what_is_local():  # the cache limit has let some of them go already
        local = sum(drive.state(f"Library/{number}.mp4") == "local" for number in range(4))
        shown, real = os.statvfs(drive.path), os.statvfs(disk)
        more = shown.f_bavail * shown.f_frsize - real.f_bavail * real.f_frsize
        return local > 0 and abs(more - local * ((40 << 20) - (192 << 10))) < 1 << 20
    wait_until(counts_what_is_local, 60, "the room that may be made")
    shown = os.statvfs(drive.path)
    assert shown.f_bavail <= shown.f_bfree <= shown.f_blocks
    for number in range(4, 8):  # needs what the first ones hold
        big_file(drive.path / f"Library/{number}.mp4", 40 << 20, number)
    drive.backed_up()
    drive.run("backup", "pause")
    with pytest.raises(OSError) as caught:
        for number in range(8, 30):
            big_file(drive.path / f"Library/{number}.mp4", 40 << 20, number)
    assert caught.value.errno == 28
    written = [p for p in (drive.path / "Library").iterdir()]
    assert len(written) >= 8
    drive.run("backup", "resume")
    drive.backed_up()
    for number in range(8):
        big_file(folder / "want", 40 << 20, number)
        assert sha256(drive.path / f"Library/{number}.mp4") == sha256(folder / "want"), number
    drive.unmount()


def test_an_original_that_the_disk_spoiled_before_its_upload_is_named_and_not_waited_for(drive):
    drive.run("backup", "pause")
    (drive.path / "Library/bad.mp4").write_bytes(b"fine" * 1000)
    (drive.path / "Library/good.mp4").write_bytes(b"good" * 1000)
    drive.wait_sealed()
    spoil(drive, b"fine")
    drive.run("backup", "resume")
    drive.run("backup", "now")
    waited = drive.run("backup", "wait", check=False, timeout_s=120)
    assert waited.returncode != 0
    for words in ("Library/bad.mp4", "not those that were written", "no remote has a copy", "write a good copy over it"):
        assert words in waited.stderr, waited.stderr
    assert (drive.remote / "Library/good.mp4").read_bytes() == b"good" * 1000
    assert not (drive.remote / "Library/bad.mp4").exists()
    remote = drive.json("status")["remotes"][0]
    assert (remote["pending_files"], remote["damaged_files"]) == (1, 1)
    assert remote["damaged"][0]["path"] == "Library/bad.mp4" and remote["waiting_for"] == ""
    shown = drive.run("status").stdout
    assert "1 of them damaged" in shown and "Library/bad.mp4: its bytes on this disk" in shown
    assert (drive.path / "Library/bad.mp4").read_bytes() == b"spoi" + b"fine" * 999
    drive.remount()
    assert drive.json("status")["remotes"][0]["damaged_files"] == 1
    # What the message says one can do.
    (drive.path / "Library/bad.mp4").write_bytes(b"fine" * 1000)
    drive.backed_up()
    assert (drive.remote / "Library/bad.mp4").read_bytes() == b"fine" * 1000
    wait_until(lambda: drive.status()["remotes"][0]["damaged_files"] == 0, 20, "nothing damaged any more")
    assert drive.json("status")["remotes"][0]["pending_files"] == 0
    assert drive.run("fsck").returncode == 0


def test_status_counts_what_stays_here_because_of_its_name(drive):
    assert drive.json("status")["kept_here"] == 0
    (drive.path / "Library/.hidden").write_bytes(b"1234")
    (drive.path / "Library/note.txt~").write_bytes(b"12")
    (drive.path / "Library/real.txt").write_bytes(b"text")
    status = drive.json("status")
    assert (status["kept_here"], status["kept_here_bytes"]) == (2, 6)
    assert "2 files (6 B)" in drive.run("status").stdout
    os.rename(drive.path / "Library/.hidden", drive.path / "Library/shown.txt")
    os.unlink(drive.path / "Library/note.txt~")
    assert drive.json("status")["kept_here"] == 0
    assert "kept here" not in drive.run("status").stdout
