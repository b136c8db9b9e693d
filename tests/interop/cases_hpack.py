"""RFC 7541: integers, strings, representations, tables and their sizes."""

from hpack import Encoder
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from table import Answer, Any, Connection, Ignored, Stream, group_of, state
from wire import END_HEADERS, END_STREAM, HEADERS, data, frame, get, integer, literal, request, settings, string

BAD = Connection("COMPRESSION_ERROR")
# Static table: 2 :method GET, 4 :path /, 6 :scheme http, 1 :authority.
START = b"\x82\x86" + b"\x04" + string(b"/mock") + b"\x01" + string(b"localhost")
HUFFMAN = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)


def fields(octets, stream=1):
    """A request whose block goes on with these octets."""
    return frame(HEADERS, END_STREAM | END_HEADERS, stream, START + octets)


def whole(octets, stream=1):
    return frame(HEADERS, END_STREAM | END_HEADERS, stream, octets)


def coded(text):
    octets = HUFFMAN.encode(text)
    return integer(len(octets), 7, 0x80) + octets


def added(name, value):
    return literal(name, value, 0x40)


case = group_of("hpack-integers")
case("one-octet", "7541 §5.1", "an index in its prefix", Answer(1), fields(b"\x90"))
case(
    "continued",
    "7541 §5.1",
    "an index of 61+1 that needs two octets in a literal's prefix",
    Answer(1),
    fields(added(b"x-a", b"1") + b"\x0f\x2f" + string(b"2")),
)
case(
    "prefix-full-and-zero",
    "7541 §5.1",
    "a length of exactly 127",
    Answer(1),
    fields(b"\x00\x01x" + b"\x7f\x00" + b"v" * 127),
)
case(
    "zeros-behind",
    "7541 §5.1",
    "a length with a needless zero octet: allowed, and may be refused as too long",
    Any(Answer(1), BAD),
    fields(b"\x00\x01x" + b"\x7f\x80\x00" + b"v" * 127),
)
case("cut", "7541 §5.1", "an integer that the block's end cuts", BAD, fields(b"\xff"))
case("cut-continued", "7541 §5.1", "and one cut later", BAD, fields(b"\xff\x80\x80"))
case("over-2-32", "7541 §5.1", "an integer over 2^32", BAD, fields(b"\xff" + b"\xff" * 4 + b"\x7f"))
case("endless", "7541 §5.1", "an integer of a hundred octets", BAD, fields(b"\xff" + b"\x80" * 100 + b"\x01"))
case("wraps", "7541 §5.1", "an index that 64 bits would wrap to 2", BAD, fields(b"\xff\x83" + b"\xff" * 8 + b"\x01"))

case = group_of("hpack-strings")
case(
    "empty-name",
    "7541 §5.2",
    "an empty name: HPACK has it, HTTP hasn't",
    Stream(1, "PROTOCOL_ERROR"),
    fields(b"\x00\x00\x01v"),
)
case("longer-than-block", "7541 §5.2", "a string that goes on behind the block", BAD, fields(b"\x00\x01x\x05v"))
case("length-huge", "7541 §5.2", "a length of 2^28", BAD, fields(b"\x00\x01x" + integer(1 << 28, 7)))
case(
    "huffman",
    "7541 §5.2",
    "name and value coded",
    Answer(1),
    fields(b"\x00" + coded(b"x-name") + coded(b"value of <some> \\ length|")),
)
case(
    "huffman-all",
    "7541 §B",
    "each octet that a value may have, coded",
    Answer(1),
    fields(b"\x00" + coded(b"x") + coded(b"." + bytes(octet for octet in range(32, 256) if octet != 127) + b".")),
)
case("huffman-empty", "7541 §5.2", "an empty coded string", Answer(1), fields(b"\x00\x01x\x80"))
case(
    "padding-zero",
    "7541 §5.2",
    "padding of zeros",
    BAD,
    fields(b"\x00\x01x\x81" + bytes([HUFFMAN.encode(b"a")[0] & 0xF8])),
)
case(
    "padding-8",
    "7541 §5.2",
    "padding of more than 7 bits",
    BAD,
    fields(b"\x00\x01x" + integer(2, 7, 0x80) + HUFFMAN.encode(b"a") + b"\xff"),
)
case("padding-only", "7541 §5.2", "a string that is padding alone, 8 bits", BAD, fields(b"\x00\x01x\x81\xff"))
case("eos", "7541 §5.2", "EOS", BAD, fields(b"\x00\x01x\x84\xff\xff\xff\xff"))
case("eos-within", "7541 §5.2", "EOS between symbols", BAD, fields(b"\x00\x01x\x85\x1f\xff\xff\xff\xfc"))
case("code-cut", "7541 §5.2", "a long code cut short", BAD, fields(b"\x00\x01x\x82\xff\xfe"))
case(
    "name-coded-upper",
    "9113 §8.2.1",
    "a coded name in upper case",
    Stream(1, "PROTOCOL_ERROR"),
    fields(b"\x00" + coded(b"X-Name") + string(b"v")),
)

case = group_of("hpack-fields")
case("indexed-static", "7541 §6.1", "an indexed field of the static table", Answer(1), fields(b"\x90"))
case("indexed-0", "7541 §6.1", "index 0", BAD, fields(b"\x80"))
case("indexed-62-empty", "7541 §2.3.3", "index 62 with an empty table", BAD, fields(b"\xbe"))
case("indexed-beyond", "7541 §2.3.3", "index 63 with one entry", BAD, fields(added(b"x-a", b"1") + b"\xbf"))
case("indexed-dynamic", "7541 §6.1", "index 62 with one entry", Answer(1), fields(added(b"x-a", b"1") + b"\xbe"))
case(
    "indexed-in-next-block",
    "7541 §2.2",
    "an entry of the block before",
    Answer(3),
    fields(added(b"x-a", b"1")),
    fields(b"\xbe", 3),
)
case(
    "literal-name-beyond",
    "7541 §6.2.1",
    "a literal whose name is index 62 of an empty table",
    BAD,
    fields(b"\x7e\x01v"),
)
case("literal-name-beyond-unindexed", "7541 §6.2.2", "and without indexing", BAD, fields(b"\x0f\x2f\x01v"))
case(
    "never-indexed", "7541 §6.2.3", "a field that is never indexed", Answer(1), fields(literal(b"x-secret", b"x", 0x10))
)
case(
    "never-indexed-not-in-table",
    "7541 §6.2.3",
    "it isn't in the table",
    BAD,
    fields(literal(b"x-secret", b"x", 0x10) + b"\xbe"),
)
case(
    "unindexed-not-in-table", "7541 §6.2.2", "nor is one without indexing", BAD, fields(literal(b"x-a", b"x") + b"\xbe")
)
case("static-end", "7541 §A", "index 61, www-authenticate, as a name", Answer(1), fields(b"\x0f\x2e\x01v"))
case(
    "newest-first",
    "7541 §2.3.2",
    "62 is the newest entry: its bad name isn't told twice once it is the second",
    Stream(3, "PROTOCOL_ERROR"),
    fields(added(b"x-old", b"1")),
    whole(START + added(b"Bad", b"2"), 3),
    fields(b"\xbf", 5),
    lambda peer: None if peer.until_end(5) and peer.status(5) == 200 else state(peer),
)
case(
    "broken-request-keeps-table",
    "7541 §2.2",
    "a malformed request's entries are in the table",
    Answer(3),
    fields(added(b"x-a", b"1") + literal(b"Upper", b"x")),
    fields(b"\xbe", 3),
)
case(
    "trailers-keep-table",
    "7541 §2.2",
    "entries of trailers are in the table",
    Answer(3),
    frame(HEADERS, END_HEADERS, 1, b"\x83\x86\x04" + string(b"/any/echo") + b"\x01\x01a"),
    frame(HEADERS, END_STREAM | END_HEADERS, 1, added(b"x-t", b"1")),
    fields(b"\xbe", 3),
)
case(
    "a-library-of-others",
    "7541 §6",
    "twenty requests by an encoder with a table",
    Answer(41),
    lambda peer: by_library(peer),
)


def by_library(peer):
    encoder = Encoder()
    for at in range(21):
        sent = [*request("GET", "/mock"), ("x-round", str(at % 3)), ("x-fixed", "constant"), ("user-agent", "interop")]
        peer.send(whole(encoder.encode(sent), 1 + 2 * at))
    if not peer.until_end(39):
        return state(peer)


case = group_of("hpack-sizes")


def update(size):
    return integer(size, 5, 0x20)


def first(octets):
    return whole(octets + START)


case("update-0", "7541 §6.3", "an update to 0", Answer(1), first(update(0)))
case("update-most", "7541 §6.3", "an update to 4,096", Answer(1), first(update(4096)))
case("update-beyond", "7541 §6.3", "an update to 4,097", BAD, first(update(4097)))
case("update-huge", "7541 §6.3", "an update to 2^27", BAD, first(update(1 << 27)))
case("update-twice", "7541 §4.2", "an update to 0 and one to 4,096", Answer(1), first(update(0) + update(4096)))
case("update-behind-a-field", "7541 §4.2", "an update behind a field", BAD, fields(update(0)))
case("update-at-the-end", "7541 §4.2", "an update between fields", BAD, fields(update(100) + literal(b"x", b"y")))
case(
    "update-alone-in-trailers",
    "7541 §4.2",
    "an update that is all of the trailers",
    Answer(1, 200, b"b"),
    frame(HEADERS, END_HEADERS, 1, b"\x83\x86\x04" + string(b"/any/echo") + b"\x01\x01a"),
    data(1, b"b", end=False),
    whole(update(0)),
)
case(
    "update-empties",
    "7541 §4.3",
    "an update to 0 empties the table",
    BAD,
    fields(added(b"x-a", b"1")),
    whole(update(0) + START + b"\xbe", 3),
)
case(
    "update-evicts-old",
    "7541 §4.3",
    "an update to 40 leaves the newest of two entries",
    Answer(3),
    fields(added(b"x-a", b"1") + added(b"x-b", b"2")),
    whole(update(40) + START + b"\xbe", 3),
)
case(
    "update-evicts-only-old",
    "7541 §4.3",
    "and no more than that",
    BAD,
    fields(added(b"x-a", b"1") + added(b"x-b", b"2")),
    whole(update(40) + START + b"\xbf", 3),
)
case(
    "evicts",
    "7541 §4.4",
    "entries that push out the first",
    BAD,
    fields(b"".join(added(b"x-%02d" % at, b"v" * 60) for at in range(43))),
    fields(integer(62 + 42, 7, 0x80), 3),
)
case(
    "evicts-no-more",
    "7541 §4.4, §4.1",
    "42 entries of 96 octets fit 4,096",
    Answer(3),
    fields(b"".join(added(b"x-%02d" % at, b"v" * 60) for at in range(43))),
    fields(integer(62 + 41, 7, 0x80), 3),
)
case(
    "larger-than-table",
    "7541 §4.4",
    "an entry larger than the table: no error, and empties it",
    BAD,
    fields(added(b"x-a", b"1") + added(b"x-b", b"v" * 4100)),
    fields(b"\xbe", 3),
)
case(
    "larger-than-table-goes-on",
    "7541 §4.4",
    "and fields go on",
    Answer(3),
    fields(added(b"x-b", b"v" * 4100)),
    fields(added(b"x-a", b"1") + b"\xbe", 3),
)
case(
    "evicts-its-own-name",
    "7541 §4.4",
    "an entry named by one that it evicts",
    Answer(3),
    fields(added(b"x-a", b"1")),
    fields(b"\x7e" + string(b"v" * 4040), 3),
)
case(
    "table-0-of-the-clients",
    "7541 §4.2",
    "HEADER_TABLE_SIZE 0 from us: answers come without a table",
    Ignored(),
    settings((1, 0)),
    lambda peer: without_table(peer),
)
case(
    "table-0-then-4096",
    "7541 §4.2",
    "0 and 4,096 in turn: answers can be decoded",
    Answer(5),
    get(1),
    settings((1, 0)),
    settings((1, 4096)),
    get(3),
    get(5),
)


def without_table(peer):
    peer.round_trip()
    peer.decoder.max_allowed_table_size = 0
    for stream in (1, 3, 5):
        peer.send(get(stream))
        if not peer.until_end(stream):
            return state(peer)
    if peer.decoder.header_table.dynamic_entries:
        return "an answer's field went into a table of 0"
