//! What a client will do on its connection, step by step.

use std::collections::VecDeque;

use shard::rt::simulated::Dice;

use crate::request::{Flaw, Request};

/// One step. A client takes the next one when the last is done.
#[derive(Debug)]
pub(crate) enum Step {
    /// The request with that index begins.
    Begin(usize),
    /// Sends bytes.
    Write(Vec<u8>),
    /// The request with that index is out.
    Sent(usize),
    /// Does nothing for so many nanoseconds.
    Pause(u64),
    /// Waits until so many answers have come.
    AwaitAnswers(usize),
    /// Waits for `100 Continue` or a final answer to the request with that index, for a second at most.
    AwaitContinue(usize),
    /// Finishes sending.
    Finish,
    /// Resets the connection.
    Reset,
    /// Closes the connection.
    Close,
}

/// How a client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// At once.
    Eager,
    /// So many bytes at a time, with so many nanoseconds between.
    Slow(usize, u64),
}

/// A client's plan.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) requests: Vec<Request>,
    pub(crate) steps: VecDeque<Step>,
    pub(crate) pace: Pace,
}

/// A PROXY protocol header, of either version.
pub(crate) fn introduction(index: usize) -> Vec<u8> {
    if index.is_multiple_of(2) {
        return b"PROXY TCP4 203.0.113.9 203.0.113.1 56324 443\r\n".to_vec();
    }
    let addresses = b"\x21\x11\0\x0c\xcb\0\x71\x09\xcb\0\x71\x01\xdc\x04\x01\xbb";
    [&b"\r\n\r\n\0\r\nQUIT\n"[..], addresses].concat()
}

const MS: u64 = 1_000_000;
/// Longer than the gateway waits for the rest of a request.
const STALL_NS: u64 = 30_000 * MS;

/// A script by chance; ids count up from `next_id`.
pub(crate) fn draw(dice: &mut Dice, next_id: &mut u64, is_calm: bool) -> Script {
    let count = usize::try_from(dice.between(1, 5)).unwrap_or(1);
    let last_flaw = match dice.below(12) {
        _ if is_calm => Flaw::None,
        0 => Flaw::Malformed,
        1 => Flaw::Stalls,
        2 => Flaw::TooLarge,
        _ => Flaw::None,
    };
    let last_closes = last_flaw == Flaw::TooLarge || dice.chance(25);
    let mut requests = Vec::new();
    for index in 0..count {
        let is_last = index + 1 == count;
        let flaw = if is_last { last_flaw } else { Flaw::None };
        requests.push(Request::drawn(dice, *next_id, flaw, is_last && last_closes));
        *next_id += 1;
    }
    let steps = if dice.chance(35) { pipelined(dice, &requests) } else { in_turn(dice, &requests) };
    let mut steps = steps;
    finish(dice, &mut steps, count, is_calm);
    let pace = match dice.below(10) {
        0 => Pace::Slow(2_000, MS),
        1 if !is_calm => Pace::Slow(5_000, 40 * MS),
        2 if !is_calm && dice.chance(30) => Pace::Slow(100, 15_000 * MS),
        _ => Pace::Eager,
    };
    Script { requests, steps, pace }
}

fn in_turn(dice: &mut Dice, requests: &[Request]) -> VecDeque<Step> {
    let mut steps = VecDeque::new();
    for (index, request) in requests.iter().enumerate() {
        if dice.chance(50) {
            steps.push_back(Step::Pause(dice.below(200 * MS)));
        }
        send(dice, &mut steps, index, request);
        steps.push_back(Step::AwaitAnswers(index + 1));
    }
    steps
}

fn pipelined(dice: &mut Dice, requests: &[Request]) -> VecDeque<Step> {
    let mut steps = VecDeque::new();
    let mut batch = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        if request.expects_continue || request.flaw == Flaw::Stalls {
            steps.push_back(Step::Write(std::mem::take(&mut batch)));
            send(dice, &mut steps, index, request);
            continue;
        }
        steps.push_back(Step::Begin(index));
        batch.extend_from_slice(&request.head);
        if request.flaw != Flaw::TooLarge {
            batch.extend_from_slice(&request.payload);
        }
        steps.push_back(Step::Sent(index));
    }
    steps.push_back(Step::Write(batch));
    steps
}

/// Sends one request, at once or in pieces.
fn send(dice: &mut Dice, steps: &mut VecDeque<Step>, index: usize, request: &Request) {
    steps.push_back(Step::Begin(index));
    let mut bytes = request.head.clone();
    if request.expects_continue {
        steps.push_back(Step::Write(std::mem::take(&mut bytes)));
        steps.push_back(Step::AwaitContinue(index));
    }
    bytes.extend_from_slice(&request.payload);
    if request.flaw == Flaw::Stalls {
        // At least the last byte is missing, unless that is all there is.
        let cut = usize::try_from(dice.below(bytes.len() as u64)).unwrap_or(0);
        steps.push_back(Step::Write(bytes[..cut].to_vec()));
        steps.push_back(Step::Pause(STALL_NS));
        return;
    }
    let pieces = if dice.chance(40) { dice.between(2, 5) } else { 1 };
    for _ in 1..pieces {
        let cut = usize::try_from(dice.below(bytes.len() as u64 + 1)).unwrap_or(0);
        let rest = bytes.split_off(cut);
        steps.push_back(Step::Write(std::mem::replace(&mut bytes, rest)));
        let pause_ns = *dice.pick(&[10_000, MS, 50 * MS]);
        steps.push_back(Step::Pause(dice.below(pause_ns)));
    }
    steps.push_back(Step::Write(bytes));
    steps.push_back(Step::Sent(index));
}

/// How the client leaves.
fn finish(dice: &mut Dice, steps: &mut VecDeque<Step>, count: usize, is_calm: bool) {
    let cut = match dice.below(12) {
        0 if !is_calm => Some(Step::Reset),
        1 if !is_calm => Some(Step::Close),
        _ => None,
    };
    if let Some(cut) = cut {
        // Somewhere in the middle, or while the last answer comes.
        let at = usize::try_from(dice.below(steps.len() as u64 + 1)).unwrap_or(0);
        steps.truncate(at);
        steps.push_back(Step::Pause(dice.below(30 * MS)));
        steps.push_back(cut);
        return;
    }
    if dice.chance(15) {
        steps.push_back(Step::Finish);
    }
    steps.push_back(Step::AwaitAnswers(count));
    if dice.chance(60) {
        steps.push_back(Step::Close);
    }
}
