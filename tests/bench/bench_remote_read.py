"""Read of evicted originals of 4 and 500 MB on Ceph, 20 ms away: first byte, last byte, a seek into the middle; against
rclone mount and s3fs on the same objects."""
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from ceph import gateway
from drive import wait_until
from drives import drive_on
from measure import big_file, drop_caches, random_file
from rivals import RcloneMount, s3fs

DELAY_MS = 20
ROUNDS = 3
PHOTOS = 8    # read whole, and as many are sought in
SEEKS = 7     # places in one large file
PIECE = 1 << 20


class DelayProxy:
    """delay_proxy.py before the gateway, as a context."""

    def __init__(self, ceph):
        self.ceph = ceph

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("delay_proxy.py")), "--upstream",
             self.ceph.direct.removeprefix("http://"), "--delay-ms", str(DELAY_MS)], stdout=subprocess.PIPE, text=True)
        self.ceph.through(int(self.process.stdout.readline()))
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


def read_through(path):
    """Seconds to the first bytes, a page, and to the last one, read in pieces as cp reads."""
    begin = time.monotonic()
    buffer = bytearray(PIECE)
    with open(path, "rb", buffering=0) as file:
        size = len(file.read(4096))
        first = time.monotonic() - begin
        while got := file.readinto(buffer):
            size += got
    last = time.monotonic() - begin
    assert size == os.stat(path).st_size, f"{path}: {size} bytes came"
    return first, last


def seek_in(path, offset):
    """Seconds from open to 64 KiB at an offset."""
    begin = time.monotonic()
    with open(path, "rb", buffering=0) as file:
        assert len(os.pread(file.fileno(), 64 << 10, offset)) > 0
    return time.monotonic() - begin


def measure(root, times, turn):
    """Everything once, on a mount that has nothing in its caches but the listing."""
    for path in sorted(root.iterdir()):
        path.stat()
    for number in range(PHOTOS):
        first, last = read_through(root / f"IMG_{number:02}.jpg")
        times["4 first"].append(first)
        times["4 last"].append(last)
        path = root / f"IMG_{PHOTOS + number:02}.jpg"
        times["4 seek"].append(seek_in(path, path.stat().st_size // 2))
    first, last = read_through(root / "VID_0.mp4")
    times["500 first"].append(first)
    times["500 last"].append(last)
    size = (root / "VID_1.mp4").stat().st_size
    # Other places each turn: what was fetched of an original that was never read whole stays on this disk.
    for number in range(SEEKS):
        place = turn + number * 3 % SEEKS * ROUNDS
        times["500 seek"].append(seek_in(root / "VID_1.mp4", size * (2 * place + 1) // (2 * SEEKS * ROUNDS)))


def fill(drive, large):
    """The originals, on the gateway and evicted."""
    folder = drive.path / "Library/away"
    folder.mkdir()
    for number in range(2 * PHOTOS):
        random_file(folder / f"IMG_{number:02}.jpg", 4_000_000, number)
    for number in range(2):
        big_file(folder / f"VID_{number}.mp4", large)
    wait_until(lambda: drive.json("status")["not_decoded"] == 0, 900, "decoding")
    drive.backed_up(timeout_s=900)


def run(folder, table, scale):
    large = 500_000_000 if scale >= 0.1 else 50_000_000
    with gateway(folder, 2 * large + (1 << 28)) as ceph, DelayProxy(ceph), drive_on(folder, ceph, "drive") as drive:
        drive.mount()
        fill(drive, large)
        keys = ["4 first", "4 last", "4 seek", "500 first", "500 last", "500 seek"]
        mine = {key: [] for key in keys}
        others = {name: {key: [] for key in keys} for name in ("rclone_full_cache", "rclone_no_cache", "s3fs")}
        for turn in range(ROUNDS):
            drive.evict()
            measure(drive.path / "Library/away", mine, turn)
            drop_caches()
            with RcloneMount.of_bucket(folder, ceph, "drive/Library", "full") as rclone:
                measure(rclone.path / "away", others["rclone_full_cache"], turn)
            with RcloneMount.of_bucket(folder, ceph, "drive/Library", "off") as rclone:
                measure(rclone.path / "away", others["rclone_no_cache"], turn)
            with s3fs(folder, ceph) as mount:
                measure(mount.path / "drive/Library/away", others["s3fs"], turn)
    names = {"first": "first byte", "last": "last byte", "seek": "64 KiB in the middle"}
    for key in keys:
        size, what = key.split()
        title = f"{names[what]} of {size if size == '4' else large // 1_000_000} MB, {DELAY_MS} ms away"
        table.add(title, "ms", statistics.median(mine[key]) * 1e3, "less",
                  **{name: statistics.median(times[key]) * 1e3 for name, times in others.items()})
