//! Client connections that speak HTTP/2: frames to slots, one per stream, and answers back to frames.
//!
//! Feature: HTTP/2
//!
//! All frames of a turn leave in one send. A stream's answer waits in its slot for windows, and its backend is paused
//! meanwhile; a request's body waits in its slot for the backend, and its window is not opened meanwhile.

use std::ops::Range;

use codec::h1::{BodyFraming, Progress};
use codec::h2::{self, Connection, ErrorCode, Event};
use vocabulary::Refusal;

use crate::client::Phase;
use crate::input::Input;
#[cfg(feature = "planted-defects")]
use crate::planted::{Planted, is_planted};
use crate::request::{Step, Takes, UNSENT_MAX};
use crate::rt::{Chunk, Runtime};
use crate::shard::Shard;
use crate::slot::{AnswerPhase, NONE, RequestBody, Slot};

/// How often the budgets of a connection get their share.
pub(crate) const SECOND_NS: u64 = 1_000_000_000;
/// Bytes of an answer that wait for a stream's window before its backend pauses.
const PENDING_MAX: usize = 64 * 1024;
/// Bytes of a request's body that are read after its answer.
const LEFTOVER_MAX: usize = 256 * 1024;

/// The HTTP/2 side of a client connection.
pub(crate) struct Multiplexed {
    pub(crate) connection: Connection,
    /// Streams that have a slot, oldest first.
    pub(crate) streams: Vec<(u32, u32)>,
    /// Streams that were answered before their body's end, and how much more of it is read to be dropped: a client that
    /// is told at once to stop may miss its answer.
    leftover: Vec<(u32, usize)>,
    /// Frames of this turn.
    pub(crate) out: Vec<u8>,
    /// In the shard's list of connections with frames to send.
    listed: bool,
    /// When the head that has begun must be whole; nothing if none has.
    head_due_ns: u64,
    /// When the client must have acknowledged our settings; nothing once it has (RFC 9113 section 6.5.3).
    settings_due_ns: u64,
    /// When to look next whether the client reads; nothing if nothing waits for it.
    look_due_ns: u64,
    /// Bytes of frames ever queued.
    pub(crate) queued_bytes: u64,
    /// When budgets get their next share.
    next_second_ns: u64,
    /// The client has been told that its connection is about to end.
    pub(crate) leaving: bool,
    /// No further streams are taken.
    pub(crate) away: bool,
}

impl Multiplexed {
    /// Drops a piece of a body that nobody wants; once it is too much, the client is told to stop (RFC 9113 section 8.1).
    fn drop_body(&mut self, stream: u32, bytes: usize, end: bool) {
        #[cfg(feature = "planted-defects")]
        let bytes = if is_planted(Planted::CreditKept) { 0 } else { bytes };
        self.connection.consumed(stream, bytes, &mut self.out);
        let Some(place) = self.leftover.iter().position(|(known, _)| *known == stream) else { return };
        let left = &mut self.leftover[place].1;
        *left = left.saturating_sub(bytes);
        if end || *left == 0 {
            self.connection.reset(stream, ErrorCode::NO_ERROR, &mut self.out);
            self.leftover.swap_remove(place);
        }
    }

    /// When the next frame that the client owes is due.
    fn frame_due_ns(&self) -> u64 {
        self.head_due_ns.min(self.settings_due_ns)
    }

    /// Bytes that it holds.
    pub(crate) fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.connection.held_bytes() + self.out.capacity()
    }

    fn slot_of(&self, stream: u32) -> Option<u32> {
        self.streams.iter().rev().find(|(known, _)| *known == stream).map(|(_, slot)| *slot)
    }
}

/// Sends what windows allow of a stream's answer; the rest waits in its slot.
fn send_body(multiplexed: &mut Multiplexed, slot: &mut Slot, data: &[u8], end: bool) {
    #[cfg(feature = "planted-defects")]
    if data.is_empty() && end && is_planted(Planted::EndLost) {
        return;
    }
    let mut sent = 0;
    if slot.pending.is_empty() && !slot.pending_end {
        let Multiplexed { connection, out, .. } = multiplexed;
        // A stream that is gone has been reported, or is about to be.
        sent = connection.send_data(slot.stream, data, end, out).unwrap_or(data.len());
        if sent == data.len() {
            return;
        }
        #[cfg(feature = "planted-defects")]
        if is_planted(Planted::WindowOverrun) {
            out.extend_from_slice(&[0, 0, 1, 0, 0]);
            out.extend_from_slice(&slot.stream.to_be_bytes());
            out.push(data[sent]);
            sent += 1;
        }
    }
    slot.pending.extend_from_slice(&data[sent..]);
    slot.pending_end |= end;
}

impl<R: Runtime> Shard<R> {
    /// The connection turns out to speak HTTP/2.
    pub(crate) fn multiplex(&mut self, index: u32) {
        let mut connection = Connection::server(self.h2_limits.clone());
        let mut out = self.rt.take_buffer();
        connection.start(&mut out);
        let now_ns = self.rt.now_ns();
        let client = &mut self.clients[index as usize];
        let slot_index = std::mem::replace(&mut client.slot, NONE);
        client.phase = Phase::Streams;
        client.h2 = Some(Box::new(Multiplexed {
            connection,
            streams: Vec::new(),
            leftover: Vec::new(),
            out,
            listed: false,
            head_due_ns: u64::MAX,
            settings_due_ns: now_ns + self.timeouts.header_ns,
            look_due_ns: u64::MAX,
            queued_bytes: 0,
            next_second_ns: now_ns + SECOND_NS,
            leaving: false,
            away: false,
        }));
        if slot_index != NONE {
            // Begun for a head that was none.
            self.slots.give_back(slot_index);
        }
        self.list(index);
        if self.draining.is_some() {
            // Accepted, or come to speak, after the others were told.
            self.announce_leave(index);
        }
    }

    /// Has the connection's frames sent at the end of the turn.
    fn list(&mut self, index: u32) {
        let Some(multiplexed) = self.clients[index as usize].h2.as_deref_mut() else { return };
        if !multiplexed.listed {
            multiplexed.listed = true;
            self.framed.push(index);
        }
    }

    /// Sends the frames of a turn, and settles what each connection waits for.
    pub(crate) fn flush_frames(&mut self) {
        let mut framed = std::mem::take(&mut self.framed);
        for index in framed.drain(..) {
            let Some(client) = self.clients.get_mut(index as usize) else { continue };
            let Some(multiplexed) = client.h2.as_deref_mut() else { continue };
            multiplexed.listed = false;
            let out = std::mem::replace(&mut multiplexed.out, self.rt.take_buffer());
            multiplexed.queued_bytes += out.len() as u64;
            self.towards_client(index).send(Chunk::Owned(out));
            self.settle_connection(index);
        }
        // Flushing lists nothing, so the list comes back with its memory and nothing is lost.
        self.framed = framed;
    }

    /// Sets the connection's deadline anew, or closes it if nothing keeps it.
    fn settle_connection(&mut self, index: u32) {
        let now_ns = self.rt.now_ns();
        let client = &mut self.clients[index as usize];
        let Some(multiplexed) = client.h2.as_deref_mut() else { return };
        if multiplexed.connection.is_dead() || (multiplexed.away && multiplexed.streams.is_empty()) {
            self.part_with_streams(index);
            return;
        }
        multiplexed.head_due_ns = match multiplexed.connection.awaits_head() {
            true => multiplexed.head_due_ns.min(now_ns + self.timeouts.header_ns),
            false => u64::MAX,
        };
        if !multiplexed.connection.awaits_settings() {
            multiplexed.settings_due_ns = u64::MAX;
        }
        let (head_due_ns, mut look_due_ns) = (multiplexed.frame_due_ns(), multiplexed.look_due_ns);
        let idle = multiplexed.streams.is_empty();
        let idle_ns = if multiplexed.leaving { self.timeouts.drain_linger_ns } else { self.idle_client_ns() };
        let mut due_ns = head_due_ns;
        if self.rt.unsent(self.clients[index as usize].socket) == 0 {
            self.look_again_at(index, u64::MAX);
            if idle {
                due_ns = due_ns.min(now_ns + idle_ns);
            }
        } else {
            // One that is watched already stays so: each turn would begin anew otherwise.
            if look_due_ns == u64::MAX {
                look_due_ns = self.watch_reading(index);
                self.look_again_at(index, look_due_ns);
            }
            due_ns = due_ns.min(look_due_ns);
        }
        self.hasten(index, due_ns, idle);
    }

    fn look_again_at(&mut self, index: u32, look_due_ns: u64) {
        if let Some(multiplexed) = self.clients[index as usize].h2.as_deref_mut() {
            multiplexed.look_due_ns = look_due_ns;
        }
    }

    /// Sets the connection's deadline, but never later than a stream's, which it also stands for.
    fn hasten(&mut self, index: u32, due_ns: u64, idle: bool) {
        let known_ns = self.clients[index as usize].deadline.due_ns();
        if idle || due_ns < known_ns {
            self.set_client_deadline(index, due_ns);
        }
    }

    /// A stream's deadline has changed.
    pub(crate) fn refresh_stream(&mut self, slot_index: u32) {
        let (client, due_ns) = (self.slots[slot_index].client, self.stream_due_ns(slot_index));
        self.hasten(client, due_ns, false);
    }

    /// The earliest of a stream's deadlines. While its backend waits for the client, the backend's time stands still
    /// (`resume_upstream`); the client's own time runs in its windows and on its connection.
    fn stream_due_ns(&self, slot_index: u32) -> u64 {
        let slot = &self.slots[slot_index];
        let integration_due_ns = if self.is_stalled(slot_index) { u64::MAX } else { slot.integration_due_ns };
        integration_due_ns.min(slot.body_due_ns).min(slot.unread_due_ns)
    }

    /// The connection's deadline is due: its own, or one of its streams'.
    pub(crate) fn streams_due(&mut self, index: u32) {
        let now_ns = self.rt.now_ns();
        let client = &self.clients[index as usize];
        let Some(multiplexed) = client.h2.as_deref() else { return };
        let idle = multiplexed.streams.is_empty();
        if multiplexed.frame_due_ns() <= now_ns {
            let late_head = multiplexed.head_due_ns <= now_ns;
            self.books.timed_out();
            self.lose_streams(index);
            self.leave_for(
                index,
                if late_head { ErrorCode::ENHANCE_YOUR_CALM } else { ErrorCode::SETTINGS_TIMEOUT },
            );
            return;
        }
        let unsent = self.rt.unsent(client.socket) > 0;
        if idle && !unsent {
            self.leave(index);
            return;
        }
        let (mut due_ns, mut look_due_ns) = (multiplexed.frame_due_ns(), multiplexed.look_due_ns);
        if unsent && look_due_ns <= now_ns {
            let Some(next_ns) = self.look_at_reading(index) else {
                self.books.timed_out();
                self.client_lost(index);
                return;
            };
            look_due_ns = next_ns;
            self.look_again_at(index, next_ns);
        }
        if unsent {
            due_ns = due_ns.min(look_due_ns);
        }
        for slot_index in self.slots_of(index) {
            if self.stream_due_ns(slot_index) <= now_ns {
                self.stream_due(slot_index);
            }
        }
        if !self.clients.get(index as usize).is_some_and(|client| client.phase == Phase::Streams) {
            return;
        }
        for slot_index in self.slots_of(index) {
            due_ns = due_ns.min(self.stream_due_ns(slot_index));
        }
        self.set_client_deadline(index, due_ns);
        self.list(index);
    }

    fn stream_due(&mut self, slot_index: u32) {
        let now_ns = self.rt.now_ns();
        self.books.timed_out();
        let slot = &mut self.slots[slot_index];
        if slot.unread_due_ns <= now_ns {
            // Its window stays shut.
            self.cut_stream(slot_index, ErrorCode::CANCEL);
        } else if slot.body_due_ns <= now_ns {
            slot.body_due_ns = u64::MAX;
            self.fail_request(slot_index, &Refusal::request_timeout());
        } else {
            self.call_timed_out(slot_index);
        }
    }

    /// Whether a slot still belongs to a connection's streams: each may be gone by what was done to the one before.
    fn is_stream_of(&self, slot_index: u32, index: u32) -> bool {
        self.slots.contains(slot_index)
            && self.slots[slot_index].client == index
            && self.slots[slot_index].stream != 0
    }

    /// Slots of a connection's streams.
    pub(crate) fn slots_of(&self, index: u32) -> Vec<u32> {
        let multiplexed = self.clients.get(index as usize).and_then(|client| client.h2.as_deref());
        multiplexed
            .map_or(Vec::new(), |multiplexed| multiplexed.streams.iter().map(|(_, slot)| *slot).collect())
    }

    /// Reads frames as far as they go.
    pub(crate) fn read_frames(&mut self, index: u32, input: &mut Input) -> Step {
        self.list(index);
        let now_ns = self.rt.now_ns();
        while !input.is_empty() {
            let Some(client) = self.clients.get_mut(index as usize) else { return Step::Discard };
            let Some(multiplexed) = client.h2.as_deref_mut() else { return Step::Discard };
            if multiplexed.next_second_ns <= now_ns {
                multiplexed.next_second_ns = now_ns + SECOND_NS;
                multiplexed.connection.second_passed();
            }
            let step = multiplexed.connection.receive(input.rest(&self.rt), &mut multiplexed.out);
            match step.event {
                Some(Event::Data { stream, range, end_stream }) => {
                    // What had begun before is whole.
                    multiplexed.head_due_ns = u64::MAX;
                    self.stream_data(index, stream, input, range, end_stream);
                }
                Some(event) => self.on_stream_event(index, event),
                None => {}
            }
            input.advance(step.consumed);
        }
        Step::Continue
    }

    fn on_stream_event(&mut self, index: u32, event: Event) {
        let of_head = matches!(
            event,
            Event::RequestHead { .. }
                | Event::HeadTooLarge { .. }
                | Event::Trailers { .. }
                | Event::Rejected { .. }
        );
        if of_head && let Some(multiplexed) = self.clients[index as usize].h2.as_deref_mut() {
            // It is whole; the next one has a time of its own, even if it begins within this turn.
            multiplexed.head_due_ns = u64::MAX;
        }
        match event {
            Event::RequestHead { stream, end_stream } => self.stream_head(index, stream, end_stream),
            Event::HeadTooLarge { stream, .. } => {
                let slot_index = self.open_stream(index, stream);
                self.books.head_refused();
                self.refuse_stream(slot_index, &Refusal::headers_too_large());
            }
            Event::Trailers { stream } => self.body_ended(index, stream),
            Event::Reset { stream, .. } => {
                if let Some(multiplexed) = self.clients[index as usize].h2.as_deref_mut() {
                    multiplexed.leftover.retain(|(known, _)| *known != stream);
                }
                if let Some(slot_index) = self.slot_of(index, stream) {
                    self.stream_gone(slot_index);
                }
            }
            Event::SendWindow { stream: Some(stream) } => {
                if let Some(slot_index) = self.slot_of(index, stream) {
                    self.pump(slot_index);
                }
            }
            Event::SendWindow { stream: None } | Event::SettingsReceived => {
                for slot_index in self.slots_of(index) {
                    if self.is_stream_of(slot_index, index) {
                        self.pump(slot_index);
                    }
                }
            }
            Event::GoAway { .. } => {
                if let Some(multiplexed) = self.clients[index as usize].h2.as_deref_mut() {
                    multiplexed.away = true;
                }
            }
            Event::ConnectionError { .. } => {
                self.books.head_refused();
                self.lose_streams(index);
            }
            Event::Data { .. }
            | Event::Rejected { .. }
            | Event::PingAnswered { .. }
            | Event::ResponseHead { .. }
            | Event::InformationalHead { .. } => {}
        }
    }

    fn slot_of(&self, index: u32, stream: u32) -> Option<u32> {
        self.clients.get(index as usize)?.h2.as_deref()?.slot_of(stream)
    }

    fn open_stream(&mut self, index: u32, stream: u32) -> u32 {
        let slot_index = self.slots.borrow(index);
        self.slots[slot_index].stream = stream;
        if let Some(multiplexed) = self.clients[index as usize].h2.as_deref_mut() {
            multiplexed.streams.push((stream, slot_index));
            #[cfg(feature = "planted-defects")]
            if is_planted(Planted::AnswersSwapped)
                && let [.., (before, other), _] = *multiplexed.streams
                && self.slots[other].phase == AnswerPhase::Pending
            {
                self.slots[other].stream = stream;
                self.slots[slot_index].stream = before;
            }
        }
        self.describe_arrival(index, slot_index);
        slot_index
    }

    /// A request: its head is read as HTTP/1.1 text, by the same rules.
    fn stream_head(&mut self, index: u32, stream: u32, end_stream: bool) {
        if self.overload.refuses_stream(self.books.in_flight()) {
            self.refuse_new_stream(index, stream);
            return;
        }
        let slot_index = self.open_stream(index, stream);
        let Some(multiplexed) = self.clients[index as usize].h2.as_deref_mut() else { return };
        let Some(head) = self.slots[slot_index].request() else { return };
        let parsed = head.parse(multiplexed.connection.head(), &self.head_limits);
        match parsed {
            Ok(Progress::Complete { .. }) => {}
            Ok(Progress::Partial) => {
                self.books.head_refused();
                self.refuse_stream(slot_index, &Refusal::headers_too_large());
                return;
            }
            Err(error) => {
                self.books.head_refused();
                self.refuse_stream(slot_index, &error.refusal());
                return;
            }
        }
        let framing = match self.slots[slot_index].request().map(|head| head.body()) {
            _ if end_stream => BodyFraming::None,
            Some(BodyFraming::Length(length)) => BodyFraming::Length(length),
            // The length shows when it ends: towards a backend that speaks HTTP/1.1 it goes in chunks.
            _ => BodyFraming::Chunked,
        };
        self.begin_exchange(slot_index, framing, end_stream);
    }

    fn refuse_stream(&mut self, slot_index: u32, refusal: &Refusal) {
        self.slots[slot_index].request_done = false;
        self.refuse_and_close(slot_index, refusal);
    }

    /// A piece of a request's body.
    fn stream_data(&mut self, index: u32, stream: u32, input: &Input, range: Range<usize>, end: bool) {
        let Some(slot_index) = self.slot_of(index, stream) else {
            if let Some(multiplexed) = self.clients[index as usize].h2.as_deref_mut() {
                multiplexed.drop_body(stream, range.len(), end);
            }
            return;
        };
        let slot = &mut self.slots[slot_index];
        slot.request_bytes += range.len() as u64;
        if slot.request_bytes > self.limits.payload_bytes {
            self.consumed(index, stream, range.len());
            self.fail_request(slot_index, &Refusal::request_too_large());
            return;
        }
        if slot.request_body == RequestBody::Discard {
            #[cfg(feature = "planted-defects")]
            let range = if is_planted(Planted::CreditKept) { 0..0 } else { range };
            self.consumed(index, stream, range.len());
        } else {
            slot.body_due_ns = self.rt.now_ns() + self.timeouts.body_ns;
            if slot.inbox.is_empty() && self.takes_body(slot_index) == Takes::Now {
                let length = range.len();
                if !self.relay_piece(slot_index, input, range, end) {
                    return;
                }
                self.consumed(index, stream, length);
            } else {
                let slot = &mut self.slots[slot_index];
                slot.inbox.extend_from_slice(&input.rest(&self.rt)[range]);
            }
        }
        if end {
            self.body_ended(index, stream);
        }
    }

    /// Opens windows again for bytes that are out of the way.
    fn consumed(&mut self, index: u32, stream: u32, bytes: usize) {
        if let Some(multiplexed) = self.clients[index as usize].h2.as_deref_mut() {
            let Multiplexed { connection, out, .. } = multiplexed;
            connection.consumed(stream, bytes, out);
        }
        self.list(index);
    }

    /// Relays a piece; false if the request has failed by it.
    fn relay_piece(&mut self, slot_index: u32, input: &Input, range: Range<usize>, end: bool) -> bool {
        let upstream = self.slots[slot_index].upstream;
        self.slots[slot_index].request_done = end;
        let mut out = self.rt.take_buffer();
        match self.relay_request_run(slot_index, input, range, &mut out) {
            Ok(()) => {
                self.towards_upstream(upstream).send(Chunk::Owned(out));
                true
            }
            Err(_) => {
                self.rt.give_buffer(out);
                self.fail_request(slot_index, &Refusal::unsupported_content_coding());
                false
            }
        }
    }

    /// The client has sent all of a body.
    fn body_ended(&mut self, index: u32, stream: u32) {
        let Some(slot_index) = self.slot_of(index, stream) else {
            if let Some(multiplexed) = self.clients[index as usize].h2.as_deref_mut() {
                multiplexed.drop_body(stream, 0, true);
            }
            return;
        };
        let slot = &mut self.slots[slot_index];
        slot.body_due_ns = u64::MAX;
        if slot.request_done || slot.request_body == RequestBody::Discard {
            slot.request_done = true;
            self.finish_if_done(slot_index);
            return;
        }
        slot.inbox_end = true;
        self.feed_upstream(slot_index);
    }

    /// Sends what waited for the backend.
    pub(crate) fn feed_upstream(&mut self, slot_index: u32) {
        let slot = &mut self.slots[slot_index];
        if slot.request_body == RequestBody::Discard {
            let (client, stream, dropped) = (slot.client, slot.stream, slot.inbox.len());
            slot.inbox.clear();
            slot.request_done |= slot.inbox_end;
            self.consumed(client, stream, dropped);
            return;
        }
        if (slot.inbox.is_empty() && !slot.inbox_end)
            || slot.request_done
            || self.takes_body(slot_index) != Takes::Now
        {
            return;
        }
        let slot = &mut self.slots[slot_index];
        let (client, stream, end) = (slot.client, slot.stream, slot.inbox_end);
        let inbox = std::mem::take(&mut slot.inbox);
        let length = inbox.len();
        let input = Input::carry(inbox);
        let relayed = self.relay_piece(slot_index, &input, 0..length, end);
        input.discard(&mut self.rt);
        if relayed {
            self.consumed(client, stream, length);
            self.finish_if_done(slot_index);
        }
    }

    /// Queues an answer's head.
    pub(crate) fn stream_answer(&mut self, slot_index: u32, status: u16, fields: &[u8], end: bool) {
        let (client, stream) = (self.slots[slot_index].client, self.slots[slot_index].stream);
        if let Some(multiplexed) = self.clients[client as usize].h2.as_deref_mut() {
            let Multiplexed { connection, out, .. } = multiplexed;
            // Gone only if a reset is among the events to come.
            let _ = connection.send_head(stream, status, h2::fields_of(fields), end, out);
        }
        self.list(client);
    }

    /// Queues bytes of an answer's body.
    pub(crate) fn stream_body(&mut self, slot_index: u32, data: &[u8], end: bool) {
        let slot = &mut self.slots[slot_index];
        let client = slot.client;
        if let Some(multiplexed) = self.clients[client as usize].h2.as_deref_mut() {
            send_body(multiplexed, slot, data, end);
        }
        self.watch_window(slot_index);
        self.list(client);
    }

    /// As [`stream_body`](Self::stream_body), for bytes that lie in an input.
    pub(crate) fn stream_run(&mut self, slot_index: u32, input: &Input, range: Range<usize>, end: bool) {
        let slot = &mut self.slots[slot_index];
        let client = slot.client;
        if let Some(multiplexed) = self.clients[client as usize].h2.as_deref_mut() {
            send_body(multiplexed, slot, &input.rest(&self.rt)[range], end);
        }
        self.watch_window(slot_index);
        self.list(client);
    }

    /// Begins or ends the time in which a stream's window has to open.
    fn watch_window(&mut self, slot_index: u32) {
        let due_ns = self.rt.now_ns() + self.timeouts.send_ns;
        let slot = &mut self.slots[slot_index];
        if slot.pending.is_empty() && !slot.pending_end {
            slot.unread_due_ns = u64::MAX;
        } else if slot.unread_due_ns == u64::MAX {
            slot.unread_due_ns = due_ns;
            self.refresh_stream(slot_index);
        }
    }

    /// Whether a stream's answer piles up, so that its backend has to pause.
    pub(crate) fn piles_up(&self, slot_index: u32) -> bool {
        let slot = &self.slots[slot_index];
        let client = &self.clients[slot.client as usize];
        let framed = client.h2.as_deref().map_or(0, |multiplexed| multiplexed.out.len());
        slot.pending.len() >= PENDING_MAX || self.rt.unsent(client.socket) + framed >= UNSENT_MAX
    }

    /// A window has opened: what waited for it goes out, and its backend goes on.
    fn pump(&mut self, slot_index: u32) {
        let slot = &mut self.slots[slot_index];
        if slot.phase == AnswerPhase::Pending {
            return;
        }
        let (client, before) = (slot.client, slot.pending.len());
        if !slot.pending.is_empty() || slot.pending_end {
            let mut pending = std::mem::take(&mut slot.pending);
            let end = std::mem::take(&mut slot.pending_end);
            if let Some(multiplexed) = self.clients[client as usize].h2.as_deref_mut() {
                let Multiplexed { connection, out, .. } = multiplexed;
                let sent = connection.send_data(slot.stream, &pending, end, out).unwrap_or(pending.len());
                if sent < pending.len() {
                    slot.pending_end = end;
                    pending.drain(..sent);
                } else {
                    pending.clear();
                }
            }
            slot.pending = pending;
            if slot.pending.len() < before {
                // Progress: the next has its own time.
                slot.unread_due_ns = u64::MAX;
            }
            self.watch_window(slot_index);
            self.list(client);
        }
        self.go_on(slot_index);
    }

    /// Resumes a backend that was paused for a stream, or ends the exchange that only waited for a window.
    fn go_on(&mut self, slot_index: u32) {
        let slot = &self.slots[slot_index];
        if slot.phase == AnswerPhase::Done {
            self.finish_if_done(slot_index);
        } else if slot.upstream != NONE && !self.piles_up(slot_index) {
            self.resume_answer(slot_index);
        }
    }

    /// Everything queued for the connection is with the kernel: streams that were held go on.
    pub(crate) fn streams_sent(&mut self, index: u32) {
        // Every send ends here: the list's memory is kept.
        let mut slots = std::mem::take(&mut self.scratch);
        slots.clear();
        let multiplexed = self.clients.get(index as usize).and_then(|client| client.h2.as_deref());
        slots.extend(multiplexed.into_iter().flat_map(|streams| &streams.streams).map(|(_, slot)| *slot));
        for &slot_index in &slots {
            if self.is_stream_of(slot_index, index) {
                self.go_on(slot_index);
            }
        }
        self.scratch = slots;
        if self.clients.get(index as usize).is_some_and(|client| client.phase == Phase::Streams) {
            self.list(index);
            self.queue_client(index);
        }
    }

    /// The exchange of a stream is through, both ways.
    pub(crate) fn finish_stream(&mut self, slot_index: u32) {
        let slot = &self.slots[slot_index];
        let (client, stream, request_done) = (slot.client, slot.stream, slot.request_done);
        self.forget_stream(slot_index);
        if !request_done && let Some(multiplexed) = self.clients[client as usize].h2.as_deref_mut() {
            multiplexed.leftover.push((stream, LEFTOVER_MAX));
        }
        self.list(client);
    }

    /// Records a stream's exchange and gives its slot back.
    fn forget_stream(&mut self, slot_index: u32) {
        self.drop_upstream(slot_index);
        self.end_pipeline(slot_index);
        self.record(slot_index);
        let slot = &mut self.slots[slot_index];
        slot.linked = None;
        let (client, stream, waiting) = (slot.client, slot.stream, slot.inbox.len());
        if let Some(multiplexed) =
            self.clients.get_mut(client as usize).and_then(|client| client.h2.as_deref_mut())
        {
            // What waited for the backend is out of the way.
            multiplexed.connection.consumed(stream, waiting, &mut multiplexed.out);
            multiplexed.streams.retain(|(_, known)| *known != slot_index);
        }
        self.slots.give_back(slot_index);
    }

    /// The client has reset a stream, or broken it.
    fn stream_gone(&mut self, slot_index: u32) {
        let client = self.slots[slot_index].client;
        #[cfg(feature = "planted-defects")]
        let stream = self.slots[slot_index].stream;
        self.forget_stream(slot_index);
        #[cfg(feature = "planted-defects")]
        if is_planted(Planted::StreamKept)
            && let Some(multiplexed) = self.clients[client as usize].h2.as_deref_mut()
        {
            multiplexed.streams.push((stream, slot_index));
        }
        self.list(client);
    }

    /// Cuts an answer whose head is out: the client sees a reset stream, never a clean end.
    pub(crate) fn cut_stream(&mut self, slot_index: u32, code: ErrorCode) {
        let slot = &self.slots[slot_index];
        let (client, stream) = (slot.client, slot.stream);
        self.forget_stream(slot_index);
        if let Some(multiplexed) = self.clients[client as usize].h2.as_deref_mut() {
            let Multiplexed { connection, out, .. } = multiplexed;
            connection.reset(stream, code, out);
        }
        self.list(client);
    }

    /// All streams of a connection are lost.
    pub(crate) fn lose_streams(&mut self, index: u32) {
        for slot_index in self.slots_of(index) {
            if self.is_stream_of(slot_index, index) {
                self.forget_stream(slot_index);
            }
        }
    }

    /// Tells the client that no further streams are taken; once those it has are through, the connection closes.
    pub(crate) fn leave(&mut self, index: u32) {
        let told = self.clients[index as usize].h2.as_deref().is_none_or(|multiplexed| multiplexed.away);
        if told {
            self.list(index);
        } else {
            self.leave_for(index, ErrorCode::NO_ERROR);
        }
    }

    fn leave_for(&mut self, index: u32, code: ErrorCode) {
        let Some(multiplexed) = self.clients[index as usize].h2.as_deref_mut() else { return };
        let Multiplexed { connection, out, away, .. } = multiplexed;
        *away = true;
        connection.go_away(code, out);
        self.list(index);
    }

    /// First step of a drain: requests that are on their way are still taken (RFC 9113 section 6.8).
    pub(crate) fn announce_leave(&mut self, index: u32) {
        if let Some(multiplexed) = self.clients[index as usize].h2.as_deref_mut() {
            let Multiplexed { connection, out, leaving, .. } = multiplexed;
            *leaving = true;
            connection.announce_shutdown(out);
        }
        self.list(index);
    }

    /// Closes a connection that has nothing left, after what is queued.
    fn part_with_streams(&mut self, index: u32) {
        self.lose_streams(index);
        let client = &mut self.clients[index as usize];
        if let Some(multiplexed) = client.h2.take() {
            self.rt.give_buffer(multiplexed.out);
        }
        // What it may still send must not turn the close into a reset that overtakes the last frames.
        client.linger = true;
        self.part_with_client(index);
    }
}
