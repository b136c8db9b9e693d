"""RFC 9113 sections 5 and 6.8, 6.9: stream states, ids, concurrency, flow control, priority, errors, GOAWAY."""

from node import pattern
from table import Answer, Any, Closed, Connection, Ignored, Stream, group_of, state
from wire import (
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PADDED,
    PRIORITY,
    PRIORITY_FLAG,
    STREAM_MAX,
    Peer,
    block,
    data,
    frame,
    get,
    go_away,
    head,
    number,
    ping,
    post,
    request,
    reset,
    settings,
    window,
)

PROTOCOL, FLOW, CLOSED = "PROTOCOL_ERROR", "FLOW_CONTROL_ERROR", "STREAM_CLOSED"
HOLD = "/any/hold"
TRAILERS = frame(HEADERS, END_STREAM | END_HEADERS, 1, block(("x-sum", "1")))


def ended(stream):
    """Waits until a stream has ended both ways."""

    def step(peer):
        if not peer.until_end(stream):
            return f"no answer on {stream}; {state(peer)}"

    return step


def was_reset(stream):
    def step(peer):
        if not peer.until_reset(stream):
            return f"no reset of {stream}; {state(peer)}"

    return step


case = group_of("states")
case("idle-data", "9113 §5.1", "DATA on an idle stream", Connection(PROTOCOL), data(1, b"x"))
case("idle-reset", "9113 §5.1", "RST_STREAM on an idle stream above others", Connection(PROTOCOL), get(1), reset(3))
case("idle-window-update", "9113 §5.1", "WINDOW_UPDATE on an idle stream", Connection(PROTOCOL), window(1, 1))
case("idle-priority", "9113 §5.1", "PRIORITY on an idle stream", Ignored(), frame(PRIORITY, 0, 1, bytes(5)))
case("idle-headers", "9113 §5.1", "HEADERS on an idle stream", Answer(1), get(1))
case(
    "open-data",
    "9113 §5.1",
    "DATA on an open stream",
    Answer(1, 200, b"ab"),
    post(1),
    data(1, b"a", end=False),
    data(1, b"b"),
)
case(
    "open-trailers",
    "9113 §5.1",
    "HEADERS with END_STREAM on an open stream",
    Answer(1, 200, b"a"),
    post(1),
    data(1, b"a", end=False),
    TRAILERS,
)
case("open-reset", "9113 §5.1", "RST_STREAM on an open stream", Ignored(), post(1), reset(1))
case("open-window-update", "9113 §5.1", "WINDOW_UPDATE on an open stream", Answer(1), post(1), window(1, 9), data(1))
case(
    "open-priority",
    "9113 §5.1",
    "PRIORITY on an open stream",
    Answer(1),
    post(1),
    frame(PRIORITY, 0, 1, bytes(5)),
    data(1),
)
case("half-closed-data", "9113 §5.1", "DATA behind END_STREAM", Stream(1, CLOSED), get(1, HOLD), data(1, b"x"))
case(
    "half-closed-headers",
    "9113 §5.1",
    "HEADERS behind END_STREAM",
    Any(Stream(1, CLOSED), Connection(CLOSED)),
    get(1, HOLD),
    get(1, HOLD),
)
case("half-closed-window-update", "9113 §5.1", "WINDOW_UPDATE behind END_STREAM", Ignored(), get(1, HOLD), window(1, 9))
case(
    "half-closed-priority",
    "9113 §5.1",
    "PRIORITY behind END_STREAM",
    Ignored(),
    get(1, HOLD),
    frame(PRIORITY, 0, 1, bytes(5)),
)
case("half-closed-reset", "9113 §5.1", "RST_STREAM behind END_STREAM", Ignored(), get(1, HOLD), reset(1))
case(
    "closed-data",
    "9113 §5.1",
    "DATA on a stream that has ended both ways",
    Any(Connection(CLOSED), Stream(1, CLOSED)),
    get(1),
    ended(1),
    data(1),
)
case(
    "closed-headers",
    "9113 §5.1, §5.1.1",
    "HEADERS on one",
    Any(Connection(CLOSED, PROTOCOL), Stream(1, CLOSED)),
    get(1),
    ended(1),
    get(1),
)
case(
    "closed-window-update",
    "9113 §5.1",
    "WINDOW_UPDATE on one: may come late",
    Ignored(),
    get(1),
    ended(1),
    window(1, 1),
)
case("closed-reset", "9113 §5.1", "RST_STREAM on one: may come late", Ignored(), get(1), ended(1), reset(1))
case("closed-priority", "9113 §5.1", "PRIORITY on one", Ignored(), get(1), ended(1), frame(PRIORITY, 0, 1, bytes(5)))
case(
    "reset-by-us-data",
    "9113 §5.1",
    "DATA behind our own RST_STREAM",
    Stream(1, CLOSED),
    post(1),
    reset(1),
    data(1, b"x"),
)
case(
    "reset-by-us-headers",
    "9113 §5.1",
    "HEADERS behind our own RST_STREAM",
    Any(Stream(1, CLOSED), Connection(CLOSED)),
    post(1),
    reset(1),
    TRAILERS,
)
case("reset-by-us-twice", "9113 §5.1", "RST_STREAM twice", Ignored(), post(1), reset(1), reset(1))
BROKEN = head(1, request("GET", "/mock", ("Upper", "x")), end=False)
case(
    "reset-by-server-data",
    "9113 §5.1",
    "DATA behind the server's RST_STREAM: on its way",
    Stream(1, PROTOCOL),
    BROKEN,
    was_reset(1),
    data(1, b"x"),
)
case(
    "reset-by-server-headers",
    "9113 §5.1",
    "trailers behind the server's RST_STREAM: on their way",
    Stream(1, PROTOCOL),
    BROKEN,
    was_reset(1),
    TRAILERS,
)
case(
    "reset-by-server-reset",
    "9113 §5.1",
    "RST_STREAM in answer to RST_STREAM: on its way",
    Stream(1, PROTOCOL),
    BROKEN,
    was_reset(1),
    reset(1),
)
case(
    "reset-by-server-window",
    "9113 §5.1",
    "WINDOW_UPDATE behind the server's RST_STREAM",
    Stream(1, PROTOCOL),
    BROKEN,
    was_reset(1),
    window(1, 1),
)
case(
    "skipped-window-update",
    "9113 §5.1.1",
    "WINDOW_UPDATE on an id below others: closed by that",
    Ignored(),
    get(5),
    ended(5),
    window(3, 1),
)
case(
    "early-answer",
    "9113 §8.1",
    "a whole answer before the request's end: then RST_STREAM with NO_ERROR, or reading on",
    Answer(1, 200, b"early"),
    post(1, "/any/early"),
    data(1, b"x" * 99, end=False),
)

case = group_of("ids")
case("even", "9113 §5.1.1", "HEADERS on stream 2", Connection(PROTOCOL), get(2))
case("below", "9113 §5.1.1", "HEADERS on 3 after 5", Connection(PROTOCOL), get(5), ended(5), get(3))
case(
    "again",
    "9113 §5.1.1",
    "HEADERS on 1 after 1, 3",
    Connection(CLOSED, PROTOCOL),
    get(1) + get(3),
    ended(1),
    ended(3),
    get(1),
)
case("gaps", "9113 §5.1.1", "streams 1, 7, 1001", Answer(1001), get(1) + get(7) + get(1001), ended(1), ended(7))
case("largest", "9113 §5.1.1", "stream 2^31-1", Answer(STREAM_MAX), get(STREAM_MAX), probe=None)
case(
    "below-the-largest",
    "9113 §5.1.1",
    "stream 1 after 2^31-1",
    Connection(PROTOCOL),
    get(STREAM_MAX),
    ended(STREAM_MAX),
    get(1),
)
case("data-even", "9113 §5.1.1", "DATA on stream 2, which no server opens", Connection(PROTOCOL), data(2, b"x"))
case("reset-even", "9113 §5.1.1", "RST_STREAM on stream 2", Connection(PROTOCOL), reset(2))


def opens(count, then=()):
    """As many streams that stay open, counted from 1."""

    def step(peer):
        peer.send(b"".join(get(1 + 2 * at, HOLD) for at in range(count)) + b"".join(then))

    return step


def limit_holds(peer):
    """One stream more than the server's SETTINGS allow: it alone is refused, and can be had once another has gone."""
    limit = peer.settings[3]
    last = 1 + 2 * limit
    peer.send(b"".join(get(1 + 2 * at, HOLD) for at in range(limit + 1)))
    if not peer.until_reset(last) or peer.resets != {last: "REFUSED_STREAM"}:
        return f"resets {peer.resets}"
    peer.send(reset(1) + get(last + 2))
    if not peer.until_end(last + 2) or peer.status(last + 2) != 200:
        return f"no room after a reset: {state(peer)}"
    peer.send(reset(3))


case = group_of("concurrency")
case("limit", "9113 §5.1.2", "one stream too many", Any(Stream(257, "REFUSED_STREAM"), Ignored()), limit_holds)
case(
    "refused-keeps-hpack",
    "9113 §4.3",
    "the refused stream's field is in the table afterwards",
    Answer(301),
    opens(128),
    frame(HEADERS, END_STREAM | END_HEADERS, 299, block(*request()) + b"\x40\x04x-in\x01v"),
    reset(1),
    reset(3),
    frame(HEADERS, END_STREAM | END_HEADERS, 301, block(*request()) + b"\xbe"),
)
case(
    "open-100",
    "9113 §5.1.2",
    "100 requests at once, all answered",
    Answer(199),
    b"".join(get(1 + 2 * at) for at in range(100)),
    *[ended(1 + 2 * at) for at in range(100)],
)
case(
    "half-closed-counts",
    "9113 §5.1.2",
    "streams behind END_STREAM count as open",
    Stream(299, "REFUSED_STREAM"),
    opens(128, [get(299)]),
    was_reset(299),
    reset(1),
)

case = group_of("flow")


def body_is(stream, size):
    def step(peer):
        seen = len(peer.bodies.get(stream, b""))
        if seen != size:
            return f"{seen} bytes came, not {size}; {state(peer)}"

    return step


def until_bytes(stream, size):
    """Waits for so many bytes, and makes sure that no more come."""

    def step(peer):
        peer.until(lambda: len(peer.bodies.get(stream, b"")) >= size)
        peer.round_trip()
        return body_is(stream, size)(peer)

    return step


def granted(stream, increment):
    return lambda peer: peer.grant(stream, increment)


def initial(size, *streams):
    """SETTINGS_INITIAL_WINDOW_SIZE, for streams that are open too."""

    def step(peer):
        for stream in streams:
            peer.windows[stream] = peer.windows.get(stream, peer.initial_window) + size - peer.initial_window
        peer.initial_window = size
        peer.send(settings((4, size)))
        peer.round_trip()

    return step


case("zero-connection", "9113 §6.9", "WINDOW_UPDATE by 0", Connection(PROTOCOL), window(0, 0))
case(
    "zero-stream",
    "9113 §6.9",
    "WINDOW_UPDATE by 0 on a stream",
    Any(Stream(1, PROTOCOL), Connection(PROTOCOL)),
    get(1, HOLD),
    window(1, 0),
)
case("reserved-bit", "9113 §6.9", "the reserved bit of an increment", Ignored(), window(0, (1 << 31) | 5))
case("over-connection", "9113 §6.9.1", "a connection's window over 2^31-1", Connection(FLOW), window(0, STREAM_MAX))
case(
    "over-connection-in-two",
    "9113 §6.9.1",
    "the same in two steps",
    Connection(FLOW),
    window(0, 1 << 30),
    window(0, 1 << 30),
)
case(
    "over-stream", "9113 §6.9.1", "a stream's window over 2^31-1", Stream(1, FLOW), get(1, HOLD), window(1, STREAM_MAX)
)
case(
    "largest",
    "9113 §6.9.1",
    "both windows at 2^31-1",
    Answer(1, 200, pattern(9)),
    get(1, "/any/big/9"),
    window(0, STREAM_MAX - 65535),
    window(1, STREAM_MAX - 65535),
)
case(
    "over-by-settings",
    "9113 §6.9.2",
    "SETTINGS that lift a stream over 2^31-1",
    Connection(FLOW),
    get(1, HOLD),
    window(1, STREAM_MAX - 65535),
    settings((4, 65536)),
)
case(
    "one-byte",
    "9113 §5.2, §6.9",
    "a window of 1: one byte, then the rest",
    Answer(1, 200, pattern(5)),
    initial(1),
    get(1, "/any/big/5"),
    until_bytes(1, 1),
    granted(1, 1),
    until_bytes(1, 2),
    granted(1, 3),
)
case(
    "zero-window",
    "9113 §6.9.2",
    "a window of 0: a head, then bytes once it opens",
    Answer(1, 200, pattern(5)),
    initial(0),
    get(1, "/any/big/5"),
    lambda peer: None if peer.until_head(1) else "no head",
    until_bytes(1, 0),
    granted(1, 5),
)
case("zero-window-no-body", "9113 §6.9", "a window of 0 and an answer without a body", Answer(1), initial(0), get(1))
case(
    "raised-by-settings",
    "9113 §6.9.2",
    "a window of 0, opened by SETTINGS",
    Answer(1, 200, pattern(5)),
    initial(0),
    get(1, "/any/big/5"),
    until_bytes(1, 0),
    initial(5, 1),
)
case(
    "negative",
    "9113 §6.9.2",
    "a window below 0 stays shut until it is above",
    Answer(1, 200, pattern(20)),
    initial(10),
    get(1, "/any/big/20"),
    until_bytes(1, 10),
    initial(2, 1),
    granted(1, 8),
    until_bytes(1, 10),
    granted(1, 4),
    until_bytes(1, 14),
    granted(1, 6),
)
case(
    "connection-window",
    "9113 §6.9.1",
    "a connection's window of 65,535 for two streams",
    Answer(3, 200, pattern(60000)),
    initial(STREAM_MAX),
    get(1, "/any/big/60000"),
    ended(1),
    get(3, "/any/big/60000"),
    until_bytes(3, 5535),
    granted(0, 54465),
)
case(
    "not-by-settings",
    "9113 §6.9.2",
    "SETTINGS don't open the connection's window",
    Answer(1, 200, pattern(70000)),
    initial(STREAM_MAX),
    get(1, "/any/big/70000"),
    until_bytes(1, 65535),
    initial(STREAM_MAX - 1, 1),
    until_bytes(1, 65535),
    granted(0, 4465),
)
case(
    "stream-stalled-others-go-on",
    "9113 §5.2.1",
    "a stream without a window beside others",
    Ignored(),
    initial(0),
    get(1, "/any/big/9"),
    get(3),
    ended(3),
)
case(
    "window-update-in-bits",
    "9113 §6.9",
    "100 bytes, window by window of 1",
    Answer(1, 200, pattern(100)),
    initial(0),
    get(1, "/any/big/100"),
    *[granted(1, 1)] * 100,
)


def overruns_stream(peer):
    """The backend doesn't read, so that windows stay shut in the end, and we don't care."""
    peer.send(post(1, "/any/stuck"))
    for _ in range(500):
        peer.send(data(1, bytes(16384), end=False))
        peer.until(lambda: 1 in peer.resets or peer.away, 0)
        if peer.resets or peer.away or peer.eof:
            break


case(
    "stream-window-overrun",
    "9113 §6.9.1",
    "DATA beyond a stream's window",
    Any(Stream(1, FLOW), Connection(FLOW)),
    overruns_stream,
)
case(
    "padding-counts",
    "9113 §6.9.1",
    "4 MiB of padding: credit comes back for it",
    Answer(1, 200, b"x" * 16384),
    post(1),
    lambda peer: pads(peer),
    data(1),
)
case(
    "late-data-counts",
    "9113 §6.9",
    "2 MiB of DATA on streams that the server reset: credit comes back for it",
    Ignored(),
    lambda peer: lates(peer),
)
case("upload", "9113 §6.9", "1 MiB up and down within the windows", Ignored(), lambda peer: uploads(peer))


def within_windows(peer, spent, stream):
    """Reads until a full frame fits what the server has granted."""

    def room():
        said = [seen for seen in peer.frames if seen.type == 8]
        granted_here = sum(seen.window_increment for seen in said if seen.stream_id == stream)
        granted_all = sum(seen.window_increment for seen in said if seen.stream_id == 0)
        return min(65535 + granted_all - spent[0], peer.settings.get(4, 65535) + granted_here - spent.get(stream, 0))

    if not peer.until(lambda: room() >= 16384):
        return False
    spent[0] += 16384
    spent[stream] = spent.get(stream, 0) + 16384
    return True


def pads(peer):
    spent = {0: 0}
    for _ in range(256):
        if not within_windows(peer, spent, 1):
            return f"windows don't open again; {state(peer)}"
        peer.send(data(1, b"\xfex" + bytes(254), end=False, flags=PADDED) * 64)
        peer.grant(0, 64)
        peer.grant(1, 64)


def lates(peer):
    spent = {0: 0}
    for stream in range(1, 257, 8):
        peer.send(head(stream, request("GET", "/mock", ("Upper", "x")), end=False))
        for _ in range(4):
            if not within_windows(peer, spent, stream):
                return f"windows don't open again; {state(peer)}"
            peer.send(data(stream, bytes(16384), end=False))
    peer.round_trip()
    if set(peer.resets.values()) != {PROTOCOL}:
        return f"resets {peer.resets}"
    peer.resets.clear()


def uploads(peer):
    spent = {0: 0}
    peer.send(post(1))
    for at in range(64):
        if not within_windows(peer, spent, 1):
            return f"windows don't open again; {state(peer)}"
        peer.grant(0, 16384)
        peer.grant(1, 16384)
        peer.send(data(1, bytes([at]) * 16384, end=at == 63))
    if not peer.until_end(1) or bytes(peer.bodies[1]) != b"".join(bytes([at]) * 16384 for at in range(64)):
        return f"another body came back; {state(peer)}"


case = group_of("priority")
WEIGHT = b"\x0f"
case(
    "in-headers",
    "9113 §5.3.2",
    "HEADERS with a priority",
    Answer(1),
    frame(HEADERS, END_STREAM | END_HEADERS | PRIORITY_FLAG, 1, number(0) + WEIGHT + block(*request())),
)
case(
    "exclusive",
    "9113 §5.3.2",
    "HEADERS with an exclusive dependency",
    Answer(1),
    frame(HEADERS, END_STREAM | END_HEADERS | PRIORITY_FLAG, 1, number(1 << 31) + WEIGHT + block(*request())),
)
case(
    "of-itself",
    "9113 §5.3.2",
    "HEADERS that depend on themselves: nobody reads it any more, RFC 7540 had an error",
    Any(Answer(1), Stream(1, PROTOCOL)),
    frame(HEADERS, END_STREAM | END_HEADERS | PRIORITY_FLAG, 1, number(1) + WEIGHT + block(*request())),
)
case(
    "frame-of-itself",
    "9113 §5.3.2",
    "PRIORITY that depends on itself",
    Any(Answer(1), Stream(1, PROTOCOL)),
    post(1),
    frame(PRIORITY, 0, 1, number(1) + WEIGHT),
    data(1),
)
case("update", "9218 §7.1", "PRIORITY_UPDATE", Ignored(), frame(0x10, 0, 0, number(1) + b"u=1"))
case("field", "9218 §4", "a priority field", Answer(1), get(1, "/mock", ("priority", "u=1, i")))
case("a-hundred", "9113 §5.3.2", "PRIORITY a hundred times", Ignored(), frame(PRIORITY, 0, 9, number(3) + WEIGHT) * 100)

case = group_of("errors")


def last_stream(stream):
    def step(peer):
        peer.send(get(1) + get(3))
        ended(1)(peer), ended(3)(peer)
        peer.send(ping(stream=1))
        peer.until(lambda: peer.away is not None)
        if peer.away is None or peer.away.last_stream_id != stream:
            return f"GOAWAY names {peer.away and peer.away.last_stream_id}"

    return step


case(
    "last-stream", "9113 §5.4.1", "an error after streams 1 and 3: GOAWAY names 3", Connection(PROTOCOL), last_stream(3)
)
case(
    "only-one-go-away",
    "9113 §5.4.1",
    "frames behind an error get no answer",
    Connection(PROTOCOL),
    ping(stream=1) * 3,
    lambda peer: (
        None if peer.until_eof() and sum(seen.type == 7 for seen in peer.frames) == 1 else "more than one GOAWAY"
    ),
)
case(
    "others-go-on",
    "9113 §5.4.2",
    "a broken stream beside a good one",
    Answer(3, 200, b"good"),
    post(3),
    head(5, request("GET", "x")),
    was_reset(5),
    data(3, b"good"),
)
case("no-answer-to-reset", "9113 §5.4.2", "RST_STREAM isn't answered by RST_STREAM", Ignored(), get(1, HOLD), reset(1))
case(
    "end-of-input",
    "9113 §5.4",
    "the client's FIN within a request: nothing but the end",
    Ignored(),
    lambda peer: fin(peer),
    probe=None,
)


def fin(peer):
    with Peer(peer.socket.getpeername()[1]) as other:
        other.until_settled()
        other.send(post(1))
        other.socket.shutdown(1)
        if not other.until_eof() or other.broken:
            return f"{state(other)} {other.broken}"


case = group_of("goaway")


def served_then_closed(peer):
    """Streams that are open go on; then the connection ends."""
    peer.send(post(1) + go_away(0) + data(1, b"last"))
    if not peer.until_end(1) or bytes(peer.bodies.get(1, b"")) != b"last":
        return f"the open stream isn't served: {state(peer)}"
    if not peer.until_eof():
        return "the connection stays"


case("ours", "9113 §6.8", "GOAWAY from the client: what is open goes on, then the end", Closed(), served_then_closed)
case(
    "with-debug",
    "9113 §6.8",
    "GOAWAY with debug data while a stream is open",
    Closed(),
    post(1),
    go_away(0, 0, b"bye"),
    data(1, b"x"),
    ended(1),
)
case(
    "code-unknown",
    "9113 §7",
    "GOAWAY with a code that nobody knows",
    Closed(),
    post(1),
    go_away(0, 0xBEEF),
    data(1, b"x"),
    ended(1),
)
