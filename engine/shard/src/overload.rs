//! The overload ladder: what a shard gives up first when it holds too much, and when it takes it up again.
//!
//! In: requests in flight, bytes held, the time. Out: the step to stand on, and when to act on it.
//! Never: a clock, a socket, or an act of its own; those are `shed.rs`.

/// What a shard may hold at once; `u64::MAX` where nothing bounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Requests in flight.
    pub in_flight: u64,
    /// Bytes of connections and messages.
    pub bytes: u64,
}

impl Bounds {
    /// No bounds: the ladder is never climbed.
    pub const NONE: Bounds = Bounds { in_flight: u64::MAX, bytes: u64::MAX };
}

/// Steps of the ladder. Each does what those before it do as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Nothing is given up.
    #[default]
    Normal,
    /// Connections are kept for no further request: answers close theirs, idle ones are closed, oldest first.
    KeepAlives,
    /// Nothing new begins: streams are refused, connections wait in the kernel.
    Intake,
    /// Requests on the connections there are get 503.
    Requests,
}

/// The number of the step at which requests get 503, as metrics tell it.
pub const REFUSES_REQUESTS: u64 = Step::Requests as u64;

/// When a step is entered and left, in thousandths of the bound.
struct Level {
    step: Step,
    enter: u64,
    leave: u64,
}

/// The ladder. A step is left a tenth below where it is entered, so that one request more or less doesn't move it; the
/// last one holds exactly at the bound.
const LADDER: [Level; 3] = [
    Level { step: Step::KeepAlives, enter: 800, leave: 700 },
    Level { step: Step::Intake, enter: 900, leave: 800 },
    Level { step: Step::Requests, enter: 1_000, leave: 900 },
];

/// Between two looks at what connections and requests hold, and between two rounds of closing idle ones.
pub(crate) const ROUND_NS: u64 = 5_000_000;
/// Connections and requests weighed in a round.
pub(crate) const WEIGHED_MAX: usize = 512;
/// Idle connections closed in a round: 12,800 a second.
pub(crate) const IDLE_CLOSED_MAX: usize = 64;
/// Connections of HTTP/2 told to go in a round.
pub(crate) const GO_AWAYS_MAX: usize = 16;
/// A connection that brought a request so lately is about to bring the next: it is told by `Connection: close` instead,
/// so that no request meets a closed connection.
pub(crate) const IDLE_NS_MIN: u64 = 1_000_000_000;

/// The numbers a step is entered or left at.
#[derive(Clone, Copy, Debug)]
struct Mark {
    in_flight: u64,
    bytes: u64,
}

impl Mark {
    fn of(bounds: Bounds, thousandths: u64) -> Self {
        let share = |bound: u64| match bound {
            u64::MAX => u64::MAX,
            _ => u64::try_from((u128::from(bound) * u128::from(thousandths)).div_ceil(1_000))
                .unwrap_or(bound)
                .max(1),
        };
        Mark { in_flight: share(bounds.in_flight), bytes: share(bounds.bytes) }
    }

    fn is_reached(self, in_flight: u64, bytes: u64) -> bool {
        in_flight >= self.in_flight || bytes >= self.bytes
    }
}

/// Where a shard stands on the ladder.
#[derive(Debug)]
pub(crate) struct Overload {
    bounds: Bounds,
    /// Where each step is entered and left.
    marks: [(Step, Mark, Mark); 3],
    step: Step,
    /// The next round.
    round_at_ns: u64,
}

impl Overload {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let marks = LADDER
            .each_ref()
            .map(|level| (level.step, Mark::of(bounds, level.enter), Mark::of(bounds, level.leave)));
        Overload { bounds, marks, step: Step::Normal, round_at_ns: 0 }
    }

    /// Where it stands.
    #[inline]
    pub(crate) fn step(&self) -> Step {
        self.step
    }

    /// Finds the step for what is held now; true if it is another one.
    #[inline]
    pub(crate) fn judge(&mut self, in_flight: u64, bytes: u64) -> bool {
        let (_, enter, _) = self.marks[0];
        if self.step == Step::Normal && !enter.is_reached(in_flight, bytes) {
            return false;
        }
        let mut step = Step::Normal;
        for (above, enter, leave) in self.marks {
            let mark = if self.step >= above { leave } else { enter };
            if mark.is_reached(in_flight, bytes) {
                step = above;
            }
        }
        std::mem::replace(&mut self.step, step) != step
    }

    /// Whether answers close their connection.
    #[inline]
    pub(crate) fn sheds_keep_alives(&self) -> bool {
        self.step >= Step::KeepAlives
    }

    /// Whether a new stream is refused; `in_flight` counts those before it.
    #[inline]
    pub(crate) fn refuses_stream(&self, in_flight: u64) -> bool {
        self.step >= Step::Intake || in_flight >= self.bounds.in_flight
    }

    /// Whether a request is refused; `in_flight` counts it. Steps change once a turn, and a turn may bring many
    /// requests, so that their number is asked for each time.
    #[inline]
    pub(crate) fn refuses_request(&self, in_flight: u64) -> bool {
        self.step >= Step::Requests || in_flight > self.bounds.in_flight
    }

    /// True once per round.
    #[inline]
    pub(crate) fn begins_round(&mut self, now_ns: u64) -> bool {
        let due = now_ns >= self.round_at_ns;
        if due {
            self.round_at_ns = now_ns + ROUND_NS;
        }
        due
    }

    /// The larger share of a bound that is used, in thousandths.
    pub(crate) fn pressure(&self, in_flight: u64, bytes: u64) -> u64 {
        let share = |used: u64, bound: u64| {
            u64::try_from(u128::from(used) * 1_000 / u128::from(bound.max(1))).unwrap_or(u64::MAX)
        };
        share(in_flight, self.bounds.in_flight).max(share(bytes, self.bounds.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ladder(in_flight: u64, bytes: u64) -> Overload {
        Overload::new(Bounds { in_flight, bytes })
    }

    fn climb(overload: &mut Overload, loads: &[u64]) -> Vec<Step> {
        loads
            .iter()
            .map(|&load| {
                overload.judge(load, 0);
                overload.step()
            })
            .collect()
    }

    #[test]
    fn steps_are_entered_one_by_one_and_left_a_tenth_later() {
        use Step::{Intake, KeepAlives, Normal, Requests};
        let mut overload = ladder(10, u64::MAX);
        let up = climb(&mut overload, &[0, 7, 8, 9, 10]);
        assert_eq!(up, [Normal, Normal, KeepAlives, Intake, Requests]);
        let down = climb(&mut overload, &[9, 8, 7, 6]);
        assert_eq!(down, [Requests, Intake, KeepAlives, Normal]);
        assert_eq!(climb(&mut overload, &[10, 0]), [Requests, Normal], "steps may be passed over");
    }

    #[test]
    fn either_bound_is_enough() {
        let mut overload = ladder(10, 1_000_000);
        assert!(overload.judge(1, 900_000));
        assert_eq!(overload.step(), Step::Intake);
        assert!(overload.judge(10, 0));
        assert_eq!(overload.step(), Step::Requests);
        assert_eq!(overload.pressure(5, 990_000), 990);
        assert_eq!(overload.pressure(10, 0), 1_000);
    }

    #[test]
    fn the_bound_on_requests_holds_within_a_turn() {
        let mut overload = ladder(2, u64::MAX);
        assert!(!overload.refuses_request(2));
        assert!(overload.refuses_request(3));
        assert!(!overload.refuses_stream(1));
        assert!(overload.refuses_stream(2));
        overload.judge(2, 0);
        assert!(overload.refuses_request(2), "until the step is left");
        assert!(overload.judge(1, 0));
        assert!(!overload.refuses_request(1));
    }

    #[test]
    fn a_bound_of_one_is_reached_and_left() {
        let mut overload = ladder(1, u64::MAX);
        assert_eq!(climb(&mut overload, &[1, 0]), [Step::Requests, Step::Normal]);
    }

    #[test]
    fn without_bounds_nothing_is_ever_refused() {
        let mut overload = Overload::new(Bounds::NONE);
        assert!(!overload.judge(u64::MAX - 1, u64::MAX - 1));
        assert!(!overload.refuses_request(u64::MAX - 1));
        assert_eq!(overload.pressure(1_000_000, 1 << 40), 0);
    }

    #[test]
    fn rounds_are_apart() {
        let mut overload = ladder(1, 1);
        assert!(overload.begins_round(7));
        assert!(!overload.begins_round(6 + ROUND_NS));
        assert!(overload.begins_round(7 + ROUND_NS));
    }
}
