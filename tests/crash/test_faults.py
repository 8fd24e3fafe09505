"""A drive whose remote fails at 1, 10 and 50 % of the requests, while files are written, edited, renamed, removed,
evicted and read, and objects are edited, replaced and removed there behind its back. What must hold: no wrong byte is
served; what is told to have a copy has one; once the faults stop it converges by itself, says so, and every original
stands there, byte for byte; nothing of a stranger's is lost; nothing stands there that nobody knows.

The short form runs in ctest. tests/crash/run --faults 2000 is the long one: every remote at every rate, and every kind of
fault at least once in each run; it prints a table, and appends a line of JSON for each run to $SHOEBOX_FAULT_REPORT."""
import json
import os
import random
import re
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from conftest import *  # noqa: E402,F401,F403  fixtures of the mount tests
from drive import wait_until  # noqa: E402
from fault_churn import Churn, Crowd  # noqa: E402
from fault_servers import ALL, HttpServer  # noqa: E402

OPS = int(os.environ.get("SHOEBOX_FAULT_OPS", "0"))
SEED = int(os.environ.get("SHOEBOX_SEED", "1"))
REMOTES = os.environ.get("SHOEBOX_FAULT_REMOTES", ",".join(ALL)).split(",")
RATES = (0.01, 0.1, 0.5)
SHORT_OPS = 40
PEOPLE = 6
SLOW_S = 600  # what hangs shall fail, on a machine that has much else to do as well
# Each remote that starts at once, at a rate of its own.
SHORT = (("s3", 0.5), ("webdav", 0.1), ("sftp", 0.1), ("directory", 0.5))
RUNS = [(name, rate) for name in REMOTES for rate in RATES] if OPS else SHORT
# What a remote may do to us. Each is made on S3; the others have no bucket, no expiring credentials and no Complete.
KINDS = ("500", "503 SlowDown", "403 in mid-run", "404 bucket", "507 quota", "timeout", "reset", "stalled body",
         "truncated body", "flipped bit in a body", "flipped bit in a header", "wrong ETag", "lying size", "lost reply to PUT",
         "doubled reply to PUT", "lost reply to CompleteMultipartUpload", "doubled reply to CompleteMultipartUpload",
         "clock skew", "expired credentials")
ONLY_OF_S3 = {"404 bucket", "expired credentials", "clock skew", *KINDS[15:17]}
BEHIND_OUR_BACK = ("edited", "replaced", "deleted", "betrayed")


@pytest.fixture(scope="module")
def report():
    """Collects what the runs did; the table of it at the end."""
    rows = []
    yield rows
    print(f"\n{'remote':10} {'rate':>5} {'steps':>6} {'requests':>8} {'faults':>6} {'reads':>6} {'failed':>6} {'slowest':>8} "
          f"{'behind':>6} {'violations':>10} {'s':>5}  faults by kind")
    for row in rows:
        print(f"{row['remote']:10} {row['rate']:>5.0%} {row['steps']:>6} {row['requests']:>8} {row['faults']:>6} "
              f"{row['reads']:>6} {row['failed_reads']:>6} {row['slowest_read_s']:>6.1f} s {row['behind_our_back']:>6} "
              f"{row['violations']:>10} {row['seconds']:>5.0f}  "
              + " ".join(f"{kind}={count}" for kind, count in sorted(row["by_kind"].items())))


@pytest.fixture
def server(request, folder):
    """A server that keeps objects, and fails."""
    one = ALL[request.param](folder, SEED)
    yield one
    one.close()


def mount(drive):
    """However busy the machine is."""
    drive.mount(wait=False)
    drive.patience_s = SLOW_S
    drive.wait_mounted()


def settle(drive):
    """Until nothing is left to do on the remote, and status says so. What failed often waits for minutes before it is
    tried again, unless it is asked for."""
    def left():
        status = drive.command("status")["result"]["remotes"][0]
        return not status["online"] or any(status[key] for key in (
            "pending_files", "tidying", "sidecars", "catalog_pending_changes"))

    def settled():
        drive.command("backup now")
        soon = time.monotonic() + 2
        while left() and time.monotonic() < soon:
            time.sleep(0.05)
        return not left()
    wait_until(settled, SLOW_S, "everything to be backed up and in its place")
    drive.run("backup", "wait", timeout_s=SLOW_S)


def check(server, people):
    """At rest: what is here is there, and nothing else. What is wrong."""
    there = server.objects()
    known = {f"Library/{name}": data for one in people for name, data in one.files.items()}
    # A file without bytes stands in the catalog only.
    wrong = [f"{key} is not byte-identical on the remote: {len(there.get(key) or b'')} bytes there, {len(data)} here"
             for key, data in known.items() if data and there.get(key) != data]
    wrong += [f"nobody knows of {key}" for key in there if not key.startswith(".shoebox/") and key not in known
              and key.removesuffix(".xmp") not in known and Path(key).name[0] != "."]
    kept = set(there.values())
    wrong += [f"what another wrote was overwritten: {data[:20]}…" for one in people for data in one.strangers
              if data not in kept]
    return wrong


def explain(violations, drive, people):
    """What was done to the files that they are about, and what the log says of them."""
    log = drive.log.read_text(errors="replace").splitlines()
    former = {new: old for one in people for line in one.history for old, new in re.findall(r" rename (\S+) (\S+)", line)}
    for name in sorted({name for text in violations for name in re.findall(r"p\d+/[\w.-]+", text)})[:10]:
        names = [name.removesuffix(".xmp")]
        while names[-1] in former:
            names.append(former[names[-1]])
        stem = re.compile("(" + "|".join(map(re.escape, names)) + r")\b")
        print(f"--- {name}", *(line for one in people for line in one.history if stem.search(line)),
              *(line for line in log if stem.search(line)), sep="\n")


def left_behind(drive, server):
    """Uploads that were broken off go when they are a day old, as others may be at work there: made old, they must
    be gone after the next mount."""
    old = time.time() - 2 * 24 * 3600
    for key in server.objects():
        if key.startswith(".shoebox/tmp/") and hasattr(server, "folder"):
            with_path = server.folder / key
            if with_path.exists():
                os.utime(with_path, (old, old))
    drive.unmount(SLOW_S)
    mount(drive)
    settle(drive)  # what it sends by now stands there as well

    def temporaries():
        return {key for key in server.objects() if key.startswith(".shoebox/tmp/")}
    # What is being written just now, the owner's record for one, goes within moments; what was left stays.
    left = temporaries()
    deadline = time.monotonic() + 20
    while left and time.monotonic() < deadline:
        time.sleep(0.2)
        left &= temporaries()
    return sorted(left)


def see_every_kind(server, crowd, rate):
    """Each kind of fault that has not happened yet, once."""
    def missing():
        seen = server.stats()["seen"]
        return [names for names in server.kinds.values() if not any(seen.get(name) for name in names)]
    one = crowd.people[0]
    for names in missing():
        server.heal()
        sent = one.new(one.chooser.randbytes(500_000))  # some happen only to the answer of who reads it
        settle(crowd.drive)
        for name in names:
            server.fail_once(name)
            before = server.stats()["seen"].get(name, 0)
            for _ in range(30):
                one.new(one.chooser.randbytes((17 << 20) + one.number) if "complete" in name else None)
                crowd.drive.command("backup now")
                one.evict(sent)
                one.read_once(sent)
                deadline = time.monotonic() + 1
                while server.stats()["seen"].get(name, 0) == before and time.monotonic() < deadline:
                    time.sleep(0.02)
                if server.stats()["seen"].get(name, 0) > before:
                    break
    assert not missing(), f"never happened: {missing()}"
    server.fail(rate)


def see_every_way_of_meddling(drive, server, one, counts, rate):
    """What another program has not done yet, once; at 50 % little is there to meddle with."""
    for how in (how for how in BEHIND_OUR_BACK if not counts.get(how)):
        server.heal()
        name = one.new(one.chooser.randbytes(500_000))
        settle(drive)
        if how == "betrayed":
            one.evict(name)
        server.fail(rate)
        if how == "betrayed":
            one.betray(name)
        else:
            one.meddle(name, how)


def outage(drive, server, one):
    """While the remote is gone, status says so, and a write is kept."""
    server.vanish()
    one.new(one.chooser.randbytes(1000))

    status = {}

    def told():
        drive.command("backup now")
        status.update(drive.command("status")["result"]["remotes"][0])
        return status["pending_files"] > 0 and not status["online"] and status["last_error"] and status["waiting_for"]
    try:
        wait_until(told, SLOW_S, "status to tell that the remote is gone")
    except AssertionError as error:
        raise AssertionError(f"{error}: {status}") from error


def test_each_kind_of_fault_has_something_that_makes_it():
    for kind in ALL.values():
        made = {name for names in kind.kinds.values() for name in names}
        assert all(name.split(" ")[0] in kind.faults or name in getattr(kind, "line_faults", ()) for name in made), kind.name
        lacking = set(KINDS) - set(kind.kinds)
        if issubclass(kind, HttpServer):
            assert lacking <= (ONLY_OF_S3 if kind.name == "webdav" else set()), f"{kind.name}: {lacking}"
        else:  # a folder has no headers, and gone storage instead of a bucket
            assert lacking <= ONLY_OF_S3 | {"flipped bit in a header"}, f"{kind.name}: {lacking}"


@pytest.mark.parametrize("server,rate", RUNS, indirect=["server"], ids=lambda value: f"{value:.0%}" if value in RATES else value)
def test_it_converges_and_serves_no_wrong_byte(server, make_drive, rate, report):
    begun, steps = time.monotonic(), OPS or SHORT_OPS
    drive = make_drive(settings=server.settings())
    drive.env.update(server.environment)
    mount(drive)
    people = [Churn(drive, server, random.Random(f"{SEED} {rate} {number}"), number, max(2, steps // 50 // PEOPLE))
              for number in range(PEOPLE)]
    crowd = Crowd(people, drive, steps)

    def tell(what=""):
        stats = server.stats()
        print(f"{server.name} at {rate:.0%}: {what or f'{crowd.done} of {steps} steps'}, {stats['requests']} requests, "
              f"{sum(stats['faults'].values())} faults, {len(crowd.total('violations'))} violations, "
              f"{time.monotonic() - begun:.0f} s", flush=True)
    people[0].new(b"the first file, so that it is known who writes there")
    settle(drive)
    server.fail(rate)
    crowd.run(tell if OPS else lambda: None)
    if OPS:
        tell("every kind once")
        see_every_kind(server, crowd, rate)
        see_every_way_of_meddling(drive, server, people[0], crowd.total("counts"), rate)
    outage(drive, server, people[0])
    stats = server.stats()
    server.heal()
    violations = crowd.total("violations")
    try:
        settle(drive)
        # What others did there is found by reading it back, and mended.
        drive.run("verify", "--all", "--repair", check=False, timeout_s=SLOW_S)
        settle(drive)
        if OPS:
            tell("settled")
        violations += check(server, people)
        # Who writes there may have been asked last while that failed: nothing leaves this disk before the next time.
        wait_until(lambda: "cannot be read now" not in drive.run("evict", "--all", check=False).stderr, SLOW_S, "the owner")
        drive.drop_caches()
        for one in people:
            for name in one.files:
                # What came wrong moments ago is not asked for again at once.
                wait_until(lambda: one.read_once(name) or one.violations, SLOW_S, f"{name} to be readable")
        again = drive.json("verify", "--all", timeout_s=SLOW_S)
        if again["missing"] or again["damaged"] or again["unchecked"]:
            violations.append(f"verify: {again}")
        violations += [f"left behind: {key}" for key in left_behind(drive, server)]
        drive.unmount(SLOW_S)
        done = drive.run("fsck", check=False, timeout_s=SLOW_S)
        if done.returncode != 0:
            violations.append(f"fsck: {done.stdout}{done.stderr}")
    finally:
        counts = crowd.total("counts")
        violations = violations + [v for v in crowd.total("violations") if v not in violations]
        row = {"remote": server.name, "rate": rate, "seed": SEED, "steps": crowd.done, "requests": stats["requests"],
               "bytes_up": stats["bytes_up"], "bytes_down": stats["bytes_down"], "faults": sum(stats["faults"].values()),
               "by_kind": stats["seen"], "reads": crowd.total("reads"), "failed_reads": crowd.total("failed_reads"),
               "slowest_read_s": round(max(one.slowest_read_s for one in people), 1), "done": counts,
               "behind_our_back": sum(counts.get(how, 0) for how in BEHIND_OUR_BACK), "violations": len(violations),
               "unfinished_uploads": server.unfinished() if hasattr(server, "unfinished") else 0,
               "seconds": round(time.monotonic() - begun)}
        report.append(row)
        explain(violations, drive, people)
        if "SHOEBOX_FAULT_REPORT" in os.environ:
            with open(os.environ["SHOEBOX_FAULT_REPORT"], "a", encoding="utf-8") as file:
                file.write(json.dumps({**row, "what": violations}) + "\n")
    assert not violations, "\n".join(violations[:20])
    assert rate < 0.1 or row["faults"] >= steps / 10, f"too few faults, this proves nothing: {row}"
    if OPS >= 500:
        assert all(counts.get(how) for how in BEHIND_OUR_BACK), f"not all was done behind our back: {counts}"
