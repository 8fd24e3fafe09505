"""kill -9 at random instants of a run of writes, renames, edits and removals: nothing acknowledged is lost,
the remote gets everything, fsck is clean; also when killed again during the recovery."""
import os
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from conftest import *  # noqa: E402,F401,F403  fixtures of the mount tests
from drive import sha256  # noqa: E402
from ledger import Runs, read  # noqa: E402

KILLS = int(os.environ.get("SHOEBOX_KILLS", "5"))


def test_acknowledged_files_survive_kills(make_drive, folder):
    drive = make_drive()
    drive.patience_s = 300  # hours of work: a machine that is busy for a minute is no failure
    seed = int(os.environ.get("SHOEBOX_SEED", "1"))
    chooser = random.Random(seed)
    runs, unsent_at_kill = Runs(drive, folder), 0
    for kill in range(KILLS):
        drive.mount()
        worker = runs.start()
        runs.wait_for_files(15)
        time.sleep(chooser.uniform(0.5, 3.0))  # the instant of the kill is what is random here
        unsent_at_kill += drive.json("status")["remotes"][0]["pending_files"]
        drive.kill()
        worker.wait(drive.patience_s)
        if kill % 2:  # and once more, while it recovers
            drive.mount(wait=False)
            time.sleep(chooser.uniform(0.0, 0.4))
            drive.kill()
    assert unsent_at_kill > 0, "every kill came when nothing was unsent: this proves nothing"
    drive.mount()
    checked = runs.check()
    assert checked >= 10 * KILLS
    drive.backed_up(timeout_s=240)
    on_remote = {sha256(p) for p in drive.remote.rglob("*") if p.is_file()}
    for kill, log in enumerate(runs.logs):
        state, open_steps = read(log)
        for name, digest in state.items():
            if name not in open_steps:
                assert digest in on_remote, f"{name} of run {kill} is not on the remote"
    drive.evict()
    assert runs.check() == checked
    drive.unmount()
    done = drive.run("fsck", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    print(f"{KILLS} kills, {checked} acknowledged files checked, {unsent_at_kill} unsent at the kills")
