//! Memory comes back when traffic falls: room that nobody uses any more, and what the allocator keeps of it.
//!
//! Spares are trimmed by themselves (`spare.rs`), receive buffers by the runtime. What both drop stays with the allocator
//! until it is asked, and a shard at rest asks for nothing.

use crate::rt::{Event, Runtime};
use crate::shard::Shard;
use crate::spare::{LOOK_NS, trim_list, trim_slab};

/// The allocator is asked at most this often, and first when nothing has happened for so long.
const ASK_NS: u64 = 5_000_000_000;
/// How often a shard at rest asks: what is trimmed in between wasn't free the first time.
const ASKS_AT_REST: u8 = 2;
/// Less than this isn't worth asking for under way.
const WORTH_BYTES: u64 = 1024 * 1024;

/// When a shard looks for what it doesn't need.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    look_at_ns: u64,
    /// How often the allocator is still to be asked, and when something happened last.
    asks_left: u8,
    stirred_at_ns: u64,
    asked_at_ns: u64,
    /// The most that was held since then.
    high_bytes: u64,
}

impl Quiet {
    /// How long the next turn may wait at most.
    pub(crate) fn timeout_ns(&self) -> Option<u64> {
        (self.asks_left > 0).then_some(LOOK_NS)
    }

    /// Whether the allocator should be asked now; pure, for `bytes` held.
    fn asks(&mut self, now_ns: u64, bytes: u64) -> bool {
        self.high_bytes = self.high_bytes.max(bytes);
        let fell = bytes + WORTH_BYTES <= self.high_bytes;
        let rests = self.asks_left > 0 && self.stirred_at_ns + ASK_NS <= now_ns;
        if !(fell || rests) || now_ns < self.asked_at_ns + ASK_NS {
            return false;
        }
        self.asked_at_ns = now_ns;
        self.high_bytes = bytes;
        self.asks_left -= u8::from(rests);
        true
    }
}

impl<R: Runtime> Shard<R> {
    /// The end of a turn: once in a while, gives back what isn't needed.
    pub(crate) fn give_back(&mut self, stirred: bool, events: &mut Vec<Event>) {
        let now_ns = self.rt.now_ns();
        if stirred {
            self.quiet.asks_left = ASKS_AT_REST;
            self.quiet.stirred_at_ns = now_ns;
        }
        if now_ns < self.quiet.look_at_ns {
            return;
        }
        self.quiet.look_at_ns = now_ns + LOOK_NS;
        trim_slab(&mut self.clients);
        trim_slab(&mut self.upstreams);
        self.slots.trim_places();
        self.timers.trim();
        trim_list(&mut self.ready);
        trim_list(&mut self.framed);
        trim_list(&mut self.framed_calls);
        trim_list(&mut self.scratch);
        trim_list(events);
        if self.quiet.asks(now_ns, self.held_bytes()) {
            crate::sys::allocator::give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    #[test]
    fn a_shard_at_rest_asks_twice() {
        let mut quiet = Quiet { asks_left: ASKS_AT_REST, stirred_at_ns: 10 * SECOND_NS, ..Quiet::default() };
        assert!(quiet.timeout_ns().is_some());
        let asked: Vec<u64> = (10..30).filter(|second| quiet.asks(second * SECOND_NS, 1_000)).collect();
        assert_eq!(asked, [15, 20]);
        assert_eq!(quiet.timeout_ns(), None, "it sleeps from then on");
    }

    #[test]
    fn a_busy_shard_asks_when_it_holds_less() {
        let mut quiet = Quiet::default();
        let held = |second: u64| if second < 10 { 8 << 20 } else { 1 << 20 };
        let mut asked = Vec::new();
        for second in 5..30 {
            (quiet.asks_left, quiet.stirred_at_ns) = (ASKS_AT_REST, second * SECOND_NS);
            if quiet.asks(second * SECOND_NS, held(second)) {
                asked.push(second);
            }
        }
        assert_eq!(asked, [10]);
    }
}
