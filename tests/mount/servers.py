"""Servers for the mount tests, each on loopback, started by the test and stopped with it."""
import contextlib
import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest
from drive import wait_until

SERVERS = Path(__file__).parents[1] / "servers"


def free_port():
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def listens(port):
    """Whether somebody answers there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def needs(program):
    """The path of a program, or the test is skipped."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


def stop(process):
    """Ends a server and all that it started, which a server of sessions leaves behind."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    pending = [process.pid]
    while pending:
        pid = pending.pop()
        pending += parents.get(pid, [])
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(10)


class FaultProxy:
    """The test suite's HTTP proxy that makes a server fail."""

    def __init__(self, upstream_port, seed=7):
        self.process = subprocess.Popen(
            ["/usr/bin/python3", str(SERVERS / "fault_proxy.py"), "--upstream", f"127.0.0.1:{upstream_port}", "--seed",
             str(seed)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port, self.control = map(int, self.process.stdout.readline().split())

    def faults(self, **faults):
        """Probabilities from now on, and what limits them."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.control}/faults", json.dumps(faults).encode(),
                                         method="POST")
        urllib.request.urlopen(request, timeout=120).close()

    def stats(self):
        """What went through the proxy."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.control}/stats", timeout=120) as answer:
            return json.load(answer)

    def close(self):
        """Stops it."""
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


class RcloneDav:
    """rclone serve webdav of a folder, with a Basic login."""

    def __init__(self, folder, *options):
        self.options = options
        self.folder, self.port, self.process = folder / "dav", free_port(), None
        self.folder.mkdir()
        self.login = folder / "dav-login"
        self.login.write_text('user = "anna"\npassword = "dav secret"\n', encoding="utf-8")
        self.login.chmod(0o600)
        self.start()

    def start(self):
        """Until it listens."""
        self.process = subprocess.Popen(
            [needs("rclone"), "serve", "webdav", str(self.folder), "--addr", f"127.0.0.1:{self.port}", "--user", "anna",
             "--pass", "dav secret", *self.options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "RCLONE_CONFIG": "/dev/null"})
        wait_until(lambda: listens(self.port), 120, "rclone serve webdav")

    def stop(self):
        """Ends it."""
        if self.process is not None:
            stop(self.process)
            self.process = None


class Sshd:
    """OpenSSH's server with keys and a configuration of its own."""

    def __init__(self, folder):
        self.folder, self.port, self.process = folder / "sftp", free_port(), None
        self.folder.mkdir()
        self.program, keygen = needs("sshd"), needs("ssh-keygen")
        self.key, host = folder / "ssh-key", folder / "ssh-host"
        for key in (self.key, host):
            subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        self.known_hosts = folder / "known_hosts"
        public = host.with_suffix(".pub").read_text(encoding="utf-8").split()
        self.known_line = f"[127.0.0.1]:{self.port} {public[0]} {public[1]}\n"
        self.known_hosts.write_text(self.known_line, encoding="utf-8")
        self.config = folder / "sshd_config"
        self.config.write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nHostKey {host}\nPidFile none\nAuthorizedKeysFile {self.key}.pub\n"
            "StrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nSubsystem sftp internal-sftp\n",
            encoding="utf-8")
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.start()

    @property
    def url(self):
        """Of the folder that it serves."""
        return f"sftp://{getpass.getuser()}@127.0.0.1:{self.port}{self.folder}"

    def start(self):
        """Until it listens."""
        self.process = subprocess.Popen([self.program, "-D", "-e", "-f", str(self.config)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: listens(self.port), 120, "sshd")

    def stop(self):
        """Ends it and the connections that it has."""
        if self.process is not None:
            stop(self.process)
            self.process = None
