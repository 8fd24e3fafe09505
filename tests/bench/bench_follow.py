"""A mounted follower whose writer takes 100,000 photos in: until it shows them all, and the most memory of either."""
import os
import re
import subprocess
from pathlib import Path

import small_photos
from drive import Drive, wait_until
from measure import seconds


def most_memory_mb(drive):
    """What the process of a mount held at most so far."""
    status = Path(f"/proc/{drive.process.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s*(\d+) kB", status).group(1)) / 1000


def shown(drive):
    """How many photos its Dates/ has."""
    found = subprocess.run(["find", str(drive.path / "Dates"), "-type", "f"], check=False, capture_output=True)
    return found.stdout.count(b"\n")  # an error: it is replacing what is listed


def take_in(writer, photos):
    """Adopted, so that only the catalog and the thumbnails have to be sent."""
    subprocess.run([os.environ["SHOEBOX"], "adopt", f"file://{photos}", "--library", str(writer.library)], check=True,
                   stdout=subprocess.DEVNULL)
    wait_until(lambda: writer.json("status")["not_decoded"] == 0, 3600, "decoding")
    writer.backed_up(timeout_s=1800)
    wait_until(lambda: all(remote["catalog_pending_changes"] == 0 for remote in writer.json("status")["remotes"]), 1800,
               "the catalog's backup")


def run(folder, table, scale):
    count = max(int(100_000 * scale), 1000)
    small_photos.make(folder / "photos", count)
    writer, follower = Drive(folder / "writer"), Drive(folder / "follower")
    try:
        writer.mount()
        (writer.path / "Library/first.txt").write_text("first", encoding="utf-8")
        writer.backed_up()
        follower.mount("--read-only", "--from", f"file://{writer.remote}")
        took = seconds(lambda: take_in(writer, folder / "photos"))
        behind = seconds(lambda: wait_until(lambda: shown(follower) == count, 1800, "the follower"))
        name = f"follower of a writer who takes {count} in"
        table.add(f"{name}: the writer, until all is backed up", "s", took, "less")
        table.add(f"{name}: shows all so much later", "s", behind, "less")
        table.add(f"{name}: most memory of the follower", "MB", most_memory_mb(follower), "less")
        table.add(f"{name}: most memory of the writer", "MB", most_memory_mb(writer), "less")
    finally:
        follower.close()
        writer.close()
