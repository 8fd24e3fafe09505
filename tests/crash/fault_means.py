"""What makes a remote fail that is no HTTP: programs of tests/servers that obey lines on their standard input."""
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from drive import mounted

SERVERS = Path(__file__).parents[1] / "servers"


class Means:
    """One such program."""

    def __init__(self, *command):
        self.lock = threading.Lock()
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.first_line = self.process.stdout.readline().strip()
        assert self.first_line, f"{command} did not start"

    def say(self, line):
        """Its answer to a line."""
        with self.lock:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            return self.process.stdout.readline().strip()

    def order(self, **faults):
        """Probabilities from now on; those not named become 0."""
        answer = self.say(" ".join(["faults", *(f"{name}={value:.9f}" for name, value in faults.items())]))
        assert answer == "ok", answer

    def stats(self):
        """What went through it."""
        return json.loads(self.say("stats"))

    def close(self):
        """Ends it."""
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class FaultFolder(Means):
    """A mount that shows a folder and fails."""

    def __init__(self, folder, mountpoint, seed):
        beside = Path(os.environ.get("SHOEBOX", "shoebox")).parent / "tests/fault_folder"
        program = shutil.which(os.environ.get("SHOEBOX_FAULT_FOLDER", str(beside)))
        if program is None:
            pytest.skip(f"{beside} is not built")
        mountpoint.mkdir()
        self.mountpoint = mountpoint
        super().__init__(program, folder, mountpoint, seed)

    def close(self):
        super().close()
        while mounted(self.mountpoint):
            subprocess.run(["fusermount3", "-uz", str(self.mountpoint)], check=False, capture_output=True)


class FaultLine(Means):
    """A TCP proxy that fails."""

    def __init__(self, upstream_port, seed):
        super().__init__("/usr/bin/python3", SERVERS / "fault_line.py", "--upstream", f"127.0.0.1:{upstream_port}", "--seed",
                         seed)
        self.port = int(self.first_line)


def add_stats(one, other):
    """Of two means on one way."""
    faults = {**one["faults"], **other["faults"]}
    return {**{name: one[name] + other[name] for name in ("requests", "bytes_up", "bytes_down")}, "faults": faults,
            "seen": faults}
