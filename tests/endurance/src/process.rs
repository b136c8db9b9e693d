//! A process's memory and descriptors, as the kernel counts them, and what its control listener tells.

use std::fs;
use support::{Client, Node, eventually};

/// What a node holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holdings {
    pub(crate) rss_kib: u64,
    pub(crate) descriptors: usize,
}

impl Holdings {
    pub(crate) fn of(node: &Node) -> Self {
        Holdings { rss_kib: status(node, "VmRSS:"), descriptors: descriptors(node) }
    }
}

/// Descriptors that are open.
pub(crate) fn descriptors(node: &Node) -> usize {
    fs::read_dir(format!("/proc/{}/fd", node.pid())).expect("the node runs").count()
}

/// The most memory since [`forget_peak`].
pub(crate) fn peak_kib(node: &Node) -> u64 {
    status(node, "VmHWM:")
}

/// Starts the count of the peak anew (proc(5), `clear_refs`).
pub(crate) fn forget_peak(node: &Node) {
    fs::write(format!("/proc/{}/clear_refs", node.pid()), "5").expect("the kernel forgets peaks");
}

fn status(node: &Node, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/status", node.pid())).expect("the node runs");
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel tells");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// The sum of a metric over its labels.
pub(crate) fn metric(node: &Node, name: &str) -> u64 {
    let page = Client::connect(node.control()).ask("GET", "/metrics", "localhost").text();
    let named =
        page.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])));
    named.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

/// Waits until the node holds no more descriptors than `before`, has nothing in flight and met no defect; asserts that
/// its memory grew by less than `growth_kib_max`. Says what it holds.
pub(crate) fn nothing_leaked(node: &Node, before: Holdings, growth_kib_max: u64) -> String {
    let mut open = descriptors(node);
    eventually(&format!("descriptors fall to {} (last: {open})", before.descriptors), || {
        open = descriptors(node);
        open <= before.descriptors
    });
    eventually("nothing is in flight", || {
        metric(node, "turnpike_requests_in_flight") == 0 && metric(node, "turnpike_connections_open") == 0
    });
    assert_eq!(metric(node, "turnpike_panics_total"), 0, "no defect was caught");
    let after = Holdings::of(node);
    let growth = after.rss_kib.saturating_sub(before.rss_kib);
    assert!(growth < growth_kib_max, "memory grew by {growth} KiB, from {before:?} to {after:?}");
    format!(
        "descriptors {} to {}, RSS {} to {} KiB",
        before.descriptors, after.descriptors, before.rss_kib, after.rss_kib
    )
}
