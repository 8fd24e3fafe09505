"""cp of 1,000 files of 4 MB, durable at close, against cp and fsync of each file, and rclone mount."""
import os
import shutil
import subprocess

from drives import default_drive
from measure import random_file, seconds
from rivals import RcloneMount


def run(folder, table, scale):
    count = max(int(1000 * scale), 20)
    source = folder / "cards"
    source.mkdir()
    for number in range(count):
        random_file(source / f"IMG_{number:04}.jpg", 4_000_000, number)

    def copy_fsync(into):
        into.mkdir()
        for path in sorted(source.iterdir()):
            shutil.copyfile(path, into / path.name)
            descriptor = os.open(into / path.name, os.O_RDWR)
            os.fsync(descriptor)
            os.close(descriptor)

    def copy(into):
        subprocess.run(["cp", "-r", str(source), str(into)], check=True)

    with default_drive(folder) as drive:
        drive.run("backup", "pause")
        disk = seconds(lambda: copy_fsync(folder / "plain"))
        ours = seconds(lambda: copy(drive.path / "Library/cards"))
        with RcloneMount.of_folder(folder) as rclone:
            other = seconds(lambda: copy(rclone.path / "cards"))
        drive.run("backup", "resume")
    mb = count * 4
    table.add(f"cp of {count} x 4 MB, durable at close", "MB/s", mb / ours, "more", disk_with_fsync=mb / disk,
              rclone_not_durable=mb / other)
