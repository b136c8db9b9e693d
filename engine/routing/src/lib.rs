//! Host to stage, path and method to route.
//!
//! In: the deployed routes, a host, a method, a raw path. Out: a stage, a route and the values of its variables.
//! Refuses with: Forbidden (no such API or stage); no route is the gateway's to refuse.
//! Never: a policy, a decoded path, work that grows with the number of routes.
//! AWS: "Set up a method", "Set up a proxy resource", "Call a deployed API".

#![forbid(unsafe_code)]

pub mod addresses;
pub mod rest_api;

pub use addresses::{Addresses, Found};
pub use rest_api::{RouteError, Router};

/// A map keyed by bytes that clients choose: the seed is random, so that keys can't be chosen to collide.
type ByteMap<V> = hashbrown::HashMap<Box<[u8]>, V, foldhash::fast::RandomState>;
