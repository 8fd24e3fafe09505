"""Commands for a mount by its control socket (fs/control/PROTOCOL.md): at once, and never without the mount, as
the program would do by itself."""
import json
import os
import socket


class Refused(Exception):
    """The mount answered with an error."""


def ask(library, verb, timeout_s=240, **arguments):
    """What the verb answers. OSError: the mount is not there, or died before it answered."""
    folder = os.open(library, os.O_PATH | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_s)
            connection.connect(f"/proc/self/fd/{folder}/control.sock")
            request = {"version": 1, "verb": verb, "arguments": arguments}
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as lines:
                for line in lines:
                    answer = json.loads(line)
                    if "error" in answer:
                        raise Refused(answer["error"]["message"])
                    if "result" in answer:
                        return answer["result"]
    finally:
        os.close(folder)
    raise ConnectionAbortedError(f"{verb}: no answer")
