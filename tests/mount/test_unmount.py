"""What an unmount still sends, and that it ends when nobody answers."""
import json
import os
import shutil
import socket
import time

from drive import wait_until
from servers import RcloneDav
from test_owner import first, owner_is_known, rebuild  # noqa: F401 (first is a fixture)


def newest_record(remote):
    """Of the owner, as it stands on the remote."""
    records = sorted((remote / ".shoebox/owner").iterdir(), key=lambda path: int(path.name))
    return records[-1].read_text(encoding="utf-8")


def test_what_was_done_in_the_last_moment_is_known_elsewhere_without_a_takeover(first, make_drive):
    os.mkdir(first.path / "Albums/Last moment")
    os.setxattr(first.path / "Library/kept.txt", "user.note", b"late")
    first.unmount()
    assert "state released" in newest_record(first.remote)
    second = make_drive("second")
    rebuild(second, first.remote)
    second.mount()
    assert second.names("Albums") == ["Last moment"]
    assert os.getxattr(second.path / "Library/kept.txt", "user.note") == b"late"
    assert owner_is_known(second)["this_library"]


def test_after_a_signal_as_well(first, make_drive):
    os.mkdir(first.path / "Albums/Last moment")
    first.process.terminate()
    assert first.process.wait(60) == 0
    first.process = None
    assert "state released" in newest_record(first.remote)
    second = make_drive("second")
    rebuild(second, first.remote)
    second.mount()
    assert second.names("Albums") == ["Last moment"]


def test_an_original_that_was_not_sent_is_told_elsewhere_and_sent_after_the_next_mount(first, make_drive):
    first.run("backup", "pause")
    (first.path / "Library/late.txt").write_text("late", encoding="utf-8")
    first.remount()
    first.run("backup", "resume")
    first.remount()  # within the quiet seconds before an upload
    assert "state holds" in newest_record(first.remote)
    second = make_drive("second")
    told = json.loads(rebuild(second, first.remote, "--json").stdout)
    first.backed_up()
    if told["lost"]:  # a slow machine may have sent it meanwhile
        assert told["lost"] == ["Library/late.txt"]
    assert (first.remote / "Library/late.txt").read_text(encoding="utf-8") == "late"


def test_a_server_that_went_silent_holds_up_no_unmount_and_a_mount_waits_for_its_end(make_drive, folder):
    server = RcloneDav(folder)
    try:
        drive = make_drive(settings=f'[[remote]]\nname = "dav"\nurl = "dav://127.0.0.1:{server.port}"\n'
                                    f'credentials_file = "{server.login}"\n').mount()
        (drive.path / "Library/kept.txt").write_text("kept", encoding="utf-8")
        drive.backed_up()
        server.stop()
        with socket.create_server(("127.0.0.1", server.port), backlog=128):  # takes connections and says nothing
            os.mkdir(drive.path / "Albums/Last moment")
            drive.unmount(60)
        assert "changed last is not in the backup" in drive.log_text()
        assert "by a takeover only" in drive.log_text()
        server.start()
        drive.mount()
        drive.backed_up()
        assert drive.names("Albums") == ["Last moment"]
    finally:
        server.stop()


def test_an_unmount_ends_the_decoder_and_the_next_mount_decodes(make_drive, photo):
    drive = make_drive()
    decoder = drive.folder / "decoder"
    started = drive.folder / "started"
    decoder.write_text(f"#!/bin/sh\nprintf '\\000\\000\\000\\002R\\004' >&3\nhead -c 1 <&3 >/dev/null\n"
                       f"echo $$ > {started}.new && mv {started}.new {started}\nread never <&3\n", encoding="utf-8")
    decoder.chmod(0o700)
    real = drive.env.get("SHOEBOX_DECODER")
    drive.env["SHOEBOX_DECODER"] = str(decoder)
    drive.mount()
    shutil.copy2(photo("a.jpg", date="2023:07:14 10:11:12"), drive.path / "Library/a.jpg")
    wait_until(started.exists, 30, "the decoder to take it")
    begin = time.monotonic()
    drive.unmount(20)
    assert time.monotonic() - begin < 15  # a second or two; the decoder alone would be given 30
    assert not os.path.exists(f"/proc/{started.read_text(encoding='ascii').strip()}")
    drive.env.pop("SHOEBOX_DECODER")
    if real:
        drive.env["SHOEBOX_DECODER"] = real
    drive.mount()
    drive.wait_for("Dates/2023/07/a.jpg")


def test_a_mount_right_after_an_unmount_waits_for_the_end_of_the_first(first):
    os.mkdir(first.path / "Albums/Last moment")
    ending = first.process
    ending.terminate()
    # Not before it said so: until then the library is in use.
    wait_until(lambda: "ending" in (first.library / "lock").read_text("utf-8") or ending.poll() is not None, 60,
               "its end")
    first.process = None
    first.mount()
    assert ending.wait(60) == 0
    assert first.names("Albums") == ["Last moment"]


def test_a_huge_file_does_not_hold_up_the_unmount(drive):
    """Nobody can hash it in that time: it is hashed at the next mount, and not at all once it is deleted."""
    kept = drive.path / "Library/kept.img"
    with open(kept, "wb") as file:
        file.truncate(200 << 30)
        file.seek(5 << 30)
        file.write(b"x")
    begin = time.monotonic()
    drive.unmount()
    drive.mount()
    assert time.monotonic() - begin < 60
    assert kept.stat().st_size == 200 << 30
    kept.unlink()
    wait_until(lambda: not list((drive.library / "staging").iterdir()) or
               all(path.stat().st_size == 0 for path in (drive.library / "staging").iterdir()), 60, "the file to go")
