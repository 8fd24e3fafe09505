"""Ceph of one node with its S3 gateway (tests/servers/ceph-rgw) for the benchmarks, and a bucket on it."""
import contextlib
import os
import subprocess
from pathlib import Path

SERVER = Path(__file__).resolve().parents[1] / "servers/ceph-rgw"
BUCKET = "bench"


class Ceph:
    """A running gateway. `env` has the keys for Shoebox, and rclone's remote `ceph:`."""

    def __init__(self, folder, port, access, secret):
        self.folder, self.bucket, self.access, self.secret = folder, BUCKET, access, secret
        self.direct = self.endpoint = f"http://127.0.0.1:{port}"
        self.env = {}
        self.through(port)

    def through(self, port):
        """From now on everybody reaches the gateway by this port: its own, or that of a proxy before it."""
        self.endpoint = f"http://127.0.0.1:{port}"
        self.env = {"AWS_ACCESS_KEY_ID": self.access, "AWS_SECRET_ACCESS_KEY": self.secret, "RCLONE_CONFIG": "/dev/null",
                    "RCLONE_CONFIG_CEPH_TYPE": "s3", "RCLONE_CONFIG_CEPH_PROVIDER": "Ceph",
                    "RCLONE_CONFIG_CEPH_ENDPOINT": self.endpoint, "RCLONE_CONFIG_CEPH_ACCESS_KEY_ID": self.access,
                    "RCLONE_CONFIG_CEPH_SECRET_ACCESS_KEY": self.secret}

    def rclone(self, *arguments):
        """Runs rclone, which knows the gateway as `ceph:`."""
        done = subprocess.run(["rclone", *map(str, arguments)], check=False, env={**os.environ, **self.env},
                              capture_output=True, text=True)
        assert done.returncode == 0, f"rclone {arguments}: {done.stderr[-2000:]}"

    def empty(self, prefix):
        """Removes what stands below a prefix, and gives its room back, which the gateway does hours later."""
        self.rclone("purge", f"ceph:{BUCKET}/{prefix}")
        subprocess.run(["radosgw-admin", "-c", str(self.folder / "ceph.conf"), "gc", "process", "--include-all"],
                       check=True, capture_output=True)


@contextlib.contextmanager
def gateway(folder, room_bytes):
    """A cluster that holds up to `room_bytes`, with an empty bucket; gone afterwards."""
    state = folder / "ceph"
    # Ceph wants some for itself, and stops taking writes at 95 %.
    size = max(int(room_bytes * 1.2), 2 << 30) + (2 << 30)
    try:
        done = subprocess.run([str(SERVER), "up", str(state), str(size)], check=True, stdout=subprocess.PIPE, text=True)
        port, access, secret = done.stdout.split()
        ceph = Ceph(state, int(port), access, secret)
        ceph.rclone("mkdir", f"ceph:{BUCKET}")
        yield ceph
    finally:
        subprocess.run([str(SERVER), "down", str(state)], check=False)
