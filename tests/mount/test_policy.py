"""What a remote's policy holds back, and what status says of it: a metered connection, a battery, by hand."""
import os
import shutil
import subprocess
import time

import pytest
from drive import wait_until

dbus = pytest.importorskip("dbus", reason="python3-dbusmock is not installed")
dbusmock = pytest.importorskip("dbusmock", reason="python3-dbusmock is not installed")


def settings(drive, more):
    """One folder as remote, with these keys."""
    return f'[[remote]]\nname = "nas"\nurl = "file://{drive.remote}"\n{more}\n'


def waiting_for(drive):
    """Why uploads to the only remote wait."""
    return drive.status()["remotes"][0]["waiting_for"]


def stored(drive, name):
    """Whether Library/NAME is on the remote."""
    return (drive.remote / "Library" / name).exists()


@pytest.fixture
def bus(folder):
    """A system bus of the test's own with NetworkManager and UPower on it; functions that set their properties."""
    if shutil.which("dbus-daemon") is None:
        pytest.skip("dbus-daemon is not installed")
    config = folder / "bus.conf"
    config.write_text('<busconfig><type>system</type><keep_umask/>'
                      f'<listen>unix:path={folder}/bus</listen><policy context="default">'
                      '<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>'
                      '</policy></busconfig>')
    daemon = subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork"])
    started = [daemon]
    address = f"unix:path={folder}/bus"
    try:
        wait_until((folder / "bus").exists, 10, "the bus")
        env = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=address)
        connection = dbus.bus.BusConnection(address)

        def mock(name, path):
            started.append(subprocess.Popen(["/usr/bin/python3", "-m", "dbusmock", "--system", name, path, name],
                                            env=env))
            wait_until(lambda: connection.name_has_owner(name), 20, name)
            return dbus.Interface(connection.get_object(name, path), dbusmock.MOCK_IFACE)

        network = mock("org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager")
        network.AddProperty("org.freedesktop.NetworkManager", "Metered", dbus.UInt32(2))
        power = mock("org.freedesktop.UPower", "/org/freedesktop/UPower")
        power.AddProperty("org.freedesktop.UPower", "OnBattery", False)

        def set_metered(value):
            network.UpdateProperties("org.freedesktop.NetworkManager", {"Metered": dbus.UInt32(value)})

        def set_on_battery(value):
            power.UpdateProperties("org.freedesktop.UPower", {"OnBattery": value})

        yield address, set_metered, set_on_battery
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(10)


def mounted_with(drive, address, keys):
    """The drive with these keys of policy, on this bus."""
    drive.library.mkdir(mode=0o700, exist_ok=True)
    (drive.library / "shoebox.toml").write_text(settings(drive, keys))
    drive.env["DBUS_SYSTEM_BUS_ADDRESS"] = address
    return drive.mount()


def test_a_metered_connection_holds_uploads_also_those_that_were_asked_for(bus, make_drive):
    address, set_metered, _ = bus
    set_metered(1)
    drive = mounted_with(make_drive(), address, "on_metered = false")
    (drive.path / "Library/a.txt").write_bytes(b"one")
    wait_until(lambda: waiting_for(drive) == "the connection is metered", 30, "the hold")
    assert drive.run("backup", "wait", check=False).returncode == 1
    drive.run("backup", "now")
    assert not stored(drive, "a.txt")
    set_metered(2)
    wait_until(lambda: stored(drive, "a.txt"), 60, "the upload once the connection is free")


def test_a_battery_holds_uploads_until_they_are_asked_for(bus, make_drive):
    address, _, set_on_battery = bus
    set_on_battery(True)
    drive = mounted_with(make_drive(), address, "on_battery = false")
    (drive.path / "Library/a.txt").write_bytes(b"one")
    wait_until(lambda: waiting_for(drive) == "on battery", 30, "the hold")
    assert not stored(drive, "a.txt")
    drive.backed_up()
    assert stored(drive, "a.txt")


def test_by_hand_nothing_is_sent_before_it_is_asked_for(make_drive):
    drive = make_drive()
    drive.library.mkdir(mode=0o700, exist_ok=True)
    (drive.library / "shoebox.toml").write_text(settings(drive, "manual = true"))
    drive.mount()
    (drive.path / "Library/a.txt").write_bytes(b"one")
    wait_until(lambda: waiting_for(drive).startswith("manual"), 30, "the hold")
    assert not stored(drive, "a.txt")
    drive.backed_up()
    assert stored(drive, "a.txt")


def test_by_hand_neither_renames_nor_the_catalog_reach_the_remote_before_it_is_asked_for(make_drive):
    drive = make_drive()
    drive.library.mkdir(mode=0o700, exist_ok=True)
    (drive.library / "shoebox.toml").write_text(settings(drive, "manual = true"))
    drive.mount()
    (drive.path / "Library/a.txt").write_bytes(b"one")
    drive.backed_up()
    name = drive.path / "Library/b.txt"
    (drive.path / "Library/a.txt").rename(name)
    (drive.path / "Albums/Trip").mkdir()

    def held():
        nonlocal name
        remote = drive.status()["remotes"][0]
        # What was asked for may have taken the changes along.
        if remote["tidying"] == 0:
            name = name.rename(drive.path / f"Library/{time.monotonic()}.txt")
        if remote["catalog_pending_changes"] == 0:
            (drive.path / f"Albums/{time.monotonic()}").mkdir()
        return remote["tidying"] > 0 and remote["catalog_pending_changes"] > 0 and \
            remote["tidying_waiting_for"].startswith("manual") and remote["catalog_waiting_for"].startswith("manual")
    wait_until(held, 60, "the hold of renames and catalog")
    waited = drive.run("backup", "wait", check=False)
    assert waited.returncode == 1
    assert "by its policy: manual" in waited.stderr
    assert not stored(drive, name.name)
    before = drive.json("status")["remotes"][0]["catalog_backed_up_at"]
    assert before > 0
    drive.backed_up()
    assert stored(drive, name.name) and not stored(drive, "a.txt")
    assert drive.json("status")["remotes"][0]["catalog_pending_changes"] == 0


def test_uploads_keep_to_their_bandwidth_and_reads_do_not_wait_for_it(make_drive):
    drive = make_drive()
    drive.library.mkdir(mode=0o700, exist_ok=True)
    limit = 400_000
    (drive.library / "shoebox.toml").write_text(settings(drive, 'bandwidth = "400 kB/s"'))
    drive.mount()
    photos = {f"Library/{i}.bin": os.urandom(limit) for i in range(5)}
    begin = time.monotonic()
    for path, data in photos.items():
        (drive.path / path).write_bytes(data)
    drive.run("backup", "now")
    wait_until(lambda: drive.status()["remotes"][0]["limited_bytes_per_second"] == limit, 30, "the hold")
    assert "slowed down to" in drive.run("status").stdout
    drive.run("backup", "wait", timeout_s=240)
    total = sum(map(len, photos.values()))
    sent_s = time.monotonic() - begin
    # Each is sent and read back by itself, both within the limit; the catalog goes beside them.
    assert total / sent_s < 1.2 * limit
    drive.evict()
    begin = time.monotonic()
    for path, data in photos.items():
        assert (drive.path / path).read_bytes() == data
    assert time.monotonic() - begin < sent_s / 2
    begin = time.monotonic()
    report = drive.json("verify", "--all", timeout_s=240)
    assert report["checked"] == len(photos)
    assert total / (time.monotonic() - begin) < 1.2 * limit
