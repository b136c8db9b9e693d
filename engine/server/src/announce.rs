//! What a person reads when the node is ready: where each API is, and a line to try.

use crate::documents::{Compiled, Served};
use crate::node::Node;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Prints every API, then one line per listener, then that the node is ready.
pub(crate) fn ready(node: &Node, compiled: &Compiled) {
    let first = node.addresses.first().copied().map(reachable);
    for api in &compiled.apis {
        println_api(api, first, compiled.apis.len() == 1);
    }
    eprintln!("control on http://{} (/healthz, /readyz, /metrics)", node.control);
    for address in &node.addresses {
        eprintln!("listening on http://{address} ({})", summary(compiled));
    }
    let shards = node.shard_count();
    eprintln!("ready: {shards} {} on the {} event loop", plural(shards, "shard"), node.runtime.as_str());
}

/// Prints that a new version serves.
pub(crate) fn reloaded(compiled: &Compiled) {
    eprintln!("reloaded: {}", summary(compiled));
}

fn println_api(api: &Served, address: Option<SocketAddr>, catch_all: bool) {
    eprintln!(
        "{} from {}: API id {}, stage {}, {} {}",
        api.name,
        api.path.display(),
        api.api_id,
        api.stage,
        api.routes,
        plural(api.routes, "route")
    );
    let (Some(address), Some(example)) = (address, &api.example) else { return };
    if catch_all {
        eprintln!("  {}", example.line(&format!("http://{address}")));
    }
    let host = format!("{}.execute-api.localhost:{}", api.api_id, address.port());
    eprintln!("  {}", example.line(&format!("http://{host}/{}", api.stage)));
}

/// `4 routes of petstore`, or `9 routes of 3 APIs`.
fn summary(compiled: &Compiled) -> String {
    let routes: usize = compiled.apis.iter().map(|api| api.routes).sum();
    let of = match compiled.apis.as_slice() {
        [only] => only.name.clone(),
        several => format!("{} APIs", several.len()),
    };
    format!("{routes} {} of {of}", plural(routes, "route"))
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// An address that a client of this machine can use: a wildcard becomes loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
