//! Frames about the connection and about windows: SETTINGS, PING, GOAWAY, WINDOW_UPDATE, RST_STREAM.

use super::super::error::{ErrorCode, Fault};
use super::super::event::Event;
use super::super::frame::{self, ACK, Header, Kind, STREAM_ID_MAX};
use super::super::streams::Closed;
use super::{Connection, Role, flood};

type Outcome = Result<Option<Event>, Fault>;

impl Connection {
    pub(super) fn on_settings(&mut self, header: &Header, payload: &[u8], out: &mut Vec<u8>) -> Outcome {
        if header.has(ACK) {
            // We send one SETTINGS only; its values hold for the peer from here on.
            if std::mem::replace(&mut self.settings_acknowledged, true) {
                self.ignore()?;
            } else {
                self.decoder.allow(self.limits.decode_table_bytes);
            }
            return Ok(None);
        }
        if !self.budgets.settings.spend(self.limits.settings) {
            return Err(flood("too many SETTINGS"));
        }
        let before = self.peer.window;
        self.peer.apply(payload, self.role == Role::Client)?;
        self.settings_received = true;
        self.encoder.allow(self.peer.table_bytes as usize);
        let change = i64::from(self.peer.window) - i64::from(before);
        if change != 0 && !self.streams.all(|stream| stream.send_window.change(change).is_some()) {
            let code = ErrorCode::FLOW_CONTROL_ERROR;
            return Err(Fault::connection(code, "SETTINGS_INITIAL_WINDOW_SIZE lifts a window over 2^31-1"));
        }
        frame::write_header(out, 0, Kind::Settings, ACK, 0);
        Ok(Some(Event::SettingsReceived))
    }

    pub(super) fn on_ping(&mut self, header: &Header, payload: &[u8], out: &mut Vec<u8>) -> Outcome {
        if !self.budgets.pings.spend(self.limits.pings) {
            return Err(flood("too many PING"));
        }
        if header.has(ACK) {
            let opaque = payload.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
            return Ok(Some(Event::PingAnswered { opaque }));
        }
        frame::write_header(out, payload.len(), Kind::Ping, ACK, 0);
        out.extend_from_slice(payload);
        Ok(None)
    }

    pub(super) fn on_go_away(&mut self, payload: &[u8]) -> Outcome {
        let last = frame::number(payload) & STREAM_ID_MAX;
        let code = ErrorCode(frame::number(&payload[4..]));
        // It may only fall (§6.8). One that rises can't bring back what is gone.
        let last = self.away_received.map_or(last, |before| before.min(last));
        // One is all that a peer needs, or two.
        self.ignore()?;
        self.away_received = Some(last);
        if self.role == Role::Client {
            self.streams.close_above(last);
        }
        Ok(Some(Event::GoAway { last, code }))
    }

    pub(super) fn on_window_update(&mut self, id: u32, payload: &[u8]) -> Outcome {
        let increment = i64::from(frame::number(payload) & STREAM_ID_MAX);
        if id == 0 {
            if increment == 0 {
                let code = ErrorCode::PROTOCOL_ERROR;
                return Err(Fault::connection(code, "WINDOW_UPDATE by nothing"));
            }
            self.spend_window_update()?;
            let code = ErrorCode::FLOW_CONTROL_ERROR;
            let fault = Fault::connection(code, "WINDOW_UPDATE lifts the window over 2^31-1");
            let opened = self.send_window.change(increment).ok_or(fault)?;
            return Ok(opened.then_some(Event::SendWindow { stream: None }));
        }
        if self.is_idle(id) {
            let code = ErrorCode::PROTOCOL_ERROR;
            return Err(Fault::connection(code, "WINDOW_UPDATE for a stream that nobody opened"));
        }
        self.spend_window_update()?;
        // What was on its way when the stream ended says nothing any more.
        let Some(stream) = self.streams.get_mut(id) else { return Ok(None) };
        if increment == 0 {
            return Err(Fault::stream(ErrorCode::PROTOCOL_ERROR, "WINDOW_UPDATE by nothing"));
        }
        let code = ErrorCode::FLOW_CONTROL_ERROR;
        let fault = Fault::stream(code, "WINDOW_UPDATE lifts the window over 2^31-1");
        let opened = stream.send_window.change(increment).ok_or(fault)?;
        Ok(opened.then_some(Event::SendWindow { stream: Some(id) }))
    }

    fn spend_window_update(&mut self) -> Result<(), Fault> {
        let calm = self.budgets.window_updates.spend(self.limits.window_updates);
        if calm { Ok(()) } else { Err(flood("too many WINDOW_UPDATE")) }
    }

    pub(super) fn on_reset(&mut self, id: u32, payload: &[u8]) -> Outcome {
        if self.is_idle(id) {
            let code = ErrorCode::PROTOCOL_ERROR;
            return Err(Fault::connection(code, "RST_STREAM for a stream that nobody opened"));
        }
        if self.streams.get(id).is_none() {
            return self.spend_late().map(|()| None);
        }
        // A backend that ends what it has answered does what it should.
        if self.role == Role::Server && !self.budgets.peer_resets.spend(self.limits.peer_resets) {
            return Err(flood("too many RST_STREAM"));
        }
        self.streams.close(id, Closed::ByPeer);
        Ok(Some(Event::Reset { stream: id, code: ErrorCode(frame::number(payload)), reason: "" }))
    }

    /// Spends from the budget of frames that come after their stream's end.
    pub(super) fn spend_late(&mut self) -> Result<(), Fault> {
        let calm = self.budgets.late_frames.spend(self.limits.late_frames);
        if calm { Ok(()) } else { Err(flood("too many frames on streams that have ended")) }
    }
}
