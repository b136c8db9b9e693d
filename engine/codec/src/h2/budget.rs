//! Budgets: how much unproductive work a peer may ask for.

/// How much is free at once, and how much of it comes back each second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Events.
    pub burst: u32,
    /// Events per second.
    pub per_second: u32,
}

/// What has been spent of an [`Allowance`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Budget(u32);

impl Budget {
    /// Spends one event; false when there was none left.
    #[inline]
    pub(super) fn spend(&mut self, allowance: Allowance) -> bool {
        self.0 = self.0.saturating_add(1);
        self.0 <= allowance.burst
    }

    /// Gives events back: a second has passed, or useful work explains some.
    #[inline]
    pub(super) fn earn(&mut self, events: u32) {
        self.0 = self.0.saturating_sub(events);
    }
}
