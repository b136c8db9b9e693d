//! One connection: its state, and the walk over what arrives.

mod control;
mod data;
mod heads;
mod send;

use std::mem;

use super::budget::Budget;
use super::error::{ErrorCode, Fault};
use super::event::{Event, Step};
use super::flow::{ReceiveWindow, SendWindow};
use super::frame::{self, ACK, HEADER_BYTES, Header, Kind, PREFACE};
use super::head_text::HeadText;
use super::hpack::{Decoder, Encoder};
use super::limits::Limits;
use super::settings::{self, Settings, WINDOW_AT_FIRST};
use super::streams::{Closed, Streams};
use data::DataFrame;
use heads::LastBlock;

pub use send::{OpenError, SendError};

/// Which side of the connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Towards clients.
    Server,
    /// Towards a backend.
    Client,
}

/// Where in the input we are.
#[derive(Clone, Copy, Debug)]
enum Reading {
    /// So many bytes of the preface have come.
    Preface(usize),
    /// A frame header, so many bytes of which are kept.
    Header(usize),
    /// A frame that is acted upon when it is whole.
    Payload(Header),
    /// A DATA frame, piece by piece.
    Data(DataFrame),
    /// Bytes that nobody wants.
    Skip(u32),
}

/// A block of which CONTINUATION frames are missing.
#[derive(Clone, Copy, Debug)]
struct OpenBlock {
    stream: u32,
    end_stream: bool,
    frames: u32,
}

/// Counters of unproductive work; limits of the same names.
#[derive(Debug, Default)]
struct Budgets {
    peer_resets: Budget,
    made_resets: Budget,
    settings: Budget,
    pings: Budget,
    empty_data: Budget,
    window_updates: Budget,
    ignored_frames: Budget,
    late_frames: Budget,
}

/// An HTTP/2 connection without its socket.
///
/// [`start`](Self::start) it, hand it what arrives by [`receive`](Self::receive), send what it and the other calls
/// append to `out`, and call [`second_passed`](Self::second_passed) once a second. A caller that can't send what has
/// gathered in `out` stops receiving, so a peer that doesn't read its answers can't make them grow.
#[derive(Debug)]
pub struct Connection {
    role: Role,
    limits: Limits,
    reading: Reading,
    partial_header: [u8; HEADER_BYTES],
    payload: Vec<u8>,
    block: Vec<u8>,
    open_block: Option<OpenBlock>,
    head: HeadText,
    decoder: Decoder,
    /// What `head` was decoded from.
    last_block: LastBlock,
    encoder: Encoder,
    streams: Streams,
    /// Server: the highest stream of the client; client: of ours.
    last_stream: u32,
    send_window: SendWindow,
    receive_window: ReceiveWindow,
    peer: Settings,
    settings_received: bool,
    /// Client: what came first was text.
    answered_in_text: bool,
    settings_acknowledged: bool,
    /// The last stream that we have promised to look at.
    away_sent: Option<u32>,
    away_received: Option<u32>,
    dead: bool,
    budgets: Budgets,
}

impl Connection {
    /// The side towards a client.
    #[must_use]
    pub fn server(limits: Limits) -> Self {
        Self::new(Role::Server, limits)
    }

    /// The side towards a backend.
    #[must_use]
    pub fn client(limits: Limits) -> Self {
        Self::new(Role::Client, limits)
    }

    fn new(role: Role, limits: Limits) -> Self {
        let limits = limits.within_protocol();
        Connection {
            role,
            reading: if role == Role::Server { Reading::Preface(0) } else { Reading::Header(0) },
            partial_header: [0; HEADER_BYTES],
            payload: Vec::new(),
            block: Vec::new(),
            open_block: None,
            head: HeadText::default(),
            decoder: Decoder::default(),
            last_block: LastBlock::default(),
            encoder: Encoder::new(limits.encode_table_bytes),
            streams: Streams::new(limits.closed_streams),
            last_stream: 0,
            send_window: SendWindow::new(WINDOW_AT_FIRST),
            receive_window: ReceiveWindow::new(WINDOW_AT_FIRST, limits.connection_window_bytes),
            peer: Settings::default(),
            settings_received: false,
            answered_in_text: false,
            settings_acknowledged: false,
            away_sent: None,
            away_received: None,
            dead: false,
            budgets: Budgets::default(),
            limits,
        }
    }

    /// Appends what the connection begins with: the preface (client), SETTINGS and the connection's window.
    pub fn start(&mut self, out: &mut Vec<u8>) {
        if self.role == Role::Client {
            out.extend_from_slice(PREFACE);
        }
        settings::write(&self.limits, self.role == Role::Server, out);
        let increment = self.receive_window.tell();
        if increment > 0 {
            frame::write_window_update(out, 0, increment);
        }
    }

    /// Reads input up to the next event, and appends answers to the peer. Frames may come in any pieces; what has been
    /// read isn't needed again.
    pub fn receive(&mut self, input: &[u8], out: &mut Vec<u8>) -> Step {
        let mut at = 0;
        while at < input.len() && !self.dead {
            match self.advance(input, &mut at, out) {
                Ok(None) => {}
                Ok(event) => return Step { consumed: at, event },
                Err(fault) => {
                    let event = Some(self.end(fault.code, fault.reason, out));
                    return Step { consumed: input.len(), event };
                }
            }
        }
        Step { consumed: input.len(), event: None }
    }

    /// One step; errors end the connection.
    fn advance(&mut self, input: &[u8], at: &mut usize, out: &mut Vec<u8>) -> Result<Option<Event>, Fault> {
        match self.reading {
            Reading::Preface(done) => self.read_preface(done, input, at),
            Reading::Header(done) => self.read_header(done, input, at, out),
            Reading::Payload(header) => self.read_payload(&header, input, at, out),
            Reading::Data(frame) => self.read_data(frame, input, at, out),
            Reading::Skip(left) => {
                let skipped = (input.len() - *at).min(left as usize);
                *at += skipped;
                self.skip(left - skipped as u32);
                Ok(None)
            }
        }
    }

    /// What comes next is `bytes` that nobody wants, then a frame header.
    fn skip(&mut self, bytes: u32) {
        self.reading = if bytes == 0 { Reading::Header(0) } else { Reading::Skip(bytes) };
    }

    fn read_preface(&mut self, done: usize, input: &[u8], at: &mut usize) -> Result<Option<Event>, Fault> {
        let rest = &PREFACE[done..];
        let len = rest.len().min(input.len() - *at);
        if input[*at..*at + len] != rest[..len] {
            return Err(Fault::connection(ErrorCode::PROTOCOL_ERROR, "not the preface of HTTP/2"));
        }
        *at += len;
        let whole = len == rest.len();
        self.reading = if whole { Reading::Header(0) } else { Reading::Preface(done + len) };
        Ok(None)
    }

    fn read_header(
        &mut self,
        done: usize,
        input: &[u8],
        at: &mut usize,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, Fault> {
        let rest = &input[*at..];
        if done == 0
            && let Some(bytes) = rest.first_chunk()
        {
            *at += HEADER_BYTES;
            return self.begin_frame(bytes, out);
        }
        let len = (HEADER_BYTES - done).min(rest.len());
        self.partial_header[done..done + len].copy_from_slice(&rest[..len]);
        *at += len;
        if done + len < HEADER_BYTES {
            self.reading = Reading::Header(done + len);
            return Ok(None);
        }
        let bytes = self.partial_header;
        self.begin_frame(&bytes, out)
    }

    /// A frame begins: what its header alone tells is judged.
    fn begin_frame(&mut self, bytes: &[u8; HEADER_BYTES], out: &mut Vec<u8>) -> Result<Option<Event>, Fault> {
        const PROTOCOL: ErrorCode = ErrorCode::PROTOCOL_ERROR;
        let header = Header::read(bytes);
        self.answered_in_text |=
            !self.settings_received && bytes.iter().all(|byte| byte.is_ascii() && *byte >= b' ');
        if !self.settings_received && (header.kind != Kind::Settings || header.has(ACK)) {
            return Err(Fault::connection(PROTOCOL, "a frame before SETTINGS"));
        }
        let of_block = (header.kind == Kind::Continuation).then_some(header.stream);
        if self.open_block.map(|block| block.stream) != of_block {
            return Err(Fault::connection(PROTOCOL, "CONTINUATION without its block, or a block without it"));
        }
        if let Err(fault) = header.check(self.limits.frame_bytes) {
            self.skip(header.len);
            return self.fail(header.stream, fault, out);
        }
        match header.kind {
            Kind::Data => return self.begin_data(&header, out),
            Kind::Unknown => {
                self.skip(header.len);
                self.ignore()?;
            }
            // An empty payload doesn't wait for more input.
            _ if header.len == 0 => {
                self.reading = Reading::Header(0);
                return self.act(&header, &[], out);
            }
            _ => self.reading = Reading::Payload(header),
        }
        Ok(None)
    }

    fn read_payload(
        &mut self,
        header: &Header,
        input: &[u8],
        at: &mut usize,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, Fault> {
        let missing = header.len as usize - self.payload.len();
        let rest = &input[*at..];
        if rest.len() < missing {
            self.payload.extend_from_slice(rest);
            *at = input.len();
            return Ok(None);
        }
        *at += missing;
        self.reading = Reading::Header(0);
        if self.payload.is_empty() {
            return self.act(header, &rest[..missing], out);
        }
        let mut payload = mem::take(&mut self.payload);
        payload.extend_from_slice(&rest[..missing]);
        let outcome = self.act(header, &payload, out);
        payload.clear();
        payload.shrink_to(self.limits.kept_bytes);
        self.payload = payload;
        outcome
    }

    /// Acts upon a whole frame.
    fn act(&mut self, header: &Header, payload: &[u8], out: &mut Vec<u8>) -> Result<Option<Event>, Fault> {
        let acted = match header.kind {
            Kind::Headers => self.on_headers(header, payload, out),
            Kind::Continuation => self.on_continuation(header, payload, out),
            Kind::Settings => self.on_settings(header, payload, out),
            Kind::Ping => self.on_ping(header, payload, out),
            Kind::GoAway => self.on_go_away(payload),
            Kind::WindowUpdate => self.on_window_update(header.stream, payload),
            Kind::RstStream => self.on_reset(header.stream, payload),
            Kind::Priority => self.ignore().map(|()| None),
            Kind::Data | Kind::PushPromise | Kind::Unknown => Ok(None),
        };
        acted.or_else(|fault| self.fail(header.stream, fault, out))
    }

    /// Spends from the budget of frames that have no effect.
    fn ignore(&mut self) -> Result<(), Fault> {
        let calm = self.budgets.ignored_frames.spend(self.limits.ignored_frames);
        if calm { Ok(()) } else { Err(flood("too many frames without an effect")) }
    }

    /// A fault of a stream resets it, one of the connection is handed on.
    fn fail(&mut self, stream: u32, fault: Fault, out: &mut Vec<u8>) -> Result<Option<Event>, Fault> {
        // A stream that is idle can't be reset (§6.4).
        if fault.connection || self.is_idle(stream) {
            return Err(fault);
        }
        if !self.budgets.made_resets.spend(self.limits.made_resets) {
            return Err(flood("too many streams broken"));
        }
        frame::write_reset(out, stream, fault.code);
        if !self.streams.close(stream, Closed::ByUs) {
            return Ok(None);
        }
        Ok(Some(Event::Reset { stream, code: fault.code, reason: fault.reason }))
    }

    /// Ends the connection for a fault of the peer.
    fn end(&mut self, code: ErrorCode, reason: &'static str, out: &mut Vec<u8>) -> Event {
        self.dead = true;
        let last = if self.role == Role::Server { self.last_stream } else { 0 };
        frame::write_go_away(out, self.away_sent.map_or(last, |promised| promised.min(last)), code, reason);
        Event::ConnectionError { code, reason }
    }

    /// Both sides have sent END_STREAM.
    fn end_stream(&mut self, stream: u32) {
        self.streams.close(stream, Closed::Ended);
        // Whoever takes answers may also cancel some.
        self.budgets.peer_resets.earn(1);
    }

    /// Whether a stream can't have any frame yet (§5.1): nobody opened it, nor one above it.
    fn is_idle(&self, stream: u32) -> bool {
        // Clients open odd streams; nobody here opens even ones.
        stream.is_multiple_of(2) || stream > self.last_stream
    }

    /// Whether the server answered the preface in text, as one that speaks HTTP/1.1 only does, with a status line or with
    /// the bare body of HTTP/0.9: it looked at no stream.
    #[must_use]
    pub fn answered_in_text(&self) -> bool {
        self.answered_in_text
    }

    /// Gives budgets their share of a second. To be called once a second, of the connections that received anything.
    pub fn second_passed(&mut self) {
        let Connection { budgets, limits, .. } = self;
        budgets.peer_resets.earn(limits.peer_resets.per_second);
        budgets.made_resets.earn(limits.made_resets.per_second);
        budgets.settings.earn(limits.settings.per_second);
        budgets.pings.earn(limits.pings.per_second);
        budgets.empty_data.earn(limits.empty_data.per_second);
        budgets.window_updates.earn(limits.window_updates.per_second);
        budgets.ignored_frames.earn(limits.ignored_frames.per_second);
        budgets.late_frames.earn(limits.late_frames.per_second);
    }

    /// The head or the trailers of the last event that said so, until the next [`receive`](Self::receive).
    ///
    /// A head is the text of an HTTP/1.1 head with its empty line, so `codec::h1` reads it; whether a body follows is
    /// the event's `end_stream`. Trailers are field lines only.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        self.head.text()
    }

    /// Bytes on the heap: buffers, field tables, streams.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.payload.capacity()
            + self.block.capacity()
            + self.head.held_bytes()
            + self.decoder.held_bytes()
            + self.encoder.held_bytes()
            + self.streams.held_bytes()
    }

    /// Streams that are open.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.streams.len()
    }

    /// The stream's place among the open ones: a small number that stays as long as the stream does, and that another
    /// stream may have afterwards. `None`: the stream isn't open.
    #[must_use]
    pub fn slot(&self, stream: u32) -> Option<usize> {
        self.streams.slot(stream)
    }

    /// Whether the peer has yet to acknowledge our settings; a caller with a clock bounds how long.
    #[must_use]
    pub fn awaits_settings(&self) -> bool {
        !self.settings_acknowledged
    }

    /// Whether something has begun that can't be acted upon before it is whole: the preface, a frame header, a frame other
    /// than DATA, a field block. It is what a deadline for slow heads asks for.
    #[must_use]
    pub fn awaits_head(&self) -> bool {
        let partial = match self.reading {
            Reading::Preface(_) | Reading::Payload(_) => true,
            Reading::Header(done) => done > 0,
            Reading::Data(_) | Reading::Skip(_) => false,
        };
        partial || self.open_block.is_some()
    }

    /// Whether the connection has ended by an error.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.dead
    }
}

/// The peer asks for too much of something.
fn flood(reason: &'static str) -> Fault {
    Fault::connection(ErrorCode::ENHANCE_YOUR_CALM, reason)
}

#[cfg(test)]
mod tests;
