//! What really happened, as clients, backends and resolver know it: the oracle judges by it.

use std::collections::BTreeMap;

use crate::documents::Route;

/// A backend, whatever its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// 10.0.0.1:9001.
    Plain,
    /// backend.test:9002.
    Named,
    /// /run/app.sock.
    Socket,
    /// 10.0.0.1:9003, which speaks HTTP/2.
    Second,
}

impl Target {
    /// The backend of a route; none for the mock.
    pub(crate) fn of(route: Route) -> Option<Target> {
        match route {
            Route::Mock => None,
            Route::Named => Some(Target::Named),
            Route::Unix => Some(Target::Socket),
            Route::Second => Some(Target::Second),
            Route::Proxy | Route::Http | Route::Templated | Route::Throttled => Some(Target::Plain),
        }
    }
}

/// What a client sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) route: Route,
    pub(crate) body_length: usize,
}

/// One exchange of a backend.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) status: u16,
    pub(crate) body_length: usize,
    /// The whole head is written.
    pub(crate) head_sent: bool,
    /// The whole answer is written.
    pub(crate) complete: bool,
    /// The backend did something that may cost the exchange.
    pub(crate) spoiled: bool,
    /// When the head was written, by backends of HTTP/2.
    pub(crate) head_ns: Option<u64>,
}

/// Something that went wrong at a backend, without a request to name.
struct Trouble {
    target: Target,
    /// A refused connect or a name without address, which is answered with 500; anything else with 504.
    is_refusal: bool,
    from_ns: u64,
    until_ns: u64,
}

/// One of two shards leaves its listener to the other.
#[derive(Clone, Copy)]
pub(crate) struct Left {
    pub(crate) side: usize,
    pub(crate) from_ns: u64,
}

/// How long news of trouble takes to reach the shard at most.
pub(crate) const NEWS_NS: u64 = 300_000_000;

/// The whole story of a run.
#[derive(Default)]
pub(crate) struct Ledger {
    sent: BTreeMap<u64, Sent>,
    calls: BTreeMap<u64, Vec<Call>>,
    troubles: Vec<Trouble>,
    /// When the second plan was committed.
    pub(crate) committed_ns: Option<u64>,
    /// When the drain began.
    pub(crate) drained_ns: Option<u64>,
    /// Which shard leaves to another, and since when.
    pub(crate) left: Option<Left>,
    /// The shard has a bound on requests in flight, and may refuse what is beyond it.
    pub(crate) is_bounded: bool,
    /// Bytes travel fast in this run.
    pub(crate) is_brisk: bool,
    /// Calls that a backend of HTTP/2 said it didn't look at, by request.
    turned_away: BTreeMap<u64, usize>,
    /// When backends of HTTP/2 said GOAWAY.
    goodbyes: Vec<u64>,
    /// Answers that did.
    pub(crate) shed: usize,
    /// Rules broken.
    pub(crate) violations: Vec<String>,
    /// Answers that clients saw whole, and by what they were.
    pub(crate) answers: usize,
    /// Of those: what backends said.
    pub(crate) relayed: usize,
    /// Answers cut, each with good reason.
    pub(crate) cuts: usize,
}

impl Ledger {
    pub(crate) fn break_rule(&mut self, rule: impl Into<String>) {
        self.violations.push(rule.into());
    }

    /// Since when the shard that has a connection lets its clients go.
    pub(crate) fn leaving_ns(&self, side: Option<usize>) -> Option<u64> {
        let left = self.left.filter(|left| side == Some(left.side));
        self.drained_ns.or(left.map(|left| left.from_ns))
    }

    /// A client is about to send a request.
    pub(crate) fn send(&mut self, id: u64, sent: Sent) {
        self.sent.insert(id, sent);
    }

    pub(crate) fn sent(&self, id: u64) -> Option<Sent> {
        self.sent.get(&id).copied()
    }

    /// Requests sent so far.
    pub(crate) fn requests(&self) -> usize {
        self.sent.len()
    }

    /// A backend has read a request's head; gives the number of the call among the request's calls.
    pub(crate) fn call(&mut self, id: u64, call: Call) -> usize {
        let calls = self.calls.entry(id).or_default();
        calls.push(call);
        calls.len() - 1
    }

    pub(crate) fn calls(&self, id: u64) -> &[Call] {
        self.calls.get(&id).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn call_mut(&mut self, id: u64, number: usize) -> &mut Call {
        &mut self.calls.get_mut(&id).expect("a call that was entered")[number]
    }

    /// A backend says that it doesn't look at a call: it may be made elsewhere.
    pub(crate) fn turn_away(&mut self, id: u64) {
        *self.turned_away.entry(id).or_default() += 1;
    }

    /// A backend says GOAWAY.
    pub(crate) fn goodbye(&mut self, now_ns: u64) {
        self.goodbyes.push(now_ns);
    }

    /// Whether a request that lived from then till now may have met a GOAWAY.
    pub(crate) fn met_goodbye(&self, begun_ns: u64, now_ns: u64) -> bool {
        self.goodbyes.iter().any(|&said_ns| said_ns <= now_ns && begun_ns <= said_ns + NEWS_NS)
    }

    /// How often a request's calls weren't looked at.
    pub(crate) fn turned_away(&self, id: u64) -> usize {
        self.turned_away.get(&id).copied().unwrap_or(0)
    }

    /// Something happened to a backend that may cost any request that is on its way to it.
    pub(crate) fn trouble(&mut self, target: Target, is_refusal: bool, from_ns: u64, lasts_ns: u64) {
        let until_ns = from_ns + lasts_ns + NEWS_NS;
        self.troubles.push(Trouble { target, is_refusal, from_ns, until_ns });
    }

    /// Whether a request that lived from then till now may have met trouble of that kind.
    pub(crate) fn met_trouble(&self, route: Route, is_refusal: bool, begun_ns: u64, now_ns: u64) -> bool {
        let Some(target) = Target::of(route) else { return false };
        self.troubles.iter().any(|trouble| {
            trouble.target == target
                && trouble.is_refusal == is_refusal
                && trouble.from_ns <= now_ns
                && begun_ns <= trouble.until_ns
        })
    }
}
