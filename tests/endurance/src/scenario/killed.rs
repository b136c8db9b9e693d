//! A backend process is killed under load and comes back: what is under way fails by its rule, what comes later is told
//! that nobody is there, and the first request after the return is served.

use super::{GROWTH_KIB_MAX, document, node, route};
use crate::Setting;
use crate::process::{Holdings, nothing_leaked};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use support::{Client, eventually};

/// Connections that ask at the same time.
const ASKERS: usize = 8;

/// A backend of its own process.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(address: &str) -> Self {
        let own = std::env::current_exe().expect("a program knows its own path");
        let child = Command::new(own).args(["--backend", address]).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("the backend runs");
        let mut line = String::new();
        let output = child.stdout.take().expect("stdout is piped");
        BufReader::new(output).read_line(&mut line).expect("the backend tells its address");
        Process { child, address: line.trim().parse().expect("an address") }
    }

    fn kill(&mut self) {
        self.child.kill().expect("the backend can be killed");
        self.child.wait().expect("the backend ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only for a backend that was killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers by what they were.
#[derive(Default)]
struct Counts {
    served: AtomicUsize,
    refused: AtomicUsize,
    lost: AtomicUsize,
}

pub(crate) fn run(setting: Setting<'_>) -> String {
    let mut process = Process::start("127.0.0.1:0");
    let address = process.address;
    let routes = [route("/ok", address, 20_000), route("/slow", address, 20_000)];
    let node = node(setting.runtime, &document(&routes)).start();
    let (counts, done) = (Counts::default(), AtomicBool::new(false));
    let mut before = Holdings::of(&node);
    let kills = if setting.full { 50 } else { 10 };
    std::thread::scope(|scope| {
        for asker in 0..ASKERS {
            let (address, counts, done) = (node.address(), &counts, &done);
            scope.spawn(move || ask(address, if asker % 2 == 0 { "/ok/1" } else { "/slow/5" }, counts, done));
        }
        for kill in 0..=kills {
            if kill == 1 {
                // By now the loop has the memory that such a load needs; descriptors are those from before.
                before.rss_kib = Holdings::of(&node).rss_kib;
            }
            wait_for_more(&counts.served, 200);
            process.kill();
            wait_for_more(&counts.refused, 200);
            process = Process::start(&address.to_string());
        }
        wait_for_more(&counts.served, 200);
        done.store(true, Ordering::Release);
    });
    process.kill();
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    // At most what was under way, once for each kill.
    assert!(count(&counts.lost) <= ASKERS * (kills + 2), "{} requests were lost", count(&counts.lost));
    format!(
        "{} kills: {} served, {} in flight answered 504, {} answered 500 while it was gone; {}",
        kills + 1,
        count(&counts.served),
        count(&counts.lost),
        count(&counts.refused),
        nothing_leaked(&node, before, GROWTH_KIB_MAX)
    )
}

fn wait_for_more(counter: &AtomicUsize, more: usize) {
    let enough = counter.load(Ordering::Relaxed) + more;
    eventually("answers go on", || counter.load(Ordering::Relaxed) >= enough);
}

fn ask(address: SocketAddr, path: &str, counts: &Counts, done: &AtomicBool) {
    let mut client = Client::connect(address);
    while !done.load(Ordering::Acquire) {
        let answer = client.ask("GET", path, "localhost");
        let counter = match answer.status() {
            200 => &counts.served,
            500 => &counts.refused,
            504 => &counts.lost,
            other => panic!("{path} answered {other}"),
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
