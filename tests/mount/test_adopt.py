"""Photos that stand on a remote already become files where they lie: shoebox adopt, and rebuild without a catalog."""
import json
import os
import random
import shutil
import signal
import subprocess
import time

import pytest
from drive import PHOTOS, SHOEBOX, sha256, wait_until
from servers import RcloneDav, Sshd
from test_crypt import PASSPHRASE, rclone
from test_photo_set import DATE_EXCEPTIONS, media, people_of, possible_dates, sidecars_of
from test_rebuild import files_below, fsck, lose, rebuild

DATE = "2023:07:14 10:11:12"


def everything(root):
    """Bytes and times of every file below, but for Shoebox's own."""
    return {path: (sha256(root / path), os.stat(root / path).st_mtime_ns) for path in files_below(root)
            if not path.startswith(".shoebox/")}


def adopt(drive, url, *options, check=True, **more):
    """Runs adopt on this drive's library."""
    return drive.run("adopt", url, *options, check=check, **more)


def adopted(drive, url, *options):
    """What adopt says in JSON."""
    return json.loads(adopt(drive, url, "--json", *options).stdout)


def attribute(drive, path, name):
    """user.shoebox.NAME of a file in Library; empty when it has none."""
    try:
        return os.getxattr(drive.path / "Library" / path, f"user.shoebox.{name}").decode()
    except OSError:
        return ""


@pytest.fixture
def pictures(folder, made_photos, photo):
    """A folder of photos and other files as people have them, some of them large."""
    path = folder / "pictures"
    shutil.copytree(made_photos, path / "camera")
    (path / "2023").mkdir()
    shutil.copy2(photo("anna.jpg", date=DATE, people=["Anna"]), path / "2023/anna.jpg")
    shutil.copy2(path / "2023/anna.jpg", path / "2023/anna again.jpg")
    for number in range(6):
        large = photo("large.jpg", date=f"2021:0{number + 1}:02 03:04:05")
        with open(large, "ab") as file:
            file.write(random.Random(number).randbytes(1 << 20))
        shutil.move(large, path / f"large{number}.jpg")
    (path / "film.mp4").write_bytes(random.Random(7).randbytes(3 << 20))
    (path / "note.txt").write_text("a note\n", encoding="utf-8")
    (path / "empty.txt").write_bytes(b"")
    (path / ".DS_Store").write_bytes(b"junk")
    (path / "2023/anna.jpg.xmp").write_text(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:subject><rdf:Bag>'
        '<rdf:li>beach</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>', encoding="utf-8")
    return path


def check_adopted(drive, pictures):
    """The pictures are on the drive as files, dated, with their people, and with their bytes."""
    hashes = {path: sha256(pictures / path) for path in files_below(pictures)
              if not path.startswith(".shoebox/") and not path.endswith(".DS_Store")}
    assert {path for path in files_below(drive.path / "Library")} == set(hashes)
    drive.wait_for("Dates/2023/07/anna.jpg")
    drive.wait_for("People/Anna/anna.jpg")
    assert "large3.jpg" in drive.names("Dates/2021/04")

    def requests():
        return drive.json("status")["remotes"][0]["requests"]

    # What the drive does by itself after a mount has its end: the backup of the catalog, thumbnails.
    asked = []
    wait_until(lambda: asked.append(requests()) or (len(set(asked[-10:])) == 1 and len(asked) > 10), 60, "quiet")
    asked = asked[-1]
    for path in hashes:
        name = drive.path / "Library" / path
        assert name.stat().st_size == (pictures / path).stat().st_size
        with open(name, "rb") as file:
            file.read(4096)
    assert requests() == asked, "looking costs no request"
    assert os.getxattr(drive.path / "Library/2023/anna.jpg", "user.xdg.tags") == b"beach"
    assert drive.state("Library/film.mp4") == "remote"
    for path, digest in hashes.items():
        assert sha256(drive.path / "Library" / path) == digest, path
    wait_until(lambda: drive.state("Library/film.mp4") == "local", 30, "the film is whole")
    assert os.getxattr(drive.path / "Library/film.mp4", "user.shoebox.sha256").decode() == hashes["film.mp4"]


def test_a_folder_of_photos_is_adopted_where_it_lies(make_drive, pictures):
    drive = make_drive()
    before = everything(pictures)
    told = adopted(drive, f"file://{pictures}")
    listed = len(before)
    assert told["listed"] == listed and told["failed"] == 0 and told["skipped"] == 1, told
    assert told["videos"] == 1
    total = sum((pictures / path).stat().st_size for path in before)
    assert told["requests"] <= 2 * listed + 2
    assert told["received_bytes"] < total and told["received_bytes"] <= listed * (256 << 10)
    drive.mount()
    check_adopted(drive, pictures)
    one, two = drive.path / "Library/2023/anna.jpg", drive.path / "Library/2023/anna again.jpg"
    assert os.getxattr(one, "user.shoebox.people") == os.getxattr(two, "user.shoebox.people") == b"Anna"
    drive.backed_up()
    fsck(drive)
    assert everything(pictures) == before, "nothing was moved or rewritten"
    again = adopted(drive, f"file://{pictures}")
    assert again["already_there"] == listed - 1 and again["received_bytes"] == 0, again
    # Read and backed up, it may leave again; an edit is an upload, a rename a move, a deletion a removal.
    drive.evict(drive.path / "Library/film.mp4")
    assert drive.state("Library/film.mp4") == "remote"
    with open(drive.path / "Library/note.txt", "a", encoding="utf-8") as file:
        file.write("more\n")
    os.rename(drive.path / "Library/film.mp4", drive.path / "Library/the film.mp4")
    drive.backed_up()
    assert (pictures / "Library/note.txt").read_text(encoding="utf-8") == "a note\nmore\n"
    wait_until((pictures / "Library/the film.mp4").exists, 60, "the renamed film follows its name")
    assert sha256(drive.path / "Library/the film.mp4") == before["film.mp4"][0]
    fsck(drive)


def test_an_unread_original_can_be_edited_renamed_and_deleted(make_drive, pictures):
    drive = make_drive()
    adopt(drive, f"file://{pictures}")
    drive.mount()
    before = everything(pictures)
    with open(drive.path / "Library/large0.jpg", "r+b") as file:
        file.seek(500_000)
        file.write(b"edited")
    want = bytearray((pictures / "large0.jpg").read_bytes())
    want[500_000:500_006] = b"edited"
    assert (drive.path / "Library/large0.jpg").read_bytes() == bytes(want)
    os.rename(drive.path / "Library/large1.jpg", drive.path / "Library/renamed.jpg")
    os.unlink(drive.path / "Library/large2.jpg")
    with open(drive.path / "Library/large3.jpg", "wb") as file:
        file.write(b"replaced without a look")
    drive.backed_up()
    assert "large2.jpg" in drive.names("Trash")
    drive.run("trash", "restore", "large2.jpg")
    assert sha256(drive.path / "Library/large2.jpg") == before["large2.jpg"][0]
    assert sha256(drive.path / "Library/renamed.jpg") == before["large1.jpg"][0]
    versions = drive.json("versions", drive.path / "Library/large3.jpg")
    assert len(versions["versions"]) == 2
    os.unlink(drive.path / "Library/large4.jpg")
    drive.run("trash", "empty", "--all")
    drive.backed_up()
    wait_until(lambda: not (pictures / "large4.jpg").exists(), 60, "deleted for good")
    fsck(drive)


def test_an_object_that_changed_behind_our_back_is_an_error_and_never_a_mix(make_drive, pictures):
    drive = make_drive()
    adopt(drive, f"file://{pictures}")
    drive.mount()
    name = drive.path / "Library/large0.jpg"
    with open(name, "rb") as file:
        file.read(4096)
    (pictures / "large0.jpg").write_bytes(random.Random(99).randbytes(1_500_000))
    with pytest.raises(OSError):
        name.read_bytes()
    assert "changed since it was adopted" in drive.json("status")["remotes"][0]["last_error"]
    told = adopted(drive, f"file://{pictures}")
    assert told["changed"] == 1
    drive.drop_caches()
    assert name.read_bytes() == (pictures / "large0.jpg").read_bytes()
    fsck(drive)


def test_a_killed_run_goes_on_without_fetching_again(make_drive, pictures):
    for number in range(300):
        (pictures / f"more{number:03}.bin").write_bytes(random.Random(number).randbytes(300_000))
    drive = make_drive()
    command = [SHOEBOX, "adopt", f"file://{pictures}", "--library", str(drive.library)]
    for delay_s in (0.3, 0.6, 1.0):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=drive.env)
        time.sleep(delay_s)  # any moment will do
        process.send_signal(signal.SIGKILL)
        process.wait()
    told = adopted(drive, f"file://{pictures}")
    missing = told["listed"] - told["already_there"] - told["skipped"]
    assert told["requests"] <= 2 * missing + 2
    again = adopted(drive, f"file://{pictures}")
    assert again["received_bytes"] == 0 and again["already_there"] == again["listed"] - again["skipped"]
    drive.mount()
    check_adopted(drive, pictures)
    fsck(drive)


def test_adopting_while_mounted(make_drive, pictures):
    drive = make_drive(settings=f'[[remote]]\nname = "nas"\nurl = "file://{pictures}"\n').mount()
    told = adopted(drive, f"file://{pictures}")
    assert told["remote"] == "nas" and told["failed"] == 0
    check_adopted(drive, pictures)
    # A place that the mount does not use yet becomes one of its remotes.
    (drive.remote / "more").mkdir()
    (drive.remote / "more/one.txt").write_text("one", encoding="utf-8")
    dry = adopt(drive, f"file://{drive.remote}", "--dry-run", check=False)
    assert dry.returncode != 0 and "add it first" in dry.stderr, dry.stderr
    told = adopted(drive, f"file://{drive.remote}", "--into", "Library/More")
    assert told["others"] == 1 and told["failed"] == 0
    assert (drive.path / "Library/More/more/one.txt").read_text(encoding="utf-8") == "one"
    assert len(drive.json("status")["remotes"]) == 2


def test_all_is_read_when_asked_and_a_dry_run_does_nothing(make_drive, pictures):
    drive = make_drive()
    told = adopted(drive, f"file://{pictures}", "--dry-run")
    assert told["photos"] > 20 and told["received_bytes"] == 0
    assert not drive.library.exists()
    told = adopted(drive, f"file://{pictures}", "--read-all")
    assert told["read_bytes"] > 6 << 20
    assert adopted(drive, f"file://{pictures}", "--dry-run")["photos"] == 0
    drive.mount()
    assert os.getxattr(drive.path / "Library/film.mp4", "user.shoebox.sha256").decode() == sha256(
        pictures / "film.mp4")
    assert drive.state("Library/film.mp4") == "remote", "reading all keeps nothing here"
    assert sha256(drive.path / "Library/film.mp4") == sha256(pictures / "film.mp4")


def test_a_second_remote_gets_the_bytes(make_drive, pictures):
    drive = make_drive()
    adopt(drive, f"file://{pictures}", "--name", "nas")
    drive.run("remote", "add", "second", f"file://{drive.remote}")
    drive.mount()
    drive.backed_up()
    for path in files_below(pictures):
        twins = "anna.jpg" in path or "anna again.jpg" in path  # one object does for both
        if path.startswith(".shoebox/") or path.endswith(".DS_Store") or twins or "empty" in path:
            continue
        assert sha256(drive.remote / "Library" / path) == sha256(pictures / path), path
    assert os.getxattr(drive.path / "Library/film.mp4", "user.shoebox.copies") == b"2"
    fsck(drive)


def test_what_rclone_encrypted_is_adopted(make_drive, pictures, folder):
    drive = make_drive()
    rclone(drive, "copy", pictures, "sb:")
    before = everything(drive.remote)
    secret = folder / "passphrase"
    secret.write_text(PASSPHRASE + "\n", encoding="utf-8")
    secret.chmod(0o600)
    told = adopted(drive, f"file://{drive.remote}", "--option", "crypt=true", "--option", f"passphrase_file={secret}")
    assert told["failed"] == 0 and told["requests"] <= 2 * told["listed"] + 8, told
    drive.mount()
    check_adopted(drive, pictures)
    fsck(drive)
    after = everything(drive.remote)
    assert {path: after.get(path) for path in before} == before
    drive.unmount()
    names = rclone(drive, "lsf", "-R", "--files-only", "sb:").stdout.decode().splitlines()
    assert sorted(n for n in names if not n.startswith(".shoebox/")) == sorted(files_below(pictures))


def test_webdav_is_adopted(make_drive, pictures, folder):
    dav = RcloneDav(folder)
    try:
        shutil.copytree(pictures, dav.folder, dirs_exist_ok=True)
        before = everything(dav.folder)
        drive = make_drive()
        told = adopted(drive, f"dav://127.0.0.1:{dav.port}", "--option", f"credentials_file={dav.login}")
        assert told["failed"] == 0 and told["requests"] <= 3 * told["listed"], told
        drive.mount()
        check_adopted(drive, pictures)
        fsck(drive)
        drive.unmount()
        assert everything(dav.folder) == before
    finally:
        dav.stop()


def test_sftp_is_adopted(make_drive, pictures, folder):
    server = Sshd(folder)
    try:
        shutil.copytree(pictures, server.folder, dirs_exist_ok=True)
        before = everything(server.folder)
        drive = make_drive()
        told = adopted(drive, server.url, "--option", f"identity_file={server.key}", "--option",
                       f"known_hosts={server.known_hosts}")
        assert told["failed"] == 0, told
        drive.mount()
        check_adopted(drive, pictures)
        fsck(drive)
        drive.unmount()
        assert everything(server.folder) == before
    finally:
        server.stop()


def test_the_photo_set_is_dated_by_heads_and_tails(make_drive, manifest, folder):
    """A sample: dates and people as ExifTool has them, of files of which only the ends were fetched."""
    rows = media(manifest)
    sidecars = sidecars_of(manifest)
    chosen = [path for path, row in sorted(rows.items())
              if row["bytes"] > 256 << 10 and row["type"] in ("JPEG", "MP4", "MOV", "HEIC", "NEF", "CR2")]
    small = [path for path, row in sorted(rows.items()) if row["bytes"] <= 256 << 10 and row["type"] == "JPEG"][:60]
    pictures = folder / "set"
    for path in chosen + small:
        (pictures / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PHOTOS / path, pictures / path)
        for sidecar in rows[path].get("sidecars", []):
            (pictures / sidecar).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PHOTOS / sidecar, pictures / sidecar)
    drive = make_drive()
    told = adopted(drive, f"file://{pictures}")
    assert told["failed"] == 0
    drive.mount()

    def is_right(path):
        wanted = possible_dates(rows[path], sidecars.get(rows[path]["sha256"], []))
        return any(attribute(drive, path, "date")[:10] == one[:10] for one in wanted)
    dated = [path for path in chosen + small if path not in DATE_EXCEPTIONS
             and len(rows[path].get("date", {}).get("local", "")) >= 10]
    wrong = [path for path in dated if not is_right(path)]
    # Where a file keeps its date in its middle, the guess stands until it is read whole.
    assert len(wrong) <= len(chosen) // 10, wrong
    for path in chosen + small:
        wanted = people_of(rows[path])
        assert not wanted or wanted <= set(attribute(drive, path, "people").split("\n")), path
    for path in wrong:
        assert sha256(drive.path / "Library" / path) == rows[path]["sha256"]
    wait_until(lambda: all(is_right(path) for path in wrong), 60, "the dates of what was read whole")
    fsck(drive)


@pytest.fixture
def spoken(make_drive, photo, folder):
    """A backed up drive; the owner's words stand in sidecars on the remote."""
    drive = make_drive().mount()
    shutil.copy2(photo("anna.jpg", date=DATE, people=["Anna"]), drive.path / "Library/anna.jpg")
    shutil.copy2(photo("ben.jpg", date="2021:02:03 04:05:06"), drive.path / "Library/ben.jpg")
    (drive.path / "Library/films").mkdir()
    (drive.path / "Library/films/one.mp4").write_bytes(random.Random(5).randbytes(2 << 20))
    drive.wait_for("Dates/2021/02/ben.jpg")
    drive.wait_for("People/Anna/anna.jpg")
    os.makedirs(drive.path / "Albums/Trip/Day 1")
    os.link(drive.path / "Library/ben.jpg", drive.path / "Albums/Trip/Day 1/ben.jpg")
    os.setxattr(drive.path / "Library/ben.jpg", "user.shoebox.people", b"Ben")
    os.setxattr(drive.path / "Library/ben.jpg", "user.shoebox.favorite", b"1")
    os.setxattr(drive.path / "Library/ben.jpg", "user.xdg.tags", b"boat,sea")
    os.setxattr(drive.path / "Library/ben.jpg", "user.shoebox.date", b"1999-12-31")
    os.unlink(drive.path / "People/Anna/anna.jpg")
    drive.backed_up()
    out = folder / "sidecars"
    drive.run("export", out, "--with-sidecars")
    for name in ("anna.jpg.xmp", "ben.jpg.xmp"):
        if not (drive.remote / "Library" / name).exists():
            shutil.copy(next(out.rglob(name)), drive.remote / "Library" / name)
    drive.hashes = {path: sha256(drive.path / path) for path in files_below(drive.path)
                    if path.startswith("Library/")}
    return drive


def check_spoken(drive):
    """Tree and statements as they were."""
    drive.wait_for("Dates/1999/12/ben.jpg", 60)
    drive.wait_for("Dates/2023/07/anna.jpg", 60)
    assert {path for path in files_below(drive.path) if path.startswith("Library/")} == set(drive.hashes)
    assert drive.names("Albums/Trip/Day 1") == ["ben.jpg"]
    assert drive.names("People") == ["Ben"] and drive.names("People/Ben") == ["ben.jpg"]
    assert os.getxattr(drive.path / "Library/ben.jpg", "user.shoebox.favorite") == b"1"
    assert os.getxattr(drive.path / "Library/ben.jpg", "user.xdg.tags") == b"boat,sea"
    for path, digest in drive.hashes.items():
        assert sha256(drive.path / path) == digest, path
    drive.backed_up()
    fsck(drive)


def let_go(drive):
    """Mounted, with everything sent at its last unmount: what was read whole just now is decoded once more."""
    for _ in range(5):
        drive.backed_up()
        drive.unmount()
        records = sorted((drive.remote / ".shoebox/owner").iterdir(), key=lambda path: int(path.name))
        drive.mount()
        if "state released" in records[-1].read_text(encoding="utf-8"):
            return
    raise AssertionError("never all sent at an unmount: " + drive.log_text())


@pytest.mark.parametrize("damage", ["removed", "damaged"])
def test_a_library_whose_catalog_is_lost_on_the_remote_too_comes_back_from_keys_and_sidecars(spoken, damage):
    lose(spoken)
    catalog = spoken.remote / ".shoebox/catalog"
    before = {path: (catalog / path).read_bytes() for path in files_below(catalog)}
    if damage == "removed":
        shutil.rmtree(catalog)
    else:
        for path in list(catalog.rglob("head.*")):
            path.write_bytes(path.read_bytes()[:-10])
        before = {path: (catalog / path).read_bytes() for path in files_below(catalog)}
    done = rebuild(spoken)
    assert "is made from the names" in done.stderr, done.stderr
    if damage == "damaged":
        assert {path: (catalog / path).read_bytes() for path in files_below(catalog)} == before
    spoken.mount()
    check_spoken(spoken)
    # The first mount made a new copy of the catalog: the next rebuild needs no keys. What is all sent needs no
    # takeover either.
    let_go(spoken)
    lose(spoken)
    done = rebuild(spoken)
    assert "is made from the names" not in done.stderr, done.stderr
    spoken.mount()
    check_spoken(spoken)


def test_a_killed_rebuild_from_keys_goes_on(spoken):
    lose(spoken)
    shutil.rmtree(spoken.remote / ".shoebox/catalog")
    for delay_s in (0.1, 0.3, 0.6):
        process = subprocess.Popen([SHOEBOX, "rebuild", "--from", str(spoken.remote), str(spoken.library)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=spoken.env)
        time.sleep(delay_s)  # any moment will do
        process.send_signal(signal.SIGKILL)
        if process.wait() == 0:
            shutil.rmtree(spoken.library)
    rebuild(spoken)
    spoken.mount()
    check_spoken(spoken)


def test_an_encrypted_remote_without_a_catalog_gives_the_tree_back(make_drive, photo, folder):
    secret = folder / "passphrase"
    secret.write_text(PASSPHRASE + "\n", encoding="utf-8")
    secret.chmod(0o600)
    drive = make_drive()
    drive.library.mkdir(mode=0o700)
    (drive.library / "shoebox.toml").write_text(
        f'[[remote]]\nname = "vault"\nurl = "file://{drive.remote}"\ncrypt = true\npassphrase_file = "{secret}"\n',
        encoding="utf-8")
    drive.mount()
    shutil.copy2(photo("anna.jpg", date=DATE, people=["Anna"]), drive.path / "Library/anna.jpg")
    (drive.path / "Library/film.mp4").write_bytes(random.Random(5).randbytes(2 << 20))
    drive.wait_for("People/Anna/anna.jpg")
    drive.backed_up()
    hashes = {path: sha256(drive.path / "Library" / path) for path in files_below(drive.path / "Library")}
    lose(drive)
    listing = rclone(drive, "lsf", "-R", "sb:.shoebox/catalog").stdout.decode().split()
    assert listing
    rclone(drive, "purge", "sb:.shoebox/catalog")
    done = rebuild(drive, "--option", "crypt=true", "--option", f"passphrase_file={secret}")
    assert "is made from the names" in done.stderr, done.stderr
    drive.mount()
    drive.wait_for("Dates/2023/07/anna.jpg")
    drive.wait_for("People/Anna/anna.jpg")
    for path, digest in hashes.items():
        assert sha256(drive.path / "Library" / path) == digest
    fsck(drive)
