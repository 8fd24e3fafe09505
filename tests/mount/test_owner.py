"""One library directory at a time writes to a remote; another one is refused, and may take over."""
import shutil
import subprocess

import pytest
from drive import SHOEBOX, wait_until

SETTINGS = """
[[remote]]
name = "nas"
url = "file://{remote}"
lease = "3s"
"""


def status(drive):
    """What status says of the one remote."""
    return drive.status()["remotes"][0]


def owner_is_known(drive):
    """Waits until the remote told who owns it; gives that."""
    wait_until(lambda: status(drive)["owner"]["known"], 30, "the owner")
    return status(drive)["owner"]


def objects(drive):
    """Keys and bytes of all originals and backups on the remote."""
    return {str(path.relative_to(drive.remote)): path.read_bytes() for path in drive.remote.rglob("*")
            if path.is_file() and ".shoebox/owner" not in str(path)}


def refusal(drive):
    """Why nothing of this drive is backed up."""
    drive.run("backup", "now")
    done = drive.run("backup", "wait", check=False)
    assert done.returncode != 0, done.stdout
    return done.stderr


def rebuild(drive, remote, *options, check=True):
    """Makes the library of this drive from the remote."""
    done = subprocess.run([SHOEBOX, "rebuild", "--from", str(remote), "--option", "lease=3s", str(drive.library),
                           *options], check=False, capture_output=True, text=True, timeout=120, env=drive.env)
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture
def first(make_drive, folder):
    """A library with one photo, backed up."""
    drive = make_drive("first", settings=SETTINGS.format(remote=folder / "first/remote")).mount()
    (drive.path / "Library/kept.txt").write_text("kept", encoding="utf-8")
    drive.backed_up()
    return drive


def test_another_library_is_refused_and_told_who_is_there(first, make_drive):
    second = make_drive("second", settings=SETTINGS.format(remote=first.remote)).mount()
    assert "another library" in owner_is_known(second)["problem"]
    before = objects(first)
    (second.path / "Library/kept.txt").write_text("something else", encoding="utf-8")
    assert "another library" in refusal(second)
    assert objects(first) == before
    assert status(second)["pending_files"] == 1
    done = second.run("remote", "takeover", "nas", "--force", check=False)
    assert done.returncode != 0 and "another library" in done.stderr, done.stderr
    tested = second.json("remote", "test", "nas")["owner"]
    assert not tested["this_library"] and tested["host"], tested
    assert "another library" in second.run("status").stdout
    assert owner_is_known(first)["this_library"]


def test_a_rebuilt_library_waits_until_it_takes_over_and_the_former_one_stops(first, make_drive):
    second = make_drive("second")
    rebuild(second, first.remote)
    second.mount()
    problem = owner_is_known(second)["problem"]
    assert "writes there, since" in problem and "shoebox remote takeover nas" in problem
    assert "writes there, since" in second.log_text()  # the line of the mount
    (second.path / "Library/second.txt").write_text("second", encoding="utf-8")
    assert (second.path / "Library/kept.txt").read_text(encoding="utf-8") == "kept"  # reading works
    # The other one is alive.
    done = second.run("remote", "takeover", "nas", check=False)
    assert done.returncode != 0 and "is alive and writes there" in done.stderr, done.stderr
    assert not (first.remote / "Library/second.txt").exists()
    # By force it stops, says who took over, and keeps what it did not send.
    second.run("remote", "takeover", "nas", "--force")
    second.backed_up()
    assert (first.remote / "Library/second.txt").read_text(encoding="utf-8") == "second"
    wait_until(lambda: "took over" in status(first)["owner"]["problem"], 30, "the former owner's notice")
    (first.path / "Library/late.txt").write_text("late", encoding="utf-8")
    assert "took over" in refusal(first)
    assert status(first)["pending_files"] == 1
    assert not (first.remote / "Library/late.txt").exists()
    assert (first.path / "Library/late.txt").read_text(encoding="utf-8") == "late"
    # It is behind now, and may not come back by force either.
    first.remount()
    done = first.run("remote", "takeover", "nas", "--force", check=False)
    assert done.returncode != 0 and "shoebox rebuild" in done.stderr, done.stderr
    assert owner_is_known(second)["this_library"]


def test_after_a_crash_a_rebuild_takes_over(first, make_drive):
    first.kill()
    second = make_drive("second")
    rebuild(second, first.remote, "--takeover")
    second.mount()
    assert owner_is_known(second)["this_library"]
    (second.path / "Library/second.txt").write_text("second", encoding="utf-8")
    second.backed_up()
    before = objects(first)
    # The former one comes back.
    first.mount()
    assert "writes there, since" in owner_is_known(first)["problem"]
    (first.path / "Library/late.txt").write_text("late", encoding="utf-8")
    assert "shoebox remote takeover nas" in refusal(first)
    assert objects(first) == before


def test_the_same_library_goes_on_after_a_crash_and_after_an_unmount(first):
    for end in (first.kill, first.unmount, first.kill):
        end()
        first.mount()
        assert owner_is_known(first)["this_library"]
        (first.path / "Library" / f"{end.__name__}.txt").write_text("more", encoding="utf-8")
        first.backed_up()
    terms = {path.name for path in (first.remote / ".shoebox/owner").iterdir()}
    assert terms == {"1", "2"}, "an unmount releases, a crash does not"


def test_after_a_clean_unmount_the_next_machine_needs_no_takeover(first, make_drive):
    first.unmount()
    second = make_drive("second")
    rebuild(second, first.remote)
    second.mount()
    assert owner_is_known(second)["this_library"]
    (second.path / "Library/second.txt").write_text("second", encoding="utf-8")
    second.backed_up()
    second.unmount()
    # What the second one wrote is not known here.
    first.mount()
    assert "make the library anew" in owner_is_known(first)["problem"]
    (first.path / "Library/kept.txt").unlink()
    assert "shoebox rebuild" in refusal(first)
    assert (first.remote / "Library/kept.txt").exists()


def test_a_copy_of_the_library_is_another_writer(first, make_drive):
    second = make_drive("second")
    first.unmount()
    shutil.copytree(first.library, second.library)
    first.mount()
    assert owner_is_known(first)["this_library"]
    second.mount()
    assert "writes there, since" in owner_is_known(second)["problem"]
    assert (first.library / "writer").read_text("utf-8") != (second.library / "writer").read_text("utf-8")
