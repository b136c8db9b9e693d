"""RFC 9113 sections 3.4, 4 and 6: preface, SETTINGS, frame format, field blocks, each frame type."""

import time

from table import Answer, Any, Closed, Connection, Ignored, Stream, group_of, state
from wire import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    PRIORITY_FLAG,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    STREAM_MAX,
    WINDOW_UPDATE,
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

SIZE, PROTOCOL, FLOW = "FRAME_SIZE_ERROR", "PROTOCOL_ERROR", "FLOW_CONTROL_ERROR"
GET = block(*request())
TALK = PREFACE + settings() + settings(flags=ACK) + get(1) + ping() + post(3) + data(3, b"body")


def one_by_one(peer):
    for octet in TALK:
        peer.send(bytes([octet]))


def cut_everywhere(peer):
    """A conversation in two pieces, for every place of the cut."""
    port = peer.socket.getpeername()[1]
    open_peers = []
    for cut in range(1, len(TALK)):
        other = Peer(port, preface=b"", first=TALK[:cut], acknowledge=False)
        open_peers.append((cut, other))
    time.sleep(0.02)
    try:
        for cut, other in open_peers:
            other.send(TALK[cut:])
        for cut, other in open_peers:
            if not (other.until_end(1) and other.until_end(3)) or bytes(other.bodies[3]) != b"body" or other.broken:
                return f"cut at {cut}: {state(other)} {other.broken}"
    finally:
        for _, other in open_peers:
            other.close()


case = group_of("preface")
for name, octets in {
    "garbage": b"GARBAGE * HTTP/9.9\r\n\r\n",
    "wrong-ending": b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
    "wrong-version": b"PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n",
}.items():
    case(name, "9113 §3.4", f"a preface of {octets!r}", Closed(), preface=octets, settle=False, raw=True)
case("no-settings", "9113 §3.4", "HEADERS first", Connection(PROTOCOL), get(1), first=b"", settle=False)
case(
    "ack-first",
    "9113 §3.4",
    "SETTINGS with ACK first",
    Connection(PROTOCOL),
    settings(flags=ACK),
    first=b"",
    settle=False,
)
case("ping-first", "9113 §3.4", "PING first", Connection(PROTOCOL), ping(), first=b"", settle=False)
case(
    "unknown-first",
    "9113 §3.4",
    "a frame of an unknown type first",
    Connection(PROTOCOL),
    frame(0xBB),
    first=b"",
    settle=False,
)
case("empty-settings", "9113 §3.4", "empty SETTINGS", Answer(1), get(1))
case("twice", "9113 §3.4", "the preface again", Connection(SIZE, PROTOCOL), PREFACE)
case("requests-at-once", "9113 §3.4", "a request before the server's SETTINGS is read", Answer(1), get(1), settle=False)
case(
    "one-octet-at-a-time",
    "9113 §4.1",
    "preface, requests and PING, octet by octet",
    Answer(3, 200, b"body"),
    one_by_one,
    preface=b"",
    first=b"",
    settle=False,
)
case("cut-everywhere", "9113 §4.1", "the same in two pieces, cut at each octet", Ignored(), cut_everywhere)
case(
    "all-at-once",
    "9113 §4.1",
    "the same in one piece",
    Answer(3, 200, b"body"),
    TALK,
    preface=b"",
    first=b"",
    settle=False,
)


def wants_acks(count):
    def step(peer):
        if not peer.until(lambda: peer.acks >= count) or peer.acks != count:
            return f"{peer.acks} acknowledgements"

    return step


def settings_of_server(peer):
    said = peer.settings
    if said.get(1, 4096) != 4096 or said.get(3, 0) < 100 or said.get(2, 0) != 0 or said.get(8, 0) != 0:
        return f"SETTINGS {said}"


case = group_of("settings")
case("acknowledged", "9113 §6.5.3", "three SETTINGS", Ignored(), settings() * 2, wants_acks(3))
case(
    "the-servers",
    "9113 §6.5.2",
    "nothing; the server takes 100 streams or more and offers no push or extended CONNECT",
    Ignored(),
    settings_of_server,
)
case("on-a-stream", "9113 §6.5", "SETTINGS on stream 1", Connection(PROTOCOL), settings(stream=1))
case("length-of-5", "9113 §6.5", "SETTINGS of 5 octets", Connection(SIZE), frame(SETTINGS, 0, 0, bytes(5)))
case("length-of-7", "9113 §6.5", "SETTINGS of 7 octets", Connection(SIZE), frame(SETTINGS, 0, 0, bytes(7)))
case("ack-with-payload", "9113 §6.5", "SETTINGS with ACK and a payload", Connection(SIZE), settings((3, 1), flags=ACK))
case(
    "ack-on-a-stream", "9113 §6.5", "SETTINGS with ACK on a stream", Connection(PROTOCOL), settings(flags=ACK, stream=1)
)
case("ack-unasked", "9113 §6.5.3", "one ACK too many", Ignored(), settings(flags=ACK))
case("push-2", "9113 §6.5.2", "ENABLE_PUSH of 2", Connection(PROTOCOL), settings((2, 2)))
case("push-0", "9113 §6.5.2", "ENABLE_PUSH of 0", Answer(1), settings((2, 0)), get(1))
case("push-1", "9113 §6.5.2", "ENABLE_PUSH of 1", Answer(1), settings((2, 1)), get(1))
case("window-2-31", "9113 §6.5.2", "INITIAL_WINDOW_SIZE of 2^31", Connection(FLOW), settings((4, 1 << 31)))
case("window-largest", "9113 §6.5.2", "INITIAL_WINDOW_SIZE of 2^31-1", Answer(1), settings((4, STREAM_MAX)), get(1))
case("frame-size-small", "9113 §6.5.2", "MAX_FRAME_SIZE of 16,383", Connection(PROTOCOL), settings((5, 16383)))
case("frame-size-large", "9113 §6.5.2", "MAX_FRAME_SIZE of 2^24", Connection(PROTOCOL), settings((5, 1 << 24)))
case(
    "frame-size-largest",
    "9113 §6.5.2",
    "MAX_FRAME_SIZE of 2^24-1; answers may use it or not",
    Answer(1),
    settings((5, (1 << 24) - 1)),
    get(1),
)
case("unknown", "9113 §6.5.2", "a setting that nobody knows", Answer(1), settings((0xABCD, 7)), get(1))
case(
    "last-value-wins",
    "9113 §6.5.3",
    "INITIAL_WINDOW_SIZE of 0, then 65,535, in one frame",
    Answer(1, 200, b"x"),
    settings((4, 0), (4, 65535)),
    post(1),
    data(1, b"x"),
)
case("bad-after-good", "9113 §6.5.3", "a good value, then a bad one", Connection(PROTOCOL), settings((4, 10), (2, 9)))
case("table-0", "9113 §6.5.2", "HEADER_TABLE_SIZE of 0", Answer(1), settings((1, 0)), get(1))
case("table-huge", "9113 §6.5.2", "HEADER_TABLE_SIZE of 2^32-1", Answer(1), settings((1, 0xFFFFFFFF)), get(1))
case("streams-0", "9113 §6.5.2", "MAX_CONCURRENT_STREAMS of 0: about pushes only", Answer(1), settings((3, 0)), get(1))
case("list-size-small", "9113 §6.5.2", "MAX_HEADER_LIST_SIZE of 1: advisory", Answer(1), settings((6, 1)), get(1))
case(
    "connect-protocol-2",
    "8441 §3",
    "ENABLE_CONNECT_PROTOCOL of 2",
    Any(Connection(PROTOCOL), Ignored()),
    settings((8, 2)),
)
case("priorities-2", "9218 §2.1", "NO_RFC7540_PRIORITIES of 2", Any(Connection(PROTOCOL), Ignored()), settings((9, 2)))
case("undefined-flags", "9113 §6.5", "SETTINGS with all undefined flags", Ignored(), frame(SETTINGS, 0xFE))

case = group_of("format")
case(
    "unknown-type",
    "9113 §4.1",
    "a frame of an unknown type on the connection",
    Ignored(),
    frame(0xFA, 0xFF, 0, b"junk"),
)
case("unknown-type-on-idle", "9113 §5.5", "and on an idle stream", Ignored(), frame(0xFA, 0, 99, b"junk"))
case("unknown-type-largest", "9113 §4.2", "of 16,384 octets", Ignored(), frame(0xFA, 0, 0, bytes(16384)))
case("unknown-type-too-large", "9113 §4.2", "of 16,385 octets", Connection(SIZE), frame(0xFA, 0, 0, bytes(16385)))
case(
    "reserved-bit",
    "9113 §4.1",
    "a stream id with its reserved bit",
    Answer(1),
    frame(HEADERS, END_STREAM | END_HEADERS, 1, GET, reserved=True),
)
case(
    "reserved-bit-of-ping",
    "9113 §4.1",
    "PING with the reserved bit",
    Ignored(),
    frame(PING, 0, 0, bytes(8), reserved=True),
)
case("undefined-flags", "9113 §4.1", "PING with undefined flags", Ignored(), ping(flags=0xFE))
case(
    "undefined-flags-of-headers",
    "9113 §4.1",
    "HEADERS with undefined flags",
    Answer(1),
    frame(HEADERS, END_STREAM | END_HEADERS | 0xD2, 1, GET),
)
case("data-largest", "9113 §4.2", "DATA of 16,384 octets", Answer(1, 200, b"d" * 16384), post(1), data(1, b"d" * 16384))
case(
    "data-too-large",
    "9113 §4.2",
    "DATA of 16,385 octets",
    Any(Connection(SIZE), Stream(1, SIZE)),
    post(1),
    data(1, bytes(16385)),
)
case(
    "headers-too-large",
    "9113 §4.2",
    "HEADERS of 16,385 octets: it changes the connection's state",
    Connection(SIZE),
    frame(HEADERS, END_STREAM | END_HEADERS, 1, bytes(16385)),
)
case(
    "settings-too-large",
    "9113 §4.2",
    "SETTINGS of 16,386 octets",
    Connection(SIZE),
    frame(SETTINGS, 0, 0, bytes(16386)),
)
case(
    "length-largest",
    "9113 §4.2",
    "a frame header that says 2^24-1",
    Connection(SIZE),
    frame(DATA, 0, 1, b"", length=0xFFFFFF),
)
case(
    "frame-size-of-the-clients",
    "9113 §4.2",
    "MAX_FRAME_SIZE of 2^24-1 in our SETTINGS raises it for the server only",
    Connection(SIZE),
    settings((5, (1 << 24) - 1)),
    frame(0xFA, 0, 0, bytes(16385)),
)

case = group_of("blocks")
case(
    "continued",
    "9113 §4.3, §6.10",
    "a head in HEADERS and two CONTINUATION",
    Answer(1),
    frame(HEADERS, END_STREAM, 1, GET[:5]),
    frame(CONTINUATION, 0, 1, GET[5:9]),
    frame(CONTINUATION, END_HEADERS, 1, GET[9:]),
)
case(
    "continued-octet-by-octet",
    "9113 §6.10",
    "a field in the middle of which CONTINUATION begins, 30 times",
    Answer(1),
    frame(HEADERS, END_STREAM, 1, GET[:-30]),
    b"".join(frame(CONTINUATION, 0, 1, GET[at : at + 1]) for at in range(len(GET) - 30, len(GET) - 1)),
    frame(CONTINUATION, END_HEADERS, 1, GET[-1:]),
)
case(
    "empty-pieces",
    "9113 §6.10",
    "empty HEADERS and an empty CONTINUATION at the end",
    Answer(1),
    frame(HEADERS, END_STREAM, 1),
    frame(CONTINUATION, 0, 1, GET),
    frame(CONTINUATION, END_HEADERS, 1),
)
OPEN = frame(HEADERS, END_STREAM, 1, GET[:5])
for name, between in {
    "ping": ping(),
    "settings": settings(),
    "data": data(1),
    "window-update": window(0, 1),
    "priority": frame(PRIORITY, 0, 1, bytes(5)),
    "unknown": frame(0xFA),
    "headers": get(3),
    "headers-same": get(1),
    "reset": reset(1),
    "go-away": go_away(),
}.items():
    case(
        f"interrupted-by-{name}",
        "9113 §4.3, §6.2",
        f"{name} between HEADERS and CONTINUATION",
        Connection(PROTOCOL),
        OPEN,
        between,
    )
case(
    "continued-elsewhere",
    "9113 §6.10",
    "CONTINUATION on another stream",
    Connection(PROTOCOL),
    OPEN,
    frame(CONTINUATION, END_HEADERS, 3, GET[5:]),
)
case(
    "continuation-alone",
    "9113 §6.10",
    "CONTINUATION without HEADERS",
    Connection(PROTOCOL),
    frame(CONTINUATION, END_HEADERS, 1, GET),
)
case(
    "continuation-after-the-end",
    "9113 §6.10",
    "CONTINUATION behind END_HEADERS",
    Connection(PROTOCOL),
    post(1),
    frame(CONTINUATION, END_HEADERS, 1, GET),
)
case(
    "continuation-on-0",
    "9113 §6.10",
    "CONTINUATION on stream 0",
    Connection(PROTOCOL),
    OPEN,
    frame(CONTINUATION, END_HEADERS, 0),
)
case(
    "continuation-behind-data",
    "9113 §6.10",
    "CONTINUATION behind DATA",
    Connection(PROTOCOL),
    post(1),
    data(1, end=False),
    frame(CONTINUATION, END_HEADERS, 1),
)
case(
    "cut-in-a-field",
    "9113 §4.3",
    "a block that ends within a field",
    Connection("COMPRESSION_ERROR"),
    frame(HEADERS, END_STREAM | END_HEADERS, 1, GET[:-3]),
)
case(
    "never-ended",
    "9113 §6.10",
    "a head of 40 CONTINUATION frames; a bound of the server's own",
    Any(Connection("ENHANCE_YOUR_CALM"), Answer(1, 431)),
    OPEN,
    frame(CONTINUATION, 0, 1, b"") * 40,
)

case = group_of("frames")
case("data-on-0", "9113 §6.1", "DATA on stream 0", Connection(PROTOCOL), data(0, b"x"))
case(
    "data-padded",
    "9113 §6.1",
    "DATA with padding",
    Answer(1, 200, b"body"),
    post(1),
    data(1, b"\x05body" + bytes(5), flags=PADDED),
)
case(
    "data-only-padding",
    "9113 §6.1",
    "DATA that is padding alone",
    Answer(1, 200, b""),
    post(1),
    data(1, b"\xff" + bytes(255), flags=PADDED),
)
case(
    "data-padding-longer",
    "9113 §6.1",
    "padding as long as the frame",
    Connection(PROTOCOL),
    post(1),
    data(1, b"\x05body", flags=PADDED),
)
case(
    "data-padding-no-room",
    "9113 §6.1",
    "PADDED without an octet",
    Connection(PROTOCOL, SIZE),
    post(1),
    data(1, b"", flags=PADDED),
)
case("headers-on-0", "9113 §6.2", "HEADERS on stream 0", Connection(PROTOCOL), head(0))
case(
    "headers-padded",
    "9113 §6.2",
    "HEADERS with padding",
    Answer(1),
    frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, b"\x08" + GET + bytes(8)),
)
case(
    "headers-padding-longer",
    "9113 §6.2",
    "padding over the frame's end",
    Connection(PROTOCOL),
    frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, b"\xff" + GET),
)
case(
    "headers-padded-with-priority",
    "9113 §6.2",
    "padding and priority",
    Answer(1),
    frame(
        HEADERS, END_STREAM | END_HEADERS | PADDED | PRIORITY_FLAG, 1, b"\x02" + number(0) + b"\x10" + GET + bytes(2)
    ),
)
case(
    "headers-priority-cut",
    "9113 §6.2",
    "PRIORITY flag and three octets",
    Connection(SIZE, PROTOCOL),
    frame(HEADERS, END_STREAM | END_HEADERS | PRIORITY_FLAG, 1, bytes(3)),
)
case(
    "headers-padding-over-priority",
    "9113 §6.2",
    "padding that leaves no room for the priority",
    Connection(SIZE, PROTOCOL),
    frame(HEADERS, END_STREAM | END_HEADERS | PADDED | PRIORITY_FLAG, 1, b"\x04" + bytes(8)),
)
case(
    "padding-not-zero",
    "9113 §6.1",
    "padding that isn't zero; may be an error, need not",
    Any(Answer(1, 200, b"x"), Connection(PROTOCOL)),
    post(1),
    data(1, b"\x03xabc", flags=PADDED),
)
case("reset-on-0", "9113 §6.4", "RST_STREAM on stream 0", Connection(PROTOCOL), reset(0))
case("reset-on-idle", "9113 §6.4", "RST_STREAM on an idle stream", Connection(PROTOCOL), reset(1))
case("reset-of-3", "9113 §6.4", "RST_STREAM of 3 octets", Connection(SIZE), post(1), frame(RST_STREAM, 0, 1, bytes(3)))
case("reset-of-5", "9113 §6.4", "RST_STREAM of 5 octets", Connection(SIZE), post(1), frame(RST_STREAM, 0, 1, bytes(5)))
case(
    "reset-unknown-code",
    "9113 §7",
    "RST_STREAM with a code that nobody knows",
    Ignored(),
    post(1),
    reset(1, 0xDEADBEEF),
)
case(
    "push",
    "9113 §6.6, §8.4",
    "PUSH_PROMISE by a client",
    Connection(PROTOCOL),
    post(1),
    frame(PUSH_PROMISE, END_HEADERS, 1, number(2) + GET),
)
case(
    "push-on-0",
    "9113 §6.6",
    "PUSH_PROMISE on stream 0",
    Connection(PROTOCOL),
    frame(PUSH_PROMISE, END_HEADERS, 0, number(2) + GET),
)
case("ping-on-a-stream", "9113 §6.7", "PING on stream 1", Connection(PROTOCOL), ping(stream=1))
case("ping-of-7", "9113 §6.7", "PING of 7 octets", Connection(SIZE), ping(b"1234567"))
case("ping-of-9", "9113 §6.7", "PING of 9 octets", Connection(SIZE), ping(b"123456789"))
case("ping-of-0", "9113 §6.7", "empty PING", Connection(SIZE), ping(b""))
case("ping-ack-unasked", "9113 §6.7", "PING with ACK", Ignored(), ping(flags=ACK))


def same_opaque(peer):
    peer.round_trip(b"\x00\xff opaq\n")
    if peer.pongs[-1] != b"\x00\xff opaq\n" or len(peer.pongs) != 2:
        return f"PING answered by {peer.pongs}"


case("ping-answered", "9113 §6.7", "PING; its octets come back", Ignored(), same_opaque)
case(
    "ping-while-streams-wait",
    "9113 §6.7",
    "PING beside a stream without an answer",
    Ignored(),
    get(1, "/any/hold"),
    ping(),
)
case(
    "window-update-of-3",
    "9113 §6.9",
    "WINDOW_UPDATE of 3 octets",
    Connection(SIZE),
    frame(WINDOW_UPDATE, 0, 0, bytes(3)),
)
case(
    "window-update-of-5",
    "9113 §6.9",
    "WINDOW_UPDATE of 5 octets",
    Connection(SIZE),
    frame(WINDOW_UPDATE, 0, 0, bytes(5)),
)
case(
    "window-update-of-5-on-a-stream",
    "9113 §6.9",
    "and on a stream",
    Connection(SIZE),
    post(1),
    frame(WINDOW_UPDATE, 0, 1, bytes(5)),
)
case("priority-on-0", "9113 §6.3", "PRIORITY on stream 0", Connection(PROTOCOL), frame(PRIORITY, 0, 0, bytes(5)))
case(
    "priority-of-4",
    "9113 §6.3",
    "PRIORITY of 4 octets on an open stream",
    Any(Stream(1, SIZE), Connection(SIZE)),
    post(1),
    frame(PRIORITY, 0, 1, bytes(4)),
)
case(
    "priority-of-4-on-idle",
    "9113 §6.3, §6.4",
    "and on an idle one, which can't be reset",
    Any(Connection(SIZE), Stream(1, SIZE)),
    frame(PRIORITY, 0, 1, bytes(4)),
)
case("go-away-on-a-stream", "9113 §6.8", "GOAWAY on stream 1", Connection(PROTOCOL), frame(GOAWAY, 0, 1, bytes(8)))
case("go-away-of-7", "9113 §6.8", "GOAWAY of 7 octets", Connection(SIZE), frame(GOAWAY, 0, 0, bytes(7)))
