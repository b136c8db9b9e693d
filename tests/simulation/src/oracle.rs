//! What the gateway may do, judged by what clients and backends did. Nothing here knows the gateway's code.

use crate::answer::Answer;
use crate::body::{Author, body};
use crate::documents::{MOCK_BODIES, Route, TEMPLATED_BODY, TIMEOUT_NS};
use crate::ledger::{Call, Ledger, NEWS_NS, Target};
use crate::request::{Flaw, Request};
use crate::run::{DRAIN_LINGER_NS, HALF_CLOSE_NS, IDLE_CLIENT_NS};

/// For latency, late turns and the work between.
const SLACK_NS: u64 = 1_000_000_000;

/// What a byte takes on the slowest of the simulated connections.
const BYTE_NS: u64 = 20_000;

/// What a window's bytes take at most on such a connection.
const TRAVEL_NS_MAX: u64 = 1_048_576 * BYTE_NS;

/// How a client saw its connection end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// In order.
    Finished,
    /// By a reset.
    Reset,
}

/// What a client knows of its connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// It reads slowly.
    pub(crate) is_slow: bool,
    /// When the last answer was whole; the start of the connection before the first.
    pub(crate) last_done_ns: u64,
    /// Which shard has the connection, as far as is known.
    pub(crate) side: Option<usize>,
    /// The last answer came whole from a backend that then failed: the connection may be cut for it.
    pub(crate) after_spoiled: bool,
    /// An answer said that the connection closes.
    pub(crate) said_close: bool,
    /// When it finished sending.
    pub(crate) half_closed_ns: Option<u64>,
    /// Bytes of all its streams, which share the connection; none for HTTP/1.1, where messages take turns.
    pub(crate) carried_bytes: usize,
}

impl View {
    pub(crate) fn new(now_ns: u64) -> Self {
        View {
            is_slow: false,
            side: None,
            after_spoiled: false,
            last_done_ns: now_ns,
            said_close: false,
            half_closed_ns: None,
            carried_bytes: 0,
        }
    }
}

/// Judges a whole answer.
pub(crate) fn answer(
    ledger: &mut Ledger,
    view: &View,
    request: &Request,
    answer: &Answer,
    now_ns: u64,
) -> Result<(), String> {
    if view.said_close {
        return Err("after an answer that closes".to_owned());
    }
    if answer.keeps_open && (request.closes || request.flaw == Flaw::Malformed) {
        return Err("keeps a connection that the request closes".to_owned());
    }
    ledger.answers += 1;
    // While the shard is full, connections wait to be accepted, for as long as others take.
    if !ledger.is_bounded {
        in_time(view, request, answer.body.len(), now_ns)?;
    }
    let is_head = request.method == "HEAD";
    if answer.body.starts_with(b"{\"message\":")
        || (is_head && refusal(ledger, request, answer, now_ns).is_ok())
    {
        return refusal(ledger, request, answer, now_ns);
    }
    if request.flaw == Flaw::Malformed || request.flaw == Flaw::TooLarge {
        return Err("a flaw that was overlooked".to_owned());
    }
    match request.route {
        Route::Mock => mock(ledger, request, answer, now_ns),
        _ => relayed(ledger, request, answer),
    }
}

/// Nothing may take longer than its timeouts; a client that reads slowly makes its own time.
fn in_time(view: &View, request: &Request, answer_length: usize, now_ns: u64) -> Result<(), String> {
    let Some(sent_ns) = request.sent_ns else { return Ok(()) };
    let waited_ns = now_ns.saturating_sub(sent_ns.max(view.last_done_ns));
    let travel_ns = (request.body_length + answer_length + view.carried_bytes) as u64 * BYTE_NS;
    if !view.is_slow && waited_ns > TIMEOUT_NS + SLACK_NS + travel_ns {
        return Err(format!("took {} ms", waited_ns / 1_000_000));
    }
    Ok(())
}

/// Judges how long a client has had bodies to send, and no room on its connection: backends read all that they get, or
/// fail within their timeout, so that room comes back.
pub(crate) fn starved(ledger: &Ledger, view: &View, since_ns: u64, now_ns: u64) -> Result<(), String> {
    let waited_ns = now_ns.saturating_sub(since_ns);
    let travel_ns = view.carried_bytes as u64 * BYTE_NS;
    if ledger.drained_ns.is_none() && waited_ns > TIMEOUT_NS + SLACK_NS + travel_ns.min(TRAVEL_NS_MAX) {
        return Err(format!("no room for bodies for {} ms", waited_ns / 1_000_000));
    }
    Ok(())
}

fn refusal(ledger: &mut Ledger, request: &Request, answer: &Answer, now_ns: u64) -> Result<(), String> {
    let begun_ns = request.begun_ns.unwrap_or(now_ns);
    let calls = ledger.calls(request.id);
    let allowed = match answer.status {
        400 => request.flaw == Flaw::Malformed,
        408 => request.flaw == Flaw::Stalls,
        413 => request.flaw == Flaw::TooLarge,
        429 => request.route == Route::Throttled,
        500 => ledger.met_trouble(request.route, true, begun_ns, now_ns),
        503 => ledger.is_bounded && !answer.keeps_open && calls.is_empty(),
        504 => {
            (now_ns - begun_ns >= TIMEOUT_NS && !is_forgotten(ledger, request, begun_ns, now_ns))
                || is_turned_away(ledger, request, begun_ns, now_ns)
                || calls.iter().any(|call| call.spoiled)
                || ledger.met_trouble(request.route, false, begun_ns, now_ns)
        }
        _ => false,
    };
    if !allowed {
        return Err("a refusal without a reason".to_owned());
    }
    ledger.shed += usize::from(answer.status == 503);
    Ok(())
}

/// A call that wasn't looked at is made once more, unless it had begun to send a body.
fn is_turned_away(ledger: &Ledger, request: &Request, begun_ns: u64, now_ns: u64) -> bool {
    ledger.turned_away(request.id) > 1
        || (request.body_length > 0
            && (ledger.turned_away(request.id) > 0
                || (request.route == Route::Second && ledger.met_goodbye(begun_ns, now_ns))))
}

/// A call that wasn't looked at, and should have been made once more, got nowhere although nothing was in its way.
fn is_forgotten(ledger: &Ledger, request: &Request, begun_ns: u64, now_ns: u64) -> bool {
    ledger.is_brisk
        && ledger.turned_away(request.id) == 1
        && request.body_length == 0
        && ledger.calls(request.id).is_empty()
        && ![true, false]
            .iter()
            .any(|&is_refusal| ledger.met_trouble(request.route, is_refusal, begun_ns, now_ns))
}

fn mock(ledger: &Ledger, request: &Request, answer: &Answer, now_ns: u64) -> Result<(), String> {
    let begun_ns = request.begun_ns.unwrap_or(now_ns);
    let body: &[u8] = &answer.body;
    let [first, second] = MOCK_BODIES.map(str::as_bytes);
    let fits = match ledger.committed_ns {
        _ if request.method == "HEAD" => body.is_empty(),
        None => body == first,
        // A request that came before the swap may be answered after it, on either plan.
        Some(committed_ns) if now_ns < committed_ns => body == first,
        Some(committed_ns) if begun_ns > committed_ns + SLACK_NS => body == second,
        Some(_) => body == first || body == second,
    };
    if answer.status == 200 && fits { Ok(()) } else { Err(format!("not the mock's: {}", shown(body))) }
}

fn relayed(ledger: &mut Ledger, request: &Request, answer: &Answer) -> Result<(), String> {
    let calls = ledger.calls(request.id);
    if !calls.iter().any(|call| call.head_sent) {
        return Err("an answer that no backend gave".to_owned());
    }
    let fits = calls.iter().filter(|call| call.head_sent).any(|call| {
        let (status, content) = expected(request, call);
        // A body of the gateway's own doesn't wait for the backend's.
        let is_whole = call.complete || request.route == Route::Templated || content.is_empty();
        answer.status == status && is_whole && answer.body == content
    });
    if !fits {
        return Err(format!("not what the backend said, {calls:?}: {}", shown(&answer.body)));
    }
    ledger.relayed += 1;
    Ok(())
}

/// Status and body that follow from what the backend said.
fn expected(request: &Request, call: &Call) -> (u16, Vec<u8>) {
    let status = match request.route {
        Route::Http if (400..500).contains(&call.status) => 404,
        Route::Http | Route::Templated => 200,
        _ => call.status,
    };
    let content = match request.route {
        _ if request.method == "HEAD" || matches!(status, 204 | 304) => Vec::new(),
        Route::Templated => TEMPLATED_BODY.as_bytes().to_vec(),
        _ if matches!(call.status, 204 | 304) => Vec::new(),
        _ => body(Author::Backend, request.id, call.body_length),
    };
    (status, content)
}

/// Judges when a client of HTTP/2 is told that its connection goes: at once if its shard leaves, so that it asks nothing in
/// vain.
pub(crate) fn goodbye(ledger: &Ledger, view: &View, is_idle: bool, now_ns: u64) -> Result<(), String> {
    let Some(leaving_ns) = ledger.leaving_ns(view.side) else { return Ok(()) };
    let is_quiet = is_idle && view.last_done_ns + SLACK_NS < leaving_ns;
    if is_quiet && now_ns > leaving_ns + NEWS_NS {
        return Err(format!(
            "GOAWAY {} ms after the shard began to leave",
            (now_ns - leaving_ns) / 1_000_000
        ));
    }
    Ok(())
}

/// Judges an answer on a connection whose client wasn't told that it goes: a client that asks on and on would never leave.
pub(crate) fn stays(ledger: &Ledger, view: &View, begun_ns: u64) -> Result<(), String> {
    match ledger.leaving_ns(view.side) {
        Some(leaving_ns) if begun_ns > leaving_ns + SLACK_NS => {
            Err("an answer of a shard that leaves, without GOAWAY before it".to_owned())
        }
        _ => Ok(()),
    }
}

/// Judges the end of a connection. `has_begun`: a part of the next answer was there.
pub(crate) fn ending(
    ledger: &mut Ledger,
    view: &View,
    request: Option<&Request>,
    has_begun: bool,
    ending: Ending,
    now_ns: u64,
) -> Result<(), String> {
    if has_begun && ending == Ending::Finished {
        return Err("half an answer that ends in order".to_owned());
    }
    // Who leaves its listener to another lets idle clients go after a while, and has all the time it needs for what it was
    // asked before.
    let is_drained = ledger.drained_ns.is_some();
    let leaving_ns = ledger.leaving_ns(view.side);
    let lets_go = leaving_ns.is_some_and(|leaving_ns| is_drained || now_ns >= leaving_ns + DRAIN_LINGER_NS);
    let Some(request) = request else {
        let waited_ns = now_ns.saturating_sub(view.last_done_ns);
        return match ending {
            _ if lets_go || view.is_slow || waited_ns <= IDLE_CLIENT_NS + SLACK_NS => Ok(()),
            _ => Err(format!("idle for {} ms", waited_ns / 1_000_000)),
        };
    };
    let begun_ns = request.begun_ns.unwrap_or(now_ns);
    let is_let_go =
        lets_go && (is_drained || leaving_ns.is_some_and(|leaving_ns| begun_ns + SLACK_NS >= leaving_ns));
    if ending == Ending::Reset && view.after_spoiled && !has_begun {
        return Ok(());
    }
    if view.said_close || is_let_go || request.flaw == Flaw::Stalls {
        return Ok(());
    }
    if !ledger.is_bounded {
        in_time(view, request, 0, now_ns)?;
    }
    ledger.cuts += 1;
    if view.half_closed_ns.is_some_and(|half_closed_ns| now_ns >= half_closed_ns + HALF_CLOSE_NS) {
        return Ok(());
    }
    // A reset may destroy the part of the answer that had come before it.
    let calls = ledger.calls(request.id);
    let was_answered = has_begun || calls.iter().any(|call| call.head_sent);
    // Where bytes travel fast, an answer that began in time is through in time.
    let in_time = |head_ns: u64| ledger.is_brisk && head_ns < begun_ns + TIMEOUT_NS / 2;
    let is_late =
        now_ns - begun_ns >= TIMEOUT_NS && !calls.iter().any(|call| call.head_ns.is_some_and(in_time));
    let is_spoiled = calls.iter().any(|call| call.spoiled)
        || is_turned_away(ledger, request, begun_ns, now_ns)
        || (Target::of(request.route).is_some()
            && ledger.met_trouble(request.route, false, begun_ns, now_ns));
    if ending == Ending::Reset && was_answered && (is_late || is_spoiled) {
        return Ok(());
    }
    if view.is_slow && ending == Ending::Reset {
        return Ok(());
    }
    Err("without a reason".to_owned())
}

fn shown(bytes: &[u8]) -> String {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
    format!("{} bytes {start:?}", bytes.len())
}
