"""From a backend that speaks HTTP/1.1 to HTTP/2 (RFC 9113 sections 8.1 and 8.3.2), the drain, and ALPN."""

import signal
import ssl
import time

from table import Answer, Any, Stream, group_of, state
from wire import Peer, data, get, head, post, request

case = group_of("answers")


def asked(name):
    return get(1, f"/any/raw/{name}")


def fields_are(**wanted):
    """The answer's fields by name, with `_` for `-`; nothing says that there is none."""

    def step(peer):
        if not peer.until_head(1) or 1 not in peer.heads:
            return f"no head; {state(peer)}"
        for name, value in wanted.items():
            seen = [value for known, value in peer.heads[1][1] if known.decode() == name.replace("_", "-")]
            if seen != value:
                return f"{name} is {seen}"

    return step


def no_clean_end(peer):
    """Half a body must never look whole: RST_STREAM, or an error before the head went out."""
    if not peer.until_end(1) or (1 in peer.ended and peer.status(1) < 500):
        return f"a clean end for half a body: {state(peer)}"


OK = Answer(1, 200, b"ok")
BROKEN = Any(Stream(1, "INTERNAL_ERROR", "CANCEL", "PROTOCOL_ERROR"), Answer(1, 500), Answer(1, 502))
case(
    "chunked",
    "9113 §8.1",
    "chunks become DATA",
    Answer(1, 200, b"hello world"),
    asked("chunked"),
    fields_are(transfer_encoding=[]),
)
case(
    "chunked-trailers",
    "9113 §8.1",
    "trailers of chunks: passed on or dropped",
    OK,
    asked("chunked-trailers"),
    fields_are(trailer=[], x_sum=[]),
)
case(
    "until-close",
    "9113 §8.1",
    "a body that ends with its connection",
    Answer(1, 200, b"to the end"),
    asked("until-close"),
)
case("http10", "9113 §8.1", "an answer of HTTP/1.0", Answer(1, 200, b"to the end"), asked("http10"))
case(
    "of-connection",
    "9113 §8.2.2",
    "fields of the backend's connection stay behind",
    OK,
    asked("of-connection"),
    fields_are(connection=[], keep_alive=[], proxy_connection=[], upgrade=[], te=[], x_private=[], x_public=[b"1"]),
)
case(
    "upper-case", "9113 §8.2.1", "names are in lower case", OK, asked("upper-case"), fields_are(x_upper_case=[b"Value"])
)
case(
    "blanks",
    "9113 §8.2.1",
    "values without the blanks around them",
    OK,
    asked("blanks"),
    fields_are(x_blank=[b"a \t b"]),
)
case("empty-value", "9113 §8.2.1", "an empty value", OK, asked("empty-value"), fields_are(x_empty=[b""]))
case("cookies", "9110 §5.3", "cookies stay apart", OK, asked("cookies"), fields_are(set_cookie=[b"a=1", b"b=2"]))
case("no-content", "9113 §8.1", "204: END_STREAM, no body", Answer(1, 204, b""), asked("no-content"))
case(
    "not-modified",
    "9110 §15.4.5",
    "304 with a length of what it stands for",
    Answer(1, 304, b""),
    asked("not-modified"),
)
case("empty", "9113 §8.1", "a body of nothing", Answer(1, 200, b""), asked("empty"), fields_are(content_length=[b"0"]))
case("continue", "9110 §15.2", "100 before the answer", OK, asked("continue"))
case("early-hints", "9110 §15.2", "103 before the answer: passed on or dropped", OK, asked("early-hints"))
case("many-fields", "9113 §4.3", "a head of more than a frame", Any(OK, Answer(1, 500)), asked("many-fields"))
case("too-much", "9112 §9.2", "bytes behind the answer go nowhere", OK, asked("too-much"))
for name in ("pseudo", "name-space", "value-nul", "switching", "no-http", "nothing", "both-framings"):
    case(name, "9113 §8.2.1", "an answer that can't be passed on", Answer(1, 504), asked(name))
for name in ("cut-length", "cut-chunk", "cut-chunks", "bad-chunk"):
    case(name, "9113 §8.1", "half a body", BROKEN, asked(name), no_clean_end)
case(
    "cut-beside-others",
    "9113 §5.4.2",
    "half a body beside a whole one",
    Answer(3, 200, b"ok"),
    asked("cut-length"),
    get(3, "/any/x"),
)
case(
    "head-of-chunked",
    "9113 §8.1",
    "HEAD answered with a transfer coding",
    Answer(1, 200, b""),
    head(1, request("HEAD", "/any/raw/empty")),
)


def drains(node):
    """SIGTERM: GOAWAY, what is open goes on to its end, then the connection and the process end (section 6.8)."""
    with Peer(node.port) as peer:
        peer.until_settled()
        peer.send(get(1) + post(3) + data(3, b"first ", end=False))
        if not peer.until_end(1):
            return f"no answer before; {state(peer)}"
        node.process.send_signal(signal.SIGTERM)
        if not peer.until(lambda: peer.away is not None):
            return "no GOAWAY"
        if peer.away.error_code != 0 or peer.away.last_stream_id < 3:
            return f"GOAWAY {peer.away.error_code} up to {peer.away.last_stream_id}"
        time.sleep(0.2)
        peer.send(data(3, b"last"))
        if not peer.until_end(3) or bytes(peer.bodies.get(3, b"")) != b"first last":
            return f"the open stream isn't served; {state(peer)}"
        if not peer.until_eof() or peer.broken:
            return f"no clean end; {state(peer)} {peer.broken}"
    return None if node.process.wait(5) == 0 else f"exit {node.process.returncode}"


def negotiates(offered, wanted):
    def check(node):
        with Peer(node.tls_port, tls=True, alpn=offered, preface=b"", first=b"", raw=wanted != "h2") as peer:
            if peer.alpn != wanted:
                return f"ALPN chose {peer.alpn}"
        return None

    return check


def http1_on_h2(node):
    """ALPN says h2, the client says HTTP/1.1: the end (RFC 9113 section 3.4)."""
    with Peer(node.tls_port, tls=True, preface=b"GET /mock HTTP/1.1\r\nHost: localhost\r\n\r\n", first=b"") as peer:
        if not peer.until_eof():
            return f"open; {state(peer)}"
        return f"answered; {state(peer)}" if peer.heads else None


def alpn_unknown(node):

    try:
        with Peer(node.tls_port, tls=True, alpn=("gopher",), preface=b"", first=b"") as peer:
            return f"ALPN chose {peer.alpn}"
    except ssl.SSLError:
        return None


TLS = {
    "alpn-h2": negotiates(("h2",), "h2"),
    "alpn-both": negotiates(("http/1.1", "h2"), "h2"),
    "alpn-http1": negotiates(("http/1.1",), "http/1.1"),
    "alpn-unknown": alpn_unknown,
    "http1-on-h2": http1_on_h2,
}
