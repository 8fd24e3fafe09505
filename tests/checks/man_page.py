#!/usr/bin/python3
"""The man page names each verb and option that --help names, and no other verb.
Usage: man_page.py SOURCE_DIR SHOEBOX"""
import re
import subprocess
import sys
from pathlib import Path

root, shoebox = Path(sys.argv[1]), sys.argv[2]
page = (root / "man/shoebox.1").read_text(encoding="utf-8")
plain = page.replace("\\-", "-").replace("\\&", "")


def help_of(*verb):
    """The help text of a verb."""
    return subprocess.run([shoebox, *verb, "--help"], check=True, capture_output=True, text=True).stdout


def subcommands(text):
    """Verbs that a help text lists."""
    part = text.split("Subcommands:")[-1] if "Subcommands:" in text else ""
    return re.findall(r"^  ([a-z][a-z-]*)\b", part.split("Examples:")[0].split("examples:")[0], re.M)


broken = []
verbs = subcommands(help_of())
if len(verbs) < 8:
    broken.append(f"--help lists only {verbs}")
queue = [(verb,) for verb in verbs]
while queue:
    verb = queue.pop()
    text = help_of(*verb)
    queue += [(*verb, inner) for inner in subcommands(text)]
    if not re.search(rf"\b{verb[-1]}\b", plain):
        broken.append(f"man/shoebox.1 does not name the verb {' '.join(verb)}")
    for option in set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text)):
        if option not in plain and option.lstrip("-") not in re.findall(r"Fl Fl? ?-?-?([a-z-]+)", plain):
            broken.append(f"man/shoebox.1 does not name {option} of {' '.join(verb)}")
lint = subprocess.run(["mandoc", "-T", "lint", "-W", "error", root / "man/shoebox.1"], capture_output=True, text=True, check=False)
if lint.returncode > 2:
    broken.append(lint.stdout.strip())
print("\n".join(broken) or f"the man page names all {len(verbs)} verbs and their options")
sys.exit(bool(broken))
