#!/usr/bin/python3
"""Writes, renames, edits and removes below a mount until it is killed, and notes in a log what was
acknowledged. One line a step, written and flushed only after the call returned:

    intent NAME            a step on NAME begins: until it is acknowledged NAME may be old or new
    have NAME SHA256 how   NAME has these bytes; how = close, fsync or rename
    gone NAME              NAME was removed

Usage: workload.py MOUNT LOG SEED SECONDS
"""
import hashlib
import os
import random
import sys
import time


class Log:
    """The log of acknowledged steps: each line is in the kernel before the next step begins."""

    def __init__(self, path):
        self.file = open(path, "ab", buffering=0)  # closed by the end of the process

    def say(self, *words):
        """Appends one line."""
        self.file.write((" ".join(words) + "\n").encode())


def write(path, data, sync):
    """Writes a whole file, with fsync or only close."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view):]
    if sync:
        os.fsync(descriptor)
    os.close(descriptor)


def main():
    mount, log, seed, seconds = sys.argv[1], Log(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    chooser = random.Random(seed)
    base = os.path.join(mount, "Library", f"run{seed}")
    os.makedirs(base, exist_ok=True)
    known = []
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        number += 1
        step = chooser.choice(["new", "new", "new", "edit", "rename", "remove", "temp"])
        data = chooser.randbytes(chooser.choice([10, 5000, 200_000, 900_000]))
        digest = hashlib.sha256(data).hexdigest()
        if step == "new" or not known:
            name = f"{seed}-{number}.{chooser.choice(['jpg', 'mp4', 'txt'])}"
            log.say("intent", name)
            sync = chooser.random() < 0.3
            write(os.path.join(base, name), data, sync)
            log.say("have", name, digest, "fsync" if sync else "close")
            known.append(name)
        elif step == "edit":
            name = chooser.choice(known)
            log.say("intent", name)
            write(os.path.join(base, name), data, False)
            log.say("have", name, digest, "close")
        elif step == "temp":
            name = chooser.choice(known)
            log.say("intent", name)
            write(os.path.join(base, f".{name}.AbC123"), data, True)
            os.rename(os.path.join(base, f".{name}.AbC123"), os.path.join(base, name))
            log.say("have", name, digest, "rename")
        elif step == "rename":
            name = known.pop(chooser.randrange(len(known)))
            new = f"moved-{number}-{name}"
            log.say("intent", name)
            log.say("intent", new)
            os.rename(os.path.join(base, name), os.path.join(base, new))
            log.say("moved", name, new)
            known.append(new)
        else:
            name = known.pop(chooser.randrange(len(known)))
            log.say("intent", name)
            os.unlink(os.path.join(base, name))
            log.say("gone", name)


if __name__ == "__main__":
    main()
