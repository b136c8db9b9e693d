//! Streams that are open, and how the last ones ended (RFC 9113 §5.1).

use std::collections::VecDeque;

use super::flow::{ReceiveWindow, SendWindow};

/// A stream between its first HEADERS and its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream {
    pub(super) send_window: SendWindow,
    pub(super) receive_window: ReceiveWindow,
    /// Body bytes that the peer's content-length leaves.
    pub(super) body_left: Option<u64>,
    /// The peer's final head has come.
    pub(super) head_received: bool,
    /// Our final head has gone.
    pub(super) head_sent: bool,
    /// END_STREAM has come.
    pub(super) remote_ended: bool,
    /// END_STREAM has gone.
    pub(super) local_ended: bool,
    /// The request is HEAD, so the answer has a length but no body.
    pub(super) is_head: bool,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// Both sides have sent END_STREAM.
    Ended,
    /// The peer has sent RST_STREAM.
    ByPeer,
    /// We have; frames that the peer sent before it knew are ignored.
    ByUs,
    /// Never opened, as a higher id came first (§5.1.1).
    Skipped,
    /// So long ago that nobody remembers.
    Forgotten,
}

/// Streams by id. Ids only rise, so they stay sorted as they come; a slot is a stream's place as long as it lives.
#[derive(Debug, Default)]
pub(super) struct Streams {
    ids: Vec<(u32, u16)>,
    slots: Vec<Stream>,
    free: Vec<u16>,
    closed: VecDeque<(u32, Closed)>,
    closed_max: usize,
    /// The highest id that has left `closed`.
    forgotten: u32,
}

impl Streams {
    pub(super) fn new(closed_max: usize) -> Self {
        Streams { closed_max, ..Streams::default() }
    }

    /// Bytes on the heap.
    pub(super) fn held_bytes(&self) -> usize {
        self.ids.capacity() * size_of::<(u32, u16)>()
            + self.slots.capacity() * size_of::<Stream>()
            + self.closed.capacity() * size_of::<(u32, Closed)>()
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Adds a stream; its id is above all others.
    pub(super) fn open(&mut self, id: u32, stream: Stream) {
        debug_assert!(self.ids.last().is_none_or(|&(last, _)| last < id), "ids rise");
        let slot = self.free.pop().unwrap_or(self.slots.len() as u16);
        if slot as usize == self.slots.len() {
            self.slots.push(stream);
        } else {
            self.slots[slot as usize] = stream;
        }
        self.ids.push((id, slot));
    }

    /// A stream's place in a table of open streams.
    #[inline]
    pub(super) fn slot(&self, id: u32) -> Option<usize> {
        self.ids.binary_search_by_key(&id, |&(id, _)| id).ok().map(|at| self.ids[at].1 as usize)
    }

    #[inline]
    pub(super) fn get(&self, id: u32) -> Option<&Stream> {
        self.slot(id).map(|slot| &self.slots[slot])
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Stream> {
        self.slot(id).map(|slot| &mut self.slots[slot])
    }

    /// Removes a stream and remembers how it ended; false if it wasn't open.
    pub(super) fn close(&mut self, id: u32, how: Closed) -> bool {
        let Ok(at) = self.ids.binary_search_by_key(&id, |&(id, _)| id) else { return false };
        let (_, slot) = self.ids.remove(at);
        self.free.push(slot);
        self.remember(id, how);
        true
    }

    /// Remembers how a stream ended that was never open here.
    pub(super) fn remember(&mut self, id: u32, how: Closed) {
        if self.closed.len() >= self.closed_max
            && let Some((oldest, _)) = self.closed.pop_front()
        {
            self.forgotten = self.forgotten.max(oldest);
        }
        self.closed.push_back((id, how));
    }

    /// How a stream ended whose id isn't above all others and that isn't open.
    pub(super) fn end_of(&self, id: u32) -> Closed {
        let known = self.closed.iter().rev().find(|(closed, _)| *closed == id);
        known.map_or(if id <= self.forgotten { Closed::Forgotten } else { Closed::Skipped }, |(_, how)| *how)
    }

    /// Calls `change` for every open stream; false once it was false for one.
    pub(super) fn all(&mut self, mut change: impl FnMut(&mut Stream) -> bool) -> bool {
        self.ids.iter().all(|&(_, slot)| change(&mut self.slots[slot as usize]))
    }

    /// Removes the streams above `last`; they count as reset by the peer.
    pub(super) fn close_above(&mut self, last: u32) {
        while let Some(&(id, _)) = self.ids.last()
            && id > last
        {
            self.close(id, Closed::ByPeer);
        }
    }
}
