"""The proxies under measurement: how each is configured, started and named."""

import pathlib
import re
import shutil
import subprocess
import time
import urllib.request

from measurement import BACKEND_PORT, LOAD, PROXY_CORE, ROOT, Process, on, wait_port

TURNPIKE = ROOT / "target/release/turnpike"
ENVOY_PROGRAM = ROOT / "target/perf/venv/bin/envoy"
PINGORA_PROGRAM = ROOT / "target/perf/pingora/release/pingora-peer"
NGINX, HAPROXY, RELAY, ENVOY, PINGORA, OURS, CONTROL = 9100, 9110, 9120, 9130, 9140, 9200, 9201


class Peer:
    """A proxy under measurement."""

    def __init__(self, name, port, process, path="/items5/abc"):
        self.name, self.port, self.process, self.path = name, port, process, path

    def check(self, requests):
        return None

    def stop(self):
        self.process.stop()


class Turnpike(Peer):
    def __init__(self, folder, name="turnpike", routes=300, apis=1, port=OURS, runtime="ring", backend=None, log=True,
                 tls=False, h2up=False, spin=0, shards=1, core=PROXY_CORE, data=None):
        self.log = folder / f"{name}.access.log"
        self.control = CONTROL + (port - OURS)
        files = []
        for api in range(apis):
            file = folder / f"{name}-{api}.yaml"
            file.write_text(document(api, routes, backend or f"http://127.0.0.1:{BACKEND_PORT + h2up}", h2up))
            files.append(file)
        settings = folder / f"{name}.turnpike.yaml"
        destination = self.log if log else "off"
        certificate = f", tls: {{certificate: {folder}/server.pem, key: {folder}/server.key}}" if tls else ""
        settings.write_text(
            f"listeners: [{{address: '127.0.0.1:{port}'{certificate}}}]\nshards: {{count: {shards}, spin_us: {spin}}}\n"
            f"access_log: {{destination: {destination}, format: json}}\nlimits: {{connections: 16000, idle_upstreams: 512}}\n"
        )
        command = [TURNPIKE, "serve", *files, "--config", settings, "--control", f"127.0.0.1:{self.control}",
                   "--runtime", runtime, *(["--data-dir", data] if data else [])]
        path = f"/items{routes // 2}/abc"
        if apis > 1:
            path = f"/_aws/execute-api/api{apis // 2:07}/prod{path}"
        super().__init__(name, port, Process(on(core, *command), cwd=folder), path)
        wait_port(port)
        self.lines = self.dropped = 0

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.control}/metrics") as answer:
            text = answer.read().decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.M))

    def check(self, requests):
        if not self.log.exists():
            return None
        time.sleep(0.1)
        lines = int(subprocess.run(["wc", "-l", self.log], capture_output=True, text=True).stdout.split()[0])
        grown, self.lines = lines - self.lines, lines
        dropped_in_all = self.metric("access_log_dropped_total")
        dropped, self.dropped = dropped_in_all - self.dropped, dropped_in_all
        if grown < requests or dropped:
            return f"{requests} requests, {grown} log lines, {dropped:.0f} dropped"
        return None


def document(api, routes, backend, h2up=False):
    text = [
        f'openapi: 3.0.1\ninfo: {{title: bench, version: "1"}}\nx-turnpike: {{id: api{api:07}, stage: prod, '
        "throttle: {rateLimit: 10000000, burstLimit: 1000000}}\npaths:\n"
    ]
    for route in range(routes):
        text.append(
            f"  /items{route}/{{id}}:\n    get:\n      x-amazon-apigateway-integration:\n        type: http_proxy\n"
            f"        httpMethod: GET\n        uri: {backend}/items/{{id}}\n        requestParameters:\n"
            "          integration.request.path.id: method.request.path.id\n"
            + ("        x-turnpike: {protocol: h2c}\n" if h2up else "")
        )
    return "".join(text)


def nginx(folder, name="nginx", work=False, unix=False, tls=False, h2=False, port=NGINX):
    template = (ROOT / "perf/peers/nginx.conf").read_text()
    backend = f"unix:{folder}/backend.sock" if unix else f"127.0.0.1:{BACKEND_PORT}"
    extra = (ROOT / "perf/peers/nginx-work.conf").read_text() if work else "access_log off;"
    edits = "limit_req zone=all burst=1000000 nodelay; proxy_set_header X-Request-Id $request_id; " \
            "add_header X-Request-Id $request_id; proxy_hide_header Server;" if work else ""
    certificate = f"ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key; " \
                  "ssl_protocols TLSv1.2 TLSv1.3;"
    conf = folder / f"{name}.conf"
    conf.write_text(template.replace("@FOLDER@", str(folder)).replace("@BACKEND@", backend)
                    .replace("@PORT@", str(port)).replace("@EXTRA@", extra).replace("@EDITS@", edits)
                    .replace("@TLS@", "ssl" if tls else "http2" if h2 else "")
                    .replace("@CERTIFICATE@", certificate if tls else "").replace("@NAME@", name).replace("@LOG@", str(folder / f"{name}.log")))
    peer = Peer(name, port, Process(on(PROXY_CORE, "nginx", "-c", conf, "-g", "daemon off;")))
    wait_port(port)
    return peer


def haproxy(folder, name="haproxy", work=False, unix=False, tls=False, h2=False, h2up=False, port=HAPROXY):
    template = (ROOT / "perf/peers/haproxy.cfg").read_text()
    backend = f"unix@{folder}/backend.sock" if unix else f"127.0.0.1:{BACKEND_PORT + h2up}"
    backend += " proto h2" if h2up else ""
    extra = (ROOT / "perf/peers/haproxy-work-global.cfg").read_text() if work else ""
    front = (ROOT / "perf/peers/haproxy-work.cfg").read_text() if work else ""
    conf = folder / f"{name}.cfg"
    conf.write_text(template.replace("@BACKEND@", backend).replace("@PORT@", str(port)).replace("@EXTRA@", extra)
                    .replace("@FRONT@", front)
                    .replace("@TLS@", f"ssl crt {folder}/both.pem" if tls else "proto h2" if h2 else ""))
    log = open(folder / f"{name}.log", "wb") if work else subprocess.DEVNULL
    peer = Peer(name, port, Process(on(PROXY_CORE, "haproxy", "-f", conf, "-db"), stdout=log))
    wait_port(port)
    return peer


def relay(folder, name="relay", unix=False, port=RELAY):
    backend = f"unix:{folder}/backend.sock" if unix else f"127.0.0.1:{BACKEND_PORT}"
    command = [LOAD, "relay", "--listen", f"127.0.0.1:{port}", "--backend", backend]
    peer = Peer(name, port, Process(on(PROXY_CORE, *command)))
    wait_port(port)
    return peer


def envoy(folder, name="envoy", work=False, port=ENVOY):
    conf = folder / f"{name}.yaml"
    text = (ROOT / "perf/peers/envoy.yaml").read_text()
    for part in ("edits", "headers", "filters"):
        extra = (ROOT / f"perf/peers/envoy-work-{part}.yaml").read_text().rstrip() if work else ""
        if part == "edits" and not work:
            extra = "generate_request_id: false"
        text = text.replace(f"@{part.upper()}@", extra)
    conf.write_text(text.replace("@PORT@", str(port)).replace("@BACKEND_PORT@", str(BACKEND_PORT))
                    .replace("@LOG@", str(folder / f"{name}.log")))
    command = [ENVOY_PROGRAM, "--concurrency", "1", "--disable-hot-restart", "--log-level", "off", "-c", conf]
    peer = Peer(name, port, Process(on(PROXY_CORE, *command)))
    wait_port(port)
    return peer


def pingora(folder, name="pingora", port=PINGORA):
    command = [PINGORA_PROGRAM, f"127.0.0.1:{port}", f"127.0.0.1:{BACKEND_PORT}"]
    peer = Peer(name, port, Process(on(PROXY_CORE, *command), cwd=folder))
    wait_port(port)
    return peer


STARTERS = {"nginx": nginx, "haproxy": haproxy, "relay": relay, "envoy": envoy, "pingora": pingora}
PROGRAMS = {"nginx": "nginx", "haproxy": "haproxy", "relay": LOAD, "envoy": ENVOY_PROGRAM, "pingora": PINGORA_PROGRAM}


def present(name):
    """Whether the peer is there; says so where it isn't."""
    if shutil.which(PROGRAMS[name]):
        return True
    print(f"    {name}: left out, {PROGRAMS[name]} is not there (perf/README.md tells how it comes)", flush=True)
    return False


def version(*command, line=0):
    if not shutil.which(command[0]):
        return f"{pathlib.Path(command[0]).name}: not installed"
    run = subprocess.run(command, capture_output=True, text=True)
    lines = [text for text in (run.stdout + run.stderr).splitlines() if text.strip()]
    return lines[line].strip() if lines else "unknown"


def versions():
    """Of all peers, as the table's caption has them."""
    lock = (ROOT / "perf/peers/pingora/Cargo.lock").read_text()
    proxy = re.search(r'name = "pingora-proxy"\nversion = "(.*)"', lock)[1]
    number = version(ENVOY_PROGRAM, "--version", line=-1).rpartition("version: ")[2].split("/")
    return "; ".join([version("nginx", "-v"), version("haproxy", "-v"),
                      f"envoy {number[1]}" if len(number) > 1 else "envoy: not installed",
                      f"pingora {proxy}" if shutil.which(PINGORA_PROGRAM) else "pingora: not built"])
