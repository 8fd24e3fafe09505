"""The remotes of the fault tests: a server each, what makes it fail in front of it, and a way past the faults for
the test, which looks at what stands there and meddles.

Each class says which faults befall it (`faults`: kind -> weight; what costs the client half a minute is drawn
seldom) and which of them are the kinds that every remote has to stand (`kinds`: kind -> names in `stats()`)."""
import contextlib
import http.client
import importlib.util
import os
import subprocess
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from drive import wait_until
from fault_means import FaultFolder, FaultLine, add_stats
from servers import FaultProxy, RcloneDav, Sshd, free_port, listens, needs, stop

SERVERS = Path(__file__).parents[1] / "servers"
SELDOM = 0.05
spec = importlib.util.spec_from_file_location("mini_s3", SERVERS / "mini_s3.py")
mini_s3 = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mini_s3)


def files_below(folder):
    """Key -> bytes of the files that stand in a folder; what goes meanwhile is left out."""
    found = {}
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file():
                found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


class HttpServer:
    """One behind the HTTP proxy."""
    faults = {**dict.fromkeys(("error500", "error503", "error403", "error507", "reset", "truncate", "cut", "flip", "flip_up",
                               "etag", "size", "lost", "double", "repeat", "header"), 1.0), "stall": SELDOM, "timeout": SELDOM}
    kinds = {"500": ["error500"], "503 SlowDown": ["error503"], "403 in mid-run": ["error403"], "507 quota": ["error507"],
             "timeout": ["timeout"], "reset": ["reset"], "stalled body": ["stall"], "truncated body": ["truncate", "cut"],
             "flipped bit in a body": ["flip", "flip_up"], "flipped bit in a header": ["header"], "wrong ETag": ["etag"],
             "lying size": ["size"], "lost reply to PUT": ["lost PUT"], "doubled reply to PUT": ["double PUT", "repeat PUT"]}
    environment = {}

    def __init__(self, port, seed):
        self.proxy = FaultProxy(port, seed)

    def fail(self, rate):
        """From now on this share of the requests fails."""
        each = rate / sum(self.faults.values())
        self.proxy.faults(**{name: weight * each for name, weight in self.faults.items()})

    def fail_once(self, kind):
        """The next request that this can happen to; "lost complete" is of CompleteMultipartUpload only."""
        name, _, of = kind.partition(" ")
        only = {"complete": {"only": "POST", "match": "uploadId="}, "PUT": {"only": "PUT"}}.get(of, {})
        self.proxy.faults(**{name: 1}, limit=1, **only)

    def heal(self):
        """No more faults."""
        self.proxy.faults()

    def vanish(self):
        """The server is gone, until heal()."""
        self.proxy.faults(down=1)

    def stats(self):
        """Of all that the proxy did: requests, bytes, faults, and what they happened to."""
        stats = self.proxy.stats()
        return {**stats, "faults": {**stats["faults"]}, "seen": {**stats["faults"], **stats["operations"]}}

    def close(self):
        """Stops all of it."""
        self.proxy.close()


class S3(HttpServer):
    """What S3 servers have in common; the bucket is "photos", the prefix "home"."""
    faults = {**HttpServer.faults, "expired": 1.0, "skew": 1.0, "error404": 1.0}
    kinds = {**HttpServer.kinds, "404 bucket": ["error404"], "expired credentials": ["expired"], "clock skew": ["skew"],
             "lost reply to CompleteMultipartUpload": ["lost complete"],
             "doubled reply to CompleteMultipartUpload": ["double complete", "repeat complete"]}

    def __init__(self, port, access, secret, seed):
        super().__init__(port, seed)
        self.port, self.access, self.secret = port, access, secret
        self.environment = {"AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret}
        self.local = threading.local()

    def settings(self):
        """The [[remote]] of it, behind the proxy."""
        return f'[[remote]]\nname = "bucket"\nurl = "s3://photos/home"\nendpoint = "http://127.0.0.1:{self.proxy.port}"\n'

    def request(self, method, path, query=(), body=b""):
        """Signed, and not through the proxy. Status and body of the answer."""
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        scope = f"{date[:8]}/us-east-1/s3/aws4_request"
        digest = mini_s3.hashlib.sha256(body).hexdigest()
        headers = {"host": f"127.0.0.1:{self.port}", "x-amz-content-sha256": digest, "x-amz-date": date}
        signature = mini_s3.signature(self.secret, method, path, query, headers, sorted(headers), digest, date, scope)
        headers["Authorization"] = (f"AWS4-HMAC-SHA256 Credential={self.access}/{scope}, "
                                    f"SignedHeaders={';'.join(sorted(headers))}, Signature={signature}")
        target = urllib.parse.quote(path, safe="/-._~")
        if query:
            target += "?" + "&".join(f"{mini_s3.encode(k)}={mini_s3.encode(v)}" for k, v in sorted(query))
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as line:
            line.request(method, target, body, headers)
            answer = line.getresponse()
            return answer.status, answer.read()

    def sizes(self):
        """Key -> size."""
        found, token = {}, None
        while True:
            query = [("list-type", "2"), ("prefix", "home/"), *([("continuation-token", token)] if token else [])]
            status, text = self.request("GET", "/photos", query)
            assert status == 200, text
            root = ElementTree.fromstring(text)
            for one in root.iter():
                one.tag = one.tag.rpartition("}")[2]
            for one in root.iter("Contents"):
                found[one.find("Key").text.removeprefix("home/")] = int(one.find("Size").text)
            token = root.findtext("NextContinuationToken")
            if not token:
                return found

    def get(self, key):
        """The bytes that stand there; None: there is nothing."""
        status, body = self.request("GET", f"/photos/home/{key}")
        assert status in (200, 404), body
        return body if status == 200 else None

    def objects(self, size=None):
        """Key -> bytes; of those of this size only, where it is given."""
        found = {key: self.get(key) for key, bytes in self.sizes().items() if size in (None, bytes)}
        return {key: data for key, data in found.items() if data is not None}

    def unfinished(self):
        """How many multipart uploads were begun and never ended; None: the server does not tell."""
        status, text = self.request("GET", "/photos", [("uploads", "")])
        return text.count(b"<Upload>") if status == 200 and b"ListMultipartUploadsResult" in text else None

    def put(self, key, data):
        """Somebody else writes there."""
        status, text = self.request("PUT", f"/photos/home/{key}", body=data)
        assert status == 200, text

    def remove(self, key):
        """Somebody else removes it."""
        self.request("DELETE", f"/photos/home/{key}")


class MiniS3(S3):
    """The test suite's S3 server in this process."""
    name = "s3"

    def __init__(self, folder, seed):
        self.server = mini_s3.Server(("127.0.0.1", 0), mini_s3.Handler)
        self.server.access, self.server.secret = "shoebox", "shoebox-secret"
        self.server.store = mini_s3.Store(["photos"])
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        super().__init__(self.server.server_address[1], "shoebox", "shoebox-secret", seed)

    def get(self, key):
        with self.server.store.lock:
            found = self.server.store.buckets["photos"].get("home/" + key)
            return found and found.body

    def objects(self, size=None):
        with self.server.store.lock:
            return {key.removeprefix("home/"): one.body for key, one in self.server.store.buckets["photos"].items()}

    def unfinished(self):
        with self.server.store.lock:
            return len(self.server.store.uploads)

    def close(self):
        super().close()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


class S3Rver(S3):
    """The npm package s3rver; $SHOEBOX_S3RVER is its folder. It lists a thousand keys at most, so the test looks
    into its own folder. It writes what arrives over the object that stands there, compares no digest, and keeps what
    was cut off under the former ETag: no client can tell. So nothing is spoiled on the way there; S3 servers refuse it."""
    name = "s3rver"
    faults = {name: weight for name, weight in S3.faults.items() if name not in ("cut", "flip_up")}
    kinds = {kind: [name for name in names if name not in ("cut", "flip_up")] for kind, names in S3.kinds.items()}

    def __init__(self, folder, seed):
        program = Path(os.environ.get("SHOEBOX_S3RVER", "/nonexistent")) / "bin/s3rver.js"
        if not program.exists():
            pytest.skip("s3rver is not installed: npm install s3rver@3.7.1, and SHOEBOX_S3RVER is its folder")
        self.folder, port = folder / "s3rver", free_port()
        self.folder.mkdir()
        self.process = subprocess.Popen([needs("node"), str(program), "-d", str(self.folder), "-a", "127.0.0.1", "-p",
                                         str(port), "--silent"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: listens(port), 60, "s3rver")
        super().__init__(port, "S3RVER", "S3RVER", seed)
        assert self.request("PUT", "/photos")[0] == 200

    def objects(self, size=None):
        mark = "._S3rver_object"
        return {key.removesuffix(mark): data for key, data in files_below(self.folder / "photos/home").items()
                if key.endswith(mark)}

    def close(self):
        super().close()
        stop(self.process)


class Ceph(S3):
    """Ceph's S3 gateway."""
    name = "ceph"

    def __init__(self, folder, seed):
        self.folder = folder / "ceph"
        started = subprocess.run([SERVERS / "ceph-rgw", "up", self.folder], check=False, capture_output=True, text=True,
                                 timeout=300)
        if started.returncode == 77:
            pytest.skip("Ceph is not installed")
        assert started.returncode == 0, started.stderr
        port, access, secret = started.stdout.split()
        super().__init__(int(port), access, secret, seed)
        assert self.request("PUT", "/photos")[0] == 200

    def close(self):
        super().close()
        subprocess.run([SERVERS / "ceph-rgw", "down", self.folder], check=False, capture_output=True, timeout=120)


class OfFolder:
    """One that keeps its objects as files in `self.folder`."""

    def get(self, key):
        """The bytes that stand there; None: there is nothing."""
        with contextlib.suppress(OSError):
            return (self.folder / key).read_bytes()
        return None

    def objects(self, size=None):
        """Key -> bytes."""
        return files_below(self.folder)

    def put(self, key, data):
        """Somebody else writes there."""
        (self.folder / key).write_bytes(data)

    def remove(self, key):
        """Somebody else removes it."""
        (self.folder / key).unlink(missing_ok=True)


class Dav(OfFolder, HttpServer):
    """rclone's WebDAV server over a folder."""
    name = "webdav"

    def __init__(self, folder, seed):
        self.rclone = RcloneDav(folder, "--dir-cache-time", "1ms")  # it shall see what others do in its folder
        self.folder = self.rclone.folder
        super().__init__(self.rclone.port, seed)

    def settings(self):
        """The [[remote]] of it, behind the proxy."""
        return (f'[[remote]]\nname = "cloud"\nurl = "dav://127.0.0.1:{self.proxy.port}/"\n'
                f'credentials_file = "{self.rclone.login}"\n')

    def close(self):
        super().close()
        self.rclone.stop()


class Directory(OfFolder):
    """A folder on a share that fails (fault_folder.cpp). One call of the remote takes some ten of the file system:
    each fails at a tenth of the rate."""
    name = "directory"
    calls_per_request = 10
    environment = {}
    faults = {**dict.fromkeys(("eio", "estale", "etimedout", "enotconn", "eacces", "enospc", "edquot", "gone", "truncate", "cut",
                               "flip", "flip_up", "size", "etag", "lost", "double"), 1.0), "stall": SELDOM}
    kinds = {"500": ["eio"], "503 SlowDown": ["estale"], "403 in mid-run": ["eacces"], "404 bucket": ["gone"],
             "507 quota": ["edquot", "enospc"], "timeout": ["etimedout"], "reset": ["enotconn"], "stalled body": ["stall"],
             "truncated body": ["truncate", "cut"], "flipped bit in a body": ["flip", "flip_up"], "wrong ETag": ["etag"],
             "lying size": ["size"], "lost reply to PUT": ["lost"], "doubled reply to PUT": ["double"]}

    def __init__(self, folder, seed):
        self.folder, self.share = folder / "backing", folder / "share"
        self.folder.mkdir()
        self.means = FaultFolder(self.folder, self.share, seed)

    def settings(self):
        """The [[remote]] of it."""
        return f'[[remote]]\nname = "nas"\nurl = "file://{self.share}"\n'

    def fail(self, rate):
        """From now on about this share of the remote's calls fails."""
        each = rate / self.calls_per_request / sum(self.faults.values())
        self.means.order(**{name: weight * each for name, weight in self.faults.items()})

    def fail_once(self, kind):
        """The next call that this can happen to."""
        self.means.order(**{kind: 1, "limit": 1})

    def heal(self):
        """No more faults."""
        self.means.order()

    def vanish(self):
        """The storage is gone, until heal()."""
        self.means.order(enotconn=1)

    def stats(self):
        """Of all that the share did."""
        stats = self.means.stats()
        return {**stats, "seen": stats["faults"]}

    def close(self):
        """Unmounts it."""
        self.means.close()


class Sftp(Directory):
    """OpenSSH's server, of a folder that fails, behind a line that fails."""
    name = "sftp"
    line_faults = ("line_reset", "line_truncate", "line_stall", "line_flip", "line_down")
    kinds = {**Directory.kinds, "reset": ["line_reset", "line_down"], "timeout": ["line_stall"], "stalled body": ["stall"],
             "truncated body": ["line_truncate", "truncate", "cut"], "flipped bit in a header": ["line_flip"]}

    def __init__(self, folder, seed):
        super().__init__(folder, seed)
        self.sshd = Sshd(folder)
        self.line = FaultLine(self.sshd.port, seed)
        host = self.sshd.known_line.split(" ", 1)[1]
        self.sshd.known_hosts.write_text(f"[127.0.0.1]:{self.line.port} {host}", encoding="utf-8")

    def settings(self):
        """The [[remote]] of it, behind the line."""
        user = urllib.parse.urlparse(self.sshd.url).username
        return (f'[[remote]]\nname = "server"\nurl = "sftp://{user}@127.0.0.1:{self.line.port}{self.share}"\n'
                f'known_hosts = "{self.sshd.known_hosts}"\nidentity_file = "{self.sshd.key}"\n')

    def fail(self, rate):
        super().fail(rate)
        weights = {name: SELDOM if name == "line_stall" else 1 for name in self.line_faults}
        each = rate / sum(weights.values())
        self.line.order(**{name: weight * each for name, weight in weights.items()})

    def fail_once(self, kind):
        self.heal()
        if kind.startswith("line_"):
            self.line.order(**{kind: 0.5})
        else:
            super().fail_once(kind)

    def heal(self):
        super().heal()
        self.line.order()

    def vanish(self):
        self.line.order(line_down=1)

    def stats(self):
        return add_stats(super().stats(), self.line.stats())

    def close(self):
        self.line.close()
        self.sshd.stop()
        super().close()


ALL = {kind.name: kind for kind in (MiniS3, Ceph, S3Rver, Dav, Sftp, Directory)}
