"""The table of cases: what is sent, and what must come."""

import time

from wire import PATIENCE, Peer, code_name, get

CASES = []


class Case:
    def __init__(self, group, name, clause, what, expected, steps, options):
        self.group, self.name, self.clause, self.what = group, name, clause, what
        self.expected, self.steps, self.options = expected, steps, options

    @property
    def id(self):
        return f"{self.group}/{self.name}"


def group_of(group, into=None):
    """Declares cases of one group: `case(name, clause, what, expected, step…)`. A step is bytes to send, or a function
    of the peer; one that gives text says what is wrong."""
    into = CASES if into is None else into

    def case(name, clause, what, expected, *steps, **options):
        into.append(Case(group, name, clause, what, expected, steps, options))

    return case


class Connection:
    """GOAWAY with one of these codes, then the end of the connection (RFC 9113 section 5.4.1)."""

    def __init__(self, *codes):
        self.codes = codes

    def __str__(self):
        return "connection error " + " or ".join(self.codes)

    def judge(self, peer, _):
        peer.until(lambda: False)
        if peer.away is None:
            return f"no GOAWAY; resets {peer.resets}, statuses {statuses(peer)}, closed {peer.eof}"
        code = code_name(peer.away.error_code)
        if code not in self.codes:
            return f"GOAWAY {code}: {peer.away.additional_data!r}"
        return None if peer.eof and not peer.torn else "GOAWAY, but no clean end of the connection"


class Stream:
    """RST_STREAM with one of these codes, and a connection that goes on (section 5.4.2)."""

    def __init__(self, stream, *codes):
        self.stream, self.codes = stream, codes

    def __str__(self):
        return f"stream {self.stream} error " + " or ".join(self.codes)

    def judge(self, peer, probe):
        if not peer.until_reset(self.stream):
            return f"no RST_STREAM; {state(peer)}"
        if peer.resets[self.stream] not in self.codes:
            return f"RST_STREAM {peer.resets[self.stream]}"
        return alive(peer, probe)


class Answer:
    """A whole answer, and a connection that goes on."""

    def __init__(self, stream, status=200, body=None):
        self.stream, self.status, self.body = stream, status, body

    def __str__(self):
        return f"answer {self.status} on {self.stream}"

    def judge(self, peer, probe):
        if not peer.until_end(self.stream):
            return f"no whole answer; {state(peer)}"
        if self.stream not in peer.ended:
            return f"RST_STREAM {peer.resets[self.stream]} instead of an answer"
        if peer.status(self.stream) != self.status:
            return f"answer {peer.status(self.stream)}: {bytes(peer.bodies.get(self.stream, b''))[:120]!r}"
        if self.body is not None and bytes(peer.bodies.get(self.stream, b"")) != self.body:
            return f"a body of {len(peer.bodies.get(self.stream, b''))} bytes that isn't the one asked for"
        return alive(peer, probe)


class Ignored:
    """Nothing but acknowledgements, and a connection that goes on."""

    def __str__(self):
        return "ignored"

    def judge(self, peer, probe):
        wrong = alive(peer, probe)
        if not wrong and peer.resets:
            wrong = f"resets {peer.resets}"
        return wrong


class Closed:
    """The end of the connection, with or without GOAWAY."""

    def __str__(self):
        return "connection closed"

    def judge(self, peer, _):
        peer.until(lambda: False)
        return None if peer.eof else "still open"


class Any:
    """One of several outcomes that the RFC allows. The first is what this server does; it is tried first."""

    def __init__(self, *outcomes):
        self.outcomes = outcomes

    def __str__(self):
        return " or ".join(map(str, self.outcomes))

    def judge(self, peer, probe):
        wrongs = []
        for outcome in self.outcomes:
            wrong = outcome.judge(peer, probe)
            if wrong is None:
                return None
            wrongs.append(wrong)
        return "; ".join(wrongs)


def statuses(peer):
    return {stream: status for stream, (status, _) in peer.heads.items()}


def state(peer):
    away = peer.away and f"{code_name(peer.away.error_code)} {peer.away.additional_data!r}"
    return f"GOAWAY {away}, resets {peer.resets}, statuses {statuses(peer)}, closed {peer.eof}"


def alive(peer, probe):
    """PING is answered, and a request on a stream above all others, if there can be one."""
    if not peer.round_trip():
        return f"the connection doesn't go on; {state(peer)}"
    if peer.away is not None:
        return f"an unexpected GOAWAY; {state(peer)}"
    if probe:
        peer.send(get(probe))
        if not peer.until_end(probe) or peer.status(probe) != 200:
            return f"a request afterwards isn't answered; {state(peer)}"
    return None


def run_case(case, node, tls):
    """What is wrong, or nothing. Also the seconds it took."""
    options = dict(case.options)
    probe, settle = options.pop("probe", 20_001), options.pop("settle", True)
    started = time.monotonic()
    with Peer(node.tls_port if tls else node.port, tls=tls, **options) as peer:
        # Most cases are about a connection that has begun well.
        wrong = None if not settle or peer.until_settled() else f"no SETTINGS exchange; {state(peer)}"
        for step in case.steps:
            if wrong:
                break
            if isinstance(step, bytes):
                peer.send(step)
            else:
                said = step(peer)
                wrong = said if isinstance(said, str) else None
        wrong = wrong or case.expected.judge(peer, probe)
        if not wrong and peer.broken:
            wrong = "the server broke the protocol: " + "; ".join(peer.broken)
    assert time.monotonic() - started < 4 * PATIENCE, case.id
    return wrong
