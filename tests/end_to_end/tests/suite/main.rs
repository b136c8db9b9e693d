//! The real binary on loopback: upstreams record, clients speak bytes, documents are written by each test.

#![expect(clippy::disallowed_methods, reason = "tests live in real time")]

mod behind_proxies;
mod checking;
mod controlling;
mod document;
mod encrypted;
mod greedy;
mod listening;
mod named_backends;
mod node_life;
mod observing;
mod overload;
mod proxying;
mod routing;
mod slow_peers;
mod smuggling;
mod surviving;
mod upgrading;
