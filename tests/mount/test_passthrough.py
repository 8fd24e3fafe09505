"""The kernel reads complete local originals of a read-only mount by itself, where all of this machine can."""
import contextlib
import ctypes
import gzip
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from drive import SHOEBOX, sha256, wait_until

BIG = 8 << 20
CAP_SYS_ADMIN = 21


def missing():
    """What this machine lacks for it; empty: nothing."""
    linked = subprocess.run(["ldd", SHOEBOX], check=True, capture_output=True, text=True).stdout
    found = re.search(r"libfuse3\.so\.\d+ => (\S+)", linked)
    version = ctypes.CDLL(found.group(1)).fuse_version() if found else 0  # 314: 3.14
    if version < 317:
        return f"libfuse {version // 100}.{version % 100} has no passthrough; 3.17 has"
    kernel = tuple(map(int, re.match(r"(\d+)\.(\d+)", os.uname().release).groups()))
    if kernel < (6, 9):
        return f"Linux {kernel[0]}.{kernel[1]} has no passthrough; 6.9 has"
    with contextlib.suppress(OSError), gzip.open("/proc/config.gz", "rt") as config:
        if "CONFIG_FUSE_PASSTHROUGH=y" not in config.read():
            return "this kernel was built without CONFIG_FUSE_PASSTHROUGH"
    status = Path("/proc/self/status").read_text(encoding="ascii")
    if not int(re.search(r"CapEff:\s*(\w+)", status).group(1), 16) >> CAP_SYS_ADMIN & 1:
        return "without CAP_SYS_ADMIN nothing is passed through"
    return ""


@pytest.fixture
def frozen(drive):
    """A library with local originals and an evicted one, mounted read-only; what its files hold."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    hashes = {}
    for name in ("local.mp4", "other.mp4", "evicted.mp4"):
        (drive.path / "Library" / name).write_bytes(os.urandom(BIG + len(hashes) + 1))
        hashes[name] = sha256(drive.path / "Library" / name)
    drive.backed_up()
    drive.evict(drive.path / "Library/evicted.mp4")
    drive.remount("-o", "ro")
    wait_until(lambda: drive.state("Library/local.mp4") == "local", 30, "the state")
    assert drive.state("Library/evicted.mp4") == "remote"
    drive.hashes = hashes
    return drive


def passed(drive):
    """How many opens were passed through."""
    return drive.json("status")["opens_passed_through"]


def bytes_asked_of(process, read):
    """What a reader asked this process for meanwhile: bytes that it wrote anywhere, answers among them."""
    def written():
        return int(re.search(r"wchar: (\d+)", Path(f"/proc/{process.pid}/io").read_text(encoding="ascii")).group(1))
    before = written()
    read()
    return written() - before


def test_the_kernel_reads_a_local_original_by_itself_and_exactly(frozen):
    frozen.drop_caches()
    asked = bytes_asked_of(frozen.process, lambda: sha256(frozen.path / "Library/local.mp4"))
    assert asked < BIG // 16, "its bytes came from us"
    assert passed(frozen) == 1
    assert sha256(frozen.path / "Library/local.mp4") == frozen.hashes["local.mp4"]
    size = (frozen.path / "Library/local.mp4").stat().st_size
    with open(frozen.path / "Library/local.mp4", "rb") as file:
        assert len(os.pread(file.fileno(), 4096, size - 5)) == 5
        assert os.pread(file.fileno(), 4096, size) == b""


def test_handles_of_one_file_at_the_same_time_share_what_is_passed_through(frozen):
    path = frozen.path / "Library/local.mp4"
    with open(path, "rb") as first, open(path, "rb") as second:
        assert first.read() == second.read()
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(lambda _: sha256(path), range(40))) == {frozen.hashes["local.mp4"]}
    assert passed(frozen) == 42
    assert sha256(frozen.path / "Library/other.mp4") == frozen.hashes["other.mp4"]
    assert sha256(path) == frozen.hashes["local.mp4"]  # after the last was closed, anew
    assert passed(frozen) == 44


def test_an_evicted_file_is_not_passed_through_and_reads_exactly(frozen):
    path = frozen.path / "Library/evicted.mp4"
    with open(path, "rb") as first:
        before = passed(frozen)
        first.read(100)
        assert passed(frozen) == before == 0
        # Another handle, whether all of it is here by then or not: the first one decides.
        assert sha256(path) == frozen.hashes["evicted.mp4"]
        assert sha256(path) == frozen.hashes["evicted.mp4"]
        assert passed(frozen) == 0


def test_a_mount_that_can_be_written_passes_nothing_through(frozen):
    frozen.remount()
    with open(frozen.path / "Library/local.mp4", "rb") as reader:
        old = reader.read(1)
        with open(frozen.path / "Library/local.mp4", "r+b") as writer:  # would be refused beside it
            writer.write(bytes([old[0] ^ 1]))
        assert os.pread(reader.fileno(), 1, 0) == bytes([old[0] ^ 1])
    assert passed(frozen) == 0
