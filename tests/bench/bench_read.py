"""Sequential read of a complete local original, first and cached, against the same file on the disk."""
import shutil

from drives import default_drive
from measure import big_file, drop_caches, read_whole, seconds


def run(folder, table, scale):
    size = max(int((2 << 30) * scale), 64 << 20)
    disk = big_file(folder / "big.mp4", size)
    with default_drive(folder) as drive:
        shutil.copy(disk, drive.path / "Library/big.mp4")
        drive.backed_up(timeout_s=600)
        for what in ("first read", "cached read"):
            ours, theirs = [], []
            for _ in range(3):
                for path, into in ((drive.path / "Library/big.mp4", ours), (disk, theirs)):
                    if what == "first read":
                        drop_caches()
                    else:
                        read_whole(path)
                    into.append(size / seconds(lambda p=path: read_whole(p)) / 1e6)
            table.add(f"{what} of a local original", "MB/s", max(ours), "more", disk=max(theirs))
