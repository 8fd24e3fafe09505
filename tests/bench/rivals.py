"""What Shoebox is measured against: rclone mount and s3fs. Each is mounted for a while and always unmounted."""
import contextlib
import os
import shutil
import subprocess

from drive import mounted, wait_until


class Mount:
    """A FUSE mount of another program, whose process we are the parent of."""

    def __init__(self, path, arguments, env, what):
        self.path = path
        self.path.mkdir(exist_ok=True)
        self.process = subprocess.Popen(list(map(str, arguments)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env={**os.environ, **env})
        try:
            wait_until(lambda: self.process.poll() is not None or mounted(self.path), 30, what)
            assert self.process.poll() is None, f"{what} ended with {self.process.returncode}"
        except BaseException:
            self.close()
            raise

    def close(self):
        """Unmounts and waits."""
        subprocess.run(["fusermount3", "-uz", str(self.path)], check=False, stderr=subprocess.DEVNULL)
        self.process.terminate()
        self.process.wait(60)


class RcloneMount:
    """rclone mount, as a context."""

    @staticmethod
    @contextlib.contextmanager
    def of_folder(folder):
        """Over a new folder (`store`), with a full cache."""
        store = folder / "rstore"
        store.mkdir()
        with RcloneMount.over(folder, store, "full", {"RCLONE_CONFIG": "/dev/null"}) as mount:
            mount.store = store
            yield mount

    @staticmethod
    @contextlib.contextmanager
    def of_bucket(folder, ceph, prefix, cache):
        """Over a prefix of the gateway's bucket, with an empty cache; `cache`: full or off."""
        with RcloneMount.over(folder, f"ceph:{ceph.bucket}/{prefix}", cache, ceph.env) as mount:
            yield mount

    @staticmethod
    @contextlib.contextmanager
    def over(folder, source, cache, env):
        """Over anything that rclone has a name for."""
        kept = folder / "rcache"
        mount = Mount(folder / "rmnt", ["rclone", "mount", source, folder / "rmnt", "--vfs-cache-mode", cache,
                                        "--cache-dir", kept], env, "rclone mount")
        try:
            yield mount
        finally:
            mount.close()
            shutil.rmtree(kept, ignore_errors=True)


@contextlib.contextmanager
def s3fs(folder, ceph):
    """s3fs over the whole bucket, without a cache that stays."""
    login = folder / "s3fs-login"
    login.write_text(f"{ceph.access}:{ceph.secret}\n", encoding="ascii")
    login.chmod(0o600)
    mount = Mount(folder / "smnt", ["s3fs", ceph.bucket, folder / "smnt", "-f", "-o", f"passwd_file={login}", "-o",
                                    f"url={ceph.endpoint}", "-o", "use_path_request_style"], {}, "s3fs")
    try:
        yield mount
    finally:
        mount.close()
