//! SIGTERM under load: every request on an accepted connection is answered, and connections end cleanly.

use super::{behind, node};
use crate::Setting;
use crate::backend::Backend;
use crate::process::metric;
use rustix::process::Signal;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::Client;

/// Connections that ask without a pause, and as many that pause between requests.
const BUSY: usize = 16;
/// Clients that ask on a new connection each time, and as many whose requests take long.
const CONNECTORS: usize = 4;
/// Shorter than an idle connection may linger while the node stops.
const PAUSE: Duration = Duration::from_millis(150);
/// A request under way when the signal comes takes this long.
const LONG_MS: u64 = 1_500;

/// What clients counted.
#[derive(Default)]
struct Counts {
    answered: AtomicU64,
    /// Requests without a whole answer.
    failed: AtomicU64,
    /// Connections that ended with `Connection: close` and then a FIN.
    closed: AtomicU64,
    /// Connections that ended while idle.
    ended_idle: AtomicU64,
    /// Requests on a connection of their own, answered whole.
    single: AtomicU64,
    /// Connections that the kernel had made and that ended without a byte.
    cut: AtomicU64,
}

pub(crate) fn run(setting: Setting<'_>) -> String {
    let rounds = if setting.full { 10 } else { 2 };
    let total = Counts::default();
    let mut longest = Duration::ZERO;
    for _ in 0..rounds {
        longest = longest.max(stop_once(setting.runtime, &total));
    }
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    assert_eq!(count(&total.failed), 0, "requests on accepted connections failed");
    // The kernel may make one between the node's last accept and the listener's close.
    assert!(count(&total.cut) <= 1, "connections were cut: {}", count(&total.cut));
    format!(
        "{rounds} stops: {} answered, 0 failed, {} on connections of their own, {} of those cut, {} closed after an \
         answer, {} while idle, ended within {:.1} s",
        count(&total.answered),
        count(&total.single),
        count(&total.cut),
        count(&total.closed),
        count(&total.ended_idle),
        longest.as_secs_f64()
    )
}

fn stop_once(runtime: &str, total: &Counts) -> Duration {
    let backend = Backend::start();
    let mut node = node(runtime, &behind(&backend)).start();
    let address = node.address();
    std::thread::scope(|scope| {
        for n in 0..BUSY {
            // Connected before the signal, or a refusal could not be told from a failure.
            let (busy, paused, long) =
                (Client::connect(address), Client::connect(address), Client::connect(address));
            scope.spawn(move || ask_until_closed(busy, "/ok/1", Duration::ZERO, total));
            scope.spawn(move || ask_until_closed(paused, "/slow/5", PAUSE, total));
            if n < CONNECTORS {
                scope.spawn(move || connect_until_refused(address, total));
                scope.spawn(move || {
                    ask_until_closed(long, &format!("/slow/{LONG_MS}"), Duration::ZERO, total)
                });
            }
        }
        wait_for_load(address, &node);
        std::thread::sleep(Duration::from_millis(700));
        let asked = Instant::now();
        node.signal(Signal::TERM);
        let status = node.wait();
        let took = asked.elapsed();
        assert!(status.success(), "the node ends in order: {status}");
        assert!(took < Duration::from_secs(10), "the node took {took:?} to stop");
        assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
        took
    })
}

fn wait_for_load(address: SocketAddr, node: &support::Node) {
    support::eventually(&format!("{address} is busy"), || metric(node, "turnpike_connections_open") >= 36);
}

/// Asks on one connection until the node closes it. A request that was sent and isn't answered whole is a failure; a
/// connection that ends before the next request is sent is none.
fn ask_until_closed(mut client: Client, path: &str, pause: Duration, total: &Counts) {
    let add = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
    loop {
        if client.try_send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).is_err() {
            add(&total.failed);
            return;
        }
        let answer: io::Result<_> = client.try_response("GET");
        let Ok(answer) = answer else {
            add(&total.failed);
            return;
        };
        if answer.status() != 200 || answer.text() != "ok" {
            add(&total.failed);
            return;
        }
        add(&total.answered);
        if answer.field("connection") == Some("close") {
            if client.rest().is_empty() {
                add(&total.closed);
            } else {
                add(&total.failed);
            }
            return;
        }
        if !pause.is_zero() && ended_within(&client, pause) {
            add(&total.ended_idle);
            return;
        }
    }
}

/// Asks on one new connection after another, until none is made any more.
fn connect_until_refused(address: SocketAddr, total: &Counts) {
    let add = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
    while TcpStream::connect(address).is_ok_and(|stream| {
        let answered = ask_once(&stream).is_ok();
        add(if answered { &total.single } else { &total.cut });
        true
    }) {}
}

fn ask_once(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(support::PATIENCE))?;
    stream.write_all(b"GET /ok/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer)?;
    if answer.starts_with(b"HTTP/1.1 200 ") && answer.ends_with(b"\r\n\r\nok") {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Waits; whether the peer closed meanwhile.
fn ended_within(client: &Client, pause: Duration) -> bool {
    std::thread::sleep(pause);
    client.has_ended()
}
