"""Real clients: curl, nghttp and h2load, by status and by the hash of each body."""

import hashlib
import json
import os
import re
import subprocess
import tempfile

from node import pattern

SIZE = 1_000_000
BODY = bytes(range(256)) * (SIZE // 256)


def told(*command, stdin=None):
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=30)
    return done.returncode, done.stdout, done.stderr.decode("latin-1")


def curl(node, path, *more, tls=False, stdin=None):
    base = f"https://localhost:{node.tls_port}" if tls else f"http://127.0.0.1:{node.port}"
    version = ["--http2", "--cacert", node.certificate] if tls else ["--http2-prior-knowledge"]
    code, out, err = told("curl", "-sS", *version, "-w", "%{stderr}%{json}", *more, base + path, stdin=stdin)
    facts = json.loads(err[err.index("{") :]) if "{" in err else {"errormsg": err}
    return code, out, facts


def curl_is(status, body, *arguments, **options):
    def check(node):
        code, out, facts = curl(node, *arguments, **options)
        if code or facts.get("http_code") != status or str(facts.get("http_version")) != "2":
            return f"exit {code}, {facts.get('http_code')} by HTTP/{facts.get('http_version')}: {facts.get('errormsg')}"
        return None if out == body else f"another body: {len(out)} bytes"

    return check


def parallel(tls):
    def check(node):
        base = f"https://localhost:{node.tls_port}" if tls else f"http://127.0.0.1:{node.port}"
        # Without TLS curl 7.88 fails to share a connection that isn't made yet, with any server: each request gets one.
        version = (
            ["--http2", "--cacert", node.certificate] if tls else ["--http2-prior-knowledge", "--parallel-immediate"]
        )
        with tempfile.TemporaryDirectory(prefix="interop") as folder:
            code, out, err = told(
                "curl",
                "-sS",
                *version,
                "--parallel",
                "--parallel-max",
                "100",
                "-w",
                "%{http_code} %{http_version}\n",
                "-o",
                f"{folder}/#1",
                f"{base}/any/big/[10000-10099]",
            )
            if code or out.decode().splitlines() != ["200 2"] * 100:
                return f"exit {code}, {set(out.decode().splitlines())}: {err}"
            for at in range(10000, 10100):
                with open(os.path.join(folder, str(at)), "rb") as got:
                    if got.read() != pattern(at):
                        return f"another body of {at} bytes"
        return None

    return check


def head_by_curl(node):
    code, out, facts = curl(node, "/any/big/77", "--head")
    if code or facts.get("http_code") != 200 or b"content-length: 77" not in out.lower():
        return f"exit {code}: {out!r}"


def falls_back(node):
    """A client that offers no h2 gets HTTP/1.1 on the same TLS port."""
    code, _, err = told(
        "curl",
        "-sS",
        "--http1.1",
        "--cacert",
        node.certificate,
        "-o",
        "/dev/null",
        "-w",
        "%{stderr}%{http_code} %{http_version}",
        f"https://localhost:{node.tls_port}/mock",
    )
    return None if err == "200 1.1" else f"exit {code}: {err}"


def both_versions(node):
    """One plain listener speaks both."""
    code, _, err = told(
        "curl",
        "-sS",
        "-o",
        "/dev/null",
        "-w",
        "%{stderr}%{http_code} %{http_version}",
        f"http://127.0.0.1:{node.port}/mock",
    )
    return None if err == "200 1.1" else f"exit {code}: {err}"


def nghttp(*arguments, hash_of=None):
    def check(node):
        with tempfile.NamedTemporaryFile() as upload:
            upload.write(BODY)
            upload.flush()
            command = [argument.replace("FILE", upload.name) for argument in arguments]
            base = f"http://127.0.0.1:{node.port}"
            code, out, err = told("nghttp", *command[:-1], *[base + path for path in command[-1].split()])
        if code or "ERROR" in err:
            return f"exit {code}: {err}"
        return None if hashlib.sha256(out).hexdigest() == hash_of else f"another body: {len(out)} bytes, {err}"

    return check


def h2load(*arguments, requests, upload=0, tls=False):
    def check(node):
        base = f"https://localhost:{node.tls_port}" if tls else f"http://127.0.0.1:{node.port}"
        with tempfile.NamedTemporaryFile() as body:
            body.write(pattern(upload))
            body.flush()
            more = ["-d", body.name] if upload else []
            code, out, err = told("h2load", "-n", str(requests), *more, *arguments[:-1], base + arguments[-1])
        text = out.decode()
        wanted = f"{requests} succeeded, 0 failed, 0 errored, 0 timeout"
        if code or wanted not in text or f"status codes: {requests} 2xx" not in text:
            return f"exit {code}: {re.findall('^(?:requests|status).*', text, re.M)} {err}"
        return None

    return check


def digest(octets):
    return hashlib.sha256(octets).hexdigest()


CLIENTS = {
    "curl-get": curl_is(200, b"ok", "/any/x"),
    "curl-get-tls": curl_is(200, b"ok", "/any/x", tls=True),
    "curl-download": curl_is(200, pattern(SIZE), f"/any/big/{SIZE}"),
    "curl-download-tls": curl_is(200, pattern(SIZE), f"/any/big/{SIZE}", tls=True),
    "curl-upload": curl_is(200, digest(BODY).encode(), "/any/hash", "-X", "POST", "--data-binary", "@-", stdin=BODY),
    "curl-upload-tls": curl_is(
        200, digest(BODY).encode(), "/any/hash", "-X", "POST", "--data-binary", "@-", tls=True, stdin=BODY
    ),
    "curl-upload-no-length": curl_is(200, digest(BODY).encode(), "/any/hash", "-T", "-", stdin=BODY),
    "curl-echo": curl_is(200, BODY, "/any/echo", "-X", "POST", "--data-binary", "@-", stdin=BODY),
    "curl-head": head_by_curl,
    "curl-not-found": curl_is(403, b'{"message":"Missing Authentication Token"}', "/nowhere"),
    "curl-parallel-100": parallel(False),
    "curl-parallel-100-tls": parallel(True),
    "curl-http1-on-tls": falls_back,
    "curl-http1-on-plain": both_versions,
    "nghttp-get": nghttp("/any/big/100000", hash_of=digest(pattern(100000))),
    "nghttp-upload": nghttp("-d", "FILE", "/any/echo", hash_of=digest(BODY)),
    "nghttp-trailers": nghttp(
        "-d", "FILE", "--trailer", "x-sum: 1", "/any/hash", hash_of=digest(digest(BODY).encode())
    ),
    "nghttp-small-windows": nghttp("-w", "10", "-W", "12", "/any/big/100000", hash_of=digest(pattern(100000))),
    "nghttp-padding": nghttp("-b", "100", "-d", "FILE", "/any/echo", hash_of=digest(BODY)),
    "nghttp-no-table": nghttp("--header-table-size=0", "/any/big/7", hash_of=digest(pattern(7))),
    "h2load-mock": h2load("-c", "4", "-m", "16", "/mock", requests=4_000),
    "h2load-proxy-tls": h2load("-c", "4", "-m", "8", "/any/x", requests=400, tls=True),
    "h2load-uploads-small-windows": h2load(
        "-c", "2", "-m", "4", "-w", "10", "-W", "12", "/any/echo", requests=200, upload=20_000
    ),
    "h2load-downloads-small-windows": h2load(
        "-c", "2", "-m", "4", "-w", "10", "-W", "12", "/any/big/50000", requests=100
    ),
}


def run_client(name, node):
    return CLIENTS[name](node)
