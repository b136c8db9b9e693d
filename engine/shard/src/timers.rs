//! Deadlines of a shard: one heap, lazily corrected.
//!
//! A connection has one deadline at a time and moves it with every request. Moving it later costs nothing: the old
//! entry fires early, finds that it is not yet time, and is put back. Only an earlier deadline needs a new entry, so
//! a busy connection touches the heap about once per timeout period, not once per request.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::spare::{ROOM_FEW, is_wasteful};

/// No deadline.
pub(crate) const NEVER: u64 = u64::MAX;

/// The deadline of one owner: when it is due, and when the heap will look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    due_ns: u64,
    scheduled_ns: u64,
}

impl Default for Deadline {
    fn default() -> Self {
        Deadline { due_ns: NEVER, scheduled_ns: NEVER }
    }
}

impl Deadline {
    /// When it is due; `u64::MAX` for never.
    pub(crate) fn due_ns(&self) -> u64 {
        self.due_ns
    }

    /// Whether the deadline has passed.
    pub(crate) fn is_due(&self, now_ns: u64) -> bool {
        self.due_ns <= now_ns
    }
}

/// All deadlines of a shard, by owner.
#[derive(Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Timers {
    /// Sets `owner`'s deadline.
    pub(crate) fn set(&mut self, owner: u32, deadline: &mut Deadline, due_ns: u64) {
        deadline.due_ns = due_ns;
        if due_ns < deadline.scheduled_ns {
            deadline.scheduled_ns = due_ns;
            self.heap.push(Reverse((due_ns, owner)));
        }
    }

    /// Gives back most of the room that is not used. To be called once in a while.
    pub(crate) fn trim(&mut self) {
        if is_wasteful(self.heap.len(), self.heap.capacity()) {
            self.heap.shrink_to(ROOM_FEW.max(self.heap.len() * 2));
        }
    }

    /// Entries that will fire.
    #[cfg(feature = "simulated")]
    pub(crate) fn entries(&self) -> usize {
        self.heap.len()
    }

    /// Takes the next entry that fired: its owner and the time it was scheduled for.
    pub(crate) fn pop(&mut self, now_ns: u64) -> Option<(u32, u64)> {
        let &Reverse((at_ns, owner)) = self.heap.peek()?;
        if at_ns > now_ns {
            return None;
        }
        self.heap.pop();
        Some((owner, at_ns))
    }

    /// To be called with what [`pop`](Self::pop) gave: true if the deadline is really due; else it is put back.
    pub(crate) fn fired(&mut self, owner: u32, deadline: &mut Deadline, at_ns: u64, now_ns: u64) -> bool {
        if deadline.scheduled_ns != at_ns {
            // An entry that an earlier one replaced.
            return false;
        }
        deadline.scheduled_ns = NEVER;
        if deadline.is_due(now_ns) {
            deadline.due_ns = NEVER;
            return true;
        }
        let due_ns = deadline.due_ns;
        if due_ns != NEVER {
            self.set(owner, deadline, due_ns);
        }
        false
    }

    /// Nanoseconds until the next entry; `None` without one.
    pub(crate) fn next_in(&self, now_ns: u64) -> Option<u64> {
        self.heap.peek().map(|&Reverse((at_ns, _))| at_ns.saturating_sub(now_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_deadline_costs_no_entry_and_still_fires() {
        let (mut timers, mut deadline) = (Timers::default(), Deadline::default());
        timers.set(7, &mut deadline, 100);
        for due in 101..=200 {
            timers.set(7, &mut deadline, due);
        }
        assert_eq!(timers.heap.len(), 1);
        let (owner, at) = timers.pop(150).expect("the early entry");
        assert!(!timers.fired(owner, &mut deadline, at, 150));
        assert_eq!(timers.next_in(150), Some(50));
        let (owner, at) = timers.pop(200).expect("the entry put back");
        assert!(timers.fired(owner, &mut deadline, at, 200));
        assert!(timers.pop(u64::MAX).is_none());
    }

    #[test]
    fn an_earlier_deadline_replaces_the_entry() {
        let (mut timers, mut deadline) = (Timers::default(), Deadline::default());
        timers.set(7, &mut deadline, 300);
        timers.set(7, &mut deadline, 100);
        let (owner, at) = timers.pop(100).expect("the earlier entry");
        assert!(timers.fired(owner, &mut deadline, at, 100));
        let (owner, at) = timers.pop(300).expect("the replaced entry");
        assert!(!timers.fired(owner, &mut deadline, at, 300), "a replaced entry never fires");
    }
}
