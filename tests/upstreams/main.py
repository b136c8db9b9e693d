"""Runs the cases: a node in front of every backend, on one event loop after the other."""

import argparse
import hashlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

import backends

LARGE = os.urandom(3_000_000)
DIGEST = hashlib.sha256(LARGE).hexdigest()
failures = []


def expect(name, seen, wanted):
    if seen != wanted:
        failures.append(name)
        print(f"  {name}: {seen!r}, expected {wanted!r}", flush=True)


def short(answer):
    """An answer with a large body by its digest, for people to read."""
    status, body = answer
    return status, body if len(body) < 1000 else hashlib.sha256(body).hexdigest()


def document(targets):
    lines = ['openapi: 3.0.1\ninfo: {title: upstreams, version: "1"}\npaths:']
    for name, uri, more in targets:
        lines.append(
            f"  /{name}/{{proxy+}}:\n    x-amazon-apigateway-any-method:\n"
            "      parameters: [{name: proxy, in: path, required: true, schema: {type: string}}]\n"
            "      responses: {}\n      x-amazon-apigateway-integration:\n        type: http_proxy\n"
            f"        httpMethod: ANY\n        timeoutInMillis: 2000\n        uri: \"{uri}/{{proxy}}\"\n"
            "        requestParameters: {integration.request.path.proxy: method.request.path.proxy}\n"
            + "".join(f"        {line}\n" for line in more))
    return "\n".join(lines)


class Node:
    def __init__(self, folder, runtime, text):
        (folder / "api.yaml").write_text(text)
        (folder / "turnpike.yaml").write_text(
            "upstream: {roots: ca.pem}\nlisteners: [{address: 127.0.0.1:0}]\nshards: {count: 1}\n")
        self.process = subprocess.Popen(
            [os.environ["TURNPIKE_BINARY"], "serve", "api.yaml", "--runtime", runtime, "--control", "127.0.0.1:0"],
            cwd=folder, stderr=subprocess.PIPE, text=True)
        log = ""
        while "ready:" not in log:
            line = self.process.stderr.readline()
            if not line:
                raise SystemExit(f"the node didn't start:\n{log}")
            log += line
        self.address = re.search(r"listening on http://(\S+)", log)[1]
        self.control = re.search(r"control on http://(\S+)", log)[1]

    def curl(self, path, *flags, body=None):
        """Status and body; status 0 where the answer has no clean end."""
        command = ["curl", "-s", "-m", "20", "-w", "\n%{http_code}", *flags, f"http://{self.address}{path}"]
        run = subprocess.run(command, input=body, capture_output=True)
        answer, _, status = run.stdout.rpartition(b"\n")
        return (int(status) if run.returncode == 0 else 0), answer

    def metric(self, name):
        with urllib.request.urlopen(f"http://{self.control}/metrics") as answer:
            return int(re.search(rf"^{name} (\d+)$", answer.read().decode(), re.M)[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


def trust(node):
    unreachable = b'{"message": "Network error communicating with endpoint"}'
    misconfigured = b'{"message": "Internal server error"}'
    for name, wanted in (
        ("good", (200, b"yyy")), ("address", (200, b"yyy")), ("self", (504, unreachable)), ("self-any", (200, b"yyy")),
        ("old", (504, unreachable)), ("old-any", (504, unreachable)), ("other", (500, misconfigured)),
        ("other-any", (500, misconfigured)), ("plain", (504, unreachable)),
    ):
        expect(f"trust {name}", node.curl(f"/{name}/3"), wanted)
    expect("large down", hashlib.sha256(node.curl("/good/3000000")[1]).hexdigest(),
           hashlib.sha256(b"y" * 3_000_000).hexdigest())
    for flags in ((), ("-H", "Transfer-Encoding: chunked")):
        expect(f"large up {flags}", node.curl("/good/x", "--data-binary", "@-", *flags, body=LARGE),
               (200, DIGEST.encode()))


def calls(node, name, backend, client):
    """One HTTP/2 backend, by one kind of client."""
    version = ["--http2-prior-knowledge"] if client == "h2" else ["--http1.1"]

    def ask(path, *flags, body=None):
        return node.curl(f"/{name}{path}", *version, *flags, body=body)

    label = f"{name} for {client}"
    unreachable = (504, b'{"message": "Network error communicating with endpoint"}')
    for path, wanted in (
        ("/ok", (200, b"ok")), ("/no-content", (204, b"")), ("/trailers", (200, b"abc")), ("/hints", (200, b"final")),
        ("/refused", (200, b"second")), ("/broken", unreachable), ("/cut", (0, b"half")),
        ("/last", (200, b"bye")), ("/ok", (200, b"ok")), ("/away", (200, b"again")), ("/gone", unreachable),
        ("/hang", (504, b'{"message": "Endpoint request timed out"}')), ("/ok", (200, b"ok")),
        ("/bytes/3000000", (200, b"z" * 3_000_000)),
    ):
        expect(f"{label} {path}", short(ask(path)), short(wanted))
    # How much of it comes is a matter of luck; that it doesn't end cleanly isn't.
    expect(f"{label} /short", ask("/short")[0], 0)
    for flags in ((), ("-H", "Transfer-Encoding: chunked") if client == "h1" else ()):
        expect(f"{label} upload {flags}", ask("/digest", "--data-binary", "@-", *flags, body=LARGE),
               (200, DIGEST.encode()))
    expect(f"{label} HEAD", ask("/ok", "--head")[0], 200)
    expect(f"{label} a refused upload isn't sent twice", ask("/refused", "-d", "x")[0] in (200, 504), True)
    # A client that leaves cancels its call.
    before = sum(1 for what in backend.seen if what[0] == "reset" and what[1] == "/hang")
    subprocess.run(["curl", "-s", "-m", "0.3", *version, f"http://{node.address}/{name}/hang"], capture_output=True)
    deadline = time.monotonic() + 5
    while sum(1 for what in backend.seen if what[0] == "reset" and what[1] == "/hang") <= before:
        if time.monotonic() > deadline:
            expect(f"{label} a client that left", "call not cancelled", "RST_STREAM")
            break
        time.sleep(0.02)
    # Fifty at once share the connection.
    connections = sum(1 for what in backend.seen if what[0] == "connection")
    running = [subprocess.Popen(["curl", "-s", "-m", "10", *version, f"http://{node.address}/{name}/ok"],
                                stdout=subprocess.PIPE) for _ in range(50)]
    expect(f"{label} fifty at once", {one.communicate()[0] for one in running}, {b"ok"})
    grown = sum(1 for what in backend.seen if what[0] == "connection") - connections
    expect(f"{label} connections for fifty", grown <= 1, True)
    heads = [dict(what[3]) for what in backend.seen if what[0] == "request"]
    expect(f"{label} fields of HTTP/1.1 only", [h for h in heads if {"connection", "transfer-encoding", "host"} & set(h)], [])


def loop(runtime):
    with tempfile.TemporaryDirectory(prefix="turnpike-upstreams-") as folder:
        folder = pathlib.Path(folder)
        backends.certificates(folder)
        ports = {name: backends.tls_backend(folder, name) for name in ("good", "self", "old", "other")}
        ports["plain"] = backends.tls_backend(folder, None)
        secure, clear = backends.Http2Backend(folder), backends.Http2Backend()
        shy = backends.Http2Backend(shy=4)
        skip = ["tlsConfig: {insecureSkipVerification: true}"]
        targets = [(name, f"https://localhost:{port}", []) for name, port in ports.items()]
        targets += [(f"{name}-any", f"https://localhost:{ports[name]}", skip) for name in ("self", "old", "other")]
        targets += [
            ("address", f"https://127.0.0.1:{ports['good']}", []),
            ("h2", f"https://localhost:{secure.port}", ["x-turnpike: {protocol: h2}"]),
            ("h2c", f"http://127.0.0.1:{clear.port}", ["x-turnpike: {protocol: h2c}"]),
            ("shy", f"http://127.0.0.1:{shy.port}", ["x-turnpike: {protocol: h2c}"]),
            ("no-h2", f"https://localhost:{ports['good']}", ["x-turnpike: {protocol: h2}"]),
            ("no-h2c", f"http://127.0.0.1:{ports['plain']}", ["x-turnpike: {protocol: h2c}"]),
        ]
        node = Node(folder, runtime, document(targets))
        try:
            trust(node)
            for name in ("no-h2", "no-h2c"):
                expect(f"{name} falls back", node.curl(f"/{name}/4"), (200, b"yyyy"))
                expect(f"{name} stays there", node.curl(f"/{name}/4"), (200, b"yyyy"))
            # Each of two calls may try twice; who says nothing isn't taken for one of HTTP/1.1.
            expect("nobody answers", [node.curl("/shy/ok")[0] for _ in range(2)], [504, 504])
            expect("a restarted backend", [node.curl("/shy/ok") for _ in range(2)], [(200, b"ok")] * 2)
            for client in ("h1", "h2"):
                calls(node, "h2", secure, client)
                calls(node, "h2c", clear, client)
            time.sleep(0.2)
            expect("requests in flight", node.metric("turnpike_requests_in_flight"), 0)
            expect("client connections", node.metric("turnpike_connections_open"), 0)
            expect("defects caught", node.metric("turnpike_panics_total"), 0)
        finally:
            expect("orderly end", node.stop(), 0)
    print(f"{runtime}: {'passed' if not failures else 'failed'}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runtime", choices=["ring", "portable"])
    wanted = parser.parse_args().runtime
    started = time.monotonic()
    for runtime in [wanted] if wanted else ["ring", "portable"]:
        loop(runtime)
    print(f"upstreams: {len(failures)} failures in {time.monotonic() - started:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
