"""Runs of the workload, what their logs say must be there after a crash, and the check against a mount."""
import hashlib
import subprocess
from pathlib import Path

from drive import wait_until

WORKLOAD = Path(__file__).parent / "workload.py"


class Runs:
    """Workloads on one drive, one after the other, each ended by a crash; then the check of all of them."""

    def __init__(self, drive, folder):
        self.drive, self.folder = drive, folder
        self.logs = []

    def start(self):
        """Starts the next run; the process ends by itself when its mount is gone."""
        number = len(self.logs)
        self.logs.append(self.folder / f"log{number}")
        return subprocess.Popen(["/usr/bin/python3", str(WORKLOAD), str(self.drive.path), str(self.logs[-1]), str(number),
                                 str(self.drive.patience_s)], stderr=subprocess.DEVNULL)

    def wait_for_files(self, count):
        """Until the last run has that many files acknowledged, so that a slow machine crashes as much work."""
        log = self.logs[-1]
        wait_until(lambda: log.exists() and len(read(log)[0]) >= count, self.drive.patience_s, f"{count} files")

    def check(self):
        """Everything acknowledged is there; returns how many files were checked."""
        checked = 0
        for number, log in enumerate(self.logs):
            lost, count = violations(log, self.drive.path / f"Library/run{number}")
            assert not lost, lost
            checked += count
        return checked


def read(path):
    """Acknowledged state: name -> hash, and the names whose last step was under way."""
    state, open_steps = {}, set()
    text = path.read_bytes().decode()
    lines = text.split("\n")[:-1]  # a torn last line was not acknowledged
    for line in lines:
        word, *rest = line.split(" ")
        if word == "intent":
            open_steps.add(rest[0])
        elif word == "have":
            state[rest[0]] = rest[1]
            open_steps.discard(rest[0])
        elif word == "gone":
            state.pop(rest[0], None)
            open_steps.discard(rest[0])
        elif word == "moved":
            state[rest[1]] = state.pop(rest[0])
            open_steps -= set(rest)
    return state, open_steps


def violations(path, folder):
    """Acknowledged files that are not there, or have other bytes; and how many were checked."""
    state, open_steps = read(path)
    lost, checked = [], 0
    for name, digest in state.items():
        if name in open_steps:
            continue
        checked += 1
        try:
            data = (folder / name).read_bytes()
        except OSError as error:
            lost.append(f"{name}: {error}")
            continue
        if hashlib.sha256(data).hexdigest() != digest:
            lost.append(f"{name}: {len(data)} bytes, other than acknowledged")
    return lost, checked
