//! What we send: heads, DATA, trailers, and the ends of streams and of the connection.

use super::super::error::ErrorCode;
use super::super::frame::{self, END_HEADERS, END_STREAM, HEADER_BYTES, Kind, STREAM_ID_MAX};
use super::super::lines::Call;
use super::super::streams::Closed;
use super::{Connection, Role};

/// WINDOW_UPDATE frames that a DATA frame explains, and one more for each so many bytes: some give credit back as they
/// read, in small steps.
const UPDATES_PER_DATA: u32 = 4;
const BYTES_PER_UPDATE: usize = 1_024;

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The stream isn't open, or the connection isn't.
    Gone,
    /// The stream is at another place of its message.
    Order,
}

/// Why a call can't be sent on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// As many streams are open as the backend or our limit allows; later it may work.
    Full,
    /// The connection takes no more calls: it has gone away or failed, or its ids are used up.
    Gone,
}

impl Connection {
    /// Server: appends an answer's head. A status below 200 is an interim answer. A body that is still coming in can be
    /// stopped afterwards by [`reset`](Self::reset) with `NO_ERROR` (§8.1).
    ///
    /// # Errors
    /// [`SendError::Gone`]; [`SendError::Order`] after a final head, or for an interim one that would end the stream.
    pub fn send_head<'a>(
        &mut self,
        stream: u32,
        status: u16,
        fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        end_stream: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        let interim = status < 200;
        let open = self.sending(stream)?;
        if open.head_sent || self.role == Role::Client || interim && end_stream {
            return Err(SendError::Order);
        }
        let start = self.begin_block(out);
        self.encoder.status(status, out);
        self.end_block(start, stream, fields, end_stream, out);
        if !interim && let Some(open) = self.streams.get_mut(stream) {
            open.head_sent = true;
        }
        self.end_local(stream, end_stream);
        Ok(())
    }

    /// Client: appends a call's head and gives its stream.
    ///
    /// # Errors
    /// What [`OpenError`] lists.
    pub fn open(
        &mut self,
        call: Call<'_>,
        scheme: &'static str,
        end_stream: bool,
        out: &mut Vec<u8>,
    ) -> Result<u32, OpenError> {
        let stream = if self.last_stream == 0 { 1 } else { self.last_stream + 2 };
        if !self.can_open() {
            let full = !self.takes_no_more();
            return Err(if full { OpenError::Full } else { OpenError::Gone });
        }
        self.last_stream = stream;
        let mut opened = self.new_stream(None, call.method == b"HEAD");
        opened.head_sent = true;
        self.streams.open(stream, opened);
        let start = self.begin_block(out);
        for (name, value) in [
            (&b":method"[..], call.method),
            (b":scheme", scheme.as_bytes()),
            (b":authority", call.authority),
            (b":path", call.path),
        ] {
            if name != b":authority" || !value.is_empty() {
                self.encoder.lower_field(name, value, out);
            }
        }
        self.end_block(start, stream, call.fields, end_stream, out);
        self.end_local(stream, end_stream);
        Ok(stream)
    }

    /// Client: whether a call can be sent now.
    #[must_use]
    pub fn can_open(&self) -> bool {
        let told = if self.settings_received { self.peer.streams_max } else { self.limits.streams_at_first };
        let max = self.limits.streams.min(told);
        !self.takes_no_more() && self.streams.len() < max as usize
    }

    /// Client: whether calls can't be sent now and never will. Close the connection once its last stream has ended.
    #[must_use]
    pub fn takes_no_more(&self) -> bool {
        let used_up = self.last_stream > STREAM_ID_MAX - 2;
        let gone = self.away_received.is_some() || self.away_sent.is_some() || self.dead;
        self.role == Role::Server || used_up || gone
    }

    /// Bytes of DATA that may be sent on a stream now: what both windows have. Zero if the stream isn't open.
    #[must_use]
    pub fn sendable(&self, stream: u32) -> usize {
        let open = self.streams.get(stream).filter(|open| !open.local_ended && !self.dead);
        open.map_or(0, |open| open.send_window.available().min(self.send_window.available()))
    }

    /// Appends the header of one DATA frame for up to `bytes` bytes and tells for how many it is: append exactly those
    /// next. They are fewer if the windows or the peer's frame size say so; END_STREAM is set if they are all and
    /// `end_stream` asks for it. Zero with `bytes` above zero: nothing was appended.
    ///
    /// # Errors
    /// [`SendError::Gone`]; [`SendError::Order`] before the final head.
    pub fn data_header(
        &mut self,
        stream: u32,
        bytes: usize,
        end_stream: bool,
        out: &mut Vec<u8>,
    ) -> Result<usize, SendError> {
        let frame_max = self.peer.frame_bytes_max as usize;
        let connection = self.send_window.available();
        let open = self.sending(stream)?;
        if !open.head_sent {
            return Err(SendError::Order);
        }
        let len = bytes.min(connection).min(open.send_window.available()).min(frame_max);
        let ends = end_stream && len == bytes;
        if len == 0 && !ends {
            return Ok(0);
        }
        open.send_window.spend(len);
        self.send_window.spend(len);
        self.budgets.window_updates.earn(UPDATES_PER_DATA + (len / BYTES_PER_UPDATE) as u32);
        frame::write_header(out, len, Kind::Data, if ends { END_STREAM } else { 0 }, stream);
        self.end_local(stream, ends);
        Ok(len)
    }

    /// Appends as many DATA frames as the windows have room for and tells how many bytes of `data` they took.
    ///
    /// # Errors
    /// As [`data_header`](Self::data_header).
    pub fn send_data(
        &mut self,
        stream: u32,
        data: &[u8],
        end_stream: bool,
        out: &mut Vec<u8>,
    ) -> Result<usize, SendError> {
        let mut sent = 0;
        loop {
            let len = self.data_header(stream, data.len() - sent, end_stream, out)?;
            out.extend_from_slice(&data[sent..sent + len]);
            sent += len;
            if len == 0 || sent == data.len() {
                return Ok(sent);
            }
        }
    }

    /// Appends trailers, which end the stream.
    ///
    /// # Errors
    /// As [`data_header`](Self::data_header).
    pub fn send_trailers<'a>(
        &mut self,
        stream: u32,
        fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        out: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        if !self.sending(stream)?.head_sent {
            return Err(SendError::Order);
        }
        let start = self.begin_block(out);
        self.end_block(start, stream, fields, true, out);
        self.end_local(stream, true);
        Ok(())
    }

    /// Ends a stream at once. Nothing is sent for one that has ended.
    pub fn reset(&mut self, stream: u32, code: ErrorCode, out: &mut Vec<u8>) {
        if !self.dead && self.streams.close(stream, Closed::ByUs) {
            frame::write_reset(out, stream, code);
        }
    }

    /// Server: tells the client that the connection is about to end, while requests that are on their way are still
    /// taken. [`go_away`](Self::go_away) a round trip later (§6.8).
    pub fn announce_shutdown(&mut self, out: &mut Vec<u8>) {
        if !self.dead && self.away_sent.is_none() {
            frame::write_go_away(out, STREAM_ID_MAX, ErrorCode::NO_ERROR, "");
        }
    }

    /// Tells the peer which stream was the last that is looked at; the streams up to it go on to their end.
    pub fn go_away(&mut self, code: ErrorCode, out: &mut Vec<u8>) {
        if self.dead {
            return;
        }
        let last = if self.role == Role::Server { self.last_stream } else { 0 };
        let last = self.away_sent.map_or(last, |before| before.min(last));
        self.away_sent = Some(last);
        frame::write_go_away(out, last, code, "");
    }

    /// Whether GOAWAY has been sent or received and no stream is open: the connection can be closed.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        let away = self.away_sent.is_some() || self.away_received.is_some();
        self.dead || away && self.streams.len() == 0
    }

    /// Appends PING, to be answered by [`Event::PingAnswered`](super::super::Event::PingAnswered).
    pub fn ping(&mut self, opaque: u64, out: &mut Vec<u8>) {
        if !self.dead {
            frame::write_header(out, 8, Kind::Ping, 0, 0);
            out.extend_from_slice(&opaque.to_be_bytes());
        }
    }

    fn sending(&mut self, stream: u32) -> Result<&mut super::super::streams::Stream, SendError> {
        let open = self.streams.get_mut(stream).filter(|_| !self.dead).ok_or(SendError::Gone)?;
        if open.local_ended { Err(SendError::Order) } else { Ok(open) }
    }

    /// We have sent END_STREAM, if `end` says so.
    fn end_local(&mut self, stream: u32, end: bool) {
        let Some(open) = self.streams.get_mut(stream) else { return };
        open.local_ended |= end;
        if open.local_ended && open.remote_ended {
            self.end_stream(stream);
        }
    }

    /// Begins a block behind room for its frame header; gives where.
    fn begin_block(&mut self, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        out.extend_from_slice(&[0; HEADER_BYTES]);
        self.encoder.begin(out);
        start
    }

    /// Appends the fields and puts the block into frames.
    fn end_block<'a>(
        &mut self,
        start: usize,
        stream: u32,
        fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        end_stream: bool,
        out: &mut Vec<u8>,
    ) {
        for (name, value) in fields {
            self.encoder.field(name, value, out);
        }
        let frame_max = self.peer.frame_bytes_max as usize;
        let body = start + HEADER_BYTES;
        let len = out.len() - body;
        let end = if end_stream { END_STREAM } else { 0 };
        let whole = len <= frame_max;
        let flags = if whole { END_HEADERS | end } else { end };
        out[start..body].copy_from_slice(&frame::header(len.min(frame_max), Kind::Headers, flags, stream));
        if whole {
            return;
        }
        let rest = out.split_off(body + frame_max);
        let mut pieces = rest.chunks(frame_max).peekable();
        while let Some(piece) = pieces.next() {
            let flags = if pieces.peek().is_none() { END_HEADERS } else { 0 };
            frame::write_header(out, piece.len(), Kind::Continuation, flags, stream);
            out.extend_from_slice(piece);
        }
    }
}
