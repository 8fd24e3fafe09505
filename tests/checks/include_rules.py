#!/usr/bin/python3
"""Modules include only what the arrows allow: fs -> store <- sync, store/base at the bottom; each
third-party library stands behind one module. Usage: include_rules.py SOURCE_DIR"""
import re
import sys
from pathlib import Path

root = Path(sys.argv[1])
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)

# Third-party header -> folders that may include it.
OWNERS = {
    r"^fuse": ("fs/",),
    r"^rocksdb/": ("store/catalog/", "store/thumbnails/"),
    r"^curl/": ("sync/remote/",),
    r"^libssh/": ("sync/remote/",),
    r"^sodium": ("sync/remote/",),
    r"^zstd": ("store/catalog/",),
    r"^(exiv2/|vips/|libav|libsw)": ("store/decode/",),
    r"^CLI/": ("fs/command/",),
    r"^toml": ("store/",),
    r"^spdlog": ("store/base/",),
    r"^seccomp": ("store/decode/",),
}
COMPOSITION_ROOT = "fs/main.cpp"


def forbidden(path, quote, header):
    """Why this file may not include this header, or None."""
    if quote == "<":
        for pattern, folders in OWNERS.items():
            if re.match(pattern, header) and not path.startswith(folders):
                return f"only {' and '.join(folders)} may"
        return None
    if path.startswith("store/base/") and not header.startswith("store/base/"):
        return "store/base is under everything"
    if path.startswith("store/") and header.startswith(("fs/", "sync/")):
        return "store knows neither fs nor sync"
    if path.startswith("sync/") and header.startswith("fs/"):
        return "sync does not know fs"
    if path.startswith("fs/") and header.startswith("sync/") and path != COMPOSITION_ROOT:
        return "only the composition root knows sync"
    if not (root / header).exists():
        return "includes are written from the top of the tree"
    return None


files = [p for folder in ("fs", "store", "sync") for p in (root / folder).rglob("*") if p.suffix in (".h", ".cpp")]
broken = []
for file in sorted(files):
    path = str(file.relative_to(root))
    for quote, header in INCLUDE.findall(file.read_text(encoding="utf-8")):
        reason = forbidden(path, quote, header)
        if reason:
            broken.append(f"{path}: includes {header}: {reason}")
print("\n".join(broken) or f"{len(files)} files keep the include rules")
sys.exit(bool(broken) or not files)
