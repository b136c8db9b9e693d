"""Frames as bytes that nothing checks, and a peer that reads what the server sends and holds it against the RFC."""

import socket
import ssl
import struct
import time

import hpack
from hyperframe import frame as frames

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITY_FLAG = 0x20
CODES = (
    "NO_ERROR PROTOCOL_ERROR INTERNAL_ERROR FLOW_CONTROL_ERROR SETTINGS_TIMEOUT STREAM_CLOSED FRAME_SIZE_ERROR "
    "REFUSED_STREAM CANCEL COMPRESSION_ERROR CONNECT_ERROR ENHANCE_YOUR_CALM INADEQUATE_SECURITY HTTP_1_1_REQUIRED"
).split()
PATIENCE = 5.0
STREAM_MAX = 0x7FFFFFFF
# What HTTP/2 has no use for (RFC 9113 section 8.2.2).
OF_CONNECTION = {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}


def code_name(code):
    return CODES[code] if code < len(CODES) else hex(code)


def number(value):
    return struct.pack(">I", value)


def frame(kind, flags=0, stream=0, payload=b"", length=None, reserved=False):
    """A frame; `length` lies about the payload's."""
    said = len(payload) if length is None else length
    return struct.pack(">I", said)[1:] + bytes([kind, flags]) + number(stream | (reserved << 31)) + payload


def settings(*pairs, flags=0, stream=0):
    return frame(SETTINGS, flags, stream, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def data(stream, body=b"", end=True, flags=0):
    return frame(DATA, flags | (END_STREAM if end else 0), stream, body)


def ping(opaque=b"12345678", flags=0, stream=0):
    return frame(PING, flags, stream, opaque)


def window(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, number(increment))


def reset(stream, code=8):
    return frame(RST_STREAM, 0, stream, number(code))


def go_away(last=0, code=0, debug=b""):
    return frame(GOAWAY, 0, 0, number(last) + number(code) + debug)


def integer(value, prefix, pattern=0):
    """RFC 7541 section 5.1."""
    most = (1 << prefix) - 1
    if value < most:
        return bytes([pattern | value])
    out = [pattern | most]
    value -= most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def string(text):
    """RFC 7541 section 5.2, not coded."""
    return integer(len(text), 7) + text


def literal(name, value, pattern=0x00):
    """A field with its name as text; by default without indexing (RFC 7541 section 6.2.2)."""
    return bytes([pattern]) + string(name) + string(value)


def block(*fields):
    """Fields as literals: needs no table and changes none."""
    return b"".join(literal(as_bytes(name), as_bytes(value)) for name, value in fields)


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


def request(method="GET", path="/mock", *more, scheme="http", authority="localhost"):
    fields = [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority)]
    return [(name, value) for name, value in fields if value is not None] + list(more)


def head(stream, fields=None, end=True, flags=END_HEADERS):
    return frame(HEADERS, flags | (END_STREAM if end else 0), stream, block(*(fields or request())))


def get(stream, path="/mock", *more):
    return head(stream, request("GET", path, *more))


def post(stream, path="/any/echo", *more):
    """A head that a body has to follow."""
    return head(stream, request("POST", path, *more), end=False)


class Peer:
    """A client connection. What the server did is in its fields; what it did wrong is in `broken`."""

    def __init__(self, port, tls=False, preface=PREFACE, first=settings(), acknowledge=True, alpn=("h2",), raw=False):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.alpn = None
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.set_alpn_protocols(list(alpn))
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
            self.alpn = self.socket.selected_alpn_protocol()
        self.acknowledge = acknowledge
        # What comes is no frames: an answer of HTTP/1.1.
        self.raw = raw
        self.decoder = hpack.Decoder()
        self.decoder.max_header_list_size = 1 << 20
        self.buffer = b""
        self.frames, self.broken = [], []
        self.settings = None
        self.heads, self.bodies, self.ended, self.resets = {}, {}, set(), {}
        self.trailers = {}
        self.acks, self.pongs = 0, []
        self.windows = {0: 65535}
        self.initial_window = 65535
        self.away = None
        self.eof = False
        self.torn = False
        self._block = None
        self.send(preface + first)

    def send(self, octets):
        try:
            self.socket.sendall(octets)
        except OSError:
            # The server has closed; its last frames are still to be read.
            pass

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _fill(self, wanted, until):
        while len(self.buffer) < wanted:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.socket.settimeout(left)
            try:
                more = self.socket.recv(65536)
            except ConnectionError:
                self.torn = True
                more = b""
            except ssl.SSLError as error:
                if isinstance(error, (ssl.SSLWantReadError,)):
                    continue
                self.torn = True
                more = b""
            if not more:
                self.eof = True
                return False
            self.buffer += more
        return True

    def read(self, until):
        """One frame, or nothing at the end. Raises TimeoutError."""
        if self.eof or not self._fill(9, until):
            if self.buffer and not self.raw:
                self.broken.append("the stream of frames ends within one")
                self.buffer = b""
            return None
        if self.raw:
            self.buffer = b""
            return self
        length = int.from_bytes(self.buffer[:3], "big")
        if length > 16384:
            self.broken.append(f"a frame of {length} bytes")
        if not self._fill(9 + length, until):
            self.broken.append("a frame is cut short")
            return None
        raw, self.buffer = self.buffer[: 9 + length], self.buffer[9 + length :]
        try:
            seen, _ = frames.Frame.parse_frame_header(memoryview(raw[:9]), strict=True)
            seen.parse_body(memoryview(raw[9:]))
        except Exception as error:  # whatever the library finds, the server sent it
            self.broken.append(f"frame {raw[:9].hex()} can't be read: {error}")
            return self.read(until)
        self._note(seen, length)
        return seen

    def _note(self, seen, length):
        self.frames.append(seen)
        if len(self.frames) == 1 and (not isinstance(seen, frames.SettingsFrame) or "ACK" in seen.flags):
            self.broken.append(f"the first frame is {seen!r}, not SETTINGS (3.4)")
        if self._block is not None and not isinstance(seen, frames.ContinuationFrame):
            self.broken.append("a field block is interrupted (4.3)")
        stream = seen.stream_id
        if stream and stream in self.ended and not isinstance(seen, (frames.RstStreamFrame, frames.WindowUpdateFrame)):
            self.broken.append(f"{type(seen).__name__} on {stream} after END_STREAM (5.1)")
        if isinstance(seen, frames.SettingsFrame):
            self._note_settings(seen)
        elif isinstance(seen, frames.PingFrame) and "ACK" in seen.flags:
            self.pongs.append(seen.opaque_data)
        elif isinstance(seen, frames.GoAwayFrame):
            if self.away and seen.last_stream_id > self.away.last_stream_id:
                self.broken.append("GOAWAY raises its last stream (6.8)")
            self.away = seen
        elif isinstance(seen, frames.RstStreamFrame):
            if stream in self.resets:
                self.broken.append(f"stream {stream} is reset twice (5.4.2)")
            self.resets[stream] = code_name(seen.error_code)
        elif isinstance(seen, (frames.HeadersFrame, frames.ContinuationFrame)):
            if isinstance(seen, frames.HeadersFrame):
                self._block = (b"", "END_STREAM" in seen.flags)
            self._block = (self._block[0] + seen.data, self._block[1])
            if "END_HEADERS" in seen.flags:
                self._note_block(stream, *self._block)
                self._block = None
        elif isinstance(seen, frames.DataFrame):
            self._note_data(seen, length)

    def _note_settings(self, seen):
        if "ACK" in seen.flags:
            self.acks += 1
            return
        if self.settings is None:
            self.settings = dict(seen.settings)
        if self.acknowledge:
            self.send(settings(flags=ACK))

    def _note_block(self, stream, octets, end):
        try:
            fields = self.decoder.decode(octets, raw=True)
        except Exception as error:
            self.broken.append(f"a field block can't be decoded: {error}")
            return
        for name, value in fields:
            if name != name.lower() or name in OF_CONNECTION or value.strip() != value:
                self.broken.append(f"an answer's field {name!r}: {value!r} (8.2)")
        if stream in self.heads and self.heads[stream][0] >= 200:
            self.trailers[stream] = fields
        else:
            names = [name for name, _ in fields if name.startswith(b":")]
            if names != [b":status"] or fields[0][0] != b":status":
                self.broken.append(f"pseudo-fields {names} of an answer (8.3.2)")
            self.heads[stream] = (int(dict(fields)[b":status"]), fields)
        if end:
            self.ended.add(stream)

    def _note_data(self, seen, length):
        stream = seen.stream_id
        if stream not in self.heads:
            self.broken.append(f"DATA on {stream} before a head (8.1)")
        self.bodies.setdefault(stream, bytearray()).extend(seen.data)
        self.windows.setdefault(stream, self.initial_window)
        for place in (0, stream):
            self.windows[place] -= length
        if length and (self.windows[0] < 0 or self.windows[stream] < 0):
            self.broken.append(f"DATA over a window (6.9): {self.windows[0]}, {self.windows[stream]}")
        if "END_STREAM" in seen.flags:
            self.ended.add(stream)

    def grant(self, stream, increment):
        """Opens a window, and knows it."""
        self.windows[stream] = self.windows.get(stream, self.initial_window) + increment
        self.send(window(stream, increment))

    def until(self, reached, seconds=PATIENCE):
        """Reads until `reached()`, the end or the time; true if reached."""
        end = time.monotonic() + seconds
        while not reached():
            try:
                if self.read(end) is None:
                    return reached()
            except TimeoutError:
                return False
        return True

    def until_head(self, stream):
        return self.until(lambda: stream in self.heads or stream in self.resets)

    def until_end(self, stream, seconds=PATIENCE):
        return self.until(lambda: stream in self.ended or stream in self.resets, seconds)

    def until_reset(self, stream):
        return self.until(lambda: stream in self.resets)

    def until_eof(self, seconds=PATIENCE):
        self.until(lambda: False, seconds)
        return self.eof

    def until_settled(self):
        """Both SETTINGS are acknowledged, and the server knows."""
        return self.until(lambda: self.acks and self.settings is not None) and self.round_trip(b"settled!")

    def round_trip(self, opaque=b"roundtrp"):
        before = len(self.pongs)
        self.send(ping(opaque))
        return self.until(lambda: len(self.pongs) > before)

    def status(self, stream):
        return self.heads.get(stream, (None,))[0]

    def field(self, stream, name):
        return dict(self.heads[stream][1]).get(name)
