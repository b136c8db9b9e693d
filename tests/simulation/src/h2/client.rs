//! One client connection of HTTP/2: follows its script, sends bodies as windows allow, and has each stream judged.

use codec::h2::PREFACE;
use codec::h2::hpack::Encoder;
use shard::rt::simulated::{Arrival, Network, WireKey};

use super::script::{Credit, Hostility, Script, Step};
use super::watch::{Seen, Watch};
use super::write::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PAYLOAD_MAX, PING, PRIORITY,
    RST_STREAM, SETTINGS, WINDOW_UPDATE, frame, padded, settings,
};
use crate::answer::Answer;
use crate::body::{Author, body};
use crate::ledger::{Ledger, Sent};
use crate::oracle::{self, Ending, View};
use crate::request::{Flaw, PAYLOAD_BYTES, Request};

const PROTOCOL_ERROR: u32 = 1;
const CANCEL: u32 = 8;
/// Windows below this make a client slow: an answer waits for round trips.
const NARROW: u32 = 65_535;

/// PINGs of a flood: many more than anybody allows.
const FLOOD: usize = 2_000;

/// A stream that has begun.
struct Stream {
    id: u32,
    index: usize,
    body: Vec<u8>,
    sent: usize,
    /// The client has ended or given up its side.
    is_sent: bool,
    answer: Option<Answer>,
    is_over: bool,
}

/// State of a client.
pub(crate) struct Client {
    pub(crate) wire: WireKey,
    script: Script,
    watch: Watch,
    encoder: Encoder,
    streams: Vec<Stream>,
    next_stream: u32,
    view: View,
    until_ns: Option<u64>,
    /// Bodies stand still until then.
    halted_ns: u64,
    /// Windows to open later: stream and bytes.
    owed: Vec<(u32, usize)>,
    /// Bodies find the connection's window shut: after how many openings, and since when.
    starved: Option<(u64, u64)>,
    is_guilty: bool,
    said_goodbye: bool,
    heard_goodbye: bool,
    pub(crate) is_done: bool,
    step_token: u64,
    read_token: u64,
}

impl Client {
    pub(crate) fn new(network: &mut Network, wire: WireKey, script: Script, tokens: [u64; 2]) -> Self {
        let narrow = |step: &Step| matches!(step, Step::Settings(window) if *window < NARROW);
        let is_slow = script.credit != Credit::Eager
            || script.initial_window < NARROW
            || script.steps.iter().any(narrow);
        let mut watch = Watch::new();
        network.write(wire, &script.introduction);
        network.write(wire, PREFACE);
        network.write(wire, &settings(script.initial_window));
        watch.announced(script.initial_window);
        Client {
            wire,
            watch,
            encoder: Encoder::new(4_096),
            streams: Vec::new(),
            next_stream: 1,
            view: View { is_slow, ..View::new(network.now_ns()) },
            until_ns: None,
            halted_ns: 0,
            owed: Vec::new(),
            starved: None,
            is_guilty: false,
            said_goodbye: false,
            heard_goodbye: false,
            is_done: false,
            script,
            step_token: tokens[0],
            read_token: tokens[1],
        }
    }

    /// A line for the log and for reports of hangs.
    pub(crate) fn describe(&self) -> String {
        let waiting = self.streams.iter().filter(|stream| !stream.is_over);
        let waiting: Vec<_> = waiting.map(|stream| self.script.requests[stream.index].id).collect();
        format!(
            "client of HTTP/2 on {}: waits for {waiting:?}, at {:?}",
            self.wire,
            self.script.steps.front()
        )
    }

    /// Goes on with the script as far as it gets.
    pub(crate) fn go_on(&mut self, network: &mut Network, ledger: &mut Ledger) {
        while !self.is_done {
            self.send_bodies(network);
            self.watch_room(network.now_ns(), ledger);
            if self.until_ns.is_some_and(|until_ns| network.now_ns() < until_ns) {
                return;
            }
            let Some(step) = self.script.steps.pop_front() else { return };
            if let Some(step) = self.take(step, network, ledger) {
                self.script.steps.push_front(step);
                return;
            }
        }
    }

    /// Takes a step; gives it back if it isn't over.
    fn take(&mut self, step: Step, network: &mut Network, ledger: &mut Ledger) -> Option<Step> {
        match step {
            // Whoever was told that no more streams are taken begins none.
            Step::Open(_) if self.heard_goodbye => {}
            Step::Open(index) => self.open(index, network, ledger),
            Step::Pause(pause_ns) => {
                if self.until_ns.take().is_none() {
                    self.until_ns = Some(network.now_ns() + pause_ns);
                    network.wake(pause_ns, self.step_token);
                    return Some(step);
                }
            }
            Step::Await(count) => {
                let over = self.streams.iter().filter(|stream| stream.is_over).count();
                if over < count.min(self.streams.len()) {
                    return Some(step);
                }
            }
            Step::Ping => {
                let opaque = network.dice().below(u64::MAX).to_be_bytes();
                self.watch.pinged(opaque);
                network.write(self.wire, &frame(PING, 0, 0, &opaque));
            }
            Step::Settings(window) => {
                self.watch.announced(window);
                network.write(self.wire, &settings(window));
            }
            Step::Unknown => network.write(self.wire, &frame(0xbb, 0xff, 0, b"whatever")),
            Step::Priority => {
                let stream = self.next_stream + 10;
                network.write(self.wire, &frame(PRIORITY, 0, stream, &[0, 0, 0, 0, 9]));
            }
            Step::Reset(index) => self.give_up(index, network),
            Step::GoAway => {
                self.said_goodbye = true;
                network.write(self.wire, &frame(GOAWAY, 0, 0, &[0; 8]));
            }
            Step::Hostile(hostility) => self.be_hostile(hostility, network),
            Step::Leave(reset) => self.leave(network, reset),
        }
        None
    }

    fn leave(&mut self, network: &mut Network, reset: bool) {
        let wire = self.wire;
        network.note(|| format!("{wire}: client of HTTP/2 leaves, reset: {reset}"));
        self.is_done = true;
        if reset { network.reset(wire) } else { network.close(wire) }
    }

    fn be_hostile(&mut self, hostility: Hostility, network: &mut Network) {
        let wire = self.wire;
        network.note(|| format!("{wire}: client of HTTP/2 is hostile: {hostility:?}"));
        self.is_guilty = true;
        let bytes = match hostility {
            Hostility::Flood => {
                (0..FLOOD).for_each(|_| self.watch.pinged([7; 8]));
                frame(PING, 0, 0, &[7; 8]).repeat(FLOOD)
            }
            Hostility::BadBlock => {
                frame(HEADERS, END_HEADERS | END_STREAM, self.next_stream, &[0xff, 0xff, 0xff, 0xff, 0xff])
            }
            Hostility::LargeFrame => frame(DATA, 0, 1, &vec![0; PAYLOAD_MAX + 1]),
            Hostility::BrokenFrame => frame(PING, 0, 0, &[0; 7]),
            Hostility::IdleStream => frame(DATA, 0, self.next_stream + 20, b"x"),
            Hostility::WindowOverflow => frame(WINDOW_UPDATE, 0, 0, &0x7fff_ffff_u32.to_be_bytes()),
        };
        network.write(wire, &bytes);
    }

    fn open(&mut self, index: usize, network: &mut Network, ledger: &mut Ledger) {
        let now_ns = network.now_ns();
        let request = &mut self.script.requests[index];
        request.begun_ns = Some(now_ns);
        let sent = Sent { route: request.route, body_length: request.body_length };
        ledger.send(request.id, sent);
        let request = &self.script.requests[index];
        let (wire, id) = (self.wire, self.next_stream);
        self.next_stream += 2;
        network.note(|| format!("{wire}: stream {id} begins {} {}", request.id, request.story()));
        self.watch.opened(id, request.method == "HEAD");
        let has_body = matches!(request.method, "POST" | "PUT") || request.flaw == Flaw::TooLarge;
        let is_bodiless = !has_body && request.flaw != Flaw::Stalls;
        let states_length = network.dice().chance(50);
        let block = block(&mut self.encoder, request, has_body, states_length);
        let bytes = split(network, id, &block, is_bodiless);
        network.write(wire, &bytes);
        // One that states too much sends nothing of it.
        let is_sent = is_bodiless || request.flaw == Flaw::TooLarge;
        let body = body(Author::Client, request.id, request.body_length);
        if is_sent {
            self.script.requests[index].sent_ns = Some(now_ns);
        }
        self.streams.push(Stream { id, index, body, sent: 0, is_sent, answer: None, is_over: false });
    }

    /// Resets a stream, if it isn't over.
    fn give_up(&mut self, index: usize, network: &mut Network) {
        let Some(stream) = self.streams.iter_mut().find(|stream| stream.index == index) else { return };
        if !stream.is_over {
            stream.is_over = true;
            stream.is_sent = true;
            network.write(self.wire, &frame(RST_STREAM, 0, stream.id, &CANCEL.to_be_bytes()));
        }
    }

    /// Sends what windows allow, in pieces; now and then everything halts for a while.
    fn send_bodies(&mut self, network: &mut Network) {
        for place in 0..self.streams.len() {
            while !self.streams[place].is_sent && self.halted_ns <= network.now_ns() {
                if !self.send_piece(place, network) {
                    break;
                }
                if network.dice().chance(10) {
                    let pause_ns = network.dice().below(20_000_000) + 1;
                    self.halted_ns = network.now_ns() + pause_ns;
                    network.wake(pause_ns, self.step_token);
                }
            }
        }
    }

    /// Bodies that find no room on the connection don't wait for ever.
    fn watch_room(&mut self, now_ns: u64, ledger: &mut Ledger) {
        if let Some((_, since_ns)) = self.starved
            && !self.is_guilty
            && let Err(rule) = oracle::starved(ledger, &self.view, since_ns, now_ns)
        {
            ledger.break_rule(format!("{}: {rule}", self.wire));
        }
        let waits = self.streams.iter().any(|stream| !stream.is_sent);
        self.starved = match self.watch.shut_after().filter(|_| waits) {
            Some(openings) if self.starved.is_none_or(|(before, _)| before != openings) => {
                Some((openings, now_ns))
            }
            Some(_) => self.starved,
            None => None,
        };
    }

    /// Sends a piece of a body, or its end; false if a window is shut.
    fn send_piece(&mut self, place: usize, network: &mut Network) -> bool {
        let stream = &mut self.streams[place];
        let request = &mut self.script.requests[stream.index];
        let rest = stream.body.len() - stream.sent;
        if request.flaw == Flaw::Stalls && (rest == 0 || network.dice().chance(30)) {
            stream.is_sent = true;
            return true;
        }
        let padding =
            if network.dice().chance(15) { u8::try_from(network.dice().below(256)).unwrap_or(0) } else { 0 };
        let room = self.watch.sendable(stream.id).min(PAYLOAD_MAX);
        let overhead = if padding > 0 { usize::from(padding) + 1 } else { 0 };
        let most = rest.min(room.saturating_sub(overhead));
        if rest > 0 && most == 0 {
            // Padding alone may be what doesn't fit; without it there is always progress.
            return padding > 0 && room > 0;
        }
        if overhead > room {
            return room > 0 || rest == 0;
        }
        let count = if most == 0 { 0 } else { network.dice().length(most).max(rest / 20 + 1).min(most) };
        let piece = &stream.body[stream.sent..stream.sent + count];
        stream.sent += count;
        let is_whole = stream.sent == stream.body.len() && request.flaw != Flaw::Stalls;
        // Some bodies end with an empty piece or with trailers.
        let end = is_whole && (count == 0 || network.dice().chance(60));
        let has_trailers = is_whole && !end && network.dice().chance(40);
        let flags = if end { END_STREAM } else { 0 };
        let (flags, payload) = match padding {
            0 => (flags, piece.to_vec()),
            _ => (flags | PADDED, padded(piece, padding)),
        };
        self.watch.sent(stream.id, payload.len());
        self.view.carried_bytes += payload.len();
        network.write(self.wire, &frame(DATA, flags, stream.id, &payload));
        if has_trailers {
            let mut trailers = Vec::new();
            self.encoder.begin(&mut trailers);
            self.encoder.field(b"x-checksum", b"none", &mut trailers);
            network.write(self.wire, &frame(HEADERS, END_STREAM | END_HEADERS, stream.id, &trailers));
        }
        if end || has_trailers {
            stream.is_sent = true;
            request.sent_ns = Some(network.now_ns());
        }
        true
    }

    /// Reads what has arrived; a timer opens windows.
    pub(crate) fn read(&mut self, network: &mut Network, ledger: &mut Ledger, is_timer: bool) {
        if is_timer && !self.is_done {
            for (stream, bytes) in std::mem::take(&mut self.owed) {
                self.credit(stream, bytes, network);
            }
        }
        while !self.is_done {
            match network.read(self.wire, usize::MAX) {
                Arrival::Nothing => return,
                Arrival::Bytes(bytes) => {
                    self.watch.take(&bytes);
                    self.digest(network, ledger);
                }
                Arrival::End => self.end(network, ledger, Ending::Finished),
                Arrival::Reset => self.end(network, ledger, Ending::Reset),
            }
        }
    }

    fn digest(&mut self, network: &mut Network, ledger: &mut Ledger) {
        while !self.is_done {
            self.view.side = network.side(self.wire);
            let verdict = match self.watch.next() {
                Ok(None) => break,
                Ok(Some(seen)) => self.see(seen, network, ledger),
                Err(reason) => Err(format!("no HTTP/2: {reason}")),
            };
            if let Err(rule) = verdict {
                ledger.break_rule(format!("{}: {rule}", self.wire));
                self.leave(network, true);
            }
        }
        self.go_on(network, ledger);
    }

    fn see(&mut self, seen: Seen, network: &mut Network, ledger: &mut Ledger) -> Result<(), String> {
        if matches!(seen, Seen::Head { .. } | Seen::Reset { .. }) {
            // Also on a stream that the client has given up: the shard may have learnt of that much later.
            self.view.last_done_ns = network.now_ns();
        }
        match seen {
            Seen::Other | Seen::Request { .. } => {}
            Seen::Settings => network.write(self.wire, &frame(SETTINGS, ACK, 0, &[])),
            Seen::Ping(opaque) => network.write(self.wire, &frame(PING, ACK, 0, &opaque)),
            Seen::GoAway { last, code } => return self.part(last, code, network, ledger),
            Seen::Head { stream, status, end } => {
                let Some(place) = self.place(stream) else { return Ok(()) };
                let begun_ns = self.script.requests[self.streams[place].index].begun_ns;
                if !self.heard_goodbye {
                    oracle::stays(ledger, &self.view, begun_ns.unwrap_or(0))?;
                }
                self.streams[place].answer = Some(Answer { status, body: Vec::new(), keeps_open: false });
                return if end { self.judge(place, network, ledger) } else { Ok(()) };
            }
            Seen::Data { stream, bytes, counted, end } => {
                self.view.carried_bytes += counted;
                let owed = [(0, counted), (stream, if end { 0 } else { counted })];
                if self.script.credit == Credit::Eager {
                    owed.into_iter().for_each(|(stream, bytes)| self.credit(stream, bytes, network));
                } else if let Credit::Late(after_ns) = self.script.credit {
                    self.owed.extend(owed);
                    network.wake(after_ns, self.read_token);
                }
                let Some(place) = self.place(stream) else { return Ok(()) };
                if let Some(answer) = &mut self.streams[place].answer {
                    answer.body.extend_from_slice(&bytes);
                }
                return if end { self.judge(place, network, ledger) } else { Ok(()) };
            }
            Seen::Reset { stream, code } => {
                if let Some(place) = self.place(stream) {
                    return self.lost(place, code, network.now_ns(), ledger);
                }
                if let Some(stream) = self.streams.iter_mut().find(|known| known.id == stream) {
                    stream.is_sent = true;
                }
            }
        }
        Ok(())
    }

    /// A stream that isn't over.
    fn place(&self, stream: u32) -> Option<usize> {
        self.streams.iter().position(|known| known.id == stream && !known.is_over)
    }

    fn credit(&mut self, stream: u32, bytes: usize, network: &mut Network) {
        let is_over = stream != 0 && self.place(stream).is_none();
        if bytes > 0 && !is_over {
            self.watch.credited(stream, bytes);
            let more = u32::try_from(bytes).unwrap_or(0).to_be_bytes();
            network.write(self.wire, &frame(WINDOW_UPDATE, 0, stream, &more));
        }
    }

    /// A stream's answer is whole.
    fn judge(&mut self, place: usize, network: &mut Network, ledger: &mut Ledger) -> Result<(), String> {
        let now_ns = network.now_ns();
        let wire = self.wire;
        let stream = &mut self.streams[place];
        stream.is_over = true;
        let Some(answer) = stream.answer.take() else { return Ok(()) };
        let request = &self.script.requests[stream.index];
        let (id, status) = (request.id, answer.status);
        network.note(|| format!("{wire}: answer {status} to {id}"));
        if !stream.is_sent && network.dice().chance(50) {
            // Nobody waits for the rest of the body.
            stream.is_sent = true;
            network.write(wire, &frame(RST_STREAM, 0, stream.id, &CANCEL.to_be_bytes()));
        }
        self.view.last_done_ns = now_ns;
        if self.is_guilty {
            ledger.answers += 1;
            return Ok(());
        }
        oracle::answer(ledger, &self.view, request, &answer, now_ns)
            .map_err(|rule| format!("answer {status} to {id} ({}): {rule}", request.story()))
    }

    /// A stream ends without a whole answer.
    fn lost(&mut self, place: usize, code: u32, now_ns: u64, ledger: &mut Ledger) -> Result<(), String> {
        let stream = &mut self.streams[place];
        stream.is_over = true;
        stream.is_sent = true;
        let request = &self.script.requests[stream.index];
        let is_fair = self.is_guilty || (request.flaw == Flaw::Malformed && code == PROTOCOL_ERROR);
        if is_fair {
            return Ok(());
        }
        let has_begun = stream.answer.is_some();
        oracle::ending(ledger, &self.view, Some(request), has_begun, Ending::Reset, now_ns).map_err(|rule| {
            format!("reset {code} instead of an answer to {} ({}): {rule}", request.id, request.story())
        })
    }

    /// The shard takes streams up to `last`.
    fn part(&mut self, last: u32, code: u32, network: &Network, ledger: &mut Ledger) -> Result<(), String> {
        let is_first = !std::mem::replace(&mut self.heard_goodbye, true);
        if code != 0 && !self.is_guilty {
            return Err(format!("GOAWAY with {code}"));
        }
        let now_ns = network.now_ns();
        let is_idle = self.streams.iter().all(|stream| stream.is_over);
        if is_first {
            oracle::goodbye(ledger, &self.view, is_idle, now_ns)?;
        }
        for place in 0..self.streams.len() {
            if self.streams[place].id > last && !self.streams[place].is_over {
                self.lost(place, 0, now_ns, ledger)?;
            }
        }
        Ok(())
    }

    fn end(&mut self, network: &mut Network, ledger: &mut Ledger, ending: Ending) {
        let wire = self.wire;
        network.note(|| format!("{wire}: client of HTTP/2 sees {ending:?}"));
        self.view.side = network.side(wire);
        if let Err(rule) = self.judge_end(network.now_ns(), ledger, ending) {
            ledger.break_rule(format!("{wire}: {ending:?}: {rule}"));
        }
        self.leave(network, ending == Ending::Reset);
    }

    fn judge_end(&mut self, now_ns: u64, ledger: &mut Ledger, ending: Ending) -> Result<(), String> {
        if self.is_guilty {
            return Ok(());
        }
        if ending == Ending::Finished {
            if self.watch.is_within() {
                return Err("within a frame".to_owned());
            }
            if !self.heard_goodbye && !self.said_goodbye {
                return Err("nobody said GOAWAY".to_owned());
            }
            // After the client's GOAWAY the shard closes once it owes no answer, and reads no further.
            if ledger.leaving_ns(self.view.side).is_none() && !self.said_goodbye && self.watch.owed() > 0 {
                return Err("SETTINGS or PING without an answer".to_owned());
            }
        }
        for place in 0..self.streams.len() {
            if !self.streams[place].is_over {
                self.lost(place, 0, now_ns, ledger)?;
            }
        }
        oracle::ending(ledger, &self.view, None, false, ending, now_ns)
    }
}

/// The field block of a request.
fn block(encoder: &mut Encoder, request: &Request, has_body: bool, states_length: bool) -> Vec<u8> {
    let mut block = Vec::new();
    encoder.begin(&mut block);
    let path = format!("/{}/{}", request.route.segment(), request.id);
    let mut field = |name: &str, value: &str| encoder.field(name.as_bytes(), value.as_bytes(), &mut block);
    field(":method", request.method);
    field(":scheme", "http");
    field(":path", &path);
    field(":authority", "localhost");
    field("accept", "*/*");
    if request.flaw == Flaw::Malformed {
        field("connection", "close");
    }
    if has_body {
        field("content-type", "application/json");
    }
    if request.flaw == Flaw::TooLarge {
        field("content-length", &(PAYLOAD_BYTES + 1).to_string());
    } else if has_body && states_length {
        field("content-length", &request.body_length.to_string());
    }
    block
}

/// A field block as HEADERS and perhaps CONTINUATION frames.
fn split(network: &mut Network, stream: u32, block: &[u8], end: bool) -> Vec<u8> {
    let dice = network.dice();
    let end_stream = if end { END_STREAM } else { 0 };
    let pieces = if dice.chance(25) { dice.between(2, 4) } else { 1 };
    let (mut bytes, mut rest) = (Vec::new(), block);
    for piece in 1..=pieces {
        let is_last = piece == pieces;
        let count = if is_last { rest.len() } else { dice.length(rest.len().max(1)).min(rest.len()) };
        let (head, tail) = rest.split_at(count);
        rest = tail;
        let end_headers = if is_last { END_HEADERS } else { 0 };
        let bytes_of_piece = match piece {
            1 if dice.chance(20) => {
                let padding = u8::try_from(dice.below(256)).unwrap_or(0);
                frame(HEADERS, end_stream | end_headers | PADDED, stream, &padded(head, padding))
            }
            1 => frame(HEADERS, end_stream | end_headers, stream, head),
            _ => frame(CONTINUATION, end_headers, stream, head),
        };
        bytes.extend_from_slice(&bytes_of_piece);
    }
    bytes
}
