//! One backend connection: reads requests by the letter and answers in the manner that chance gives it.

use shard::rt::simulated::{Arrival, Dice, Network, WireKey};

use crate::body::{Author, body, is_prefix};
use crate::documents::{ROUTES, Route};
use crate::ledger::{Call, Ledger, Target};
use crate::message::{BodyReader, Framing, Head};

const MS: u64 = 1_000_000;

/// How an answer goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoil {
    None,
    /// The connection is reset after so many bytes.
    Reset(usize),
    /// It is closed after so many bytes.
    End(usize),
    /// What comes is no HTTP.
    Garbage,
    /// Nothing comes.
    Hang,
    /// It comes byte by byte, too slowly.
    Trickle,
}

/// What happens to the connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Stay,
    /// Closed, as the answer's head says.
    Close,
    /// Closed or reset a while later without a word.
    Vanish(u64, bool),
    /// Bytes that answer nothing follow a while later.
    Chatter(u64),
}

/// An answer on its way.
struct Speech {
    bytes: Vec<u8>,
    at: usize,
    head_bytes: usize,
    spoil: Spoil,
    after: After,
    until_close: bool,
    pieces: u64,
}

/// A request being served.
struct Exchange {
    id: u64,
    number: usize,
    reader: BodyReader,
    answers_early: bool,
    speech: Speech,
    is_speaking: bool,
    /// Everything is said; what may follow is the rest of a body that was answered early.
    is_said: bool,
}

/// State of a backend connection.
pub(crate) struct Backend {
    wire: WireKey,
    target: Target,
    token: u64,
    is_calm: bool,
    inbox: Vec<u8>,
    exchange: Option<Exchange>,
    after: After,
    is_timed: bool,
    is_closed: bool,
}

impl Backend {
    pub(crate) fn new(wire: WireKey, target: Target, token: u64, is_calm: bool) -> Self {
        Backend {
            wire,
            target,
            token,
            is_calm,
            inbox: Vec::new(),
            exchange: None,
            after: After::Stay,
            is_timed: false,
            is_closed: false,
        }
    }

    /// Something arrived.
    pub(crate) fn stir(&mut self, network: &mut Network, ledger: &mut Ledger) {
        while !self.is_closed {
            match network.read(self.wire, usize::MAX) {
                Arrival::Nothing => return,
                Arrival::Bytes(bytes) => {
                    self.inbox.extend_from_slice(&bytes);
                    if let Err(rule) = self.digest(network, ledger) {
                        ledger.break_rule(format!("{}: to a backend: {rule}", self.wire));
                        self.leave(network, true);
                    }
                }
                Arrival::End => self.leave(network, false),
                Arrival::Reset => self.leave(network, true),
            }
        }
    }

    fn digest(&mut self, network: &mut Network, ledger: &mut Ledger) -> Result<(), String> {
        if self.exchange.is_none() {
            let Some((head, consumed)) = Head::read(&self.inbox)? else { return Ok(()) };
            self.inbox.drain(..consumed);
            self.begin(&head, network, ledger)?;
        }
        let Some(exchange) = &mut self.exchange else { return Ok(()) };
        exchange.reader.feed(&mut self.inbox)?;
        if !is_prefix(Author::Client, exchange.id, &exchange.reader.body) {
            return Err(format!("a body that isn't that of {}", exchange.id));
        }
        if exchange.reader.is_done {
            if !self.inbox.is_empty() && !exchange.is_said {
                return Err("bytes before the answer was over".to_owned());
            }
            let length = ledger.sent(exchange.id).map(|sent| sent.body_length);
            if length != Some(exchange.reader.body.len()) {
                let got = exchange.reader.body.len();
                return Err(format!(
                    "{got} bytes as the whole body of {}, which has {length:?}",
                    exchange.id
                ));
            }
            if exchange.is_said {
                self.exchange = None;
                self.come_to_rest(network);
                // The next request may have come with the end of this one.
                return if self.inbox.is_empty() { Ok(()) } else { self.digest(network, ledger) };
            }
        }
        if (exchange.reader.is_done || exchange.answers_early) && !exchange.is_speaking {
            exchange.is_speaking = true;
            self.speak_after(network.dice().below(20 * MS), network);
        }
        Ok(())
    }

    /// A request's head is there: it is checked, and what comes of it is drawn.
    fn begin(&mut self, head: &Head, network: &mut Network, ledger: &mut Ledger) -> Result<(), String> {
        let (method, route, id) = parse(&head.start)?;
        let sent = ledger.sent(id).ok_or_else(|| format!("a request that nobody sent: {}", head.start))?;
        if sent.route != route || Target::of(route) != Some(self.target) {
            return Err(format!("a request that belongs elsewhere: {}", head.start));
        }
        if head.one("host")? != Some(route.authority()) {
            return Err(format!("host {:?} for {}", head.one("host"), route.authority()));
        }
        if head.one("expect")?.is_some() || head.one("x-amzn-trace-id")?.is_none() {
            return Err("fields that belong to one side only".to_owned());
        }
        let idempotent = matches!(method, "GET" | "HEAD" | "PUT" | "DELETE");
        if !idempotent && !ledger.calls(id).is_empty() {
            return Err(format!("{} twice", head.start));
        }
        let framing = head.framing()?.unwrap_or(Framing::Length(0));
        let (speech, answers_early, status, body_length) = draw(network.dice(), id, method, self.is_calm);
        let spoiled = speech.spoil != Spoil::None;
        let call = Call { status, body_length, head_sent: false, complete: false, spoiled, head_ns: None };
        let (wire, spoil) = (self.wire, speech.spoil);
        network.note(|| {
            format!("{wire}: backend reads {}; {status} with {body_length} bytes, {spoil:?}", head.start)
        });
        let number = ledger.call(id, call);
        let reader = BodyReader::new(framing);
        self.exchange =
            Some(Exchange { id, number, reader, answers_early, speech, is_speaking: false, is_said: false });
        Ok(())
    }

    fn speak_after(&mut self, after_ns: u64, network: &mut Network) {
        self.is_timed = true;
        network.wake(after_ns, self.token);
    }

    /// The time it asked for has come.
    pub(crate) fn woken(&mut self, network: &mut Network, ledger: &mut Ledger) {
        if self.is_closed || !std::mem::replace(&mut self.is_timed, false) {
            return;
        }
        if self.exchange.as_ref().is_some_and(|exchange| exchange.is_speaking && !exchange.is_said) {
            self.speak(network, ledger);
            return;
        }
        match self.after {
            After::Vanish(_, is_reset) => self.vanish(is_reset, network, ledger),
            After::Chatter(_) => {
                ledger.trouble(self.target, false, network.now_ns(), 0);
                if let Some(exchange) = &self.exchange {
                    ledger.call_mut(exchange.id, exchange.number).spoiled = true;
                }
                network.write(self.wire, b"nobody asked\r\n\r\n");
            }
            After::Stay | After::Close => {}
        }
    }

    /// Says the next piece of the answer.
    fn speak(&mut self, network: &mut Network, ledger: &mut Ledger) {
        let Some(exchange) = &mut self.exchange else { return };
        let speech = &mut exchange.speech;
        let stop = match speech.spoil {
            Spoil::Reset(at) | Spoil::End(at) => at.min(speech.bytes.len()),
            Spoil::Garbage | Spoil::Hang => 0,
            Spoil::None | Spoil::Trickle => speech.bytes.len(),
        };
        let piece =
            if speech.spoil == Spoil::Trickle { 3 } else { speech.bytes.len() / speech.pieces as usize + 1 };
        let until = (speech.at + piece).min(stop);
        network.write(self.wire, &speech.bytes[speech.at..until]);
        speech.at = until;
        let call = ledger.call_mut(exchange.id, exchange.number);
        call.head_sent = speech.at >= speech.head_bytes;
        if speech.at < stop {
            let gap_ns = if speech.spoil == Spoil::Trickle { 300 * MS } else { network.dice().below(2 * MS) };
            self.speak_after(gap_ns, network);
            return;
        }
        match speech.spoil {
            Spoil::Reset(_) => self.vanish(true, network, ledger),
            Spoil::End(_) => self.vanish(false, network, ledger),
            Spoil::Garbage => {
                network.write(self.wire, b"SSH-2.0-not-http\r\nat all\r\n\r\n");
            }
            Spoil::Hang => {}
            Spoil::None | Spoil::Trickle => self.end_speech(network, ledger),
        }
    }

    /// The whole answer is said.
    fn end_speech(&mut self, network: &mut Network, ledger: &mut Ledger) {
        let Some(exchange) = &mut self.exchange else { return };
        exchange.is_said = true;
        self.after = exchange.speech.after;
        let call = ledger.call_mut(exchange.id, exchange.number);
        call.complete = true;
        if exchange.speech.until_close || self.after == After::Close {
            // A close before the request is read turns into a reset, which may overtake the answer.
            call.spoiled |= !exchange.reader.is_done;
            self.is_closed = true;
            network.close(self.wire);
        } else if exchange.reader.is_done {
            self.exchange = None;
            self.come_to_rest(network);
        }
    }

    /// Between exchanges: some connections don't stay.
    fn come_to_rest(&mut self, network: &mut Network) {
        if let After::Vanish(after_ns, _) | After::Chatter(after_ns) = self.after {
            self.speak_after(after_ns, network);
        }
    }

    /// Closes or resets without a word, which may cost whatever is on its way.
    fn vanish(&mut self, is_reset: bool, network: &mut Network, ledger: &mut Ledger) {
        let (wire, now_ns) = (self.wire, network.now_ns());
        network.note(|| format!("{wire}: backend vanishes, reset: {is_reset}"));
        ledger.trouble(self.target, false, now_ns, 0);
        if let Some(exchange) = &self.exchange {
            ledger.call_mut(exchange.id, exchange.number).spoiled = true;
        }
        self.is_closed = true;
        if is_reset { network.reset(wire) } else { network.close(wire) }
    }

    /// The gateway ended the connection: whatever the reason, the client's side is judged for it.
    fn leave(&mut self, network: &mut Network, is_reset: bool) {
        let wire = self.wire;
        network.note(|| format!("{wire}: backend sees the end, reset: {is_reset}"));
        self.is_closed = true;
        if is_reset { network.reset(wire) } else { network.close(wire) }
    }
}

/// Method, route and id of a request line in its one spelling.
fn parse(line: &str) -> Result<(&str, Route, u64), String> {
    let bad = || format!("not a canonical request line: {line:?}");
    let mut parts = line.split(' ');
    let (Some(method), Some(path), Some("HTTP/1.1"), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(bad());
    };
    let (segment, id) = path.strip_prefix('/').and_then(|path| path.split_once('/')).ok_or_else(bad)?;
    let route = ROUTES.into_iter().find(|route| route.segment() == segment).ok_or_else(bad)?;
    Ok((method, route, id.parse().map_err(|_| bad())?))
}

/// What a backend will say to a request: the speech, whether before the body is over, its status and body length.
fn draw(dice: &mut Dice, id: u64, method: &str, is_calm: bool) -> (Speech, bool, u16, usize) {
    let status = *dice.pick(&[200, 200, 200, 200, 200, 201, 404, 500, 503, 204, 304]);
    let is_bodiless = method == "HEAD" || matches!(status, 204 | 304);
    let length = *dice.pick(&[0, 20, 20, 5_000, 5_000, 40_000]);
    let length = if dice.chance(2) { 500_000 } else { length };
    let body_length = usize::try_from(dice.below(length + 1)).unwrap_or(0);
    let framing = *dice.pick(&[0, 0, 0, 1, 1, 2]);
    let until_close = framing == 2 && !is_bodiless;
    let after = match dice.below(20) {
        _ if is_calm => After::Stay,
        0 | 1 => After::Close,
        2 => After::Vanish(dice.below(100 * MS), false),
        3 => After::Vanish(dice.below(100 * MS), true),
        4 => After::Vanish(0, false),
        5 => After::Chatter(dice.below(20 * MS)),
        _ => After::Stay,
    };
    let mut bytes = Vec::new();
    if dice.chance(10) {
        bytes.extend_from_slice(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
    }
    bytes.extend_from_slice(format!("HTTP/1.1 {status} Said\r\nServer: simulated\r\n").as_bytes());
    match framing {
        _ if status == 204 => {}
        0 => bytes.extend_from_slice(format!("Content-Length: {body_length}\r\n").as_bytes()),
        1 => bytes.extend_from_slice(b"transfer-encoding:  chunked\r\n"),
        _ => {}
    }
    if after == After::Close {
        bytes.extend_from_slice(b"Connection: close\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    let head_bytes = bytes.len();
    if !is_bodiless {
        write_body(dice, &mut bytes, &body(Author::Backend, id, body_length), framing == 1);
    }
    let total = bytes.len();
    let cut = |dice: &mut Dice| usize::try_from(dice.below(total as u64)).unwrap_or(0);
    let spoil = match dice.below(40) {
        _ if is_calm => Spoil::None,
        0 | 1 => Spoil::Reset(cut(dice)),
        // A body that ends with the connection is whole wherever it ends.
        2 | 3 => Spoil::End(if until_close { cut(dice).min(head_bytes - 1) } else { cut(dice) }),
        4 => Spoil::Garbage,
        5 => Spoil::Hang,
        6 => Spoil::Trickle,
        _ => Spoil::None,
    };
    let pieces = *dice.pick(&[1, 1, 2, 9]);
    let speech = Speech { bytes, at: 0, head_bytes, spoil, after, until_close, pieces };
    (speech, !is_calm && dice.chance(8), status, body_length)
}

fn write_body(dice: &mut Dice, out: &mut Vec<u8>, content: &[u8], chunked: bool) {
    if !chunked {
        out.extend_from_slice(content);
        return;
    }
    let mut rest = content;
    while !rest.is_empty() {
        let count = (dice.length(rest.len()).max(rest.len() / 20 + 1)).min(rest.len());
        out.extend_from_slice(format!("{count:X};x=1\r\n").as_bytes());
        out.extend_from_slice(&rest[..count]);
        out.extend_from_slice(b"\r\n");
        rest = &rest[count..];
    }
    out.extend_from_slice(b"0\r\nTrailer-Field: x\r\n\r\n");
}
