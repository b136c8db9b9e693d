//! HEADERS and CONTINUATION: blocks gathered, decoded, and told apart.

use std::mem;

use super::super::error::{ErrorCode, Fault};
use super::super::event::Event;
use super::super::flow::{ReceiveWindow, SendWindow};
use super::super::frame::{self, END_HEADERS, END_STREAM, Header, PRIORITY_FLAG};
use super::super::head_text::{Form, HeadText};
use super::super::hpack::Decoder;
use super::super::settings::WINDOW_AT_FIRST;
use super::super::streams::{Closed, Stream};
use super::{Connection, OpenBlock, Role, flood};

type Outcome = Result<Option<Event>, Fault>;

const PROTOCOL: ErrorCode = ErrorCode::PROTOCOL_ERROR;

/// Frames without an effect that a request explains: some clients send its priority, and change it.
const IGNORED_PER_REQUEST: u32 = 2;

/// What a block is for.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    Request,
    Answer,
    Trailers,
    /// A request beyond the streams that we allow.
    Refused,
    /// Decoded for the compression context's sake, then ignored or answered by this fault of its stream.
    Nothing(Option<Fault>),
}

/// Bytes of a block that are kept to be compared with the next.
const REPEATED_MAX: usize = 512;

/// The block that was decoded last, if decoding it again would give the same head: clients and backends that say the same
/// of each message send the same few indices.
#[derive(Debug, Default)]
pub(super) struct LastBlock {
    block: Vec<u8>,
    /// The decoder's, before and after it.
    state: Option<u32>,
}

impl LastBlock {
    fn is_again(&self, form: Form, block: &[u8], head: &HeadText, decoder: &Decoder) -> bool {
        self.state.is_some()
            && self.state == decoder.state()
            && form == head.form()
            && !block.is_empty()
            && block == self.block
    }

    fn remember(&mut self, block: &[u8], before: Option<u32>, decoder: &Decoder) {
        self.state = before.filter(|_| block.len() <= REPEATED_MAX && before == decoder.state());
        if self.state.is_some() {
            self.block.clear();
            self.block.extend_from_slice(block);
        }
    }
}

impl Connection {
    pub(super) fn on_headers(&mut self, header: &Header, payload: &[u8], out: &mut Vec<u8>) -> Outcome {
        let mut fragment = frame::unpadded(header, payload)?;
        if header.has(PRIORITY_FLAG) {
            // Dependency and weight: priorities of this kind are not used any more (§5.3.2).
            let code = ErrorCode::FRAME_SIZE_ERROR;
            fragment =
                fragment.get(5..).ok_or(Fault::connection(code, "HEADERS too short for its priority"))?;
        }
        let end_stream = header.has(END_STREAM);
        if header.has(END_HEADERS) {
            return self.on_block(header.stream, end_stream, fragment, out);
        }
        self.open_block = Some(OpenBlock { stream: header.stream, end_stream, frames: 0 });
        self.gather(fragment)?;
        Ok(None)
    }

    pub(super) fn on_continuation(&mut self, header: &Header, payload: &[u8], out: &mut Vec<u8>) -> Outcome {
        let Some(mut open) = self.open_block else { return Ok(None) };
        open.frames += 1;
        if open.frames > self.limits.continuation_frames {
            return Err(flood("too many CONTINUATION frames"));
        }
        self.gather(payload)?;
        if !header.has(END_HEADERS) {
            self.open_block = Some(open);
            return Ok(None);
        }
        self.open_block = None;
        let mut block = mem::take(&mut self.block);
        let outcome = self.on_block(open.stream, open.end_stream, &block, out);
        block.clear();
        block.shrink_to(self.limits.kept_bytes);
        self.block = block;
        outcome
    }

    fn gather(&mut self, fragment: &[u8]) -> Result<(), Fault> {
        if self.block.len() + fragment.len() > self.limits.block_bytes {
            return Err(flood("a field block over its limit"));
        }
        self.block.extend_from_slice(fragment);
        Ok(())
    }

    /// A whole block has come.
    fn on_block(&mut self, id: u32, end_stream: bool, block: &[u8], out: &mut Vec<u8>) -> Outcome {
        let purpose = self.purpose_of(id)?;
        let form = match purpose {
            Purpose::Request => Form::Request,
            Purpose::Answer => Form::Response,
            Purpose::Trailers => Form::Trailers,
            Purpose::Refused | Purpose::Nothing(_) => Form::Nothing,
        };
        if !self.last_block.is_again(form, block, &self.head, &self.decoder) {
            self.decode(form, block)?;
        }
        match purpose {
            Purpose::Request => self.on_request(id, end_stream, out),
            Purpose::Answer => self.on_answer(id, end_stream),
            Purpose::Trailers => self.on_trailers(id, end_stream),
            Purpose::Refused => self.reject(id, ErrorCode::REFUSED_STREAM, "more streams than we allow", out),
            Purpose::Nothing(None) => self.spend_late().map(|()| None),
            Purpose::Nothing(Some(fault)) => self.spend_late().and(Err(fault)),
        }
    }

    fn decode(&mut self, form: Form, block: &[u8]) -> Result<(), Fault> {
        self.head.shrink(self.limits.kept_bytes);
        self.decoder.shrink(self.limits.kept_bytes);
        self.head.begin(form, self.limits.header_list_bytes);
        let before = self.decoder.state();
        let decoded = self.decoder.decode(block, &mut self.head);
        self.last_block.remember(block, before, &self.decoder);
        decoded.map_err(|_| {
            Fault::connection(ErrorCode::COMPRESSION_ERROR, "a field block that can't be decoded")
        })
    }

    /// Tells what a block on a stream is (§5.1).
    fn purpose_of(&mut self, id: u32) -> Result<Purpose, Fault> {
        if self.role == Role::Server && !self.is_idle(id) || self.role == Role::Client {
            if self.is_idle(id) {
                return Err(Fault::connection(PROTOCOL, "HEADERS on a stream that nobody opened"));
            }
            let Some(stream) = self.streams.get(id) else { return self.purpose_after_end(id) };
            let closed = Fault::stream(ErrorCode::STREAM_CLOSED, "HEADERS after END_STREAM");
            return Ok(match (stream.remote_ended, stream.head_received) {
                (true, _) => Purpose::Nothing(Some(closed)),
                (false, true) => Purpose::Trailers,
                (false, false) => Purpose::Answer,
            });
        }
        if id.is_multiple_of(2) {
            return Err(Fault::connection(PROTOCOL, "a stream with an even id"));
        }
        self.last_stream = id;
        if self.away_sent.is_some_and(|last| id > last) {
            self.streams.remember(id, Closed::ByUs);
            return Ok(Purpose::Nothing(None));
        }
        if self.streams.len() >= self.limits.streams as usize {
            return Ok(Purpose::Refused);
        }
        Ok(Purpose::Request)
    }

    fn purpose_after_end(&self, id: u32) -> Result<Purpose, Fault> {
        const CLOSED: ErrorCode = ErrorCode::STREAM_CLOSED;
        match self.streams.end_of(id) {
            Closed::ByUs => Ok(Purpose::Nothing(None)),
            Closed::Ended => Err(Fault::connection(CLOSED, "HEADERS on a stream that has ended")),
            Closed::ByPeer | Closed::Forgotten => {
                Ok(Purpose::Nothing(Some(Fault::stream(CLOSED, "HEADERS on a stream that was reset"))))
            }
            Closed::Skipped => Err(Fault::connection(PROTOCOL, "a stream id below others that came before")),
        }
    }

    fn on_request(&mut self, id: u32, end_stream: bool, out: &mut Vec<u8>) -> Outcome {
        if let Err(reason) = self.head.finish() {
            return self.reject(id, PROTOCOL, reason, out);
        }
        let too_large = self.head.is_too_large();
        let length = self.head.length().filter(|_| !too_large);
        if end_stream && length.is_some_and(|length| length > 0) {
            return self.reject(id, PROTOCOL, "a content-length without a body", out);
        }
        self.budgets.ignored_frames.earn(IGNORED_PER_REQUEST);
        self.streams.open(id, self.new_stream(length, self.head.is_head()));
        if let Some(stream) = self.streams.get_mut(id) {
            stream.head_received = true;
            stream.remote_ended = end_stream;
        }
        Ok(Some(match too_large {
            true => Event::HeadTooLarge { stream: id, end_stream },
            false => Event::RequestHead { stream: id, end_stream },
        }))
    }

    /// A stream as it begins.
    pub(super) fn new_stream(&self, body_left: Option<u64>, is_head: bool) -> Stream {
        // Until the peer has our settings it may take the window for the RFC's.
        let size = self.limits.stream_window_bytes;
        let known = if self.settings_acknowledged { size } else { size.max(WINDOW_AT_FIRST) };
        Stream {
            send_window: SendWindow::new(self.peer.window),
            receive_window: ReceiveWindow::new(known, size),
            body_left,
            head_received: false,
            head_sent: false,
            remote_ended: false,
            local_ended: false,
            is_head,
        }
    }

    /// Resets a stream that never became a request (§8.1.1).
    fn reject(&mut self, id: u32, code: ErrorCode, reason: &'static str, out: &mut Vec<u8>) -> Outcome {
        self.streams.remember(id, Closed::ByUs);
        self.fail(id, Fault::stream(code, reason), out)?;
        Ok(Some(Event::Rejected { stream: id, code, reason }))
    }

    fn on_answer(&mut self, id: u32, end_stream: bool) -> Outcome {
        self.head.finish().map_err(|reason| Fault::stream(PROTOCOL, reason))?;
        if self.head.is_too_large() {
            if let Some(stream) = self.streams.get_mut(id) {
                stream.head_received = true;
            }
            self.end_remote(id, end_stream);
            return Ok(Some(Event::HeadTooLarge { stream: id, end_stream }));
        }
        let status = self.head.status();
        if status < 200 {
            if end_stream {
                return Err(Fault::stream(PROTOCOL, "an interim answer that ends the stream"));
            }
            self.ignore()?;
            return Ok(Some(Event::InformationalHead { stream: id }));
        }
        let Some(stream) = self.streams.get_mut(id) else { return Ok(None) };
        stream.head_received = true;
        let bodiless = stream.is_head || matches!(status, 204 | 304);
        stream.body_left = if bodiless { Some(0) } else { self.head.length() };
        if end_stream && stream.body_left.is_some_and(|length| length > 0) {
            return Err(Fault::stream(PROTOCOL, "a content-length without a body"));
        }
        self.end_remote(id, end_stream);
        Ok(Some(Event::ResponseHead { stream: id, end_stream }))
    }

    fn on_trailers(&mut self, id: u32, end_stream: bool) -> Outcome {
        if !end_stream {
            return Err(Fault::stream(PROTOCOL, "trailers that don't end the stream"));
        }
        self.head.finish().map_err(|reason| Fault::stream(PROTOCOL, reason))?;
        if self.streams.get(id).is_some_and(|stream| stream.body_left.is_some_and(|left| left > 0)) {
            return Err(Fault::stream(PROTOCOL, "a body shorter than its content-length"));
        }
        self.end_remote(id, true);
        Ok(Some(Event::Trailers { stream: id }))
    }

    /// The peer has sent END_STREAM, if `end` says so.
    pub(super) fn end_remote(&mut self, id: u32, end: bool) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        stream.remote_ended |= end;
        if stream.remote_ended && stream.local_ended {
            self.end_stream(id);
        }
    }
}
