"""XMP sidecars in the mount: what they state counts, is followed when it changes, and they follow their photo."""
import os
import shutil
import subprocess


DATE = "2023:07:14 10:11:12"


def write_sidecar(path, people=(), date=None, rating=None, tags=(), caption=None):
    """An XMP sidecar as ExifTool writes one, made beside and renamed over, as editors do."""
    temporary = path.with_name(".new-" + path.name)  # hidden: states nothing until it has its name
    arguments = [f"-XMP-iptcExt:PersonInImage={person}" for person in people]
    arguments += [f"-XMP-dc:Subject={tag}" for tag in tags]
    if date:
        arguments.append(f"-XMP-exif:DateTimeOriginal={date}")
    if rating is not None:
        arguments.append(f"-XMP-xmp:Rating={rating}")
    if caption:
        arguments.append(f"-XMP-dc:Description={caption}")
    subprocess.run(["exiftool", "-q", *arguments, "-o", str(temporary)], check=True)
    os.rename(temporary, path)
    return path


def attribute(path, name):
    return os.getxattr(path, name).decode()


def test_people_date_tags_rating_and_caption_of_a_sidecar_count(drive, photo):
    shutil.copy2(photo("a.jpg", date=DATE, people=["Anna"]), drive.path / "Library/a.jpg")
    drive.wait_for("Dates/2023/07/a.jpg")
    write_sidecar(drive.path / "Library/a.jpg.xmp", people=["Ben", "Zoë"], date="2019:03:04 05:06:07", rating=4,
                  tags=["beach", "sun"], caption="At the sea")
    drive.wait_for("People/Ben/a.jpg", 5)
    drive.wait_for("Dates/2019/03/a.jpg", 5)
    assert drive.names("People") == ["Anna", "Ben", "Zoë"]
    assert drive.names("Dates/2019/03") == ["a.jpg", "a.jpg.xmp"]
    assert not (drive.path / "Dates/2023").exists()
    for name in ("Library/a.jpg", "People/Ben/a.jpg", "Dates/2019/03/a.jpg"):
        path = drive.path / name
        assert attribute(path, "user.shoebox.date") == "2019-03-04T05:06:07"
        assert attribute(path, "user.shoebox.people") == "Anna\nBen\nZoë"
        assert attribute(path, "user.xdg.tags") == "beach,sun"
        assert attribute(path, "user.xdg.comment") == "At the sea"
        assert attribute(path, "user.baloo.rating") == "8"
    drive.remount()
    assert drive.names("People/Ben") == ["a.jpg", "a.jpg.xmp"]
    assert attribute(drive.path / "Library/a.jpg", "user.xdg.comment") == "At the sea"


def test_a_changed_and_a_removed_sidecar_are_followed(drive, photo):
    shutil.copy2(photo("a.jpg", date=DATE), drive.path / "Library/a.jpg")
    drive.wait_for("Dates/2023/07/a.jpg")
    sidecar = write_sidecar(drive.path / "Library/a.xmp", people=["Ben"], date="2019:03:04 05:06:07")
    drive.wait_for("People/Ben/a.jpg", 5)
    write_sidecar(sidecar, people=["Carl"])
    drive.wait_for("People/Carl/a.jpg", 5)
    drive.wait_gone("People/Ben/a.jpg", 5)
    drive.wait_for("Dates/2023/07/a.jpg", 5)
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-iptcExt:PersonInImage=Dora", str(sidecar)],
                   check=True)  # in place
    drive.wait_for("People/Dora/a.jpg", 5)
    drive.wait_gone("People/Carl/a.jpg", 5)
    os.unlink(sidecar)
    drive.wait_gone("People/Dora/a.jpg", 5)
    drive.run("trash", "restore", "a.xmp")
    drive.wait_for("People/Dora/a.jpg", 5)
    assert drive.run("fsck").returncode == 0


def test_a_sidecar_written_in_any_view_counts(drive, photo):
    (drive.path / "Albums/Trip").mkdir()
    shutil.copy2(photo("a.jpg", date=DATE), drive.path / "Albums/Trip/a.jpg")
    shutil.copy2(photo("b.jpg", date=DATE), drive.path / "Library/b.jpg")
    drive.wait_for("Dates/2023/07/a.jpg")
    drive.wait_for("Dates/2023/07/b.jpg")
    write_sidecar(drive.path / "Albums/Trip/a.jpg.xmp", people=["Ben"])
    write_sidecar(drive.path / "Dates/2023/07/b.xmp", people=["Ben"])
    drive.wait_for("People/Ben/a.jpg", 5)
    drive.wait_for("People/Ben/b.jpg", 5)
    assert (drive.path / "Library/2023/07/a.jpg.xmp").exists()
    assert (drive.path / "Library/b.xmp").exists()


def test_sidecars_that_were_there_first_and_after_a_kill(drive, photo, folder):
    sidecar = write_sidecar(folder / "a.jpg.xmp", people=["Ben"])
    shutil.copy2(sidecar, drive.path / "Library/a.jpg.xmp")
    shutil.copy2(photo("a.jpg", date=DATE), drive.path / "Library/a.jpg")
    drive.kill()
    drive.mount()
    drive.wait_for("People/Ben/a.jpg")
    assert drive.run("fsck").returncode == 0


def test_rm_r_of_folders_with_sidecars_ends_well(drive, photo):
    (drive.path / "Library/x").mkdir()
    (drive.path / "Albums/Trip").mkdir()
    for number in range(3):
        name = f"p{number}.jpg"
        shutil.copy2(photo(name, date=DATE, people=["Anna"]), drive.path / "Library/x" / name)
        write_sidecar(drive.path / f"Library/x/{name}.xmp", people=["Ben"])
        (drive.path / f"Library/x/p{number}.AAE").write_text("<plist/>", encoding="ascii")
        drive.wait_for(f"People/Ben/{name}")
        os.link(drive.path / "Library/x" / name, drive.path / "Albums/Trip" / name)
    assert len(drive.names("Albums/Trip")) == len(drive.names("People/Ben")) == 9
    for folder in ("Albums/Trip", "People/Ben"):
        done = subprocess.run(["rm", "-r", str(drive.path / folder)], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert not (drive.path / folder).exists()
    assert len(drive.names("Library/x")) == 9
    done = subprocess.run(["rm", "-r", str(drive.path / "Library/x")], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(drive.names("Trash")) == 9
    assert drive.run("fsck").returncode == 0


def test_a_hostile_sidecar_harms_nobody(drive, photo, folder):
    secret = folder / "secret"
    secret.write_text("SECRET", encoding="ascii")
    shutil.copy2(photo("a.jpg", date=DATE, people=["Anna"]), drive.path / "Library/a.jpg")
    hostile = ('<!DOCTYPE r [<!ENTITY x SYSTEM "file://%s">]><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
               'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
               'xmlns:i="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"><i:PersonInImage><rdf:Bag><rdf:li>../../&x;'
               '</rdf:li></rdf:Bag></i:PersonInImage></rdf:Description></rdf:RDF></x:xmpmeta>') % secret
    (drive.path / "Library/a.jpg.xmp").write_text(hostile, encoding="utf-8")
    drive.wait_sealed(20)
    drive.wait_for("People/Anna/a.jpg.xmp")
    assert not any("SECRET" in name for name in drive.names("People"))
    assert (drive.path / "Library/a.jpg.xmp").read_text(encoding="utf-8") == hostile


def test_equal_photos_with_sidecars_of_their_own_keep_them(drive, photo, folder):
    made = photo("p.jpg", date=DATE)
    for name in ("A", "B"):
        (folder / "from" / name).mkdir(parents=True)
        shutil.copy2(made, folder / "from" / name / "p.jpg")
        write_sidecar(folder / "from" / name / "p.jpg.xmp", caption=f"of {name}")
    for name in ("A", "B"):  # one after the other is known to be a twin
        subprocess.run(["rsync", "-a", str(folder / "from" / name), str(drive.path / "Albums")], check=True)
        drive.wait_for("Dates/2023/07/p.jpg")
        drive.wait_sealed(20)
    again = subprocess.run(["rsync", "-ac", "--delete", "--itemize-changes", str(folder / "from/A"), str(folder / "from/B"),
                            str(drive.path / "Albums")], check=True, capture_output=True, text=True)
    assert not again.stdout, again.stdout
