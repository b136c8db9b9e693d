//! One connection of a backend that speaks HTTP/2: streams are answered side by side, in the manner that chance gives.

use codec::h2::hpack::Encoder;
use shard::rt::simulated::{Arrival, Network, WireKey};

use super::script::Credit;
use super::watch::{Seen, Watch};
use super::write::{
    ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PAYLOAD_MAX, PING, RST_STREAM, SETTINGS,
    WINDOW_UPDATE, frame, padded,
};
use crate::body::{Author, body, is_prefix};
use crate::documents::Route;
use crate::ledger::{Call, Ledger, Target};

const MS: u64 = 1_000_000;
const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;

/// How a stream's answer goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoil {
    None,
    /// The stream is reset after so many bytes of its body.
    Reset(usize),
    /// The connection is reset after so many.
    Cut(usize),
    /// Nothing comes.
    Hang,
}

/// How a connection is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leave {
    Never,
    /// GOAWAY at the n-th stream, which isn't looked at any more; the others are answered.
    GoAway(usize),
    /// GOAWAY a while after the n-th stream: whatever has come is answered.
    Later(usize, u64),
}

/// A stream being served.
struct Exchange {
    stream: u32,
    id: u64,
    number: usize,
    got: Vec<u8>,
    is_read: bool,
    status: u16,
    body: Vec<u8>,
    at: usize,
    is_bodiless: bool,
    answers_early: bool,
    has_trailers: bool,
    spoil: Spoil,
    /// When the next piece is due; nothing while the request is being read.
    due_ns: Option<u64>,
    has_begun: bool,
    is_over: bool,
}

/// State of a connection.
pub(crate) struct Backend {
    wire: WireKey,
    token: u64,
    is_calm: bool,
    watch: Watch,
    encoder: Encoder,
    exchanges: Vec<Exchange>,
    begun: usize,
    leave: Leave,
    /// Streams above aren't looked at.
    last_taken: Option<u32>,
    goes_ns: Option<u64>,
    /// After a GOAWAY it waits for the shard to close.
    is_patient: bool,
    credit: Credit,
    owed: Vec<(u64, u32, usize)>,
    is_closed: bool,
}

impl Backend {
    pub(crate) fn new(network: &mut Network, wire: WireKey, token: u64, is_calm: bool) -> Self {
        let dice = network.dice();
        let window = *dice.pick(&[65_535, 65_535, 1_000_000, 10_000, 1_000]);
        let concurrent_max = *dice.pick(&[100, 100, 100, 4, 1]);
        let leave = match dice.below(10) {
            _ if is_calm => Leave::Never,
            0 => Leave::GoAway(usize::try_from(dice.between(1, 4)).unwrap_or(1)),
            1 => Leave::Later(usize::try_from(dice.between(1, 4)).unwrap_or(1), dice.below(200 * MS)),
            _ => Leave::Never,
        };
        let credit = match dice.below(10) {
            0 | 1 => Credit::Late(MS),
            2 if !is_calm => Credit::Late(20 * MS),
            _ => Credit::Eager,
        };
        let is_patient = dice.chance(60);
        let mut watch = Watch::of_server();
        watch.announced_both(window, concurrent_max);
        let mut payload = vec![0, 4];
        payload.extend_from_slice(&window.to_be_bytes());
        payload.extend_from_slice(&[0, 3]);
        payload.extend_from_slice(&u32::try_from(concurrent_max).unwrap_or(0).to_be_bytes());
        network.note(|| {
            format!("{wire}: backend of HTTP/2: window {window}, {concurrent_max} streams, {leave:?}")
        });
        network.write(wire, &frame(SETTINGS, 0, 0, &payload));
        Backend {
            wire,
            token,
            is_calm,
            watch,
            encoder: Encoder::new(4_096),
            exchanges: Vec::new(),
            begun: 0,
            leave,
            last_taken: None,
            goes_ns: None,
            is_patient,
            credit,
            owed: Vec::new(),
            is_closed: false,
        }
    }

    /// Something arrived.
    pub(crate) fn stir(&mut self, network: &mut Network, ledger: &mut Ledger) {
        while !self.is_closed {
            match network.read(self.wire, usize::MAX) {
                Arrival::Nothing => break,
                Arrival::Bytes(bytes) => {
                    self.watch.take(&bytes);
                    self.digest(network, ledger);
                }
                Arrival::End => self.end(network, false),
                Arrival::Reset => self.end(network, true),
            }
        }
        self.speak(network, ledger);
    }

    /// A time it asked for has come.
    pub(crate) fn woken(&mut self, network: &mut Network, ledger: &mut Ledger) {
        let now_ns = network.now_ns();
        let due: Vec<(u64, u32, usize)> = self.owed.extract_if(.., |(at_ns, ..)| *at_ns <= now_ns).collect();
        for (_, stream, bytes) in due {
            self.credit(stream, bytes, network);
        }
        if self.goes_ns.is_some_and(|goes_ns| goes_ns <= now_ns) && !self.is_closed {
            self.goes_ns = None;
            self.go_away(self.watch.last_begun(), network, ledger);
        }
        self.speak(network, ledger);
    }

    fn digest(&mut self, network: &mut Network, ledger: &mut Ledger) {
        while !self.is_closed {
            let verdict = match self.watch.next() {
                Ok(None) => return,
                Ok(Some(seen)) => self.see(seen, network, ledger),
                Err(reason) => Err(format!("no HTTP/2: {reason}")),
            };
            if let Err(rule) = verdict {
                ledger.break_rule(format!("{}: to a backend: {rule}", self.wire));
                self.end(network, true);
            }
        }
    }

    fn see(&mut self, seen: Seen, network: &mut Network, ledger: &mut Ledger) -> Result<(), String> {
        match seen {
            Seen::Settings => network.write(self.wire, &frame(SETTINGS, ACK, 0, &[])),
            Seen::Ping(opaque) => network.write(self.wire, &frame(PING, ACK, 0, &opaque)),
            Seen::Request { stream, fields, end } => {
                return self.begin(stream, &fields, end, network, ledger);
            }
            Seen::Data { stream, bytes, counted, end } => {
                self.owe(0, counted, network);
                self.owe(stream, if end { 0 } else { counted }, network);
                return self.read_body(stream, &bytes, end, network, ledger);
            }
            Seen::Reset { stream, .. } => {
                // Whatever the reason, the client's side is judged for it.
                if let Some(exchange) = self.exchanges.iter_mut().find(|exchange| exchange.stream == stream) {
                    exchange.is_over = true;
                }
            }
            Seen::GoAway { .. } | Seen::Other | Seen::Head { .. } => {}
        }
        Ok(())
    }

    /// Windows are opened at once or later.
    fn owe(&mut self, stream: u32, bytes: usize, network: &mut Network) {
        match self.credit {
            Credit::Eager => self.credit(stream, bytes, network),
            Credit::Late(after_ns) => {
                self.owed.push((network.now_ns() + after_ns, stream, bytes));
                network.wake(after_ns, self.token);
            }
        }
    }

    fn credit(&mut self, stream: u32, bytes: usize, network: &mut Network) {
        if bytes > 0 && !self.is_closed && (stream == 0 || !self.watch.is_given_up(stream)) {
            self.watch.credited(stream, bytes);
            let more = u32::try_from(bytes).unwrap_or(0).to_be_bytes();
            network.write(self.wire, &frame(WINDOW_UPDATE, 0, stream, &more));
        }
    }

    /// A request's head is there: it is checked, and what comes of it is drawn.
    fn begin(
        &mut self,
        stream: u32,
        fields: &[(String, String)],
        end: bool,
        network: &mut Network,
        ledger: &mut Ledger,
    ) -> Result<(), String> {
        let one = |name: &str| {
            let found = fields.iter().find(|(known, _)| known == name);
            found.map_or("", |(_, value)| value.as_str())
        };
        let (method, path) = (one(":method").to_owned(), one(":path"));
        let bad = || format!("a request that nobody sent: {path}");
        let id: u64 = path.strip_prefix("/second/").and_then(|id| id.parse().ok()).ok_or_else(bad)?;
        let sent = ledger.sent(id).ok_or_else(bad)?;
        if sent.route != Route::Second
            || one(":authority") != Route::Second.authority()
            || one(":scheme") != "http"
        {
            return Err(format!("a request that belongs elsewhere: {fields:?}"));
        }
        if one("x-amzn-trace-id").is_empty() {
            return Err("no trace id".to_owned());
        }
        self.begun += 1;
        if let Leave::GoAway(at) = self.leave
            && self.last_taken.is_none()
            && self.begun >= at
        {
            self.go_away(stream.saturating_sub(2), network, ledger);
        }
        if self.last_taken.is_some_and(|last| stream > last) {
            // Not looked at: it may be asked elsewhere.
            ledger.turn_away(id);
            return Ok(());
        }
        if !self.is_calm && network.dice().chance(5) {
            let wire = self.wire;
            network.note(|| format!("{wire}: backend refuses stream {stream}"));
            ledger.turn_away(id);
            self.reset(stream, REFUSED_STREAM, network);
            return Ok(());
        }
        if let Leave::Later(at, after_ns) = self.leave
            && self.begun == at
        {
            self.goes_ns = Some(network.now_ns() + after_ns);
            network.wake(after_ns, self.token);
        }
        let is_idempotent = matches!(&*method, "GET" | "HEAD" | "PUT" | "DELETE");
        if !is_idempotent && !ledger.calls(id).is_empty() {
            return Err(format!("{method} {path} twice"));
        }
        self.take(stream, id, &method, end, network, ledger);
        Ok(())
    }

    fn take(
        &mut self,
        stream: u32,
        id: u64,
        method: &str,
        end: bool,
        network: &mut Network,
        ledger: &mut Ledger,
    ) {
        let dice = network.dice();
        let status = *dice.pick(&[200, 200, 200, 200, 201, 404, 500, 503, 204, 304]);
        let most = *dice.pick(&[0, 20, 20, 5_000, 5_000, 40_000]);
        let most = if dice.chance(3) { 400_000 } else { most };
        let body_length = usize::try_from(dice.below(most + 1)).unwrap_or(0);
        let cut = usize::try_from(dice.below(body_length as u64 + 1)).unwrap_or(0);
        let spoil = match dice.below(40) {
            _ if self.is_calm => Spoil::None,
            0 | 1 => Spoil::Reset(cut),
            2 => Spoil::Cut(cut),
            3 => Spoil::Hang,
            _ => Spoil::None,
        };
        let answers_early = !self.is_calm && dice.chance(8);
        let has_trailers = dice.chance(15);
        let due_ns = (end || answers_early).then(|| dice.below(20 * MS));
        let is_bodiless = method == "HEAD" || matches!(status, 204 | 304);
        let spoiled = spoil != Spoil::None;
        let call = Call { status, body_length, head_sent: false, complete: false, spoiled, head_ns: None };
        let wire = self.wire;
        network.note(|| {
            format!(
                "{wire}: stream {stream} asks {method} {id}; {status} with {body_length} bytes, {spoil:?}"
            )
        });
        let number = ledger.call(id, call);
        if let Some(after_ns) = due_ns {
            network.wake(after_ns, self.token);
        }
        self.exchanges.push(Exchange {
            stream,
            id,
            number,
            got: Vec::new(),
            is_read: end,
            status,
            body: body(Author::Backend, id, body_length),
            at: 0,
            is_bodiless,
            answers_early,
            has_trailers,
            spoil,
            due_ns: due_ns.map(|after_ns| network.now_ns() + after_ns),
            has_begun: false,
            is_over: false,
        });
    }

    fn read_body(
        &mut self,
        stream: u32,
        bytes: &[u8],
        end: bool,
        network: &mut Network,
        ledger: &Ledger,
    ) -> Result<(), String> {
        let Some(exchange) = self.exchanges.iter_mut().find(|exchange| exchange.stream == stream) else {
            return Ok(());
        };
        exchange.got.extend_from_slice(bytes);
        if !is_prefix(Author::Client, exchange.id, &exchange.got) {
            return Err(format!("a body that isn't that of {}", exchange.id));
        }
        if !end {
            return Ok(());
        }
        let length = ledger.sent(exchange.id).map(|sent| sent.body_length);
        if length != Some(exchange.got.len()) {
            let got = exchange.got.len();
            return Err(format!("{got} bytes as the whole body of {}, which has {length:?}", exchange.id));
        }
        exchange.is_read = true;
        if exchange.due_ns.is_none() && !exchange.answers_early {
            let after_ns = network.dice().below(20 * MS);
            exchange.due_ns = Some(network.now_ns() + after_ns);
            network.wake(after_ns, self.token);
        }
        Ok(())
    }

    /// Says whatever is due on any stream, as windows allow.
    fn speak(&mut self, network: &mut Network, ledger: &mut Ledger) {
        for place in 0..self.exchanges.len() {
            while !self.is_closed && self.is_due(place, network.now_ns()) && self.say(place, network, ledger)
            {
            }
        }
        self.exchanges.retain(|exchange| !(exchange.is_over && exchange.is_read));
        let is_served = self.exchanges.iter().all(|exchange| exchange.is_over);
        if self.last_taken.is_some() && is_served && !self.is_closed && !self.is_patient {
            // The connection is left by who said so, once it owes nothing; the shard may be quicker.
            // What the shard still sends is answered with a reset, which may take the GOAWAY along.
            self.is_closed = true;
            ledger.trouble(Target::Second, false, network.now_ns(), 0);
            network.close(self.wire);
        }
    }

    fn is_due(&self, place: usize, now_ns: u64) -> bool {
        let exchange = &self.exchanges[place];
        !exchange.is_over
            && exchange.spoil != Spoil::Hang
            && exchange.due_ns.is_some_and(|due_ns| due_ns <= now_ns)
    }

    /// Says the next piece of an answer; false if a window is shut or it isn't due yet.
    fn say(&mut self, place: usize, network: &mut Network, ledger: &mut Ledger) -> bool {
        if !self.exchanges[place].has_begun {
            self.say_head(place, network, ledger);
            return true;
        }
        let exchange = &mut self.exchanges[place];
        let stop = match exchange.spoil {
            Spoil::Reset(at) | Spoil::Cut(at) => at,
            _ => exchange.body.len(),
        };
        if exchange.at >= stop && exchange.spoil != Spoil::None {
            self.spoil(place, network, ledger);
            return false;
        }
        let rest = stop - exchange.at;
        let room = self.watch.sendable(exchange.stream).min(PAYLOAD_MAX);
        if room == 0 && rest > 0 {
            return false;
        }
        let most = rest.min(room);
        let count = if most == 0 { 0 } else { network.dice().length(most).max(rest / 20 + 1).min(most) };
        let piece = exchange.body[exchange.at..exchange.at + count].to_vec();
        exchange.at += count;
        let is_whole = exchange.at == exchange.body.len() && exchange.spoil == Spoil::None;
        let ends = is_whole && !exchange.has_trailers;
        let stream = exchange.stream;
        let is_padded = count + 9 <= room && network.dice().chance(10);
        let flags = if ends { END_STREAM } else { 0 };
        let (flags, payload) = if is_padded { (flags | PADDED, padded(&piece, 8)) } else { (flags, piece) };
        self.watch.sent(stream, payload.len());
        network.write(self.wire, &frame(DATA, flags, stream, &payload));
        let exchange = &self.exchanges[place];
        if exchange.at == exchange.body.len() {
            // All but the end is said: an answer of a stated length is whole without it.
            ledger.call_mut(exchange.id, exchange.number).complete = true;
        }
        if is_whole && self.exchanges[place].has_trailers {
            let mut trailers = Vec::new();
            self.encoder.begin(&mut trailers);
            self.encoder.field(b"x-checksum", b"none", &mut trailers);
            network.write(self.wire, &frame(HEADERS, END_STREAM | END_HEADERS, stream, &trailers));
        }
        if is_whole {
            self.ended(place, network, ledger);
            return false;
        }
        if network.dice().chance(30) {
            let after_ns = network.dice().below(2 * MS) + 1;
            self.exchanges[place].due_ns = Some(network.now_ns() + after_ns);
            network.wake(after_ns, self.token);
            return false;
        }
        true
    }

    fn say_head(&mut self, place: usize, network: &mut Network, ledger: &mut Ledger) {
        let has_interim = network.dice().chance(8);
        let states_length = network.dice().chance(60);
        let exchange = &mut self.exchanges[place];
        exchange.has_begun = true;
        let (stream, status) = (exchange.stream, exchange.status);
        if has_interim {
            let mut interim = Vec::new();
            self.encoder.begin(&mut interim);
            self.encoder.field(b":status", b"103", &mut interim);
            self.encoder.field(b"link", b"</x>", &mut interim);
            network.write(self.wire, &frame(HEADERS, END_HEADERS, stream, &interim));
        }
        let mut block = Vec::new();
        self.encoder.begin(&mut block);
        self.encoder.field(b":status", status.to_string().as_bytes(), &mut block);
        self.encoder.field(b"server", b"simulated", &mut block);
        if states_length && status != 204 {
            self.encoder.field(b"content-length", exchange.body.len().to_string().as_bytes(), &mut block);
        }
        let ends = exchange.is_bodiless && exchange.spoil == Spoil::None;
        let flags = END_HEADERS | if ends { END_STREAM } else { 0 };
        network.write(self.wire, &frame(HEADERS, flags, stream, &block));
        let call = ledger.call_mut(exchange.id, exchange.number);
        call.head_sent = true;
        call.head_ns = Some(network.now_ns());
        if exchange.is_bodiless {
            if ends {
                self.ended(place, network, ledger);
            } else {
                self.spoil(place, network, ledger);
            }
        }
    }

    /// The whole answer is said.
    fn ended(&mut self, place: usize, network: &mut Network, ledger: &mut Ledger) {
        let exchange = &mut self.exchanges[place];
        exchange.is_over = true;
        ledger.call_mut(exchange.id, exchange.number).complete = true;
        let (stream, is_read) = (exchange.stream, exchange.is_read);
        self.watch.answered(stream);
        if !is_read && network.dice().chance(50) {
            // Nobody waits for the rest of the request.
            self.reset(stream, NO_ERROR, network);
        }
    }

    fn spoil(&mut self, place: usize, network: &mut Network, ledger: &mut Ledger) {
        let exchange = &mut self.exchanges[place];
        exchange.is_over = true;
        if exchange.body.is_empty() || exchange.is_bodiless {
            // As above.
            ledger.call_mut(exchange.id, exchange.number).complete = true;
        }
        let (stream, spoil) = (exchange.stream, exchange.spoil);
        if matches!(spoil, Spoil::Reset(_)) {
            self.reset(stream, INTERNAL_ERROR, network);
            return;
        }
        ledger.trouble(Target::Second, false, network.now_ns(), 0);
        for exchange in self.exchanges.iter().filter(|exchange| !exchange.is_over) {
            ledger.call_mut(exchange.id, exchange.number).spoiled = true;
        }
        self.end(network, true);
    }

    fn reset(&mut self, stream: u32, code: u32, network: &mut Network) {
        self.watch.closed(stream);
        network.write(self.wire, &frame(RST_STREAM, 0, stream, &code.to_be_bytes()));
    }

    /// Streams above `last` aren't looked at.
    fn go_away(&mut self, last: u32, network: &mut Network, ledger: &mut Ledger) {
        let wire = self.wire;
        network.note(|| format!("{wire}: backend goes away after stream {last}"));
        ledger.goodbye(network.now_ns());
        self.last_taken = Some(last);
        let mut payload = last.to_be_bytes().to_vec();
        payload.extend_from_slice(&NO_ERROR.to_be_bytes());
        network.write(wire, &frame(GOAWAY, 0, 0, &payload));
    }

    /// The connection is over.
    fn end(&mut self, network: &mut Network, is_reset: bool) {
        let wire = self.wire;
        network.note(|| format!("{wire}: backend of HTTP/2 sees or makes the end, reset: {is_reset}"));
        self.is_closed = true;
        if is_reset { network.reset(wire) } else { network.close(wire) }
    }
}
