//! The far side of every connection: clients and backends, as a simulation writes them.

use super::network::Network;
use super::wire::WireKey;
use crate::rt::Address;

/// What becomes of a connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reception {
    /// Somebody listens: established after this long.
    Accepted {
        /// Nanoseconds from now.
        after_ns: u64,
    },
    /// The connect fails with an errno after this long.
    Refused {
        /// Nanoseconds from now.
        after_ns: u64,
        /// Why.
        errno: i32,
    },
    /// The connect fails at once, in the call.
    Impossible {
        /// Why.
        errno: i32,
    },
    /// Nothing ever comes back.
    Silence,
}

/// Clients and backends. They act when something reaches them or a time they asked for has come.
pub trait Peers {
    /// The shard connects to an address.
    fn knock(&mut self, network: &mut Network, wire: WireKey, address: &Address) -> Reception;

    /// A connect to a backend was established.
    fn connected(&mut self, network: &mut Network, wire: WireKey);

    /// Something arrived on a connection: bytes, an end or a reset. [`Network::read`] tells.
    fn stir(&mut self, network: &mut Network, wire: WireKey);

    /// A time came that [`Network::wake`] was told of.
    fn woken(&mut self, network: &mut Network, token: u64);
}
