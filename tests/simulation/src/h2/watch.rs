//! A strict reader of what the shard sends to a peer of HTTP/2, its client or its server: states of streams, windows,
//! sizes, order.

use std::collections::{BTreeMap, VecDeque};

use codec::h2::hpack::{Decoder, Field, Sink};
use codec::h2::{HEADER_BYTES, PREFACE};

use super::write::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PAYLOAD_MAX, PING, PRIORITY,
    PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE,
};

/// A window before any setting (RFC 9113 section 6.9.2).
const WINDOW_AT_FIRST: i64 = 65_535;
const WINDOW_MAX: i64 = 0x7fff_ffff;

/// Something that the peer has to know.
#[derive(Debug)]
pub(super) enum Seen {
    Head {
        stream: u32,
        status: u16,
        end: bool,
    },
    /// Towards a server: a stream begins.
    Request {
        stream: u32,
        fields: Vec<(String, String)>,
        end: bool,
    },
    Data {
        stream: u32,
        bytes: Vec<u8>,
        counted: usize,
        end: bool,
    },
    Reset {
        stream: u32,
        code: u32,
    },
    Settings,
    Ping(Vec<u8>),
    GoAway {
        last: u32,
        code: u32,
    },
    /// Windows have opened, or a ping was answered.
    Other,
}

/// A stream, as both ends may see it.
#[derive(Debug)]
struct Stream {
    /// What the shard may still send.
    receives: i64,
    /// What the client may still send.
    sends: i64,
    has_head: bool,
    /// Stated length of the answer's body, and what of it has come.
    stated: Option<usize>,
    came: usize,
    is_head_method: bool,
    ended: bool,
    was_reset: bool,
    /// The peer has ended its side, or closed all of it.
    is_answered: bool,
    is_closed: bool,
}

/// A field block that isn't whole.
struct Block {
    stream: u32,
    end: bool,
    bytes: Vec<u8>,
}

#[derive(Default)]
struct Fields(Vec<(String, String)>);

impl Sink for Fields {
    fn field(&mut self, field: Field<'_>) -> bool {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.0.push((text(field.name), text(field.value)));
        false
    }
}

/// The reader.
pub(super) struct Watch {
    inbox: Vec<u8>,
    decoder: Decoder,
    block: Option<Block>,
    streams: BTreeMap<u32, Stream>,
    receives: i64,
    sends: i64,
    /// How often the shard has opened the connection's window.
    openings: u64,
    /// Window that our settings give to streams, as far as the shard has acknowledged them, and what it has yet to.
    initial_receives: i64,
    unacknowledged: VecDeque<(i64, Option<usize>)>,
    /// Window that the shard's settings give to streams.
    initial_sends: i64,
    had_settings: bool,
    pings: VecDeque<[u8; 8]>,
    last_taken: Option<u32>,
    /// The peer is a server: what is left of the preface, the last stream, how many may be open.
    is_server: bool,
    preface_left: usize,
    last_begun: u32,
    concurrent_max: Option<usize>,
}

impl Watch {
    /// A reader for a server, whose client the shard is.
    pub(super) fn of_server() -> Self {
        Watch { is_server: true, preface_left: PREFACE.len(), ..Watch::new() }
    }

    pub(super) fn new() -> Self {
        Watch {
            inbox: Vec::new(),
            decoder: Decoder::default(),
            block: None,
            streams: BTreeMap::new(),
            receives: WINDOW_AT_FIRST,
            sends: WINDOW_AT_FIRST,
            openings: 0,
            initial_receives: WINDOW_AT_FIRST,
            unacknowledged: VecDeque::new(),
            initial_sends: WINDOW_AT_FIRST,
            had_settings: false,
            pings: VecDeque::new(),
            last_taken: None,
            is_server: false,
            preface_left: 0,
            last_begun: 0,
            concurrent_max: None,
        }
    }

    /// The server has reset a stream: it is closed, whatever is still on its way (RFC 9113 section 5.1).
    pub(super) fn closed(&mut self, stream: u32) {
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.is_closed = true;
        }
    }

    /// The server has ended its side of a stream.
    pub(super) fn answered(&mut self, stream: u32) {
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.is_answered = true;
        }
    }

    /// The last stream that the shard has begun.
    pub(super) fn last_begun(&self) -> u32 {
        self.last_begun
    }

    /// Whether the shard has reset a stream.
    pub(super) fn is_given_up(&self, stream: u32) -> bool {
        self.streams.get(&stream).is_some_and(|stream| stream.was_reset)
    }

    /// Bytes have come.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.inbox.extend_from_slice(bytes);
    }

    /// Whether a frame or a field block has begun and isn't whole.
    pub(super) fn is_within(&self) -> bool {
        !self.inbox.is_empty() || self.block.is_some()
    }

    /// The client has begun a stream.
    pub(super) fn opened(&mut self, stream: u32, is_head_method: bool) {
        let (receives, sends) = (self.initial_receives, self.initial_sends);
        self.streams.insert(
            stream,
            Stream {
                receives,
                sends,
                has_head: false,
                stated: None,
                came: 0,
                is_head_method,
                ended: false,
                was_reset: false,
                is_answered: false,
                is_closed: false,
            },
        );
    }

    /// The client has sent SETTINGS with that window.
    pub(super) fn announced(&mut self, initial_window: u32) {
        self.unacknowledged.push_back((i64::from(initial_window), None));
    }

    /// The server has sent SETTINGS with that window and so many streams at a time.
    pub(super) fn announced_both(&mut self, initial_window: u32, concurrent_max: usize) {
        self.unacknowledged.push_back((i64::from(initial_window), Some(concurrent_max)));
    }

    /// The client has sent PING.
    pub(super) fn pinged(&mut self, opaque: [u8; 8]) {
        self.pings.push_back(opaque);
    }

    /// The client has opened the window of a stream, or the connection's, which is stream 0.
    pub(super) fn credited(&mut self, stream: u32, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(0);
        if stream == 0 {
            self.receives += bytes;
        } else if let Some(stream) = self.streams.get_mut(&stream) {
            stream.receives += bytes;
        }
    }

    /// How much the client may send on a stream.
    pub(super) fn sendable(&self, stream: u32) -> usize {
        let of_stream = self.streams.get(&stream).map_or(0, |stream| stream.sends);
        usize::try_from(of_stream.min(self.sends)).unwrap_or(0)
    }

    /// How often the connection's window was opened, if it is shut now.
    pub(super) fn shut_after(&self) -> Option<u64> {
        (self.sends <= 0).then_some(self.openings)
    }

    /// The client has sent DATA, padding counted.
    pub(super) fn sent(&mut self, stream: u32, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(0);
        self.sends -= bytes;
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.sends -= bytes;
        }
    }

    /// What is owed when the connection is at rest: acknowledgements.
    pub(super) fn owed(&self) -> usize {
        self.unacknowledged.len() + self.pings.len()
    }

    /// The next frame; nothing if it isn't whole.
    pub(super) fn next(&mut self) -> Result<Option<Seen>, String> {
        if self.preface_left > 0 {
            if self.inbox.len() < PREFACE.len() {
                return if PREFACE.starts_with(&self.inbox) {
                    Ok(None)
                } else {
                    Err("no preface".to_owned())
                };
            }
            if !self.inbox.starts_with(PREFACE) {
                return Err("no preface".to_owned());
            }
            self.inbox.drain(..PREFACE.len());
            self.preface_left = 0;
        }
        while self.inbox.len() >= HEADER_BYTES {
            let length = usize::from(self.inbox[0]) << 16
                | usize::from(self.inbox[1]) << 8
                | usize::from(self.inbox[2]);
            if length > PAYLOAD_MAX {
                return Err(format!("a frame of {length} bytes"));
            }
            if self.inbox.len() < HEADER_BYTES + length {
                return Ok(None);
            }
            let rest = self.inbox.split_off(HEADER_BYTES + length);
            let frame = std::mem::replace(&mut self.inbox, rest);
            let stream = number(&frame[5..9]);
            if stream > 0x7fff_ffff {
                return Err("the reserved bit of a stream".to_owned());
            }
            if let Some(seen) = self.frame(frame[3], frame[4], stream, &frame[HEADER_BYTES..])? {
                return Ok(Some(seen));
            }
        }
        Ok(None)
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Result<Option<Seen>, String> {
        if !self.had_settings && (kind != SETTINGS || flags & ACK != 0) {
            return Err(format!("begins with a frame of type {kind}"));
        }
        if self.block.is_some() != (kind == CONTINUATION) {
            return Err(format!("a frame of type {kind} within or without a field block"));
        }
        let of_connection = matches!(kind, SETTINGS | PING | GOAWAY);
        if of_connection != (stream == 0) && kind != WINDOW_UPDATE {
            return Err(format!("a frame of type {kind} on stream {stream}"));
        }
        match kind {
            DATA => self.data(flags, stream, payload).map(Some),
            HEADERS => self.headers(flags, stream, payload),
            CONTINUATION => self.continuation(flags, stream, payload),
            RST_STREAM => {
                let state = self.stream(stream)?;
                if state.was_reset {
                    return Err(format!("stream {stream} is reset twice"));
                }
                state.was_reset = true;
                let code = number(exactly(payload, 4)?);
                Ok(Some(Seen::Reset { stream, code }))
            }
            SETTINGS => self.settings(flags, payload).map(Some),
            PING if flags & ACK != 0 => {
                let expected = self.pings.pop_front();
                if expected.as_ref().map(<[u8; 8]>::as_slice) != Some(payload) {
                    return Err(format!("PING {payload:?} answers {expected:?}"));
                }
                Ok(Some(Seen::Other))
            }
            PING => Ok(Some(Seen::Ping(exactly(payload, 8)?.to_vec()))),
            GOAWAY => self.go_away(payload).map(Some),
            WINDOW_UPDATE => self.window(stream, payload).map(Some),
            PUSH_PROMISE | PRIORITY => Err(format!("a frame of type {kind}")),
            _ => Err(format!("a frame of unknown type {kind}")),
        }
    }

    /// A stream on which the shard may still send something: it was begun and not reset by the shard.
    fn stream(&mut self, stream: u32) -> Result<&mut Stream, String> {
        match self.streams.get_mut(&stream) {
            None => Err(format!("a frame on stream {stream}, which nobody began")),
            Some(known) if known.was_reset => Err(format!("a frame on stream {stream} after its reset")),
            Some(known) => Ok(known),
        }
    }

    fn data(&mut self, flags: u8, stream: u32, payload: &[u8]) -> Result<Seen, String> {
        let counted = i64::try_from(payload.len()).unwrap_or(i64::MAX);
        self.receives -= counted;
        let receives = self.receives;
        let known = self.stream(stream)?;
        if known.ended || !known.has_head {
            return Err(format!("DATA on stream {stream} before its head or after its end"));
        }
        known.receives -= counted;
        if counted > 0 && (known.receives < 0 || receives < 0) {
            return Err(format!(
                "DATA beyond a window: stream {stream} has {}, the connection {receives}",
                known.receives
            ));
        }
        let bytes = unpadded(flags, payload)?.to_vec();
        known.came += bytes.len();
        let end = flags & END_STREAM != 0;
        known.end(stream, end)?;
        Ok(Seen::Data { stream, bytes, counted: payload.len(), end })
    }

    fn headers(&mut self, flags: u8, stream: u32, payload: &[u8]) -> Result<Option<Seen>, String> {
        if flags & 0x20 != 0 {
            return Err("HEADERS with a priority".to_owned());
        }
        let bytes = unpadded(flags, payload)?.to_vec();
        self.block = Some(Block { stream, end: flags & END_STREAM != 0, bytes });
        self.block_ended(flags)
    }

    fn continuation(&mut self, flags: u8, stream: u32, payload: &[u8]) -> Result<Option<Seen>, String> {
        let Some(block) = self.block.as_mut().filter(|block| block.stream == stream) else {
            return Err(format!("CONTINUATION on stream {stream}"));
        };
        block.bytes.extend_from_slice(payload);
        self.block_ended(flags)
    }

    fn block_ended(&mut self, flags: u8) -> Result<Option<Seen>, String> {
        if flags & END_HEADERS == 0 {
            return Ok(None);
        }
        let Some(Block { stream, end, bytes }) = self.block.take() else { return Ok(None) };
        let mut fields = Fields::default();
        self.decoder.decode(&bytes, &mut fields).map_err(|error| format!("HPACK: {error:?}"))?;
        if self.is_server && !self.streams.contains_key(&stream) {
            return self.begin(stream, fields.0, end).map(Some);
        }
        let known = self.stream(stream)?;
        if known.ended {
            return Err(format!("HEADERS on stream {stream} after its end"));
        }
        if known.has_head {
            if !end || fields.0.iter().any(|(name, _)| name.starts_with(':')) {
                return Err(format!("trailers on stream {stream} that don't end it: {:?}", fields.0));
            }
            known.end(stream, true)?;
            return Ok(Some(Seen::Data { stream, bytes: Vec::new(), counted: 0, end }));
        }
        let status = judge_fields(&fields.0)?;
        known.has_head = true;
        let length = fields.0.iter().find(|(name, _)| name == "content-length");
        if !known.is_head_method && status != 304 {
            known.stated = length.and_then(|(_, value)| value.parse().ok());
        }
        known.end(stream, end)?;
        Ok(Some(Seen::Head { stream, status, end }))
    }

    /// The shard begins a stream.
    fn begin(&mut self, stream: u32, fields: Vec<(String, String)>, end: bool) -> Result<Seen, String> {
        if stream.is_multiple_of(2) || stream <= self.last_begun {
            return Err(format!("begins stream {stream} after {}", self.last_begun));
        }
        let is_over =
            |stream: &Stream| stream.was_reset || stream.is_closed || (stream.ended && stream.is_answered);
        let open = self.streams.values().filter(|stream| !is_over(stream)).count();
        if self.concurrent_max.is_some_and(|most| open >= most) {
            return Err(format!("{} streams at a time, {:?} allowed", open + 1, self.concurrent_max));
        }
        judge_request(&fields)?;
        self.last_begun = stream;
        self.opened(stream, false);
        let known = self.stream(stream)?;
        known.has_head = true;
        let length = fields.iter().find(|(name, _)| name == "content-length");
        known.stated = length.and_then(|(_, value)| value.parse().ok());
        known.end(stream, end)?;
        Ok(Seen::Request { stream, fields, end })
    }

    fn settings(&mut self, flags: u8, payload: &[u8]) -> Result<Seen, String> {
        if flags & ACK != 0 {
            let Some((initial, concurrent_max)) =
                self.unacknowledged.pop_front().filter(|_| payload.is_empty())
            else {
                return Err("an acknowledgement of nothing".to_owned());
            };
            self.concurrent_max = concurrent_max.or(self.concurrent_max);
            let more = initial - self.initial_receives;
            self.initial_receives = initial;
            self.streams.values_mut().for_each(|stream| stream.receives += more);
            return Ok(Seen::Other);
        }
        if !payload.len().is_multiple_of(6) {
            return Err(format!("SETTINGS of {} bytes", payload.len()));
        }
        self.had_settings = true;
        for setting in payload.chunks(6) {
            if setting[..2] == [0, 4] {
                let initial = i64::from(number(&setting[2..]));
                let more = initial - self.initial_sends;
                self.initial_sends = initial;
                self.streams.values_mut().for_each(|stream| stream.sends += more);
            }
        }
        Ok(Seen::Settings)
    }

    fn go_away(&mut self, payload: &[u8]) -> Result<Seen, String> {
        if payload.len() < 8 {
            return Err("a short GOAWAY".to_owned());
        }
        let (last, code) = (number(&payload[..4]), number(&payload[4..8]));
        if self.last_taken.is_some_and(|before| before < last) {
            return Err(format!("GOAWAY takes {last} after {:?}", self.last_taken));
        }
        // A stream that it says it didn't take wasn't answered.
        let answered =
            self.streams.iter().find(|(id, stream)| !self.is_server && **id > last && stream.has_head);
        if let Some((id, _)) = answered {
            return Err(format!("GOAWAY takes {last}, but {id} was answered"));
        }
        self.last_taken = Some(last);
        Ok(Seen::GoAway { last, code })
    }

    fn window(&mut self, stream: u32, payload: &[u8]) -> Result<Seen, String> {
        let more = i64::from(number(exactly(payload, 4)?));
        self.openings += u64::from(stream == 0);
        let window = if stream == 0 { &mut self.sends } else { &mut self.stream(stream)?.sends };
        *window += more;
        if more == 0 || *window > WINDOW_MAX {
            return Err(format!("WINDOW_UPDATE of {more} to {window} on stream {stream}"));
        }
        Ok(Seen::Other)
    }
}

impl Stream {
    fn end(&mut self, stream: u32, ends: bool) -> Result<(), String> {
        self.ended |= ends;
        let bad = self.stated.is_some_and(|stated| self.came > stated || (ends && self.came != stated));
        if bad {
            return Err(format!("stream {stream} states {:?} bytes, {} came", self.stated, self.came));
        }
        Ok(())
    }
}

/// Holds a request's fields to section 8.3.1.
fn judge_request(fields: &[(String, String)]) -> Result<(), String> {
    let is_pseudo = |(name, _): &&(String, String)| name.starts_with(':');
    let mut pseudo: Vec<&str> = fields.iter().take_while(is_pseudo).map(|(name, _)| name.as_str()).collect();
    pseudo.sort_unstable();
    if pseudo != [":authority", ":method", ":path", ":scheme"] {
        return Err(format!("pseudo-header fields {pseudo:?}"));
    }
    judge_names(&fields[4..])
}

fn judge_names(fields: &[(String, String)]) -> Result<(), String> {
    for (name, value) in fields {
        let is_banned = matches!(
            &**name,
            "connection" | "transfer-encoding" | "keep-alive" | "upgrade" | "host" | "expect"
        );
        if is_banned || name.starts_with(':') || *name != name.to_ascii_lowercase() || value.trim() != value {
            return Err(format!("the field {name}: {value:?}"));
        }
    }
    Ok(())
}

/// Holds an answer's fields to section 8.2 and gives the status.
fn judge_fields(fields: &[(String, String)]) -> Result<u16, String> {
    let status = match fields.first() {
        Some((name, value)) if name == ":status" && value.len() == 3 => value.parse().ok(),
        _ => None,
    };
    let status: u16 = status.ok_or_else(|| format!("no status first: {fields:?}"))?;
    if status < 200 {
        return Err(format!("an interim answer of {status}"));
    }
    judge_names(&fields[1..])?;
    if fields.iter().filter(|(name, _)| name == "date").count() != 1 {
        return Err("no date, or several".to_owned());
    }
    Ok(status)
}

fn unpadded(flags: u8, payload: &[u8]) -> Result<&[u8], String> {
    if flags & PADDED == 0 {
        return Ok(payload);
    }
    let padding = usize::from(*payload.first().ok_or("no padding")?);
    payload.get(1..payload.len().saturating_sub(padding)).ok_or_else(|| "padding beyond its frame".to_owned())
}

fn exactly(payload: &[u8], length: usize) -> Result<&[u8], String> {
    if payload.len() == length { Ok(payload) } else { Err(format!("a payload of {} bytes", payload.len())) }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}
