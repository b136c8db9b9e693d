//! What a shard is started with.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use vocabulary::limits::Limits;
use vocabulary::network::Networks;

use crate::rt::probe::Kind;

/// What holds for every connection of a listener.
#[derive(Clone, Debug, Default)]
pub struct Entrance {
    /// Port for `X-Forwarded-Port`.
    pub port: u16,
    /// A PROXY protocol header comes first, and names the client.
    pub proxy_protocol: bool,
    /// Proxies whose `X-Forwarded-For` is believed; with the PROXY protocol, the only ones that may connect, if there
    /// are any.
    pub trusted_proxies: Networks,
}

/// A listening socket of this shard.
pub struct Listener {
    /// Which of the node's listeners it belongs to; several sockets may belong to one.
    pub place: usize,
    /// Bound and listening; each shard has its own on the shared port.
    pub socket: OwnedFd,
    /// The socket is one for all shards: a UNIX socket, or one that the node was given.
    pub shared: bool,
    /// What holds for every connection that comes in here.
    pub entrance: Entrance,
    /// Terms of TLS; `None` for plain HTTP.
    pub tls: Option<crate::tls::Terms>,
}

/// How long the shard waits for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// A request head, from its first byte to its last.
    pub header: Duration,
    /// The next bytes of a request body.
    pub body: Duration,
    /// The next request on a client connection. AWS: 310 s.
    pub idle_client: Duration,
    /// The next use of a pooled upstream connection.
    pub idle_upstream: Duration,
    /// A connect to one address of a target.
    pub connect: Duration,
    /// A client that doesn't read its answer.
    pub send: Duration,
    /// The client's FIN after ours.
    pub linger: Duration,
    /// A client that finished sending is taken for gone after this long without an answer.
    pub half_close: Duration,
    /// How long idle connections may still bring a request while the shard drains.
    pub drain_linger: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            header: Duration::from_secs(10),
            body: Duration::from_secs(30),
            idle_client: Duration::from_secs(310),
            idle_upstream: Duration::from_secs(60),
            connect: Duration::from_secs(5),
            send: Duration::from_secs(60),
            linger: Duration::from_secs(5),
            half_close: Duration::from_secs(3),
            drain_linger: Duration::from_millis(500),
        }
    }
}

/// Asks for the addresses of `host:port`; the answer comes back through the shard's mailbox.
pub type Resolve = Arc<dyn Fn(&str, u16) + Send + Sync>;

/// Answers of a resolver.
pub type Resolved = Result<Vec<SocketAddr>, String>;

/// Everything one shard needs.
pub struct Spec {
    /// Index among the node's shards.
    pub index: usize,
    /// CPU to pin the thread to; `None` leaves it to the scheduler.
    pub cpu: Option<usize>,
    /// Which runtime.
    pub runtime: Kind,
    /// The plan to begin with.
    pub plan: Arc<plan::NodePlan>,
    /// The node's token buckets.
    pub registry: Arc<throttling::Registry>,
    /// Fixes the request ids; `None` draws a seed from the system.
    pub seed: Option<u64>,
    /// Listening sockets.
    pub listeners: Vec<Listener>,
    /// Bounds on heads and payloads.
    pub limits: Limits,
    /// Waiting times.
    pub timeouts: Timeouts,
    /// Client connections at most; further ones are closed at once.
    pub connections_max: usize,
    /// What the shard may hold before it gives things up, step by step.
    pub overload: crate::overload::Bounds,
    /// Idle upstream connections kept per target.
    pub idle_upstreams_max: usize,
    /// Microseconds that the loop polls before it sleeps, while events are near.
    pub spin_us: u64,
    /// Microseconds that the kernel polls network cards before the loop sleeps; zero for not at all. The ring only.
    pub busy_poll_us: u32,
    /// Whom to trust to have issued backends' certificates; `None` for nobody.
    pub roots: Option<crate::tls::Roots>,
    /// Where the shard counts.
    pub metrics: Arc<records::metrics::ShardMetrics>,
    /// Where the shard leaves its records; `None` without an access log.
    pub records: Option<records::RecordWriter>,
    /// The resolver.
    pub resolve: Resolve,
}
