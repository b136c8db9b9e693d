"""Management calls beside requests: what a thousand of them and fifty deployments do to the data plane's latency.

Runs with and without the calls take turns, at a fixed rate of requests (open loop, latencies from when a request was
due). Node, load, backend and caller share the machine's cores as the scheduler likes.
"""

import http.client
import json
import subprocess
import tempfile
import threading
import time

from measurement import BACKEND_PORT, LOAD, median, start_backend
from peers import OURS, Turnpike

CALLS, DEPLOYMENTS = 1000, 50
TARGET = 1.5


class Caller:
    """One keep-alive connection to the control listener."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def call(self, method, path, body=None):
        self.connection.request(method, path, None if body is None else json.dumps(body))
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text.decode()}")
        return json.loads(text) if text else None

    def api(self, name, routes):
        """An API with a route for each number, deployed: its id, and the path of a method to change."""
        api = self.call("POST", "/restapis", {"name": name})
        base = f"/restapis/{api['id']}"
        items = self.call("POST", f"{base}/resources/{api['rootResourceId']}", {"pathPart": "items"})
        for number in range(routes):
            child = self.call("POST", f"{base}/resources/{items['id']}", {"pathPart": f"r{number}"})
            method = f"{base}/resources/{child['id']}/methods/GET"
            self.call("PUT", method, {"authorizationType": "NONE"})
            uri = f"http://127.0.0.1:{BACKEND_PORT}/"
            self.call("PUT", f"{method}/integration", {"type": "HTTP_PROXY", "httpMethod": "GET", "uri": uri})
        self.call("POST", f"{base}/deployments", {"stageName": "prod"})
        return api["id"], method


def manage(port, api, method, seconds, stop):
    """Calls at an even pace: patches, reads, and every twentieth a deployment. Gives how many were made."""
    # A connection of its own: the listener closes idle ones.
    caller, began, made = Caller(port), time.monotonic(), 0
    for number in range(CALLS):
        wait = began + number * seconds / CALLS - time.monotonic()
        if stop.wait(max(0, wait)):
            break
        if number % (CALLS // DEPLOYMENTS) == 0:
            caller.call("POST", f"/restapis/{api}/deployments", {"stageName": "prod", "description": str(number)})
        elif number % 2:
            timeout = {"op": "replace", "path": "/timeoutInMillis", "value": str(1000 + number)}
            caller.call("PATCH", f"{method}/integration", {"patchOperations": [timeout]})
        else:
            caller.call("GET", f"/restapis/{api}/resources?embed=methods&limit=25")
        made += 1
    return made


def run(node, path, rate, seconds):
    command = [LOAD, "load", "--target", f"127.0.0.1:{node.port}", "--path", path, "--seconds", seconds, "--rate", rate]
    run = subprocess.run([*map(str, command)], capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(run.stderr)
    return json.loads(run.stdout)


def beside(node, path, rate, seconds, managed):
    """A run while calls are made to a managed node; none where that is nothing."""
    if managed is None:
        return run(node, path, rate, seconds)
    stop, counts = threading.Event(), []
    calls = threading.Thread(target=lambda: counts.append(manage(*managed, seconds * 0.9, stop)))
    calls.start()
    seen = run(node, path, rate, seconds)
    stop.set()
    calls.join()
    if not counts or counts[0] < CALLS:
        raise SystemExit(f"control: only {counts} of {CALLS} calls were made")
    return seen


def control(folder, rounds, seconds, rate, routes=100):
    """Latencies of runs with calls against quiet ones, and against runs whose calls go to another process beside them, which
    is what the machine's cores have to do with it. Requests that failed."""
    with tempfile.TemporaryDirectory(prefix="turnpike-control-") as data:
        node = Turnpike(folder, name="managed", port=OURS + 80, core=None, data=f"{data}/own")
        other = Turnpike(folder, name="other", port=OURS + 82, core=None, data=f"{data}/other")
        behind = start_backend(folder, {}, core=None)
        try:
            api, method = Caller(node.control).api("managed", routes)
            here, there = (node.control, api, method), (other.control, *Caller(other.control).api("managed", routes))
            path = f"/restapis/{api}/prod/_user_request_/items/r{routes // 2}"
            seconds = max(seconds, 4)
            run(node, path, rate, 1)
            kinds = {"quiet": None, "here": here, "there": there}
            runs = [{kind: beside(node, path, rate, seconds, managed) for kind, managed in kinds.items()} for _ in range(rounds)]
        finally:
            node.stop()
            other.stop()
            behind.stop()
    fields = ("p50_us", "p99_us", "p999_us")
    seen = {
        "rate": rate,
        "quiet": {field: median(one["here"][field] / one["quiet"][field] for one in runs) for field in fields},
        "there": {field: median(one["here"][field] / one["there"][field] for one in runs) for field in fields},
        "failed": sum(one[kind]["bad"] + one[kind]["errors"] for one in runs for kind in kinds),
        "p99_us": {kind: median(one[kind]["p99_us"] for one in runs) for kind in kinds},
    }
    print(f"control: p99 {seen['p99_us']} us; against quiet x{seen['quiet']['p99_us']:.2f}, against calls to another process "
          f"x{seen['there']['p99_us']:.2f} (p50 x{seen['quiet']['p50_us']:.2f}, x{seen['there']['p50_us']:.2f}); "
          f"{seen['failed']} failed", flush=True)
    return seen


def line(seen):
    """What the table says of it."""
    quiet, there = seen["quiet"]["p99_us"], seen["there"]["p99_us"]
    met = "met" if quiet <= TARGET and not seen["failed"] else "**missed**"
    return (f"Management calls: {CALLS:,} calls, {DEPLOYMENTS} of them deployments, of an API of 100 routes beside {seen['rate']:,} requests "
            f"a second: the p99 is {quiet:.2f} of a quiet run's (target ≤ {TARGET}: {met}) and {there:.2f} of a run's whose calls go to "
            f"another process; {seen['failed']} requests failed. Node, load, backend and caller share the two cores there.")
