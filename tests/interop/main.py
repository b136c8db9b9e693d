"""Runs the suite: see `run`."""

import argparse
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import cases_answers
import cases_framing  # noqa: F401 (each declares its cases)
import cases_hpack  # noqa: F401
import cases_messages  # noqa: F401
import cases_streams  # noqa: F401
import floods
from cases_downgrade import DOWNGRADE, run_downgrade
from clients import CLIENTS, run_client
from node import Backend, Node
from table import CASES, Case, Connection, Ignored, run_case
from wire import ping

SLOW_SECONDS = 3.0
RUNTIMES = ("ring", "portable")
# Over TLS a smaller part: one case of each kind of outcome and the ones about pieces.
OVER_TLS = (
    "preface/one-octet-at-a-time",
    "preface/garbage",
    "settings/acknowledged",
    "settings/window-2-31",
    "format/data-largest",
    "format/data-too-large",
    "blocks/continued",
    "states/half-closed-data",
    "concurrency/limit",
    "concurrency/open-100",
    "flow/one-byte",
    "flow/upload",
    "flow/connection-window",
    "fields/name-upper-case",
    "pseudo/no-path",
    "length/more-than-body",
    "trailers/good",
    "hpack-strings/huffman-all",
    "hpack-fields/a-library-of-others",
    "goaway/ours",
    "exchange/head",
)
FLOODS = [*floods.FAST, *floods.SLOW]


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.run, self.failed = {}, 0

    def note(self, group, wrong, words):
        with self.lock:
            self.run[group] = self.run.get(group, 0) + 1
            if wrong:
                self.failed += 1
                print(f"FAILED {words}; {wrong}", flush=True)


class Suite:
    """What one event loop is put to."""

    def __init__(self, runtime, only, tally):
        self.runtime, self.only, self.tally = runtime, only, tally

    def wants(self, group, name):
        return not self.only or self.only in (group, f"{group}/{name}")

    def run(self):
        tables = [case for case in CASES if self.wants(case.group, case.name)]
        downgrades = [case for case in DOWNGRADE if self.wants(case.group, case.name)]
        clients = [name for name in CLIENTS if self.wants("clients", name)]
        attacks = [name for name in FLOODS if self.wants("floods", name)]
        tls = [name for name in cases_answers.TLS if self.wants("tls", name)]
        if tables or downgrades or clients or tls or self.wants("goaway", "drain"):
            backend = Backend()
            node = Node(self.runtime, backend)
            try:
                self.run_table(tables, node)
                self.run_downgrades(downgrades, node, backend)
                for name in tls:
                    self.tally.note("tls", cases_answers.TLS[name](node), f"tls/{name} ({self.runtime})")
                for name in clients:
                    self.tally.note("clients", run_client(name, node), f"clients/{name} ({self.runtime})")
                if not self.only:
                    self.check_itself(node)
                if self.wants("goaway", "drain"):
                    self.tally.note("goaway", cases_answers.drains(node), f"goaway/drain ({self.runtime})")
            finally:
                node.stop()
        if attacks:
            node = Node(self.runtime, Backend(), floods.FLAGS)
            try:
                for name, wrong in floods.run_floods(attacks, node).items():
                    self.tally.note("floods", wrong, f"floods/{name} ({self.runtime})")
            finally:
                node.stop()

    def run_table(self, cases, node):
        def one(case, tls):
            began = time.monotonic()
            try:
                wrong = run_case(case, node, tls)
            except Exception as error:
                wrong = f"{type(error).__name__}: {error}"
            label = f"{self.runtime}, TLS" if tls else self.runtime
            self.tally.note(case.group, wrong, words(case, label))
            if time.monotonic() - began > SLOW_SECONDS:
                print(f"slow: {case.id} ({label}) took {time.monotonic() - began:.1f} s")

        chosen = [(case, False) for case in cases]
        chosen += [(case, True) for case in cases if case.id in OVER_TLS or self.only == case.id]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda pair: one(*pair), chosen))

    def run_downgrades(self, cases, node, backend):
        """One after the other, as each looks at all that the backend got."""
        for case in cases:
            try:
                wrong = run_downgrade(case, node, backend)
            except Exception as error:
                wrong = f"{type(error).__name__}: {error}"
            self.tally.note(case.group, wrong, words(case, self.runtime))

    def check_itself(self, node):
        """Wrong expectations must be found out, or the table proves nothing."""
        for name, expected, sent in (
            ("code", Connection("INTERNAL_ERROR"), ping(b"short")),
            ("ignored", Ignored(), ping(b"short")),
            ("error", Connection("PROTOCOL_ERROR"), ping(stream=0) + ping(b"short")),
        ):
            wrong = run_case(Case("self", name, "", "", expected, (sent,), {}), node, False)
            self.tally.note("self", None if wrong else "a wrong expectation passed", f"self/{name} ({self.runtime})")


def words(case, label):
    return f"{case.id} ({label}; RFC {case.clause}): {case.what} must be {case.expected}"


def listed():
    for case in CASES + DOWNGRADE:
        print(f"{case.id}\t{case.clause}\t{case.what}\t{case.expected}")
    for group, names in (("tls", cases_answers.TLS), ("goaway", ["drain"]), ("clients", CLIENTS), ("floods", FLOODS)):
        for name in names:
            print(f"{group}/{name}")


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("--only", default="")
    asked.add_argument("--runtime", choices=RUNTIMES)
    asked.add_argument("--list", action="store_true")
    asked = asked.parse_args()
    names = [case.id for case in CASES + DOWNGRADE]
    assert len(names) == len(set(names)), "an id twice"
    if asked.list:
        listed()
        return 0
    tally, started = Tally(), time.monotonic()
    suites = [Suite(runtime, asked.only, tally) for runtime in ([asked.runtime] if asked.runtime else RUNTIMES)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(Suite.run, suites))
    run = sum(tally.run.values())
    print("  ".join(f"{group} {count}" for group, count in tally.run.items()))
    print(f"interop: {run - tally.failed} of {run} passed in {time.monotonic() - started:.0f} s")
    return 1 if tally.failed or not run else 0


sys.exit(main())
