"""What people do with a drive while its remote fails, each one in a folder of their own; and what must hold."""
import contextlib
import os
import threading
import time
from pathlib import Path

CHOICES = ("new", "new", "edit", "rename", "remove", "say", "read", "read", "read", "evict", "evict", "look", "meddle", "betray")
MOST_VIOLATIONS = 20
# So long a person waits for what was just written to be backed up, before going on: else people are done before
# the backup begins.
PATIENCE_S = 0.7


class Churn:
    """One person: files in a folder, and what their bytes must be. `number` tells the folders apart."""

    def __init__(self, drive, server, chooser, number, most_meddled):
        self.drive, self.server, self.chooser = drive, server, chooser
        self.folder, self.most_meddled = f"p{number}", most_meddled
        self.files = {}       # name below Library -> bytes
        self.meddled = set()  # pinned, so that this disk has them
        self.strangers = []   # bytes that others put there
        self.counts = {}
        self.violations = []
        self.history = []     # one line for each thing that was done
        self.number = self.failed_reads = self.reads = 0
        self.slowest_read_s = 0.0
        (drive.path / "Library" / self.folder).mkdir()

    def path(self, name):
        """Of a file below Library."""
        return self.drive.path / "Library" / name

    def count(self, what):
        """Something that was done."""
        self.counts[what] = self.counts.get(what, 0) + 1

    def did(self, what, *names):
        """What was done to which files, for whoever looks for the reason of a violation."""
        self.history.append(f"{time.strftime('%H:%M:%S', time.gmtime())} {what} {' '.join(names)}")

    def violate(self, text):
        """Something that must not be."""
        self.violations.append(text)

    def step(self):
        """One thing that somebody does."""
        what = self.chooser.choice(CHOICES) if len(self.files) > 3 else "new"
        self.count(what)
        getattr(self, what)()

    def any_name(self, but=()):
        """One of the files; None when there is none."""
        names = sorted(set(self.files) - set(but))
        return self.chooser.choice(names) if names else None

    def fresh_name(self, extension):
        """Of a file that never was."""
        self.number += 1
        return f"{self.folder}/{self.number}{extension}"

    def data(self):
        """Bytes of a file: most small, some in several parts."""
        chosen = self.chooser.choice([0, 10, 5000, 200_000, 200_000, 400_000] + [17 << 20] * (self.chooser.random() < 0.05))
        return self.chooser.randbytes(chosen and chosen + self.chooser.randrange(4000))

    def new(self, data=None):
        """A new file. Few are looked at by the decoder, which takes its time."""
        name = self.fresh_name(self.chooser.choice([".jpg", *[".txt"] * 9]))
        self.files[name] = self.data() if data is None else data
        self.did("new", name, f"{len(self.files[name])} bytes")
        self.path(name).write_bytes(self.files[name])
        self.be_patient(name)
        return name

    def edit(self):
        """As editors do: beside it, and renamed over it."""
        name = self.any_name(self.meddled)
        if name is None:
            return
        self.files[name] = self.data()
        self.did("edit", name, f"{len(self.files[name])} bytes")
        beside = self.path(name).with_name(f".{Path(name).name}.AbC123")
        beside.write_bytes(self.files[name])
        os.rename(beside, self.path(name))
        self.be_patient(name)

    def be_patient(self, name):
        """Until it is backed up, or patience ends."""
        deadline = time.monotonic() + PATIENCE_S
        while self.attribute(name, "copies") in ("", "0") and time.monotonic() < deadline:
            time.sleep(0.03)

    def rename(self):
        """To another name."""
        name = self.any_name(self.meddled)
        if name is None:
            return
        new = self.fresh_name(Path(name).suffix)
        self.did("rename", name, new)
        os.rename(self.path(name), self.path(new))
        self.files[new] = self.files.pop(name)

    def remove(self):
        """Into Trash."""
        name = self.any_name(self.meddled)
        if name is None:
            return
        self.did("remove", name)
        self.path(name).unlink()
        del self.files[name]

    def say(self):
        """A caption."""
        name = self.any_name()
        self.did("say", name)
        with contextlib.suppress(OSError):  # files that are no photos take it as well
            os.setxattr(self.path(name), "user.xdg.comment", f"said {self.chooser.random()}".encode())

    def read_once(self, name):
        """Exact, or an error: whether it was exact."""
        begun = time.monotonic()
        self.reads += 1
        try:
            got = self.path(name).read_bytes()
        except FileNotFoundError:
            self.violate(f"{name} is not there: {self.how_it_is_missing(name)}")
            return False
        except OSError:
            self.failed_reads += 1
            return False
        finally:
            self.slowest_read_s = max(self.slowest_read_s, time.monotonic() - begun)
        if got != self.files[name]:
            want = self.files[name]
            first = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
            self.violate(f"{name}: wrong bytes served: {len(got)} of {len(want)}, other from {first}")
        return got == self.files[name]

    def how_it_is_missing(self, name):
        """For whoever looks for the reason."""
        folder = self.path(name).parent
        listed = Path(name).name in os.listdir(folder)
        again = self.path(name).exists()
        self.drive.drop_caches()
        return f"listed: {listed}, found again: {again}, found without the kernel's caches: {self.path(name).exists()}"

    def read(self):
        """Some file."""
        self.read_once(self.any_name())

    def evict(self, name=None):
        """What is backed up may leave this disk."""
        name = name or self.any_name(self.meddled)
        if name is None:
            return
        self.did("evict", name)
        self.drive.command("evict", paths=[f"Library/{name}"])
        self.forget_pages(name)

    def forget_pages(self, name):
        """The next read reaches the drive, not the kernel's pages."""
        with contextlib.suppress(OSError), open(self.path(name), "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def attribute(self, name, what):
        """user.shoebox.… of a file; empty: it has none yet."""
        with contextlib.suppress(OSError):
            return os.getxattr(self.path(name), f"user.shoebox.{what}").decode()
        return ""

    def stands(self, data):
        """Whether these bytes stand on the remote, under whatever key."""
        for _ in range(3):  # it may be given another key while we look
            if data in self.server.objects(len(data)).values():
                return True
        return False

    def look(self):
        """What is told to have a copy has one."""
        name = self.any_name(self.meddled)
        if name is None or not self.files[name] or self.attribute(name, "copies") in ("", "0"):
            return
        self.count("looked")
        data = self.files[name]
        if self.server.get(f"Library/{name}") != data and not self.stands(data):
            self.violate(f"{name}: told to have {self.attribute(name, 'copies')} copies, {self.attribute(name, 'state')}, "
                         "and none stands there")

    def meddle(self, name=None, how=None):
        """Another program edits, replaces or removes an object that this disk has as well."""
        if name is None and len(self.meddled) < self.most_meddled:
            name = self.any_name(self.meddled)
        if name is None:
            return
        key = f"Library/{name}"
        if "error" in self.drive.command("pin", paths=[key]) or self.attribute(name, "state") not in ("local", "pending"):
            return
        stands = self.server.get(key)
        if not stands or stands != self.files[name]:
            return
        self.meddled.add(name)
        how = how or self.chooser.choice(("deleted", "replaced", "edited"))
        self.count(how)
        self.did(how, name)
        if how == "deleted":
            self.server.remove(key)
            return
        data = self.chooser.randbytes(len(stands)) if how == "replaced" else stands + b"edited"
        self.server.put(key, data)
        self.strangers.append(data)

    def betray(self, name=None):
        """An object of which this disk has no whole copy becomes another, of the same size, and what it was again."""
        name = name or self.any_name(self.meddled)
        if name is None or self.attribute(name, "state") not in ("remote", "partial"):
            return
        key, data = f"Library/{name}", self.files[name]
        if self.server.get(key) != data:
            return
        self.count("betrayed")
        self.did("betrayed", name)
        at = self.chooser.randrange(len(data))
        self.server.put(key, data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
        self.forget_pages(name)
        self.read_once(name)
        self.server.put(key, data)


class Crowd:
    """Several at once, until so many things are done."""

    def __init__(self, people, drive, steps):
        self.people, self.drive, self.steps = people, drive, steps
        self.done = 0
        self.lock = threading.Lock()
        self.failures = []

    def take(self):
        """The number of the next step; None: enough is done."""
        with self.lock:
            wrong = sum(len(one.violations) for one in self.people)
            if self.done >= self.steps or self.failures or wrong >= MOST_VIOLATIONS:
                return None
            self.done += 1
            return self.done

    def work(self, churn):
        """One person's thread."""
        try:
            while (number := self.take()) is not None:
                churn.step()
                if number % 3 == 0:  # else it waits, as it should, while the remote fails
                    self.drive.command("backup now")
        except Exception as error:  # told by run()
            self.failures.append(error)

    def run(self, told=lambda: None):
        """Until all is done; `told` is called now and then."""
        threads = [threading.Thread(target=self.work, args=(one,)) for one in self.people]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(10)
                told()
        if self.failures:
            raise self.failures[0]

    def total(self, name):
        """A number of all of them, or what they counted."""
        values = [getattr(one, name) for one in self.people]
        if isinstance(values[0], dict):
            return {key: sum(value.get(key, 0) for value in values) for key in sorted({k for v in values for k in v})}
        return [item for value in values for item in value] if isinstance(values[0], list) else sum(values)
