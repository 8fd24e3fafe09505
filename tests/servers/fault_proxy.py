#!/usr/bin/env python3
"""An HTTP proxy that makes a remote fail, for tests. In front of one server, on loopback.

    fault_proxy.py --upstream 127.0.0.1:9000 [--port P] [--control-port C] [--seed N] [FAULT=PROBABILITY]...

Prints "PORT CONTROL_PORT" once it listens. Each request meets at most one fault: as often as the probabilities say
together, chosen among those that can happen to it.

    delay      answered after --delay-ms (combines with every other fault)
    error500   500 InternalError, the server is not asked
    error503   503 SlowDown with Retry-After: --retry-after
    error403   403 AccessDenied
    expired    403 ExpiredToken: the credentials ran out
    skew       403 RequestTimeTooSkewed: somebody's clock is wrong
    error404   404 NoSuchBucket
    error507   507 InsufficientStorage, of requests that send something
    reset      the connection is reset before the server is asked
    timeout    the server did it, but nothing is said until the client gives up
    stall      half of the answer, then silence until the client gives up
    truncate   half of the body, then the connection is closed
    cut        half of the request reaches the server, then both connections are closed
    flip       one bit of the body is flipped (length and ETag stay)
    flip_up    one bit of what is sent is flipped
    etag       another ETag is told
    header     one bit of a header's value is flipped
    size       a length is told that is not that of the body; of a body, the rest never comes
    lost       the server did it, but the connection is reset instead of an answer
    double     the server is asked twice, the second answer is passed on
    repeat     the answer is passed on twice
    down       connections are reset as soon as they open, or are used again: the server is gone

Control, on CONTROL_PORT:
    GET  /stats    {"requests": 3, "connections": 1, "bytes_up": …, "bytes_down": …, "faults": {…}, "methods": {…},
                    "operations": {"lost PUT": 1, "double complete": 2}}: of S3, more than the method is told
    POST /faults   {"flip": 1.0}: probabilities from now on; those not named become 0. "only": "GET" and "match":
                   "text in the target" limit them; "limit": N ends them after N faults
    POST /reset    all counters to 0

The Host header is passed on unchanged, so that signatures stay right. Python 3 standard library only.
"""

import argparse
import asyncio
import json
import random
import struct
import socket

FAULTS = ["error500", "error503", "error403", "expired", "skew", "error404", "error507", "reset", "timeout", "stall",
          "truncate", "cut", "flip", "flip_up", "etag", "header", "size", "lost", "double", "repeat"]
OF_ANSWER_BODIES = {"flip", "truncate", "stall"}  # a HEAD has none
OF_REQUEST_BODIES = {"error507", "cut", "flip_up"}
# Answered by the proxy itself: status, code, more headers.
REFUSALS = {"error500": (500, "InternalError"), "error503": (503, "SlowDown"), "error403": (403, "AccessDenied"),
            "expired": (403, "ExpiredToken"), "skew": (403, "RequestTimeTooSkewed"), "error404": (404, "NoSuchBucket"),
            "error507": (507, "InsufficientStorage")}
# Without them, or with others, an answer is none at all: that is "truncate".
FRAMING = ("content-length", "transfer-encoding", "connection")
KNOWN = {"delay", "down", *FAULTS}
MAX_HEAD_BYTES = 1 << 20


class Message:
    """Start line, headers in order, and body of a request or an answer."""

    def __init__(self, start, headers, body):
        self.start, self.headers, self.body = start, headers, body

    def get(self, name):
        return next((value for key, value in self.headers if key.lower() == name), "")

    def replaced(self, name, value):
        return [(key, value if key.lower() == name else old) for key, old in self.headers]

    def head(self):
        lines = [self.start, *(f"{key}: {value}" for key, value in self.headers)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def bytes(self):
        return self.head() + self.body


async def read_chunked(reader):
    body = b""
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        body += (await reader.readexactly(size + 2))[:-2]
        if size == 0:
            return body


async def read_message(reader, writer=None, bodyless=False):
    """None at the end of the connection."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    start, *lines = raw.decode("latin-1").split("\r\n")[:-2]
    headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
    message = Message(start, headers, b"")
    if start.startswith("HTTP/1.1 100"):
        return await read_message(reader, writer, bodyless)
    if writer is not None and message.get("expect").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        message.headers = [(k, v) for k, v in message.headers if k.lower() != "expect"]
    if bodyless or start.split(" ")[1:2] == ["204"]:
        return message
    if "chunked" in message.get("transfer-encoding").lower():
        message.body = await read_chunked(reader)
        message.headers = [(k, v) for k, v in message.headers if k.lower() != "transfer-encoding"]
        message.headers.append(("Content-Length", str(len(message.body))))
    elif message.get("content-length"):
        message.body = await reader.readexactly(int(message.get("content-length")))
    elif start.startswith("HTTP/"):
        message.body = await reader.read()
    return message


def operation(request):
    """What a request does; of S3, more than its method tells."""
    method, target = request.start.split(" ")[:2]
    query = target.partition("?")[2]
    if method == "POST" and "uploadId=" in query:
        return "complete"
    if method == "POST" and query.startswith("uploads"):
        return "begin"
    if "partNumber=" in query:
        return "part"
    return "copy" if request.get("x-amz-copy-source") else method


def flipped(body, chooser):
    """With one other bit."""
    at = chooser.randrange(len(body))
    changed = bytearray(body)
    changed[at] ^= 1 << chooser.randrange(8)
    return bytes(changed)


def refusal(status, code, extra=()):
    body = f"<Error><Code>{code}</Code><Message>made by the fault proxy</Message></Error>".encode()
    headers = [("Content-Type", "application/xml"), *extra, ("Content-Length", str(len(body)))]
    return Message(f"HTTP/1.1 {status} Fault", headers, body)


class Proxy:
    def __init__(self, options, probabilities):
        self.upstream = options.upstream.rsplit(":", 1)
        self.delay_s, self.retry_after = options.delay_ms / 1000, options.retry_after
        self.random = random.Random(options.seed)
        self.set_faults(probabilities)
        self.reset_counters()

    def set_faults(self, wanted):
        self.only, self.match = wanted.get("only", ""), wanted.get("match", "")
        self.left = wanted.get("limit")
        unknown = set(wanted) - KNOWN - {"only", "match", "limit"}
        if unknown:
            raise ValueError(f"unknown fault {sorted(unknown)[0]}")
        self.probabilities = {name: float(wanted.get(name, 0)) for name in KNOWN}

    def reset_counters(self):
        self.stats = {"requests": 0, "connections": 0, "bytes_up": 0, "bytes_down": 0, "faults": {}, "methods": {},
                      "operations": {}}

    def note(self, fault, request=None):
        self.stats["faults"][fault] = self.stats["faults"].get(fault, 0) + 1
        if request is not None:
            what = f"{fault} {operation(request)}"
            self.stats["operations"][what] = self.stats["operations"].get(what, 0) + 1
        if self.left is not None:
            self.left -= 1

    def drawn(self, name):
        return self.random.random() < self.probabilities[name]

    def concerns(self, method, target):
        if self.left is not None and self.left <= 0:
            return False
        return self.only in ("", method) and self.match in target

    async def client(self, reader, writer):
        self.stats["connections"] += 1
        server = None
        try:
            if self.drawn("down"):
                self.note("down")
                return self.reset(writer)
            while True:
                request = await read_message(reader, writer)
                if request is None:
                    return
                if self.drawn("down"):
                    self.note("down")
                    return self.reset(writer)
                if server is None:
                    server = await asyncio.open_connection(*self.upstream, limit=MAX_HEAD_BYTES)
                server = await self.exchange(request, reader, writer, server)
                if server is None:
                    return
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            self.reset(writer)
        finally:
            writer.close()
            if server is not None:
                server[1].close()

    @staticmethod
    def reset(writer):
        sock = writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def ask(self, request, server):
        reader, writer = server
        writer.write(request.bytes())
        await writer.drain()
        answer = await read_message(reader, bodyless=request.start.startswith("HEAD "))
        if answer is None:
            raise ConnectionResetError("the server hung up")
        return answer

    async def exchange(self, request, reader, writer, server):
        """The connection to the server for the next request, or None when this connection ends."""
        method, target = request.start.split(" ")[:2]
        self.stats["requests"] += 1
        self.stats["methods"][method] = self.stats["methods"].get(method, 0) + 1
        self.stats["bytes_up"] += len(request.body)
        fault = None
        if self.concerns(method, target):
            if self.drawn("delay"):
                self.note("delay")
                await asyncio.sleep(self.delay_s)
            fault = self.choose(method, request)
        if fault == "reset":
            self.note(fault, request)
            return self.reset(writer)
        if fault in REFUSALS:
            self.note(fault, request)
            extra = [("Retry-After", str(self.retry_after))] if fault == "error503" and self.retry_after > 0 else []
            answer = refusal(*REFUSALS[fault], extra)
            writer.write(answer.head() + (b"" if method == "HEAD" else answer.body))
            await writer.drain()
            return server
        if fault == "cut":
            self.note(fault, request)
            server[1].write(request.head() + request.body[: len(request.body) // 2])
            await server[1].drain()
            server[1].close()
            return self.reset(writer)
        if fault == "flip_up":
            self.note(fault, request)
            request.body = flipped(request.body, self.random)
        answer = await self.ask(request, server)
        if fault == "double":
            self.note(fault, request)
            answer = await self.ask(request, server)
        return await self.pass_on(answer, fault, request, reader, writer, server)

    def choose(self, method, request):
        """The fault that this request meets, if any."""
        if self.random.random() >= sum(self.probabilities[name] for name in FAULTS):
            return None
        possible = [name for name in FAULTS if self.probabilities[name] > 0
                    and not (name in OF_ANSWER_BODIES and method == "HEAD")
                    and not (name in OF_REQUEST_BODIES and not request.body)]
        weights = [self.probabilities[name] for name in possible]
        return self.random.choices(possible, weights)[0] if possible else None

    async def pass_on(self, answer, fault, request, reader, writer, server):
        method = request.start.split(" ")[0]
        if fault == "lost":
            self.note(fault, request)
            return self.reset(writer)
        if fault == "timeout":
            self.note(fault, request)
            await reader.read(1)  # until the client gives up
            return None
        if fault == "etag" and answer.get("etag"):
            self.note(fault, request)
            answer.headers = answer.replaced("etag", '"' + "".join(self.random.choices("0123456789abcdef", k=32)) + '"')
        if fault == "header":
            chosen = [(k, v) for k, v in answer.headers if v and k.lower() not in FRAMING]
            if chosen:
                self.note(fault, request)
                name, value = self.random.choice(chosen)
                at = self.random.randrange(len(value))
                other = chr(ord(value[at]) ^ 1 << self.random.randrange(4))  # stays printable, mostly
                answer.headers = answer.replaced(name.lower(), value[:at] + other.replace("\r", " ").replace("\n", " ")
                                                 + value[at + 1:])
        if fault == "size" and answer.get("content-length"):
            self.note(fault, request)
            answer.headers = answer.replaced("content-length", str(int(answer.get("content-length")) + 1000))
            await self.send(answer.head(), b"" if method == "HEAD" else answer.body, writer)
            return None
        if fault == "flip" and answer.body:
            self.note(fault, request)
            answer.body = flipped(answer.body, self.random)
        if fault in ("truncate", "stall") and answer.body:
            self.note(fault, request)
            await self.send(answer.head(), answer.body[: len(answer.body) // 2], writer)
            if fault == "stall":
                await reader.read(1)  # until the client gives up
            return None
        body = b"" if method == "HEAD" else answer.body
        if fault == "repeat":
            self.note(fault, request)
            body += answer.head() + body
        await self.send(answer.head(), body, writer)
        if answer.get("connection").lower() == "close":
            server[1].close()
            return None
        return server

    async def send(self, head, body, writer):
        self.stats["bytes_down"] += len(body)
        writer.write(head + body)
        await writer.drain()

    async def control(self, reader, writer):
        try:
            request = await read_message(reader)
            if request is None:
                return
            path, status, text = request.start.split(" ")[1], 200, "{}"
            try:
                if path == "/stats":
                    text = json.dumps(self.stats)
                elif path == "/faults":
                    self.set_faults(json.loads(request.body or b"{}"))
                elif path == "/reset":
                    self.reset_counters()
                else:
                    status, text = 404, '{"error": "no such path"}'
            except ValueError as error:
                status, text = 400, json.dumps({"error": str(error)})
            head = f"HTTP/1.1 {status} Control\r\nContent-Type: application/json\r\nConnection: close\r\n"
            writer.write(f"{head}Content-Length: {len(text)}\r\n\r\n{text}".encode())
            await writer.drain()
        finally:
            writer.close()


async def serve(options, probabilities):
    proxy = Proxy(options, probabilities)
    front = await asyncio.start_server(proxy.client, "127.0.0.1", options.port, limit=MAX_HEAD_BYTES)
    control = await asyncio.start_server(proxy.control, "127.0.0.1", options.control_port, limit=MAX_HEAD_BYTES)
    print(front.sockets[0].getsockname()[1], control.sockets[0].getsockname()[1], flush=True)
    async with front, control:
        await asyncio.gather(front.serve_forever(), control.serve_forever())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog="faults: " + ", ".join(sorted(KNOWN)))
    parser.add_argument("--upstream", required=True, metavar="HOST:PORT")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--delay-ms", type=int, default=500)
    parser.add_argument("--retry-after", type=int, default=1)
    parser.add_argument("faults", nargs="*", metavar="FAULT=PROBABILITY")
    options = parser.parse_args()
    probabilities = {}
    for text in options.faults:
        name, _, probability = text.partition("=")
        if name not in KNOWN:
            parser.error(f"unknown fault {name}")
        probabilities[name] = float(probability or 1)
    try:
        asyncio.run(serve(options, probabilities))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
