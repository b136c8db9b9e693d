//! Connections under TLS: what arrives is decrypted before it is read, and each end is said.

use crate::client::Phase;
use crate::connect::Failure;
use crate::egress::Egress;
use crate::owner::Owner;
use crate::rt::{Chunk, Lent, Runtime};
use crate::shard::Shard;
use crate::slot::NONE;
use crate::tls::{Session, Stop};
use crate::upstream;

impl<R: Runtime> Shard<R> {
    /// The way to a client.
    pub(crate) fn towards_client(&mut self, index: u32) -> Egress<'_, R> {
        let client = &mut self.clients[index as usize];
        Egress { rt: &mut self.rt, socket: client.socket, session: client.tls.as_deref_mut() }
    }

    /// Records of a client arrived.
    pub(crate) fn records_received(&mut self, index: u32, lent: Lent) {
        let client = &mut self.clients[index as usize];
        let Some(session) = client.tls.as_deref_mut() else { return self.rt.release(lent) };
        let socket = client.socket;
        let (mut plain, mut out) = (self.rt.take_buffer(), self.rt.take_buffer());
        let outcome = session.receive(self.rt.bytes_mut(&lent), &mut plain, &mut out);
        self.rt.release(lent);
        self.rt.send(socket, Chunk::Owned(out));
        if let Some(resumed) = session.greeted() {
            self.books.tls_handshake(resumed);
        }
        let ended = session.has_ended() && !client.ended;
        if outcome.is_err() {
            self.rt.give_buffer(plain);
            self.books.tls_failed();
            self.session_failed(index);
            return;
        }
        if plain.is_empty() {
            self.rt.give_buffer(plain);
        } else {
            self.client_plain(index, plain);
        }
        if ended && self.clients.get(index as usize).is_some_and(|client| client.socket == socket) {
            self.client_ended(index);
            self.client_may_be_done(index);
        }
    }

    /// The peer broke the protocol. Without a request under way it gets to read why.
    fn session_failed(&mut self, index: u32) {
        let client = &mut self.clients[index as usize];
        if client.phase != Phase::Idle || self.rt.unsent(client.socket) == 0 {
            self.client_lost(index);
            return;
        }
        client.phase = Phase::Closing;
        // What it still sends must not turn the close into a reset that overtakes the alert.
        client.linger = true;
        let due_ns = self.watch_reading(index);
        self.set_client_deadline(index, due_ns);
    }

    /// Closes a connection between requests: under TLS the client is told first.
    pub(crate) fn part_with_client(&mut self, index: u32) {
        self.towards_client(index).close_notify();
        let client = &mut self.clients[index as usize];
        if self.rt.unsent(client.socket) == 0 {
            self.close_client(index);
            return;
        }
        client.phase = Phase::Closing;
        let due_ns = self.watch_reading(index);
        self.set_client_deadline(index, due_ns);
    }

    /// The way to a backend.
    pub(crate) fn towards_upstream(&mut self, index: u32) -> Egress<'_, R> {
        let upstream = &mut self.upstreams[index as usize];
        Egress { rt: &mut self.rt, socket: upstream.socket, session: upstream.tls.as_deref_mut() }
    }

    /// Begins the handshake with a backend that is connected.
    pub(crate) fn secure_upstream(&mut self, index: u32) {
        let upstream = &mut self.upstreams[index as usize];
        upstream.phase = upstream::Phase::Securing;
        let pool = &self.pools[upstream.pool];
        let mut out = self.rt.take_buffer();
        let begun = pool.secure.as_ref().and_then(|secure| {
            let config = self.call_terms.of(secure.any_issuer, pool.multiplexes())?;
            Session::connect(config, &secure.name, &mut out).ok()
        });
        match begun {
            Some(session) => {
                upstream.tls = Some(Box::new(session));
                self.rt.send(upstream.socket, Chunk::Owned(out));
            }
            None => {
                self.rt.give_buffer(out);
                self.upstream_failed(index, Failure::Network);
            }
        }
    }

    /// Records of a backend arrived.
    pub(crate) fn upstream_records_received(&mut self, index: u32, lent: Lent) {
        let upstream = &mut self.upstreams[index as usize];
        let Some(session) = upstream.tls.as_deref_mut() else { return self.rt.release(lent) };
        let socket = upstream.socket;
        let (mut plain, mut out) = (self.rt.take_buffer(), self.rt.take_buffer());
        let outcome = session.receive(self.rt.bytes_mut(&lent), &mut plain, &mut out);
        self.rt.release(lent);
        self.rt.send(socket, Chunk::Owned(out));
        let (ended, secured) = (session.has_ended(), session.greeted().is_some());
        if let Err(stop) = outcome {
            self.rt.give_buffer(plain);
            self.books.upstream_tls_failed();
            let failure = if matches!(stop, Stop::OtherName) { Failure::OtherName } else { Failure::Network };
            self.upstream_failed(index, failure);
            return;
        }
        if secured {
            self.upstream_secured(index);
        }
        let is_here = |shard: &Self| {
            shard.upstreams.get(index as usize).is_some_and(|upstream| upstream.socket == socket)
        };
        if plain.is_empty() || !is_here(self) {
            self.rt.give_buffer(plain);
        } else {
            self.upstream_plain(index, plain);
        }
        if ended && is_here(self) {
            self.upstream_ended(index);
        }
    }

    /// The handshake with a backend is over: the call that waited goes out.
    fn upstream_secured(&mut self, index: u32) {
        self.end_race(index);
        let upstream = &mut self.upstreams[index as usize];
        let pool = upstream.pool;
        if self.pools[pool].multiplexes() {
            if upstream.tls.as_deref().is_some_and(Session::speaks_http2) {
                self.begin_calls(index);
                return;
            }
            self.pools[pool].http1_only = true;
            self.attach_queued(pool);
        }
        let upstream = &mut self.upstreams[index as usize];
        upstream.phase = upstream::Phase::Head;
        self.timers.set(Owner::Upstream(index).pack(), &mut upstream.deadline, u64::MAX);
        let slot_index = upstream.slot;
        if slot_index == NONE {
            self.close_upstream(index);
        } else {
            self.send_call(slot_index, index);
        }
    }
}
