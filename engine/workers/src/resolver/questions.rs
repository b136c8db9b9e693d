//! Asking: the hosts file first, then name servers, as `/etc/hosts` and `/etc/resolv.conf` say.
//!
//! Never: a cache. What an answer holds for is counted by whoever asks.

use std::collections::HashMap;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, SystemTime};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::system_conf::parse_resolv_conf;
use vocabulary::limits::{RESOLUTION_DELAY_MS, RESOLVER_LOOK_UP_MS};

use super::knowledge::Outcome;

const HOSTS: &str = "/etc/hosts";
const RESOLV_CONF: &str = "/etc/resolv.conf";
/// Either file is read up to here. Lists of blocked names have reached tens of megabytes.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// What the hosts file says holds until the file changes.
const HOSTS_TTL: Duration = Duration::from_secs(3600);

/// What the files looked like when they were read: another look tells whether they are others now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look([Option<(SystemTime, u64)>; 2]);

impl Look {
    /// How they look now.
    pub(super) fn now() -> Self {
        Look([HOSTS, RESOLV_CONF].map(|path| {
            let metadata = Path::new(path).metadata().ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        }))
    }
}

/// Both families' outcomes.
pub(super) type Pair = (Outcome<Ipv4Addr>, Outcome<Ipv6Addr>);

/// Whom to ask, and for which names.
pub(super) struct Questions {
    hosts: HashMap<String, (Vec<Ipv4Addr>, Vec<Ipv6Addr>)>,
    /// An error is what every question fails with.
    resolver: Result<TokioResolver, String>,
    search: Vec<Name>,
    ndots: usize,
}

impl Questions {
    /// Reads the files; `servers`, if there are any, stand in for those of `resolv.conf`.
    pub(super) fn read(servers: &[SocketAddr]) -> Self {
        let text = read(RESOLV_CONF);
        let parsed = parse_resolv_conf(&text).or_else(|_| {
            // Without a name server in it, the file is refused as a whole: its search list may still count.
            parse_resolv_conf(format!("{text}\nnameserver 127.0.0.1\n")).map(|(config, options)| {
                let (domain, search, _) = config.into_parts();
                (ResolverConfig::from_parts(domain, search, Vec::new()), options)
            })
        });
        let (config, mut options) = parsed.unwrap_or_else(|_| {
            (ResolverConfig::from_parts(None, Vec::new(), Vec::new()), ResolverOpts::default())
        });
        let (_, search, system) = config.into_parts();
        let servers = if servers.is_empty() { system } else { servers.iter().map(name_server).collect() };
        let ndots = options.ndots;
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = options;
        let resolver = builder.build().map_err(|error| error.to_string());
        Questions { hosts: hosts(&read(HOSTS)), resolver, search, ndots }
    }

    /// Looks a name up, both families side by side. In a `hurry`, one family's answer waits a moment only for the other's.
    pub(super) async fn look_up(&self, host: &str, hurry: bool) -> Pair {
        let key = host.trim_end_matches('.').to_ascii_lowercase();
        if let Some((v4, v6)) = self.hosts.get(&key) {
            return (Outcome::Found(v4.clone(), HOSTS_TTL), Outcome::Found(v6.clone(), HOSTS_TTL));
        }
        let asked = self.ask_names(host, hurry);
        match tokio::time::timeout(Duration::from_millis(RESOLVER_LOOK_UP_MS), asked).await {
            Ok(pair) => pair,
            Err(_) => both_failed("no name server answered in time"),
        }
    }

    /// Asks for the name and, by the search list, for longer ones, until one has addresses. A failure ends the search:
    /// what a later name is doesn't tell what this one would have been.
    async fn ask_names(&self, host: &str, hurry: bool) -> Pair {
        let Ok(name) = Name::from_str_relaxed(host) else { return both_failed("not a name") };
        let mut last = both_failed("not a name");
        for name in names(&name, &self.search, self.ndots) {
            last = self.ask(name, hurry).await;
            if !matches!(last, (Outcome::Nothing(_), Outcome::Nothing(_))) {
                break;
            }
        }
        last
    }

    async fn ask(&self, name: Name, hurry: bool) -> Pair {
        let v4 = self.ask_one(name.clone(), RecordType::A, |ip| match ip {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => None,
        });
        let v6 = self.ask_one(name, RecordType::AAAA, |ip| match ip {
            IpAddr::V6(ip) => Some(ip),
            IpAddr::V4(_) => None,
        });
        tokio::pin!(v4, v6);
        let patience = Duration::from_millis(if hurry { RESOLUTION_DELAY_MS } else { RESOLVER_LOOK_UP_MS });
        tokio::select! {
            first = &mut v4 => match first {
                Outcome::Found(..) => {
                    let second = tokio::time::timeout(patience, v6).await;
                    (first, second.unwrap_or_else(|_| late()))
                }
                _ => (first, v6.await),
            },
            first = &mut v6 => match first {
                Outcome::Found(..) => {
                    let second = tokio::time::timeout(patience, v4).await;
                    (second.unwrap_or_else(|_| late()), first)
                }
                _ => (v4.await, first),
            },
        }
    }

    async fn ask_one<A>(&self, name: Name, kind: RecordType, of: fn(IpAddr) -> Option<A>) -> Outcome<A> {
        let resolver = match &self.resolver {
            Ok(resolver) => resolver,
            Err(reason) => return Outcome::Failed(reason.clone()),
        };
        match resolver.lookup(name, kind).await {
            Ok(lookup) => {
                let addresses: Vec<A> = lookup
                    .answers()
                    .iter()
                    .filter_map(|record| record.data.ip_addr())
                    .filter_map(of)
                    .collect();
                // The names on the way (CNAME) count as well.
                let ttl = lookup.answers().iter().map(|record| record.ttl).min();
                let ttl = ttl.map(|seconds| Duration::from_secs(u64::from(seconds)));
                if addresses.is_empty() {
                    Outcome::Nothing(ttl)
                } else {
                    Outcome::Found(addresses, ttl.unwrap_or_default())
                }
            }
            Err(NetError::Dns(DnsError::NoRecordsFound(none)))
                if matches!(none.response_code, ResponseCode::NXDomain | ResponseCode::NoError) =>
            {
                Outcome::Nothing(none.negative_ttl.map(|seconds| Duration::from_secs(u64::from(seconds))))
            }
            Err(error) => Outcome::Failed(error.to_string()),
        }
    }
}

fn late<A>() -> Outcome<A> {
    Outcome::Failed("the other family's answer came first by far".to_owned())
}

fn both_failed(reason: &str) -> Pair {
    (Outcome::Failed(reason.to_owned()), Outcome::Failed(reason.to_owned()))
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    server
}

/// A file's text; one that isn't there or isn't text says nothing.
fn read(path: &str) -> String {
    let mut text = Vec::new();
    let file = std::fs::File::open(path);
    #[expect(clippy::disallowed_methods, reason = "taken up to a bound")]
    let read = file.and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut text));
    if read.is_err() {
        text.clear();
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The names of a hosts file (hosts(5)): an address and its names on each line, `#` begins a comment.
fn hosts(text: &str) -> HashMap<String, (Vec<Ipv4Addr>, Vec<Ipv6Addr>)> {
    let mut hosts: HashMap<String, (Vec<Ipv4Addr>, Vec<Ipv6Addr>)> = HashMap::new();
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(Ok(address)) = words.next().map(str::parse) else { continue };
        for name in words {
            let entry = hosts.entry(name.trim_end_matches('.').to_ascii_lowercase()).or_default();
            match address {
                IpAddr::V4(address) => entry.0.push(address),
                IpAddr::V6(address) => entry.1.push(address),
            }
        }
    }
    hosts
}

/// The names to ask for, in order (resolv.conf(5), `search` and `ndots`).
fn names(name: &Name, search: &[Name], ndots: usize) -> Vec<Name> {
    let mut itself = name.clone();
    itself.set_fqdn(true);
    if name.is_fqdn() || name.is_localhost() {
        return vec![itself];
    }
    let longer = search.iter().filter_map(|domain| {
        let mut longer = name.clone().append_domain(domain).ok()?;
        longer.set_fqdn(true);
        Some(longer)
    });
    let has_dots = usize::from(name.num_labels()) > ndots;
    if has_dots { std::iter::once(itself).chain(longer).collect() } else { longer.chain([itself]).collect() }
}

/// Whether packets to any of the addresses have a way. Nothing is sent.
pub(super) fn has_route(addresses: &[Ipv6Addr]) -> bool {
    if addresses.is_empty() {
        return false;
    }
    let Ok(socket) = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)) else { return false };
    addresses.iter().any(|&address| socket.connect((address, 53)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: &str, ndots: usize) -> Vec<String> {
        let search = ["a.example", "b.example."].map(|name| Name::from_str_relaxed(name).expect("a name"));
        let name = Name::from_str_relaxed(name).expect("a name");
        names(&name, &search, ndots).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_search_list_comes_first_for_names_with_few_dots() {
        assert_eq!(listed("db", 1), ["db.a.example.", "db.b.example.", "db."]);
        assert_eq!(listed("db.test", 1), ["db.test.", "db.test.a.example.", "db.test.b.example."]);
        assert_eq!(listed("db.test", 5), ["db.test.a.example.", "db.test.b.example.", "db.test."]);
        assert_eq!(listed("db.test.", 5), ["db.test."]);
        assert_eq!(listed("my_db", 0), ["my_db.", "my_db.a.example.", "my_db.b.example."]);
        assert_eq!(listed("localhost", 1), ["localhost."]);
    }

    #[test]
    fn a_hosts_file_names_addresses() {
        let hosts = hosts(
            "127.0.0.1 localhost # that's us\n::1\tlocalhost LOCAL.\n\n# 10.0.0.1 no\nnonsense x\n10.0.0.2 db\n",
        );
        assert_eq!(hosts["localhost"], (vec![Ipv4Addr::LOCALHOST], vec![Ipv6Addr::LOCALHOST]));
        assert_eq!(hosts["local"], (vec![], vec![Ipv6Addr::LOCALHOST]));
        assert_eq!(hosts["db"], (vec![Ipv4Addr::new(10, 0, 0, 2)], vec![]));
        assert_eq!(hosts.len(), 3);
    }
}
