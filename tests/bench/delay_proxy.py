#!/usr/bin/env python3
"""A TCP proxy that adds latency and nothing else, for benchmarks.

    delay_proxy.py --upstream 127.0.0.1:9000 --delay-ms 20

Prints its port. Whatever the server says arrives so much later, and as fast as without: bytes wait in a queue, not in
line. A new connection waits once more, for the handshake that a far server would take.
"""
import argparse
import collections
import socket
import threading
import time

PIECE_BYTES = 256 << 10
MOST_HELD_BYTES = 32 << 20  # of one connection; 20 ms at 1.6 GB/s


class Delayed:
    """One direction of a connection: a thread that receives and one that sends when the time has come."""

    def __init__(self, source, target, delay_s):
        self.source, self.target, self.delay_s = source, target, delay_s
        self.pieces, self.held, self.changed = collections.deque(), 0, threading.Condition()
        for work in (self.receive, self.send):
            threading.Thread(target=work, daemon=True).start()

    def receive(self):
        opening = self.delay_s
        while True:
            try:
                piece = self.source.recv(PIECE_BYTES)
            except OSError:
                piece = b""
            with self.changed:
                self.changed.wait_for(lambda: self.held < MOST_HELD_BYTES)
                self.pieces.append((time.monotonic() + self.delay_s + opening, piece))
                self.held += len(piece)
                self.changed.notify_all()
            opening = 0
            if not piece:
                return

    def send(self):
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.pieces)
                due, piece = self.pieces.popleft()
                self.held -= len(piece)
                self.changed.notify_all()
            wait_s = due - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
            try:
                if not piece:
                    self.target.shutdown(socket.SHUT_WR)
                    return
                self.target.sendall(piece)
            except OSError:
                with self.changed:  # whoever receives shall not wait for room
                    self.held = -(1 << 60)
                    self.changed.notify_all()
                return


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--upstream", required=True, metavar="HOST:PORT")
    parser.add_argument("--delay-ms", type=float, default=20)
    options = parser.parse_args()
    host, port = options.upstream.rsplit(":", 1)
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        server = socket.create_connection((host, int(port)))
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Delayed(client, server, 0)
        Delayed(server, client, options.delay_ms / 1000)


if __name__ == "__main__":
    main()
