//! Receive buffers in ordinary memory, lent by slice and counted: for runtimes without a kernel buffer ring.

use super::Lent;

/// Bytes in one buffer.
pub(crate) const BUFFER_BYTES: usize = 16 * 1024;

/// Buffers of one runtime; made as traffic asks, up to a bound.
pub(crate) struct BufferPool {
    buffers: Vec<Box<[u8]>>,
    holders: Vec<u16>,
    free: Vec<u16>,
    buffers_max: usize,
}

impl BufferPool {
    pub(crate) fn new(buffers_max: usize) -> Self {
        let buffers_max = buffers_max.min(usize::from(u16::MAX));
        BufferPool { buffers: Vec::new(), holders: Vec::new(), free: Vec::new(), buffers_max }
    }

    /// A free buffer to read into, or nothing at the bound.
    pub(crate) fn take(&mut self) -> Option<u16> {
        if let Some(id) = self.free.pop() {
            return Some(id);
        }
        let id = u16::try_from(self.buffers.len()).ok().filter(|_| self.buffers.len() < self.buffers_max)?;
        self.buffers.push(vec![0; BUFFER_BYTES].into_boxed_slice());
        self.holders.push(0);
        Some(id)
    }

    /// The whole of a taken buffer.
    pub(crate) fn whole(&mut self, id: u16) -> &mut [u8] {
        &mut self.buffers[id as usize]
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
        let start = lent.start as usize;
        &self.buffers[lent.id as usize][start..start + lent.len as usize]
    }

    /// The bytes of a slice that is the only one of its buffer.
    pub(crate) fn bytes_mut(&mut self, lent: &Lent) -> &mut [u8] {
        debug_assert_eq!(self.holders[lent.id as usize], 1, "nobody else reads what is changed");
        let start = lent.start as usize;
        &mut self.buffers[lent.id as usize][start..start + lent.len as usize]
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

    /// Whether less than a quarter is left.
    pub(crate) fn scarce(&self) -> bool {
        self.free.len() + (self.buffers_max - self.buffers.len()) < self.buffers_max / 4
    }

    /// Buffers that somebody holds.
    pub(crate) fn held(&self) -> usize {
        self.buffers.len() - self.free.len()
    }
}
