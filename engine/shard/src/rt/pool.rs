//! Receive buffers in ordinary memory, lent by slice and counted: for runtimes without a kernel buffer ring.
//!
//! When traffic falls, the memory of those that nobody needed is given back to the kernel; the places stay.

use super::Lent;
use super::pages::Pages;
use crate::spare::LOOK_NS;

/// Bytes in one buffer.
pub(crate) const BUFFER_BYTES: usize = 16 * 1024;
/// Buffers made at a time.
const GROUP: usize = 64;

/// Buffers of one runtime; made as traffic asks, up to a bound.
pub(crate) struct BufferPool {
    groups: Vec<Pages>,
    holders: Vec<u16>,
    /// The one given back last is taken first, so that those at the bottom are the ones that nobody needs.
    free: Vec<u16>,
    /// The fewest that were free since the last look, and how many of the lowest have no memory.
    idle: usize,
    bare: usize,
    look_at_ns: u64,
    buffers_max: usize,
}

impl BufferPool {
    pub(crate) fn new(buffers_max: usize) -> Self {
        let buffers_max = buffers_max.min(usize::from(u16::MAX));
        BufferPool {
            groups: Vec::new(),
            holders: Vec::new(),
            free: Vec::new(),
            idle: 0,
            bare: 0,
            look_at_ns: 0,
            buffers_max,
        }
    }

    /// A free buffer to read into, or nothing at the bound.
    pub(crate) fn take(&mut self) -> Option<u16> {
        if self.free.is_empty() {
            self.grow();
        }
        let id = self.free.pop()?;
        self.idle = self.idle.min(self.free.len());
        self.bare = self.bare.min(self.free.len());
        Some(id)
    }

    fn grow(&mut self) {
        let first = self.holders.len();
        let count = GROUP.min(self.buffers_max - first);
        if count == 0 {
            return;
        }
        let Ok(group) = Pages::new(GROUP * BUFFER_BYTES) else { return };
        self.groups.push(group);
        self.holders.resize(first + count, 0);
        let ids = (first..first + count).rev().map(|id| u16::try_from(id).expect("at most 65,535 buffers"));
        self.free.extend(ids);
    }

    /// The whole of a taken buffer.
    pub(crate) fn whole(&mut self, id: u16) -> &mut [u8] {
        let start = (usize::from(id) % GROUP) * BUFFER_BYTES;
        &mut self.groups[usize::from(id) / GROUP].bytes_mut()[start..start + BUFFER_BYTES]
    }

    /// Gives a taken buffer back unused.
    pub(crate) fn untake(&mut self, id: u16) {
        self.free.push(id);
    }

    /// Lends the first `len` bytes of a taken buffer.
    pub(crate) fn lend(&mut self, id: u16, len: usize) -> Lent {
        self.holders[id as usize] = 1;
        Lent { id, start: 0, len: u32::try_from(len).expect("within a buffer") }
    }

    pub(crate) fn bytes(&self, lent: &Lent) -> &[u8] {
        let start = (usize::from(lent.id) % GROUP) * BUFFER_BYTES + lent.start as usize;
        &self.groups[usize::from(lent.id) / GROUP].bytes()[start..start + lent.len as usize]
    }

    /// The bytes of a slice that is the only one of its buffer.
    pub(crate) fn bytes_mut(&mut self, lent: &Lent) -> &mut [u8] {
        debug_assert_eq!(self.holders[lent.id as usize], 1, "nobody else reads what is changed");
        let start = lent.start as usize;
        &mut self.whole(lent.id)[start..start + lent.len as usize]
    }

    pub(crate) fn slice(&mut self, lent: &Lent, range: std::ops::Range<usize>) -> Lent {
        assert!(range.start <= range.end && range.end <= lent.len(), "slice lies within the lent one");
        self.holders[lent.id as usize] += 1;
        Lent {
            id: lent.id,
            start: lent.start + u32::try_from(range.start).expect("within a buffer"),
            len: u32::try_from(range.end - range.start).expect("within a buffer"),
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "taking the slice is what ends the loan")]
    pub(crate) fn release(&mut self, lent: Lent) {
        let holders = &mut self.holders[lent.id as usize];
        *holders -= 1;
        if *holders == 0 {
            self.free.push(lent.id);
        }
    }

    /// To be called once per turn: once in a while it gives the memory of those that nobody needed back. True if it should
    /// be called again within [`LOOK_NS`] even if nothing happens, because there are some.
    pub(crate) fn trim(&mut self, now_ns: u64) -> bool {
        if now_ns >= self.look_at_ns {
            self.look_at_ns = now_ns + LOOK_NS;
            for &id in &self.free[self.bare..self.idle.max(self.bare)] {
                let start = (usize::from(id) % GROUP) * BUFFER_BYTES;
                self.groups[usize::from(id) / GROUP].give_back(start..start + BUFFER_BYTES);
            }
            self.bare = self.bare.max(self.idle);
            self.idle = self.free.len();
        }
        self.bare < self.free.len()
    }

    /// Whether less than a quarter is left.
    pub(crate) fn scarce(&self) -> bool {
        self.free.len() + (self.buffers_max - self.holders.len()) < self.buffers_max / 4
    }

    /// Buffers that somebody holds.
    pub(crate) fn held(&self) -> usize {
        self.holders.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burst(pool: &mut BufferPool, count: usize) {
        let lent: Vec<Lent> = (0..count)
            .map(|_| {
                let id = pool.take().expect("a buffer");
                pool.whole(id).fill(1);
                pool.lend(id, BUFFER_BYTES)
            })
            .collect();
        lent.into_iter().for_each(|lent| pool.release(lent));
    }

    #[test]
    fn what_nobody_needed_is_given_back_and_used_again() {
        let mut pool = BufferPool::new(256);
        pool.trim(0);
        burst(&mut pool, 200);
        assert!(pool.trim(LOOK_NS), "all were needed");
        burst(&mut pool, 10);
        assert!(pool.trim(2 * LOOK_NS));
        let free: Vec<u16> = pool.free.clone();
        let bare = free.iter().filter(|&&id| pool.whole(id)[0] == 0).count();
        assert_eq!((bare, pool.bare), (pool.holders.len() - 10, pool.holders.len() - 10));
        assert!(!pool.trim(3 * LOOK_NS), "at rest none has memory");
        burst(&mut pool, 256);
        assert!(pool.trim(4 * LOOK_NS));
        assert_eq!(pool.held(), 0);
        assert!((0..256).all(|_| pool.take().is_some()) && pool.take().is_none(), "the bound holds");
    }
}
