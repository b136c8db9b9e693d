//! Metrics as Prometheus reads them: text format 0.0.4, sums over shards.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use crate::metrics::{BUCKETS_MS, Counter, Histogram, Series, SeriesLabels, ShardMetrics};

/// `Content-Type` of [`render`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Default)]
struct Times {
    buckets: [u64; BUCKETS_MS.len() + 1],
    sum_us: u64,
}

impl Times {
    fn add(&mut self, histogram: &Histogram) {
        for (sum, bucket) in self.buckets.iter_mut().zip(&histogram.buckets) {
            *sum += bucket.value();
        }
        self.sum_us += histogram.sum_us.value();
    }
}

#[derive(Default)]
struct Sums {
    counters: [u64; 4],
    latency: Times,
    integration_latency: Times,
}

type CounterFamily = (&'static str, &'static str, fn(&Series) -> &Counter);

const COUNTERS: [CounterFamily; 4] = [
    ("apigateway_requests_total", "Requests (CloudWatch: Count).", |series| &series.count),
    ("apigateway_4xx_total", "Answers with a 4xx status (CloudWatch: 4XXError).", |series| {
        &series.errors_4xx
    }),
    ("apigateway_5xx_total", "Answers with a 5xx status (CloudWatch: 5XXError).", |series| {
        &series.errors_5xx
    }),
    ("apigateway_data_processed_bytes_total", "Payload bytes, both ways.", |series| &series.data_processed),
];

/// The metrics of a node.
#[must_use]
pub fn render(shards: &[Arc<ShardMetrics>]) -> String {
    let mut stages: BTreeMap<SeriesLabels, Sums> = BTreeMap::new();
    for series in shards.iter().flat_map(|shard| shard.all_series()) {
        let sums = stages.entry(series.labels.clone()).or_default();
        for (sum, (_, _, of)) in sums.counters.iter_mut().zip(COUNTERS) {
            *sum += of(&series).value();
        }
        sums.latency.add(&series.latency);
        sums.integration_latency.add(&series.integration_latency);
    }
    let mut out = String::new();
    for (index, (name, help, _)) in COUNTERS.iter().enumerate() {
        head(&mut out, name, "counter", help);
        for (labels, sums) in &stages {
            line(&mut out, name, labels, "", sums.counters[index]);
        }
    }
    histogram(&mut out, "apigateway_latency_milliseconds", "Arrival to last byte.", &stages, |sums| {
        &sums.latency
    });
    let help = "Call to the backend to its response head.";
    histogram(&mut out, "apigateway_integration_latency_milliseconds", help, &stages, |sums| {
        &sums.integration_latency
    });
    own(&mut out, shards);
    out
}

fn own(out: &mut String, shards: &[Arc<ShardMetrics>]) {
    let mut sums: Vec<(&str, &str, &str, u64)> = ShardMetrics::default().own();
    for shard in shards {
        for (sum, (.., value)) in sums.iter_mut().zip(shard.own()) {
            sum.3 = sum.3.wrapping_add(value);
        }
    }
    for (name, kind, help, value) in sums {
        head(out, name, kind, help.trim());
        // Writing to a String doesn't fail.
        let _ = writeln!(out, "{name} {value}");
    }
    let highest = |of: fn(&ShardMetrics) -> &Counter| shards.iter().map(|shard| of(shard).value()).max();
    let (name, step) = ("turnpike_overload_step", highest(|shard| &shard.overload_step).unwrap_or(0));
    head(out, name, "gauge", "Step of the overload ladder, 0 to 3: the highest of all shards.");
    let _ = writeln!(out, "{name} {step}");
    let (name, pressure) =
        ("turnpike_overload_pressure_ratio", highest(|shard| &shard.overload_pressure).unwrap_or(0));
    head(out, name, "gauge", "Largest share of an overload bound in use: the highest of all shards.");
    let _ = writeln!(out, "{name} {}.{:03}", pressure / 1_000, pressure % 1_000);
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(out: &mut String, name: &str, labels: &SeriesLabels, more: &str, value: impl std::fmt::Display) {
    let _ = write!(out, "{name}{{api_id=\"");
    escape(out, &labels.api_id);
    out.push_str("\",api_name=\"");
    escape(out, &labels.api_name);
    out.push_str("\",stage=\"");
    escape(out, &labels.stage);
    let _ = writeln!(out, "\",api_type=\"REST\"{more}}} {value}");
}

fn escape(out: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
}

fn histogram(
    out: &mut String,
    name: &str,
    help: &str,
    stages: &BTreeMap<SeriesLabels, Sums>,
    of: impl Fn(&Sums) -> &Times,
) {
    head(out, name, "histogram", help);
    for (labels, sums) in stages {
        let times = of(sums);
        let mut count = 0;
        for (index, bucket) in times.buckets.iter().enumerate() {
            count += bucket;
            let bound = BUCKETS_MS.get(index).map_or_else(|| "+Inf".to_owned(), u64::to_string);
            line(out, &format!("{name}_bucket"), labels, &format!(",le=\"{bound}\""), count);
        }
        line(out, &format!("{name}_sum"), labels, "", times.sum_us as f64 / 1_000.0);
        line(out, &format!("{name}_count"), labels, "", count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_summed_and_labels_escaped() {
        let shards = [Arc::new(ShardMetrics::default()), Arc::new(ShardMetrics::default())];
        let labels = SeriesLabels { api_id: "a".into(), api_name: "x\"y".into(), stage: "prod".into() };
        for shard in &shards {
            let series = shard.series(&labels);
            series.count.add(2);
            series.latency.observe(1_500_000);
            shard.connections_open.add(1);
        }
        let text = render(&shards);
        for expected in [
            "apigateway_requests_total{api_id=\"a\",api_name=\"x\\\"y\",stage=\"prod\",api_type=\"REST\"} 4\n",
            "stage=\"prod\",api_type=\"REST\",le=\"1\"} 0\n",
            "stage=\"prod\",api_type=\"REST\",le=\"2\"} 2\n",
            "le=\"+Inf\"} 2\n",
            "apigateway_latency_milliseconds_sum{api_id=\"a\",api_name=\"x\\\"y\",stage=\"prod\",api_type=\"REST\"} 3\n",
            "# TYPE turnpike_connections_open gauge\nturnpike_connections_open 2\n",
            "access_log_dropped_total 0\n",
        ] {
            assert!(text.contains(expected), "{expected}\nin\n{text}");
        }
        assert_eq!(text.matches("# TYPE apigateway_latency_milliseconds ").count(), 1);
    }
}
