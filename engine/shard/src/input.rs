//! Bytes that arrived and how far they have been read: a lent receive buffer, or a carry of earlier leftovers.

use std::ops::Range;

use crate::rt::{Chunk, Lent, Runtime};

/// Pieces up to this size are copied into the head's buffer: one copy is cheaper than a longer gather list.
pub(crate) const COPY_MAX: usize = 4096;

/// Unread bytes of a connection.
pub(crate) struct Input {
    source: Source,
    at: usize,
}

enum Source {
    Lent(Lent),
    Carry(Vec<u8>),
}

impl Input {
    pub(crate) fn lent(lent: Lent) -> Self {
        Input { source: Source::Lent(lent), at: 0 }
    }

    pub(crate) fn carry(carry: Vec<u8>) -> Self {
        Input { source: Source::Carry(carry), at: 0 }
    }

    /// What has not been read.
    pub(crate) fn rest<'a, R: Runtime>(&'a self, rt: &'a R) -> &'a [u8] {
        match &self.source {
            Source::Lent(lent) => &rt.bytes(lent)[self.at..],
            Source::Carry(carry) => &carry[self.at..],
        }
    }

    /// Bytes not read.
    pub(crate) fn len(&self) -> usize {
        match &self.source {
            Source::Lent(lent) => lent.len() - self.at,
            Source::Carry(carry) => carry.len() - self.at,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Marks `count` bytes as read.
    pub(crate) fn advance(&mut self, count: usize) {
        assert!(count <= self.len(), "no more is read than is there");
        self.at += count;
    }

    /// The bytes of `range` (counted from the first unread one) as a piece to send, without a copy where it is lent.
    pub(crate) fn piece<R: Runtime>(&self, rt: &mut R, range: Range<usize>) -> Chunk {
        match &self.source {
            Source::Lent(lent) if !rt.scarce() => {
                Chunk::Lent(rt.slice(lent, self.at + range.start..self.at + range.end))
            }
            _ => {
                let mut copy = rt.take_buffer();
                copy.extend_from_slice(&self.rest(rt)[range]);
                Chunk::Owned(copy)
            }
        }
    }

    /// Ends the reading: the unread rest as a carry of its own (empty if all was read), the buffer given back.
    pub(crate) fn into_carry<R: Runtime>(self, rt: &mut R) -> Vec<u8> {
        match self.source {
            Source::Lent(lent) => {
                let mut carry = Vec::new();
                if self.at < lent.len() {
                    carry = rt.take_buffer();
                    carry.extend_from_slice(&rt.bytes(&lent)[self.at..]);
                }
                rt.release(lent);
                carry
            }
            Source::Carry(mut carry) => {
                if self.at == carry.len() {
                    rt.give_buffer(carry);
                    return Vec::new();
                }
                carry.drain(..self.at);
                carry
            }
        }
    }

    /// Ends the reading and forgets the rest.
    pub(crate) fn discard<R: Runtime>(self, rt: &mut R) {
        match self.source {
            Source::Lent(lent) => rt.release(lent),
            Source::Carry(carry) => rt.give_buffer(carry),
        }
    }
}
