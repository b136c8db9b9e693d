//! Things kept for reuse: as many as traffic lately needed at once, so that a busy shard allocates nothing and a burst
//! doesn't stay in memory.

/// Between two looks at what was not needed; a turn may wait so long while [`Spare::trim`] asks for another.
pub(crate) const LOOK_NS: u64 = 1_000_000_000;

/// A stack of spare things. The one given last is taken first, while it is still in the cache.
#[derive(Debug)]
pub(crate) struct Spare<T> {
    kept: Vec<T>,
    /// How many may be kept now: between `few` and `many`, one more for each that was missing.
    limit: usize,
    few: usize,
    many: usize,
    /// The fewest that were kept since the last look: nobody needed those.
    idle: usize,
    look_at_ns: u64,
}

impl<T> Spare<T> {
    /// An empty stack that always keeps `few` and never more than `many`.
    pub(crate) const fn new(few: usize, many: usize) -> Self {
        Spare { kept: Vec::new(), limit: few, few, many, idle: 0, look_at_ns: 0 }
    }

    /// A spare one.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<T> {
        let taken = self.kept.pop();
        if taken.is_none() {
            self.limit = self.many.min(self.limit + 1);
        }
        self.idle = self.idle.min(self.kept.len());
        taken
    }

    /// Keeps one, or drops it if enough are kept.
    #[inline]
    pub(crate) fn give(&mut self, one: T) {
        if self.kept.len() < self.limit {
            self.kept.push(one);
        }
    }

    /// How many are kept.
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    /// To be called once per turn: once in a while it drops what nobody needed. True if it should be called again
    /// within [`LOOK_NS`] even if nothing happens, because more than a few are kept.
    pub(crate) fn trim(&mut self, now_ns: u64) -> bool {
        if now_ns >= self.look_at_ns {
            self.look_at_ns = now_ns + LOOK_NS;
            self.limit = self.few.max(self.limit - self.limit.min(self.idle));
            self.kept.truncate(self.few.max(self.kept.len() - self.idle));
            self.kept.shrink_to(self.limit.min(2 * self.kept.len()));
            self.idle = self.kept.len();
        }
        self.kept.len() > self.few
    }
}

/// Entries that a list or slab may keep room for, whatever it holds.
pub(crate) const ROOM_FEW: usize = 256;

/// Whether a container has far more room than it uses.
pub(crate) fn is_wasteful(len: usize, capacity: usize) -> bool {
    capacity > ROOM_FEW && capacity / 4 > len
}

/// Gives back most of what a list has room for and doesn't use. To be called once in a while.
pub(crate) fn trim_list<T>(list: &mut Vec<T>) {
    if is_wasteful(list.len(), list.capacity()) {
        list.shrink_to(ROOM_FEW.max(list.len() * 2));
    }
}

/// As [`trim_list`]; entries stay where they are, so one at the end keeps all the places before it.
pub(crate) fn trim_slab<T>(slab: &mut slab::Slab<T>) {
    if is_wasteful(slab.len(), slab.capacity()) {
        slab.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burst(spare: &mut Spare<u32>, count: u32) -> usize {
        let taken: Vec<Option<u32>> = (0..count).map(|_| spare.take()).collect();
        let missing = taken.iter().filter(|one| one.is_none()).count();
        (0..count).for_each(|one| spare.give(one));
        missing
    }

    #[test]
    fn a_steady_load_misses_nothing_after_its_first_round() {
        let mut spare = Spare::new(4, 1_000);
        assert_eq!(burst(&mut spare, 100), 100);
        for second in 1..10 {
            assert_eq!(burst(&mut spare, 100), 0);
            assert!(spare.trim(second * LOOK_NS));
        }
    }

    #[test]
    fn a_burst_is_forgotten() {
        let mut spare = Spare::new(4, 1_000);
        burst(&mut spare, 500);
        burst(&mut spare, 10);
        assert!(spare.trim(LOOK_NS));
        for second in 2..5 {
            burst(&mut spare, 10);
            spare.trim(second * LOOK_NS);
        }
        assert!(spare.kept.len() <= 14, "{} are kept", spare.kept.len());
        assert!(!(5..8).all(|second| spare.trim(second * LOOK_NS)), "an idle shard keeps a few");
        assert_eq!(spare.kept.len(), 4);
    }

    #[test]
    fn room_that_is_not_used_goes() {
        let mut list: Vec<u32> = (0..10_000).collect();
        trim_list(&mut list);
        assert_eq!(list.len(), 10_000);
        list.truncate(5);
        trim_list(&mut list);
        assert!(list.len() == 5 && list.capacity() <= 1_000, "{}", list.capacity());
        let mut slab = slab::Slab::new();
        for entry in 0..10_000 {
            slab.insert(entry);
        }
        slab.retain(|_, entry| *entry < 5);
        trim_slab(&mut slab);
        assert!(slab.capacity() <= 1_000, "{}", slab.capacity());
        assert_eq!(slab.get(4), Some(&4));
        assert_eq!(slab.insert(9), 5, "places are used in order");
    }

    #[test]
    fn few_that_are_left_of_many_go_as_quickly() {
        let mut spare = Spare::new(0, 1_000);
        burst(&mut spare, 1_000);
        // Most are in use elsewhere, or weren't worth keeping.
        assert!((0..990).all(|_| spare.take().is_some()));
        spare.trim(LOOK_NS);
        assert!(!spare.trim(2 * LOOK_NS), "{} are kept", spare.kept.len());
    }

    #[test]
    fn there_is_a_bound() {
        let mut spare = Spare::new(4, 50);
        burst(&mut spare, 500);
        burst(&mut spare, 500);
        assert_eq!(spare.kept.len(), 50);
    }
}
