"""What is measured of a process: CPU per request of the whole process tree, latency, memory.

One proxy on core 0; load and backend, one thread, on core 1. CPU per request is the growth of schedstat's first field
over all tasks of the proxy's process tree, divided by answered requests. A round runs every peer once; the ratio of a
round is ours over the peer's in that round, and the figure is the median of the rounds' ratios. A run of Turnpike
counts only if the access log has as many lines as there were requests and nothing was dropped.
"""

import atexit
import json
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LOAD = ROOT / "target/release/turnpike-load"
PROXY_CORE, LOAD_CORE = "0", "1"
BACKEND_PORT = 9091


def realtime():
    """A prefix that keeps other programs off the cores, where that is allowed."""
    probe = subprocess.run(["chrt", "-f", "10", "true"], capture_output=True)
    return ["chrt", "-f", "10"] if probe.returncode == 0 else []


PRIORITY = realtime()


def on(core, *command):
    """The command on a core of its own; where `core` is nothing, wherever the scheduler likes."""
    if core is None:
        return [*map(str, command)]
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
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


def start_backend(folder, scenario, core=LOAD_CORE):
    """The backend lives as long as the peers do: their pooled connections must stay good from run to run."""
    if scenario.get("h2up") == "nginx":
        conf = folder / "h2-backend.conf"
        text = (ROOT / "perf/peers/nginx-h2-backend.conf").read_text().replace("@FOLDER@", str(folder))
        conf.write_text(text.replace("@PORT@", str(BACKEND_PORT)).replace("@PORT2@", str(BACKEND_PORT + 1))
                        .replace("@BODY@", "x" * 1024))
        process = Process(on(LOAD_CORE, "nginx", "-c", conf, "-g", "daemon off;"))
        wait_port(BACKEND_PORT)
        return process
    address = f"unix:{folder}/backend.sock" if scenario.get("unix") else f"127.0.0.1:{BACKEND_PORT}"
    command = [LOAD, "backend", "--listen", address, "--body-bytes", scenario.get("body", 1024)]
    if scenario.get("h2up"):
        command += ["--listen-h2", f"127.0.0.1:{BACKEND_PORT + 1}"]
    process = Process(on(core, *command))
    time.sleep(0.2)
    if scenario.get("unix"):
        # Workers of peers that began as root run as somebody else.
        (folder / "backend.sock").chmod(0o777)
    return process


def make_certificate(folder):
    """A self-signed P-256 certificate for all peers of a scenario."""
    key, certificate = folder / "server.key", folder / "server.pem"
    if not certificate.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        (folder / "both.pem").write_text(certificate.read_text() + key.read_text())


def wrk(peer, scenario, seconds):
    """Load over TLS, in the terms of our own load. wrk checks statuses; lengths are those of the same backend."""
    connections = scenario.get("connections", 64)
    command = ["wrk", "-t", "1", "-c", connections, "-d", f"{max(1, round(seconds))}s", "--latency"]
    if scenario.get("close"):
        command += ["-H", "Connection: close"]
    run = subprocess.run(on(LOAD_CORE, *command, f"https://127.0.0.1:{peer.port}{peer.path}"),
                         capture_output=True, text=True)
    unit = {"us": 1, "ms": 1000, "s": 1_000_000}

    def latency(percent):
        number, name = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)", run.stdout).groups()
        return float(number) * unit[name]

    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", run.stdout)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", run.stdout)
    return {"requests": int(re.search(r"(\d+) requests in", run.stdout)[1]), "connections": connections,
            "bad": int(bad[1]) if bad else 0, "errors": sum(map(int, errors.groups())) if errors else 0,
            "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", run.stdout)[1]),
            "p50_us": latency(50), "p99_us": latency(99), "p999_us": float("nan")}


def h2load(peer, scenario, seconds):
    """Load over HTTP/2 with prior knowledge. h2load tells mean and greatest latency only."""
    connections = scenario["connections"]
    command = ["h2load", "-t", "1", "-c", connections, "-m", "16", "-D", max(1, round(seconds)), "--warm-up-time", "0"]
    run = subprocess.run(on(LOAD_CORE, *command, f"http://127.0.0.1:{peer.port}{peer.path}"),
                         capture_output=True, text=True)
    requests = re.search(r"requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded", run.stdout)
    done, succeeded = int(requests[2]), int(requests[3])
    return {"requests": done, "connections": connections, "bad": done - succeeded, "errors": 0,
            "rps": float(re.search(r"finished in [^,]+, ([\d.]+) req/s", run.stdout)[1]),
            "p50_us": float("nan"), "p99_us": float("nan"), "p999_us": float("nan")}


def handshakes(peer, scenario, seconds):
    """A connection with a whole handshake for each request, by h2load, which never offers a session."""
    count = round(scenario["handshakes"] * max(1, seconds))
    command = ["h2load", "-t", "1", "--h1", "-n", count, "-c", count, "-r", scenario["handshakes"]]
    run = subprocess.run(on(LOAD_CORE, *command, f"https://127.0.0.1:{peer.port}{peer.path}"),
                         capture_output=True, text=True)
    done, succeeded = map(int, re.search(r"requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded", run.stdout).groups())
    return {"requests": done, "connections": count, "bad": done - succeeded, "errors": count - done,
            "rps": float(re.search(r"finished in [^,]+, ([\d.]+) req/s", run.stdout)[1]),
            "p50_us": float("nan"), "p99_us": float("nan"), "p999_us": float("nan")}


def measure(peer, folder, scenario, seconds):
    """One run: CPU per request in microseconds, and what the load saw."""
    if scenario.get("tls") or scenario.get("h2"):
        before = cpu_ns(peer.process.pid)
        load = h2load if scenario.get("h2") else handshakes if scenario.get("handshakes") else wrk
        seen = load(peer, scenario, seconds)
        return counted(peer, scenario, seen, cpu_ns(peer.process.pid) - before)
    command = [LOAD, "load", "--target", f"127.0.0.1:{peer.port}", "--path", peer.path,
               "--seconds", seconds, "--connections", scenario.get("connections", 64),
               "--body-bytes", scenario.get("body", 1024)]
    if scenario.get("close"):
        command.append("--close")
    if scenario.get("active"):
        command += ["--active", scenario["active"]]
    before = cpu_ns(peer.process.pid)
    run = subprocess.run(on(scenario.get("core", LOAD_CORE), *command), capture_output=True, text=True)
    after = cpu_ns(peer.process.pid)
    if run.returncode:
        raise SystemExit(f"{peer.name}: {run.stderr}")
    return counted(peer, scenario, json.loads(run.stdout), after - before)


def counted(peer, scenario, seen, cpu):
    """The run with its CPU per request; nothing if it doesn't count."""
    problem = peer.check(seen["requests"])
    if scenario.get("active") and not seen["fewest"]:
        problem = problem or "a connection starved"
    if seen["bad"] or seen["errors"] > seen["connections"] or not seen["requests"]:
        problem = problem or f"{seen['bad']} bad answers, {seen['errors']} errors"
    if problem:
        print(f"    {peer.name}: run does not count: {problem}", flush=True)
        return None
    seen["cpu_us"] = cpu / seen["requests"] / 1000
    seen["rss_kib"] = rss_kib(peer.process.pid)
    return seen


def median(values):
    values = list(values)
    return statistics.median(values) if values else float("nan")


def against(mine, runs, target, judged):
    """One peer's row: medians of the rounds' ratios, and the target they are held to, as (target, stretch)."""
    pairs = [(a, b) for a, b in zip(mine, runs) if a and b]
    good = [run for run in runs if run]
    row = {key: median(a[field] / b[field] for a, b in pairs)
           for key, field in (("ratio", "cpu_us"), ("p50", "p50_us"), ("p99", "p99_us"), ("p999", "p999_us"))}
    row["cpu_us"] = min((run["cpu_us"] for run in good), default=float("nan"))
    row["rss_kib"] = median(run["rss_kib"] for run in good)
    target = target if isinstance(target, tuple) else (target, None)
    return {**row, "target": target[0], "stretch": target[1], "judged": judged}


def summarise(name, what, ours, results, targets, judged="ratio"):
    row = {"scenario": name, "what": what, "peers": {}}
    mine = results[ours]
    good = [run for run in mine if run]
    row["cpu_us"] = min((run["cpu_us"] for run in good), default=float("nan"))
    for field in ("rps", "p50_us", "p99_us", "p999_us", "rss_kib"):
        row[field] = median(run[field] for run in good)
    row["counted"] = f"{len(good)}/{len(mine)}"
    for peer, runs in results.items():
        if peer != ours:
            row["peers"][peer] = against(mine, runs, targets.get(peer), judged)
    print(f"{name:7} ours {row['cpu_us']:.2f} us, p50 {row['p50_us']:.0f} us, {row['rps']:.0f}/s, "
          + ", ".join(f"{peer} x{v['ratio']:.3f} (p50 x{v['p50']:.2f})" for peer, v in row["peers"].items()), flush=True)
    return row
