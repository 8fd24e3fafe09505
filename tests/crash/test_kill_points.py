"""kill -9 at every named point between two durable steps (store/base/kill_points.h), and again during the recovery:
what was acknowledged is there byte for byte, after a drain of the queue on the remote too, where nothing is left
over; a library made anew from the remote has it; fsck is clean.

ctest runs some points, others every day or those that SHOEBOX_SEED chooses; SHOEBOX_POINTS=all is the long form
(tests/crash/run --points), and SHOEBOX_POINTS=tidy-copied,part-sent are these alone."""
import os
import random
import re
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from bucket import Bucket  # noqa: E402
from conftest import *  # noqa: E402,F401,F403  fixtures of the mount tests
from scene import ROOT, Died, Scene, listed_points  # noqa: E402
from scenes import everyday, play_of  # noqa: E402
from servers import RcloneDav  # noqa: E402
from drive import wait_until  # noqa: E402

SEED = int(os.environ.get("SHOEBOX_SEED", str(int(time.time()) // 86400)))  # every day other points
CHOSEN = os.environ.get("SHOEBOX_POINTS", "")
IN_CTEST = 3
# While a library begins, another one could be killed at these.
RECOVERY = ("seal-moved", "decode-recorded", "upload-stored", "upload-confirmed", "put-placed", "tidy-recorded",
            "owner-renewed", "backup-segment", "backup-head", "complete-placed", "erase-synced")


def chosen_points():
    """Which points this run is about."""
    points = listed_points()
    if CHOSEN == "all":
        return points
    if CHOSEN:
        return CHOSEN.split(",")
    cheap = [point for point in points if play_of(point).remote == "nas" and not point.startswith("owner-")]
    return random.Random(SEED).sample(cheap, IN_CTEST)


def test_each_listed_point_is_in_the_code_and_no_other():
    used = []
    for file in [*ROOT.glob("store/**/*.cpp"), *ROOT.glob("sync/**/*.cpp"), *ROOT.glob("fs/**/*.cpp")]:
        used += re.findall(r'\bkill_point\("([^"]+)"\)', file.read_text(encoding="utf-8"))
    listed = listed_points()
    assert len(listed) > 60 and len(set(listed)) == len(listed)
    assert sorted(used) == sorted(listed)


def test_a_name_that_is_no_point_is_refused(make_drive):
    drive = make_drive()
    drive.env["SHOEBOX_KILL_POINT"] = "no-such-point"
    done = drive.run("status", check=False)
    assert done.returncode == 2 and "no such point" in done.stderr, done.stderr


@pytest.fixture
def remotes(folder):
    """The remotes there are, made when first asked for."""
    made = {}

    def make(kind):
        if kind not in made:
            made[kind] = Bucket() if kind == "bucket" else RcloneDav(folder, "--dir-cache-time", "1ms")
        return made[kind]
    yield make
    for kind, one in made.items():
        (one.close if kind == "bucket" else one.stop)()


class Place:
    """Where a scene plays: a drive's remote, and how to look into it."""

    def __init__(self, kind, folder, remotes):
        self.kind, self.environment, self.options = kind, {}, []
        if kind == "bucket":
            self.server = remotes(kind)
            self.url, self.settings, self.environment = self.server.url, self.server.settings, self.server.environment
            self.options = ["--option", f"endpoint={self.server.endpoint}"]
            return
        if kind == "cloud":
            dav = remotes(kind)
            self.root, self.url = dav.folder, f"dav://127.0.0.1:{dav.port}/"
            self.settings = f'[[remote]]\nname = "cloud"\nurl = "{self.url}"\ncredentials_file = "{dav.login}"\n'
            self.options = ["--option", f"credentials_file={dav.login}"]
            return
        self.root = folder / "drive/remote"
        self.url = f"file://{self.root}"
        self.settings = f'[[remote]]\nname = "nas"\nurl = "{self.url}"\nlease = "3s"\n'

    def objects(self):
        """Key -> bytes."""
        if self.kind == "bucket":
            return self.server.objects()
        return {p.relative_to(self.root).as_posix(): p.read_bytes() for p in self.root.rglob("*") if p.is_file()}

    def unfinished(self):
        """Uploads in parts that nobody goes on with."""
        return self.server.unfinished() if self.kind == "bucket" else []


def crash(scene, act):
    """Plays until it dies; where it died."""
    try:
        scene.mount(scene.point)
        act(scene)
    except Died:
        return scene.bury()
    raise AssertionError(f"{scene.point} was not reached")


def crash_again(scene, point):
    """Once more, while it recovers: at that point if it comes to it, else at any moment."""
    try:
        scene.mount(point)
        scene.ask("backup now")
        wait_until(scene.dead, scene.chooser.uniform(0.0, 5.0), "the point")
    except (Died, AssertionError):
        pass
    if scene.dead():
        return scene.bury()
    scene.drive.kill()
    return "any moment"


def test_a_library_that_was_killed_while_its_settings_were_written_begins_anew(make_drive):
    scene = Scene(make_drive(), random.Random(SEED), b"")
    scene.point = "file-replaced"
    assert crash(scene, lambda scene: scene.wait_dead()) == "file-replaced"
    assert list(scene.drive.library.glob("shoebox.toml.tmp.*")), "killed elsewhere: this proves nothing"
    scene.mount()
    scene.new()
    scene.settle()
    scene.drive.unmount()
    scene.check_library()


@pytest.mark.parametrize("point", chosen_points())
def test_a_crash_at_a_point_loses_nothing_and_leaves_nothing(point, make_drive, folder, remotes, photo):
    chooser = random.Random(f"{SEED} {point}")
    play = play_of(point)
    place = Place(play.remote, folder, remotes)
    drive = make_drive(settings=place.settings)
    drive.env.update(place.environment)
    scene = Scene(drive, chooser, photo().read_bytes())
    scene.point = point
    if play.act is everyday:
        # Not always the first time; where it passes with each file, not before some are there.
        often = point.startswith(("staging-named", "write-", "seal-", "decode-"))
        once = point.startswith(("owner-", "staging-synced"))  # the latter serves many files at once
        scene.point = f"{point}:{1 if once else chooser.randint(5, 12) if often else chooser.randint(1, 3)}"
    assert crash(scene, play.act) == point
    second = chooser.choice([None, point, *chooser.sample(RECOVERY, 2)])
    if play.before_mount:
        play.before_mount(scene)
    where = crash_again(scene, second) if second else "nowhere"
    drive.mount()
    if play.after:
        play.after(scene)
    scene.check_files()
    scene.settle()
    scene.ask("verify", all=True, repair=True)
    scene.settle()
    verified = scene.ask("verify", all=True)
    assert verified["missing"] == verified["damaged"] == verified["unchecked"] == 0, verified
    scene.settle()
    scene.check_remote(place.objects(), scene.status()["backed_up_files"])
    assert not place.unfinished(), "uploads in parts were left behind"
    scene.evict()
    scene.check_files()
    drive.unmount()
    scene.check_library()
    done = drive.run("fsck", "--read-data", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    scene.check_rebuilt(place.url, place.options, make_drive)
    print(f"{point}: killed there, then {where}; {len(scene.files)} acknowledged files checked")
