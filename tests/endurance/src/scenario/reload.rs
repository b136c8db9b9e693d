//! The document changes every second under load: no request fails.

use super::{document, mock, route};
use crate::Setting;
use crate::backend::Backend;
use crate::process::metric;
use crate::wrk::Wrk;
use std::time::Duration;
use support::{Node, eventually};

pub(crate) fn run(setting: Setting<'_>) -> String {
    let backend = Backend::start();
    let edition =
        |n: u64| document(&[route("/ok", backend.address, 20_000), mock("/edition", &n.to_string())]);
    let node =
        Node::builder().document("api.yaml", &edition(0)).flags(&["--runtime", setting.runtime]).start();
    let seconds = if setting.full { 30 } else { 5 };
    let wrk = Wrk::start(&format!("http://{}/ok/1", node.address()), seconds);
    for n in 1..=seconds - 1 {
        std::thread::sleep(Duration::from_secs(1));
        node.folder().write("api.yaml", &edition(n));
    }
    let counts = wrk.finish();
    assert!(counts.failures.is_empty(), "requests failed: {counts:?}");
    assert!(counts.requests > 100 * seconds, "wrk didn't load the node: {counts:?}");
    eventually("the last edit is served", || {
        node.client().ask("GET", "/edition", "localhost").text() == (seconds - 1).to_string()
    });
    eventually("no request is left", || metric(&node, "turnpike_requests_in_flight") == 0);
    format!("{} requests over {} edits, 0 failed", counts.requests, seconds - 1)
}
