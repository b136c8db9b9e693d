#!/usr/bin/env python3
"""Which cache lines do two shards both write while they answer?

Two shards run; first all requests go to one of them, then to the other (a connection stays with the shard that accepted
it). Meanwhile the node's writable memory is read again and again: a line that differs between two readings was written.
Lines that changed under both loads, each time in more readings than the timers of a shard without requests explain, are
listed. Counts that go up and come down again are seen if readings fall in between. The access log is off: its thread writes
for both.

    perf/shared_lines.py [--throttle] [--mock] [--readings N]

Needs a release build (`cargo build --release -p turnpike-server -p turnpike-perf`) and the right to read the memory of
one's own processes.
"""

import argparse
import collections
import http.client
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINE, PAGE = 64, 4096
PORT, CONTROL, BACKEND = 9350, 9351, 9352
CONNECTIONS = 8
QUIET_S = 8


def document(arguments):
    throttle = ", throttle: {rateLimit: 10000000, burstLimit: 1000000}" if arguments.throttle else ""
    if arguments.mock:
        integration = ("type: mock\n        requestTemplates: {application/json: '{\"statusCode\": 200}'}\n"
                       "        responses: {default: {statusCode: '200', responseTemplates: {application/json: '"
                       + "x" * 600 + "'}}}")
        responses = "\n      responses: {'200': {description: ok}}"
    else:
        integration, responses = f"type: http_proxy\n        httpMethod: GET\n        uri: http://127.0.0.1:{BACKEND}/", ""
    return ("openapi: 3.0.1\ninfo: {title: lines, version: '1'}\n"
            f"x-turnpike: {{id: lines00000, stage: prod{throttle}}}\npaths:\n  /items:\n    get:{responses}\n"
            f"      x-amazon-apigateway-integration:\n        {integration}\n")


def shard_threads(pid):
    names = {task: (task / "comm").read_text().strip() for task in pathlib.Path(f"/proc/{pid}/task").iterdir()}
    return [task for task, name in sorted(names.items(), key=lambda item: item[1]) if name.startswith("shard-")]


def sleeps(task):
    return int(re.search(r"voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text())[1])


def named_regions(pid):
    """Writable private memory but the main thread's stack, which looks after the node twice a second."""
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
        span, rights, *_, = line.split()
        name = line.split(maxsplit=5)[5] if len(line.split()) > 5 else ""
        if rights[1] == "w" and rights[3] == "p" and not name.startswith(("[stack", "[v")) and "io_uring" not in name:
            start, end = (int(part, 16) for part in span.split("-"))
            yield start, end, name or f"{start:#x}, {(end - start) >> 10} KiB"


def reading(pid):
    """Present pages by address."""
    pages = {}
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory, open(f"/proc/{pid}/pagemap", "rb") as pagemap:
        for start, end, _ in named_regions(pid):
            pagemap.seek(start // PAGE * 8)
            entries = pagemap.read((end - start) // PAGE * 8)
            for place in range(len(entries) // 8):
                # Bit 63: present.
                if entries[place * 8 + 7] & 0x80:
                    memory.seek(start + place * PAGE)
                    pages[start + place * PAGE] = memory.read(PAGE)
    return pages


def written(pid, readings):
    """How often each line differs between two readings in a row."""
    lines, before = collections.Counter(), reading(pid)
    for _ in range(readings):
        after = reading(pid)
        for address, page in after.items():
            known = before.get(address)
            if known is not None and known != page:
                lines.update(address + at for at in range(0, PAGE, LINE) if known[at:at + LINE] != page[at:at + LINE])
        before = after
    return lines


def ask(connection):
    connection.request("GET", "/prod/items", headers={"Host": "lines00000.execute-api.localhost"})
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise SystemExit(f"{answer.status}: the document isn't served as meant")


def connections_of(shards):
    """Connections by the shard that accepted them: the one that wakes and sleeps while they ask."""
    found = [[] for _ in shards]
    while min(map(len, found)) < CONNECTIONS:
        connection = http.client.HTTPConnection("127.0.0.1", PORT)
        ask(connection)
        before = [sleeps(shard) for shard in shards]
        for _ in range(30):
            ask(connection)
        grown = [sleeps(shard) - was for shard, was in zip(shards, before)]
        found[grown.index(max(grown))].append(connection)
    return [connections[:CONNECTIONS] for connections in found]


def under_load(pid, connections, readings):
    """Lines written while these connections ask."""
    stop, counts = threading.Event(), []

    def go(connection):
        count = 0
        while not stop.is_set():
            ask(connection)
            count += 1
        counts.append(count)

    threads = [threading.Thread(target=go, args=(connection,)) for connection in connections]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    lines = written(pid, readings)
    stop.set()
    for thread in threads:
        thread.join()
    return lines, sum(counts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--throttle", action="store_true", help="with a stage throttle, whose bucket is shared by design")
    parser.add_argument("--mock", action="store_true", help="answers of the gateway itself instead of a backend's")
    parser.add_argument("--readings", type=int, default=40)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="turnpike-lines-") as folder:
        source = pathlib.Path(folder) / "api.yaml"
        source.write_text(document(arguments))
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        backend = subprocess.Popen([ROOT / "target/release/turnpike-load", "backend", "--listen", f"127.0.0.1:{BACKEND}"], **quiet)
        node = subprocess.Popen([ROOT / "target/release/turnpike", "serve", source, "--listen", f"127.0.0.1:{PORT}",
                                 "--control", f"127.0.0.1:{CONTROL}", "--shards", "2",
                                 "--access-log-destination", "off"], cwd=folder, **quiet)
        try:
            time.sleep(1)
            shards = shard_threads(node.pid)
            first, second = connections_of(shards)
            lines, counts = [], []
            for some in (first, second):
                # For a while after requests shards look after their spare memory: that isn't of the other's requests.
                time.sleep(QUIET_S)
                seen, count = under_load(node.pid, some, arguments.readings)
                lines.append(seen)
                counts.append(count)
            places = {page: name for start, end, name in named_regions(node.pid) for page in range(start, end, PAGE)}
        finally:
            for process in (node, backend):
                process.terminate()
                process.wait()
    often = max(2, arguments.readings // 8)
    both = [line for line in lines[0] if min(lines[0][line], lines[1][line]) >= often]
    print(f"{counts[0]} and {counts[1]} requests; lines written: {len(lines[0])} by the first shard's, {len(lines[1])} by the "
          f"second's; in {often} of {arguments.readings} readings by both: {len(both)}")
    for line in sorted(both):
        print(f"  {line:#x} in {places.get(line & -PAGE, '?')}, changed in {lines[0][line]} and {lines[1][line]} readings")
    return 0 if not both else 1


if __name__ == "__main__":
    sys.exit(main())
