"""Requests and bytes: EXIF of evicted photos, and one evicted photo of 4 MB."""
import os
import subprocess
from pathlib import Path

from drive import wait_until
from drives import default_drive
from measure import read_whole

ROOT = Path(__file__).resolve().parents[2]


def make(made, count):
    subprocess.run([str(ROOT / "packaging/make-photos"), str(made), str(min(count, 100))], check=True)
    for number in range(100, count):
        picture = made / f"IMG_{number % 100 + 1:04}.jpg"
        (made / f"N{number:04}.jpg").write_bytes(picture.read_bytes() + os.urandom(400_000))
    (made / "four.jpg").write_bytes((made / "IMG_0001.jpg").read_bytes() + os.urandom(4_000_000))


def run(folder, table, scale):
    count = max(int(1000 * scale), 24)
    make(folder / "exif", count)
    with default_drive(folder) as drive:
        subprocess.run(["cp", "-r", str(folder / "exif"), str(drive.path / "Library/exif")], check=True)
        drive.backed_up(timeout_s=900)
        drive.evict()

        def counts():
            remote = drive.json("status")["remotes"][0]
            return remote["requests"], remote["received_bytes"]
        before = counts()
        subprocess.run(["exiftool", "-q", "-fast2", "-DateTimeOriginal", str(drive.path / "Library/exif")], check=True,
                       stdout=subprocess.DEVNULL)
        after = counts()
        table.add(f"requests for the EXIF of {count} evicted photos", "", after[0] - before[0], "less")
        table.add(f"bytes fetched for the EXIF of {count} evicted photos", "B", after[1] - before[1], "less")
        read_whole(drive.path / "Library/exif/four.jpg")
        wait_until(lambda: counts()[0] > after[0], 10, "a request to be counted, which it is at its end")
        last = counts()
    table.add("requests for one evicted photo of 4 MB", "", last[0] - after[0], "less")
    table.add("bytes fetched for one evicted photo of 4 MB", "B", last[1] - after[1], "less")
