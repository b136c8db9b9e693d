"""RFC 9113 section 8 and RFC 8441: malformed messages, trailers, CONNECT."""

from table import Answer, Any, Connection, Ignored, Stream, group_of
from wire import END_HEADERS, END_STREAM, HEADERS, block, data, frame, get, head, post, request, settings

BAD = Stream(1, "PROTOCOL_ERROR")
FIELDS = {":method": "GET", ":scheme": "http", ":path": "/mock", ":authority": "localhost"}


def but(**changes):
    """A request with pseudo-fields changed; nothing takes one away."""
    fields = dict(FIELDS) | {":" + name: value for name, value in changes.items()}
    return head(1, [(name, value) for name, value in fields.items() if value is not None])


def with_field(name, value):
    return get(1, "/mock", (name, value))


case = group_of("fields")
for name, field in {
    "upper-case": ("Upper", "x"),
    "upper-case-within": ("x-Upper", "x"),
    "empty": ("", "x"),
    "space": ("x y", "x"),
    "space-behind": ("x ", "x"),
    "colon": ("x:y", "x"),
    "tab": ("x\ty", "x"),
    "nul": ("x\0", "x"),
    "cr": ("x\ry", "x"),
    "lf": ("x\ny", "x"),
    "del": ("x\x7f", "x"),
    "high": ("x\xff", "x"),
    "parenthesis": ("x(y)", "x"),
}.items():
    case(f"name-{name}", "9113 §8.2.1", f"a field named {field[0]!r}", BAD, with_field(*field))
for name, value in {
    "nul": "a\0b",
    "cr": "a\rb",
    "lf": "a\nb",
    "crlf": "a\r\nb: c",
    "space-before": " a",
    "space-behind": "a ",
    "tab-before": "\ta",
    "tab-behind": "a\t",
}.items():
    case(f"value-{name}", "9113 §8.2.1", f"a value {value!r}", BAD, with_field("x-a", value))
case(
    "value-bell",
    "9110 §5.5",
    "a value with another control: may be refused",
    Any(BAD, Answer(1)),
    with_field("x-a", "a\x07b"),
)
case("value-empty", "9110 §5.5", "an empty value", Answer(1), with_field("x-a", ""))
case("value-inner-blanks", "9110 §5.5", "blanks and tabs within a value", Answer(1), with_field("x-a", "a \t b"))
case("value-high", "9110 §5.5", "octets from 0x80 in a value", Answer(1), with_field("x-a", "a\x80\xff"))
for name, value in {
    "connection": "close",
    "connection-listing": "x-a",
    "keep-alive": "timeout=5",
    "proxy-connection": "keep-alive",
    "transfer-encoding": "chunked",
    "upgrade": "h2c",
    "te": "gzip",
    "te-with-more": "trailers, deflate",
}.items():
    field = {"connection-listing": "connection", "te-with-more": "te"}.get(name, name)
    case(f"of-connection-{name}", "9113 §8.2.2", f"{field}: {value}", BAD, with_field(field, value))
case("te-trailers", "9113 §8.2.2", "te: trailers", Answer(1), with_field("te", "trailers"))
case(
    "http2-settings",
    "9113 §3.2.1, §8.2.2",
    "http2-settings, which only an upgrade has",
    Any(Answer(1), BAD),
    with_field("http2-settings", "AAAA"),
)
case(
    "cookie-crumbs",
    "9113 §8.2.3",
    "cookies in three fields",
    Answer(1),
    get(1, "/mock", ("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c")),
)
case(
    "many", "9113 §6.5.2", "more fields than the gateway takes", Answer(1, 431), get(1, "/mock", *[("x-a", "1")] * 300)
)
case(
    "long",
    "9113 §10.5.1",
    "fields longer than the gateway takes",
    Answer(1, 431),
    get(1, "/mock", ("x-a", "v" * 12_000)),
)
case(
    "over-list-size",
    "9113 §6.5.2",
    "a list over MAX_HEADER_LIST_SIZE: refused, and the table stays right",
    Any(Answer(1, 431), BAD),
    frame(HEADERS, END_STREAM, 1, block(*request(), ("x-a", "v" * 16_000))),
    *[frame(9, 0, 1, block(("x-b", "v" * 16_000)))] * 4,
    frame(9, END_HEADERS, 1),
)

case = group_of("pseudo")
for name in ("method", "scheme", "path"):
    case(f"no-{name}", "9113 §8.3.1", f"no :{name}", BAD, but(**{name: None}))
for name, value in FIELDS.items():
    case(f"{name[1:]}-twice", "9113 §8.3.1", f"{name} twice", BAD, head(1, [*FIELDS.items(), (name, value)]))
case(
    "no-authority",
    "9113 §8.3.1",
    "neither :authority nor host: HTTP/1.1 behind it needs one",
    Any(Answer(1, 400), Answer(1), BAD),
    but(authority=None),
)
case(
    "host-instead",
    "9113 §8.3.1",
    "host instead of :authority",
    Answer(1),
    head(1, request(authority=None) + [("host", "localhost")]),
)
case("host-beside", "9113 §8.3.1", "host that is :authority", Answer(1), with_field("host", "localhost"))
case("host-beside-other", "9113 §8.3.1", "host that isn't", BAD, with_field("host", "elsewhere"))
case("host-twice", "9113 §8.3.1", "host twice", BAD, head(1, request(authority=None) + [("host", "localhost")] * 2))
case(
    "behind-fields",
    "9113 §8.3",
    ":path behind a field",
    BAD,
    head(1, [(":method", "GET"), (":scheme", "http"), (":authority", "a"), ("x", "y"), (":path", "/mock")]),
)
case("unknown", "9113 §8.3", ":unknown", BAD, head(1, [*FIELDS.items(), (":unknown", "x")]))
case("upper-case", "9113 §8.2.1", ":METHOD", BAD, head(1, [(":METHOD", "GET"), *FIELDS.items()]))
case("status", "9113 §8.3", ":status in a request", BAD, head(1, [*FIELDS.items(), (":status", "200")]))
case("only-a-colon", "9113 §8.3", "a field named ':'", BAD, head(1, [*FIELDS.items(), (":", "x")]))
case("path-empty", "9113 §8.3.1", "an empty :path", BAD, but(path=""))
case("path-relative", "9113 §8.3.1", ":path without its slash", BAD, but(path="mock"))
case("path-absolute", "9113 §8.3.1", ":path with scheme and host", BAD, but(path="http://localhost/mock"))
case("path-asterisk", "9113 §8.3.1", ":path of * for GET", BAD, but(path="*"))
case(
    "path-asterisk-options",
    "9113 §8.3.1",
    ":path of * for OPTIONS: a request like any other, of no route",
    Answer(1, 403),
    but(method="OPTIONS", path="*"),
)
case("path-space", "9113 §8.2.1", ":path with a space", BAD, but(path="/mock x"))
case("path-crlf", "9113 §8.2.1", ":path with CR LF", BAD, but(path="/mock\r\nx: y"))
case("path-fragment", "9113 §8.3.1", ":path with a fragment", BAD, but(path="/mock#x"))
case("path-nul", "9113 §8.2.1", ":path with NUL", BAD, but(path="/mock\0"))
case("path-query", "9113 §8.3.1", ":path with a query", Answer(1), but(path="/mock?a=b"))
case("method-empty", "9113 §8.3.1", "an empty :method", BAD, but(method=""))
case("method-space", "9113 §8.3.1", ":method with a space", BAD, but(method="GET /x"))
case("method-lower-case", "9110 §9.1", "a method in lower case is another one", Answer(1, 403), but(method="get"))
case("scheme-empty", "9113 §8.3.1", "an empty :scheme", BAD, but(scheme=""))
case(
    "scheme-other", "9113 §8.3.1", "a scheme that is no HTTP: may be refused", Any(BAD, Answer(1)), but(scheme="gopher")
)
case("authority-userinfo", "9113 §8.3.1", ":authority with userinfo", BAD, but(authority="user@localhost"))
case("authority-empty", "9113 §8.3.1", "an empty :authority", Any(BAD, Answer(1, 400)), but(authority=""))
case(
    "authority-list",
    "9113 §8.3.1",
    ":authority with two hosts: one by RFC 3986's grammar, of no API or of any",
    Any(Answer(1), BAD, Answer(1, 400)),
    but(authority="a,b"),
)
case("authority-port", "9113 §8.3.1", ":authority with a port", Answer(1), but(authority="localhost:8080"))
case("authority-port-not-digits", "3986 §3.2.3", ":authority with a port of letters", BAD, but(authority="localhost:x"))
case("authority-crlf", "9113 §8.2.1", ":authority with CR LF", BAD, but(authority="a\r\nx: y"))
case("no-fields", "9113 §8.3.1", "an empty block", BAD, frame(HEADERS, END_STREAM | END_HEADERS, 1))

case = group_of("length")
for name, value, body, outcome in (
    ("exact", "4", b"body", Answer(1, 200, b"body")),
    ("less-than-body", "3", b"body", BAD),
    ("more-than-body", "5", b"body", BAD),
    ("signed", "+4", b"body", BAD),
    ("negative", "-4", b"body", BAD),
    ("hex", "0x4", b"body", BAD),
    ("list", "4, 4", b"body", BAD),
    ("empty", "", b"body", BAD),
    ("huge", "99999999999999999999", b"body", BAD),
    ("zero", "0", b"", Answer(1)),
    ("leading-zero", "04", b"body", Answer(1, 200, b"body")),
):
    case(
        name,
        "9113 §8.1.1",
        f"content-length {value!r}, {len(body)} bytes",
        outcome,
        post(1, "/any/echo", ("content-length", value)),
        data(1, body),
    )
case(
    "twice",
    "9110 §8.6",
    "content-length twice, alike",
    Any(BAD, Answer(1, 200, b"body")),
    post(1, "/any/echo", ("content-length", "4"), ("content-length", "4")),
    data(1, b"body"),
)
case(
    "twice-unlike",
    "9110 §8.6",
    "content-length twice, unlike",
    BAD,
    post(1, "/any/echo", ("content-length", "4"), ("content-length", "5")),
    data(1, b"body"),
)
case(
    "without-body",
    "9113 §8.1.1",
    "content-length 4 and END_STREAM",
    BAD,
    head(1, request("POST", "/any/echo", ("content-length", "4"))),
)
case(
    "in-pieces",
    "9113 §8.1.1",
    "4 bytes in three DATA, the last empty",
    Answer(1, 200, b"body"),
    post(1, "/any/echo", ("content-length", "4")),
    data(1, b"bo", end=False),
    data(1, b"dy", end=False),
    data(1),
)
case(
    "over-in-pieces",
    "9113 §8.1.1",
    "more than said, in the second DATA",
    BAD,
    post(1, "/any/echo", ("content-length", "3")),
    data(1, b"bo", end=False),
    data(1, b"dy", end=False),
)
case(
    "short-by-trailers",
    "9113 §8.1.1",
    "trailers before the body is whole",
    BAD,
    post(1, "/any/echo", ("content-length", "4")),
    data(1, b"bo", end=False),
    frame(HEADERS, END_STREAM | END_HEADERS, 1, block(("x-sum", "1"))),
)

case = group_of("trailers")


def trailers(*fields, end=True):
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), 1, block(*fields))


BODY = post(1) + data(1, b"body", end=False)
case("good", "9113 §8.1", "trailers", Answer(1, 200, b"body"), BODY, trailers(("x-sum", "1")))
case("empty", "9113 §8.1", "an empty block as trailers", Answer(1, 200, b"body"), BODY, trailers())
case("without-end", "9113 §8.1", "trailers without END_STREAM", BAD, BODY, trailers(("x-sum", "1"), end=False))
case("pseudo", "9113 §8.1", "a pseudo-field in trailers", BAD, BODY, trailers((":path", "/x")))
case("upper-case", "9113 §8.2.1", "a name in upper case in trailers", BAD, BODY, trailers(("X-Sum", "1")))
case(
    "of-connection",
    "9113 §8.2.2",
    "transfer-encoding in trailers",
    BAD,
    BODY,
    trailers(("transfer-encoding", "chunked")),
)
case("crlf", "9113 §8.2.1", "CR LF in trailers", BAD, BODY, trailers(("x-a", "1\r\nx: y")))
case(
    "no-body-between",
    "9113 §8.1",
    "trailers right behind the head",
    Answer(1, 200, b""),
    post(1),
    trailers(("x-sum", "1")),
)
case(
    "twice",
    "9113 §8.1",
    "trailers twice",
    Any(Stream(1, "STREAM_CLOSED"), Connection("STREAM_CLOSED")),
    post(1, "/any/hold"),
    trailers(("x", "1")),
    trailers(("x", "1")),
)
case(
    "continued",
    "9113 §6.10",
    "trailers in HEADERS and CONTINUATION",
    Answer(1, 200, b"body"),
    BODY,
    frame(HEADERS, END_STREAM, 1, b"\x00\x05x-s"),
    frame(9, END_HEADERS, 1, b"um\x011"),
)

case = group_of("connect")
CONNECT = [(":method", "CONNECT"), (":authority", "localhost:443")]
case(
    "refused",
    "9113 §8.5",
    "CONNECT: not offered; refused as a stream error or by an answer",
    Any(BAD, Answer(1, 405), Answer(1, 501)),
    head(1, CONNECT, end=False),
)
case("with-path", "9113 §8.5", "CONNECT with :scheme and :path", BAD, head(1, request("CONNECT", "/mock")))
case("no-authority", "9113 §8.5", "CONNECT without :authority", BAD, head(1, [(":method", "CONNECT")]))
PROTOCOL_FIELD = [
    (":method", "CONNECT"),
    (":protocol", "websocket"),
    (":scheme", "http"),
    (":path", "/mock"),
    (":authority", "localhost"),
]
case("extended", "8441 §4", "extended CONNECT, which SETTINGS didn't offer", BAD, head(1, PROTOCOL_FIELD, end=False))
case(
    "extended-asked-for",
    "8441 §3",
    "and with the setting sent by the client",
    BAD,
    settings((8, 1)),
    head(1, PROTOCOL_FIELD, end=False),
)
case("protocol-of-get", "8441 §4", ":protocol with GET", BAD, head(1, [*FIELDS.items(), (":protocol", "websocket")]))

case = group_of("exchange")


def no_body_of_head(peer):
    peer.send(head(1, request("HEAD", "/any/big/9")))
    if not peer.until_end(1) or peer.field(1, b"content-length") != b"9" or peer.bodies.get(1):
        return f"HEAD: {peer.heads.get(1)} {peer.bodies.get(1)}"


case("head", "9113 §8.1", "HEAD: a length and no body", Ignored(), no_body_of_head)
case(
    "options",
    "9113 §8.1",
    "another method with a body",
    Answer(1, 200, b"x"),
    head(1, request("PUT", "/any/echo"), end=False),
    data(1, b"x"),
)
case("end-by-empty-data", "9113 §8.1", "a body's end in an empty DATA", Answer(1, 200, b"body"), BODY, data(1))
case(
    "empty-data-within",
    "9113 §6.1",
    "an empty DATA within a body",
    Answer(1, 200, b"bodymore"),
    BODY,
    data(1, b"", end=False),
    data(1, b"more"),
)
case(
    "expect",
    "9110 §10.1.1",
    "expect: 100-continue",
    Answer(1, 200, b"x"),
    post(1, "/any/echo", ("expect", "100-continue")),
    data(1, b"x"),
)
case("unknown-route", "9113 §8.1", "a route that isn't there", Answer(1, 403), get(1, "/nowhere"))
case(
    "not-from-authority-of-tls",
    "9110 §7.4",
    ":scheme https over plain TCP, as behind a proxy: served",
    Any(Answer(1), BAD, Answer(1, 421)),
    but(scheme="https"),
)
