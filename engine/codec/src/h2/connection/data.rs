//! DATA as it arrives, and the credit for it (RFC 9113 §6.1, §6.9).

use super::super::error::{ErrorCode, Fault};
use super::super::event::Event;
use super::super::frame::{self, END_STREAM, Header, PADDED};
use super::super::streams::Closed;
use super::{Connection, Reading, flood};

type Outcome = Result<Option<Event>, Fault>;

/// A DATA frame of which a part has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct DataFrame {
    stream: u32,
    /// Bytes of the frame that haven't come, without the padding once that is known.
    left: u32,
    /// Bytes of padding behind them.
    padding: u32,
    stage: Stage,
    end_stream: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The padding's length comes first.
    PaddingLength,
    Body,
}

impl Connection {
    pub(super) fn begin_data(&mut self, header: &Header, out: &mut Vec<u8>) -> Outcome {
        let (id, len) = (header.stream, header.len);
        if self.is_idle(id) {
            let code = ErrorCode::PROTOCOL_ERROR;
            return Err(Fault::connection(code, "DATA on a stream that nobody opened"));
        }
        if !self.receive_window.take(len) {
            let code = ErrorCode::FLOW_CONTROL_ERROR;
            return Err(Fault::connection(code, "DATA over the connection's window"));
        }
        if let Some(fault) = self.data_fault(id, len)? {
            self.credit_connection(len, out);
            self.skip(len);
            return fault.map_or(Ok(None), |fault| self.fail(id, fault, out));
        }
        let stage = if header.has(PADDED) { Stage::PaddingLength } else { Stage::Body };
        let end_stream = header.has(END_STREAM);
        let frame = DataFrame { stream: id, left: len, padding: 0, stage, end_stream };
        if stage == Stage::Body {
            return self.begin_body(frame, out);
        }
        if len == 0 {
            let code = ErrorCode::PROTOCOL_ERROR;
            return Err(Fault::connection(code, "padding longer than its frame"));
        }
        self.reading = Reading::Data(frame);
        Ok(None)
    }

    /// What is wrong with DATA on this stream: nothing, something, or that it is to be dropped in silence.
    fn data_fault(&mut self, id: u32, len: u32) -> Result<Option<Option<Fault>>, Fault> {
        const CLOSED: ErrorCode = ErrorCode::STREAM_CLOSED;
        let Some(stream) = self.streams.get_mut(id) else {
            self.spend_late()?;
            return match self.streams.end_of(id) {
                Closed::ByUs => Ok(Some(None)),
                Closed::Ended => Err(Fault::connection(CLOSED, "DATA on a stream that has ended")),
                _ => Ok(Some(Some(Fault::stream(CLOSED, "DATA on a stream that was reset or never opened")))),
            };
        };
        let fault = if stream.remote_ended {
            Some(Fault::stream(CLOSED, "DATA after END_STREAM"))
        } else if !stream.head_received {
            Some(Fault::stream(ErrorCode::PROTOCOL_ERROR, "DATA before the head"))
        } else if !stream.receive_window.take(len) {
            Some(Fault::stream(ErrorCode::FLOW_CONTROL_ERROR, "DATA over the stream's window"))
        } else {
            None
        };
        Ok(fault.map(Some))
    }

    pub(super) fn read_data(
        &mut self,
        mut frame: DataFrame,
        input: &[u8],
        at: &mut usize,
        out: &mut Vec<u8>,
    ) -> Outcome {
        if frame.stage == Stage::PaddingLength {
            let padding = u32::from(input[*at]);
            *at += 1;
            frame.left -= 1;
            if padding > frame.left {
                let code = ErrorCode::PROTOCOL_ERROR;
                return Err(Fault::connection(code, "padding longer than its frame"));
            }
            frame.left -= padding;
            frame.padding = padding;
            frame.stage = Stage::Body;
            // Nobody but us sees the padding, so nobody else can give its credit back.
            self.consumed(frame.stream, padding as usize + 1, out);
            return self.begin_body(frame, out);
        }
        let len = (input.len() - *at).min(frame.left as usize);
        let range = *at..*at + len;
        *at += len;
        frame.left -= len as u32;
        if self.streams.get(frame.stream).is_none() {
            // The caller has reset it between two pieces.
            self.credit_connection(len as u32 + frame.left, out);
            self.skip(frame.left + frame.padding);
            return Ok(None);
        }
        let end_stream = frame.end_stream && frame.left == 0;
        if frame.left == 0 {
            self.skip(frame.padding);
            self.end_remote(frame.stream, end_stream);
        } else {
            self.reading = Reading::Data(frame);
        }
        Ok(Some(Event::Data { stream: frame.stream, range, end_stream }))
    }

    /// The frame's share of the body is known: it is held against the content-length (§8.1.1).
    fn begin_body(&mut self, frame: DataFrame, out: &mut Vec<u8>) -> Outcome {
        let DataFrame { stream: id, left, end_stream, .. } = frame;
        let Some(stream) = self.streams.get_mut(id) else {
            // The caller has reset it before the frame's padding was known.
            self.credit_connection(left, out);
            self.skip(left + frame.padding);
            return Ok(None);
        };
        if let Some(body_left) = &mut stream.body_left {
            let rest = body_left.checked_sub(u64::from(left));
            if rest.is_none_or(|rest| end_stream && rest > 0) {
                self.credit_connection(left, out);
                self.skip(left + frame.padding);
                let code = ErrorCode::PROTOCOL_ERROR;
                return self.fail(
                    id,
                    Fault::stream(code, "a body that isn't as long as its content-length"),
                    out,
                );
            }
            *body_left = rest.unwrap_or(0);
        }
        if left > 0 {
            self.reading = Reading::Data(frame);
            return Ok(None);
        }
        self.skip(frame.padding);
        if end_stream {
            self.end_remote(id, true);
            return Ok(Some(Event::Data { stream: id, range: 0..0, end_stream: true }));
        }
        let calm = self.budgets.empty_data.spend(self.limits.empty_data);
        if calm { Ok(None) } else { Err(flood("too much empty DATA")) }
    }

    /// Says that `bytes` of a stream's body are out of the way, so that as many more may come. Also right for streams
    /// that have ended since: the connection's window counts them all.
    pub fn consumed(&mut self, stream: u32, bytes: usize, out: &mut Vec<u8>) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.credit_connection(bytes, out);
        let Some(open) = self.streams.get_mut(stream) else { return };
        if !open.remote_ended
            && !self.dead
            && let Some(increment) = open.receive_window.give(bytes)
        {
            frame::write_window_update(out, stream, increment);
        }
    }

    fn credit_connection(&mut self, bytes: u32, out: &mut Vec<u8>) {
        if let Some(increment) = self.receive_window.give(bytes)
            && !self.dead
        {
            frame::write_window_update(out, 0, increment);
        }
    }
}
