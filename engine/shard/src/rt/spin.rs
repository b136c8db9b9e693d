//! Adaptive polling before sleep: worth its CPU only while the next event is near.
//!
//! A sleep and a wake-up cost several microseconds each, which one connection at a time feels. While recent lulls were
//! shorter than the budget, the loop polls that long before it sleeps; when they grow longer it sleeps at once.

/// Weight of the newest lull in the running mean, as a shift.
const NEWEST_SHIFT: u32 = 3;

/// How long to poll, and how long the loop had nothing to do lately.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spin {
    budget_ns: u64,
    lull_ns: u64,
}

impl Spin {
    /// Polls for at most `budget_us` microseconds at a time; never for zero.
    pub(super) fn new(budget_us: u64) -> Self {
        Spin { budget_ns: budget_us.saturating_mul(1_000), lull_ns: 0 }
    }

    /// How long to poll now; `None` to sleep at once.
    pub(super) fn budget(&self) -> Option<u64> {
        (self.budget_ns > 0 && self.lull_ns <= self.budget_ns).then_some(self.budget_ns)
    }

    /// Whether lulls have to be measured at all.
    pub(super) fn is_on(&self) -> bool {
        self.budget_ns > 0
    }

    /// Notes that nothing happened for so long. A long lull counts as one just over the budget, so that polling begins
    /// again after a few short ones.
    pub(super) fn note(&mut self, lull_ns: u64) {
        let lull_ns = lull_ns.min(self.budget_ns.saturating_mul(4));
        self.lull_ns = self.lull_ns - (self.lull_ns >> NEWEST_SHIFT) + (lull_ns >> NEWEST_SHIFT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polling_follows_the_traffic() {
        let mut spin = Spin::new(50);
        assert_eq!(spin.budget(), Some(50_000));
        for _ in 0..20 {
            spin.note(10_000_000);
        }
        assert_eq!(spin.budget(), None, "nothing is near");
        let mut short = 0;
        while spin.budget().is_none() {
            spin.note(5_000);
            short += 1;
        }
        assert!((2..40).contains(&short), "{short} short lulls");
        assert!(Spin::new(0).budget().is_none() && !Spin::new(0).is_on());
    }
}
