"""Many small photos quickly: real JPEGs of some 10 kB with a date, each with bytes of its own, some with a person."""
import io
import random
import struct
from datetime import datetime, timedelta

from PIL import Image

FOLDER = 1000  # photos in each
PICTURES = 512  # more of them than fit into one segment of a backup, so that repeats save nothing there
PEOPLE = ("Anna", "Ben", "Carla")


def exif(moment):
    """An APP1 segment that tells nothing but DateTimeOriginal."""
    # TIFF: IFD0 at 8 with one entry that points at the Exif IFD at 26, which has one entry; its text is at 44.
    text = moment.strftime("%Y:%m:%d %H:%M:%S").encode() + b"\0"
    ifd0 = struct.pack(">HHHLLL", 1, 0x8769, 4, 1, 26, 0)
    sub = struct.pack(">HHHLLL", 1, 0x9003, 2, len(text), 44, 0)
    return segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08" + ifd0 + sub + text)


def xmp(person):
    """An APP1 segment that names somebody."""
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"><Iptc4xmpExt:PersonInImage>'
        f"<rdf:Bag><rdf:li>{person}</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage></rdf:Description></rdf:RDF>"
        "</x:xmpmeta>").encode())


def segment(marker, payload):
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def pictures():
    """Pictures without their first two bytes, with grain: thumbnails of them pack as badly as those of real photos."""
    chooser = random.Random(1)
    for _ in range(PICTURES):
        grain = Image.effect_noise((256, 192), 60).convert("RGB")
        sky = Image.new("RGB", (256, 192), tuple(chooser.randrange(256) for _ in range(3)))
        out = io.BytesIO()
        Image.blend(sky, grain, 0.25).save(out, "JPEG", quality=85)
        yield out.getvalue()[2:]


def make(base, count):
    """`count` photos in folders of a thousand below `base`, taken over twelve years; their bytes in all."""
    bodies, begin, total = list(pictures()), datetime(2012, 1, 1), 0
    for number in range(count):
        if number % FOLDER == 0:
            folder = base / f"{number // FOLDER:03}"
            folder.mkdir(parents=True)
        moment = begin + timedelta(minutes=number * (12 * 365 * 24 * 60) // count)
        person = xmp(PEOPLE[number // 4 % 3]) if number % 4 == 0 else b""
        photo = b"".join((b"\xff\xd8", exif(moment), person, segment(0xFE, b"photo %d" % number), bodies[number % PICTURES]))
        (folder / f"IMG_{number:06}.jpg").write_bytes(photo)
        total += len(photo)
    return total
