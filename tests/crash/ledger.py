"""What a workload's log says must be there after a crash, and the check against a mount."""
import hashlib


def read(path):
    """Acknowledged state: name -> hash, and the names whose last step was under way."""
    state, open_steps = {}, set()
    text = path.read_bytes().decode()
    lines = text.split("\n")[:-1]  # a torn last line was not acknowledged
    for line in lines:
        word, *rest = line.split(" ")
        if word == "intent":
            open_steps.add(rest[0])
        elif word == "have":
            state[rest[0]] = rest[1]
            open_steps.discard(rest[0])
        elif word == "gone":
            state.pop(rest[0], None)
            open_steps.discard(rest[0])
        elif word == "moved":
            state[rest[1]] = state.pop(rest[0])
            open_steps -= set(rest)
    return state, open_steps


def violations(path, folder):
    """Acknowledged files that are not there, or have other bytes; and how many were checked."""
    state, open_steps = read(path)
    lost, checked = [], 0
    for name, digest in state.items():
        if name in open_steps:
            continue
        checked += 1
        try:
            data = (folder / name).read_bytes()
        except OSError as error:
            lost.append(f"{name}: {error}")
            continue
        if hashlib.sha256(data).hexdigest() != digest:
            lost.append(f"{name}: {len(data)} bytes, other than acknowledged")
    return lost, checked
