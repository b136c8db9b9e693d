"""Measures proxies in interleaved rounds: CPU per request of the whole process tree, latency, memory.

One proxy on core 0; load and backend, one thread, on core 1. CPU per request is the growth of schedstat's first field
over all tasks of the proxy's process tree, divided by answered requests. A round runs every peer once; the ratio of a
round is ours over the peer's in that round, and the figure is the median of the rounds' ratios. A run of Turnpike
counts only if the access log has as many lines as there were requests and nothing was dropped.
"""

import argparse
import atexit
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOAD = ROOT / "target/release/turnpike-load"
TURNPIKE = ROOT / "target/release/turnpike"
PROXY_CORE, LOAD_CORE = "0", "1"
BACKEND_PORT, NGINX, HAPROXY, RELAY, OURS, CONTROL = 9091, 9100, 9110, 9120, 9200, 9201


def realtime():
    """A prefix that keeps other programs off the cores, where that is allowed."""
    probe = subprocess.run(["chrt", "-f", "10", "true"], capture_output=True)
    return ["chrt", "-f", "10"] if probe.returncode == 0 else []


def on(core, *command):
    return [*PRIORITY, "taskset", "-c", core, *map(str, command)]


def tree(pid):
    pids = [pid]
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    if children.exists():
        for child in children.read_text().split():
            pids += tree(int(child))
    return pids


def cpu_ns(pid):
    total = 0
    for one in tree(pid):
        for task in pathlib.Path(f"/proc/{one}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                pass
    return total


def rss_kib(pid):
    return sum(int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{p}/status").read_text())[1]) for p in tree(pid))


class Process:
    """A started program; stopped by its pid."""

    def __init__(self, command, **options):
        options.setdefault("stdout", subprocess.DEVNULL)
        self.child = subprocess.Popen(command, stderr=subprocess.DEVNULL, **options)
        atexit.register(self.stop)

    @property
    def pid(self):
        return self.child.pid

    def stop(self):
        if self.child.poll() is not None:
            return
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def wait_port(port):
    import socket
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


class Peer:
    """A proxy under measurement."""

    def __init__(self, name, port, process, path="/items5/abc"):
        self.name, self.port, self.process, self.path = name, port, process, path

    def check(self, requests):
        return None

    def stop(self):
        self.process.stop()


class Turnpike(Peer):
    def __init__(self, folder, name="turnpike", routes=300, apis=1, port=OURS, runtime="ring", backend=None, log=True):
        self.log = folder / f"{name}.access.log"
        self.control = CONTROL + (port - OURS)
        files = []
        for api in range(apis):
            file = folder / f"{name}-{api}.yaml"
            file.write_text(document(api, routes, backend or f"http://127.0.0.1:{BACKEND_PORT}"))
            files.append(file)
        settings = folder / f"{name}.turnpike.yaml"
        destination = self.log if log else "off"
        settings.write_text(
            f"listeners: [{{address: '127.0.0.1:{port}'}}]\nshards: {{count: 1}}\n"
            f"access_log: {{destination: {destination}, format: json}}\nlimits: {{connections: 16000}}\n"
        )
        command = [TURNPIKE, "serve", *files, "--config", settings, "--control", f"127.0.0.1:{self.control}",
                   "--runtime", runtime]
        path = f"/items{routes // 2}/abc"
        if apis > 1:
            path = f"/_aws/execute-api/api{apis // 2:07}/prod{path}"
        super().__init__(name, port, Process(on(PROXY_CORE, *command), cwd=folder), path)
        wait_port(port)
        self.lines = 0

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
        dropped = self.metric("access_log_dropped_total")
        if grown < requests or dropped:
            return f"{requests} requests, {grown} log lines, {dropped:.0f} dropped"
        return None


def document(api, routes, backend):
    text = [
        f'openapi: 3.0.1\ninfo: {{title: bench, version: "1"}}\nx-turnpike: {{id: api{api:07}, stage: prod, '
        "throttle: {rateLimit: 10000000, burstLimit: 1000000}}\npaths:\n"
    ]
    for route in range(routes):
        text.append(
            f"  /items{route}/{{id}}:\n    get:\n      x-amazon-apigateway-integration:\n        type: http_proxy\n"
            f"        httpMethod: GET\n        uri: {backend}/items/{{id}}\n        requestParameters:\n"
            "          integration.request.path.id: method.request.path.id\n"
        )
    return "".join(text)


def nginx(folder, name="nginx", work=False, unix=False, port=NGINX):
    template = (ROOT / "perf/peers/nginx.conf").read_text()
    backend = f"unix:{folder}/backend.sock" if unix else f"127.0.0.1:{BACKEND_PORT}"
    extra = (ROOT / "perf/peers/nginx-work.conf").read_text() if work else "access_log off;"
    edits = "limit_req zone=all burst=1000000 nodelay; proxy_set_header X-Request-Id $request_id; " \
            "add_header X-Request-Id $request_id; proxy_hide_header Server;" if work else ""
    conf = folder / f"{name}.conf"
    conf.write_text(template.replace("@FOLDER@", str(folder)).replace("@BACKEND@", backend)
                    .replace("@PORT@", str(port)).replace("@EXTRA@", extra).replace("@EDITS@", edits)
                    .replace("@NAME@", name).replace("@LOG@", str(folder / f"{name}.log")))
    peer = Peer(name, port, Process(on(PROXY_CORE, "nginx", "-c", conf, "-g", "daemon off;")))
    wait_port(port)
    return peer


def haproxy(folder, name="haproxy", work=False, unix=False, port=HAPROXY):
    template = (ROOT / "perf/peers/haproxy.cfg").read_text()
    backend = f"unix@{folder}/backend.sock" if unix else f"127.0.0.1:{BACKEND_PORT}"
    extra = (ROOT / "perf/peers/haproxy-work-global.cfg").read_text() if work else ""
    front = (ROOT / "perf/peers/haproxy-work.cfg").read_text() if work else ""
    conf = folder / f"{name}.cfg"
    conf.write_text(template.replace("@BACKEND@", backend).replace("@PORT@", str(port)).replace("@EXTRA@", extra)
                    .replace("@FRONT@", front))
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


def start_backend(folder, scenario):
    """The backend lives as long as the peers do: their pooled connections must stay good from run to run."""
    address = f"unix:{folder}/backend.sock" if scenario.get("unix") else f"127.0.0.1:{BACKEND_PORT}"
    command = [LOAD, "backend", "--listen", address, "--body-bytes", scenario.get("body", 1024)]
    process = Process(on(LOAD_CORE, *command))
    time.sleep(0.2)
    return process


def measure(peer, folder, scenario, seconds):
    """One run: CPU per request in microseconds, and what the load saw."""
    command = [LOAD, "load", "--target", f"127.0.0.1:{peer.port}", "--path", peer.path,
               "--seconds", seconds, "--connections", scenario.get("connections", 64),
               "--body-bytes", scenario.get("body", 1024)]
    if scenario.get("close"):
        command.append("--close")
    before = cpu_ns(peer.process.pid)
    run = subprocess.run(on(LOAD_CORE, *command), capture_output=True, text=True)
    after = cpu_ns(peer.process.pid)
    if run.returncode:
        raise SystemExit(f"{peer.name}: {run.stderr}")
    seen = json.loads(run.stdout)
    problem = peer.check(seen["requests"])
    if seen["bad"] or seen["errors"] > seen["connections"] or not seen["requests"]:
        problem = problem or f"{seen['bad']} bad answers, {seen['errors']} errors"
    if problem:
        print(f"    {peer.name}: run does not count: {problem}", flush=True)
        return None
    seen["cpu_us"] = (after - before) / seen["requests"] / 1000
    seen["rss_kib"] = rss_kib(peer.process.pid)
    return seen


# name: (what it is, options, peers, targets {peer: ratio of CPU per request})
SCENARIOS = {
    "W1": ("HTTP/1.1, 1 KiB, 64 connections", {}, ["nginx", "haproxy", "relay"],
           {"nginx": 0.75, "haproxy": 0.78, "relay": 1.08}),
    "W1c512": ("the same, 512 connections", {"connections": 512}, ["nginx", "haproxy", "relay"], {"nginx": 0.65}),
    "W1uds": ("UNIX-socket upstream", {"unix": True}, ["nginx", "haproxy", "relay"], {"nginx": 0.62}),
    "W2": ("one connection (p50)", {"connections": 1}, ["nginx", "haproxy"], {}),
    "W4": ("64 KiB bodies", {"body": 65536}, ["nginx", "haproxy", "relay"], {"nginx": 0.95, "relay": 1.05}),
    "W6": ("a connection per request", {"close": True}, ["nginx", "haproxy"], {"nginx": 0.92}),
    "W8": ("peers also limit, edit fields and write a JSON log", {"work": True}, ["nginx", "haproxy"],
           {"nginx": 0.65, "haproxy": 0.58}),
}
STARTERS = {"nginx": nginx, "haproxy": haproxy, "relay": relay}


def start(name, folder, options):
    arguments = {key: True for key in ("unix", "work") if options.get(key)}
    if name == "relay":
        arguments.pop("work", None)
    return STARTERS[name](folder, **arguments)


def scenario_rounds(name, folder, rounds, seconds, runtime):
    what, options, peer_names, targets = SCENARIOS[name]
    backend = "http+unix://" + str(folder / "backend.sock").replace("/", "%2F") if options.get("unix") else None
    behind = start_backend(folder, options)
    peers = [start(peer, folder, options) for peer in peer_names if peer == "relay" or shutil.which(peer)]
    peers.append(Turnpike(folder, name=f"turnpike-{name}", runtime=runtime, backend=backend))
    ours = peers[-1]
    results = {peer.name: [] for peer in peers}
    try:
        for peer in peers:
            measure(peer, folder, options, 0.5)
        for number in range(rounds):
            for peer in peers[number % len(peers):] + peers[:number % len(peers)]:
                results[peer.name].append(measure(peer, folder, options, seconds))
    finally:
        for peer in peers:
            peer.stop()
        behind.stop()
    return summarise(name, what, ours.name, results, targets)


def summarise(name, what, ours, results, targets):
    row = {"scenario": name, "what": what, "peers": {}}
    mine = results[ours]
    good = [run for run in mine if run]
    row["cpu_us"] = min((run["cpu_us"] for run in good), default=float("nan"))
    row["rps"] = statistics.median(run["rps"] for run in good) if good else 0
    row["p50_us"] = statistics.median(run["p50_us"] for run in good) if good else 0
    row["p99_us"] = statistics.median(run["p99_us"] for run in good) if good else 0
    row["counted"] = f"{len(good)}/{len(mine)}"
    for peer, runs in results.items():
        if peer == ours:
            continue
        ratios = [a["cpu_us"] / b["cpu_us"] for a, b in zip(mine, runs) if a and b]
        p50 = [a["p50_us"] / b["p50_us"] for a, b in zip(mine, runs) if a and b]
        p99 = [a["p99_us"] / b["p99_us"] for a, b in zip(mine, runs) if a and b]
        row["peers"][peer] = {
            "ratio": statistics.median(ratios) if ratios else float("nan"),
            "cpu_us": min((run["cpu_us"] for run in runs if run), default=float("nan")),
            "p50": statistics.median(p50) if p50 else float("nan"),
            "p99": statistics.median(p99) if p99 else float("nan"),
            "target": targets.get(peer),
        }
    print(f"{name:7} ours {row['cpu_us']:.2f} us, p50 {row['p50_us']:.0f} us, {row['rps']:.0f}/s, "
          + ", ".join(f"{peer} x{v['ratio']:.3f} (p50 x{v['p50']:.2f})" for peer, v in row["peers"].items()), flush=True)
    return row


def idle_memory(folder, runtime, connections):
    """W7: memory of an idle connection after ten thousand requests."""
    behind = start_backend(folder, {})
    ours = Turnpike(folder, name=f"turnpike-idle-{runtime}", runtime=runtime)
    try:
        command = [LOAD, "load", "--target", f"127.0.0.1:{ours.port}", "--path", ours.path,
                   "--connections", "64", "--seconds", "1"]
        subprocess.run(on(LOAD_CORE, *command), capture_output=True)
        before = rss_kib(ours.process.pid)
        command = [LOAD, "load", "--target", f"127.0.0.1:{ours.port}", "--path", ours.path, "--hold",
                   "--connections", str(connections), "--rate", "8000",
                   "--seconds", str(connections / 8000 + 1.5)]
        child = subprocess.Popen(on(LOAD_CORE, *command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        seen = json.loads(child.stdout.readline())
        time.sleep(1)
        after, opened = rss_kib(ours.process.pid), ours.metric("turnpike_connections_open")
        child.stdin.close()
        child.wait()
    finally:
        ours.stop()
        behind.stop()
    each = (after - before) / max(opened, 1)
    print(f"W7 {runtime}: {opened:.0f} open after {seen['requests']} requests, {each:.2f} KiB each", flush=True)
    return {"runtime": runtime, "connections": opened, "requests": seen["requests"], "kib": each}


def scale(folder, rounds, seconds):
    """CPU per request against the number of routes and of APIs, and an idle sidecar's memory."""
    sidecar = Turnpike(folder, name="sidecar", routes=10, port=OURS + 50)
    time.sleep(0.5)
    rss = rss_kib(sidecar.process.pid)
    sidecar.stop()
    rows = {}
    for kind, sizes in (("routes", (10, 300, 10_000)), ("APIs", (1, 1_000))):
        peers = [Turnpike(folder, name=f"{kind}{size}", port=OURS + 2 * place,
                          **({"routes": size} if kind == "routes" else {"routes": 10, "apis": size}))
                 for place, size in enumerate(sizes)]
        behind = start_backend(folder, {})
        try:
            runs = [[measure(peer, folder, {}, seconds) for peer in peers] for _ in range(rounds)]
        finally:
            for peer in peers:
                peer.stop()
            behind.stop()
        for place, size in enumerate(sizes):
            ratios = [run[place]["cpu_us"] / run[0]["cpu_us"] for run in runs if run[place] and run[0]]
            rows[f"{size} {kind}"] = statistics.median(ratios) if ratios else float("nan")
    print(f"scale: {rows}; idle sidecar {rss / 1024:.1f} MiB", flush=True)
    return {"ratios": rows, "sidecar_mib": rss / 1024}


def version(*command):
    if not shutil.which(command[0]):
        return "not installed"
    run = subprocess.run(command, capture_output=True, text=True)
    return (run.stdout + run.stderr).splitlines()[0].strip()


def table(rows, idle, scales, arguments):
    cpu = re.search(r"model name\s+: (.*)", pathlib.Path("/proc/cpuinfo").read_text())[1]
    lines = [
        f"Measured {datetime.date.today()} by `perf/run{' --quick' if arguments.quick else ''}`: {arguments.rounds} rounds of "
        f"{arguments.seconds} s, runtime `{arguments.runtime}`; {cpu}, {os.cpu_count()} CPUs, Linux {platform.release()}; "
        f"{version('nginx', '-v')}; {version('haproxy', '-v')}; configs in `perf/peers/`.", "",
        "| scenario | ours: CPU, p50, p99 | against | CPU ratio (median of rounds) | target | p50 ratio | p99 ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        mine = f"{row['cpu_us']:.2f} µs, {row['p50_us']:.0f} µs, {row['p99_us']:.0f} µs ({row['counted']} runs count)"
        for peer, value in row["peers"].items():
            target = f"≤ {value['target']}" if value["target"] else "–"
            met = "" if not value["target"] else (" met" if value["ratio"] <= value["target"] else " **missed**")
            lines.append(f"| {row['scenario']} {row['what']} | {mine} | {peer} {value['cpu_us']:.2f} µs | "
                         f"{value['ratio']:.3f} | {target}{met} | {value['p50']:.2f} | {value['p99']:.2f} |")
    lines.append("")
    for one in idle:
        target = 1.5 if one["runtime"] == "ring" else 4
        met = "met" if one["kib"] <= target else "**missed**"
        lines.append(f"W7, {one['runtime']}: {one['kib']:.2f} KiB of process memory for each of {one['connections']:.0f} idle "
                     f"connections (target ≤ {target} KiB: {met}).")
    if scales:
        ratios = ", ".join(f"{name} {ratio:.3f}" for name, ratio in scales["ratios"].items())
        lines.append(f"Scale, CPU per request against the smallest: {ratios} (target 0.95 to 1.05). "
                     f"An idle sidecar with one shard and one API: {scales['sidecar_mib']:.1f} MiB (target ≤ 12 MiB).")
    return "\n".join(lines)


def write(text):
    page = ROOT / "docs/performance.md"
    begin, end = "<!-- perf/run: begin -->", "<!-- perf/run: end -->"
    old = page.read_text()
    if begin not in old:
        old += f"\n{begin}\n{end}\n"
    before, rest = old.split(begin)
    page.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}")
    print(f"written to {page.relative_to(ROOT)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, W1, W4, W6, W8 only")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--runtime", choices=["ring", "portable"], default="ring")
    parser.add_argument("--no-write", action="store_true", help="leave docs/performance.md alone")
    parser.add_argument("scenarios", nargs="*", help=f"some of {', '.join(SCENARIOS)}, W7, scale")
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (3 if arguments.quick else 5)
    arguments.seconds = arguments.seconds or (1.5 if arguments.quick else 3)
    names = arguments.scenarios or (["W1", "W4", "W6", "W8"] if arguments.quick else [*SCENARIOS, "W7", "scale"])
    rows, idle, scales = [], [], None
    with tempfile.TemporaryDirectory(prefix="turnpike-perf-") as folder:
        folder = pathlib.Path(folder)
        os.chmod(folder, 0o755)
        for name in names:
            if name == "W7":
                idle = [idle_memory(folder, runtime, 8000) for runtime in ("ring", "portable")]
            elif name == "scale":
                scales = scale(folder, arguments.rounds, min(arguments.seconds, 1.5))
            else:
                rows.append(scenario_rounds(name, folder, arguments.rounds, arguments.seconds, arguments.runtime))
    if not arguments.no_write:
        write(table(rows, idle, scales, arguments))


PRIORITY = realtime()
if __name__ == "__main__":
    sys.exit(main())
