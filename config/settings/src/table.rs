//! Every setting, declared once: name, meaning, default, bound and flag. Help, docs, variables and parsing follow.

/// What a value may be. Durations are in milliseconds, sizes in bytes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A whole number.
    Count {
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// A whole number, or `auto`.
    CountOrAuto {
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// A whole number, or `off`.
    CountOrOff {
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// A size, or `auto`.
    BytesOrAuto {
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// A size: bytes, or with KiB, MiB, GiB.
    Bytes {
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// A time with its unit: ms, s, m, h.
    Duration {
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// One of a few words.
    Choice {
        /// Words that work.
        of: &'static [&'static str],
        /// Words that are planned, each with what is missing.
        later: &'static [(&'static str, &'static str)],
    },
    /// IP address and port.
    Address,
    /// IP address and port, or the path of a UNIX socket.
    AddressOrPath,
    /// Permissions of a file, octal.
    Mode,
    /// Twelve digits.
    AccountId,
    /// An AWS region.
    Region,
    /// A path of the file system.
    Path,
    /// Free text.
    Text {
        /// Bytes at most.
        max: usize,
    },
    /// CPU numbers, or `auto`.
    Cpus,
    /// IP networks.
    Networks,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Place in `turnpike.yaml`, dots between levels; `[]` marks an item of a list.
    pub key: &'static str,
    /// What it means, one sentence or two.
    pub meaning: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Text of the default; empty for lists that start empty.
    pub default: &'static str,
    /// Flag without its dashes, for those that aren't named after their key.
    pub flag: Option<&'static str>,
    /// The flag's value in help.
    pub value_name: &'static str,
}

impl Setting {
    /// Whether the setting is an item of a list, so that flag and variable may name several.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.key.contains("[]")
    }

    /// Flag without its dashes; `None` for what only a file can say.
    #[must_use]
    pub fn flag(&self) -> Option<String> {
        match self.flag {
            Some("") => None,
            Some(flag) => Some(flag.to_owned()),
            None => Some(self.key.replace(['.', '_'], "-")),
        }
    }

    /// Environment variable: `TURNPIKE_` and the flag in capitals.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        if self.key == "files[]" {
            return Some("TURNPIKE_FILES".to_owned());
        }
        self.flag().map(|flag| format!("TURNPIKE_{}", flag.replace('-', "_").to_ascii_uppercase()))
    }
}

/// Keys that are planned: refused with this reason instead of as a typing slip.
pub const LATER: &[(&str, &str)] = &[("store", "APIs come from files")];

const fn setting(key: &'static str, kind: Kind, default: &'static str, meaning: &'static str) -> Setting {
    Setting { key, meaning, kind, default, flag: None, value_name: value_name(&kind) }
}

const fn flagged(setting: Setting, flag: &'static str) -> Setting {
    Setting { flag: Some(flag), ..setting }
}

const fn value_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Count { .. } => "N",
        Kind::CountOrAuto { .. } => "N|auto",
        Kind::CountOrOff { .. } => "N|off",
        Kind::Bytes { .. } => "SIZE",
        Kind::BytesOrAuto { .. } => "SIZE|auto",
        Kind::Duration { .. } => "TIME",
        Kind::Choice { .. } => "WORD",
        Kind::Address | Kind::AddressOrPath => "ADDR",
        Kind::Mode => "MODE",
        Kind::AccountId => "DIGITS",
        Kind::Region => "REGION",
        Kind::Path => "PATH",
        Kind::Text { .. } => "TEXT",
        Kind::Cpus => "CPUS",
        Kind::Networks => "NETWORKS",
    }
}

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600_000;
const KIB: u64 = 1 << 10;
const GIB: u64 = 1 << 30;

/// Every setting of a node, in the order of the reference.
pub const TABLE: &[Setting] = &[
    flagged(
        setting(
            "files[]",
            Kind::Path,
            "",
            "OpenAPI documents to serve; each becomes an API with a stage. Watched.",
        ),
        "",
    ),
    flagged(
        setting(
            "listeners[].address",
            Kind::AddressOrPath,
            "127.0.0.1:8080",
            "Address of a data-plane listener. Port 0 takes a free port, shown in the ready line. `[::]` is IPv6 alone: add `0.0.0.0` for IPv4. `unix:PATH` listens on a UNIX socket.",
        ),
        "listen",
    ),
    flagged(
        setting(
            "listeners[].mode",
            Kind::Mode,
            "",
            "Permissions of a UNIX socket's file: who may write may connect. Unsaid: `0660`.",
        ),
        "",
    ),
    flagged(
        setting(
            "listeners[].kind",
            Kind::Choice {
                of: &["regional"],
                later: &[
                    ("edge", "edge header rules are missing; `regional` serves EDGE and REGIONAL APIs"),
                    ("private", "private endpoints and their policies are missing"),
                ],
            },
            "regional",
            "Endpoint type that the listener speaks for.",
        ),
        "",
    ),
    flagged(
        setting(
            "listeners[].tls.certificate",
            Kind::Path,
            "",
            "PEM file with the certificate chain, leaf first: the listener speaks TLS. Watched.",
        ),
        "",
    ),
    flagged(
        setting(
            "listeners[].tls.key",
            Kind::Path,
            "",
            "PEM file with the certificate's private key, not encrypted.",
        ),
        "",
    ),
    flagged(
        setting("listeners[].tls.ocsp", Kind::Path, "", "DER file with an OCSP response to staple. Watched."),
        "",
    ),
    flagged(
        setting(
            "listeners[].tls.security_policy",
            Kind::Choice { of: vocabulary::security_policy::NAMES, later: &[] },
            "",
            "AWS's name of the versions and suites that are offered. Unsaid: `TLS_1_2`.",
        ),
        "",
    ),
    flagged(
        setting(
            "listeners[].proxy_protocol",
            Kind::Choice { of: &["false", "true"], later: &[] },
            "",
            "Whether every connection begins with a header of the PROXY protocol (version 1 or 2), which names the client; one without is closed. Unsaid: `false`.",
        ),
        "",
    ),
    flagged(
        setting(
            "listeners[].trusted_proxies",
            Kind::Networks,
            "",
            "Proxies that are believed: behind them the client's address is the last one of `X-Forwarded-For` that isn't theirs. With `proxy_protocol`, nobody else may connect. Unsaid: nobody is believed, as AWS has it; any peer may send a PROXY protocol header.",
        ),
        "",
    ),
    flagged(
        setting(
            "certificates[].certificate",
            Kind::Path,
            "",
            "PEM file of a further certificate; every TLS listener presents it to clients that name one of its names.",
        ),
        "",
    ),
    flagged(
        setting("certificates[].key", Kind::Path, "", "PEM file with that certificate's private key."),
        "",
    ),
    flagged(
        setting(
            "certificates[].ocsp",
            Kind::Path,
            "",
            "DER file with an OCSP response for that certificate.",
        ),
        "",
    ),
    setting(
        "upstream.roots",
        Kind::Path,
        "/etc/ssl/certs/ca-certificates.crt",
        "PEM file with the certificate authorities that `https://` backends are checked against.",
    ),
    flagged(
        setting(
            "resolver.servers[]",
            Kind::Address,
            "",
            "Name servers for the names of backends. Unsaid: those of `/etc/resolv.conf`, whose other lines hold in any case.",
        ),
        "resolver-servers",
    ),
    setting(
        "resolver.ttl_min",
        Kind::Duration { min: SECOND, max: HOUR },
        "1s",
        "A backend's addresses hold at least so long, whatever their TTL.",
    ),
    setting(
        "resolver.ttl_max",
        Kind::Duration { min: SECOND, max: 24 * HOUR },
        "1h",
        "A backend's addresses hold at most so long, whatever their TTL.",
    ),
    flagged(
        setting(
            "control.address",
            Kind::Address,
            "127.0.0.1:8081",
            "Address of the control listener: AWS's management calls, /healthz, /readyz, /metrics. Keep it private.",
        ),
        "control",
    ),
    flagged(
        setting(
            "control.auth",
            Kind::Choice { of: &["off", "iam"], later: &[] },
            "off",
            "Who may make management calls: anybody who reaches the listener, or identities whose signatures and policies are checked.",
        ),
        "control-auth",
    ),
    setting(
        "control.identities",
        Kind::Path,
        "./identities.yaml",
        "File of users with their access keys and policies, read where `control.auth` is `iam`, and again on SIGHUP.",
    ),
    setting(
        "control.tls.certificate",
        Kind::Path,
        "",
        "PEM file with the certificate chain, leaf first: the control listener speaks TLS. Watched.",
    ),
    setting(
        "control.tls.key",
        Kind::Path,
        "",
        "PEM file with the private key of that certificate, not encrypted.",
    ),
    flagged(
        setting(
            "control.insecure",
            Kind::Choice { of: &["false", "true"], later: &[] },
            "false",
            "Lets the control listener have an address that other machines reach, though whoever reaches it may change everything.",
        ),
        "insecure-control",
    ),
    setting("region", Kind::Region, "us-east-1", "Region in host names, ARNs and `$context`."),
    setting("account_id", Kind::AccountId, "000000000000", "Account in ARNs and `$context.accountId`."),
    setting(
        "data_dir",
        Kind::Path,
        crate::DEFAULT_DATA_DIR,
        "Folder for what the control plane is told; one process has it at a time.",
    ),
    flagged(
        setting(
            "shards.count",
            Kind::CountOrAuto { min: 1, max: 1024 },
            "auto",
            "Shards: one event loop and thread each. `auto`: one per usable CPU.",
        ),
        "shards",
    ),
    setting(
        "shards.cpus",
        Kind::Cpus,
        "auto",
        "CPUs to pin shards to, in turn, such as 0-3,6. `auto`: the usable ones.",
    ),
    setting(
        "shards.spin_us",
        Kind::Count { min: 0, max: 1_000 },
        "0",
        "Microseconds a shard polls before it sleeps, while events come that close: latency for CPU (docs/tuning.md).",
    ),
    setting(
        "shards.busy_poll_us",
        Kind::Count { min: 0, max: 10_000 },
        "0",
        "Microseconds a shard polls the queues of network cards before it sleeps (NAPI busy polling, on the `ring` event loop, Linux 6.9); 0 leaves them to interrupts (docs/tuning.md).",
    ),
    setting(
        "runtime",
        Kind::Choice { of: &["auto", "ring", "portable"], later: &[] },
        "auto",
        "Event loop: `ring` needs a recent io_uring, `portable` runs anywhere. `auto` probes at start and logs its choice.",
    ),
    setting(
        "limits.profile",
        Kind::Choice {
            of: &["default"],
            later: &[(
                "aws",
                "the three limits that size AWS's own fleet are missing; all others default to AWS's values",
            )],
        },
        "default",
        "Set of limits to start from; `limits: PROFILE` is its short form.",
    ),
    setting(
        "limits.payload_bytes",
        Kind::Bytes { min: 0, max: 1024 * GIB },
        "10MiB",
        "Request and response payload. AWS: 10 MB. Bodies stream, so a higher value costs no memory.",
    ),
    setting(
        "limits.header_total_bytes",
        Kind::Bytes { min: 512, max: 64 * KIB },
        "10KiB",
        "All request header names and values together. AWS: 10,240 bytes.",
    ),
    setting(
        "limits.url_bytes",
        Kind::Bytes { min: 128, max: 64 * KIB },
        "10KiB",
        "Request target: path and query. AWS: 10,240 bytes.",
    ),
    setting(
        "limits.header_count",
        Kind::Count { min: 8, max: 1024 },
        "256",
        "Request header fields. AWS states none.",
    ),
    setting(
        "limits.integration_timeout",
        Kind::Duration { min: 50, max: HOUR / 4 },
        "29s",
        "The longest `timeoutInMillis` a document may ask for. AWS: 29 s, more on request.",
    ),
    setting(
        "limits.connections",
        Kind::Count { min: 1, max: 10_000_000 },
        "100000",
        "Client connections per shard; further ones are closed at once.",
    ),
    setting(
        "limits.idle_upstreams",
        Kind::Count { min: 0, max: 65_536 },
        "256",
        "Idle connections that a shard keeps per backend. More are kept for 2 s, so that bursts don't open them anew; 0 keeps none.",
    ),
    setting(
        "overload.in_flight",
        Kind::CountOrOff { min: 1, max: 100_000_000 },
        "off",
        "Requests in flight at most, divided over the shards; load is shed from 80 % of it on (docs/operating.md, Under overload). AWS states none.",
    ),
    setting(
        "overload.memory",
        Kind::BytesOrAuto { min: 1024 * KIB, max: 1024 * 1024 * GIB },
        "auto",
        "Bytes that connections and messages may hold, divided over the shards; load is shed from 80 % of it on. `auto`: half of the host's memory, or of the cgroup's limit.",
    ),
    setting(
        "timeouts.header",
        Kind::Duration { min: 100, max: HOUR },
        "10s",
        "A request head, from its first byte to its last.",
    ),
    setting(
        "timeouts.body",
        Kind::Duration { min: 100, max: HOUR },
        "30s",
        "The next bytes of a request body.",
    ),
    setting(
        "timeouts.send",
        Kind::Duration { min: 100, max: HOUR },
        "60s",
        "A client that takes nothing of its answer.",
    ),
    setting(
        "timeouts.idle_client",
        Kind::Duration { min: 100, max: 24 * HOUR },
        "310s",
        "The next request on a client connection. AWS: 310 s.",
    ),
    setting(
        "timeouts.idle_upstream",
        Kind::Duration { min: 100, max: 24 * HOUR },
        "60s",
        "The next use of a pooled backend connection.",
    ),
    setting(
        "timeouts.connect",
        Kind::Duration { min: 10, max: 29 * SECOND },
        "5s",
        "A connect to one address of a backend. The integration's own timeout may end it earlier.",
    ),
    setting(
        "timeouts.drain",
        Kind::Duration { min: 0, max: HOUR },
        "30s",
        "Requests under way after SIGTERM; what isn't done by then is cut.",
    ),
    setting(
        "timeouts.upgrade",
        Kind::Duration { min: SECOND, max: HOUR },
        "60s",
        "A process that takes over (SIGUSR2) is ready within this time, or it is ended and the running one goes on.",
    ),
    setting(
        "access_log.destination",
        Kind::Path,
        "off",
        "`off`, `stdout` or a path. Files are appended to, one record a line, and reopened on SIGHUP.",
    ),
    setting(
        "access_log.format",
        Kind::Text { max: 3072 },
        "json",
        "`json`, `clf`, or a text with `$context` variables, as AWS has it.",
    ),
];

/// The setting of a key.
#[must_use]
pub fn find(key: &str) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| setting.key == key)
}

#[cfg(test)]
mod tests {
    use super::TABLE;
    use std::collections::HashSet;

    #[test]
    fn keys_flags_and_variables_are_unique_and_defaults_fit() {
        let mut seen = HashSet::new();
        for setting in TABLE {
            assert!(seen.insert(setting.key.to_owned()), "{}", setting.key);
            assert!(setting.flag().is_none_or(|flag| seen.insert(format!("--{flag}"))), "{}", setting.key);
            assert!(setting.variable().is_none_or(|variable| seen.insert(variable)), "{}", setting.key);
            if !setting.default.is_empty() {
                crate::value::parse(&setting.kind, setting.default)
                    .unwrap_or_else(|e| panic!("{}: {e}", setting.key));
            }
        }
    }
}
