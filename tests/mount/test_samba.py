"""The drive as a Samba share, as phones see it."""
import os
import shutil
import socket
import subprocess

import pytest
from drive import sha256, wait_until

CONFIG = """[global]
workgroup = TEST
server role = standalone server
map to guest = Bad User
guest account = root
interfaces = lo
bind interfaces only = yes
smb ports = {port}
disable netbios = yes
load printers = no
log file = {state}/log
pid directory = {state}
lock directory = {state}
state directory = {state}
cache directory = {state}
private dir = {state}
ncalrpc dir = {state}/rpc
[photos]
path = {path}
guest ok = yes
read only = no
force user = root
"""


def free_port():
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def listens(port):
    """Whether somebody answers on this port."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def share(drive, folder):
    """Runs smbclient commands on the drive's share; gives what it printed."""
    smbd = shutil.which("smbd") or "/usr/sbin/smbd"
    if os.getuid() != 0 or not os.access(smbd, os.X_OK) or shutil.which("smbclient") is None:
        pytest.skip("needs root, smbd and smbclient")
    state, port = folder / "samba", free_port()
    state.mkdir()
    (state / "smb.conf").write_text(CONFIG.format(port=port, state=state, path=drive.path), encoding="utf-8")
    # A session of its own: at its end smbd ends its whole process group.
    server = subprocess.Popen([smbd, "--foreground", "--no-process-group", "-s", str(state / "smb.conf")],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              start_new_session=True)
    try:
        wait_until(lambda: listens(port), 30, "smbd")

        def run(commands):
            done = subprocess.run(["smbclient", "//127.0.0.1/photos", "-N", "-p", str(port), "-s",
                                   str(state / "smb.conf"), "-c", commands], cwd=folder, check=False,
                                  capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout
        yield run
    finally:
        server.terminate()
        server.wait(30)


def test_photos_go_in_by_samba_show_in_views_and_come_back_identical(share, drive, photo, folder):
    made = photo("phone.jpg", date="2023:07:14 10:11:12")
    share(f'mkdir Library\\phone; cd Library\\phone; put "{made.name}"')
    drive.wait_for("Dates/2023/07/phone.jpg")
    assert "phone.jpg" in share("ls Dates\\2023\\07\\*")
    drive.backed_up()
    drive.evict()
    share("cd Dates\\2023\\07; get phone.jpg back.jpg")
    assert sha256(folder / "back.jpg") == sha256(made)


def test_a_large_file_written_by_samba_has_no_zeroed_ranges(share, drive, folder):
    source = folder / "video.mp4"
    source.write_bytes(os.urandom(24 << 20))
    share("cd Library; put video.mp4; rename video.mp4 clip.mp4")
    assert sha256(drive.path / "Library/clip.mp4") == sha256(source)
    share("cd Library; del clip.mp4")
    assert "clip.mp4" in drive.names("Trash")
