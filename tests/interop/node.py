"""The real binary on free ports, and a backend that speaks HTTP/1.1 and keeps every byte it gets."""

import asyncio
import functools
import hashlib
import os
import re
import subprocess
import tempfile
import threading
import time

DOCUMENT = """
openapi: 3.0.1
info: {title: interop, version: "1"}
paths:
  /mock:
    get:
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses: {default: {statusCode: "200"}}
  /any/{proxy+}:
    x-amazon-apigateway-any-method:
      parameters: [{name: proxy, in: path, required: true, schema: {type: string}}]
      responses: {}
      x-amazon-apigateway-integration:
        type: http_proxy
        httpMethod: ANY
        uri: "http://127.0.0.1:BACKEND/{proxy}"
        requestParameters: {integration.request.path.proxy: method.request.path.proxy}
  /short/{proxy+}:
    x-amazon-apigateway-any-method:
      parameters: [{name: proxy, in: path, required: true, schema: {type: string}}]
      responses: {}
      x-amazon-apigateway-integration:
        type: http_proxy
        httpMethod: ANY
        timeoutInMillis: 1000
        uri: "http://127.0.0.1:BACKEND/{proxy}"
        requestParameters: {integration.request.path.proxy: method.request.path.proxy}
"""


PIECE = 65_536
# Answers as they are; the connection ends behind each.
ANSWERS = {
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n",
    "chunked-trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",
    "until-close": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end",
    "http10": b"HTTP/1.0 200 OK\r\n\r\nto the end",
    "of-connection": b"HTTP/1.1 200 OK\r\nConnection: close, X-Private\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\n"
    b"Upgrade: h2c\r\nTE: trailers\r\nX-Private: 1\r\nX-Public: 1\r\nContent-Length: 2\r\n\r\nok",
    "upper-case": b"HTTP/1.1 200 OK\r\nX-UPPER-Case: Value\r\nContent-Length: 2\r\n\r\nok",
    "blanks": b"HTTP/1.1 200 OK\r\nX-Blank: \t  a \t b  \t\r\nContent-Length: 2\r\n\r\nok",
    "empty-value": b"HTTP/1.1 200 OK\r\nX-Empty:\r\nContent-Length: 2\r\n\r\nok",
    "cookies": b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok",
    "no-content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "not-modified": b"HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 99\r\n\r\n",
    "empty": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "continue": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "early-hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "pseudo": b"HTTP/1.1 200 OK\r\n:status: 500\r\nContent-Length: 2\r\n\r\nok",
    "name-space": b"HTTP/1.1 200 OK\r\nX A: 1\r\nContent-Length: 2\r\n\r\nok",
    "value-nul": b"HTTP/1.1 200 OK\r\nX-A: 1\0\r\nContent-Length: 2\r\n\r\nok",
    "switching": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "no-http": b"hello\r\n\r\n",
    "nothing": b"",
    "both-framings": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "cut-length": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf",
    "cut-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n63\r\nhalf",
    "cut-chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    "bad-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\n",
    "too-much": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad",
    "many-fields": b"HTTP/1.1 200 OK\r\n"
    + b"".join(b"X-%d: %s\r\n" % (at, b"v" * 200) for at in range(100))
    + b"Content-Length: 2\r\n\r\nok",
}


class Backend:
    """Paths: /echo gives the body back, /hold never answers, /stuck doesn't read either, /early answers before the body, /big/N gives N bytes,
    /hash the SHA-256 of the body; others answer `ok`."""

    def __init__(self):
        self.lock = threading.Lock()
        self.connections = []
        self.whole = []
        self.defects = []
        self.loop = asyncio.new_event_loop()
        started = threading.Event()
        threading.Thread(target=self._serve, args=(started,), daemon=True).start()
        started.wait()

    def _serve(self, started):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._connection, "127.0.0.1", 0, limit=1 << 20))
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self.loop.run_forever()

    def clear(self):
        with self.lock:
            self.connections, self.whole, self.defects = [], [], []

    def requests(self):
        """Whole requests as they came: head and body bytes."""
        with self.lock:
            return list(self.whole)

    def octets(self):
        """All that came, whole or not."""
        with self.lock:
            return b"".join(bytes(octets) for octets in self.connections)

    async def _connection(self, reader, writer):
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except ValueError as error:
            with self.lock:
                self.defects.append(str(error))
        finally:
            writer.close()

    async def _exchange(self, reader, writer):
        seen = bytearray()
        with self.lock:
            self.connections.append(seen)

        async def take(octets):
            with self.lock:
                seen.extend(octets)
            return octets

        text = await take(await reader.readuntil(b"\r\n\r\n"))
        method, path, length, chunked = judge(text)
        if path.startswith(b"/hold"):
            # To the connection's end.
            while more := await reader.read(65536):
                await take(more)
            return False
        if path.startswith(b"/stuck"):
            # Reads no further; what the kernel takes for it is all there is.
            writer.transport.pause_reading()
            await asyncio.sleep(20)
            return False
        if path.startswith(b"/raw/"):
            writer.write(ANSWERS[path[5:].decode()])
            await writer.drain()
            return False
        if path.startswith(b"/early"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly")
            return True
        body = bytearray()
        while chunked:
            line = await take(await reader.readuntil(b"\r\n"))
            if not re.fullmatch(rb"[0-9a-fA-F]{1,8}\r\n", line):
                raise ValueError(f"a chunk begins {line!r}")
            size = int(line, 16)
            piece = await take(await reader.readexactly(size + 2))
            if piece[size:] != b"\r\n":
                raise ValueError("a chunk without its end")
            body += piece[:size]
            if size == 0:
                break
        while len(body) < length:
            body += await take(await reader.readexactly(min(65536, length - len(body))))
        with self.lock:
            self.whole.append(bytes(seen))
        answer = b"ok"
        if path.startswith(b"/echo"):
            answer = bytes(body)
        elif path.startswith(b"/hash"):
            answer = hashlib.sha256(body).hexdigest().encode()
        elif path.startswith(b"/big/"):
            answer = pattern(int(re.match(rb"/big/(\d+)", path)[1]))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(answer))
        for at in range(0, 0 if method == b"HEAD" else len(answer), PIECE):
            writer.write(answer[at : at + PIECE])
            await writer.drain()
        return True


def judge(text):
    """Reads a head as the strictest of backends; ValueError says what it would choke on."""
    lines = text[:-4].split(b"\r\n")
    start = re.fullmatch(rb"([A-Z-]+) (/[!-~]*|\*) HTTP/1\.1", lines[0])
    if not start:
        raise ValueError(f"a request line {lines[0]!r}")
    fields = []
    for line in lines[1:]:
        field = re.fullmatch(
            rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ((?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?)", line
        )
        if not field:
            raise ValueError(f"a field line {line!r}")
        fields.append((field[1].lower(), field[2]))
    values = lambda name: [value for known, value in fields if known == name]  # noqa: E731
    lengths, codings = values(b"content-length"), values(b"transfer-encoding")
    if len(values(b"host")) != 1 or len(lengths) + len(codings) > 1:
        raise ValueError(f"host or framing of {text!r}")
    if codings and codings != [b"chunked"] or lengths and not re.fullmatch(rb"\d+", lengths[0]):
        raise ValueError(f"framing of {text!r}")
    return start[1], start[2], int(lengths[0]) if lengths else 0, bool(codings)


@functools.lru_cache(8)
def pattern(size):
    return (b"0123456789abcdef" * (size // 16 + 1))[:size]


class Node:
    def __init__(self, runtime, backend, flags=()):
        self.folder = tempfile.TemporaryDirectory(prefix="interop")
        place = lambda name: os.path.join(self.folder.name, name)  # noqa: E731
        with open(place("api.yaml"), "w") as out:
            out.write(DOCUMENT.replace("BACKEND", str(backend.port)))
        with open(place("turnpike.yaml"), "w") as out:
            out.write(
                "files: [api.yaml]\nlisteners:\n  - address: 127.0.0.1:0\n  - address: 127.0.0.1:0\n"
                "    tls: {certificate: cert.pem, key: key.pem}\ncontrol: {address: 127.0.0.1:0}\n"
            )
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-keyout",
                place("key.pem"),
                "-out",
                place("cert.pem"),
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1",
            ],
            check=True,
            capture_output=True,
        )
        self.log = open(place("log"), "w+")
        self.process = subprocess.Popen(
            [
                os.environ["TURNPIKE_BINARY"],
                "serve",
                "--config",
                place("turnpike.yaml"),
                "--shards",
                "1",
                "--runtime",
                runtime,
                *flags,
            ],
            stderr=self.log,
            stdout=self.log,
            cwd=self.folder.name,
        )
        for _ in range(400):
            text = self.said()
            if re.search(r"^ready", text, re.M) or self.process.poll() is not None:
                break
            time.sleep(0.02)
        ports = re.search(r"listening on http://\S+?:(\d+).*?listening on https://\S+?:(\d+)", text, re.S)
        if not ports:
            raise SystemExit(f"the node didn't start:\n{text}")
        self.port, self.tls_port = int(ports[1]), int(ports[2])
        self.certificate = place("cert.pem")

    def said(self):
        with open(self.log.name) as log:
            return log.read()

    def rss(self):
        """Resident memory in KiB."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])

    def cpu(self):
        """Seconds of processor time so far."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()
        self.folder.cleanup()
