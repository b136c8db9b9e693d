//! What a person reads when the node is ready: where each API is, and a line to try.

use crate::documents::{Compiled, Served};
use crate::example::Example;
use crate::node::Node;
use settings::{Address, Settings};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

/// Prints every API, then one line per listener, then that the node is ready.
pub(crate) fn ready(node: &Node, compiled: &Compiled, settings: &Settings) {
    let scheme = |listener: &settings::Listener| if listener.tls.is_some() { "https" } else { "http" };
    let schemes: Vec<&str> = settings.listeners.iter().map(scheme).collect();
    let first = schemes.first().copied().zip(node.addresses.first());
    for api in &compiled.apis {
        println_api(api, first, compiled.apis.len() == 1);
    }
    let control = if settings.control_tls.is_some() { "https" } else { "http" };
    eprintln!("control on {control}://{} (/healthz, /readyz, /metrics)", node.control.address);
    if compiled.apis.is_empty() {
        let example = "aws apigateway create-rest-api --name pets";
        eprintln!("  {example} --endpoint-url {control}://{}", reachable(node.control.address));
    }
    for (address, scheme) in node.addresses.iter().zip(schemes) {
        match address {
            Address::Tcp(address) => eprintln!("listening on {scheme}://{address} ({})", summary(compiled)),
            unix => eprintln!("listening on {unix}, {scheme} ({})", summary(compiled)),
        }
    }
    let shards = node.shard_count();
    eprintln!("ready: {shards} {} on the {} event loop", plural(shards, "shard"), node.runtime.as_str());
}

/// Prints that a new version serves.
pub(crate) fn reloaded(compiled: &Compiled) {
    eprintln!("reloaded: {}", summary(compiled));
}

fn println_api(api: &Served, address: Option<(&str, &Address)>, catch_all: bool) {
    eprintln!(
        "{} from {}: API id {}, stage {}, {} {}",
        api.name,
        api.path.display(),
        api.api_id,
        api.stage,
        api.routes,
        plural(api.routes, "route")
    );
    let (Some((scheme, address)), Some(example)) = (address, &api.example) else { return };
    let (option, own, port) = match address {
        Address::Tcp(address) => {
            let address = reachable(*address);
            (String::new(), address.to_string(), format!(":{}", address.port()))
        }
        // A name that a certificate may have; who asks by socket path looks up none.
        Address::Unix(path) => {
            (format!("--unix-socket {} ", quoted(path)), "localhost".to_owned(), String::new())
        }
    };
    if catch_all {
        eprintln!("  {}", line(example, scheme, &own, &option));
    }
    let host = format!("{}.execute-api.localhost{port}", api.api_id);
    eprintln!("  {}", line(example, scheme, &format!("{host}/{}", api.stage), &option));
}

/// Where stages are reached from this machine: the first listener with a port, by a name that certificates may have.
pub(crate) fn data_plane(node: &Node, settings: &Settings) -> String {
    let listeners = settings.listeners.iter().zip(&node.addresses);
    let reached = listeners.into_iter().find_map(|(listener, address)| match address {
        Address::Tcp(address) => {
            let scheme = if listener.tls.is_some() { "https" } else { "http" };
            let address = reachable(*address);
            let host = if address.ip().is_loopback() { "localhost".to_owned() } else { host(address.ip()) };
            Some(format!("{scheme}://{host}:{}", address.port()))
        }
        Address::Unix(_) => None,
    });
    reached.unwrap_or_else(|| "http://localhost".to_owned())
}

fn host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@%".contains(&byte);
    if path.bytes().all(plain) { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

fn line(example: &Example, scheme: &str, address: &str, option: &str) -> String {
    let line = example.line(&format!("{scheme}://{address}"));
    let line = line.replacen("curl ", &format!("curl {option}"), 1);
    // A certificate of one's own making is unknown to curl.
    if scheme == "https" { line.replacen("curl ", "curl -k ", 1) } else { line }
}

/// `4 routes of petstore`, or `9 routes of 3 APIs`.
fn summary(compiled: &Compiled) -> String {
    let routes: usize = compiled.apis.iter().map(|api| api.routes).sum();
    let of = match compiled.apis.as_slice() {
        [] => {
            return format!(
                "{} {} of the control plane",
                compiled.managed,
                plural(compiled.managed, "stage")
            );
        }
        [only] => only.name.clone(),
        several => format!("{} APIs", several.len()),
    };
    let files = format!("{routes} {} of {of}", plural(routes, "route"));
    match compiled.managed {
        0 => files,
        managed => format!("{files}, {managed} {} of the control plane", plural(managed, "stage")),
    }
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
