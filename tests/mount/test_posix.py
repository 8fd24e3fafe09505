"""POSIX rules of Library, one line each, side by side with the file system under the test folder: what ext4
answers, the drive answers. Needs root for owners and other users."""
import ctypes
import errno
import fcntl
import os
import stat
import time
from pathlib import Path

import pytest

LIBC = ctypes.CDLL(None, use_errno=True)
NOBODY = 65534


def outcome(call, base):
    """What a call gives: its value, or the name of its errno."""
    try:
        return call(base)
    except OSError as error:
        return errno.errorcode[error.errno]


def as_user(uid, call):
    """Runs a call in a child with this uid and gid; gives its errno name or "ok"."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        try:
            call()
            answer = "ok"
        except OSError as error:
            answer = errno.errorcode[error.errno]
        os.write(write_end, answer.encode())
        os._exit(0)
    os.close(write_end)
    answer = os.read(read_end, 100).decode()
    os.close(read_end)
    os.waitpid(child, 0)
    return answer


def file(base, name, data=b"data", mode=0o644):
    """A file with these bytes."""
    path = base / name
    path.write_bytes(data)
    os.chmod(path, mode)
    return path


def directory(base, name, mode=0o755):
    """A folder."""
    path = base / name
    path.mkdir()
    os.chmod(path, mode)
    return path


def renameat2(source, target, flags):
    """rename with flags: 1 NOREPLACE, 2 EXCHANGE."""
    if LIBC.renameat2(-100, os.fsencode(source), -100, os.fsencode(target), flags) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")
    return "ok"


def changes_ctime(base, path, call):
    """Whether a call moves the ctime of a path."""
    before = os.lstat(path).st_ctime_ns
    time.sleep(0.02)  # clocks of file systems tick in milliseconds
    call()
    return os.lstat(path).st_ctime_ns > before


def setgid_inherited(base):
    parent = directory(base, "sg")
    os.chown(parent, 0, 777)
    os.chmod(parent, 0o2775)
    inner = parent / "inner"
    inner.mkdir(mode=0o755)
    (parent / "f").write_bytes(b"")
    return (inner.stat().st_gid, bool(inner.stat().st_mode & stat.S_ISGID), (parent / "f").stat().st_gid)


def chown_clears_suid(base):
    path = file(base, "suid")
    os.chmod(path, 0o6755)
    os.chown(path, 1, 1)
    return stat.S_IMODE(path.stat().st_mode)


def write_clears_suid(base):
    path = file(base, "suidw", mode=0o666)
    os.chown(path, 1, 1)
    os.chmod(path, 0o6777)
    base.chmod(0o777)
    as_user(NOBODY, lambda: path.open("ab").write(b"x"))
    return stat.S_IMODE(path.stat().st_mode) & 0o6000


def sticky_refuses(base):
    parent = directory(base, "sticky", 0o1777)
    path = file(parent, "mine")
    return as_user(NOBODY, lambda: os.unlink(path)), as_user(NOBODY, lambda: os.rename(path, parent / "other"))


def exchange(base):
    a, b = file(base, "xa", b"a"), file(base, "xb", b"b")
    return renameat2(a, b, 2), a.read_bytes(), b.read_bytes()


def exchange_file_and_dir(base):
    a, b = file(base, "xf"), directory(base, "xd")
    return renameat2(a, b, 2), a.is_dir(), b.is_file()


def same_inode_rename(base):
    a = file(base, "same")
    os.link(a, base / "same2")
    os.rename(a, base / "same2")
    return sorted(os.listdir(base)), a.stat().st_nlink


def directory_over_directory(base):
    a, b = directory(base, "da"), directory(base, "db")
    os.rename(a, b)
    return sorted(os.listdir(base)), base.stat().st_nlink


def open_dir_write(base):
    return os.open(directory(base, "od"), os.O_WRONLY)


def append_ignores_offset(base):
    path = file(base, "app", b"abc")
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, b"def")
    os.close(descriptor)
    return path.read_bytes()


def dup_shares_offset_and_lock(base):
    path = file(base, "lock")
    with open(path, "r+b") as first, open(path, "r+b") as second:
        fcntl.flock(first, fcntl.LOCK_EX)
        try:
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return "both"
        except OSError as error:
            return errno.errorcode[error.errno]


def record_locks_conflict(base):
    path = file(base, "rlock")
    with open(path, "r+b") as first:
        fcntl.lockf(first, fcntl.LOCK_EX, 10, 0)
        return as_user(0, lambda: fcntl.lockf(open(path, "r+b"), fcntl.LOCK_EX | fcntl.LOCK_NB, 5, 0))


def unlinked_directory_is_empty(base):
    path = directory(base, "gone")
    descriptor = os.open(path, os.O_RDONLY)
    os.rmdir(path)
    try:
        return os.fstat(descriptor).st_nlink, os.listdir(descriptor)
    finally:
        os.close(descriptor)


def holes(base):
    path = base / "holes"
    with open(path, "wb") as out:
        out.truncate(1 << 20)
        out.seek(512 << 10)
        out.write(b"x" * 4096)
    with open(path, "rb") as inp:
        return os.lseek(inp.fileno(), 0, os.SEEK_DATA), os.lseek(inp.fileno(), 0, os.SEEK_HOLE)


def fallocate_grows(base):
    path = file(base, "fa", b"")
    with open(path, "r+b") as out:
        os.posix_fallocate(out.fileno(), 0, 100_000)
    return path.stat().st_size


def punch_hole(base):
    path = file(base, "ph", b"x" * 100_000)
    with open(path, "r+b") as out:
        if LIBC.fallocate(out.fileno(), 3, ctypes.c_long(4096), ctypes.c_long(8192)) != 0:
            raise OSError(ctypes.get_errno(), "fallocate")
    return path.read_bytes() == b"x" * 4096 + bytes(8192) + b"x" * (100_000 - 12288)


def copy_range(base):
    source, target = file(base, "cr", b"0123456789" * 1000), base / "cr2"
    with open(source, "rb") as inp, open(target, "wb") as out:
        while os.copy_file_range(inp.fileno(), out.fileno(), 1 << 20):
            pass
    return target.read_bytes() == source.read_bytes()


def utime_rules(base):
    path = file(base, "ut")
    os.utime(path, ns=(1_234_567_891_234_567_891, -5_000_000_001))
    return path.stat().st_atime_ns, path.stat().st_mtime_ns


def seek_directory(base):
    inner = directory(base, "seek")
    for number in range(300):
        (inner / f"n{number:03}").touch()
    names = set()
    for number, entry in enumerate(os.scandir(inner)):
        names.add(entry.name)
        if number % 3 == 0:
            os.unlink(entry.path)
    return len(names), len(os.listdir(inner))


RULES = {
    "mkdir over a file": lambda b: os.mkdir(file(b, "f")),
    "rmdir of a file": lambda b: os.rmdir(file(b, "f")),
    "unlink of a directory": lambda b: os.unlink(directory(b, "d")),
    "rmdir of a full directory": lambda b: (file(directory(b, "d"), "x"), os.rmdir(b / "d")),
    "rmdir of .": lambda b: os.rmdir(str(directory(b, "d")) + "/."),
    "open through a file": lambda b: os.open(str(file(b, "f")) + "/x", os.O_RDONLY),
    "open with O_EXCL of what is there": lambda b: os.open(file(b, "f"), os.O_CREAT | os.O_EXCL),
    "open of a directory for writing": open_dir_write,
    "open O_DIRECTORY of a file": lambda b: os.open(file(b, "f"), os.O_DIRECTORY),
    "open O_NOFOLLOW of a symlink": lambda b: (os.symlink("x", b / "s"), os.open(b / "s", os.O_NOFOLLOW)),
    "symlink loop": lambda b: (os.symlink("l2", b / "l1"), os.symlink("l1", b / "l2"), os.open(b / "l1", os.O_RDONLY)),
    "dangling symlink": lambda b: (os.symlink("none", b / "s"), os.stat(b / "s")),
    "symlink target and size": lambda b: (os.symlink("t" * 300, b / "s"), os.lstat(b / "s").st_size,
                                          len(os.readlink(b / "s")))[1:],
    "name of 256 bytes": lambda b: os.mkdir(b / ("n" * 256)),
    "link over a name": lambda b: os.link(file(b, "f"), file(b, "g")),
    "link of a directory": lambda b: os.link(directory(b, "d"), b / "e"),
    "link count": lambda b: (os.link(file(b, "f"), b / "g"), (b / "g").stat().st_nlink)[1],
    "rename onto a full directory": lambda b: (file(directory(b, "d"), "x"), os.rename(directory(b, "e"), b / "d")),
    "rename of a file onto a directory": lambda b: os.rename(file(b, "f"), directory(b, "d")),
    "rename of a directory onto a file": lambda b: os.rename(directory(b, "d"), file(b, "f")),
    "rename into itself": lambda b: os.rename(directory(b, "d"), b / "d/e"),
    "rename of what is not there": lambda b: os.rename(b / "none", b / "x"),
    "rename of a directory onto an empty one": directory_over_directory,
    "rename between two names of one inode": same_inode_rename,
    "rename NOREPLACE over a name": lambda b: renameat2(file(b, "f"), file(b, "g"), 1),
    "rename NOREPLACE to a free name": lambda b: (renameat2(file(b, "f"), b / "g", 1), sorted(os.listdir(b))),
    "rename EXCHANGE": exchange,
    "rename EXCHANGE of file and directory": exchange_file_and_dir,
    "rename EXCHANGE with nothing": lambda b: renameat2(file(b, "f"), b / "g", 2),
    "truncate of a directory": lambda b: os.truncate(directory(b, "d"), 0),
    "truncate to a negative size": lambda b: os.truncate(file(b, "f"), -1),
    "truncate grows with zeros": lambda b: (os.truncate(file(b, "f", b"ab"), 5), (b / "f").read_bytes())[1],
    "read past the end": lambda b: os.pread(os.open(file(b, "f", b"ab"), os.O_RDONLY), 10, 100),
    "write to a read-only descriptor": lambda b: os.write(os.open(file(b, "f"), os.O_RDONLY), b"x"),
    "append ignores the offset": append_ignores_offset,
    "mode of a new file under umask": lambda b: (os.close(os.open(b / "f", os.O_CREAT, 0o666)),
                                                 oct((b / "f").stat().st_mode))[1],
    "mode bits of chmod": lambda b: (os.chmod(file(b, "f"), 0o7421), oct((b / "f").stat().st_mode))[1],
    "setgid folder hands on its group": setgid_inherited,
    "chown clears setuid": chown_clears_suid,
    "write by another user clears setuid": write_clears_suid,
    "sticky folder": sticky_refuses,
    "other user cannot read 0600": lambda b: as_user(NOBODY, lambda p=file(b, "f", mode=0o600): open(p, "rb")),
    "other user cannot write into 0755": lambda b: as_user(NOBODY, lambda: os.mkdir(b / "x")),
    "other user cannot chmod": lambda b: as_user(NOBODY, lambda p=file(b, "f"): os.chmod(p, 0o777)),
    "other user cannot chown": lambda b: as_user(NOBODY, lambda p=file(b, "f"): os.chown(p, NOBODY, NOBODY)),
    "other user may touch with write permission": lambda b: as_user(NOBODY, lambda p=file(b, "f", mode=0o666): os.utime(p)),
    "other user may not set a time": lambda b: as_user(
        NOBODY, lambda p=file(b, "f", mode=0o666): os.utime(p, (1, 1))),
    "folder without x": lambda b: as_user(NOBODY, lambda p=file(directory(b, "d", 0o644), "x"): os.stat(p)),
    "folder without r": lambda b: as_user(NOBODY, lambda p=directory(b, "d", 0o711): os.listdir(p)),
    "times with nanoseconds and before 1970": utime_rules,
    "chmod moves ctime": lambda b: changes_ctime(b, file(b, "f"), lambda: os.chmod(b / "f", 0o600)),
    "link moves ctime": lambda b: changes_ctime(b, file(b, "f"), lambda: os.link(b / "f", b / "g")),
    "rename moves the parent's ctime": lambda b: changes_ctime(b, b, lambda: os.rename(file(b, "f"), b / "g")),
    "write moves ctime": lambda b: changes_ctime(b, file(b, "f"), lambda: (b / "f").write_bytes(b"z")),
    "unlink moves ctime of the other link": lambda b: (os.link(file(b, "f"), b / "g"), changes_ctime(
        b, b / "g", lambda: os.unlink(b / "f")))[1],
    "fifo": lambda b: (os.mkfifo(b / "p", 0o640), oct((b / "p").stat().st_mode))[1],
    "device node": lambda b: (os.mknod(b / "n", 0o600 | stat.S_IFCHR, os.makedev(1, 3)), (b / "n").stat().st_rdev)[1],
    "flock between descriptors": dup_shares_offset_and_lock,
    "record locks between processes": record_locks_conflict,
    "directory link counts": lambda b: (directory(directory(b, "d"), "e"), (b / "d").stat().st_nlink)[1],
    "removed directory that is open": unlinked_directory_is_empty,
    "SEEK_DATA and SEEK_HOLE past the end": lambda b: os.lseek(os.open(file(b, "f"), os.O_RDONLY), 100, os.SEEK_DATA),
    "holes read as zeros": lambda b: (holes(b), (b / "holes").read_bytes().count(b"x"))[1],
    "posix_fallocate grows": fallocate_grows,
    "punch hole": punch_hole,
    "copy_file_range": copy_range,
    "xattr absent": lambda b: os.getxattr(file(b, "f"), "user.none"),
    "xattr create twice": lambda b: (os.setxattr(file(b, "f"), "user.a", b"1"),
                                     os.setxattr(b / "f", "user.a", b"2", os.XATTR_CREATE)),
    "xattr replace of none": lambda b: os.setxattr(file(b, "f"), "user.a", b"2", os.XATTR_REPLACE),
    "xattr list": lambda b: (os.setxattr(file(b, "f"), "user.a", b"1"), [
        n for n in os.listxattr(b / "f") if n == "user.a"])[1],
    "xattr on a symlink": lambda b: (os.symlink("x", b / "s"), os.setxattr(b / "s", "user.a", b"", follow_symlinks=False)),
    "xattr empty value": lambda b: (os.setxattr(file(b, "f"), "user.a", b""), os.getxattr(b / "f", "user.a"))[1],
    "listing while removing": seek_directory,
    "hard link across a rename keeps bytes": lambda b: (os.link(file(b, "f"), b / "g"), os.rename(b / "f", b / "h"),
                                                        (b / "g").write_bytes(b"new"), (b / "h").read_bytes())[3],
    "statvfs name length": lambda b: os.statvfs(b).f_namemax,
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.replace(" ", "_"))
def test_the_drive_answers_as_the_disk_does(shared_drive, rule):
    if os.getuid() != 0:
        pytest.skip("needs root for owners and other users")
    disk, drive = shared_drive
    name = "".join(c if c.isalnum() else "_" for c in rule)
    bases = []
    for top in (disk, drive):
        base = top / name
        base.mkdir(mode=0o755)
        bases.append(base)
    want, got = (outcome(RULES[rule], base) for base in bases)
    assert got == want


@pytest.fixture(scope="module")
def shared_drive(tmp_path_factory):
    """One mount for all rules, and a folder on the disk beside it."""
    from drive import Drive, remove_tree
    folder = Path(tmp_path_factory.mktemp("posix"))
    for path in (folder, *folder.parents[:2]):
        path.chmod(0o755)
    disk = folder / "disk"
    disk.mkdir(mode=0o755)
    drive = Drive(folder / "drive")
    drive.mount("-o", "allow_other")
    yield disk, drive.path / "Library"
    drive.close()
    remove_tree(folder)
