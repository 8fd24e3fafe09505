"""Drives for the benchmarks: mounted for a while, and always unmounted."""
import contextlib

from drive import Drive


@contextlib.contextmanager
def default_drive(folder):
    """A drive with a directory remote, below `folder`."""
    drive = Drive(folder / "drive")
    try:
        yield drive.mount()
    finally:
        drive.close()


def settings(remote, url, ceph, **more):
    """shoebox.toml of a library with one remote on a gateway of ours."""
    lines = [f'[[remote]]\nname = "{remote}"\nurl = "{url}"\nendpoint = "{ceph.endpoint}"']
    lines += [f"{key} = {value}" for key, value in more.items()]
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def drive_on(folder, ceph, prefix, **more):
    """A drive whose only remote is a prefix of the gateway's bucket, not mounted yet."""
    drive = Drive(folder / "drive", settings=settings("bucket", f"s3://{ceph.bucket}/{prefix}", ceph, **more))
    drive.env.update(ceph.env)
    try:
        yield drive
    finally:
        drive.close()
