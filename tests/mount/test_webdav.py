"""The drive over WebDAV: rclone's server behind the fault proxy of the test suite."""
import pytest
from clips import fill, reads
from drive import sha256, wait_until
from servers import FaultProxy, RcloneDav


@pytest.fixture
def dav(folder):
    """A WebDAV server."""
    one = RcloneDav(folder)
    yield one
    one.stop()


@pytest.fixture
def proxy(dav):
    """The proxy in front of it."""
    one = FaultProxy(dav.port)
    yield one
    one.close()


@pytest.fixture
def drive(dav, proxy, make_drive):
    """A drive whose only remote is that server."""
    return make_drive(settings=f'[[remote]]\nname = "cloud"\nurl = "dav://127.0.0.1:{proxy.port}/"\n'
                               f'credentials_file = "{dav.login}"\n').mount()


def test_photos_go_there_under_their_names_and_come_back(dav, drive):
    want = fill(drive, 4, 700_000)
    drive.backed_up()
    for path, digest in want.items():
        assert sha256(dav.folder / path.relative_to(drive.path)) == digest
    drive.evict()
    for path, digest in want.items():
        assert drive.state(path) in ("remote", "partial")
        assert sha256(path) == digest


def test_status_says_that_the_server_is_down_and_the_upload_goes_on_when_it_is_back(dav, drive):
    want = fill(drive, 1, 700_000)
    drive.backed_up()
    drive.evict()
    dav.stop()
    late = drive.path / "Library/late.mp4"
    late.write_bytes(b"written while the server was down")
    drive.run("backup", "now")

    def told():
        remote = drive.json("status")["remotes"][0]
        return remote["pending_files"] == 1 and "127.0.0.1" in remote["last_error"]
    wait_until(told, 60, "status to say why")
    for path in want:
        with pytest.raises(OSError):
            path.read_bytes()
    dav.start()
    drive.backed_up()
    assert (dav.folder / "Library/late.mp4").read_bytes() == late.read_bytes()
    for path, digest in want.items():
        wait_until(lambda path=path, digest=digest: reads(path, digest), 60, "reading once the server is back")


def test_backup_and_reading_back_converge_through_faults(proxy, drive):
    proxy.faults(error500=0.05, error503=0.05, reset=0.03, lost=0.03, double=0.05, truncate=0.03)
    want = fill(drive, 9, 400_000)

    def sent():
        drive.run("backup", "now")
        return drive.json("status")["remotes"][0]["pending_files"] == 0
    wait_until(sent, 240, "the uploads")
    drive.evict()
    proxy.faults(error500=0.1, flip=0.1, truncate=0.1, only="GET")
    left = dict(want)

    def all_read():
        for path in [path for path, digest in left.items() if reads(path, digest)]:
            del left[path]
        return not left
    wait_until(all_read, 240, "reading everything back")
    assert sum(proxy.stats()["faults"].values()) > 0


def test_a_server_without_its_storage_is_never_taken_for_empty(dav, drive):
    want = fill(drive, 1, 700_000)
    drive.backed_up()
    drive.evict()
    drive.unmount()
    moved = dav.folder.with_name("unmounted")
    dav.stop()
    dav.folder.rename(moved)
    dav.folder.mkdir()
    dav.start()
    drive.mount()
    (path, digest), = want.items()
    with pytest.raises(OSError):
        path.read_bytes()
    (drive.path / "Library/new.mp4").write_bytes(b"new")
    drive.run("backup", "now")
    wait_until(lambda: ".shoebox/remote" in drive.status()["remotes"][0]["last_error"], 60, "status to say why")
    assert not list(dav.folder.iterdir())
    dav.stop()
    dav.folder.rmdir()
    moved.rename(dav.folder)
    dav.start()
    drive.backed_up()
    wait_until(lambda: reads(path, digest), 60, "reading once the storage is back")
