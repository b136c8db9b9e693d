//! Receive buffers that the kernel fills: one provided-buffer ring per shard, grown in groups as traffic asks.
//!
//! A buffer is lent to the shard with each arrival and comes back when its last slice is released. Memory is
//! reserved in groups of 64 and touched only as far as messages reach, so an idle sidecar pays for little. When traffic
//! falls, buffers that nobody needed are kept back as they are released, and what lies in free ones is given to the kernel.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::io;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::IoUring;
use io_uring::types::BufRingEntry;

use super::super::Lent;
use super::super::pages::Pages;

/// Bytes in one receive buffer. 64 KiB ones gained nothing on large bodies (docs/performance.md).
pub(crate) const BUFFER_BYTES: usize = 16 * 1024;
/// Buffers added at a time.
const GROUP: usize = 64;
/// Name of the only buffer group of a ring.
pub(super) const BUFFER_GROUP: u16 = 0;

/// The buffers of one ring.
pub(super) struct Buffers {
    entries: *mut BufRingEntry,
    layout: Layout,
    mask: u16,
    tail: u16,
    published: u16,
    groups: Vec<Pages>,
    holders: Vec<u16>,
    /// Free buffers that the kernel doesn't get for now.
    kept_back: Vec<u16>,
    /// So many are to be kept back as they are released.
    surplus: usize,
    /// The fewest that the kernel had since the last look: nobody needed those.
    idle: usize,
    /// Buffers were lent since their memory was last given to the kernel.
    pub(super) touched: bool,
    buffers_max: usize,
    /// Buffers that the kernel may fill now.
    pub(super) free: usize,
}

impl Buffers {
    /// Registers an empty ring of `buffers_max` places (a power of two, at most 32,768) and adds the first group.
    pub(super) fn register(ring: &IoUring, buffers_max: usize) -> io::Result<Self> {
        let places = buffers_max.next_power_of_two().clamp(GROUP, 32_768);
        let layout = Layout::from_size_align(places * size_of::<BufRingEntry>(), 4096)
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        // SAFETY: the layout has a non-zero size; the null case is handled.
        let entries = unsafe { alloc(layout) }.cast::<BufRingEntry>();
        if entries.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: `entries` is valid for `places` entries; zero is a valid entry, and the tail lies inside the first.
        unsafe { entries.write_bytes(0, places) };
        let mut buffers = Buffers {
            entries,
            layout,
            mask: u16::try_from(places - 1).expect("at most 32,768 places"),
            tail: 0,
            published: 0,
            groups: Vec::new(),
            holders: Vec::new(),
            kept_back: Vec::new(),
            surplus: 0,
            idle: 0,
            touched: false,
            buffers_max: places,
            free: 0,
        };
        // SAFETY: the memory is page-aligned, lives until `self` is dropped, and the ring is torn down before that.
        unsafe {
            ring.submitter().register_buf_ring_with_flags(
                buffers.entries as u64,
                u16::try_from(places).expect("at most 32,768 places"),
                BUFFER_GROUP,
                0,
            )?;
        }
        if !buffers.grow() {
            return Err(io::Error::from(io::ErrorKind::OutOfMemory));
        }
        Ok(buffers)
    }

    /// Adds a group if the bound allows, or offers what was kept back; returns whether it did.
    pub(super) fn grow(&mut self) -> bool {
        self.surplus = 0;
        if !self.kept_back.is_empty() {
            let from = self.kept_back.len().saturating_sub(GROUP);
            for id in self.kept_back.split_off(from) {
                self.offer(id);
            }
            self.publish();
            return true;
        }
        let first = self.holders.len();
        if first + GROUP > self.buffers_max {
            return false;
        }
        let Ok(group) = Pages::new(GROUP * BUFFER_BYTES) else { return false };
        self.groups.push(group);
        self.holders.resize(first + GROUP, 0);
        for id in first..first + GROUP {
            self.offer(u16::try_from(id).expect("at most 32,768 buffers"));
        }
        self.publish();
        true
    }

    /// Notes that the kernel filled buffer `id` and the shard holds one slice of it.
    pub(super) fn lend(&mut self, id: u16, len: u32) -> Lent {
        self.holders[id as usize] = 1;
        self.free -= 1;
        self.idle = self.idle.min(self.free);
        self.touched = true;
        Lent { id, start: 0, len }
    }

    /// Whether less than a quarter of all the buffers that may ever be is left to the kernel.
    pub(super) fn scarce(&self) -> bool {
        self.free + self.kept_back.len() + (self.buffers_max - self.holders.len()) < self.buffers_max / 4
    }

    /// Buffers that somebody holds.
    pub(super) fn lent(&self) -> usize {
        self.holders.len() - self.free - self.kept_back.len()
    }

    /// One more holder of the same buffer.
    pub(super) fn slice(&mut self, lent: &Lent, range: std::ops::Range<usize>) -> Lent {
        assert!(range.start <= range.end && range.end <= lent.len(), "slice lies within the lent one");
        self.holders[lent.id as usize] += 1;
        Lent {
            id: lent.id,
            start: lent.start + u32::try_from(range.start).expect("within a buffer"),
            len: u32::try_from(range.end - range.start).expect("within a buffer"),
        }
    }

    /// Gives a slice back; the buffer is offered to the kernel again after the last one.
    #[expect(clippy::needless_pass_by_value, reason = "taking the slice is what ends the loan")]
    pub(super) fn release(&mut self, lent: Lent) {
        let holders = &mut self.holders[lent.id as usize];
        *holders -= 1;
        if *holders > 0 {
            return;
        }
        if self.surplus > 0 {
            self.surplus -= 1;
            self.kept_back.push(lent.id);
        } else {
            self.offer(lent.id);
        }
    }

    /// To be called once in a while, when every completion has been read, as `settled` says: what the kernel has filled is
    /// known to be lent then, and what isn't lent holds nothing. It keeps back what nobody needed since the last call, and
    /// gives the memory of free buffers to the kernel.
    pub(super) fn trim(&mut self, settled: bool) {
        // A group more than was needed stays, and one at least.
        let offered = self.holders.len() - self.kept_back.len();
        self.surplus = self.idle.saturating_sub(GROUP).min(offered.saturating_sub(GROUP));
        let unused = self.idle == self.free;
        self.idle = self.free;
        if self.touched && settled && (self.surplus > 0 || unused) {
            self.touched = false;
            self.give_pages_back();
        }
    }

    /// Gives the memory of every free buffer to the kernel, whether offered or kept back: what is filled next finds pages
    /// of zeros there.
    fn give_pages_back(&mut self) {
        let mut index = 0;
        while index < self.holders.len() {
            let group = index / GROUP;
            let run =
                self.holders[index..(group + 1) * GROUP].iter().take_while(|&&holders| holders == 0).count();
            if run > 0 {
                let start = (index % GROUP) * BUFFER_BYTES;
                self.groups[group].give_back(start..start + run * BUFFER_BYTES);
            }
            index += run.max(1);
        }
    }

    /// The bytes of a slice.
    pub(super) fn bytes(&self, lent: &Lent) -> &[u8] {
        let id = lent.id as usize;
        let start = (id % GROUP) * BUFFER_BYTES + lent.start as usize;
        &self.groups[id / GROUP].bytes()[start..start + lent.len as usize]
    }

    /// The bytes of a slice that is the only one of its buffer.
    pub(super) fn bytes_mut(&mut self, lent: &Lent) -> &mut [u8] {
        let id = lent.id as usize;
        debug_assert_eq!(self.holders[id], 1, "nobody else reads what is changed");
        let start = (id % GROUP) * BUFFER_BYTES + lent.start as usize;
        &mut self.groups[id / GROUP].bytes_mut()[start..start + lent.len as usize]
    }

    fn offer(&mut self, id: u16) {
        let index = id as usize;
        let address = self.groups[index / GROUP].bytes()[(index % GROUP) * BUFFER_BYTES..].as_ptr();
        // SAFETY: the masked index lies within the registered entries; the kernel reads an entry only after the tail
        // is published, and not again until the tail comes round, which needs this buffer to be offered anew.
        let entry = unsafe { &mut *self.entries.add((self.tail & self.mask) as usize) };
        entry.set_addr(address as u64);
        entry.set_len(u32::try_from(BUFFER_BYTES).expect("fits"));
        entry.set_bid(id);
        self.tail = self.tail.wrapping_add(1);
        self.free += 1;
    }

    /// Lets the kernel see what was offered since the last call.
    pub(super) fn publish(&mut self) {
        if self.published != self.tail {
            // SAFETY: the tail lies within the first entry, is aligned for u16, and is written by this thread alone.
            let tail = unsafe { &*BufRingEntry::tail(self.entries).cast::<AtomicU16>() };
            tail.store(self.tail, Ordering::Release);
            self.published = self.tail;
        }
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout in `register`; the ring that knew it is gone (see `Ring`'s field order).
        unsafe { dealloc(self.entries.cast(), self.layout) };
    }
}
