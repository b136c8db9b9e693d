"""Hostile clients, each bounded in count and time, with well-behaved clients beside them that must get every answer."""

import http.client
import threading
import time

from node import pattern
from wire import (
    CONTINUATION,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PREFACE,
    PRIORITY,
    Peer,
    block,
    code_name,
    data,
    frame,
    get,
    integer,
    literal,
    ping,
    post,
    request,
    reset,
    settings,
    window,
)

# The node's times in these tests.
FLAGS = (
    "--timeouts-header",
    "1s",
    "--timeouts-body",
    "1s",
    "--timeouts-send",
    "1500ms",
    "--timeouts-idle-client",
    "3s",
)
WITHIN = 3.5
CALM = ("ENHANCE_YOUR_CALM",)
HOLD = "/any/hold"


class Victims:
    """A client of HTTP/2 and one of HTTP/1.1, each asking fifty times a second on a connection that stays."""

    def __init__(self, node):
        self.node, self.over = node, threading.Event()
        self.asked, self.wrong = {"h2": 0, "h1": 0}, []
        self.threads = [threading.Thread(target=self._guard, args=(ask,)) for ask in (self._h2, self._h1)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def _guard(self, ask):
        try:
            ask()
        except Exception as error:
            self.wrong.append(f"{ask.__name__}: {type(error).__name__} {error}")

    def _h2(self):
        with Peer(self.node.port) as peer:
            stream = 1
            while not self.over.wait(0.02):
                peer.send(get(stream, "/any/x" if stream % 4 == 1 else "/mock"))
                if not peer.until_end(stream) or peer.status(stream) != 200 or peer.broken:
                    self.wrong.append(f"h2: {peer.status(stream)} {peer.resets} {peer.away} {peer.broken}")
                    return
                peer.grant(0, 2)
                self.asked["h2"] += 1
                stream += 2

    def _h1(self):
        client = http.client.HTTPConnection("127.0.0.1", self.node.port, timeout=5)
        while not self.over.wait(0.02):
            client.request("GET", "/any/x")
            answer = client.getresponse()
            answer.read()
            if answer.status != 200:
                self.wrong.append(f"h1: {answer.status}")
                return
            self.asked["h1"] += 1
        client.close()


def flood(codes, make, count, first=settings(), before=b"", batch=64, acknowledge=True):
    """Sends `make(at)` up to `count` times; the connection must end by one of these codes before they are all gone."""

    def attack(node):
        with Peer(node.port, first=first, acknowledge=acknowledge) as peer:
            peer.until_settled()
            peer.send(before)
            for at in range(0, count, batch):
                peer.send(b"".join(make(number) for number in range(at, at + batch)))
                # Rate-capped, and the server's word is read meanwhile.
                peer.until(lambda: False, 0.001)
                if peer.eof:
                    break
            peer.until_eof(WITHIN)
            if peer.away is None or code_name(peer.away.error_code) not in codes:
                code = peer.away and code_name(peer.away.error_code)
                return f"GOAWAY {code}, closed {peer.eof}, resets {len(peer.resets)}"
            return None if peer.eof else "GOAWAY, and the connection stays"

    return attack


def stream_of(at):
    return 1 + 2 * at


def made_reset(fault):
    return lambda at: get(stream_of(at), HOLD) + fault(stream_of(at))


def endless_block(at):
    """A field that never ends, in CONTINUATION frames of full size."""
    return frame(CONTINUATION, 0, 1, b"v" * 16_000)


def window_stall(node):
    """Fifty streams whose windows never open: each is reset on time."""
    with Peer(node.port, first=settings((4, 0))) as peer:
        peer.until_settled()
        peer.send(b"".join(get(stream_of(at), "/any/big/9000000") for at in range(50)))
        began = time.monotonic()
        if not peer.until(lambda: len(peer.resets) == 50 or peer.eof, WITHIN):
            return f"{len(peer.resets)} of 50 stalled streams are reset after {time.monotonic() - began:.1f} s"
        if set(peer.resets.values()) - {"CANCEL"}:
            return f"resets {set(peer.resets.values())}"


def connection_window_stall(node):
    """Streams with windows on a connection without one."""
    with Peer(node.port, first=settings((4, 1 << 30))) as peer:
        peer.until_settled()
        peer.send(b"".join(get(stream_of(at), "/any/big/9000000") for at in range(20)))
        if not peer.until(lambda: len(peer.resets) >= 19 or peer.eof, WITHIN):
            return f"{len(peer.resets)} of 20 stalled streams are reset"


def window_drip(node):
    """A window that opens by one byte at a time is progress, but each step has its time only."""
    with Peer(node.port, first=settings((4, 0))) as peer:
        peer.until_settled()
        peer.send(get(1, "/any/big/9000000"))
        for _ in range(5):
            peer.grant(1, 1)
            peer.until(lambda: False, 0.2)
        if not peer.until_reset(1):
            return "the stream stays when its window stops opening"


def never_reads(node):
    """Large answers, open windows, and a socket that nobody reads: closed on time."""
    with Peer(node.port, first=settings((4, (1 << 31) - 1)) + window(0, (1 << 31) - 65536)) as peer:
        peer.until_settled()
        peer.send(b"".join(get(stream_of(at), "/any/big/9000000") for at in range(20)))
        time.sleep(WITHIN)
        peer.windows[0] = 1 << 40
        peer.initial_window = 1 << 40
        peer.until_eof(WITHIN)
        whole = len(peer.ended)
        return None if peer.eof and whole < 20 else f"closed {peer.eof}, {whole} answers whole"


def stall_within_its_time(node):
    """A client that pauses for longer than the backend's time, but not than its own, gets its whole answer."""
    with Peer(node.port, first=settings((4, 0))) as peer:
        peer.until_settled()
        peer.initial_window = 0
        peer.send(get(1, "/short/big/300000"))
        for increment in (150_000, 150_000):
            peer.until(lambda: 1 in peer.resets, 1.2)
            peer.grant(0, increment)
            peer.grant(1, increment)
        return (
            None
            if peer.until_end(1) and bytes(peer.bodies[1]) == pattern(300_000) and not peer.resets
            else f"{len(peer.bodies.get(1, b''))} bytes, {peer.resets}"
        )


def hpack_bomb(node):
    """An entry of 4,000 octets, told 4,000 times by one octet each, on forty streams."""
    with Peer(node.port) as peer:
        peer.until_settled()
        peer.send(
            frame(HEADERS, END_STREAM | END_HEADERS, 1, block(*request()) + literal(b"x-bomb", b"v" * 4_000, 0x40))
        )
        for at in range(1, 41):
            peer.send(frame(HEADERS, END_STREAM | END_HEADERS, stream_of(at), block(*request()) + b"\xbe" * 4_000))
        peer.until(lambda: len(peer.ended) == 41 or peer.eof)
        statuses = {status for stream, (status, _) in peer.heads.items() if stream != 1}
        calm = peer.away is not None and code_name(peer.away.error_code) in CALM
        return (
            None
            if calm or (statuses == {431} and len(peer.ended) == 41)
            else f"{statuses}, {len(peer.ended)} answers, GOAWAY {peer.away}"
        )


def slow(first, drip, every=0.2, codes=CALM):
    """Begins well, then drips: closed on time."""

    def attack(node):
        with Peer(node.port, preface=b"", first=first, acknowledge=False, raw=codes is None) as peer:
            began = time.monotonic()
            while not peer.eof and time.monotonic() - began < WITHIN + 1:
                peer.send(drip)
                peer.until(lambda: False, every)
            took = time.monotonic() - began
            if not peer.eof or took > WITHIN + 1:
                return f"open after {took:.1f} s"
            if codes is None:
                return None
            return None if peer.away and code_name(peer.away.error_code) in codes else f"GOAWAY {peer.away}"

    return attack


def slow_body(node):
    """A head whose body doesn't come: answered or reset on time, and the connection goes on."""
    with Peer(node.port) as peer:
        peer.until_settled()
        peer.send(post(1) + data(1, b"x", end=False))
        if not peer.until(lambda: 1 in peer.ended or 1 in peer.resets or peer.eof, WITHIN):
            return "the stream stays"
        if 1 in peer.ended and peer.status(1) not in (408, 504):
            return f"answered {peer.status(1)}"
        return None if peer.round_trip() else "the connection is gone"


def slow_body_drip(node):
    """A body of a byte now and then: the integration's time bounds it."""
    with Peer(node.port) as peer:
        peer.until_settled()
        peer.send(post(1, "/short/echo"))
        began = time.monotonic()
        while time.monotonic() - began < WITHIN + 1 and 1 not in peer.ended and 1 not in peer.resets and not peer.eof:
            peer.send(data(1, b"x", end=False))
            peer.until(lambda: 1 in peer.ended or 1 in peer.resets, 0.2)
        return None if 1 in peer.ended or 1 in peer.resets else "the stream stays"


def heads_in_halves(node):
    """Well-behaved, if unlucky: for longer than a head may take, there is always one that has begun."""
    with Peer(node.port) as peer:
        peer.until_settled()
        began, at = time.monotonic(), 0
        rest = b""
        while time.monotonic() - began < 2.0:
            whole = get(stream_of(at))
            peer.send(rest + whole[:20])
            rest = whole[20:]
            at += 1
            peer.until(lambda: False, 0.05)
            if peer.eof:
                return f"closed after {time.monotonic() - began:.1f} s, {len(peer.ended)} of {at} answered"
        peer.send(rest)
        return None if peer.until_end(stream_of(at - 1)) else "the last isn't answered"


def idle(node):
    """Nothing after the SETTINGS: GOAWAY with NO_ERROR when the time is over."""
    with Peer(node.port) as peer:
        if not peer.until_eof(5.0):
            return "open"
        return None if peer.away is not None and peer.away.error_code == 0 else f"GOAWAY {peer.away}"


UPPER = ("Upper", "x")
OPENING = PREFACE + settings()
FAST = {
    "rapid-reset": flood(CALM, lambda at: get(stream_of(at), HOLD) + reset(stream_of(at)), 2_000),
    "rapid-reset-of-answered": flood(CALM, lambda at: get(stream_of(at)) + reset(stream_of(at)), 4_000),
    "rapid-reset-with-body": flood(
        CALM, lambda at: post(stream_of(at)) + data(stream_of(at), b"x", end=False) + reset(stream_of(at)), 2_000
    ),
    "server-made-reset-malformed": flood(CALM, lambda at: get(stream_of(at), "/mock", UPPER), 2_000),
    "server-made-reset-window-0": flood(CALM, made_reset(lambda stream: window(stream, 0)), 2_000),
    "server-made-reset-window-over": flood(CALM, made_reset(lambda stream: window(stream, 0x7FFFFFFF)), 2_000),
    "server-made-reset-half-closed": flood(CALM, made_reset(lambda stream: data(stream, b"x")), 2_000),
    "server-made-reset-priority": flood(CALM, made_reset(lambda stream: frame(PRIORITY, 0, stream, bytes(4))), 2_000),
    "streams-beyond-the-limit": flood(CALM, lambda at: get(stream_of(at), HOLD), 4_000),
    "continuation": flood(
        CALM,
        endless_block,
        200,
        before=frame(HEADERS, END_STREAM, 1, block(*request()) + b"\x00\x01x" + integer(1 << 26, 7)),
        batch=2,
    ),
    "continuation-empty": flood(
        CALM, lambda at: frame(CONTINUATION, 0, 1), 2_000, before=frame(HEADERS, END_STREAM, 1, block(*request()))
    ),
    "settings": flood(CALM, lambda at: settings((4, at + 1)), 2_000),
    "settings-empty": flood(CALM, lambda at: settings(), 2_000),
    "settings-acknowledgements": flood(CALM, lambda at: settings(flags=1), 4_000),
    "ping": flood(CALM, lambda at: ping(), 2_000),
    "ping-acknowledgements": flood(CALM, lambda at: ping(flags=1), 2_000),
    "empty-data": flood(CALM, lambda at: data(1, end=False), 2_000, before=post(1, HOLD)),
    "padding-alone": flood(CALM, lambda at: data(1, b"\x00", end=False, flags=8), 2_000, before=post(1, HOLD)),
    "window-updates": flood(CALM, lambda at: window(0, 1), 8_000),
    "priority": flood(CALM, lambda at: frame(PRIORITY, 0, 1 + 2 * at, bytes(5)), 8_000),
    "unknown-frames": flood(CALM, lambda at: frame(0xEE, 0, 0, b"x"), 8_000),
    "late-frames": flood(CALM, lambda at: window(1, 1), 8_000, before=get(1)),
    "hpack-bomb": hpack_bomb,
    "stall-within-its-time": stall_within_its_time,
}
SLOW = {
    "window-stall": window_stall,
    "connection-window-stall": connection_window_stall,
    "window-drip": window_drip,
    "never-reads": never_reads,
    # Without a whole preface it isn't known to speak HTTP/2: told so by HTTP/1.1, or closed.
    "slow-preface": slow(b"PRI * HT", b"", codes=None),
    "slow-preface-drip": slow(b"PRI * HTTP/2.0\r\n\r\nSM\r\n", b"", codes=None),
    "slow-frame-header": slow(OPENING + get(1)[:5], b""),
    "slow-head": slow(OPENING + get(1)[:30], b""),
    "slow-head-drip": slow(
        OPENING + frame(HEADERS, END_STREAM, 1, b"\x00\x7f\x80\x40"), frame(CONTINUATION, 0, 1, b"v")
    ),
    "slow-settings": slow(PREFACE + settings((4, 9))[:12], b""),
    # It acknowledges nothing; empty frames of a type that nobody knows keep it from being idle.
    "unacknowledged": slow(OPENING, frame(0xFE, 0, 0, b""), codes=("SETTINGS_TIMEOUT",)),
    "slow-body": slow_body,
    "slow-body-drip": slow_body_drip,
    "heads-in-halves": heads_in_halves,
    "idle": idle,
}


def piles_up(node):
    """A second round of the attacks that pile most up: what one leaves behind would add up."""
    threads = [threading.Thread(target=attack, args=(node,)) for attack in PILING]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


PILING = (window_stall, connection_window_stall, never_reads, hpack_bomb, FAST["rapid-reset"], FAST["continuation"])
# They ask for more than 1 GB. Receive buffers stay with the event loop, and the ring fills half a megabyte of them for a
# backend before a pause reaches it.
GROWTH_MAX_KIB = 192 * 1024


def run_floods(names, node):
    """Gives what is wrong by name. Fast ones go one after the other, slow ones side by side."""
    wrongs = {}
    before_kib, before_cpu, began = node.rss(), node.cpu(), time.monotonic()

    def run(name):
        try:
            wrongs[name] = {**FAST, **SLOW}[name](node)
        except Exception as error:
            wrongs[name] = f"{type(error).__name__}: {error}"

    with Victims(node) as victims:
        for name in names:
            if name in FAST:
                known = len(victims.wrong)
                run(name)
                if len(victims.wrong) > known:
                    wrongs[name] = f"{wrongs[name] or ''} others suffer: {victims.wrong[known:]}"
        threads = [threading.Thread(target=run, args=(name,)) for name in names if name in SLOW]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    took = time.monotonic() - began
    victims_wrong = list(victims.wrong)
    if min(victims.asked.values()) < 5 * (took - 1):
        victims_wrong.append(f"only {victims.asked} answers in {took:.0f} s")
    wrongs["victims"] = "; ".join(victims_wrong) or None
    used = node.cpu() - before_cpu
    if len(names) > 1:
        piles_up(node)
    growth_kib = node.rss() - before_kib
    wrongs["memory"] = f"grown by {growth_kib} KiB from {before_kib}" if growth_kib > GROWTH_MAX_KIB else None
    wrongs["cpu"] = None if used < 0.5 * took + 1 else f"{used:.1f} s of processor in {took:.1f} s"
    return wrongs
