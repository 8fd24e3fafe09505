"""What is done on a drive so that it passes the points at which it is to die. Each scene is called with a mounted
drive and ends by Died; PLAYS tells which scene passes which points."""
import hashlib
import subprocess

from control import Refused
from drive import SHOEBOX, wait_until

LARGE = (16 << 20) + 700_000  # sent in two parts


def some(scene, count=3):
    """Some of the files."""
    names = sorted(scene.files)
    return scene.chooser.sample(names, min(count, len(names)))


def everyday(scene):
    """Writes, edits, renames, removals, captions, backups, evictions and reads, over and over."""
    for _ in range(8):
        for kind in ("jpg", "txt", "jpg", "mp4"):
            scene.new(kind, sync=scene.chooser.random() < 0.3)
        scene.write(scene.fresh(), scene.files[some(scene, 1)[0]])  # a twin: its bytes are known already
        scene.say([name for name in sorted(scene.files) if name.endswith(".jpg")][-1])
        for name in some(scene, 2):
            scene.write(name, scene.data(name[-3:]), edit=True)
        scene.replace(some(scene, 1)[0])
        scene.back_up()
        for name in some(scene, 2):
            scene.rename(name)
        scene.remove(some(scene, 1)[0])
        scene.back_up()
        scene.evict()
        for name in sorted(scene.files):
            scene.read(name)


def erased(scene):
    """What is in Trash goes for good."""
    for name in [scene.new("jpg") for _ in range(3)]:
        scene.new("txt")
        scene.remove(name)
    scene.back_up()
    scene.ask("trash empty", all=True)
    scene.wait_dead()


def read_the_middle(scene):
    """The middle of an evicted file is read, and nothing more."""
    name = scene.new("mp4", size=20_000_000)  # more than is read ahead
    scene.back_up()
    scene.evict()

    def read():
        with open(scene.path(name), "rb") as file:
            file.seek(9_000_000)
            assert file.read(1000) == scene.files[name][9_000_000:9_001_000]
    scene.step(name, read)


def half_read(scene):
    """An evicted file is read in part, and what came is kept by itself."""
    read_the_middle(scene)
    scene.wait_dead()


def let_go_again(scene):
    """What was read of an evicted file leaves again."""
    read_the_middle(scene)
    scene.evict()


def large(scene):
    """A file that is sent in parts."""
    scene.new("mp4", size=LARGE)
    scene.back_up()


def in_the_way(scene):
    """Somebody else's objects stand where ours are to be."""
    for name in ("Library/run/a.txt", "Library/run/b.jpg"):
        scene.strangers.append(scene.data())
        (scene.drive.remote / name).parent.mkdir(parents=True, exist_ok=True)
        (scene.drive.remote / name).write_bytes(scene.strangers[-1])
    scene.write("Library/run/a.txt", scene.data())
    scene.write("Library/run/b.jpg", scene.data("jpg"))
    scene.back_up()


def spoiled_there(scene):
    """A copy on the remote changes behind our back, another one vanishes, and verify mends both."""
    names = [scene.new("txt", size=5000) for _ in range(3)]
    scene.back_up()
    (scene.drive.remote / names[0]).write_bytes(b"spoiled")
    scene.strangers.append(b"spoiled")  # kept, as whoever wrote it may want it
    (scene.drive.remote / names[1]).unlink()
    scene.ask("verify", all=True, repair=True)
    scene.back_up()


def rotten_here(scene):
    """The disk spoils an original here, and fsck drops the bad block."""
    name = scene.new("mp4", size=700_000)
    scene.back_up()
    digest = hashlib.sha256(scene.files[name]).digest()
    for file in (scene.drive.library / "objects").rglob("*"):
        if file.is_file() and hashlib.sha256(file.read_bytes()).digest() == digest:
            with open(file, "r+b") as spoiled:
                spoiled.seek(300_000)
                spoiled.write(b"rotten")
    scene.ask("fsck", read_data=True, repair=True)


def mend_again(scene):
    """The same command goes on where it was killed."""
    scene.ask("fsck", read_data=True, repair=True)


def imported(scene):
    """A folder is moved in."""
    source = scene.drive.folder / "card"
    source.mkdir(exist_ok=True)
    for number in range(3):
        data = scene.data("jpg")
        (source / f"{number}.jpg").write_bytes(data)
        scene.files[f"Library/card/{number}.jpg"] = data  # wherever it is killed, the next run has it there
    scene.ask("import", folder=str(source), move=True, into="Library/card")


def import_again(scene):
    """The same command goes on where it was killed."""
    source = scene.drive.folder / "card"
    told = scene.ask("import", folder=str(source), move=True, into="Library/card")
    assert not list(source.glob("*")), told


def exported(scene):
    """Everything goes into a plain folder."""
    for _ in range(3):
        scene.new("jpg")
    scene.ask("export", destination=str(scene.drive.folder / "out"))


def export_again(scene):
    """The same command goes on where it was killed."""
    out = scene.drive.folder / "out"
    scene.ask("export", destination=str(out))
    for name, data in scene.files.items():
        assert (out / name).read_bytes() == data, f"{name}, exported"
    assert not list(out.rglob(".shoebox-export*"))


def adopted(scene):
    """Photos that stand on a remote already."""
    for number in range(3):
        place = scene.drive.remote / f"old/{number}.jpg"
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(scene.data("jpg"))
    small = b"small enough to come whole"
    (scene.drive.remote / "old/small.txt").write_bytes(small)
    scene.attempted.append(small)  # an object without a record is kept aside (store/content/LAYOUT.md)
    scene.ask("adopt", url=[f"file://{scene.drive.remote}"])
    for name in ("Library/old/0.jpg", "Library/old/1.jpg"):
        def read(name=name):  # who has read the last byte may be answered before the whole is hashed
            scene.path(name).read_bytes()
            wait_until(lambda: scene.drive.state(name) == "local", 60, f"{name} is whole")
        scene.step(name, read)


def adopt_again(scene):
    """The same command goes on where it was killed."""
    scene.ask("adopt", url=[f"file://{scene.drive.remote}"])
    for place in (scene.drive.remote / "old").iterdir():
        scene.files[f"Library/old/{place.name}"] = place.read_bytes()


def unmounted(scene):
    """An orderly end."""
    scene.new("jpg")
    scene.back_up()
    # Whatever on this machine walks all mounts makes one busy for an instant.
    wait_until(lambda: subprocess.run(["fusermount3", "-u", str(scene.drive.path)], check=False,
                                      capture_output=True).returncode == 0, 10, "the unmount")
    scene.wait_dead()


def cleaned(scene):
    """A backup of the catalog that was broken off left something that the next one removes."""
    library = next((scene.drive.remote / ".shoebox/catalog").iterdir(), None) \
        if (scene.drive.remote / ".shoebox/catalog").exists() else None
    if library is None:
        scene.new("txt")
        scene.back_up()
        library = next((scene.drive.remote / ".shoebox/catalog").iterdir())
    (library / f"journal-{scene.number}-{'0' * 64}").write_bytes(b"of a run that was killed")
    scene.drive.unmount()
    scene.mount(scene.point)
    for _ in range(3):
        scene.new("txt")
        scene.back_up()


def taken_over(scene):
    """Another library directory of the same library takes the remote over from one that was killed."""
    for _ in range(2):
        scene.new("jpg")
    scene.back_up()
    scene.drive.process.kill()
    scene.drive.process.wait()
    scene.drive.process = None
    scene.drive.detach()
    scene.drive.library = scene.drive.folder / "another"
    done = subprocess.run([SHOEBOX, "rebuild", "--from", f"file://{scene.drive.remote}", "--option", "lease=3s",
                           str(scene.drive.library)], check=False, capture_output=True, text=True, env=scene.drive.env)
    assert done.returncode == 0, done.stderr
    scene.mount(scene.point)
    scene.ask("remote takeover", name="nas")


def take_over_again(scene):
    """The same command goes on where it was killed; it says when it is too early."""
    def taken():
        try:
            return scene.ask("remote takeover", name="nas")
        except Refused as refused:
            assert "waits" in str(refused), refused
            return None
    wait_until(taken, 60, "the takeover")


def begun(scene):
    """Nothing: it dies while it begins."""
    scene.wait_dead()


def rebuilt(scene):
    """Another machine makes the library anew, and is killed at it."""
    for _ in range(2):
        scene.new("jpg")
    scene.say(scene.new("jpg"))
    scene.back_up()
    scene.drive.unmount()
    scene.drive.library = scene.drive.folder / "another"
    command = [SHOEBOX, "rebuild", "--from", f"file://{scene.drive.remote}", "--takeover", str(scene.drive.library)]
    log = open(scene.drive.log, "ab")  # stays open in the child
    scene.log_from = scene.drive.log.stat().st_size
    scene.drive.process = subprocess.Popen(command, stdout=log, stderr=log,
                                           env={**scene.drive.env, "SHOEBOX_KILL_POINT": scene.point})
    log.close()
    scene.wait_dead()


def rebuild_again(scene):
    """The same command goes on where it was killed. Called before the mount."""
    subprocess.run([SHOEBOX, "rebuild", "--from", f"file://{scene.drive.remote}", "--takeover",
                    str(scene.drive.library)], check=True, capture_output=True, env=scene.drive.env)


class Play:
    """A scene, where it plays, and what goes on after the crash."""

    def __init__(self, act, remote="nas", after=None, before_mount=None):
        self.act, self.remote = act, remote
        self.after, self.before_mount = after, before_mount


EVERYDAY = Play(everyday)
TAKEOVER = Play(taken_over, after=take_over_again)
PLAYS = {
    "adopt": Play(adopted, after=adopt_again),
    "aside": Play(in_the_way),
    "backup-cleaned": Play(cleaned),
    "erase": Play(erased),
    "export": Play(exported, after=export_again),
    "fetch-synced": Play(half_read),
    "file-replaced": Play(let_go_again),
    "import": Play(imported, after=import_again),
    "library": Play(begun),
    "multipart": Play(large, "bucket"),
    "owner-asked": TAKEOVER,
    "owner-released": Play(unmounted),
    "owner-taken": TAKEOVER,
    "part": Play(large, "bucket"),
    "put-moved": Play(everyday, "cloud"),
    "put-uploaded": Play(everyday, "cloud"),
    "rebuild": Play(rebuilt, before_mount=rebuild_again),
    "rot": Play(rotten_here, after=mend_again),
    "trim": Play(let_go_again),
    "verify": Play(spoiled_there),
}


def play_of(point):
    """The scene that passes a point: named for the point, or for its first word."""
    return PLAYS.get(point) or PLAYS.get(point.split("-")[0]) or EVERYDAY
