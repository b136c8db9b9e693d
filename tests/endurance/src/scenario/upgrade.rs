//! Upgrades, edits and renewals of certificates under wrk and h2load, in clear and over TLS: no request fails.

use super::{document, mock, route};
use crate::Setting;
use crate::backend::Backend;
use crate::process::metric;
use crate::streams;
use crate::wrk::Wrk;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::{Client, Identity, Node, eventually};

/// Between two changes.
const PAUSE: Duration = Duration::from_millis(1_500);

/// A node on two shards with a listener in clear and one with TLS.
fn start(runtime: &str, document: &str) -> Node {
    let identity = Identity::ecdsa(&["localhost"]);
    Node::builder()
        .document("api.yaml", document)
        .file("own.pem", &identity.certificate)
        .file("own.key", &identity.key)
        .settings(
            "listeners:\n  - address: 127.0.0.1:0\n  - address: 127.0.0.1:0\n    tls: {certificate: own.pem, key: own.key}\n\
             shards: {count: 2}\n",
        )
        .flags(&["--runtime", runtime])
        .start()
}

pub(crate) fn run(setting: Setting<'_>) -> String {
    let backend = Backend::start();
    let edition =
        |n: u64| document(&[route("/ok", backend.address, 20_000), mock("/edition", &n.to_string())]);
    let mut node = start(setting.runtime, &edition(0));
    let (plain, secure) = (node.addresses()[0], node.addresses()[1]);
    let seconds = if setting.full { 120 } else { 8 };
    let wrks = [format!("http://{plain}/ok/1"), format!("https://{secure}/ok/1")]
        .map(|url| Wrk::start(&url, seconds));
    let done = AtomicBool::new(false);
    let (multiplexed, singles) = (AtomicU64::new(0), AtomicU64::new(0));
    let (mut upgrades, mut edits, mut renewals) = (0, 0, 0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let (done, multiplexed) = (&done, &multiplexed);
            scope.spawn(move || {
                let counts = streams::ask(plain, "/ok/1", done);
                multiplexed.fetch_add(counts.answered, Ordering::AcqRel);
            });
        }
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                assert_eq!(Client::connect(plain).ask("GET", "/ok/1", "localhost").status(), 200);
                singles.fetch_add(1, Ordering::AcqRel);
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let until = Instant::now() + Duration::from_secs(seconds) - PAUSE;
        while Instant::now() < until {
            std::thread::sleep(PAUSE);
            match (upgrades + edits + renewals) % 3 {
                0 => {
                    node.upgrade();
                    upgrades += 1;
                }
                1 => {
                    edits += 1;
                    node.folder().write("api.yaml", &edition(edits));
                }
                _ => {
                    let identity = Identity::ecdsa(&["localhost"]);
                    node.folder().write("own.key", &identity.key);
                    node.folder().write("own.pem", &identity.certificate);
                    renewals += 1;
                }
            }
        }
        done.store(true, Ordering::Release);
    });
    let counts = wrks.map(Wrk::finish);
    assert!(counts.iter().all(|counts| counts.failures.is_empty()), "requests failed: {counts:?}");
    let [plain, secure] = counts.map(|counts| counts.requests);
    eventually("the last edit is served", || {
        node.client().ask("GET", "/edition", "localhost").text() == edits.to_string()
    });
    eventually("no request is left", || metric(&node, "turnpike_requests_in_flight") == 0);
    format!(
        "{seconds} s, {upgrades} upgrades, {edits} edits, {renewals} renewals: {plain} requests in clear, {secure} over TLS, {} by \
         HTTP/2, {} on connections of their own, 0 failed",
        multiplexed.into_inner(),
        singles.into_inner()
    )
}
