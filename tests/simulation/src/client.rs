//! One client connection: follows its script, reads answers at its pace, and has the oracle judge what it saw.

use shard::rt::simulated::{Arrival, Network, WireKey};

use crate::answer::{AnswerReader, Reading};
use crate::ledger::{Ledger, Sent};
use crate::oracle::{self, Ending, View};
use crate::request::{Flaw, Request};
use crate::script::{Pace, Script, Step};

/// Longest wait for `100 Continue` (RFC 9110 §10.1.1 lets a client go on without).
const CONTINUE_NS: u64 = 1_000_000_000;

/// State of a client.
pub(crate) struct Client {
    pub(crate) wire: WireKey,
    script: Script,
    answered: usize,
    inbox: Vec<u8>,
    reader: AnswerReader,
    view: View,
    /// Until when the current step pauses.
    until_ns: Option<u64>,
    continued: bool,
    /// A read is timed; nothing is read before.
    read_timed: bool,
    /// It closed, or saw the end.
    pub(crate) is_done: bool,
    /// Its timers: one number for steps, one for reads.
    step_token: u64,
    read_token: u64,
}

impl Client {
    pub(crate) fn new(wire: WireKey, script: Script, tokens: [u64; 2], now_ns: u64) -> Self {
        let view = View { is_slow: script.pace != Pace::Eager, ..View::new(now_ns) };
        Client {
            wire,
            script,
            answered: 0,
            inbox: Vec::new(),
            reader: AnswerReader::default(),
            view,
            until_ns: None,
            continued: false,
            read_timed: false,
            is_done: false,
            step_token: tokens[0],
            read_token: tokens[1],
        }
    }

    /// A line for the log and for reports of hangs.
    pub(crate) fn describe(&self) -> String {
        let next = self.script.requests.get(self.answered).map(|request| request.id);
        format!(
            "client on {}: {} answered, next {next:?}, at {:?}",
            self.wire,
            self.answered,
            self.script.steps.front()
        )
    }

    /// Goes on with the script as far as it gets.
    pub(crate) fn go_on(&mut self, network: &mut Network, ledger: &mut Ledger) {
        while !self.is_done {
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
        let now_ns = network.now_ns();
        match step {
            Step::Begin(index) => {
                let request = &mut self.script.requests[index];
                request.begun_ns = Some(now_ns);
                self.continued = false;
                let sent = Sent { route: request.route, body_length: request.body_length };
                ledger.send(request.id, sent);
                let (wire, request) = (self.wire, &self.script.requests[index]);
                network.note(|| format!("{wire}: client begins {} {}", request.id, request.story()));
            }
            Step::Write(bytes) => network.write(self.wire, &bytes),
            Step::Sent(index) => self.script.requests[index].sent_ns = Some(now_ns),
            Step::Pause(pause_ns) => {
                if self.until_ns.take().is_none() {
                    self.until_ns = Some(now_ns + pause_ns);
                    network.wake(pause_ns, self.step_token);
                    return Some(Step::Pause(pause_ns));
                }
            }
            Step::AwaitAnswers(count) if self.answered < count => return Some(step),
            Step::AwaitAnswers(_) => {}
            Step::AwaitContinue(_) if self.continued => self.until_ns = None,
            Step::AwaitContinue(_) => {
                if self.until_ns.take().is_none() {
                    self.until_ns = Some(now_ns + CONTINUE_NS);
                    network.wake(CONTINUE_NS, self.step_token);
                    return Some(step);
                }
            }
            Step::Finish => {
                self.view.half_closed_ns = Some(now_ns);
                network.finish(self.wire);
            }
            Step::Reset => self.leave(network, true),
            Step::Close => self.leave(network, false),
        }
        None
    }

    fn leave(&mut self, network: &mut Network, reset: bool) {
        let wire = self.wire;
        network.note(|| format!("{wire}: client leaves, reset: {reset}"));
        self.is_done = true;
        if reset { network.reset(wire) } else { network.close(wire) }
    }

    /// Reads what has arrived, at the client's pace.
    pub(crate) fn read(&mut self, network: &mut Network, ledger: &mut Ledger, is_timer: bool) {
        if is_timer {
            self.read_timed = false;
        }
        while !self.is_done && !self.read_timed {
            let (bytes_max, pause_ns) = match self.script.pace {
                Pace::Eager => (usize::MAX, None),
                Pace::Slow(bytes_max, pause_ns) => (bytes_max, Some(pause_ns)),
            };
            match network.read(self.wire, bytes_max) {
                Arrival::Nothing => return,
                Arrival::Bytes(bytes) => {
                    if let Some(pause_ns) = pause_ns {
                        self.read_timed = true;
                        network.wake(pause_ns, self.read_token);
                    }
                    self.inbox.extend_from_slice(&bytes);
                    self.digest(network, ledger);
                }
                Arrival::End => self.end(network, ledger, Ending::Finished),
                Arrival::Reset => self.end(network, ledger, Ending::Reset),
            }
        }
    }

    fn digest(&mut self, network: &mut Network, ledger: &mut Ledger) {
        while !self.inbox.is_empty() && !self.is_done {
            let Some(request) = self.current() else {
                ledger.break_rule(format!("{}: bytes that answer no request", self.wire));
                self.leave(network, true);
                return;
            };
            let (method, minor) = (request.method, request.minor);
            match self.reader.feed(&mut self.inbox, method, minor) {
                Ok(Reading::Partial) => return,
                Ok(Reading::Continue) => {
                    if !request_expects(self.script.requests.get(self.answered)) {
                        ledger.break_rule(format!("{}: 100 Continue that nobody asked for", self.wire));
                    }
                    self.continued = true;
                    self.until_ns = None;
                }
                Ok(Reading::Whole(answer)) => self.judge(answer, network, ledger),
                Err(reason) => {
                    ledger.break_rule(format!("{}: no HTTP/1.1 answer: {reason}", self.wire));
                    self.leave(network, true);
                }
            }
            self.go_on(network, ledger);
        }
    }

    /// The request whose answer comes next, once it has begun.
    fn current(&self) -> Option<&Request> {
        self.script.requests.get(self.answered).filter(|request| request.begun_ns.is_some())
    }

    fn judge(&mut self, answer: crate::answer::Answer, network: &mut Network, ledger: &mut Ledger) {
        let now_ns = network.now_ns();
        let wire = self.wire;
        let request = &self.script.requests[self.answered];
        let (id, status) = (request.id, answer.status);
        network.note(|| format!("{wire}: answer {status} to {id}"));
        if let Err(rule) = oracle::answer(ledger, &self.view, request, &answer, now_ns) {
            ledger.break_rule(format!("{wire}: answer {status} to {id} ({}): {rule}", request.story()));
        }
        self.answered += 1;
        self.view.last_done_ns = now_ns;
        self.view.after_spoiled = ledger.calls(id).iter().any(|call| call.spoiled);
        self.view.said_close |= !answer.keeps_open;
        let awaited = matches!(self.script.steps.front(), Some(Step::AwaitContinue(index)) if index + 1 == self.answered);
        if awaited {
            // Nobody waits for the body any more, so it isn't sent, and nothing can follow it.
            if answer.keeps_open {
                ledger.break_rule(format!("{wire}: stays open, but the body of {id} never comes"));
            }
            self.script.steps.clear();
        }
    }

    fn end(&mut self, network: &mut Network, ledger: &mut Ledger, ending: Ending) {
        let wire = self.wire;
        network.note(|| format!("{wire}: client sees {ending:?}"));
        if ending == Ending::Finished
            && let Reading::Whole(answer) = self.reader.end()
        {
            self.judge(answer, network, ledger);
        }
        let begun = self.reader.has_begun() || !self.inbox.is_empty();
        // A reset for the sake of a later answer takes what is left of the ones before it along.
        let waiting = self.script.requests[self.answered.min(self.script.requests.len())..].iter();
        let waiting: Vec<&Request> = waiting.filter(|request| request.begun_ns.is_some()).collect();
        let now_ns = network.now_ns();
        self.view.side = network.side(wire);
        let verdict = match waiting.as_slice() {
            [] => oracle::ending(ledger, &self.view, None, begun, ending, now_ns),
            [next, later @ ..] => {
                let verdict = oracle::ending(ledger, &self.view, Some(next), begun, ending, now_ns);
                let mut later = later.iter().filter(|_| ending == Ending::Reset);
                let is_excused = later.any(|request| {
                    oracle::ending(ledger, &self.view, Some(request), false, ending, now_ns).is_ok()
                });
                if is_excused { Ok(()) } else { verdict }
            }
        };
        if let Err(rule) = verdict {
            let story = waiting.first().map(|request| format!("{} ({})", request.id, request.story()));
            ledger.break_rule(format!("{wire}: {ending:?} instead of an answer to {story:?}: {rule}"));
        }
        // Some clients never finish their side; the gateway has its time for that.
        if network.dice().chance(90) {
            self.leave(network, ending == Ending::Reset);
        }
        self.is_done = true;
    }
}

fn request_expects(request: Option<&Request>) -> bool {
    request.is_some_and(|request| request.expects_continue)
}

impl Request {
    /// A few words for logs.
    pub(crate) fn story(&self) -> String {
        let flaw = if self.flaw == Flaw::None { String::new() } else { format!(" {:?}", self.flaw) };
        let expects = if self.expects_continue { " expects" } else { "" };
        format!("{} {:?} 1.{} body {}{expects}{flaw}", self.method, self.route, self.minor, self.body_length)
    }
}
