//! The one source of chance in a simulation: everything that happens follows from its seed.

use crate::random::Random;

/// Seeded dice.
pub struct Dice {
    random: Random,
}

impl Dice {
    /// Dice whose rolls are fixed by `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Dice { random: Random::seeded(seed) }
    }

    /// A number below `bound`; zero if the bound is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The bias of the remainder is far below what a simulation can notice.
        self.random.draw().checked_rem(bound).unwrap_or(0)
    }

    /// A number from `least` to `most`.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// Whether something with a chance of `percent` comes to pass.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A length up to `most`, at least one, small ones as likely as large ones.
    pub fn length(&mut self, most: usize) -> usize {
        let bound = match self.below(4) {
            0 => 1,
            1 => most.min(16),
            2 => most.min(1024),
            _ => most,
        };
        usize::try_from(self.between(1, bound.max(1) as u64)).unwrap_or(1)
    }

    /// One of the items.
    ///
    /// # Panics
    /// There are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let index = usize::try_from(self.below(items.len() as u64)).expect("an index");
        &items[index]
    }

    /// Puts the items into an order of chance.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = usize::try_from(self.below(last as u64 + 1)).expect("an index");
            items.swap(last, other);
        }
    }
}
