//! What a shard holds at a moment: for simulations, which expect that nothing is left when nothing goes on.

use crate::rt::Runtime;
use crate::shard::Shard;

/// Counts of what a shard holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Client connections.
    pub clients: usize,
    /// Requests in flight.
    pub slots: usize,
    /// Connections to backends, idle ones too.
    pub upstreams: usize,
    /// Connections that the pools believe to be open.
    pub upstreams_open: usize,
    /// Connections in the pools.
    pub upstreams_idle: usize,
    /// Requests that wait for a resolver.
    pub waiting: usize,
    /// Requests that connect to one of several addresses.
    pub races: usize,
    /// Connections that wait for their share of the next turn.
    pub ready: usize,
    /// Entries of the timer heap.
    pub timers: usize,
}

impl<R: Runtime> Shard<R> {
    /// Counts everything the shard holds.
    #[must_use]
    pub fn audit(&self) -> Audit {
        let pools = self.pools.all();
        Audit {
            clients: self.clients.len(),
            slots: self.slots.in_use(),
            upstreams: self.upstreams.len(),
            upstreams_open: pools.iter().map(|pool| pool.open as usize).sum(),
            upstreams_idle: pools.iter().map(|pool| pool.idle.len()).sum(),
            waiting: pools.iter().map(|pool| pool.waiting.len()).sum(),
            races: self.races.len(),
            ready: self.ready.len(),
            timers: self.timers.entries(),
        }
    }
}
