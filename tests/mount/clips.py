"""Files of pseudo-random bytes for tests that send them away and read them back."""
import random

from drive import sha256


def fill(drive, count, size):
    """Writes them into folders of Library, with names that URLs have to quote; their hashes by path."""
    want = {}
    for number in range(count):
        path = drive.path / f"Library/Été {number % 3}/50% & more #{number}.mp4"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(random.Random(number).randbytes(size))
        want[path] = sha256(path)
    return want


def reads(path, want):
    """Whether the file can be read now; a wrong byte is never allowed."""
    try:
        got = sha256(path)
    except OSError:
        return False
    assert got == want, path
    return True
