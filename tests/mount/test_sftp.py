"""The drive over SFTP: OpenSSH's server with keys of its own."""
import pytest
from clips import fill, reads
from drive import sha256, wait_until
from servers import Sshd


@pytest.fixture
def sshd(folder):
    """An SFTP server."""
    one = Sshd(folder)
    yield one
    one.stop()


@pytest.fixture
def drive(sshd, make_drive):
    """A drive whose only remote is that server; not mounted yet."""
    return make_drive(settings=f'[[remote]]\nname = "nas"\nurl = "{sshd.url}"\nidentity_file = "{sshd.key}"\n'
                               f'known_hosts = "{sshd.known_hosts}"\n')


def last_error(drive):
    """Why the backup waits, as status tells."""
    return drive.json("status")["remotes"][0]["last_error"]


def test_photos_go_there_under_their_names_and_come_back(sshd, drive):
    drive.mount()
    want = fill(drive, 4, 3_000_000)
    drive.backed_up()
    for path, digest in want.items():
        assert sha256(sshd.folder / path.relative_to(drive.path)) == digest
    drive.evict()
    for path, digest in want.items():
        assert sha256(path) == digest


def test_status_says_that_the_server_is_down_and_the_upload_goes_on_when_it_is_back(sshd, drive):
    drive.mount()
    want = fill(drive, 1, 700_000)
    drive.backed_up()
    drive.evict()
    sshd.stop()
    late = drive.path / "Library/late.mp4"
    late.write_bytes(b"written while the server was down")
    drive.run("backup", "now")
    wait_until(lambda: "127.0.0.1" in last_error(drive), 60, "status to say why")
    for path in want:
        with pytest.raises(OSError):
            path.read_bytes()
    sshd.start()
    drive.backed_up()
    assert (sshd.folder / "Library/late.mp4").read_bytes() == late.read_bytes()
    for path, digest in want.items():
        wait_until(lambda path=path, digest=digest: reads(path, digest), 60, "reading once the server is back")


def test_a_host_that_is_not_known_gets_nothing_and_status_says_what_to_run(sshd, drive):
    sshd.known_hosts.write_text("", encoding="utf-8")
    drive.mount()
    fill(drive, 1, 1000)
    drive.run("backup", "now")
    wait_until(lambda: f"run: ssh -o UserKnownHostsFile={sshd.known_hosts} -p {sshd.port}" in last_error(drive), 60,
               "status to say what to run")
    assert not list(sshd.folder.iterdir())
    sshd.known_hosts.write_text(sshd.known_line, encoding="utf-8")
    drive.remount()
    drive.backed_up()
    assert list(sshd.folder.iterdir())


def test_a_changed_host_key_is_refused(sshd, drive):
    other = sshd.known_line.split()
    other[2] = other[2][:-8] + "AAAAAAAA"
    sshd.known_hosts.write_text(" ".join(other) + "\n", encoding="utf-8")
    drive.mount()
    fill(drive, 1, 1000)
    drive.run("backup", "now")
    wait_until(lambda: "somebody may stand between" in last_error(drive), 60, "status to warn")
    assert not list(sshd.folder.iterdir())
