"""A drive whose remote is encrypted: nothing plain leaves this machine, and everything comes back."""
import os
import pty
import random
import select
import shutil
import signal
import subprocess

import pytest
from drive import SHOEBOX, mounted, sha256, wait_until
from test_s3 import s3  # noqa: F401 a fixture

PASSPHRASE = "correct horse battery staple"


def settings(drive, passphrase=True, more=""):
    """One encrypted folder as remote."""
    source = 'passphrase_file = "passphrase"\n' if passphrase else ""
    return f'[[remote]]\nname = "vault"\nurl = "file://{drive.remote}"\ncrypt = true\n{source}{more}'


def write_passphrase(drive, text=PASSPHRASE, mode=0o600):
    """The file that the settings name."""
    path = drive.library / "passphrase"
    path.write_text(text + "\n", encoding="utf-8")
    path.chmod(mode)


def set_up(drive, **more):
    """Settings and passphrase in place."""
    drive.library.mkdir(mode=0o700, exist_ok=True)
    (drive.library / "shoebox.toml").write_text(settings(drive, **more), encoding="utf-8")
    write_passphrase(drive)
    return drive


@pytest.fixture
def vault(make_drive):
    """A mounted drive with an encrypted folder as its remote."""
    return set_up(make_drive()).mount()


def remote_status(drive):
    """What status says of the only remote."""
    return drive.status()["remotes"][0]


def objects(drive):
    """Files on the remote that are not its own."""
    return [p for p in drive.remote.rglob("*") if p.is_file() and ".shoebox" not in p.parts]


def rclone(drive, *arguments):
    """The real rclone with a crypt remote sb: over the folder."""
    obscured = subprocess.run(["rclone", "obscure", PASSPHRASE], check=True, capture_output=True, text=True)
    env = dict(os.environ, RCLONE_CONFIG=str(drive.folder / "none"), RCLONE_CONFIG_SB_TYPE="crypt",
               RCLONE_CONFIG_SB_REMOTE=str(drive.remote), RCLONE_CONFIG_SB_PASSWORD=obscured.stdout.strip())
    return subprocess.run(["rclone", "--quiet", *map(str, arguments)], check=True, capture_output=True, env=env)


def test_nothing_plain_is_on_the_remote_and_everything_comes_back(vault, made_photos, folder):
    pictures = sorted(made_photos.glob("*.jpg"))[:6]
    (vault.path / "Library/Wedding").mkdir()
    for picture in pictures:
        shutil.copy2(picture, vault.path / "Library/Wedding")
    vault.backed_up()
    folders = [path.parent for path in objects(vault)]  # of the originals, and of the catalog
    assert len(pictures) in [folders.count(one) for one in folders]
    probes = [picture.read_bytes()[at:at + 16] for picture in pictures for at in (0, 2000, 20000)]
    names = [picture.name for picture in pictures] + ["Wedding", "Library", ".jpg"]
    for path in vault.remote.rglob("*"):
        shown = str(path.relative_to(vault.remote))
        assert not any(name in shown for name in names), shown
        if path.is_file():
            held = path.read_bytes()
            assert not any(name.encode() in held for name in names if name != ".jpg"), shown
            assert not any(probe in held for probe in probes), shown
    vault.evict()
    vault.remount()
    for picture in pictures:
        assert sha256(vault.path / "Library/Wedding" / picture.name) == sha256(picture)
    if shutil.which("rclone"):
        rclone(vault, "copy", "sb:", folder / "back")
        for picture in pictures:
            assert sha256(folder / "back/Library/Wedding" / picture.name) == sha256(picture)


def test_a_range_costs_only_its_blocks(vault):
    want = random.Random(1).randbytes(64 << 20)
    (vault.path / "Library/a.mp4").write_bytes(want)
    vault.backed_up()
    vault.evict()
    vault.remount()  # nothing is remembered of the file
    before = remote_status(vault)
    with open(vault.path / "Library/a.mp4", "rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        assert os.pread(file.fileno(), 1000, 40 << 20) == want[40 << 20:(40 << 20) + 1000]
    # What the drive fetches for a seek, and what encryption adds: the header, and 16 bytes each 64 KiB. The read is
    # answered before all of it came.
    def received():
        return remote_status(vault)["received_bytes"] - before["received_bytes"]
    wait_until(lambda: received() % (256 << 10) == 32 + received() // (256 << 10) * 64, 10, "whole blocks")
    assert 256 << 10 <= received() <= 16 << 20
    after = remote_status(vault)
    assert after["requests"] - before["requests"] <= 3
    assert vault.state("Library/a.mp4") == "partial"


def test_a_changed_block_is_an_error_and_never_served(vault):
    want = random.Random(2).randbytes(3 << 20)
    (vault.path / "Library/a.mp4").write_bytes(want)
    vault.backed_up()
    vault.evict()
    path = objects(vault)[0]
    held = bytearray(path.read_bytes())
    held[1 << 20] ^= 1
    path.write_bytes(held)
    with pytest.raises(OSError):
        (vault.path / "Library/a.mp4").read_bytes()
    held[1 << 20] ^= 1
    path.write_bytes(held)
    wait_until(lambda: _reads(vault.path / "Library/a.mp4", want), 60, "reading once the bytes are right again")


def _reads(path, want):
    """Whether the file can be read whole now; what can be read must be right."""
    try:
        got = path.read_bytes()
    except OSError:
        return False
    assert got == want
    return True


def test_a_wrong_passphrase_is_said_and_writes_nothing(vault):
    want = random.Random(3).randbytes(1 << 20)
    (vault.path / "Library/a.mp4").write_bytes(want)
    vault.backed_up()
    vault.evict()
    vault.unmount()
    before = sorted(str(p) for p in vault.remote.rglob("*"))
    write_passphrase(vault, "another")
    checked = vault.run("config", "check", check=False)
    assert checked.returncode == 1 and "vault: the passphrase" in checked.stderr

    background = subprocess.run([SHOEBOX, "mount", str(vault.library), str(vault.path)], check=False,
                                capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert background.returncode == 1 and "vault: the passphrase" in background.stderr, background
    try:
        # The drive goes on without the remote.
        (vault.path / "Library/b.mp4").write_bytes(random.Random(4).randbytes(1 << 20))
        with pytest.raises(OSError):
            (vault.path / "Library/a.mp4").read_bytes()
        assert (vault.path / "Library/b.mp4").stat().st_size == 1 << 20
        vault.run("backup", "now")
        wait_until(lambda: "passphrase" in remote_status(vault)["last_error"], 30, "the reason in status")
        wait_until(lambda: not remote_status(vault)["online"], 30, "offline")
        waited = vault.run("backup", "wait", check=False)
        assert waited.returncode != 0 and "passphrase" in waited.stderr
        assert sorted(str(p) for p in vault.remote.rglob("*")) == before
        # Put right while it is mounted.
        write_passphrase(vault)
        wait_until(lambda: _backed_up(vault), 60, "the upload")
        wait_until(lambda: _reads(vault.path / "Library/a.mp4", want), 60, "reading with the right passphrase")
    finally:
        subprocess.run(["fusermount3", "-u", str(vault.path)], check=True)
        wait_until(lambda: not mounted(vault.path), 30, "the unmount")
        wait_until(lambda: vault.run("config", "check", check=False).returncode == 0, 30, "the mount's end")


def test_a_reload_says_that_the_passphrase_is_wrong_or_cannot_be_read_and_the_drive_goes_on(vault):
    want = random.Random(6).randbytes(1 << 20)
    (vault.path / "Library/a.mp4").write_bytes(want)
    vault.backed_up()
    vault.evict()
    other = vault.library / "other"
    other.write_text("another\n", encoding="utf-8")
    other.chmod(0o600)
    right = (vault.library / "shoebox.toml").read_text(encoding="utf-8")

    def expect_refused(file, *parts):
        done = vault.run("config", "reload", check=False)
        said = done.stderr.strip()
        assert done.returncode == 1 and said.count("\n") == 0, (done, vault.log_text())
        for part in ("vault", str(vault.library / file), *parts):
            assert part in said, said
        vault.drop_caches()
        assert (vault.path / "Library/a.mp4").read_bytes() == want

    # Another file, and the same file with another text.
    (vault.library / "shoebox.toml").write_text(right.replace('"passphrase"', '"other"'), encoding="utf-8")
    expect_refused("other", "is not the one that this remote was encrypted with")
    (vault.library / "shoebox.toml").write_text(right, encoding="utf-8")
    write_passphrase(vault, "another")
    expect_refused("passphrase", "is not the one that this remote was encrypted with")
    write_passphrase(vault, mode=0o644)
    expect_refused("passphrase", "chmod 600")
    (vault.library / "passphrase").unlink()
    expect_refused("passphrase", "No such file")
    # What was refused was not taken over in part: it still sends.
    (vault.path / "Library/b.mp4").write_bytes(random.Random(7).randbytes(1 << 20))
    vault.backed_up()
    assert remote_status(vault)["online"]
    write_passphrase(vault)
    assert "count from now on" in vault.run("config", "reload").stdout


def _backed_up(drive):
    drive.run("backup", "now")
    return remote_status(drive)["pending_files"] == 0


def test_a_passphrase_that_others_can_read_is_refused(make_drive):
    drive = set_up(make_drive())
    write_passphrase(drive, mode=0o644)
    checked = drive.run("config", "check", check=False)
    assert checked.returncode == 1 and "chmod 600" in checked.stderr


def test_a_new_remote_is_no_reason_for_a_warning(make_drive):
    checked = set_up(make_drive()).run("config", "check")
    assert "warning" not in checked.stdout and "used before" not in checked.stdout, checked.stdout


def test_a_remote_that_holds_plain_files_is_left_alone(make_drive, folder):
    drive = make_drive().mount()
    (drive.path / "Library/a.mp4").write_bytes(random.Random(5).randbytes(1 << 20))
    drive.backed_up()
    drive.unmount()
    set_up(drive).mount()
    wait_until(lambda: "a.mp4" in remote_status(drive)["last_error"], 30, "the reason in status")
    assert [p.name for p in objects(drive)] == ["a.mp4"]
    assert sha256(drive.path / "Library/a.mp4") == sha256(drive.remote / "Library/a.mp4")


def test_names_too_long_to_be_encrypted_get_a_short_key(vault):
    name = "n" * 200 + ".mp4"
    fits = "f" * 139 + ".mp4"
    for number, one in enumerate((name, fits)):
        (vault.path / "Library" / one).write_bytes(random.Random(number).randbytes(300_000))
    want = {one: sha256(vault.path / "Library" / one) for one in (name, fits)}
    vault.backed_up()
    assert max(len(p.name) for p in objects(vault)) <= 255
    vault.evict()
    vault.remount()
    for one, digest in want.items():
        assert sha256(vault.path / "Library" / one) == digest
    if shutil.which("rclone"):
        listed = rclone(vault, "lsf", "-R", "--files-only", "sb:").stdout.decode().splitlines()
        assert f"Library/{fits}" in listed
        assert any(one.startswith(".shoebox/short/") and one.endswith(".mp4") for one in listed)


def test_a_multipart_upload_goes_on_after_kill(s3, make_drive):  # noqa: F811
    drive = make_drive()
    drive.library.mkdir(mode=0o700)
    write_passphrase(drive)
    (drive.library / "shoebox.toml").write_text(
        f'[[remote]]\nname = "bucket"\nurl = "s3://photos/vault"\nendpoint = "http://127.0.0.1:{s3.port}"\n'
        # One request at a time: bytes of the second part mean that the first was answered.
        f'crypt = true\npassphrase_file = "passphrase"\nconnections = 1\n', encoding="utf-8")
    drive.env.update(AWS_ACCESS_KEY_ID="shoebox", AWS_SECRET_ACCESS_KEY="shoebox-secret")
    drive.mount()
    want = random.Random(7).randbytes(50_000_000)
    s3.faults(delay=1.0)
    (drive.path / "Library/0.mp4").write_bytes(want)
    drive.run("backup", "now")
    wait_until(lambda: s3.stats()["bytes_up"] > 18_000_000, 60, "the first part")
    drive.kill()
    before = s3.stats()["bytes_up"]
    s3.faults()
    drive.mount()
    drive.backed_up()
    # The first part was encrypted under the same nonce, so it counts and is not sent again.
    assert s3.stats()["bytes_up"] - before < 50_000_000 - 16_000_000
    drive.evict()
    assert (drive.path / "Library/0.mp4").read_bytes() == want


def mount_from_terminal(drive, *typed):
    """Mounts in the background from a terminal, typing at each question; the exit code and what was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(SHOEBOX, [SHOEBOX, "mount", str(drive.library), str(drive.path)])
    shown = b""
    left = list(typed)
    while select.select([terminal], [], [], 60)[0]:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the last one let go of the terminal
            break
        if not piece:
            break
        shown += piece
        if shown.endswith(b": ") and left:
            os.write(terminal, left.pop(0).encode() + b"\n")
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(terminal)
    _, state = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(state), shown.decode()


def test_without_a_source_the_terminal_is_asked(make_drive):
    drive = set_up(make_drive(), passphrase=False)
    (drive.library / "passphrase").unlink()
    code, shown = mount_from_terminal(drive, PASSPHRASE, PASSPHRASE)  # a new one is asked for twice
    try:
        assert code == 0, shown
        assert shown.count("passphrase of remote vault") == 1 and PASSPHRASE not in shown
        (drive.path / "Library/a.mp4").write_bytes(random.Random(6).randbytes(300_000))
        drive.backed_up()
        assert not any(PASSPHRASE.encode() in p.read_bytes() for p in drive.library.rglob("*")
                       if p.is_file() and not p.is_socket())
    finally:
        subprocess.run(["fusermount3", "-u", str(drive.path)], check=True)
    wait_until(lambda: not mounted(drive.path), 30, "the unmount")
    wait_until(lambda: drive.run("fsck", check=False).returncode == 0, 30, "the mount's end")
    code, shown = mount_from_terminal(drive, "mistyped", PASSPHRASE)  # then until it is the right one
    try:
        assert code == 0 and shown.count("passphrase of remote vault") == 2, shown
        assert remote_status(drive)["last_error"] == ""
    finally:
        subprocess.run(["fusermount3", "-u", str(drive.path)], check=True)
        wait_until(lambda: not mounted(drive.path), 30, "the unmount")


def test_encryption_is_not_left_by_leaving_out_a_line(vault, folder):
    (vault.path / "Library/a.txt").write_bytes(b"secret")
    vault.backed_up()
    vault.unmount()
    settings_file = vault.library / "shoebox.toml"
    encrypted = settings_file.read_text(encoding="utf-8")
    settings_file.write_text(f'[[remote]]\nname = "vault"\nurl = "file://{vault.remote}"\n', encoding="utf-8")
    done = subprocess.run([SHOEBOX, "mount", str(vault.library), str(vault.path)], check=False, capture_output=True, text=True,
                          env=vault.env, timeout=60)
    assert done.returncode != 0 and "was encrypted" in done.stderr, done.stderr
    settings_file.write_text(encrypted, encoding="utf-8")
    vault.mount()
    assert (vault.path / "Library/a.txt").read_bytes() == b"secret"
    # Nor is what is encrypted taken for somebody's photos.
    done = subprocess.run([SHOEBOX, "adopt", f"file://{vault.remote}", "--library", str(folder / "other")], check=False,
                          capture_output=True, text=True, env=vault.env, timeout=60)
    assert done.returncode != 0 and "is encrypted" in done.stderr, done.stderr
    done = subprocess.run([SHOEBOX, "rebuild", "--from", f"file://{vault.remote}", str(folder / "third")], check=False,
                          capture_output=True, text=True, env=vault.env, timeout=60)
    assert done.returncode != 0 and "is encrypted" in done.stderr, done.stderr
