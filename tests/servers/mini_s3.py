#!/usr/bin/env python3
"""A small S3 for tests, in memory: PUT, GET with ranges, HEAD, DELETE, copy, ListObjectsV2 and
multipart with its listings, conditional requests, and SigV4 and Content-MD5 checked as a real server does.

    mini_s3.py --port 9000 [--access A --secret S] [--bucket NAME]... [--tls-cert C --tls-key K]

Buckets are made by PUT /bucket or with --bucket. Path style, and host style below "localhost".
Python 3 standard library only. Not for storing anything.
"""

import argparse
import base64
import email.utils
import hashlib
import hmac
import http.server
import ssl
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

MAX_SKEW_S = 15 * 60
PART_MIN_BYTES = 5 << 20


class Refusal(Exception):
    def __init__(self, status, code, message=""):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message or code


class Object:
    def __init__(self, body, etag, metadata):
        self.body, self.etag, self.metadata = body, etag, metadata
        self.modified = time.time()


class Upload:
    def __init__(self, key, metadata):
        self.key, self.metadata, self.parts = key, metadata, {}


class Store:
    def __init__(self, buckets):
        self.lock = threading.Lock()
        self.buckets = {name: {} for name in buckets}
        self.uploads = {}
        self.next_upload = 1


def md5_hex(body):
    return hashlib.md5(body).hexdigest()


def encode(text):
    return urllib.parse.quote(text, safe="-._~")


def signature(secret, method, path, query, headers, signed, payload_hash, date, scope):
    """The signature that SigV4 wants; `path` is the plain path, `query` a list of plain pairs."""
    pairs = sorted((encode(name), encode(value)) for name, value in query)
    canonical = "\n".join([
        method,
        urllib.parse.quote(path, safe="/-._~"),
        "&".join(f"{name}={value}" for name, value in pairs),
        "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in signed),
        ";".join(signed),
        payload_hash,
    ])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "mini-s3"
    # One segment a reply: with two, the second waits for the client's delayed ACK.
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        if len(self.body) < length:
            self.close_connection = True
            return
        try:
            self.parse_target()
            self.check_body()
            self.check_signature()
            with self.server.store.lock:
                self.dispatch()
        except Refusal as refusal:
            text = f"<Error><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message></Error>"
            self.reply(refusal.status, text)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do

    def parse_target(self):
        path, _, query = self.path.partition("?")
        self.plain_path = urllib.parse.unquote(path)
        self.query_pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
        self.query = dict(self.query_pairs)
        host = self.headers.get("Host", "").rsplit(":", 1)[0]
        if host.endswith(".localhost"):
            self.bucket, self.key = host[: -len(".localhost")], self.plain_path[1:]
        else:
            self.bucket, _, self.key = self.plain_path[1:].partition("/")

    def check_body(self):
        digest = self.headers.get("Content-MD5")
        if digest and digest != base64.b64encode(hashlib.md5(self.body).digest()).decode():
            raise Refusal(400, "BadDigest")
        claimed = self.headers.get("x-amz-content-sha256", "")
        if claimed != "UNSIGNED-PAYLOAD" and claimed != hashlib.sha256(self.body).hexdigest():
            raise Refusal(400, "XAmzContentSHA256Mismatch")

    def check_signature(self):
        given = self.headers.get("Authorization", "")
        if not given.startswith("AWS4-HMAC-SHA256 "):
            raise Refusal(403, "AccessDenied", "not signed")
        fields = dict(part.strip().split("=", 1) for part in given.split(" ", 1)[1].split(","))
        access, _, scope = fields["Credential"].partition("/")
        if access != self.server.access:
            raise Refusal(403, "InvalidAccessKeyId")
        date = self.headers.get("x-amz-date", "")
        sent = time.strptime(date, "%Y%m%dT%H%M%SZ")
        if abs(time.time() - (time.mktime(sent) - time.timezone)) > MAX_SKEW_S:
            raise Refusal(403, "RequestTimeTooSkewed")
        headers = {name.lower(): value for name, value in self.headers.items()}
        wanted = signature(self.server.secret, self.command, self.plain_path, self.query_pairs, headers,
                           fields["SignedHeaders"].split(";"), headers.get("x-amz-content-sha256", ""), date, scope)
        if not hmac.compare_digest(wanted, fields["Signature"]):
            raise Refusal(403, "SignatureDoesNotMatch")

    def reply(self, status, body=b"", headers=()):
        if isinstance(body, str):
            body = body.encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204 and not any(name == "Content-Length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def dispatch(self):
        store = self.server.store
        if not self.key and self.command == "PUT":
            store.buckets.setdefault(self.bucket, {})
            return self.reply(200)
        if self.bucket not in store.buckets:
            raise Refusal(404, "NoSuchBucket")
        self.objects = store.buckets[self.bucket]
        if not self.key:
            return self.list_uploads() if "uploads" in self.query else self.list_objects()
        if "uploads" in self.query:
            return self.begin_upload()
        if "uploadId" in self.query:
            return self.in_upload()
        return {"PUT": self.put, "GET": self.get, "HEAD": self.get, "DELETE": self.delete}[self.command]()

    def metadata(self):
        return [(name, value) for name, value in self.headers.items() if name.lower().startswith("x-amz-meta-")]

    def refuse_if_there(self):
        if self.headers.get("If-None-Match") == "*" and self.key in self.objects:
            raise Refusal(412, "PreconditionFailed")

    def copy_source(self):
        path = urllib.parse.unquote(self.headers["x-amz-copy-source"]).lstrip("/")
        bucket, _, key = path.partition("/")
        source = self.server.store.buckets.get(bucket, {}).get(key)
        if source is None:
            raise Refusal(404, "NoSuchKey")
        pinned = self.headers.get("x-amz-copy-source-if-match")
        if pinned and pinned.strip('"') != source.etag:
            raise Refusal(412, "PreconditionFailed")
        return source

    def put(self):
        self.refuse_if_there()
        if "x-amz-copy-source" in self.headers:
            source = self.copy_source()
            self.objects[self.key] = Object(source.body, source.etag, source.metadata)
            return self.reply(200, f'<CopyObjectResult><ETag>"{source.etag}"</ETag></CopyObjectResult>')
        made = Object(self.body, md5_hex(self.body), self.metadata())
        self.objects[self.key] = made
        self.reply(200, headers=[("ETag", f'"{made.etag}"')])

    def get(self):
        found = self.objects.get(self.key)
        if found is None:
            raise Refusal(404, "NoSuchKey")
        pinned = self.headers.get("If-Match")
        if pinned and pinned.strip('"') != found.etag:
            raise Refusal(412, "PreconditionFailed")
        headers = [("ETag", f'"{found.etag}"'), ("Accept-Ranges", "bytes"),
                   ("Last-Modified", email.utils.formatdate(found.modified, usegmt=True)), *found.metadata]
        span = self.headers.get("Range")
        if self.command == "HEAD" or not span:
            return self.reply(200, found.body, headers)
        first, _, last = span.removeprefix("bytes=").partition("-")
        begin, end = int(first), min(int(last or len(found.body)), len(found.body) - 1)
        if begin >= len(found.body):
            raise Refusal(416, "InvalidRange")
        headers.append(("Content-Range", f"bytes {begin}-{end}/{len(found.body)}"))
        self.reply(206, found.body[begin:end + 1], headers)

    def delete(self):
        self.objects.pop(self.key, None)
        self.reply(204)

    def list_objects(self):
        prefix, after = self.query.get("prefix", ""), self.query.get("continuation-token", "")
        room = int(self.query.get("max-keys", "1000"))
        # By the bytes of the key, as S3 does.
        keys = sorted((k for k in self.objects if k.startswith(prefix)), key=lambda k: k.encode())
        keys = [k for k in keys if k.encode() > after.encode()]
        page, more = keys[:room], len(keys) > room > 0
        url = self.query.get("encoding-type") == "url"
        xml = ["<ListBucketResult>", "<EncodingType>url</EncodingType>" if url else "",
               f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>",
               f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""]
        for key in page:
            found = self.objects[key]
            when = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(found.modified))
            xml.append(f"<Contents><Key>{urllib.parse.quote(key) if url else escape(key)}</Key><Size>{len(found.body)}"
                       f"</Size><ETag>&quot;{found.etag}&quot;</ETag><LastModified>{when}</LastModified></Contents>")
        self.reply(200, "".join(xml) + "</ListBucketResult>")

    def begin_upload(self):
        store = self.server.store
        name = f"upload-{store.next_upload}"
        store.next_upload += 1
        store.uploads[name] = Upload(self.key, self.metadata())
        self.reply(200, f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId></InitiateMultipartUploadResult>")

    def list_uploads(self):
        prefix = self.query.get("prefix", "")
        after = (self.query.get("key-marker", ""), self.query.get("upload-id-marker", ""))
        room = int(self.query.get("max-uploads", "1000"))
        all_uploads = sorted((one.key, name) for name, one in self.server.store.uploads.items()
                             if one.key.startswith(prefix))
        left = [one for one in all_uploads if one > after]
        page, more = left[:room], len(left) > room
        xml = [f"<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>{'true' if more else 'false'}"
               "</IsTruncated>"]
        if more:
            xml.append(f"<NextKeyMarker>{urllib.parse.quote(page[-1][0])}</NextKeyMarker>"
                       f"<NextUploadIdMarker>{page[-1][1]}</NextUploadIdMarker>")
        xml += [f"<Upload><Key>{urllib.parse.quote(key)}</Key><UploadId>{name}</UploadId></Upload>" for key, name in page]
        self.reply(200, "".join(xml) + "</ListMultipartUploadsResult>")

    def in_upload(self):
        uploads = self.server.store.uploads
        upload = uploads.get(self.query["uploadId"])
        if upload is None or upload.key != self.key:
            raise Refusal(404, "NoSuchUpload")
        if self.command == "PUT":
            body = self.body
            copied = "x-amz-copy-source" in self.headers
            if copied:
                body = self.copy_source().body
                first, _, last = self.headers["x-amz-copy-source-range"].removeprefix("bytes=").partition("-")
                body = body[int(first):int(last) + 1]
            upload.parts[int(self.query["partNumber"])] = body
            if copied:
                return self.reply(200, f'<CopyPartResult><ETag>"{md5_hex(body)}"</ETag></CopyPartResult>')
            return self.reply(200, headers=[("ETag", f'"{md5_hex(body)}"')])
        if self.command == "DELETE":
            del uploads[self.query["uploadId"]]
            return self.reply(204)
        if self.command == "GET":
            xml = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{md5_hex(body)}&quot;</ETag>"
                          f"<Size>{len(body)}</Size></Part>" for number, body in sorted(upload.parts.items()))
            return self.reply(200, f"<ListPartsResult><IsTruncated>false</IsTruncated>{xml}</ListPartsResult>")
        self.complete(upload)

    def complete(self, upload):
        self.refuse_if_there()
        bodies = []
        for part in ElementTree.fromstring(self.body).iter():
            if part.tag.rpartition("}")[2] != "Part":
                continue
            field = {child.tag.rpartition("}")[2]: child.text for child in part}
            body = upload.parts.get(int(field["PartNumber"]))
            if body is None or md5_hex(body) != field["ETag"].strip('"'):
                raise Refusal(400, "InvalidPart")
            bodies.append(body)
        if any(len(body) < PART_MIN_BYTES for body in bodies[:-1]):
            raise Refusal(400, "EntityTooSmall")
        digest = hashlib.md5(b"".join(hashlib.md5(body).digest() for body in bodies)).hexdigest()
        made = Object(b"".join(bodies), f"{digest}-{len(bodies)}", upload.metadata)
        self.objects[self.key] = made
        del self.server.store.uploads[self.query["uploadId"]]
        self.reply(200, "<CompleteMultipartUploadResult>"
                        f'<ETag>"{made.etag}"</ETag></CompleteMultipartUploadResult>')


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # a client that hung up is none


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--access", default="shoebox")
    parser.add_argument("--secret", default="shoebox-secret")
    parser.add_argument("--bucket", action="append", default=[])
    parser.add_argument("--tls-cert")
    parser.add_argument("--tls-key")
    options = parser.parse_args()
    server = Server(("127.0.0.1", options.port), Handler)
    server.access, server.secret = options.access, options.secret
    server.store = Store(options.bucket)
    if options.tls_cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.tls_cert, options.tls_key)
        # Handshakes happen on the connection's own thread, not in accept().
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
