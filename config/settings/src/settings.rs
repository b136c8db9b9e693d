//! The resolved settings: complete, typed and within bounds. What the node is built from.

use crate::gather::{Chosen, Said};
use crate::problem::{Origin, Problem};
use crate::value::{self, Value};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use vocabulary::network::Networks;

/// Everything a node can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// OpenAPI documents to serve.
    pub files: Vec<PathBuf>,
    /// Data-plane listeners; at least one.
    pub listeners: Vec<Listener>,
    /// Certificates that every TLS listener presents, by name.
    pub certificates: Vec<Identity>,
    /// Certificate authorities of backends.
    pub upstream_roots: PathBuf,
    /// Where that was said.
    pub upstream_roots_origin: Origin,
    /// Names of backends.
    pub resolver: Resolver,
    /// Control listener.
    pub control: SocketAddr,
    /// What the control listener presents, where it speaks TLS.
    pub control_tls: Option<Identity>,
    /// What is asked of those who make management calls.
    pub control_auth: ControlAuth,
    /// File of identities.
    pub control_identities: PathBuf,
    /// Other machines may reach the control listener.
    pub control_insecure: bool,
    /// Region in names and ARNs.
    pub region: String,
    /// Account in ARNs, twelve digits.
    pub account_id: String,
    /// Folder for the node's own state.
    pub data_dir: PathBuf,
    /// Event loops.
    pub shards: Shards,
    /// Which event loop.
    pub runtime: Runtime,
    /// Bounds on requests and connections.
    pub limits: Limits,
    /// When load is shed.
    pub overload: Overload,
    /// Waiting times.
    pub timeouts: Timeouts,
    /// Access log.
    pub access_log: AccessLog,
}

/// What is asked of those who make management calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlAuth {
    /// Nothing.
    Off,
    /// A signature, and policies that allow the call.
    Iam,
}

/// Where a listener accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// TCP; port zero takes a free one.
    Tcp(SocketAddr),
    /// A UNIX socket by its path.
    Unix(PathBuf),
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Address::Tcp(address) => write!(formatter, "{address}"),
            Address::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

/// Permissions of a UNIX socket's file where nothing is said of them.
const SOCKET_MODE: u32 = 0o660;

/// A data-plane listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Where it accepts.
    pub address: Address,
    /// Permissions of a UNIX socket's file.
    pub mode: u32,
    /// Endpoint type.
    pub kind: ListenerKind,
    /// A PROXY protocol header comes first.
    pub proxy_protocol: bool,
    /// Proxies that are believed.
    pub trusted_proxies: Networks,
    /// TLS; `None` for plain HTTP.
    pub tls: Option<Tls>,
    /// Where the address was said, for the message when it can't be bound.
    pub origin: Origin,
}

/// TLS of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// What is presented to clients that name no server, or one that no certificate is for.
    pub identity: Identity,
    /// AWS's name of the policy.
    pub security_policy: String,
    /// Where the policy was said.
    pub security_policy_origin: Origin,
}

/// Files of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// PEM file of the chain.
    pub certificate: PathBuf,
    /// Where it was said.
    pub certificate_origin: Origin,
    /// PEM file of the key.
    pub key: PathBuf,
    /// Where it was said.
    pub key_origin: Origin,
    /// DER file of an OCSP response.
    pub ocsp: Option<PathBuf>,
}

/// Endpoint type of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerKind {
    /// Serves edge-optimised and regional APIs.
    Regional,
}

/// How names of backends are resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolver {
    /// Name servers; none for the system's.
    pub servers: Vec<SocketAddr>,
    /// Addresses hold at least so long.
    pub ttl_min: Duration,
    /// Addresses hold at most so long.
    pub ttl_max: Duration,
}

/// Event loops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shards {
    /// How many; `None` for one per usable CPU.
    pub count: Option<usize>,
    /// CPUs to pin to, in turn; `None` for the usable ones.
    pub cpus: Option<Vec<usize>>,
    /// Microseconds of polling before sleep.
    pub spin_us: u64,
    /// Microseconds of polling network cards before sleep.
    pub busy_poll_us: u32,
}

/// Which event loop runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// Probe at start.
    Auto,
    /// The node's own loop on io_uring, or refuse to start.
    Ring,
    /// The portable loop.
    Portable,
}

/// Bounds on requests and connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Heads and payloads.
    pub request: vocabulary::limits::Limits,
    /// The longest integration timeout that a document may ask for.
    pub integration_timeout: Duration,
    /// Client connections per shard.
    pub connections: usize,
    /// Idle connections kept per shard and backend.
    pub idle_upstreams: usize,
}

/// What a node may hold before it sheds load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overload {
    /// Requests in flight; `None` for any number.
    pub in_flight: Option<u64>,
    /// Bytes of connections and messages; `None` for a share of the memory there is.
    pub memory_bytes: Option<u64>,
}

/// Waiting times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// A request head, first byte to last.
    pub header: Duration,
    /// The next bytes of a request body.
    pub body: Duration,
    /// A client that doesn't read.
    pub send: Duration,
    /// The next request of a client connection.
    pub idle_client: Duration,
    /// The next use of a pooled backend connection.
    pub idle_upstream: Duration,
    /// A connect to one address.
    pub connect: Duration,
    /// Requests under way after SIGTERM.
    pub drain: Duration,
    /// A process that takes over.
    pub upgrade: Duration,
}

/// Access log of all stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLog {
    /// Where records go.
    pub destination: Destination,
    /// What a record says.
    pub format: Format,
    /// Where the format was said.
    pub format_origin: Origin,
}

/// Where access-log records go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Nowhere.
    Off,
    /// Standard output.
    Stdout,
    /// Appended to a file.
    File(PathBuf),
}

/// What an access-log record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// AWS's JSON example.
    Json,
    /// AWS's Common Log Format example.
    Clf,
    /// A text with `$context` variables.
    Custom(String),
}

/// Turns what was chosen into types.
///
/// # Errors
/// Settings that fit on their own and not together.
pub(crate) fn build(chosen: &Chosen) -> Result<Settings, Vec<Problem>> {
    let settings = Settings {
        files: (0..chosen.items("files[]")).map(|item| path(chosen.item("files[]", item))).collect(),
        listeners: listeners(chosen)?,
        certificates: certificates(chosen)?,
        upstream_roots: path(chosen.one("upstream.roots")),
        upstream_roots_origin: chosen
            .one("upstream.roots")
            .map_or(Origin::Default, |said| said.origin.clone()),
        resolver: resolver(chosen)?,
        control: control(chosen)?,
        control_tls: identity(chosen, "control.tls", 0).map_err(|problem| vec![problem])?,
        control_auth: control_auth(chosen),
        control_identities: path(chosen.one("control.identities")),
        control_insecure: is_insecure(chosen),
        region: text_of(chosen.one("region")).to_owned(),
        account_id: text_of(chosen.one("account_id")).to_owned(),
        data_dir: path(chosen.one("data_dir")),
        shards: shards(chosen),
        runtime: match text_of(chosen.one("runtime")) {
            "ring" => Runtime::Ring,
            "portable" => Runtime::Portable,
            _ => Runtime::Auto,
        },
        limits: limits(chosen),
        overload: Overload {
            in_flight: number_or_word(chosen, "overload.in_flight"),
            memory_bytes: number_or_word(chosen, "overload.memory"),
        },
        timeouts: timeouts(chosen),
        access_log: access_log(chosen),
    };
    Ok(settings)
}

fn listeners(chosen: &Chosen) -> Result<Vec<Listener>, Vec<Problem>> {
    let mut found: Vec<Listener> = Vec::new();
    let mut problems = Vec::new();
    for item in 0..chosen.items("listeners[]") {
        let Some(said) = chosen.item("listeners[].address", item) else {
            let origin =
                chosen.item("listeners[].kind", item).map_or(Origin::Default, |said| said.origin.clone());
            problems.push(Problem::new(origin, "a listener needs an `address`"));
            continue;
        };
        let mut listener = Listener {
            address: listening(said),
            mode: SOCKET_MODE,
            kind: ListenerKind::Regional,
            proxy_protocol: chosen
                .item("listeners[].proxy_protocol", item)
                .is_some_and(|said| text_of(Some(said)) == "true"),
            trusted_proxies: networks(chosen.item("listeners[].trusted_proxies", item)),
            tls: match tls(chosen, item) {
                Ok(tls) => tls,
                Err(problem) => {
                    problems.push(problem);
                    None
                }
            },
            origin: said.origin.clone(),
        };
        if let Some(mode) = chosen.item("listeners[].mode", item) {
            match (&listener.address, &mode.value) {
                (Address::Unix(_), Value::Integer(bits)) => {
                    listener.mode = u32::try_from(*bits).unwrap_or(SOCKET_MODE);
                }
                _ => problems.push(Problem::new(mode.origin.clone(), "`mode` is for `unix:` addresses")),
            }
        }
        let any_port = matches!(&listener.address, Address::Tcp(address) if address.port() == 0);
        if !any_port && found.iter().any(|known| known.address == listener.address) {
            problems.push(Problem::new(
                said.origin.clone(),
                format!("{} is listened on twice", listener.address),
            ));
        }
        found.push(listener);
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn tls(chosen: &Chosen, item: usize) -> Result<Option<Tls>, Problem> {
    let identity = identity(chosen, "listeners[].tls", item)?;
    let policy = chosen.item("listeners[].tls.security_policy", item);
    match (identity, policy) {
        (Some(identity), policy) => Ok(Some(Tls {
            identity,
            security_policy: policy.map_or("TLS_1_2", |said| text_of(Some(said))).to_owned(),
            security_policy_origin: policy.map_or(Origin::Default, |said| said.origin.clone()),
        })),
        (None, Some(policy)) => {
            Err(Problem::new(policy.origin.clone(), "`tls` needs a `certificate` and its `key`"))
        }
        (None, None) => Ok(None),
    }
}

fn certificates(chosen: &Chosen) -> Result<Vec<Identity>, Vec<Problem>> {
    let found: Result<Vec<_>, _> =
        (0..chosen.items("certificates[]")).map(|item| identity(chosen, "certificates[]", item)).collect();
    found.map(|found| found.into_iter().flatten().collect()).map_err(|problem| vec![problem])
}

/// Certificate and key go together.
fn identity(chosen: &Chosen, under: &str, item: usize) -> Result<Option<Identity>, Problem> {
    let said = |name: &str| chosen.item(&format!("{under}.{name}"), item);
    let ocsp = said("ocsp");
    match (said("certificate"), said("key")) {
        (Some(certificate), Some(key)) => Ok(Some(Identity {
            certificate: path(Some(certificate)),
            certificate_origin: certificate.origin.clone(),
            key: path(Some(key)),
            key_origin: key.origin.clone(),
            ocsp: ocsp.map(|said| path(Some(said))),
        })),
        (Some(certificate), None) => {
            Err(Problem::new(certificate.origin.clone(), "a `certificate` needs its `key` beside it"))
        }
        (None, Some(key)) => {
            Err(Problem::new(key.origin.clone(), "a `key` needs its `certificate` beside it"))
        }
        (None, None) => match ocsp {
            Some(ocsp) => {
                Err(Problem::new(ocsp.origin.clone(), "`ocsp` needs a `certificate` and its `key`"))
            }
            None => Ok(None),
        },
    }
}

fn shards(chosen: &Chosen) -> Shards {
    let cpus = text_of(chosen.one("shards.cpus"));
    Shards {
        count: number_or_word(chosen, "shards.count").and_then(|count| usize::try_from(count).ok()),
        cpus: if cpus == "auto" { None } else { value::cpus(cpus).ok() },
        spin_us: number(chosen, "shards.spin_us"),
        busy_poll_us: u32::try_from(number(chosen, "shards.busy_poll_us")).unwrap_or(u32::MAX),
    }
}

/// The control listener's address: one that other machines reach must be wanted in so many words.
fn control(chosen: &Chosen) -> Result<SocketAddr, Vec<Problem>> {
    let said = chosen.one("control.address");
    let address = address(said);
    if address.ip().is_loopback() || is_insecure(chosen) || control_auth(chosen) == ControlAuth::Iam {
        return Ok(address);
    }
    let origin = said.map_or(Origin::Default, |said| said.origin.clone());
    let message = "other machines reach this control listener, and nothing keeps them from changing everything: \
                   `control.auth: iam` checks signatures, `control.insecure` (--insecure-control) says that this is wanted";
    Err(vec![Problem::new(origin, message)])
}

fn control_auth(chosen: &Chosen) -> ControlAuth {
    match text_of(chosen.one("control.auth")) {
        "iam" => ControlAuth::Iam,
        _ => ControlAuth::Off,
    }
}

fn is_insecure(chosen: &Chosen) -> bool {
    text_of(chosen.one("control.insecure")) == "true"
}

fn limits(chosen: &Chosen) -> Limits {
    // The table bounds each of them far below what any machine's `usize` holds.
    let count = |key| usize::try_from(number(chosen, key)).unwrap_or(usize::MAX);
    Limits {
        request: vocabulary::limits::Limits {
            payload_bytes: number(chosen, "limits.payload_bytes"),
            header_total_bytes: count("limits.header_total_bytes"),
            url_bytes: count("limits.url_bytes"),
            header_count: count("limits.header_count"),
        },
        integration_timeout: Duration::from_millis(number(chosen, "limits.integration_timeout")),
        connections: count("limits.connections"),
        idle_upstreams: count("limits.idle_upstreams"),
    }
}

fn resolver(chosen: &Chosen) -> Result<Resolver, Vec<Problem>> {
    let servers = 0..chosen.items("resolver.servers[]");
    let ttl = |key| Duration::from_millis(number(chosen, key));
    let resolver = Resolver {
        servers: servers.map(|item| address(chosen.item("resolver.servers[]", item))).collect(),
        ttl_min: ttl("resolver.ttl_min"),
        ttl_max: ttl("resolver.ttl_max"),
    };
    if resolver.ttl_min > resolver.ttl_max {
        let said = chosen.one("resolver.ttl_min");
        let origin = said.map_or(Origin::Default, |said| said.origin.clone());
        return Err(vec![Problem::new(origin, "`resolver.ttl_min` is over `resolver.ttl_max`")]);
    }
    Ok(resolver)
}

fn timeouts(chosen: &Chosen) -> Timeouts {
    let wait = |key| Duration::from_millis(number(chosen, key));
    Timeouts {
        header: wait("timeouts.header"),
        body: wait("timeouts.body"),
        send: wait("timeouts.send"),
        idle_client: wait("timeouts.idle_client"),
        idle_upstream: wait("timeouts.idle_upstream"),
        connect: wait("timeouts.connect"),
        drain: wait("timeouts.drain"),
        upgrade: wait("timeouts.upgrade"),
    }
}

fn access_log(chosen: &Chosen) -> AccessLog {
    let format = chosen.one("access_log.format");
    AccessLog {
        destination: match text_of(chosen.one("access_log.destination")) {
            "off" => Destination::Off,
            "stdout" => Destination::Stdout,
            _ => Destination::File(path(chosen.one("access_log.destination"))),
        },
        format: match text_of(format) {
            "json" => Format::Json,
            "clf" => Format::Clf,
            text => Format::Custom(text.to_owned()),
        },
        format_origin: format.map_or(Origin::Default, |said| said.origin.clone()),
    }
}

/// Every setting outside lists has a default, so it was chosen; a test asks for all of them.
fn number(chosen: &Chosen, key: &str) -> u64 {
    match chosen.one(key).map(|said| &said.value) {
        Some(Value::Integer(number)) => *number,
        _ => unreachable!("`{key}` is a number with a default in the table"),
    }
}

/// A number where a word (`auto`, `off`) was possible.
fn number_or_word(chosen: &Chosen, key: &str) -> Option<u64> {
    match chosen.one(key).map(|said| &said.value) {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    }
}

fn text_of(said: Option<&Said>) -> &str {
    match said.map(|said| &said.value) {
        Some(Value::Text(text)) => text,
        _ => "auto", // a count where `auto` was possible; every other text has a default
    }
}

/// A path of the settings file starts at that file's folder, any other at the current one.
fn path(said: Option<&Said>) -> PathBuf {
    let written = PathBuf::from(text_of(said));
    match said {
        Some(said) => from_origin(written, &said.origin),
        None => written,
    }
}

fn from_origin(written: PathBuf, origin: &Origin) -> PathBuf {
    match origin {
        Origin::File { path: file, .. } => {
            file.parent().map_or(written.clone(), |folder| folder.join(&written))
        }
        _ => written,
    }
}

/// A socket's path starts where every other path does.
fn listening(said: &Said) -> Address {
    let parsed =
        value::listening(text_of(Some(said))).expect("addresses were parsed when they were gathered");
    match parsed {
        Address::Unix(written) => Address::Unix(from_origin(written, &said.origin)),
        tcp => tcp,
    }
}

fn networks(said: Option<&Said>) -> Networks {
    said.map_or_else(Networks::default, |said| {
        value::networks(text_of(Some(said))).expect("networks were parsed when they were gathered")
    })
}

fn address(said: Option<&Said>) -> SocketAddr {
    value::address(text_of(said)).expect("addresses were parsed when they were gathered")
}
