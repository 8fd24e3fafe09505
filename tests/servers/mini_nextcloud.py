#!/usr/bin/env python3
"""A small WebDAV server with Nextcloud's paths and chunked upload, for tests. Keeps everything in memory.

    mini_nextcloud.py [--port P] [--user U] [--password W]

Prints its port once it listens. Files are below /remote.php/dav/files/USER/, chunks below
/remote.php/dav/uploads/USER/. As Nextcloud does: Basic login, etags of its own, X-Hash-SHA256 in the answer to a
PUT that asks for it, MKCOL of an upload's folder, and MOVE of its ".file", which puts the chunks together in the order
of their names and takes the folder away. Python 3 standard library only.
"""

import argparse
import base64
import email.utils
import hashlib
import http.server
import itertools
import re
import threading
import time
from urllib.parse import quote, unquote, urlparse
from xml.sax.saxutils import escape

ROOT = "/remote.php/dav"


class Tree:
    """Folders and files by path; a file is (bytes, etag, mtime), a folder None."""

    def __init__(self, user):
        self.nodes = {ROOT: None, f"{ROOT}/files": None, f"{ROOT}/files/{user}": None,
                      f"{ROOT}/uploads": None, f"{ROOT}/uploads/{user}": None}
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)

    def put(self, path, body):
        self.nodes[path] = (body, f"{next(self.numbers):032x}", time.time())

    def parent_is_folder(self, path):
        parent = path.rpartition("/")[0]
        return parent in self.nodes and self.nodes[parent] is None

    def below(self, path):
        return [node for node in self.nodes if node.startswith(path + "/")]

    def remove(self, path):
        for node in [path, *self.below(path)]:
            self.nodes.pop(node, None)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    tree = user = login = None

    def log_message(self, *_):
        """Nothing: the tests read no log."""

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, message):
        body = (f'<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:message>{escape(message)}</s:message>'
                "</d:error>").encode()
        extra = [("WWW-Authenticate", 'Basic realm="Nextcloud"')] if status == 401 else []
        self.answer(status, body, [("Content-Type", "application/xml"), *extra])

    def path_of(self, url):
        return unquote(urlparse(url).path).rstrip("/")

    def handle_method(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if self.headers.get("Authorization") != self.login:
            return self.refuse(401, "No public access to this resource.")
        path = self.path_of(self.path)
        with self.tree.lock:
            return getattr(self, "on_" + self.command.lower())(path, body)

    do_GET = do_PUT = do_DELETE = do_MKCOL = do_MOVE = do_COPY = do_PROPFIND = handle_method

    def on_get(self, path, _):
        node = self.tree.nodes.get(path)
        if node is None:
            return self.refuse(404, "File not found")
        body, etag, _ = node
        headers = [("ETag", f'"{etag}"')]
        wanted = self.headers.get("If-Match")
        if wanted and wanted != f'"{etag}"':
            return self.refuse(412, "An If-Match header was specified, but none of the specified ETags matched.")
        ranged = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if not ranged:
            return self.answer(200, body, headers)
        first, last = int(ranged[1]), min(int(ranged[2]), len(body) - 1)
        if first >= len(body):
            return self.refuse(416, "The start of the range is beyond the end")
        headers.append(("Content-Range", f"bytes {first}-{last}/{len(body)}"))
        return self.answer(206, body[first:last + 1], headers)

    def on_put(self, path, body):
        if not self.tree.parent_is_folder(path):
            return self.refuse(409, "Files can only be created in existing folders")
        if "/uploads/" in path and not self.headers.get("Destination"):
            return self.refuse(400, "Missing Destination")
        status = 204 if path in self.tree.nodes else 201
        self.tree.put(path, body)
        headers = [("OC-ETag", f'"{self.tree.nodes[path][1]}"')]
        if self.headers.get("X-Hash") == "sha256":
            headers.append(("X-Hash-SHA256", hashlib.sha256(body).hexdigest()))
        return self.answer(status, headers=headers)

    def on_delete(self, path, _):
        if path not in self.tree.nodes:
            return self.refuse(404, "File not found")
        self.tree.remove(path)
        return self.answer(204)

    def on_mkcol(self, path, _):
        if path in self.tree.nodes:
            return self.refuse(405, "The resource you tried to create already exists")
        if not self.tree.parent_is_folder(path):
            return self.refuse(409, "Parent node does not exist")
        self.tree.nodes[path] = None
        return self.answer(201)

    def on_move(self, path, _):
        return self.relocate(path, take_away=True)

    def on_copy(self, path, _):
        return self.relocate(path, take_away=False)

    def relocate(self, path, take_away):
        target = self.path_of(self.headers.get("Destination", ""))
        chunks = path.endswith("/.file") and "/uploads/" in path
        source = path[:-len("/.file")] if chunks else path
        if source not in self.tree.nodes:
            return self.refuse(404, "File not found")
        if not self.tree.parent_is_folder(target):
            return self.refuse(409, "The destination node is not found")
        there = target in self.tree.nodes
        if there and self.headers.get("Overwrite") == "F":
            return self.refuse(412, "The destination node already exists")
        if chunks:
            body = b"".join(self.tree.nodes[name][0] for name in sorted(self.tree.below(source)))
            if len(body) != int(self.headers.get("OC-Total-Length", len(body))):
                return self.refuse(400, "Chunks on server do not sum up to what was announced")
        else:
            body = self.tree.nodes[source][0]
        self.tree.put(target, body)
        if take_away:
            self.tree.remove(source)
        return self.answer(204 if there else 201)

    def on_propfind(self, path, _):
        if path not in self.tree.nodes:
            return self.refuse(404, "File not found")
        shown = [path]
        if self.headers.get("Depth") == "1":
            shown += [node for node in self.tree.below(path) if "/" not in node[len(path) + 1:]]
        parts = ['<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">']
        for name in shown:
            node = self.tree.nodes[name]
            if node is None:
                prop, href = "<d:resourcetype><d:collection/></d:resourcetype>", quote(name) + "/"
            else:
                prop = (f"<d:resourcetype/><d:getcontentlength>{len(node[0])}</d:getcontentlength>"
                        f"<d:getetag>&quot;{node[1]}&quot;</d:getetag>"
                        f"<d:getlastmodified>{email.utils.formatdate(node[2], usegmt=True)}</d:getlastmodified>")
                href = quote(name)
            parts.append(f"<d:response><d:href>{href}</d:href><d:propstat><d:prop>{prop}</d:prop>"
                         "<d:status>HTTP/1.1 200 OK</d:status></d:propstat><d:propstat><d:prop><oc:checksums/></d:prop>"
                         "<d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response>")
        parts.append("</d:multistatus>")
        return self.answer(207, "".join(parts).encode(), [("Content-Type", "application/xml; charset=utf-8")])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user", default="anna")
    parser.add_argument("--password", default="dav secret")
    options = parser.parse_args()
    Handler.tree, Handler.user = Tree(options.user), options.user
    Handler.login = "Basic " + base64.b64encode(f"{options.user}:{options.password}".encode()).decode()
    http.server.ThreadingHTTPServer.request_queue_size = 128
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
