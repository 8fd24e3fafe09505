"""Adopting what stands on a remote: requests, bytes and time a photo; 100,000 small photos and some of 4 MB, in a
directory and on Ceph, and the run after that, which finds nothing new."""
import json
import os
import subprocess

import small_photos
from ceph import gateway
from measure import random_file, seconds


def adopt(library, url, env, *options):
    """Seconds, and what `shoebox adopt` counted."""
    reports = []

    def go():
        done = subprocess.run([os.environ["SHOEBOX"], "adopt", url, "--library", str(library), "--json", *options],
                              check=True, capture_output=True, text=True, env={**os.environ, **env})
        reports.append(json.loads(done.stdout))
    return seconds(go), reports[0]


def row(table, what, count, took, report):
    table.add(f"{what}: requests a photo", "", report["requests"] / count, "less")
    table.add(f"{what}: bytes a photo", "B", report["received_bytes"] / count, "less")
    table.add(f"{what}: photos a second", "/s", count / took, "more")


def run(folder, table, scale):
    count = max(int(100_000 * scale), 1000)
    small, large = folder / "small", folder / "large"
    total = small_photos.make(small, count)
    large.mkdir()
    some = max(int(200 * scale), 12)
    for number in range(some):
        photo = random_file(large / f"IMG_{number:04}.jpg", 4_000_000, number)
        photo.write_bytes((small / f"000/IMG_{number:06}.jpg").read_bytes() + photo.read_bytes())
    with gateway(folder, some * 4_000_000 + max(total, count * 16384)) as ceph:
        on_ceph = ("--option", f"endpoint={ceph.endpoint}")
        ceph.rclone("copy", "--transfers", 16, large, f"ceph:{ceph.bucket}/large")
        took, report = adopt(folder / "l1", f"s3://{ceph.bucket}/large", ceph.env, *on_ceph)
        assert report["photos"] == some, report
        row(table, f"adopt {some} x 4 MB on Ceph", some, took, report)
        ceph.rclone("copy", "--transfers", 16, "--no-traverse", small, f"ceph:{ceph.bucket}/small")
        for library, url, env, options, where in (
                ("l2", f"file://{small}", {}, (), "in a directory"),
                ("l3", f"s3://{ceph.bucket}/small", ceph.env, on_ceph, "on Ceph")):
            took, report = adopt(folder / library, url, env, *options)
            assert report["photos"] == count, report
            row(table, f"adopt {count} small ones {where}", count, took, report)
            took, report = adopt(folder / library, url, env, *options)
            assert report["already_there"] == count, report
            table.add(f"adopt {count} {where} again", "s", took, "less")
            table.add(f"adopt {count} {where} again: requests", "", report["requests"], "less")
