//! The way out of a connection: as it is, or through its TLS session.

use crate::rt::{Chunk, Runtime, SocketKey};
use crate::tls::Session;

/// Where bytes for a peer go.
pub(crate) struct Egress<'a, R: Runtime> {
    pub(crate) rt: &'a mut R,
    pub(crate) socket: SocketKey,
    pub(crate) session: Option<&'a mut Session>,
}

impl<R: Runtime> Egress<'_, R> {
    /// Queues plain bytes; they leave with everything else of this turn.
    pub(crate) fn send(&mut self, chunk: Chunk) {
        let Some(session) = self.session.as_deref_mut() else {
            self.rt.send(self.socket, chunk);
            return;
        };
        let mut records = self.rt.take_buffer();
        let plain: &[u8] = match &chunk {
            Chunk::Owned(bytes) => bytes,
            Chunk::Lent(lent) => self.rt.bytes(lent),
            Chunk::Shared(bytes) => bytes,
            Chunk::Static(bytes) => bytes,
        };
        if !plain.is_empty() && session.encrypt(plain, &mut records).is_err() {
            // The session is over, and its connection is about to be: nobody would read it.
            records.clear();
        }
        match chunk {
            Chunk::Owned(bytes) => self.rt.give_buffer(bytes),
            Chunk::Lent(lent) => self.rt.release(lent),
            Chunk::Shared(_) | Chunk::Static(_) => {}
        }
        self.rt.send(self.socket, Chunk::Owned(records));
    }

    /// Queues the word that nothing more follows, where there is one (RFC 8446 section 6.1).
    pub(crate) fn close_notify(&mut self) {
        if let Some(session) = self.session.as_deref_mut() {
            let mut records = self.rt.take_buffer();
            session.close(&mut records);
            self.rt.send(self.socket, Chunk::Owned(records));
        }
    }
}
