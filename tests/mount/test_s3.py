"""The drive over S3 with a server that fails: it converges by itself, serves no wrong byte, and says what
it waits for. The server is the test suite's own (tests/servers/mini_s3.py) behind its fault proxy."""
import json
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from clips import fill, reads
from drive import sha256, wait_until

SERVERS = Path(__file__).parents[1] / "servers"


class FaultyS3:
    """An S3 server and the proxy in front of it."""

    def __init__(self):
        self.server = subprocess.Popen(["/usr/bin/python3", str(SERVERS / "mini_s3.py"), "--bucket", "photos"],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.upstream = int(self.server.stdout.readline().split()[0])
        self.proxy = subprocess.Popen(["/usr/bin/python3", str(SERVERS / "fault_proxy.py"), "--upstream",
                                       f"127.0.0.1:{self.upstream}", "--seed", "7"],
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port, self.control = map(int, self.proxy.stdout.readline().split())

    def faults(self, **faults):
        """Probabilities from now on, and what limits them."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.control}/faults", json.dumps(faults).encode(),
                                         method="POST")
        urllib.request.urlopen(request, timeout=10).close()

    def stats(self):
        """What went through the proxy."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.control}/stats", timeout=10) as answer:
            return json.load(answer)

    def close(self):
        """Stops both."""
        for process in (self.proxy, self.server):
            process.terminate()
            process.wait(10)
            process.stdout.close()


@pytest.fixture
def s3():
    """A server and its proxy."""
    one = FaultyS3()
    yield one
    one.close()


@pytest.fixture
def drive(s3, make_drive):
    """A drive whose only remote is the bucket behind the proxy."""
    one = make_drive(settings=f'[[remote]]\nname = "bucket"\nurl = "s3://photos/home"\n'
                              f'endpoint = "http://127.0.0.1:{s3.port}"\n')
    one.env.update(AWS_ACCESS_KEY_ID="shoebox", AWS_SECRET_ACCESS_KEY="shoebox-secret")
    return one.mount()


def test_backup_and_reading_back_converge_through_faults(s3, drive):
    s3.faults(error500=0.1, error503=0.1, reset=0.05, lost=0.05, double=0.05)
    want = fill(drive, 12, 700_000)

    def sent():
        drive.run("backup", "now")
        return drive.json("status")["remotes"][0]["pending_files"] == 0
    wait_until(sent, 120, "the uploads")
    # Nothing leaves while the last that the remote said was a failure.
    wait_until(lambda: "kept" not in drive.run("evict", "--all", check=False).stdout, 120, "the eviction")
    drive.drop_caches()
    s3.faults(error500=0.1, flip=0.1, truncate=0.1, only="GET")
    read = set()

    def all_read():
        read.update(path for path in want.keys() - read if reads(path, want[path]))
        return len(read) == len(want)
    wait_until(all_read, 120, "reading everything back")
    assert sum(s3.stats()["faults"].values()) > 0


def test_a_flipped_bit_is_an_error_or_fetched_again_never_served(s3, drive):
    [(path, digest)] = fill(drive, 1, 3_000_000).items()
    drive.backed_up()
    drive.evict()
    s3.faults(flip=1.0, only="GET")
    with pytest.raises(OSError):
        path.read_bytes()
    s3.faults()
    wait_until(lambda: reads(path, digest), 60, "reading once the server is well")


def test_a_stalled_server_gives_an_error_within_the_deadline_and_local_files_go_on(s3, drive):
    [path] = fill(drive, 1, 3_000_000)
    drive.backed_up()
    drive.evict()
    s3.faults(stall=1.0, only="GET")
    reader = subprocess.Popen(["cat", str(path)], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    begin = time.monotonic()
    (drive.path / "Library/local.txt").write_bytes(b"local")
    assert (drive.path / "Library/local.txt").read_bytes() == b"local"
    assert time.monotonic() - begin < 10
    assert reader.wait(60) != 0
    s3.faults()


def test_a_multipart_upload_goes_on_after_kill(s3, drive):
    s3.faults(delay=1.0)
    [(path, digest)] = fill(drive, 1, 50_000_000).items()
    drive.run("backup", "now")
    wait_until(lambda: s3.stats()["bytes_up"] > 17_000_000, 60, "the first part")
    drive.kill()
    s3.faults()
    drive.mount()
    drive.backed_up()
    drive.evict()
    assert sha256(path) == digest
