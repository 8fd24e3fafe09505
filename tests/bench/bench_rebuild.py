"""Rebuild of a library of 100,000 photos from its backup until it is mounted and shows names, dates and thumbnails; from
a directory and from Ceph, with what it costs in requests and bytes."""
import json
import os
import subprocess

import small_photos
from ceph import gateway
from drive import Drive, wait_until
from measure import drop_caches, seconds


def back_up(folder, count):
    """A backup in folder/nas of a library that adopted the photos there: it is made by the ordinary means, quickly."""
    nas = folder / "nas"
    small_photos.make(nas, count)
    drive = Drive(folder / "source")
    try:
        subprocess.run([os.environ["SHOEBOX"], "adopt", f"file://{nas}", "--library", str(drive.library)], check=True,
                       stdout=subprocess.DEVNULL)
        drive.mount()
        wait_until(lambda: drive.json("status")["not_decoded"] == 0, 3600, "decoding")
        drive.backed_up(timeout_s=1800)
        wait_until(lambda: drive.json("status")["remotes"][0]["catalog_pending_changes"] == 0, 600, "the catalog's backup")
    finally:
        drive.close()
    return nas


def rebuild(folder, url, env, count, *options):
    """Seconds until it can be browsed, until all of it was listed, and what the rebuild counted."""
    drive, told = Drive(folder), []
    drive.env.update(env)
    drop_caches()

    def browse():
        done = subprocess.run([os.environ["SHOEBOX"], "rebuild", "--from", url, str(drive.library), "--json", *options],
                              check=True, capture_output=True, text=True, env=drive.env)
        told.append(json.loads(done.stdout))
        drive.mount("--read-only")
        month = drive.path / "Dates/2013/04"
        photo = month / drive.names("Dates/2013/04")[0]
        assert drive.names("People") == sorted(small_photos.PEOPLE)
        jpeg = subprocess.run([os.environ["SHOEBOX"], "thumbnail", str(photo)], check=True, capture_output=True)
        assert jpeg.stdout[:2] == b"\xff\xd8"

    try:
        took = seconds(browse)
        listed = []

        def list_all():
            done = subprocess.run(["find", str(drive.path / "Dates"), "-type", "f"], check=True, capture_output=True)
            listed.append(done.stdout.count(b"\n"))
        all_s = seconds(list_all)
        assert listed == [count], listed
    finally:
        drive.close()
    return took, took + all_s, told[0]


def run(folder, table, scale):
    count = max(int(100_000 * scale), 1000)
    nas = back_up(folder, count)
    with gateway(folder, 1 << 30) as ceph:
        ceph.rclone("copy", "--transfers", 8, nas / ".shoebox", f"ceph:{ceph.bucket}/nas/.shoebox")
        for what, url, env, options in (
                ("a directory", f"file://{nas}", {}, ()),
                ("Ceph", f"s3://{ceph.bucket}/nas", ceph.env, ("--option", f"endpoint={ceph.endpoint}"))):
            took, listed, told = rebuild(folder / what.split()[-1], url, env, count, *options)
            assert told["originals"] == count and told["thumbnails"] >= count, told
            name = f"rebuild of {count} from {what}"
            table.add(f"{name}, until browsable", "s", took, "less")
            table.add(f"{name}, until all of Dates/ was listed", "s", listed, "less")
            table.add(f"{name}: requests", "", told["requests"], "less")
            table.add(f"{name}: bytes a photo", "B", told["received_bytes"] / count, "less")
