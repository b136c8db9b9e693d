//! Random bits for request ids and trace ids: unique, not secret.

/// A per-shard generator (splitmix64), seeded from the system once.
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// A generator whose sequence is fixed by `seed`; tests and simulation pass one, live shards draw it.
    pub(crate) fn seeded(seed: u64) -> Self {
        Random { state: seed }
    }

    /// Seeds from the operating system.
    pub(crate) fn from_system() -> Self {
        let mut seed = [0_u8; 8];
        // Without entropy the ids are still distinct within the shard.
        let _ = getrandom::fill(&mut seed);
        Random::seeded(u64::from_le_bytes(seed))
    }

    /// 64 uniformly distributed bits.
    pub(crate) fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
