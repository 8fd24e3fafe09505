"""What the benchmarks share: timing, dropping caches, processor time of a process, rows of ratios."""
import os
import random
import subprocess
import time
from pathlib import Path


def seconds(call):
    """How long a call takes."""
    begin = time.monotonic()
    call()
    return time.monotonic() - begin


def drop_caches():
    """Empties the page cache, so that a first read comes from the disk. Needs root."""
    subprocess.run(["sync"], check=True)
    Path("/proc/sys/vm/drop_caches").write_text("3", encoding="ascii")


def read_whole(path):
    """Reads a file in pieces of 1 MiB, as cp does."""
    buffer = bytearray(1 << 20)
    with open(path, "rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def cpu_seconds(pid):
    """User and system time of a process and the children it has waited for, plus those that still run."""
    ticks = os.sysconf("SC_CLK_TCK")

    def of(number):
        fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        return sum(int(fields[i]) for i in (11, 12, 13, 14)) / ticks

    # Each thread has children of its own.
    children = [child for task in Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text(encoding="ascii").split()]
    return of(pid) + sum(of(child) for child in children)


def random_file(path, size, seed):
    """A file of bytes that do not compress, the same for the same seed."""
    path.write_bytes(random.Random(seed).randbytes(size))
    return path


def big_file(path, size):
    """A file of random bytes, made in pieces."""
    with open(path, "wb") as file:
        for offset in range(0, size, 8 << 20):
            file.write(os.urandom(min(8 << 20, size - offset)))
    return path


class Table:
    """Rows: what was measured, ours, each yardstick, and the ratio to it."""

    def __init__(self):
        self.rows = []

    def add(self, what, unit, ours, better, **others):
        """`better` is "less" or "more"; a ratio above 1 means that Shoebox is the better one."""
        for name, value in others.items():
            ratio = (value / ours if better == "less" else ours / value) if ours and value else None
            self.rows.append({"what": what, "unit": unit, "shoebox": ours, "against": name, "other": value,
                              "ratio": ratio})
        if not others:
            self.rows.append({"what": what, "unit": unit, "shoebox": ours, "against": None, "other": None,
                              "ratio": None})

    def text(self):
        """The table for people."""
        lines = [f"{'what':<58} {'shoebox':>10} {'other':>10} {'ratio':>7}  against"]
        for row in self.rows:
            other = f"{row['other']:.3g}" if row["other"] is not None else "-"
            ratio = f"{row['ratio']:.2f}" if row["ratio"] is not None else "-"
            lines.append(f"{row['what'] + ' [' + row['unit'] + ']':<58} {row['shoebox']:>10.3g} {other:>10} {ratio:>7}"
                         f"  {row['against'] or ''}")
        return "\n".join(lines)
