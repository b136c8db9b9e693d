//! A token bucket in one atomic word.
//!
//! Idea: instead of counting tokens, remember the *theoretical arrival time* (TAT): the moment at which the bucket
//! would be full again (the generic cell rate algorithm). A request at `now` costs one interval `1 / rate`:
//!
//! ```text
//! start = max(TAT, now)            an idle bucket is full, not more than full
//! if start + interval - now > burst * interval   -> refuse, nothing changes
//! else TAT = start + interval      one compare-and-swap
//! ```
//!
//! All shards swap the same word, so admissions form one order and the bound holds whatever the contention: in any
//! window of `t` seconds at most `rate * t + burst` requests pass. A lost swap is tried again with the newer word; it
//! can't refuse while tokens are left, because each attempt judges the word it swaps.
//!
//! Time is counted in 1/64 nanoseconds, which holds nine years in a word and lets the interval be rounded *up* to that
//! grain: the effective rate is lower than the asked one by less than `rate / 64e9` (0.016 % at ten million a second),
//! never higher. Clocks of shards may differ by a loop turn; an older `now` sees a TAT further ahead and is refused
//! earlier, never later.

use crate::sync::{AtomicU64, Ordering};

/// Grains of time in a nanosecond.
const GRAINS_PER_NS: u64 = 64;
/// Grains in a second.
const GRAINS_PER_S: f64 = 64e9;

/// A token bucket: `rate` tokens a second, at most `burst` of them saved. It starts full.
#[derive(Debug)]
#[repr(align(64))]
pub struct Bucket {
    tat: AtomicU64,
    interval: u64,
    /// `burst * interval`; zero refuses everything.
    capacity: u64,
}

impl Bucket {
    /// A full bucket. A rate or burst of zero refuses everything; a burst that would take more than two years to
    /// refill is cut there.
    #[must_use]
    pub fn new(rate_per_s: f64, burst: u64) -> Self {
        let open = rate_per_s > 0.0 && rate_per_s.is_finite() && burst > 0;
        let interval = if open { (GRAINS_PER_S / rate_per_s).ceil().clamp(1.0, 4e18) as u64 } else { 0 };
        let capacity = interval.saturating_mul(burst).min(1 << 62);
        Bucket { tat: AtomicU64::new(0), interval, capacity }
    }

    /// Takes one token if there is one. `now_ns` is monotonic nanoseconds since the node's start.
    pub fn try_take(&self, now_ns: u64) -> bool {
        if self.interval > self.capacity || self.capacity == 0 {
            return false;
        }
        let now = now_ns.saturating_mul(GRAINS_PER_NS);
        let mut tat = self.tat.load(Ordering::Relaxed);
        loop {
            let next = tat.max(now).saturating_add(self.interval);
            if next - now > self.capacity {
                return false;
            }
            // Relaxed: the word is the whole state; it publishes nothing else.
            match self.tat.compare_exchange_weak(tat, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(newer) => tat = newer,
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_starts_full_and_refills() {
        let bucket = Bucket::new(2.0, 3);
        assert!((0..3).all(|_| bucket.try_take(0)) && !bucket.try_take(0));
        assert!(!bucket.try_take(499_000_000));
        assert!(bucket.try_take(500_000_000) && !bucket.try_take(500_000_000));
        assert!((0..3).all(|_| bucket.try_take(60_000_000_000)) && !bucket.try_take(60_000_000_000));
    }

    #[test]
    fn zero_blocks_everything() {
        for (rate, burst) in [(0.0, 5), (5.0, 0), (-1.0, 5), (f64::NAN, 5)] {
            assert!(!Bucket::new(rate, burst).try_take(1 << 40));
        }
    }

    proptest! {
        /// Never above the bound, and never a refusal that an exact bucket would not give (but for the grain).
        #[test]
        fn it_keeps_the_bound(rate in 0.1_f64..1e7, burst in 1_u64..1000, gaps in prop::collection::vec(0_u64..5_000_000, 1..400)) {
            let bucket = Bucket::new(rate, burst);
            let (mut now_ns, mut last_ns, mut tokens) = (0_u64, 0_u64, burst as f64);
            let mut admitted: Vec<u64> = Vec::new();
            for gap in gaps {
                now_ns += gap;
                tokens = (tokens + (now_ns - last_ns) as f64 * rate / 1e9).min(burst as f64);
                last_ns = now_ns;
                let slack = 1e-3 + rate * 1e-3;
                if bucket.try_take(now_ns) {
                    prop_assert!(tokens + 1e-6 * rate.max(1.0) >= 1.0);
                    tokens -= 1.0;
                    admitted.push(now_ns);
                } else {
                    prop_assert!(tokens < 1.0 + slack, "refused with {tokens} tokens");
                }
            }
            for (from, &start) in admitted.iter().enumerate() {
                for (to, &end) in admitted.iter().enumerate().skip(from) {
                    let bound = (end - start) as f64 * rate / 1e9 + burst as f64;
                    prop_assert!((to - from + 1) as f64 <= bound + 1e-6);
                }
            }
        }
    }

    #[test]
    fn threads_together_keep_the_bound() {
        let bucket = Bucket::new(1_000.0, 50);
        let admitted: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| (0..20_000_u64).filter(|step| bucket.try_take(step * 50_000)).count())
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        // One second of virtual time: every thread walks the same clock, so the bound is that of one second.
        assert!(admitted <= 1_050, "{admitted}");
        assert!(admitted >= 1_000, "{admitted}");
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use loom::sync::Arc;

    use super::*;

    fn admitted_by_threads(threads: usize, burst: u64, times_ns: &'static [u64]) {
        loom::model(move || {
            let bucket = Arc::new(Bucket::new(1e9, burst));
            let handles: Vec<_> = (0..threads)
                .map(|_| {
                    let bucket = Arc::clone(&bucket);
                    loom::thread::spawn(move || {
                        times_ns.iter().filter(|&&now| bucket.try_take(now)).count() as u64
                    })
                })
                .collect();
            let admitted: u64 = handles.into_iter().map(|handle| handle.join().expect("no panic")).sum();
            let (first, last) = (times_ns[0], times_ns[times_ns.len() - 1]);
            assert!(admitted <= last - first + burst, "{admitted} admitted");
            // Tokens that are there are given out: what all threads ask at the start alone is the burst.
            assert!(admitted >= burst.min(threads as u64), "{admitted} admitted");
        });
    }

    #[test]
    fn loom_two_threads_share_one_token() {
        admitted_by_threads(2, 1, &[0]);
    }

    #[test]
    fn loom_two_threads_and_a_refill() {
        admitted_by_threads(2, 2, &[0, 1]);
    }

    #[test]
    fn loom_three_threads() {
        admitted_by_threads(3, 2, &[0]);
    }
}
