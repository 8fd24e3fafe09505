#!/usr/bin/python3
"""No source file is over 500 lines. Usage: file_size.py SOURCE_DIR"""
import sys
from pathlib import Path

LIMIT = 500
root = Path(sys.argv[1])
files = [p for folder in ("fs", "store", "sync", "tests") for p in (root / folder).rglob("*")
         if p.suffix in (".h", ".cpp", ".py")]
lengths = {str(p.relative_to(root)): len(p.read_text(encoding="utf-8").splitlines()) for p in files}
long = {path: count for path, count in lengths.items() if count > LIMIT}
for path, count in sorted(long.items()):
    print(f"{path}: {count} lines; split it by concept at {LIMIT}")
print(f"{len(files)} files, median {sorted(lengths.values())[len(lengths) // 2]} lines")
sys.exit(bool(long) or not files)
