//! What a client of HTTP/2 will do on its connection, step by step.

use std::collections::VecDeque;

use shard::rt::simulated::Dice;

use crate::documents::Route;
use crate::request::{Flaw, Request};

const MS: u64 = 1_000_000;
/// A body that nobody wants; a few use up a connection's window unless it is opened again.
const UNWANTED_BYTES: usize = 300_000;

/// One step. Bodies flow beside the steps, as windows allow.
#[derive(Debug)]
pub(crate) enum Step {
    /// Begins the request with that index on a stream of its own.
    Open(usize),
    /// Takes no step for so many nanoseconds.
    Pause(u64),
    /// Waits until so many streams have ended.
    Await(usize),
    /// Sends PING.
    Ping,
    /// Sends SETTINGS with that window for streams.
    Settings(u32),
    /// Sends a frame of a type that nobody knows.
    Unknown,
    /// Sends PRIORITY.
    Priority,
    /// Resets the stream of the request with that index.
    Reset(usize),
    /// Sends GOAWAY: no stream follows, and the connection ends with the last answer.
    GoAway,
    /// Breaks the protocol.
    Hostile(Hostility),
    /// Leaves, by a reset or in order.
    Leave(bool),
}

/// What a hostile client does; whatever it gets for that is right, as long as others are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hostility {
    /// Thousands of PING.
    Flood,
    /// A field block that no table can decode.
    BadBlock,
    /// A frame larger than allowed.
    LargeFrame,
    /// A frame of a length that its type can't have.
    BrokenFrame,
    /// DATA on a stream that nobody began.
    IdleStream,
    /// A window opened beyond 2^31-1.
    WindowOverflow,
}

/// When windows are opened again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credit {
    /// At once.
    Eager,
    /// That much later.
    Late(u64),
}

/// A client's plan.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) introduction: Vec<u8>,
    pub(crate) requests: Vec<Request>,
    pub(crate) steps: VecDeque<Step>,
    pub(crate) initial_window: u32,
    pub(crate) credit: Credit,
}

/// A script by chance; ids count up from `next_id`.
pub(crate) fn draw(dice: &mut Dice, next_id: &mut u64, is_calm: bool) -> Script {
    let count = usize::try_from(dice.between(1, 8)).unwrap_or(1);
    let is_heavy = dice.chance(6);
    let count = if is_heavy { count + 6 } else { count };
    let mut requests = Vec::new();
    for _ in 0..count {
        let flaw = match dice.below(24) {
            _ if is_calm => Flaw::None,
            0 => Flaw::Malformed,
            1 => Flaw::Stalls,
            2 => Flaw::TooLarge,
            _ => Flaw::None,
        };
        let mut request = Request::drawn(dice, *next_id, flaw, false);
        request.expects_continue = false;
        if is_heavy && flaw == Flaw::None && dice.chance(70) {
            (request.route, request.method, request.body_length) = (Route::Mock, "POST", UNWANTED_BYTES);
        }
        requests.push(request);
        *next_id += 1;
    }
    let initial_window = *dice.pick(&[65_535, 65_535, 65_535, 1_000_000, 10_000, 1_000, 0]);
    let credit = match dice.below(10) {
        0 | 1 => Credit::Late(MS),
        2 if !is_calm => Credit::Late(40 * MS),
        _ => Credit::Eager,
    };
    let mut steps = steps(dice, &requests);
    finish(dice, &mut steps, count, is_calm);
    Script { introduction: Vec::new(), requests, steps, initial_window, credit }
}

fn steps(dice: &mut Dice, requests: &[Request]) -> VecDeque<Step> {
    let mut steps = VecDeque::new();
    for index in 0..requests.len() {
        match dice.below(14) {
            0 => steps.push_back(Step::Ping),
            1 | 2 => steps.push_back(Step::Settings(*dice.pick(&[0, 100, 5_000, 65_535, 300_000]))),
            3 => steps.push_back(Step::Unknown),
            4 => steps.push_back(Step::Priority),
            5 => steps.push_back(Step::Await(index)),
            6..9 => steps.push_back(Step::Pause(dice.below(100 * MS))),
            _ => {}
        }
        steps.push_back(Step::Open(index));
        if dice.chance(8) {
            steps.push_back(Step::Pause(dice.below(60 * MS)));
            steps.push_back(Step::Reset(index));
        }
    }
    steps
}

/// How the client leaves.
fn finish(dice: &mut Dice, steps: &mut VecDeque<Step>, count: usize, is_calm: bool) {
    let at = usize::try_from(dice.below(steps.len() as u64 + 1)).unwrap_or(0);
    match dice.below(14) {
        0 | 1 if !is_calm => {
            steps.truncate(at);
            steps.push_back(Step::Pause(dice.below(30 * MS)));
            steps.push_back(Step::Leave(dice.chance(50)));
            return;
        }
        2 if !is_calm => {
            let hostilities = [
                Hostility::Flood,
                Hostility::BadBlock,
                Hostility::LargeFrame,
                Hostility::BrokenFrame,
                Hostility::IdleStream,
                Hostility::WindowOverflow,
            ];
            steps.truncate(at);
            steps.push_back(Step::Hostile(*dice.pick(&hostilities)));
            steps.push_back(Step::Pause(5_000 * MS));
            steps.push_back(Step::Leave(false));
            return;
        }
        3 | 4 => steps.push_back(Step::GoAway),
        _ => {}
    }
    // A window that a setting has shut would never open again.
    steps.push_back(Step::Settings(100_000));
    steps.push_back(Step::Await(count));
    if dice.chance(60) {
        steps.push_back(Step::Leave(false));
    }
}
