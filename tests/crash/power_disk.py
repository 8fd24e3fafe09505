"""A disk whose power can be cut: ext4 on a loop device on nbdkit's write-back cache. What was not flushed
is gone after a cut. Needs root, nbdkit, nbdfuse, loop devices."""
import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

from drive import wait_until


def unavailable():
    """Why such a disk cannot be had here, or None."""
    if os.getuid() != 0:
        return "needs root"
    for tool in ("nbdkit", "nbdfuse", "losetup", "mkfs.ext4"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    return None


class PowerDisk:
    """The disk; `path` is where its file system is mounted."""

    def __init__(self, folder, size_mb=768):
        self.folder = Path(folder)
        self.path = self.folder / "mnt"
        self.image = self.folder / "disk.img"
        self.size_mb = size_mb
        self.nbdkit = self.nbdfuse = self.loop = None

    def on(self):
        """Power on; makes the file system the first time, replays its journal the others."""
        self.path.mkdir(parents=True, exist_ok=True)
        fresh = not self.image.exists()
        if fresh:
            with open(self.image, "wb") as file:
                file.truncate(self.size_mb << 20)
        socket, node = self.folder / "sock", self.folder / "fd" / "nbd"
        node.parent.mkdir(exist_ok=True)
        node.touch()
        with contextlib.suppress(FileNotFoundError):
            socket.unlink()
        self.nbdkit = subprocess.Popen(["nbdkit", "-f", "-U", str(socket), "--filter=cache", "file", str(self.image),
                                        "cache=writeback", "cache-max-size=2G"])
        wait_until(socket.exists, 10, "nbdkit")
        self.nbdfuse = subprocess.Popen(["nbdfuse", str(node), "--unix", str(socket)], start_new_session=True)
        wait_until(lambda: node.stat().st_size > 0, 10, "nbdfuse")
        self.loop = subprocess.run(["losetup", "-f", "--show", str(node)], check=True, capture_output=True,
                                   text=True).stdout.strip()
        if fresh:
            subprocess.run(["mkfs.ext4", "-q", "-F", self.loop], check=True)
        subprocess.run(["mount", self.loop, str(self.path)], check=True)

    def cut(self):
        """Power off in the middle of whatever is under way."""
        self.nbdkit.send_signal(signal.SIGKILL)
        self.nbdkit.wait()
        subprocess.run(["umount", "-l", str(self.path)], check=False, capture_output=True)
        self._release()

    def off(self):
        """Orderly end."""
        if self.nbdkit is None:
            return
        subprocess.run(["umount", str(self.path)], check=False, capture_output=True)
        subprocess.run(["umount", "-l", str(self.path)], check=False, capture_output=True)
        self._release()

    def _release(self):
        subprocess.run(["losetup", "-d", self.loop], check=False, capture_output=True)
        subprocess.run(["umount", "-l", str(self.folder / "fd/nbd")], check=False, capture_output=True)
        if self.nbdkit.poll() is None:
            self.nbdkit.terminate()
            self.nbdkit.wait(10)
        try:
            self.nbdfuse.wait(5)
        except subprocess.TimeoutExpired:
            self.nbdfuse.kill()
            self.nbdfuse.wait()
        self.nbdkit = None
