"""The command line: mounting, refusing, finding the library, machine-readable answers."""
import fcntl
import json
import os
import signal
import stat
import subprocess

import pytest
from drive import SHOEBOX, mounted, wait_until


def run(*arguments, env=None):
    return subprocess.run([SHOEBOX, *map(str, arguments)], check=False, capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL)


def one_line_error(done):
    assert done.returncode != 0
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


def test_daemon_says_one_line_and_unmounts_by_fusermount(folder):
    library, mnt = folder / "lib", folder / "mnt"
    mnt.mkdir()
    done = run("mount", library, mnt, "--remote", f"file://{folder}/remote")
    try:
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.strip().splitlines()) == 1 and str(mnt) in done.stdout and "remote" in done.stdout
        assert stat.S_IMODE(library.stat().st_mode) == 0o700
        assert stat.S_IMODE((library / "control.sock").stat().st_mode) == 0o600
        assert (mnt / "Library").is_dir()
    finally:
        subprocess.run(["fusermount3", "-u", str(mnt)], check=True)
    wait_until(lambda: not (library / "control.sock").exists(), 30, "the daemon's end")
    assert not mounted(mnt)


def test_sigterm_unmounts_in_order(drive):
    (drive.path / "Library/a.txt").write_bytes(b"kept")
    drive.process.send_signal(signal.SIGTERM)
    assert drive.process.wait(30) == 0
    drive.process = None
    assert not mounted(drive.path)
    drive.mount()
    assert (drive.path / "Library/a.txt").read_bytes() == b"kept"


def test_second_mount_is_refused_with_the_holders_pid(drive, folder):
    other = folder / "other"
    other.mkdir()
    error = one_line_error(run("mount", drive.library, other, "-f"))
    assert str(drive.process.pid) in error


def test_mount_waits_for_a_mount_that_was_taken_away_to_end(drive, folder):
    drive.unmount()
    with open(drive.library / "lock", "r+b") as lock:  # as a process that is still telling its remotes
        fcntl.flock(lock, fcntl.LOCK_EX)
        drive.mount(wait=False)
        wait_until(lambda: "waiting for it" in drive.log_text(), 30, "the mount to wait")
        assert drive.process.poll() is None
    drive.wait_mounted()


def test_what_was_mistyped_is_named(folder):
    (folder / "mnt").mkdir()
    assert '"frobnicate"' in one_line_error(run("frobnicate", "x"))
    assert 'backup has no "noww"' in one_line_error(run("backup", "noww"))
    error = one_line_error(run("mount", folder / "lib", folder / "mnt", "--remote", "s3:/bucket"))
    assert "s3://" in error and not (folder / "lib").exists()


def test_mountpoint_that_is_not_empty_absent_or_a_file_is_refused(folder):
    full = folder / "full"
    full.mkdir()
    (full / "x").write_bytes(b"")
    assert "empty" in one_line_error(run("mount", folder / "lib", full))
    assert "absent" in one_line_error(run("mount", folder / "lib", folder / "absent"))
    assert "not a folder" in one_line_error(run("mount", folder / "lib", full / "x"))


def test_unknown_mount_option_is_named(folder):
    (folder / "mnt").mkdir()
    assert "colour" in one_line_error(run("mount", folder / "lib", folder / "mnt", "-o", "colour=red"))


def test_ro_uid_gid_umask_mean_what_they_mean_elsewhere(make_drive):
    drive = make_drive().mount()
    (drive.path / "Library/a.txt").write_bytes(b"x")
    drive.remount("-o", "ro,uid=1234,gid=2345,umask=027")
    state = (drive.path / "Library/a.txt").stat()
    assert (state.st_uid, state.st_gid) == (1234, 2345) and state.st_mode & 0o027 == 0
    with pytest.raises(OSError) as caught:
        (drive.path / "Library/b.txt").write_bytes(b"x")
    assert caught.value.errno == 30


def test_a_read_only_mount_says_what_waits_for_another(drive):
    drive.run("backup", "pause")
    (drive.path / "Library/a.mp4").write_bytes(os.urandom(300_000))
    wait_until(lambda: drive.status()["remotes"][0]["pending_files"] == 1, 30, "the queue")
    drive.unmount()
    drive.mount("-o", "ro")
    wanted = "1 file (293.0 KiB) pending, paused, nothing is sent from here"
    wait_until(lambda: wanted in drive.log_text(), 10, "the line that says what is mounted")
    status = drive.json("status")
    assert status["local_bytes"] == 300_000 and "-o ro" in status["read_only_because"]
    assert "read-only" in status["remotes"][0]["waiting_for"]
    said = drive.run("status").stdout
    assert "this disk  293.0 KiB of" in said and "read-only  it is mounted with -o ro: nothing is" in said, said
    assert "read-only" in one_line_error(run("backup", "wait", "--library", drive.library))
    drive.remount()
    assert drive.json("status")["read_only_because"] == ""
    drive.run("backup", "resume")
    drive.backed_up()


def test_what_is_no_library_is_told_by_every_verb(folder):
    (folder / "file").write_bytes(b"")
    (folder / "photos").mkdir()
    (folder / "photos/a.jpg").write_bytes(b"")
    verbs = ("status", "import /tmp", "export /tmp/x", "backup wait", "backup pause", "backup resume", "backup now",
             "remote remove n", "remote list", "remote test n", "remote takeover n", "evict --all", "pin x", "unpin x",
             "remote add n file:///tmp/x", "thumbnail x", "trash list", "trash restore --all", "trash empty --all",
             "trash allow", "versions x", "restore x", "verify", "fsck", "config check", "config reload")
    for verb in verbs:
        error = one_line_error(run(*verb.split(), "--library", folder / "file"))
        assert f"library {folder}/file is not a folder" in error, verb
        error = one_line_error(run(*verb.split(), "--library", folder / "photos"))
        assert f"{folder}/photos holds no library; make one with" in error, verb
    (folder / "mnt").mkdir()
    for command in (("mount", folder / "file", folder / "mnt"), ("adopt", "file:///tmp/x", "--library", folder / "file"),
                    ("adopt", "--dry-run", "file:///tmp/x", "--library", folder / "file"),
                    ("rebuild", "--from", "/tmp/x", folder / "file"),
                    ("mount", "--read-only", "--from", "/tmp/x", folder / "file", folder / "mnt")):
        assert f"library {folder}/file is not a folder" in one_line_error(run(*command)), command
    assert sorted(path.name for path in folder.rglob("*")) == ["a.jpg", "file", "mnt", "photos"]


def test_a_remote_that_is_missing_is_told_in_the_one_line(make_drive, folder):
    drive = make_drive(remotes=[f"file://{folder}/nowhere"])
    drive.mount()
    wait_until(lambda: len(drive.log_text().splitlines()) > 1, 30, "what the uploader says")
    line, other = drive.log_text().splitlines()[:2]
    assert f"mounted on {drive.path}" in line and f"not reachable now: folder {folder}/nowhere is not there" in line
    assert "remote default: check: " in other
    drive.unmount()
    done = run("mount", drive.library, drive.path)
    try:
        assert done.returncode == 0 and done.stderr == "", done
        assert len(done.stdout.splitlines()) == 1 and "not reachable now" in done.stdout
    finally:
        subprocess.run(["fusermount3", "-u", str(drive.path)], check=True)


def test_bad_settings_name_file_line_and_nearest_key(make_drive, folder):
    drive = make_drive(settings='copies = 1\ncahce = "5 GiB"\n')
    error = one_line_error(run("mount", drive.library, drive.path, "-f"))
    assert "shoebox.toml:2" in error and '"cache"' in error
    done = run("config", "check", "--library", drive.library)
    assert done.returncode != 0 and "shoebox.toml:2" in done.stderr + done.stdout


def test_verbs_find_the_only_library_the_path_or_the_variable(drive):
    for arguments, env in ((("status",), {"SHOEBOX_LIBRARY": str(drive.library)}),
                           (("status", "--library", drive.library), {})):
        done = run(*arguments, "--json", env=env)
        assert done.returncode == 0 and json.loads(done.stdout)["remotes"], done.stderr
    inside = subprocess.run([SHOEBOX, "status", "--json"], cwd=drive.path / "Library", check=True, capture_output=True)
    assert json.loads(inside.stdout)["remotes"]


def test_verbs_work_when_nothing_is_mounted(drive):
    (drive.path / "Library/a.txt").write_bytes(b"x")
    drive.unmount()
    assert drive.json("status")["remotes"][0]["pending_files"] == 1
    drive.run("backup", "wait")
    assert (drive.remote / "Library/a.txt").read_bytes() == b"x"
    drive.run("fsck")


def test_backup_now_uploads_when_nothing_is_mounted(drive):
    (drive.path / "Library/a.txt").write_bytes(b"x")
    drive.unmount()
    shown = drive.run("backup", "now")
    assert (drive.remote / "Library/a.txt").read_bytes() == b"x"
    assert "nothing" in shown.stdout or "1 " in shown.stdout, shown.stdout
    assert drive.json("status")["remotes"][0]["pending_files"] == 0
    drive.mount()
    (drive.path / "Library/b.txt").write_bytes(b"y")
    drive.run("backup", "pause")
    drive.unmount()
    refused = drive.run("backup", "now", check=False)  # an owner who paused is told, not overruled
    assert refused.returncode != 0 and "resume" in refused.stderr


def test_every_verb_has_help_with_an_example():
    top = run("--help")
    assert top.returncode == 0
    for verb in ("mount", "status", "import", "backup", "evict", "pin", "unpin", "thumbnail", "trash", "fsck", "config"):
        assert verb in top.stdout
        assert "shoebox " + verb in run(verb, "--help").stdout


def test_paths_outside_the_library_are_refused(drive, folder):
    assert str(folder) in one_line_error(run("pin", folder, "--library", drive.library))
    assert "nothing" in one_line_error(run("evict", drive.path / "Library/nothing.jpg", "--library", drive.library))


def test_several_paths_of_any_name_are_several_paths(drive):
    paths = [drive.path / "Library" / name for name in ("a.txt", "[2023]", "[a,b]", "{}", "c,d", "-e", "f;g h")]
    for path in paths:
        path.write_bytes(path.name.encode() + bytes(300_000))  # small ones stay whole
    for verb, pinned in (("pin", "1"), ("unpin", "0")):
        drive.run(verb, *paths)
        assert [os.getxattr(path, "user.shoebox.pin").decode() for path in paths] == [pinned] * len(paths)
    drive.backed_up()
    assert f"{len(paths)} originals evicted" in drive.run("evict", *paths).stdout
    assert {drive.state(f"Library/{path.name}") for path in paths} == {"remote"}
    photos = [drive.path / "Library" / name for name in ("a.jpg", "[b].jpg", "c,d.jpg")]
    for path in photos:
        path.write_bytes(path.name.encode())
        path.unlink()
    drive.run("trash", "restore", *[path.name for path in photos])
    assert all(path.read_bytes() == path.name.encode() for path in photos)


def test_settings_beside_the_backup_are_not_in_a_library(drive, folder):
    file = folder / "wanted.toml"
    file.write_text(f'[[remote]]\nname = "nas"\nurl = "file://{folder}/nas"\n', encoding="utf-8")
    done = drive.run("config", "check", file, check=False)
    assert "inside the library" not in done.stderr, done.stderr
    inside = drive.library / "shoebox.toml"
    text = inside.read_text(encoding="utf-8")
    inside.write_text(text + f'[[remote]]\nname = "in"\nurl = "file://{drive.library}/objects"\n', encoding="utf-8")
    done = drive.run("config", "check", check=False)
    inside.write_text(text, encoding="utf-8")
    assert done.returncode != 0 and "inside the library" in done.stderr, done.stderr
