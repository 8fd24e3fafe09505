#!/usr/bin/env python3
"""Each fault of fault_proxy.py does to a client what it says, and nothing without a fault."""

import contextlib
import http.client
import http.server
import json
import pathlib
import socket
import subprocess
import sys
import threading
import time
import unittest

BODY = bytes(range(256)) * 40
PROXY = pathlib.Path(__file__).with_name("fault_proxy.py")


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen, bodies = [], []

    def do_GET(self):
        Upstream.seen.append(self.path)
        Upstream.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        self.send_response(200)
        self.send_header("ETag", '"right"')
        self.send_header("X-Host", self.headers["Host"])
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        if self.command != "HEAD":
            with contextlib.suppress(ConnectionError):  # the proxy hung up
                self.wfile.write(BODY)

    do_PUT = do_HEAD = do_POST = do_GET

    def log_message(self, *_):
        pass


class FaultProxyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
        threading.Thread(target=cls.upstream.serve_forever, daemon=True).start()
        command = [sys.executable, PROXY, "--upstream", f"127.0.0.1:{cls.upstream.server_address[1]}", "--delay-ms", "50"]
        cls.proxy = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        cls.port, cls.control_port = map(int, cls.proxy.stdout.readline().split())

    @classmethod
    def tearDownClass(cls):
        cls.proxy.terminate()
        cls.proxy.wait()
        cls.proxy.stdout.close()
        cls.upstream.shutdown()
        cls.upstream.server_close()

    def setUp(self):
        self.control("POST", "/faults", {})
        self.control("POST", "/reset")
        Upstream.seen.clear()
        Upstream.bodies.clear()

    def control(self, method, path, body=None):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.control_port, timeout=10)) as connection:
            connection.request(method, path, json.dumps(body or {}))
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def faults(self, **probabilities):
        self.assertEqual(self.control("POST", "/faults", probabilities)[0], 200)

    def request(self, method="GET", path="/x", body=None, timeout=10):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)) as connection:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, dict(response.headers), response.read()

    def stats(self):
        return self.control("GET", "/stats")[1]

    def test_passes_on_unchanged_and_counts(self):
        status, headers, body = self.request("PUT", "/a%20b?c=d", b"12345")
        self.assertEqual((status, body), (200, BODY))
        self.assertEqual(headers["X-Host"], f"127.0.0.1:{self.port}", "signatures cover it")
        self.assertEqual(self.request("HEAD")[2], b"")
        self.assertEqual(Upstream.seen, ["/a%20b?c=d", "/x"])
        stats = self.stats()
        self.assertEqual((stats["requests"], stats["bytes_up"], stats["bytes_down"]), (2, 5, len(BODY)))
        self.assertEqual(stats["methods"], {"PUT": 1, "HEAD": 1})
        self.assertEqual(stats["faults"], {})

    def test_refusals_do_not_reach_the_server(self):
        for fault, status in (("error500", 500), ("error503", 503), ("error403", 403), ("expired", 403), ("skew", 403),
                              ("error404", 404), ("error507", 507)):
            self.faults(**{fault: 1})
            got, headers, _ = self.request("PUT", body=b"x")
            self.assertEqual(got, status)
            if status == 503:
                self.assertEqual(headers["Retry-After"], "1")
        self.assertEqual(Upstream.seen, [])

    def test_reset_and_down_hang_up(self):
        for fault in ("reset", "down"):
            self.faults(**{fault: 1})
            with self.assertRaises((ConnectionError, http.client.BadStatusLine)):
                self.request()
        self.assertEqual(Upstream.seen, [])

    def test_down_ends_connections_that_were_open(self):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request("GET", "/x")
            self.assertEqual(connection.getresponse().read(), BODY)
            self.faults(down=1)
            with self.assertRaises((ConnectionError, http.client.BadStatusLine)):
                connection.request("GET", "/x")
                connection.getresponse()

    def test_lost_reaches_the_server_but_not_the_client(self):
        self.faults(lost=1)
        with self.assertRaises((ConnectionError, http.client.BadStatusLine)):
            self.request("PUT", body=b"x")
        self.assertEqual(len(Upstream.seen), 1)

    def test_double_reaches_the_server_twice(self):
        self.faults(double=1)
        self.assertEqual(self.request("PUT", body=b"x")[0], 200)
        self.assertEqual(len(Upstream.seen), 2)

    def test_repeat_answers_twice(self):
        self.faults(repeat=1)
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as line:
            line.sendall(b"GET /x HTTP/1.1\r\nHost: here\r\n\r\n")
            got = b""
            while got.count(BODY) < 2:
                piece = line.recv(1 << 16)
                self.assertTrue(piece, "it hung up")
                got += piece
        self.assertEqual(got.count(b"HTTP/1.1 200"), 2)
        self.assertEqual(len(Upstream.seen), 1)

    def test_timeout_reaches_the_server_and_says_nothing(self):
        self.faults(timeout=1)
        with self.assertRaises(TimeoutError):
            self.request("PUT", body=b"x", timeout=0.3)
        self.assertEqual(len(Upstream.seen), 1)

    def test_cut_sends_half_to_the_server(self):
        self.faults(cut=1)
        with self.assertRaises((ConnectionError, http.client.BadStatusLine)):
            self.request("PUT", body=b"x" * 1000)
        self.assertEqual(self.stats()["operations"], {"cut PUT": 1})
        deadline = time.monotonic() + 10
        while not Upstream.bodies and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual(Upstream.bodies, [b"x" * 500])

    def test_flip_up_changes_one_bit_of_what_is_sent(self):
        self.faults(flip_up=1)
        self.assertEqual(self.request("PUT", body=BODY)[0], 200)
        self.assertEqual(sum((a ^ b).bit_count() for a, b in zip(Upstream.bodies[0], BODY)), 1)
        self.assertEqual(len(Upstream.bodies[0]), len(BODY))

    def test_tells_what_the_faults_of_s3_happened_to(self):
        self.faults(lost=1)
        for method, path in (("POST", "/k?uploads"), ("PUT", "/k?partNumber=1&uploadId=7"), ("POST", "/k?uploadId=7")):
            with self.assertRaises((ConnectionError, http.client.BadStatusLine)):
                self.request(method, path, body=b"x")
        self.assertEqual(self.stats()["operations"], {"lost begin": 1, "lost part": 1, "lost complete": 1})

    def test_probabilities_add_up(self):
        self.faults(error500=0.5, flip=0.5)  # a HEAD has no body to flip
        self.assertEqual({self.request("HEAD")[0] for _ in range(20)}, {500})

    def test_truncate_cuts_the_body(self):
        self.faults(truncate=1)
        with self.assertRaises(http.client.IncompleteRead) as cut:
            self.request()
        self.assertEqual(cut.exception.partial, BODY[: len(BODY) // 2])

    def test_stall_goes_silent(self):
        self.faults(stall=1)
        with self.assertRaises(TimeoutError):
            self.request(timeout=0.3)

    def test_flip_changes_one_bit(self):
        self.faults(flip=1)
        body = self.request()[2]
        self.assertEqual(sum((a ^ b).bit_count() for a, b in zip(body, BODY)), 1)
        self.assertEqual(len(body), len(BODY))

    def test_header_flips_one_bit_of_a_header(self):
        self.faults()
        before = self.request("HEAD")[1]
        self.faults(header=1)
        after = self.request("HEAD")[1]
        changed = [name for name in before if before[name] != after[name]]
        self.assertIn(len(changed), (1, 2) if "Date" in changed else (1,))  # the time of day goes on
        self.assertEqual(before["Content-Length"], after["Content-Length"])

    def test_size_lies(self):
        self.faults(size=1)
        self.assertEqual(self.request("HEAD")[1]["Content-Length"], str(len(BODY) + 1000))
        with self.assertRaises(http.client.IncompleteRead) as cut:
            self.request()
        self.assertEqual(cut.exception.partial, BODY)

    def test_etag_lies(self):
        self.faults(etag=1)
        self.assertNotEqual(self.request("HEAD")[1]["ETag"], '"right"')

    def test_delay_still_answers(self):
        self.faults(delay=1)
        self.assertEqual(self.request()[2], BODY)
        self.assertEqual(self.stats()["faults"], {"delay": 1})

    def test_faults_can_be_limited(self):
        self.faults(error500=1, only="PUT", match="/y", limit=2)
        self.assertEqual(self.request("GET", "/y")[0], 200)
        self.assertEqual(self.request("PUT", "/x", b"")[0], 200)
        self.assertEqual([self.request("PUT", "/y", b"")[0] for _ in range(3)], [500, 500, 200])

    def test_unknown_faults_are_refused(self):
        self.assertEqual(self.control("POST", "/faults", {"flood": 1})[0], 400)


if __name__ == "__main__":
    unittest.main()
