//! Bytes on their way out: owned, lent by a receive buffer, or shared between requests.

use std::sync::Arc;

use super::Lent;

/// One piece of a gathered send.
#[derive(Debug)]
pub enum Chunk {
    /// A buffer of [`Runtime::take_buffer`](super::Runtime::take_buffer); recycled once sent.
    Owned(Vec<u8>),
    /// A slice of a receive buffer, passed on without a copy; given back once sent.
    Lent(Lent),
    /// Bytes that live in the plan.
    Shared(Arc<[u8]>),
    /// Bytes that live in the program.
    Static(&'static [u8]),
}

impl Chunk {
    /// Bytes in the piece.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Chunk::Owned(bytes) => bytes.len(),
            Chunk::Lent(lent) => lent.len(),
            Chunk::Shared(bytes) => bytes.len(),
            Chunk::Static(bytes) => bytes.len(),
        }
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
