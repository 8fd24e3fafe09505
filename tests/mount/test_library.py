"""Library is a POSIX tree: what real tools do to it comes out as on ext4."""
import errno
import hashlib
import mmap
import os
import socket
import stat
import subprocess
import threading

import pytest
from drive import sha256, wait_until


def run(*command, cwd=None):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, cwd=cwd).stdout


def test_copied_folder_reads_back_with_every_attribute(drive, made_photos):
    run("cp", "-a", made_photos, drive.path / "Library/in")
    for source in made_photos.iterdir():
        copy = drive.path / "Library/in" / source.name
        assert sha256(copy) == sha256(source)
        assert copy.stat().st_mtime_ns == source.stat().st_mtime_ns
        assert copy.stat().st_mode == source.stat().st_mode


def test_second_rsync_transfers_nothing(drive, made_photos):
    arguments = ["rsync", "-aHAX", "--delete", "--stats", f"{made_photos}/", f"{drive.path}/Library/sync/"]
    run(*arguments)
    assert "Number of regular files transferred: 0" in run(*arguments)
    drive.remount()
    assert "Number of regular files transferred: 0" in run(*arguments)


def test_rsync_checksum_after_eviction_finds_no_difference(drive, made_photos):
    run("cp", "-a", made_photos, drive.path / "Library/in")
    drive.backed_up()
    drive.evict()
    out = run("rsync", "-ac", "--stats", f"{made_photos}/", f"{drive.path}/Library/in/")
    assert "Number of regular files transferred: 0" in out


def test_tar_makes_the_same_archive_of_source_and_drive(drive, made_photos, folder):
    run("cp", "-a", made_photos, folder / "in")
    run("cp", "-a", made_photos, drive.path / "Library/in")
    for where, out in ((folder, "a.tar"), (drive.path / "Library", "b.tar")):
        run("tar", "--sort=name", "--owner=0", "--group=0", "--mtime=@0", "-cf", folder / out, "-C", where, "in")
    assert sha256(folder / "a.tar") == sha256(folder / "b.tar")


def test_git_clone_and_fsck(drive, folder):
    origin = folder / "origin"
    run("git", "init", "-q", origin)
    for number in range(50):
        (origin / f"file{number}").write_text(f"line {number}\n" * number)
    run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "add", ".", cwd=origin)
    run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "all", cwd=origin)
    clone = drive.path / "Library/clone"
    run("git", "clone", "-q", origin, clone)
    run("git", "fsck", "--strict", cwd=clone)
    assert run("git", "status", "--porcelain", cwd=clone) == ""
    (clone / "file1").write_text("changed\n")
    run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qam", "two", cwd=clone)
    run("git", "gc", "-q", cwd=clone)
    run("git", "fsck", "--strict", cwd=clone)


def test_sqlite_in_wal_mode_keeps_its_rows(drive):
    database = drive.path / "Library/photos.db"
    script = "PRAGMA journal_mode=WAL; CREATE TABLE t(a); " + "".join(f"INSERT INTO t VALUES({i});" for i in range(200))
    assert run("sqlite3", database, script).startswith("wal")
    drive.remount()
    assert run("sqlite3", database, "SELECT count(*), sum(a) FROM t; PRAGMA integrity_check;").split() == ["200|19900", "ok"]


def test_vim_writes_and_keeps_no_litter(drive):
    text = drive.path / "Library/notes.txt"
    text.write_text("one\ntwo\n")
    subprocess.run(["vim.tiny", "-es", "-u", "NONE", "-c", "%s/two/three/", "-c", "wq", str(text)], check=True,
                   stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    assert text.read_text() == "one\nthree\n"
    assert drive.names("Library") == ["notes.txt"]


def test_mmap_writer_is_seen_and_kept(drive):
    path = drive.path / "Library/map.bin"
    path.write_bytes(bytes(1 << 20))
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as view:
        view[4096:4101] = b"hello"
        view[-5:] = b"world"
        file.close()  # the mapping outlives the descriptor: written after FLUSH
        view[0:5] = b"first"
        view.flush()
    want = hashlib.sha256(b"first" + bytes(4091) + b"hello" + bytes((1 << 20) - 4101 - 5) + b"world").hexdigest()
    assert sha256(path) == want
    drive.remount()
    assert sha256(path) == want


def test_unlinked_but_open_file_keeps_its_bytes(drive):
    path = drive.path / "Library/open.bin"
    path.write_bytes(b"before" * 1000)
    with open(path, "r+b") as file:
        path.unlink()
        assert not path.exists()
        assert os.fstat(file.fileno()).st_nlink == 0
        file.seek(0)
        assert file.read(6) == b"before"
        file.seek(6000)
        file.write(b"after")
        file.flush()
        assert os.fstat(file.fileno()).st_size == 6005
    assert drive.run("fsck").returncode == 0


def test_rename_over_an_open_file_leaves_the_reader_its_bytes(drive):
    old, new = drive.path / "Library/a.txt", drive.path / "Library/b.txt"
    old.write_bytes(b"old")
    new.write_bytes(b"new")
    with open(old, "rb") as reader:
        os.rename(new, old)
        assert reader.read() == b"old"
    assert old.read_bytes() == b"new"


def test_links_special_files_and_modes(drive):
    base = drive.path / "Library"
    (base / "f").write_bytes(b"x")
    os.link(base / "f", base / "g")
    assert (base / "f").stat().st_nlink == 2 and (base / "f").stat().st_ino == (base / "g").stat().st_ino
    os.symlink("f", base / "s")
    assert os.readlink(base / "s") == "f" and (base / "s").read_bytes() == b"x"
    os.mkfifo(base / "fifo")
    assert stat.S_ISFIFO((base / "fifo").stat().st_mode)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(base / "sock"))
    server.close()
    assert stat.S_ISSOCK((base / "sock").stat().st_mode)
    os.chmod(base / "f", 0o4711)
    assert stat.S_IMODE((base / "g").stat().st_mode) == 0o4711
    os.unlink(base / "f")
    assert (base / "g").stat().st_nlink == 1


def test_directory_link_counts_and_refusals(drive):
    base = drive.path / "Library"
    os.makedirs(base / "a/b/c")
    assert (base / "a").stat().st_nlink == 3
    for call, code in ((lambda: os.rmdir(base / "a"), errno.ENOTEMPTY),
                       (lambda: os.rename(base / "a", base / "a/b/d"), errno.EINVAL),
                       (lambda: os.mkdir(base / "a"), errno.EEXIST),
                       (lambda: (base / ("n" * 256)).write_bytes(b""), errno.ENAMETOOLONG),
                       (lambda: os.listdir(base / "absent"), errno.ENOENT)):
        with pytest.raises(OSError) as caught:
            call()
        assert caught.value.errno == code
    (base / ("n" * 255)).write_bytes(b"longest")
    assert ("n" * 255) in drive.names("Library")


def test_odd_names_are_kept_byte_for_byte(drive):
    base = os.fsencode(drive.path / "Library")
    names = ["na\u00efve e\u0301.txt".encode(), b"new\nline", b"bad\xff\xfeutf8", b" lead", b"-dash", "\U0001f600.jpg".encode()]
    for name in names:
        with open(os.path.join(base, name), "wb") as file:
            file.write(name)
    drive.remount()
    assert sorted(os.listdir(base)) == sorted(names)
    for name in names:
        with open(os.path.join(base, name), "rb") as file:
            assert file.read() == name


def test_sparse_truncated_and_appended_files(drive):
    path = drive.path / "Library/sparse"
    with open(path, "wb") as file:
        file.truncate(10 << 20)
        file.seek(5 << 20)
        file.write(b"middle")
    assert path.stat().st_size == 10 << 20
    with open(path, "rb") as file:
        assert file.read(4096) == bytes(4096)
        file.seek(5 << 20)
        assert file.read(6) == b"middle"
    os.truncate(path, 3)
    with open(path, "ab") as file:
        file.write(b"end")
    assert path.read_bytes() == b"\0\0\0end"
    with open(path, "wb"):
        pass  # O_TRUNC without a write
    assert path.stat().st_size == 0
    drive.remount()
    assert path.read_bytes() == b""


def test_xattrs_and_acls_come_back(drive):
    path = drive.path / "Library/attrs.txt"
    path.write_bytes(b"x")
    os.setxattr(path, "user.note", b"value \0 binary")
    run("setfacl", "-m", "u:1234:rw", path)
    drive.remount()
    assert os.getxattr(path, "user.note") == b"value \0 binary"
    assert "user:1234:rw-" in run("getfacl", "-cp", path)
    os.removexattr(path, "user.note")
    with pytest.raises(OSError) as caught:
        os.getxattr(path, "user.note")
    assert caught.value.errno == errno.ENODATA


def test_rename_flags(drive):
    base = drive.path / "Library"
    (base / "a").write_bytes(b"a")
    (base / "b").write_bytes(b"b")
    assert subprocess.run(["mv", "-n", base / "a", base / "b"], check=False).returncode in (0, 1)
    assert (base / "b").read_bytes() == b"b" and (base / "a").read_bytes() == b"a"


def test_parallel_writers_lose_nothing(drive):
    base = drive.path / "Library/many"
    base.mkdir()

    def write(worker):
        for number in range(40):
            (base / f"{worker}-{number}").write_bytes(f"{worker} {number}".encode() * 500)
    threads = [threading.Thread(target=write, args=(w,)) for w in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    drive.remount()
    assert len(os.listdir(base)) == 160
    for path in base.iterdir():
        worker, number = path.name.split("-")
        assert path.read_bytes() == f"{worker} {number}".encode() * 500


def test_st_blocks_is_never_zero_and_df_answers(drive):
    path = drive.path / "Library/one"
    path.write_bytes(b"1")
    assert path.stat().st_blocks >= 1
    assert "mnt" in run("df", drive.path)


def test_kernel_sees_changes_made_by_a_view(drive, photo):
    made = photo("c.jpg", date="2019:05:06 07:08:09")
    assert not (drive.path / "Dates/2019").exists()  # a negative entry the kernel may keep
    run("cp", made, drive.path / "Library/c.jpg")
    wait_until((drive.path / "Dates/2019/05/c.jpg").exists, 10, "the negative entry was dropped")
