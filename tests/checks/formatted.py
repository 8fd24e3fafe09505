#!/usr/bin/python3
"""clang-format finds nothing to change. Usage: formatted.py SOURCE_DIR"""
import shutil
import subprocess
import sys
from pathlib import Path

root = Path(sys.argv[1])
if shutil.which("clang-format") is None:
    print("skipped: clang-format is not installed")
    sys.exit(77)
files = sorted(str(p) for folder in ("fs", "store", "sync", "tests") for p in (root / folder).rglob("*")
               if p.suffix in (".h", ".cpp"))
done = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], capture_output=True, text=True, cwd=root, check=False)
places = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "error:" in line})
for place in places:
    print(f"{place}: run clang-format -i on it")
sys.exit(bool(places) or not files)
