"""From HTTP/2 to a backend that speaks HTTP/1.1: what is refused doesn't reach it, and what does is canonical."""

import re

from node import judge
from table import Answer, Any, Ignored, Stream, group_of, state
from wire import END_HEADERS, END_STREAM, HEADERS, Peer, block, data, frame, get, head, literal, post, request

DOWNGRADE = []
BAD = Stream(1, "PROTOCOL_ERROR")
case = group_of("downgrade", DOWNGRADE)


class Refused:
    """Refused in one of these ways, and the backend has seen no whole request; nothing at all, if `nothing`. Bodies
    stream: one that turns out wrong behind what its length declared may have been whole for the backend, if
    `but_for` says so, but never what is too much."""

    def __init__(self, outcome=BAD, nothing=True, but_for=None):
        self.outcome, self.nothing, self.but_for = outcome, nothing, but_for

    def __str__(self):
        return f"{self.outcome}, nothing at the backend"

    def judge_backend(self, backend):
        if self.nothing and backend.octets():
            return f"the backend has {backend.octets()[:200]!r}"
        if self.but_for and self.but_for not in backend.octets() and len(backend.requests()) < 2:
            return None
        if backend.requests():
            return f"the backend has a whole request {backend.requests()[0][:200]!r}"
        return None


class Passed:
    """One canonical request, with these lines and without those; `text` is its whole body as it came."""

    def __init__(self, line, *lines, without=(), text=None, status=200):
        self.line, self.lines, self.without, self.text = line, lines, without, text
        self.outcome = Answer(1, status)

    def __str__(self):
        return f"{self.line} at the backend"

    def judge_backend(self, backend):
        requests = backend.requests()
        if backend.defects or len(requests) != 1:
            return f"the backend has {len(requests)} requests, defects {backend.defects}"
        text, body = requests[0].split(b"\r\n\r\n", 1)
        judge(text + b"\r\n\r\n")
        line, *lines = text.decode("latin-1").split("\r\n")
        if line != self.line:
            return f"the backend has {line!r}"
        names = [known.split(":", 1)[0].lower() for known in lines]
        for name in {known.split(":", 1)[0] for known in self.lines}:
            wanted = [known for known in self.lines if known.split(":", 1)[0] == name]
            if [known for known in lines if known.split(":", 1)[0].lower() == name.lower()] != wanted:
                return f"the backend has other lines than {wanted}: {lines}"
        for unwanted in (
            "connection",
            "te",
            "trailer",
            "upgrade",
            "keep-alive",
            "proxy-connection",
            "http2-settings",
            *self.without,
        ):
            if unwanted in names:
                return f"the backend has {unwanted}: {lines}"
        if any(name.startswith(":") or not name for name in names):
            return f"a pseudo-field at the backend: {lines}"
        if self.text is not None and body != self.text:
            return f"the backend has a body {body[:200]!r}"
        return None


def run_downgrade(case, node, backend):
    backend.clear()
    with Peer(node.port) as peer:
        peer.until_settled()
        for step in case.steps:
            peer.send(step)
        wrong = case.expected.outcome.judge(peer, 20_001)
        # What was on its way to the backend is there before this.
        peer.send(get(20_003, "/any/marker"))
        if not wrong and not peer.until_end(20_003):
            wrong = f"no answer afterwards: {state(peer)}"
        with backend.lock:
            # The marker is the last exchange; it isn't part of the case, whichever connection it took.
            marker = next((seen for seen in backend.connections if seen.startswith(b"GET /marker ")), None)
            backend.connections = [seen for seen in backend.connections if seen is not marker]
            backend.whole = [seen for seen in backend.whole if not seen.startswith(b"GET /marker ")]
        return wrong or case.expected.judge_backend(backend) or "; ".join(peer.broken) or None


def any_path(path, *more, **changes):
    return head(1, request("GET", path, *more, **changes))


def field(name, value, path="/any/x"):
    return get(1, path, (name, value))


GOOD = "GET /x HTTP/1.1"
SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

# What passes.
case("plain", "9113 §8.3.1", "a request", Passed(GOOD), get(1, "/any/x"))
case("field", "9113 §8.2", "a field", Passed(GOOD, "x-a: 1"), field("x-a", "1"))
case("field-empty", "9110 §5.5", "an empty value", Passed(GOOD, "x-a: "), field("x-a", ""))
case("field-colon", "9110 §5.5", "a value with colons", Passed(GOOD, "x-a: b: c"), field("x-a", "b: c"))
case(
    "field-odd-token",
    "9110 §5.6.2",
    "a name of all that a token may have",
    Passed(GOOD, "!#$%&'*+-.^_`|~0a: 1"),
    field("!#$%&'*+-.^_`|~0a", "1"),
)
case(
    "fields-alike",
    "9110 §5.3",
    "two fields of one name, joined as AWS does",
    Passed(GOOD, "x-a: 1,2"),
    get(1, "/any/x", ("x-a", "1"), ("x-a", "2")),
)
case(
    "fields-200",
    "9110 §5.4",
    "two hundred fields",
    Passed(GOOD, *[f"x-{at}: v" for at in range(200)]),
    get(1, "/any/x", *[(f"x-{at}", "v") for at in range(200)]),
)
case(
    "cookies-joined",
    "9113 §8.2.3",
    "cookie crumbs become one line",
    Passed(GOOD, "cookie: a=1; b=2; c=3"),
    get(1, "/any/x", ("cookie", "a=1"), ("x-a", "1"), ("cookie", "b=2; c=3")),
)
case("te-trailers", "9113 §8.2.2", "te: trailers goes no further", Passed(GOOD), field("te", "trailers"))
case("http2-settings", "9113 §8.2.2", "nor does http2-settings", Passed(GOOD), field("http2-settings", "AAAA"))
case("query", "9110 §4.1", "a query", Passed("GET /x?a=1&b=%2F HTTP/1.1"), any_path("/any/x?a=1&b=%2F"))
case(
    "length",
    "9112 §6.3",
    "a body with its length",
    Passed("POST /echo HTTP/1.1", "Content-Length: 4", without=("transfer-encoding",), text=b"body"),
    post(1, "/any/echo", ("content-length", "4")),
    data(1, b"body"),
)
case(
    "no-length",
    "9112 §7.1",
    "a body without one goes in chunks",
    Passed(
        "POST /echo HTTP/1.1", "Transfer-Encoding: chunked", without=("content-length",), text=b"4\r\nbody\r\n0\r\n\r\n"
    ),
    post(1),
    data(1, b"body"),
)
case(
    "no-body",
    "9112 §6.3",
    "END_STREAM at the head of POST",
    Passed("POST /echo HTTP/1.1", without=("transfer-encoding",), text=b""),
    head(1, request("POST", "/any/echo")),
)
case(
    "trailers-dropped",
    "9113 §8.1",
    "trailers go no further",
    Passed("POST /echo HTTP/1.1", without=("x-sum",), text=b"4\r\nbody\r\n0\r\n\r\n"),
    post(1),
    data(1, b"body", end=False),
    frame(HEADERS, END_STREAM | END_HEADERS, 1, block(("x-sum", "1"), ("content-length", "9"))),
)
case(
    "body-of-a-request",
    "9112 §11.2",
    "a body that reads like a request",
    Passed("POST /echo HTTP/1.1", text=b"%x\r\n" % len(SMUGGLED) + SMUGGLED.encode() + b"\r\n0\r\n\r\n"),
    post(1),
    data(1, SMUGGLED.encode()),
)
case(
    "body-of-a-last-chunk",
    "9112 §11.2",
    "a body that reads like the last chunk",
    Passed("POST /echo HTTP/1.1", text=b"5\r\n0\r\n\r\n\r\n0\r\n\r\n"),
    post(1),
    data(1, b"0\r\n\r\n"),
)
case(
    "authority",
    "9113 §8.3.1",
    "the backend's own host, not the client's :authority",
    Passed(GOOD, without=(":authority",)),
    any_path("/any/x", authority="evil.example"),
)
case(
    "host-like-authority",
    "9113 §8.3.1",
    "host in another case beside :authority",
    Passed(GOOD),
    get(1, "/any/x", ("host", "LOCALHOST")),
)
case(
    "expect",
    "9110 §10.1.1",
    "expect: 100-continue goes no further",
    Passed("POST /echo HTTP/1.1", without=("expect",)),
    post(1, "/any/echo", ("expect", "100-continue")),
    data(1, b"x"),
)
case(
    "forwarded-for",
    "9110 §7.6",
    "an address that the client claims is followed by its own",
    Passed(GOOD, "X-Forwarded-For: 6.6.6.6, 127.0.0.1"),
    field("x-forwarded-for", "6.6.6.6"),
)

# Fields of the connection.
for name, value in (
    ("connection", "close"),
    ("connection", "x-a"),
    ("connection", ""),
    ("keep-alive", "timeout=5"),
    ("proxy-connection", "close"),
    ("upgrade", "websocket"),
    ("te", "gzip"),
    ("te", "trailers, gzip"),
    ("transfer-encoding", "chunked"),
    ("transfer-encoding", "identity"),
    ("transfer-encoding", "xchunked"),
    ("transfer-encoding", ""),
):
    case(
        f"of-connection-{name}-{re.sub('[^a-z]+', '-', value) or 'empty'}",
        "9113 §8.2.2",
        f"{name}: {value}",
        Refused(),
        field(name, value),
    )
case(
    "chunked-with-body",
    "9113 §8.2.2",
    "transfer-encoding and a body in chunks",
    Refused(),
    post(1, "/any/echo", ("transfer-encoding", "chunked")),
    data(1, b"0\r\n\r\n" + SMUGGLED.encode()),
)
case(
    "chunked-with-length",
    "9112 §6.1",
    "transfer-encoding beside content-length",
    Refused(),
    post(1, "/any/echo", ("content-length", "5"), ("transfer-encoding", "chunked")),
    data(1, b"0\r\n\r\n"),
)
case(
    "chunked-by-literal",
    "9113 §8.2.2",
    "transfer-encoding, its name as an indexed literal",
    Refused(),
    frame(
        HEADERS,
        END_STREAM | END_HEADERS,
        1,
        block(*request("GET", "/any/x")) + literal(b"transfer-encoding", b"chunked", 0x40),
    ),
)

# Lines that a name or a value would break.
for name, (key, value) in {
    "value-crlf": ("x-a", "1\r\nx-b: 2"),
    "value-lf": ("x-a", "1\nx-b: 2"),
    "value-cr": ("x-a", "1\rx-b: 2"),
    "value-nul": ("x-a", "1\x002"),
    "value-request": ("x-a", "1\r\n\r\n" + SMUGGLED),
    "value-blank-before": ("x-a", " 1"),
    "value-blank-behind": ("x-a", "1 "),
    "value-cr-at-the-end": ("x-a", "1\r"),
    "name-crlf": ("x-a: 1\r\nx-b", "2"),
    "name-lf": ("x\na", "1"),
    "name-colon": ("x-a:b", "1"),
    "name-colon-behind": ("x-a:", "1"),
    "name-space": ("x a", "1"),
    "name-space-behind": ("content-length ", "5"),
    "name-tab-behind": ("transfer-encoding\t", "chunked"),
    "name-upper": ("X-A", "1"),
    "name-upper-known": ("Content-Length", "5"),
    "name-upper-chunked": ("Transfer-Encoding", "chunked"),
    "name-empty": ("", "1"),
    "name-nul": ("x\0", "1"),
    "cookie-crlf": ("cookie", "a\r\nx: y"),
    "host-crlf": ("host", "a\r\nx: y"),
}.items():
    case(name, "9113 §8.2.1, §10.3", f"{key!r}: {value[:30]!r}", Refused(), field(key, value))

# Pseudo-fields.
X = {":method": "GET", ":scheme": "http", ":path": "/any/x", ":authority": "localhost"}


def but(*more, **changes):
    fields = X | {":" + name: value for name, value in changes.items()}
    return head(1, [*fields.items(), *more])


for name, value in X.items():
    case(f"{name[1:]}-twice", "9113 §8.3", f"{name} twice", Refused(), but((name, value)))
case(
    "pseudo-last",
    "9113 §8.3",
    ":path behind a field",
    Refused(),
    head(1, [*list(X.items())[:2], ("x-a", "1"), *list(X.items())[2:]]),
)
case("pseudo-unknown", "9113 §8.3", ":x", Refused(), but((":x", "1")))
case(
    "pseudo-in-trailers",
    "9113 §8.1",
    ":path in trailers: no whole request",
    Refused(nothing=False),
    post(1),
    data(1, b"x", end=False),
    frame(HEADERS, END_STREAM | END_HEADERS, 1, block((":path", "/y"))),
)
case(
    "trailers-crlf",
    "9113 §8.2.1",
    "CR LF in trailers: no whole request",
    Refused(nothing=False),
    post(1),
    data(1, b"x", end=False),
    frame(HEADERS, END_STREAM | END_HEADERS, 1, block(("x", "1\r\n\r\n" + SMUGGLED))),
)
for name, changes in {
    "method-crlf": {"method": "GET / HTTP/1.1\r\nx: y"},
    "method-space": {"method": "GET /smuggled"},
    "method-nul": {"method": "GET\0"},
    "method-empty": {"method": ""},
    "method-colon": {"method": "GET:"},
    "path-crlf": {"path": "/any/x HTTP/1.1\r\nx: y"},
    "path-lf": {"path": "/any/x\nx: y"},
    "path-space": {"path": "/any/x y"},
    "path-tab": {"path": "/any/x\ty"},
    "path-nul": {"path": "/any/x\0"},
    "path-fragment": {"path": "/any/x#y"},
    "path-absolute": {"path": "http://localhost/any/x"},
    "path-relative": {"path": "any/x"},
    "path-empty": {"path": ""},
    "path-asterisk": {"path": "*"},
    "path-high": {"path": "/any/x\xe9"},
    "scheme-crlf": {"scheme": "http\r\nx: y"},
    "scheme-path": {"scheme": "http://localhost/any/x?"},
    "scheme-empty": {"scheme": ""},
    "authority-crlf": {"authority": "a\r\nx: y"},
    "authority-userinfo": {"authority": "a@localhost"},
    "authority-path": {"authority": "localhost/x"},
    "authority-space": {"authority": "a b"},
    "authority-port": {"authority": "a:b"},
    "authority-nul": {"authority": "a\0"},
}.items():
    case(name, "9113 §8.3.1, §8.2.1", f"{changes}", Refused(), but(**changes))
case(
    "authority-list",
    "9113 §8.3.1",
    ":authority that names two hosts: of no use to the backend, which gets its own",
    Passed(GOOD),
    but(authority="a,b"),
)
case("host-other", "9113 §8.3.1", "host that isn't :authority", Refused(), field("host", "evil.example"))
case(
    "host-twice",
    "9112 §3.2",
    "host twice",
    Refused(),
    head(1, request("GET", "/any/x", ("host", "a"), ("host", "a"), authority=None)),
)
case(
    "host-list", "9113 §8.3.1", "host beside :authority, in a list", Refused(), field("host", "localhost, evil.example")
)
case(
    "host-userinfo",
    "9110 §7.2",
    "host with userinfo",
    Refused(),
    head(1, request("GET", "/any/x", ("host", "a@b"), authority=None)),
)
case(
    "connect",
    "9113 §8.5",
    "CONNECT",
    Refused(),
    head(1, [(":method", "CONNECT"), (":authority", "localhost:80")], end=False),
)

# The body's length.
for name, value in {
    "more": "5",
    "less": "3",
    "signed": "+4",
    "negative": "-4",
    "list": "4, 4",
    "hex": "0x4",
    "empty": "",
    "blank": "4 4",
    "huge": "18446744073709551620",
    "float": "4.0",
}.items():
    nothing = name not in ("more", "less")
    case(
        f"length-{name}",
        "9113 §8.1.1",
        f"content-length {value!r} and 4 bytes: no whole request",
        Refused(nothing=nothing),
        post(1, "/any/echo", ("content-length", value)),
        data(1, b"body"),
    )
case(
    "length-twice",
    "9110 §8.6",
    "content-length twice",
    Refused(),
    post(1, "/any/echo", ("content-length", "4"), ("content-length", "4")),
    data(1, b"body"),
)
case(
    "length-unlike",
    "9110 §8.6",
    "content-length of 4 and of 0",
    Refused(),
    post(1, "/any/echo", ("content-length", "0"), ("content-length", "4")),
    data(1, b"body"),
)
case(
    "length-and-end",
    "9113 §8.1.1",
    "content-length 4 and END_STREAM at the head",
    Refused(),
    head(1, request("POST", "/any/echo", ("content-length", "4"))),
)
case(
    "length-0-with-body",
    "9112 §11.2",
    "content-length 0 and a request as the body: no byte of it",
    Refused(Stream(1, "PROTOCOL_ERROR", "NO_ERROR"), nothing=False, but_for=b"smuggled"),
    post(1, "/any/echo", ("content-length", "0")),
    data(1, SMUGGLED.encode()),
)
case(
    "reset-within",
    "9113 §8.1",
    "RST_STREAM within a body: no whole request",
    Refused(Ignored(), nothing=False),
    post(1),
    data(1, b"half", end=False),
    frame(3, 0, 1, bytes(4)),
)

# Counts and sizes.
case(
    "fields-300",
    "9113 §10.5.1",
    "more fields than the gateway takes",
    Refused(Answer(1, 431)),
    get(1, "/any/x", *[("x-a", "1")] * 300),
)
case(
    "fields-long",
    "9113 §10.5.1",
    "fields longer than the gateway takes",
    Refused(Answer(1, 431)),
    field("x-a", "v" * 12_000),
)
case(
    "cookies-1300",
    "9113 §8.2.3",
    "1,300 cookie crumbs, over the limit once joined",
    Refused(Any(Answer(1, 431), BAD)),
    frame(HEADERS, END_STREAM, 1, block(*request("GET", "/any/x"))),
    *[frame(9, END_HEADERS if at == 4 else 0, 1, block(*[("cookie", "abcdef")] * 260)) for at in range(5)],
)
case(
    "path-long",
    "9113 §10.5",
    "a :path longer than the gateway takes",
    Refused(Answer(1, 414)),
    any_path("/any/" + "x" * 11_000),
)
