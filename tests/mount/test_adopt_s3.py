"""Photos that stand in a bucket already, put there by rclone; and rclone on a bucket that Shoebox filled."""
import json
import os
import shutil
import subprocess

from drive import SHOEBOX, sha256
from servers import needs
from test_adopt import adopted, check_adopted, pictures  # noqa: F401 a fixture
from test_rebuild import files_below, fsck
from test_s3 import s3  # noqa: F401 a fixture


def bucket(s3, folder, *arguments):  # noqa: F811 a fixture
    """Runs the real rclone with the bucket as b:, past the proxy."""
    environment = dict(os.environ, RCLONE_CONFIG=str(folder / "none"), RCLONE_CONFIG_B_TYPE="s3",
                       RCLONE_CONFIG_B_PROVIDER="Other", RCLONE_CONFIG_B_ACCESS_KEY_ID="shoebox",
                       RCLONE_CONFIG_B_SECRET_ACCESS_KEY="shoebox-secret", RCLONE_CONFIG_B_NO_CHECK_BUCKET="true",
                       RCLONE_CONFIG_B_ENDPOINT=f"http://127.0.0.1:{s3.upstream}")
    environment.pop("AWS_CA_BUNDLE", None)  # rclone's own client takes none
    subprocess.run([needs("rclone"), "--quiet", *map(str, arguments)], check=True, env=environment)


def test_a_bucket_is_adopted(make_drive, pictures, s3, folder):  # noqa: F811 fixtures
    bucket(s3, folder, "copy", pictures, "b:photos/home")
    drive = make_drive()
    drive.env.update(AWS_ACCESS_KEY_ID="shoebox", AWS_SECRET_ACCESS_KEY="shoebox-secret")
    sent = s3.stats()
    told = adopted(drive, "s3://photos/home", "--option", f"endpoint=http://127.0.0.1:{s3.port}")
    assert told["failed"] == 0 and told["listed"] == told["photos"] + told["videos"] + told["others"] + 1, told
    assert told["requests"] <= 2 * told["listed"] + 2
    assert s3.stats() != sent
    drive.mount()
    check_adopted(drive, pictures)
    for path in files_below(pictures):  # as rclone keeps them
        if os.path.getsize(pictures / path) and not path.startswith(".shoebox/") and not path.endswith(".DS_Store"):
            assert os.stat(drive.path / "Library" / path).st_mtime_ns == os.stat(pictures / path).st_mtime_ns, path
    fsck(drive)


def test_rclone_brings_a_bucket_back_with_the_times_of_the_files(make_drive, pictures, s3, folder):  # noqa: F811 fixtures
    drive = make_drive(settings=f'[[remote]]\nname = "bucket"\nurl = "s3://photos/home"\n'
                                f'endpoint = "http://127.0.0.1:{s3.port}"\n')
    drive.env.update(AWS_ACCESS_KEY_ID="shoebox", AWS_SECRET_ACCESS_KEY="shoebox-secret")
    drive.mount()
    shutil.copytree(pictures, drive.path / "Library/home")
    os.utime(drive.path / "Library/home/note.txt", ns=(10**18, 981173106 * 10**9 + 123456789))
    drive.backed_up()
    shutil.move(drive.path / "Library/home/large1.jpg", drive.path / "Library/home/moved.jpg")
    drive.backed_up()
    bucket(s3, folder, "copy", "--fast-list", "b:photos/home/Library/home", folder / "back")
    for path in files_below(pictures):
        path = path.replace("large1", "moved")
        if "/." not in f"/{path}" and "anna" not in path and "empty" not in path:  # of twins the time of one is kept
            here, there = drive.path / "Library/home" / path, folder / "back" / path
            assert (here.stat().st_mtime_ns, sha256(here)) == (there.stat().st_mtime_ns, sha256(there)), path


def test_a_bucket_without_a_catalog_gives_the_tree_back(make_drive, pictures, s3, folder):  # noqa: F811 fixtures
    bucket(s3, folder, "copy", pictures, "b:photos/home/Library")
    drive = make_drive()
    drive.env.update(AWS_ACCESS_KEY_ID="shoebox", AWS_SECRET_ACCESS_KEY="shoebox-secret")
    done = subprocess.run([SHOEBOX, "rebuild", "--from", "s3://photos/home", "--option",
                           f"endpoint=http://127.0.0.1:{s3.port}", str(drive.library), "--json"],
                          check=True, capture_output=True, text=True, env=drive.env)
    told = json.loads(done.stdout)
    assert told["adopted"]["requests"] <= 2 * told["adopted"]["listed"] + 5, told["adopted"]
    drive.mount()
    check_adopted(drive, pictures)
    drive.backed_up()
    fsck(drive)
