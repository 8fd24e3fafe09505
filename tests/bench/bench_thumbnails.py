"""Thumbnails a second against vips_thumbnail in a loop, and processor time of ingest a photo."""
import subprocess
from pathlib import Path

from drive import wait_until
from drives import default_drive
from measure import cpu_seconds, seconds

HERE = Path(__file__).resolve().parent


def vips_loop(folder, files):
    """Seconds of processor that libvips alone takes for the thumbnails of these files."""
    program = folder / "vips_loop"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "vips"], check=True, capture_output=True, text=True).stdout
    subprocess.run(["g++", "-O2", "-o", str(program), str(HERE / "vips_loop.cpp"), *flags.split()], check=True)
    done = subprocess.run([str(program), *files], check=True, capture_output=True, text=True)
    return float(done.stdout.split()[1])


def run(folder, table, scale):
    count = max(int(400 * scale), 24)
    made = folder / "made"
    subprocess.run([str(HERE.parents[1] / "packaging/make-photos"), str(made), str(count)], check=True)
    vips_s = vips_loop(folder, sorted(map(str, made.glob("*.jpg"))))
    with default_drive(folder) as drive:
        drive.run("backup", "pause")
        before = cpu_seconds(drive.process.pid)

        def ingest():
            subprocess.run(["cp", "-r", str(made), str(drive.path / "Library/made")], check=True)
            wait_until(lambda: drive.json("status")["not_decoded"] == 0, 900, "decoding")
        ours_s = seconds(ingest)
        cpu = cpu_seconds(drive.process.pid) - before
        drive.run("backup", "resume")
    table.add(f"photos ingested with both thumbnails ({count})", "/s", count / ours_s, "more", vips_loop=count / vips_s)
    table.add("processor time of ingest, a photo", "ms", cpu / count * 1e3, "less", vips_loop=vips_s / count * 1e3)
