"""A Shoebox drive on a real kernel mount, for tests: mounts, runs commands, always unmounts."""
import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

SHOEBOX = os.environ.get("SHOEBOX", "shoebox")
PHOTOS = Path(os.environ.get("SHOEBOX_PHOTOS", Path(__file__).parents[3] / "shared" / "photos"))


def wait_until(condition, timeout_s=30, what="the condition"):
    """Polls until `condition()` is true; a test that would hang fails and says on what."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.05)


def sha256(path):
    """Hash of a file's bytes, as hex digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def mounted(path):
    """Whether a FUSE file system stands at this path."""
    wanted = f" {os.path.realpath(path)} "
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        return any(wanted in line and " fuse" in line for line in table)


class Drive:
    """One library with a directory remote (or others) and its mount point, below a folder of its own."""

    def __init__(self, folder, remotes=None, settings=""):
        self.folder = Path(folder)
        self.library = self.folder / "library"
        self.path = self.folder / "mnt"
        self.remote = self.folder / "remote"
        self.log = self.folder / "log"
        self.remotes = [f"file://{self.remote}"] if remotes is None else remotes
        self.process = None
        self.patience_s = 60  # for the mount
        self.env = dict(os.environ)
        self.path.mkdir(parents=True, exist_ok=True)
        self.remote.mkdir(exist_ok=True)
        if settings:
            self.library.mkdir(mode=0o700, exist_ok=True)
            (self.library / "shoebox.toml").write_text(settings, encoding="utf-8")

    def mount(self, *options, prefix=(), wait=True):
        """Mounts in the foreground of a process that the test can kill."""
        assert self.process is None
        arguments = [*prefix, SHOEBOX, "mount", str(self.library), str(self.path), "-f"]
        if not (self.library / "shoebox.toml").exists():
            for url in self.remotes:
                arguments += ["--remote", url]
        arguments += options
        log = open(self.log, "ab")  # stays open in the child
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env)
        log.close()
        if wait:
            self.wait_mounted()
        return self

    def wait_mounted(self):
        """Until the mount answers; fails with the log when the process ended instead."""
        def ready():
            assert self.process.poll() is None, f"mount ended with {self.process.returncode}: {self.log_text()}"
            return mounted(self.path) and (self.path / "Library").is_dir()
        wait_until(ready, self.patience_s, "the mount")

    def unmount(self, timeout_s=60):
        """As a person does; the process must end by itself, and well."""
        def unmounted():
            # Whatever on this machine walks all mounts (df, a file indexer) makes one busy for an instant.
            done = subprocess.run(["fusermount3", "-u", str(self.path)], check=False, capture_output=True, text=True)
            assert done.returncode == 0 or "busy" in done.stderr, done.stderr
            return done.returncode == 0
        wait_until(unmounted, 10, "the unmount")
        code = self.process.wait(timeout_s)
        self.process = None
        assert code == 0, f"mount ended with {code}: {self.log_text()}"

    def remount(self, *options):
        """Unmount, then mount the same library."""
        self.unmount()
        return self.mount(*options)

    def kill(self):
        """kill -9, and the dead mount taken away."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = None
        self.detach()

    def detach(self):
        """Takes away a mount whose process is dead or dying."""
        while mounted(self.path):
            subprocess.run(["fusermount3", "-uz", str(self.path)], check=False, capture_output=True)

    def close(self):
        """Whatever happened: nothing stays mounted or running."""
        if self.process is not None:
            subprocess.run(["fusermount3", "-u", str(self.path)], check=False, capture_output=True)
            try:
                code = self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.abort()
                self.process.kill()
                code = self.process.wait()
            self.process = None
            self.detach()
            assert code not in (99, -6, -11), f"mount ended with {code}: {self.log_text()}"
        self.detach()

    def abort(self):
        """Ends a mount whose waiters cannot be killed, through fusectl."""
        with contextlib.suppress(OSError):
            number = os.minor(os.stat(self.path).st_dev)
            Path(f"/sys/fs/fuse/connections/{number}/abort").write_text("1", encoding="ascii")

    def log_text(self):
        """The end of what the mount said."""
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    def run(self, *arguments, check=True, timeout_s=120, text=True):
        """Runs a verb on this library."""
        done = subprocess.run([SHOEBOX, *map(str, arguments), "--library", str(self.library)], check=False,
                              capture_output=True, text=text, timeout=timeout_s, env=self.env)
        assert not check or done.returncode == 0, \
            f"{arguments}: {done.returncode} {done.stdout} {done.stderr} {self.log_text()}"
        return done

    def command(self, verb, **arguments):
        """What the mount answers to a verb over its control socket, {"result": …} or {"error": …}: run() without a
        process, for tests that do so thousands of times."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(120)
            line.connect(str(self.library / "control.sock"))
            line.sendall(json.dumps({"version": 1, "verb": verb, "arguments": arguments}).encode() + b"\n")
            with line.makefile(encoding="utf-8") as answers:
                return next(answer for answer in map(json.loads, answers) if "progress" not in answer)

    def json(self, *arguments, **more):
        """What a verb says in JSON."""
        return json.loads(self.run(*arguments, "--json", **more).stdout)

    def status(self):
        """What `shoebox status --json` says of a mounted drive, asked often."""
        return self.command("status")["result"]

    def backed_up(self, timeout_s=120):
        """Waits until everything is on the remote."""
        self.run("backup", "now")
        self.run("backup", "wait", timeout_s=timeout_s)

    def evict(self, *paths):
        """Evicts these paths, or everything, and the kernel's cached pages of them."""
        self.run("evict", *(paths or ["--all"]))
        self.drop_caches()

    def drop_caches(self):
        """Reads that follow reach the drive. Needs root; without it the kernel may answer from its pages."""
        with contextlib.suppress(PermissionError):
            Path("/proc/sys/vm/drop_caches").write_text("3", encoding="ascii")

    def state(self, path):
        """user.shoebox.state of a path below the mount point."""
        return os.getxattr(self.path / path, "user.shoebox.state").decode()

    def names(self, folder):
        """Sorted names in a folder below the mount point."""
        return sorted(os.listdir(self.path / folder))

    def wait_for(self, path, timeout_s=30):
        """Waits until this path below the mount point is there: views follow decoding."""
        wait_until((self.path / path).exists, timeout_s, path)
        return self.path / path

    def wait_sealed(self, timeout_s=60):
        """Waits until everything that was closed is hashed and decoded."""
        wait_until(lambda: self.status()["not_decoded"] == 0, timeout_s, "hashing and decoding")

    def wait_gone(self, path, timeout_s=30):
        """Waits until this path below the mount point is not there."""
        wait_until(lambda: not os.path.lexists(self.path / path), timeout_s, f"{path} gone")


def spoil(drive, begin):
    """Changes the first bytes of the originals on this disk that begin so, as a bad disk does."""
    spoiled = 0
    for path in (drive.library / "objects").rglob("*"):
        if not path.is_file() or not path.read_bytes().startswith(begin):
            continue
        path.chmod(0o600)
        with open(path, "r+b") as file:
            file.write(b"spoi")
        spoiled += 1
    assert spoiled
    drive.drop_caches()


def remove_tree(path):
    """Removes a test folder, odd modes and all."""
    shutil.rmtree(path, ignore_errors=True)
