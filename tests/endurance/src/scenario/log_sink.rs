//! An access log that takes nothing: requests go on as fast as before, and what is lost is counted.

use super::{document, mock};
use crate::Setting;
use crate::process::metric;
use crate::wrk::{Counts, Wrk};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use support::{Node, Scratch, eventually};

/// A record that fills rings soon.
const FORMAT: &str = "$context.requestId $context.identity.sourceIp $context.httpMethod $context.path $context.status \
     $context.protocol $context.responseLength $context.requestTime $context.resourcePath $context.stage $context.apiId";

pub(crate) fn run(setting: Setting<'_>) -> String {
    let folder = Scratch::new();
    let fifo = folder.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().expect("mkfifo runs");
    assert!(made.success(), "a fifo can be made");
    let seconds = if setting.full { 10 } else { 3 };
    let mut free = load(setting, Path::new("off"), seconds).0;
    let mut told = vec![format!("no log {:.0} requests/s", free.per_second)];
    for (name, sink) in [("fifo nobody reads", fifo.as_path()), ("full disk", Path::new("/dev/full"))] {
        let (mut counts, mut dropped, mut stop) = load(setting, sink, seconds);
        for _ in 0..2 {
            // A machine that does other things may have had no time for one of the two.
            if counts.failures.is_empty() && counts.per_second > free.per_second / 2.0 {
                break;
            }
            free = load(setting, Path::new("off"), seconds).0;
            (counts, dropped, stop) = load(setting, sink, seconds);
        }
        assert!(counts.failures.is_empty(), "{name}: {counts:?}");
        assert!(dropped > 0, "{name}: what is lost is counted");
        let share = counts.per_second / free.per_second;
        // A wide bound, for a machine that does other things too; a wait for the sink would leave next to nothing.
        assert!(share > 0.5, "{name}: {share:.2} of the requests per second without a log");
        told.push(format!(
            "{name} {:.0} requests/s, {} requests, {dropped} records dropped, stopped in {:.1} s",
            counts.per_second,
            counts.requests,
            stop.as_secs_f64()
        ));
    }
    told.join("; ")
}

/// Requests, records dropped, and the time to stop.
fn load(setting: Setting<'_>, sink: &Path, seconds: u64) -> (Counts, u64, Duration) {
    let sink = sink.display().to_string();
    let mut node = Node::builder()
        .document("api.yaml", &document(&[mock("/a", "ok")]))
        .flags(&[
            "--runtime",
            setting.runtime,
            "--access-log-destination",
            &sink,
            "--access-log-format",
            FORMAT,
        ])
        .start();
    let counts = Wrk::start(&format!("http://{}/a", node.address()), seconds).finish();
    assert!(counts.requests > 1_000, "{sink}: wrk didn't load the node: {counts:?}");
    let mut dropped = metric(&node, "access_log_dropped_total");
    if sink == "/dev/full" {
        // Nothing reaches it: in the end every record is counted as lost, whichever way it was.
        eventually("every record is counted as lost", || {
            dropped = metric(&node, "access_log_dropped_total");
            dropped >= counts.requests
        });
    }
    let asked = Instant::now();
    // A sink that is stuck makes it no orderly end, but an end.
    node.stop();
    (counts, dropped, asked.elapsed())
}
