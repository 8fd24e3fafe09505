"""Damaged libraries, gone disks, wrong remotes: a clear error, nothing lost, the drive goes on."""
import errno
import json
import os
import shutil
import socket
import subprocess

import pytest
from drive import sha256, wait_until


def refused(drive, *words):
    """The mount must end by itself, with one line that has these words."""
    drive.mount(wait=False)
    try:
        code = drive.process.wait(60)
    finally:
        drive.process = None if drive.process.poll() is not None else drive.process
    assert code not in (0, 99, -6, -11)
    text = drive.log_text()
    for word in words:
        assert word in text, text


def test_damaged_thumbnails_are_made_again(drive, made_photos, folder):
    picture = sorted(made_photos.glob("*.jpg"))[0]
    shutil.copy2(picture, drive.path / "Library/p.jpg")
    drive.wait_sealed(30)
    drive.unmount()
    (drive.library / "thumbnails/CURRENT").write_bytes(b"nonsense")
    drive.mount()
    jpeg = drive.run("thumbnail", drive.path / "Library/p.jpg", "--size", "256", text=False).stdout
    assert jpeg.startswith(b"\xff\xd8")


def test_catalog_with_a_missing_table_is_refused_not_emptied(drive):
    (drive.path / "Library/a.txt").write_bytes(b"x")
    for _ in range(2):  # RocksDB turns its log into a table on the second opening
        drive.remount()
    drive.unmount()
    tables = list((drive.library / "catalog").glob("*.sst"))
    if not tables:
        pytest.skip("no table was written")
    held = tables[0].read_bytes()
    tables[0].unlink()
    refused(drive, "catalog")
    tables[0].write_bytes(held)
    drive.mount()
    assert (drive.path / "Library/a.txt").read_bytes() == b"x"


def test_catalog_without_its_first_file_is_told_and_repaired(drive):
    (drive.path / "Library/a.txt").write_bytes(b"x")
    for _ in range(2):
        drive.remount()
    drive.unmount()
    assert list((drive.library / "catalog").glob("*.sst"))
    (drive.library / "catalog/CURRENT").unlink()
    refused(drive, "CURRENT", "shoebox rebuild", "fsck --repair")
    drive.run("fsck", "--repair")
    drive.mount()
    assert (drive.path / "Library/a.txt").read_bytes() == b"x"


def test_missing_bucket_and_wrong_keys_show_in_status_and_lose_nothing(make_drive, folder):
    drive = make_drive(settings='[[remote]]\nname = "s3"\nurl = "s3://absent-bucket/x"\n'
                                'endpoint = "http://127.0.0.1:9"\nregion = "us-east-1"\n')
    drive.env.update(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b")
    drive.mount()
    (drive.path / "Library/a.mp4").write_bytes(b"x" * 100000)
    wait_until(lambda: drive.status()["remotes"][0]["last_error"], 30, "an error in status")
    drive.run("evict", "--all", check=False)
    assert (drive.path / "Library/a.mp4").read_bytes() == b"x" * 100000


def test_credentials_file_that_others_may_read_is_refused(make_drive, folder):
    secret = folder / "keys"
    secret.write_text('access_key = "a"\nsecret_key = "b"\n')
    secret.chmod(0o644)
    drive = make_drive(settings=f'[[remote]]\nname = "s3"\nurl = "s3://bucket"\ncredentials_file = "{secret}"\n')
    drive.mount()  # photos stay within reach; the remote is not used, and status says why
    (drive.path / "Library/a.txt").write_bytes(b"x")
    wait_until(lambda: "chmod 600" in drive.status()["remotes"][0]["last_error"], 30, "the error in status")
    assert (drive.path / "Library/a.txt").read_bytes() == b"x"


def test_a_small_disk_that_is_full_can_be_mounted_again(loop_disk, make_drive):
    disk = loop_disk(64)  # less than the reserve of the catalog
    drive = make_drive()
    drive.library = disk / "library"
    drive.mount()
    drive.run("backup", "pause")
    kept = {}
    with pytest.raises(OSError) as caught:
        for number in range(64):
            data = os.urandom(1 << 20)
            (drive.path / f"Library/{number}.mp4").write_bytes(data)
            kept[number] = data
    assert caught.value.errno == errno.ENOSPC and kept
    for _ in range(2):
        drive.remount()
        assert all((drive.path / f"Library/{number}.mp4").read_bytes() == data for number, data in kept.items())
    drive.unmount()
    with open(disk / "ballast", "wb", buffering=0) as file:  # whatever was left, the reserve as well
        for reserve in disk.glob("library/**/reserve"):
            reserve.unlink()
        with pytest.raises(OSError):
            while True:
                file.write(bytes(64 << 10))
    refused(drive, "free some space")
    (disk / "ballast").unlink()
    drive.mount()
    assert all((drive.path / f"Library/{number}.mp4").read_bytes() == data for number, data in kept.items())
    drive.unmount()


def test_a_disk_that_is_full_again_and_again_can_be_mounted_and_goes_on_when_there_is_room(loop_disk, make_drive):
    disk = loop_disk(300)  # ext4 keeps some of it for root, who may be the one that mounts
    drive = make_drive(remotes=[])
    drive.library = disk / "library"
    kept, number = {}, 0
    for turn in range(5):
        drive.mount()
        refused_in_a_row = 0
        while refused_in_a_row < 10:
            number += 1
            data = os.urandom((1_000_000, 1000, 100_000)[number % 3])
            try:
                (drive.path / f"Library/{number}.mp4").write_bytes(data)
                kept[number] = data
                refused_in_a_row = 0
            except OSError as error:
                assert error.errno == errno.ENOSPC
                refused_in_a_row += 1
        drive.kill() if turn % 2 else drive.unmount()
    drive.mount()
    assert all((drive.path / f"Library/{number}.mp4").read_bytes() == data for number, data in kept.items())
    for number in list(kept)[::2]:
        (drive.path / f"Library/{number}.mp4").unlink()
    drive.run("trash", "empty", "--all")

    def takes_photos_again():
        try:
            (drive.path / "Library/new.mp4").write_bytes(os.urandom(1_000_000))
        except OSError as error:
            assert error.errno == errno.ENOSPC
            return False
        return True
    wait_until(takes_photos_again, 30, "room for a new photo")
    drive.unmount()


def test_read_only_disk_gives_a_read_only_drive(loop_disk, make_drive):
    disk = loop_disk(300)
    drive = make_drive()
    drive.library = disk / "library"
    drive.mount()
    (drive.path / "Library/a.txt").write_bytes(b"x")
    large = os.urandom(3_000_000)
    (drive.path / "Library/large.mp4").write_bytes(large)
    drive.backed_up()
    drive.evict(drive.path / "Library/large.mp4")
    drive.unmount()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    drive.mount()
    assert "read-only  the disk of the library is read-only" in drive.run("status").stdout
    assert (drive.path / "Library/a.txt").read_bytes() == b"x"
    for _ in range(2):
        assert (drive.path / "Library/large.mp4").read_bytes() == large  # fetched, and kept nowhere on that disk
        drive.drop_caches()
    with pytest.raises(OSError) as caught:
        (drive.path / "Library/b.txt").write_bytes(b"x")
    assert caught.value.errno == 30
    drive.unmount()


def test_staging_file_without_a_record_is_recovered_not_deleted(drive):
    drive.unmount()
    (drive.library / "staging/999999").write_bytes(b"nobody knows me")
    drive.mount()
    recovered = [p for p in (drive.library / "recovered").rglob("*") if p.is_file()]
    assert [p.read_bytes() for p in recovered] == [b"nobody knows me"]


def test_hostile_and_random_bytes_named_as_photos_come_back(drive):
    import random
    chooser = random.Random(5)
    want = {}
    for number, kind in enumerate(("jpg", "heic", "cr3", "mp4", "png", "webp", "tif", "dng", "gif", "mov")):
        for size in (0, 1, 100, 70000):
            name = f"r{number}-{size}.{kind}"
            (drive.path / "Library" / name).write_bytes(chooser.randbytes(size))
            want[name] = sha256(drive.path / "Library" / name)
    drive.wait_sealed(60)
    drive.backed_up()
    drive.evict()
    assert {n: sha256(drive.path / "Library" / n) for n in want} == want
    assert os.path.ismount(drive.path)


@pytest.fixture
def server():
    """A port that nobody may come to: how many did."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        yield listening
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.mark.parametrize("kind, lines", [("s3", 'access_key = "AK"\nsecret_key = "SK"\n'),
                                         ("dav", 'user = "anna"\npassword = "geheim"\n'),
                                         ("sftp", 'password = "geheim"\n')])
def test_config_check_says_what_is_wrong_with_credentials_and_asks_nobody(make_drive, folder, server, kind, lines):
    url = "s3://bucket" if kind == "s3" else f"{kind}://127.0.0.1:{server.getsockname()[1]}/photos"
    endpoint = f'endpoint = "http://127.0.0.1:{server.getsockname()[1]}"\n' if kind == "s3" else ""
    secrets = folder / "login"
    section = f'[[remote]]\nname = "cloud"\nurl = "{url}"\n{endpoint}'
    drive = make_drive(settings=f'{section}credentials_file = "{secrets}"\n')

    def check(code, *words):
        done = drive.run("config", "check", check=False)
        assert done.returncode == code and ("all right" in done.stdout) == (code == 0), done
        assert len(done.stderr.splitlines()) == code and "geheim" not in done.stderr, done.stderr
        for word in words:
            assert word in done.stderr
    check(1, "cloud", str(secrets), "No such file")
    for text, words in (("", ["login"]), (lines.replace("ss", "s"), ["login:", "did you mean"])):
        secrets.write_text(text, encoding="utf-8")
        secrets.chmod(0o600)
        check(1, "cloud", *words)
    secrets.write_text(lines, encoding="utf-8")
    check(0)
    secrets.chmod(0o644)
    check(1, "cloud", "chmod 600")
    problems = json.loads(drive.run("config", "check", "--json", check=False).stdout)["problems"]
    assert len(problems) == 1 and "chmod 600" in problems[0]
    for command in ("exit 3", "echo none"):
        (drive.library / "shoebox.toml").write_text(f"{section}credentials_command = '{command}'\n", encoding="utf-8")
        check(1, "cloud", "credentials_command")


def test_config_check_reads_a_passphrase_though_the_remote_cannot_be_used(make_drive, folder, server):
    secrets = folder / "login"
    secrets.write_text('user = "anna"\npassword = "geheim"\n', encoding="utf-8")
    drive = make_drive(settings='[[remote]]\nname = "vault"\ncrypt = true\n'
                                f'url = "dav://127.0.0.1:{server.getsockname()[1]}/photos"\n'
                                f'credentials_file = "{secrets}"\npassphrase_file = "{folder}/passphrase"\n')
    secrets.chmod(0o644)
    done = drive.run("config", "check", check=False)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 2, done
    assert "chmod 600" in done.stderr and str(folder / "passphrase") in done.stderr
