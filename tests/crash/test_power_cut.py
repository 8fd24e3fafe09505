"""Power cuts of the disk under the library: what close() acknowledged is there afterwards."""
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from conftest import *  # noqa: E402,F401,F403  fixtures of the mount tests
from ledger import Runs  # noqa: E402
from power_disk import PowerDisk, unavailable  # noqa: E402

CUTS = int(os.environ.get("SHOEBOX_CUTS", "2"))


@pytest.fixture
def disk(folder):
    """A disk whose power can be cut."""
    reason = unavailable()
    if reason:
        pytest.skip(f"no power-cut disk: {reason}")
    one = PowerDisk(folder / "disk", size_mb=768 + 24 * CUTS)  # a full disk is another test
    try:
        one.on()
    except (subprocess.CalledProcessError, AssertionError) as error:
        pytest.skip(f"no power-cut disk: {error}")
    yield one
    one.off()


def test_closed_files_survive_power_cuts(make_drive, disk, folder):
    drive = make_drive()
    drive.patience_s = 300  # hours of work: a machine that is busy for a minute is no failure
    drive.library = disk.path / "library"
    chooser = random.Random(int(os.environ.get("SHOEBOX_SEED", "1")))
    runs, control_lost = Runs(drive, folder), 0
    for cut in range(CUTS):
        drive.mount()
        worker = runs.start()
        runs.wait_for_files(5)
        time.sleep(chooser.uniform(1.5, 3.0))  # the instant of the cut is what is random here
        (disk.path / f"control{cut}").write_bytes(b"never flushed")
        disk.cut()
        drive.kill()
        worker.wait(drive.patience_s)
        disk.on()
        control = disk.path / f"control{cut}"
        control_lost += not control.exists() or control.read_bytes() != b"never flushed"
    assert control_lost == CUTS, "unflushed data survived a cut: this proves nothing"
    drive.mount()
    checked = runs.check()
    assert checked >= CUTS
    drive.backed_up(timeout_s=240)
    drive.unmount()
    done = drive.run("fsck", "--read-data", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    print(f"{CUTS} cuts, {checked} acknowledged files checked")
