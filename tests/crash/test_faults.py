"""A drive whose remote fails at 1, 10 and 50 % of the requests, while files are written, edited, renamed, removed,
evicted and read, and objects are edited, replaced and removed there behind its back. What must hold: no wrong byte is
served; once the faults stop it converges by itself, says so, and every original stands there, byte for byte; nothing
of a stranger's is lost; nothing stands there that nobody knows.

The short form runs in ctest; SHOEBOX_FAULT_OPS=2000 is the long one (tests/crash/run --faults 2000)."""
import contextlib
import importlib.util
import os
import random
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from conftest import *  # noqa: E402,F401,F403  fixtures of the mount tests
from drive import wait_until  # noqa: E402
from servers import FaultProxy, RcloneDav  # noqa: E402

OPS = int(os.environ.get("SHOEBOX_FAULT_OPS", "40"))
SEED = int(os.environ.get("SHOEBOX_SEED", "1"))
RATES = (0.01, 0.1, 0.5)
SERVERS = Path(__file__).parents[1] / "servers"
# Each drawn alike; what costs the client half a minute is drawn seldom.
SLOW = {"stall": 0.02}
EVERYWHERE = ("error500", "error503", "error403", "error507", "reset", "truncate", "flip", "etag", "size", "lost", "double")
OF_S3 = ("expired", "skew", "error404", "header")


class S3Server:
    """The test suite's S3 server in this process: the test looks into it, and meddles."""
    name, faults, can_meddle = "s3", EVERYWHERE + OF_S3, True

    def __init__(self, folder):
        spec = importlib.util.spec_from_file_location("mini_s3", SERVERS / "mini_s3.py")
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self.server = self.module.Server(("127.0.0.1", 0), self.module.Handler)
        self.server.access, self.server.secret = "shoebox", "shoebox-secret"
        self.server.store = self.module.Store(["photos"])
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def settings(self, port):
        """The [[remote]] of it, behind the proxy at this port."""
        return f'[[remote]]\nname = "bucket"\nurl = "s3://photos/home"\nendpoint = "http://127.0.0.1:{port}"\n'

    environment = {"AWS_ACCESS_KEY_ID": "shoebox", "AWS_SECRET_ACCESS_KEY": "shoebox-secret"}

    def objects(self):
        """Key -> bytes."""
        with self.server.store.lock:
            return {key.removeprefix("home/"): one.body for key, one in self.server.store.buckets["photos"].items()}

    def put(self, key, data):
        """Somebody else writes there."""
        made = self.module.Object(data, self.module.md5_hex(data), [])
        with self.server.store.lock:
            self.server.store.buckets["photos"]["home/" + key] = made

    def remove(self, key):
        """Somebody else removes it."""
        with self.server.store.lock:
            self.server.store.buckets["photos"].pop("home/" + key, None)

    def close(self):
        """Stops it."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


class DavServer:
    """rclone's WebDAV server over a folder."""
    name, faults, can_meddle = "dav", EVERYWHERE, True
    environment = {}

    def __init__(self, folder):
        self.rclone = RcloneDav(folder, "--dir-cache-time", "1ms")  # it shall see what others do in its folder
        self.folder, self.port = self.rclone.folder, self.rclone.port

    def settings(self, port):
        """The [[remote]] of it, behind the proxy at this port."""
        return (f'[[remote]]\nname = "cloud"\nurl = "dav://127.0.0.1:{port}/"\n'
                f'credentials_file = "{self.rclone.login}"\n')

    def objects(self):
        """Key -> bytes."""
        return {p.relative_to(self.folder).as_posix(): p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}

    def put(self, key, data):
        """Somebody else writes there."""
        (self.folder / key).write_bytes(data)

    def remove(self, key):
        """Somebody else removes it."""
        (self.folder / key).unlink(missing_ok=True)

    def close(self):
        """Stops it."""
        self.rclone.stop()


@pytest.fixture(params=[S3Server, DavServer], ids=lambda kind: kind.name)
def server(request, folder):
    """A server that keeps objects."""
    one = request.param(folder)
    yield one
    one.close()


@pytest.fixture
def proxy(server):
    """The proxy that makes it fail."""
    one = FaultProxy(server.port, SEED)
    yield one
    one.close()


class Churn:
    """What people do with a drive, and what must be there afterwards."""

    def __init__(self, drive, server, chooser):
        self.drive, self.server, self.chooser = drive, server, chooser
        self.files = {}      # name below Library -> bytes
        self.meddled = set()  # pinned, so that this disk has them
        self.strangers = []  # bytes that others put there
        self.counts = {}
        self.number = self.failed_reads = self.reads = 0

    def path(self, name):
        """Of a file below Library."""
        return self.drive.path / "Library" / name

    def step(self):
        """One thing that somebody does."""
        choices = ["new", "new", "edit", "rename", "remove", "say", "read", "read", "evict"]
        if self.server.can_meddle:
            choices.append("meddle")
        what = self.chooser.choice(choices) if len(self.files) > 3 else "new"
        self.counts[what] = self.counts.get(what, 0) + 1
        getattr(self, what)()

    def any_name(self, but=()):
        """One of the files; None when there is none."""
        names = sorted(set(self.files) - set(but))
        return self.chooser.choice(names) if names else None

    def data(self):
        """Bytes of a file: most small, some in several parts."""
        size = self.chooser.choice([0, 10, 5000, 200_000, 200_000, 900_000] + [17 << 20] * (self.chooser.random() < 0.05))
        return self.chooser.randbytes(size)

    def new(self):
        """A new file."""
        self.number += 1
        name = f"{self.number}.{self.chooser.choice(['jpg', 'mp4', 'txt'])}"
        self.files[name] = self.data()
        self.path(name).write_bytes(self.files[name])

    def edit(self):
        """As editors do: beside it, and renamed over it."""
        name = self.any_name(self.meddled)
        if name is None:
            return
        self.files[name] = self.data()
        beside = self.path(f".{name}.AbC123")
        beside.write_bytes(self.files[name])
        os.rename(beside, self.path(name))

    def rename(self):
        """To another name."""
        name = self.any_name(self.meddled)
        if name is None:
            return
        self.number += 1
        new = f"moved-{self.number}{Path(name).suffix}"
        os.rename(self.path(name), self.path(new))
        self.files[new] = self.files.pop(name)

    def remove(self):
        """Into Trash."""
        name = self.any_name(self.meddled)
        if name is None:
            return
        self.path(name).unlink()
        del self.files[name]

    def say(self):
        """A caption."""
        name = self.any_name()
        with contextlib.suppress(OSError):  # files that are no photos take it as well
            os.setxattr(self.path(name), "user.xdg.comment", f"said {self.chooser.random()}".encode())

    def read(self):
        """Exact, or an error."""
        name = self.any_name()
        self.reads += 1
        try:
            got = self.path(name).read_bytes()
        except OSError:
            self.failed_reads += 1
            return
        assert got == self.files[name], f"{name}: wrong bytes served"

    def evict(self):
        """What is backed up may leave this disk."""
        name = self.any_name(self.meddled)
        if name is not None:
            self.drive.run("evict", self.path(name), check=False)
            self.drive.drop_caches()

    def meddle(self):
        """Another program edits, replaces or removes an object that this disk has as well."""
        name = self.any_name(self.meddled)
        if name is None or len(self.meddled) > 5 or self.drive.run("pin", self.path(name), check=False).returncode != 0:
            return
        with contextlib.suppress(OSError):  # not known before it is sealed
            if self.drive.state(f"Library/{name}") not in ("local", "pending"):
                return
        stands = self.server.objects().get(f"Library/{name}")
        if stands != self.files[name]:
            return
        self.meddled.add(name)
        if self.chooser.random() < 0.3:
            self.server.remove(f"Library/{name}")
            return
        data = self.chooser.randbytes(max(1, len(stands))) if self.chooser.random() < 0.5 else stands + b"edited"
        self.server.put(f"Library/{name}", data)
        self.strangers.append(data)


def settle(drive):
    """Until nothing is left to do on the remote, and status says so."""
    def settled():
        drive.run("backup", "now")
        drive.run("backup", "wait", check=False, timeout_s=240)
        status = drive.json("status")["remotes"][0]
        left = {key: status[key] for key in ("pending_files", "tidying", "sidecars", "catalog_pending_changes")}
        return not any(left.values()) and status["online"]
    wait_until(settled, 400, "everything to be backed up and in its place")


def check(drive, server, churn):
    """At rest: what is here is there, and nothing else."""
    there = server.objects()
    for name, data in churn.files.items():
        # A file without bytes stands in the catalog only.
        assert not data or there.get(f"Library/{name}") == data, f"{name} is not byte-identical on the remote"
    known = {f"Library/{name}" for name in churn.files}
    orphans = [key for key in there if not key.startswith(".shoebox/") and key not in known
               and key.removesuffix(".xmp") not in known]
    assert not orphans, f"nobody knows of {orphans}"
    assert not [key for key in there if key.startswith(".shoebox/tmp/")], "uploads were left behind"
    kept = list(there.values())
    lost = [data[:40] for data in churn.strangers if data not in kept]
    assert not lost, f"what others wrote was overwritten: {lost}"


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: f"{rate:.0%}")
def test_it_converges_and_serves_no_wrong_byte(server, proxy, make_drive, rate):
    chooser = random.Random(SEED * 1000 + int(rate * 100))
    drive = make_drive(settings=server.settings(proxy.port))
    drive.env.update(server.environment)
    drive.mount()
    churn = Churn(drive, server, chooser)
    for step in range(OPS):
        each = rate / len(server.faults)
        proxy.faults(**{name: each for name in server.faults}, stall=each * SLOW["stall"])
        churn.step()
        if step % 3 == 2:  # else it waits, as it should, while the remote fails
            drive.run("backup", "now")
        if step % 20 == 19:
            status = drive.json("status")["remotes"][0]
            assert status["pending_files"] + status["backed_up_files"] > 0
    faults = proxy.stats()["faults"]
    assert rate < 0.1 or sum(faults.values()) >= OPS / 10, f"too few faults, this proves nothing: {faults}"
    proxy.faults()
    settle(drive)
    # What others did there is found by reading it back, and mended.
    drive.run("verify", "--all", "--repair", check=False, timeout_s=240)
    settle(drive)
    check(drive, server, churn)
    drive.evict()
    for name, data in churn.files.items():
        assert churn.path(name).read_bytes() == data, name
    again = drive.json("verify", "--all", timeout_s=240)
    assert again["missing"] == again["damaged"] == again["unchecked"] == 0, again
    drive.unmount()
    done = drive.run("fsck", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    print(f"{server.name} at {rate:.0%}: {churn.counts}, {sum(faults.values())} faults {faults}, "
          f"{churn.failed_reads} of {churn.reads} reads failed")
