//! A shard's counters and histograms. One thread writes them, so an update is a load and a store; others only read.
//!
//! Shards keep their own; sums are made when somebody asks ([`crate::prometheus`]).

#![expect(
    clippy::disallowed_types,
    reason = "the list of series changes with plans only; requests hold their series"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Upper bounds of histogram buckets in milliseconds; the last AWS bound is the integration timeout.
pub const BUCKETS_MS: [u64; 14] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 29_000];

/// A counter with a single writer.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds; only the owning shard may.
    pub fn add(&self, count: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
    }

    /// Takes away; only the owning shard may (gauges).
    pub fn subtract(&self, count: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_sub(count), Ordering::Relaxed);
    }

    /// Sets it; only the owning shard may (gauges).
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The value, from any thread.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Times by bucket.
#[derive(Debug, Default)]
pub struct Histogram {
    /// Samples per bucket of [`BUCKETS_MS`], then those above.
    pub buckets: [Counter; BUCKETS_MS.len() + 1],
    /// Sum in microseconds.
    pub sum_us: Counter,
}

impl Histogram {
    /// Counts one time.
    pub fn observe(&self, latency_ns: u64) {
        let bucket = BUCKETS_MS.partition_point(|&bound| bound * 1_000_000 < latency_ns);
        self.buckets[bucket].add(1);
        self.sum_us.add(latency_ns / 1_000);
    }
}

/// What series are told apart by.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesLabels {
    /// Id of the API.
    pub api_id: String,
    /// Name of the API.
    pub api_name: String,
    /// Name of the stage.
    pub stage: String,
}

/// The numbers of one stage on one shard.
#[derive(Debug, Default)]
pub struct Series {
    /// Which stage.
    pub labels: SeriesLabels,
    /// Requests.
    pub count: Counter,
    /// Answers with 400 to 499.
    pub errors_4xx: Counter,
    /// Answers with 500 to 599.
    pub errors_5xx: Counter,
    /// Arrival to the answer's last byte.
    pub latency: Histogram,
    /// Call to the backend's head.
    pub integration_latency: Histogram,
    /// Payload bytes, both ways.
    pub data_processed: Counter,
}

/// Numbers of the shard itself.
macro_rules! shard_counters {
    ($($(#[doc = $doc:literal])+ $name:ident: $kind:literal, $metric:literal;)+) => {
        /// All numbers of a shard.
        #[derive(Debug, Default)]
        pub struct ShardMetrics {
            $($(#[doc = $doc])+ pub $name: Counter,)+
            /// Step of the overload ladder, 0 to 3.
            pub overload_step: Counter,
            /// Largest share of an overload bound that is used, in thousandths.
            pub overload_pressure: Counter,
            series: Mutex<Vec<Arc<Series>>>,
        }

        impl ShardMetrics {
            /// The shard's own numbers: metric name, type, help and value.
            pub(crate) fn own(&self) -> Vec<(&'static str, &'static str, &'static str, u64)> {
                vec![$(($metric, $kind, concat!($($doc),+), self.$name.value()),)+]
            }
        }
    };
}

shard_counters! {
    /// Client connections accepted.
    connections_accepted: "counter", "turnpike_connections_accepted_total";
    /// Client connections refused because of the limit.
    connections_refused: "counter", "turnpike_connections_refused_total";
    /// Client connections open.
    connections_open: "gauge", "turnpike_connections_open";
    /// Connections closed because their PROXY protocol header was missing, broken, late or from an untrusted peer.
    proxy_protocol_failures: "counter", "turnpike_proxy_protocol_failures_total";
    /// TLS handshakes with clients.
    tls_handshakes: "counter", "turnpike_tls_handshakes_total";
    /// TLS handshakes with clients that resumed a session.
    tls_resumptions: "counter", "turnpike_tls_resumptions_total";
    /// TLS connections of clients that failed: nothing in common, or the protocol broken.
    tls_failures: "counter", "turnpike_tls_failures_total";
    /// Requests in flight.
    requests_in_flight: "gauge", "turnpike_requests_in_flight";
    /// Requests that belong to no stage: bad heads, unknown hosts, payloads over the limit.
    requests_unrouted: "counter", "turnpike_requests_unrouted_total";
    /// Request heads refused as malformed or too large.
    heads_refused: "counter", "turnpike_heads_refused_total";
    /// Connections to backends opened.
    upstream_connects: "counter", "turnpike_upstream_connects_total";
    /// TLS with backends that failed: a certificate that is not trusted or of another name, nothing in common.
    upstream_tls_failures: "counter", "turnpike_upstream_tls_failures_total";
    /// Calls on a pooled backend connection.
    upstream_reuses: "counter", "turnpike_upstream_reuses_total";
    /// Calls repeated because a pooled connection had gone stale.
    upstream_retries: "counter", "turnpike_upstream_retries_total";
    /// Addresses of backends that are set aside after failures, each shard by its own experience.
    upstream_addresses_set_aside: "gauge", "turnpike_upstream_addresses_set_aside";
    /// Look-ups of backends' names that no name server answered usably.
    resolver_failures: "counter", "turnpike_resolver_failures_total";
    /// Clients that were too slow.
    client_timeouts: "counter", "turnpike_client_timeouts_total";
    /// Access-log records dropped because the sink was too slow, or refused them.
    access_log_dropped: "counter", "access_log_dropped_total";
    /// Access-log records handed to the sink.
    access_log_records: "counter", "turnpike_access_log_records_total";
    /// Bytes that connections and messages hold.
    held_bytes: "gauge", "turnpike_held_bytes";
    /// Connections that were not kept because of the load: by Connection: close, or GOAWAY.
    keep_alives_shed: "counter", "turnpike_overload_keep_alives_shed_total";
    /// Idle client connections closed because of the load.
    idle_closed: "counter", "turnpike_overload_idle_closed_total";
    /// HTTP/2 streams refused because of the load.
    streams_refused: "counter", "turnpike_overload_streams_refused_total";
    /// Requests answered 503 because of the load.
    requests_refused: "counter", "turnpike_overload_requests_refused_total";
    /// Times that accepting was paused because of the load.
    accept_pauses: "counter", "turnpike_overload_accept_pauses_total";
    /// Accepts that found no descriptor left; each is tried again by itself.
    accept_failures: "counter", "turnpike_accept_failures_total";
    /// Defects caught at a connection, which was closed.
    panics: "counter", "turnpike_panics_total";
}

impl ShardMetrics {
    /// The series of a stage, made if it is new. Asked when a plan is linked, never by a request.
    #[must_use]
    pub fn series(&self, labels: &SeriesLabels) -> Arc<Series> {
        let mut all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = all.iter().find(|series| series.labels == *labels) {
            return Arc::clone(series);
        }
        let series = Arc::new(Series { labels: labels.clone(), ..Series::default() });
        all.push(Arc::clone(&series));
        series
    }

    /// All series there are.
    pub(crate) fn all_series(&self) -> Vec<Arc<Series>> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_fall_into_their_buckets() {
        let histogram = Histogram::default();
        for latency_ns in [0, 1_000_000, 1_000_001, 29_000_000_000, 29_000_000_001] {
            histogram.observe(latency_ns);
        }
        let counts: Vec<u64> = histogram.buckets.iter().map(Counter::value).collect();
        assert_eq!((counts[0], counts[1], counts[13], counts[14]), (2, 1, 1, 1));
    }
}
