"""Upload of 1,000 x 4 MB and of 20 x 500 MB to Ceph, against rclone copy of the same files with as many at once."""
import statistics

from ceph import gateway
from drive import remove_tree, wait_until
from drives import drive_on, settings
from measure import big_file, drop_caches, random_file, seconds

CONNECTIONS = 4  # the default of both
ROUNDS = 3


def fill(drive, sizes):
    """Writes files into the drive, which does not send them; all hashed and decoded afterwards."""
    folder = drive.path / "Library/up"
    folder.mkdir()
    for number, size in enumerate(sizes):
        if size > 50_000_000:
            big_file(folder / f"VID_{number:04}.mp4", size)
        else:
            random_file(folder / f"IMG_{number:04}.jpg", size, number)
    wait_until(lambda: drive.json("status")["not_decoded"] == 0, 900, "decoding")


def ours(drive, ceph, remote):
    """Seconds and requests until all is confirmed on a remote that is new to this library."""
    (drive.library / "shoebox.toml").write_text(
        settings(remote, f"s3://{ceph.bucket}/{remote}", ceph, connections=CONNECTIONS), encoding="utf-8")
    drive.mount()
    drive.run("backup", "pause")
    drop_caches()

    def send():
        drive.run("backup", "resume")
        drive.backed_up(timeout_s=1800)
    took = seconds(send)
    status = drive.json("status")["remotes"][0]
    assert status["pending_files"] == 0, status
    drive.unmount()
    return took, status["requests"]


def theirs(drive, ceph, prefix, *options):
    """Seconds that rclone copy takes for the same files on the same disk: the library's own objects."""
    drop_caches()
    return seconds(lambda: ceph.rclone("copy", drive.library / "objects", f"ceph:{ceph.bucket}/{prefix}",
                                       "--transfers", CONNECTIONS, *options))


def compare(folder, table, what, sizes, yardsticks):
    """Rounds in turn; the median of each."""
    folder.mkdir()
    with gateway(folder, sum(sizes)) as ceph, drive_on(folder, ceph, "start") as drive:
        drive.mount()
        drive.run("backup", "pause")
        fill(drive, sizes)
        drive.unmount()
        mine, others, requests = [], {name: [] for name in yardsticks}, 0
        for turn in range(ROUNDS):
            took, requests = ours(drive, ceph, f"ours{turn}")
            mine.append(took)
            ceph.empty(f"ours{turn}")
            for name, options in yardsticks.items():
                others[name].append(theirs(drive, ceph, "theirs", *options))
                ceph.empty("theirs")
    mb = sum(sizes) / 1e6
    remove_tree(folder)
    table.add(f"upload of {what}", "MB/s", mb / statistics.median(mine), "more",
              **{name: mb / statistics.median(times) for name, times in others.items()})
    table.add(f"requests for {what}, a file", "", requests / len(sizes), "less")


def run(folder, table, scale):
    photos = [4_000_000] * max(int(1000 * scale), 40)
    compare(folder / "photos", table, f"{len(photos)} x 4 MB", photos, {"rclone_copy": []})
    size = 500_000_000 if scale >= 0.1 else 100_000_000
    videos = [size] * max(int(20 * scale), 4)
    # rclone sends four parts of each file at once; the first yardstick has as many requests at once as we have.
    compare(folder / "videos", table, f"{len(videos)} x {size // 1_000_000} MB", videos,
            {"rclone_copy": ["--s3-upload-concurrency", "1"], "rclone_4_parts_each": []})
