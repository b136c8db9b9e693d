//! The shard's books: counters, histograms and the access-log records of its exchanges.
//!
//! Every exchange is entered once, also after a refusal or the loss of its client. Counters are this shard's alone;
//! they are summed when somebody asks (monitoring: "Metrics", "Access logging").

use std::sync::Arc;

use context::Exchange;
use gateway::NodeLink;
use plan::NodePlan;
use records::RecordWriter;
use records::metrics::{Series, SeriesLabels, ShardMetrics};

/// Series of each stage of a plan.
type StageSeries = Vec<Arc<Series>>;

/// Counters and record ring of one shard.
pub(crate) struct Books {
    metrics: Arc<ShardMetrics>,
    records: Option<RecordWriter>,
    /// Scratch space of one record.
    line: Vec<u8>,
}

impl Books {
    pub(crate) fn new(metrics: Arc<ShardMetrics>, records: Option<RecordWriter>) -> Self {
        Books { metrics, records, line: Vec::new() }
    }

    /// The series of a plan's stages. Numbers of a stage go on across plans.
    pub(crate) fn series(&self, plan: &NodePlan) -> StageSeries {
        let labels = plan.stages.iter().map(|stage| SeriesLabels {
            api_id: stage.facts.api_id.clone(),
            api_name: stage.facts.api_name.clone(),
            stage: stage.facts.stage.clone(),
        });
        labels.map(|labels| self.metrics.series(&labels)).collect()
    }

    /// Enters a finished exchange.
    pub(crate) fn enter(&mut self, exchange: &Exchange, node: &NodeLink, series: &[Arc<Series>]) {
        self.metrics.requests_in_flight.subtract(1);
        let Some(stage) = exchange.stage else {
            self.metrics.requests_unrouted.add(1);
            return;
        };
        if let Some(series) = series.get(stage.0 as usize) {
            series.count.add(1);
            match exchange.status {
                400..500 => series.errors_4xx.add(1),
                500..600 => series.errors_5xx.add(1),
                _ => {}
            }
            series.latency.observe(exchange.response_latency_ns);
            if let Some(latency_ns) = exchange.integration_latency_ns {
                series.integration_latency.observe(latency_ns);
            }
            series.data_processed.add(exchange.request_length + exchange.response_length);
        }
        let format = node.plan().stages.get(stage.0 as usize).and_then(|stage| stage.access_log.as_ref());
        if let (Some(format), Some(writer)) = (format, self.records.as_mut()) {
            self.line.clear();
            format.write(&node.facts(exchange), &mut self.line);
            if writer.push(&self.line) {
                self.metrics.access_log_records.add(1);
            } else {
                self.metrics.access_log_dropped.add(1);
            }
        }
    }

    /// Lets the log thread know of what the turn wrote.
    pub(crate) fn end_turn(&mut self) {
        if let Some(writer) = self.records.as_mut() {
            writer.end_turn();
        }
    }

    pub(crate) fn request_started(&self) {
        self.metrics.requests_in_flight.add(1);
    }

    /// Requests under way.
    #[inline]
    pub(crate) fn in_flight(&self) -> u64 {
        self.metrics.requests_in_flight.value()
    }

    /// Where the shard stands: its step, pressure in thousandths, and the bytes it holds.
    pub(crate) fn load(&self, step: u64, pressure: u64, bytes: u64) {
        self.metrics.overload_step.set(step);
        self.metrics.overload_pressure.set(pressure);
        self.metrics.held_bytes.set(bytes);
    }

    pub(crate) fn keep_alive_shed(&self) {
        self.metrics.keep_alives_shed.add(1);
    }

    pub(crate) fn idle_closed(&self) {
        self.metrics.idle_closed.add(1);
    }

    pub(crate) fn stream_refused(&self) {
        self.metrics.streams_refused.add(1);
    }

    pub(crate) fn request_refused(&self) {
        self.metrics.requests_refused.add(1);
    }

    pub(crate) fn accept_paused(&self) {
        self.metrics.accept_pauses.add(1);
    }

    pub(crate) fn accepts_failed(&self, count: u64) {
        self.metrics.accept_failures.add(count);
    }

    pub(crate) fn head_refused(&self) {
        self.metrics.heads_refused.add(1);
    }

    pub(crate) fn connection_opened(&self) {
        self.metrics.connections_accepted.add(1);
        self.metrics.connections_open.add(1);
    }

    pub(crate) fn connection_closed(&self) {
        self.metrics.connections_open.subtract(1);
    }

    pub(crate) fn connection_refused(&self) {
        self.metrics.connections_refused.add(1);
    }

    pub(crate) fn proxy_protocol_failed(&self) {
        self.metrics.proxy_protocol_failures.add(1);
    }

    pub(crate) fn tls_handshake(&self, resumed: bool) {
        self.metrics.tls_handshakes.add(1);
        self.metrics.tls_resumptions.add(u64::from(resumed));
    }

    pub(crate) fn tls_failed(&self) {
        self.metrics.tls_failures.add(1);
    }

    pub(crate) fn upstream_tls_failed(&self) {
        self.metrics.upstream_tls_failures.add(1);
    }

    pub(crate) fn upstream_connected(&self) {
        self.metrics.upstream_connects.add(1);
    }

    pub(crate) fn addresses_set_aside(&self, before: usize, after: usize) {
        if after >= before {
            self.metrics.upstream_addresses_set_aside.add((after - before) as u64);
        } else {
            self.metrics.upstream_addresses_set_aside.subtract((before - after) as u64);
        }
    }

    pub(crate) fn upstream_reused(&self) {
        self.metrics.upstream_reuses.add(1);
    }

    pub(crate) fn upstream_retried(&self) {
        self.metrics.upstream_retries.add(1);
    }

    pub(crate) fn timed_out(&self) {
        self.metrics.client_timeouts.add(1);
    }

    pub(crate) fn panicked(&self) {
        self.metrics.panics.add(1);
    }
}
