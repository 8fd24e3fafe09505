"""ls -lR and find over 100,000 files in folders of 1,000, cold and warm, against the disk and rclone mount."""
import subprocess

from drive import wait_until
from drives import default_drive
from measure import drop_caches, seconds
from rivals import RcloneMount


def make_tree(base, count):
    for number in range(count):
        if number % 1000 == 0:
            inner = base / f"{number // 1000:03}"
            inner.mkdir(parents=True)
        (inner / f"{number:06}.txt").write_bytes(b"%d" % number)


def cold_and_warm(command, base):
    def go():
        subprocess.run([*command, str(base)], check=True, stdout=subprocess.DEVNULL)
    drop_caches()
    return seconds(go), min(seconds(go) for _ in range(3))


def run(folder, table, scale):
    count = max(int(100_000 * scale), 2000)
    plain = folder / "tree"
    with default_drive(folder) as drive, RcloneMount.of_folder(folder) as rclone:
        drive.run("backup", "pause")
        for base in (plain, drive.path / "Library/tree", rclone.store / "tree"):
            make_tree(base, count)
        wait_until(lambda: drive.json("status")["not_decoded"] == 0, 900, "decoding")
        drive.remount()
        for command in (["ls", "-lR"], ["find"]):
            ours = cold_and_warm(command, drive.path / "Library/tree")
            disk = cold_and_warm(command, plain)
            other = cold_and_warm(command, rclone.path / "tree")
            for index, heat in enumerate(("cold", "warm")):
                table.add(f"{' '.join(command)} over {count}, {heat}", "s", ours[index], "less", disk=disk[index],
                          rclone=other[index])
        drive.run("backup", "resume")
