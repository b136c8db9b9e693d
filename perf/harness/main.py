"""Measures proxies in interleaved rounds: the scenarios, their targets, and the command line."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from control import control
from measurement import LOAD, LOAD_CORE, make_certificate, measure, on, rss_kib, start_backend, summarise
from peers import OURS, STARTERS, Turnpike, present
from table import table, write

# name: (what it is, options, peers, targets {peer: ratio of CPU per request, or (ratio, stretch)}); "judged": "p50" or "p99"
# holds the targets against the ratio of that instead.
SCENARIOS = {
    "W1": ("HTTP/1.1, 1 KiB, 64 connections", {}, ["nginx", "haproxy", "relay", "envoy", "pingora"],
           {"nginx": (0.75, 0.70), "haproxy": 0.78, "relay": (1.08, 1.03)}),
    "W1c512": ("the same, 512 connections", {"connections": 512}, ["nginx", "haproxy", "relay"], {"nginx": 0.65}),
    "W10k": ("10,000 connections, 1,000 requests in flight, each connection gets answers (p99)",
             {"connections": 10_000, "active": 1_000, "judged": "p99"},
             ["nginx"], {"nginx": 1.0}),
    "W1uds": ("UNIX-socket upstream", {"unix": True}, ["nginx", "haproxy", "relay"], {"nginx": 0.62}),
    "W1h2up": ("the same by HTTP/2 to the backend (nginx by HTTP/1.1)", {"h2up": True}, ["nginx", "haproxy"],
               {"nginx": 0.55, "haproxy": 0.80}),
    "W1h2upn": ("W1h2up with nginx for a backend, which is what is busy then", {"h2up": "nginx"}, ["nginx", "haproxy"], {}),
    "W2": ("one connection (p50)", {"connections": 1, "judged": "p50"}, ["nginx", "haproxy"], {"nginx": 1.0}),
    "W2spin": ("one connection, ours polls for 200 us before it sleeps (p50)",
               {"connections": 1, "judged": "p50", "spin": 200}, ["nginx", "haproxy"], {"nginx": 0.5}),
    "W3": ("TLS 1.3, 1 KiB, 64 connections (wrk)", {"tls": True}, ["nginx", "haproxy"], {"nginx": 0.75}),
    "W3hs": ("a TLS 1.3 connection per request (wrk, which resumes)", {"tls": True, "close": True}, ["nginx", "haproxy"],
             {"nginx": 0.65, "haproxy": 0.80}),
    "W3hsw": ("the same, whole handshakes (h2load, 2,500 a second)", {"tls": True, "handshakes": 2500}, ["nginx", "haproxy"],
              {"nginx": 0.65, "haproxy": 0.80}),
    "W4": ("64 KiB bodies", {"body": 65536}, ["nginx", "haproxy", "relay"], {"nginx": 0.95, "relay": 1.05}),
    "W5": ("HTTP/2 clients, 8 connections of 16 streams (h2load)", {"h2": True, "connections": 8},
           ["nginx", "haproxy"], {"nginx": 0.55, "haproxy": (1.0, 0.85)}),
    "W6": ("a connection per request", {"close": True}, ["nginx", "haproxy"], {"nginx": 0.92}),
    "W8": ("peers also limit, edit fields and write a JSON log", {"work": True}, ["nginx", "haproxy", "envoy"],
           {"nginx": (0.65, 0.60), "haproxy": (0.58, 0.53), "envoy": (0.32, 0.28)}),
}


def start(name, folder, options):
    arguments = {key: True for key in ("unix", "work", "tls", "h2", "h2up") if options.get(key)}
    if name == "nginx":
        arguments.pop("h2up", None)
    if name == "relay":
        arguments.pop("work", None)
    return STARTERS[name](folder, **arguments)


def scenario_rounds(name, folder, rounds, seconds, runtime):
    what, options, peer_names, targets = SCENARIOS[name]
    backend = "http+unix://" + str(folder / "backend.sock").replace("/", "%2F") if options.get("unix") else None
    behind = start_backend(folder, options)
    if options.get("tls"):
        make_certificate(folder)
    peers = [start(peer, folder, options) for peer in peer_names if present(peer)]
    peers.append(Turnpike(folder, name=f"turnpike-{name}", runtime=runtime, backend=backend,
                          tls=options.get("tls", False), h2up=bool(options.get("h2up")),
                          spin=options.get("spin", 0)))
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
    return summarise(name, what, ours.name, results, targets, options.get("judged", "ratio"))


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


def shards(folder, rounds, seconds):
    """CPU per request of two shards against one. Node, load and backend run where the scheduler likes: there are two cores."""
    options = {"core": None}
    peers = [Turnpike(folder, name=f"shards{count}", port=OURS + 2 * count, shards=count, core=None) for count in (1, 2)]
    behind = start_backend(folder, {}, core=None)
    try:
        runs = [[measure(peer, folder, options, seconds) for peer in peers] for _ in range(rounds)]
    finally:
        for peer in peers:
            peer.stop()
        behind.stop()
    good = [run for run in runs if all(run)]
    ratio = statistics.median(two["cpu_us"] / one["cpu_us"] for one, two in good) if good else float("nan")
    rate = statistics.median(two["rps"] / one["rps"] for one, two in good) if good else float("nan")
    print(f"shards: two need {ratio:.3f} of the CPU per request of one, at {rate:.2f} of its answers a second "
          f"({len(good)}/{len(runs)} rounds count)", flush=True)
    return {"ratio": ratio, "rate": rate}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, W1, W4, W6, W8 only")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--runtime", choices=["ring", "portable"], default="ring")
    parser.add_argument("--all-peers", action="store_true", help="build the slow peer, Pingora, too (done by perf/run)")
    parser.add_argument("--rate", type=int, default=10_000, help="requests a second beside management calls (control)")
    parser.add_argument("--no-write", action="store_true", help="print the table, leave docs/performance.md alone")
    parser.add_argument("scenarios", nargs="*", help=f"some of {', '.join(SCENARIOS)}, W7, scale, shards, control")
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (3 if arguments.quick else 5)
    arguments.seconds = arguments.seconds or (1.5 if arguments.quick else 3)
    names = arguments.scenarios or (["W1", "W4", "W6", "W8"] if arguments.quick else [*SCENARIOS, "W7", "scale", "shards", "control"])
    rows, idle, scales, pair, managed = [], [], None, None, None
    with tempfile.TemporaryDirectory(prefix="turnpike-perf-") as folder:
        folder = pathlib.Path(folder)
        os.chmod(folder, 0o755)
        for name in names:
            if name == "W7":
                idle = [idle_memory(folder, runtime, 8000) for runtime in ("ring", "portable")]
            elif name == "scale":
                scales = scale(folder, arguments.rounds, min(arguments.seconds, 1.5))
            elif name == "shards":
                pair = shards(folder, arguments.rounds, arguments.seconds)
            elif name == "control":
                managed = control(folder, arguments.rounds, arguments.seconds, arguments.rate)
            else:
                rows.append(scenario_rounds(name, folder, arguments.rounds, arguments.seconds, arguments.runtime))
    text = table(rows, idle, scales, pair, managed, arguments)
    if arguments.no_write:
        print(text)
    else:
        write(text)


if __name__ == "__main__":
    sys.exit(main())
