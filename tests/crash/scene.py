"""A drive that is killed at a named point, what was acknowledged on it, and what must hold afterwards."""
import errno
import hashlib
import os
import re
import subprocess
from pathlib import Path

from control import ask
from drive import SHOEBOX, wait_until

ROOT = Path(__file__).parents[2]
LIST = ROOT / "store/base/kill_points.h"
NAME = re.compile(r'^    \{"([a-z-]+)", "[^"]+",$|^    \{"([a-z-]+)", "[^"]+", "[^"]+"\},$', re.M)


def listed_points():
    """The names of all points, in their order."""
    return [a or b for a, b in NAME.findall(LIST.read_text(encoding="utf-8"))]


class Died(Exception):
    """The process that was to die did."""


class Scene:
    """One drive below `folder` with its remotes. What is done through it is noted once it is acknowledged."""

    def __init__(self, drive, chooser, photo_bytes):
        self.drive, self.chooser, self.photo_bytes = drive, chooser, photo_bytes
        drive.patience_s = 300  # an hour of work: a machine that is busy for a minute is no failure
        self.files = {}      # path below the mount point -> bytes that were acknowledged
        self.doubtful = {}   # paths whose last step was under way -> bytes that may be there as well
        self.attempted = []  # bytes that were never acknowledged
        self.said = {}       # captions, by path
        self.strangers = []  # bytes that others put on the remote
        self.number = 0
        self.point, self.log_from = None, 0

    # --- life and death
    def mount(self, point=None, wait=True):
        """Mounts, to die at this point."""
        self.point = point
        self.log_from = self.drive.log.stat().st_size if self.drive.log.exists() else 0
        prefix = ("env", f"SHOEBOX_KILL_POINT={point}") if point else ()
        self.drive.mount(prefix=prefix, wait=False)
        if not wait:
            return
        try:
            self.drive.wait_mounted()
        except (AssertionError, OSError) as error:
            # The kernel tells it a moment before the process is gone.
            wait_until(self.dead, 20, f"{error}, the end of the process")
            raise Died from error

    def dead(self):
        """Whether the mount's process ended."""
        return self.drive.process is not None and self.drive.process.poll() is not None

    def alive(self):
        """Raises when it is dead."""
        if self.dead():
            raise Died

    def bury(self):
        """The point at which it died; the dead mount is taken away."""
        code = self.drive.process.wait(60)
        self.drive.process = None
        self.drive.detach()
        log = self.drive.log.read_bytes()[self.log_from:].decode(errors="replace")
        found = re.findall(r"^killed at ([a-z-]+)$", log, re.M)
        assert code == -9 and len(found) == 1, f"ended with {code}: {log[-4000:]}"
        return found[0]

    def wait_dead(self, timeout_s=20):
        """Until what goes on by itself reaches the point."""
        wait_until(self.dead, timeout_s, f"the end at {self.point}")
        raise Died

    # --- what people do
    def path(self, name):
        """Of a name below the mount point."""
        return self.drive.path / name

    def fresh(self, kind="txt"):
        """A name that nobody has."""
        self.number += 1
        return f"Library/run/{self.number}.{kind}"

    def data(self, kind="txt", size=None):
        """Bytes of their own; photos can be decoded."""
        if kind == "jpg":
            return self.photo_bytes + self.chooser.randbytes(300_000)  # behind the end of the picture
        return self.chooser.randbytes(self.chooser.choice([10, 5000, 400_000]) if size is None else size)

    def step(self, names, act):
        """Does something to these names; what it leaves is in doubt until it is acknowledged."""
        self.alive()
        try:
            act()
        except OSError as error:
            if error.errno not in (errno.ENOTCONN, errno.ECONNABORTED):
                raise AssertionError(f"{names}: {error}") from error
            # The kernel tells it a moment before the process is gone.
            wait_until(self.dead, 20, f"{names}: {error}, the end of the process")
            raise Died from error

    def write(self, name, data, sync=False, edit=False):
        """Writes a whole file, or edits it in place."""
        before = self.files.pop(name, None)
        self.doubtful[name] = [before, data]
        self.attempted.append(data)

        def act():
            self.path(name).parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | (0 if edit else os.O_TRUNC)
            descriptor = os.open(self.path(name), flags, 0o644)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view):]
                if edit:
                    os.ftruncate(descriptor, len(data))
                if sync:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
        self.step(name, act)
        del self.doubtful[name]
        self.attempted.remove(data)
        self.files[name] = data
        return name

    def new(self, kind="txt", size=None, sync=False):
        """A new file."""
        return self.write(self.fresh(kind), self.data(kind, size), sync)

    def replace(self, name):
        """As editors do: beside it, and renamed over it."""
        before, data = self.files.pop(name), self.data(Path(name).suffix[1:])
        self.doubtful[name] = [before, data]
        self.attempted.append(data)
        beside = self.path(name).with_name(f".{Path(name).name}.AbC123")
        self.step(name, lambda: (beside.write_bytes(data), os.rename(beside, self.path(name))))
        del self.doubtful[name]
        self.attempted.remove(data)
        self.files[name] = data
        self.said.pop(name, None)

    def rename(self, name, new=None):
        """To another name."""
        new = new or f"Library/run/moved/{self.number}-{Path(name).name}"
        data = self.files.pop(name)
        self.doubtful[name] = self.doubtful[new] = [data, None]
        said = self.said.pop(name, None)

        def act():
            self.path(new).parent.mkdir(exist_ok=True)
            os.rename(self.path(name), self.path(new))
        self.step(name, act)
        del self.doubtful[name], self.doubtful[new]
        self.files[new] = data
        if said:
            self.said[new] = said
        return new

    def remove(self, name):
        """Into Trash, or for good."""
        self.doubtful[name] = [self.files.pop(name), None]
        self.said.pop(name, None)
        self.step(name, self.path(name).unlink)
        del self.doubtful[name]

    def say(self, name):
        """A caption."""
        text = f"said {self.chooser.random()}"
        self.said.pop(name, None)
        self.step(name, lambda: os.setxattr(self.path(name), "user.xdg.comment", text.encode()))
        self.said[name] = text

    def read(self, name):
        """Exact."""
        got = []
        self.step(name, lambda: got.append(self.path(name).read_bytes()))
        assert got[0] == self.files[name], f"{name}: wrong bytes served"

    def ask(self, verb, **arguments):
        """A command that this mount serves; Died when it dies of it."""
        try:
            return ask(self.drive.library, verb, **arguments)
        except OSError as error:
            # Its sockets are closed a moment before it is gone.
            wait_until(self.dead, 20, f"{verb}: {error}, the end of the process")
            raise Died from error

    def back_up(self):
        """Until nothing waits, or it is dead."""
        self.ask("backup now")
        self.ask("backup wait")

    def evict(self):
        """Everything that may leave this disk."""
        self.ask("evict", all=True)
        self.drive.drop_caches()

    def status(self):
        """What status says of the one remote."""
        return self.ask("status")["remotes"][0]

    # --- what must hold
    def check_files(self):
        """Everything acknowledged is there; what was under way is as before, or as wanted."""
        for name, data in self.files.items():
            got = self.path(name).read_bytes()
            assert got == data, f"{name}: {len(got)} bytes, other than the {len(data)} acknowledged"
        for name, text in self.said.items():
            assert os.getxattr(self.path(name), "user.xdg.comment").decode() == text, name

    def settle(self):
        """Until nothing is left to do on any remote."""
        def settled():
            self.back_up()
            remote = self.status()
            return not any(remote[key] for key in ("pending_files", "tidying", "sidecars", "catalog_pending_changes"))
        wait_until(settled, 240, "everything to be backed up and in its place")

    def check_remote(self, objects, copies):
        """Everything acknowledged is on this remote, and nothing stands there that the catalog does not know."""
        have = {hashlib.sha256(data).digest() for data in objects.values()}
        for name, data in self.files.items():
            assert not data or hashlib.sha256(data).digest() in have, f"{name} is not on the remote"
        known = (".shoebox/catalog/", ".shoebox/thumbnails/", ".shoebox/owner/")
        strangers = [key for key, data in objects.items() if data in self.strangers]
        assert len(strangers) == len(self.strangers), f"what others wrote: {strangers}"
        originals, sidecars = set(), set()
        for key in objects:
            if key.startswith(known) or key == ".shoebox/remote" or key in strangers:
                continue
            (sidecars if key.endswith(".xmp") else originals).add(key)
        assert not [key for key in originals if key.startswith((".shoebox/tmp/", ".shoebox/probe-"))], originals
        assert len(originals) == copies, f"{len(originals)} objects, {copies} copies known: {sorted(originals)}"
        alone = {key for key in sidecars if key.removesuffix(".xmp").removeprefix(".shoebox/sidecars/") not in originals
                 and ".shoebox/" + key.removesuffix(".xmp").removeprefix(".shoebox/sidecars/") not in originals}
        assert not alone, f"sidecars without an original: {alone}"
        for name, text in self.said.items():
            assert any(text.encode() in objects[key] for key in sidecars), f"what was said of {name} is not there"

    def check_library(self):
        """After an unmount: nothing is left over on this disk."""
        root = self.drive.library
        left = [p for p in (root / "staging").iterdir()] + [p for p in root.rglob("*.tmp*") if "catalog" not in p.parts]
        assert not left, left
        for rescued in (root / "recovered").iterdir():
            if rescued.name == "rebuild.txt":
                continue
            data = rescued.read_bytes()
            under_way = self.attempted + [one for before in self.doubtful.values() for one in before if one]
            # An edit in place may have gone half its way over what was there.
            assert any(one[:1] == data[:1] and one[:4096] == data[:len(one[:4096])] for one in under_way), \
                f"{rescued}: {len(data)} bytes of nobody's"

    def check_rebuilt(self, url, options, make_drive):
        """Another machine makes the library anew from the remote alone."""
        other = make_drive("rebuilt")
        other.env.update(self.drive.env)
        done = subprocess.run([SHOEBOX, "rebuild", "--from", url, *options, str(other.library)], check=False,
                              capture_output=True, text=True, timeout=240, env=other.env)
        assert done.returncode == 0, done.stderr
        other.mount()
        for name, data in self.files.items():
            assert (other.path / name).read_bytes() == data, f"{name}, made anew"
        for name, text in self.said.items():
            assert os.getxattr(other.path / name, "user.xdg.comment").decode() == text, name
        other.unmount()
