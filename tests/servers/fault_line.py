#!/usr/bin/env python3
"""A TCP proxy that makes a line fail, for tests of what is no HTTP: SSH. On loopback.

    fault_line.py --upstream 127.0.0.1:22 [--seed N]

Prints the port once it listens, then obeys lines on its standard input, and ends with it:

    faults NAME=PROBABILITY...   from now on; those not named become 0
    stats                        one line of JSON: {"requests": 3, "bytes_up": …, "bytes_down": …, "faults": {…}}

Faults are drawn when a connection opens and again after each 256 KiB that went through it either way ("requests"
counts the draws), and happen somewhere in the 256 KiB that follow, early ones more often:

    line_reset      the connection is reset
    line_truncate   it ends, as if the other side had closed it
    line_stall      nothing comes through any more, until a side gives up
    line_flip       one bit is flipped
    line_down       it is reset as soon as it opens; at 1, connections that are open are reset as well

Python 3 standard library only.
"""

import argparse
import asyncio
import json
import random
import socket
import struct
import sys

KNOWN = ("line_reset", "line_truncate", "line_stall", "line_flip", "line_down")
WINDOW_BYTES = 256 << 10


class Line:
    """One connection: both directions, and the fault that waits in it."""

    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.passed = 0  # bytes either way since the last draw
        self.fault, self.due = None, 0
        self.stalled = False
        self.draw()

    def draw(self):
        self.passed = 0
        self.fault = self.proxy.choose()
        self.due = int(WINDOW_BYTES * self.proxy.random.random() ** 4)  # half of them within 16 KiB

    async def pass_on(self, reader, writer, count):
        try:
            await self.pass_all(reader, writer, count)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def pass_all(self, reader, writer, count):
        while True:
            data = await reader.read(1 << 16)
            if not data:
                break
            self.proxy.stats[count] += len(data)
            data = await self.meet(data)
            if data is None:
                return
            writer.write(data)
            await writer.drain()
            self.passed += len(data)
            if self.passed >= WINDOW_BYTES:
                self.draw()

    async def meet(self, data):
        """The data that goes on; None when the connection is no more."""
        if self.stalled:
            return b""
        if self.fault is None or self.passed + len(data) <= self.due:
            return data
        fault, self.fault = self.fault, None
        at = max(0, self.due - self.passed)
        self.proxy.note(fault)
        if fault == "line_flip":
            changed = bytearray(data)
            changed[at] ^= 1 << self.proxy.random.randrange(8)
            return bytes(changed)
        if fault == "line_stall":
            self.stalled = True
            return b""
        for side in (self.client, self.server):
            if fault == "line_reset":
                reset(side)
            else:
                side.close()
        return None


def reset(writer):
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Proxy:
    def __init__(self, upstream, seed):
        self.upstream = upstream.rsplit(":", 1)
        self.random = random.Random(seed)
        self.probabilities = {}
        self.stats = {"requests": 0, "bytes_up": 0, "bytes_down": 0, "faults": {}}
        self.lines = set()

    def note(self, fault):
        self.stats["faults"][fault] = self.stats["faults"].get(fault, 0) + 1

    def choose(self):
        self.stats["requests"] += 1
        if self.random.random() >= sum(self.probabilities.values()):
            return None
        return self.random.choices(list(self.probabilities), list(self.probabilities.values()))[0]

    async def client(self, reader, writer):
        server = line = None
        try:
            server_reader, server = await asyncio.open_connection(*self.upstream)
            line = Line(self, writer, server)
            if line.fault == "line_down":
                self.note(line.fault)
                return reset(writer)
            self.lines.add(line)
            ways = [asyncio.create_task(line.pass_on(reader, server, "bytes_up")),
                    asyncio.create_task(line.pass_on(server_reader, writer, "bytes_down"))]
            await asyncio.wait(ways)
        except ConnectionError:
            pass
        finally:
            self.lines.discard(line)
            writer.close()
            if server is not None:
                server.close()

    def obey(self, line):
        verb, *words = line.split()
        if verb == "stats":
            return json.dumps(self.stats)
        named = dict(word.split("=") for word in words)
        if verb != "faults" or not set(named) <= set(KNOWN):
            return "what?"
        self.probabilities = {name: float(value) for name, value in named.items()}
        if self.probabilities.get("line_down", 0) >= 1:  # an idle one would not meet its fault for long
            for line in self.lines:
                reset(line.client)
                reset(line.server)
        return "ok"


async def serve(options):
    proxy = Proxy(options.upstream, options.seed)
    front = await asyncio.start_server(proxy.client, "127.0.0.1", 0)
    print(front.sockets[0].getsockname()[1], flush=True)
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    async with front:
        while line := await orders.readline():
            print(proxy.obey(line.decode()), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog="faults: " + ", ".join(KNOWN))
    parser.add_argument("--upstream", required=True, metavar="HOST:PORT")
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
