//! Ends of connections: said by close_notify where they are clean, and never where they aren't (RFC 8446 section 6.1).

use super::{RUNTIMES, VERSIONS, builder, mock, proxy};
use rustix::process::Signal;
use rustls::version::TLS13;
use std::time::{Duration, Instant};
use support::{Connector, End, Identity, Reply, Upstream, eventually};

const CLOSING: &str = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

#[test]
fn a_last_answer_and_an_idle_time_end_with_close_notify() {
    let own = Identity::ecdsa(&["own.example"]);
    for runtime in RUNTIMES {
        let node = builder(runtime, &own, &mock()).flags(&["--timeouts-idle-client", "300ms"]).start();
        for version in VERSIONS {
            let mut last = Connector::of(version).connect(node.address(), "x");
            assert_eq!(last.send(CLOSING).response().field("connection"), Some("close"));
            assert_eq!(last.rest(), (Vec::new(), End::CloseNotify), "{runtime}: {version:?}");
            let mut idle = Connector::of(version).connect(node.address(), "x");
            let since = Instant::now();
            assert_eq!(idle.ask("GET", "/a", "h").status(), 200);
            assert_eq!(idle.rest(), (Vec::new(), End::CloseNotify), "{runtime}: {version:?}");
            assert!(since.elapsed() >= Duration::from_millis(250), "{runtime}: {:?}", since.elapsed());
        }
    }
}

#[test]
fn a_drain_ends_with_close_notify() {
    let own = Identity::ecdsa(&["own.example"]);
    for runtime in RUNTIMES {
        let slow = Upstream::start(|_| {
            std::thread::sleep(Duration::from_millis(500));
            Reply::text("late")
        });
        let mut node = builder(runtime, &own, &proxy(&slow)).start();
        let connector = Connector::new();
        let mut busy = connector.connect(node.address(), "x");
        let mut idle = connector.connect(node.address(), "x");
        assert_eq!(idle.ask("GET", "/a", "h").status(), 200);
        let _ = slow.request();
        busy.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
        let _ = slow.request();
        node.signal(Signal::TERM);
        assert_eq!(idle.rest(), (Vec::new(), End::CloseNotify), "{runtime}");
        let answer = busy.response();
        assert_eq!(
            (answer.text().as_str(), answer.field("connection")),
            ("late", Some("close")),
            "{runtime}"
        );
        assert_eq!(busy.rest(), (Vec::new(), End::CloseNotify), "{runtime}");
        drop((idle, busy));
        assert!(node.wait().success(), "{runtime}");
    }
}

#[test]
fn half_an_answer_has_no_clean_end() {
    let own = Identity::ecdsa(&["own.example"]);
    let upstream = Upstream::start(|request| {
        Reply::Last(match request.target() {
            "/length" => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec(),
            "/chunked" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf".to_vec(),
            _ => b"HTTP/1.1 200 OK\r\n\r\nuntil the end".to_vec(),
        })
    });
    for runtime in RUNTIMES {
        let node = builder(runtime, &own, &proxy(&upstream)).start();
        for version in VERSIONS {
            for target in ["/length", "/chunked"] {
                let mut client = Connector::of(version).connect(node.address(), "x");
                client.send(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
                let (_, end) = client.rest();
                assert_ne!(end, End::CloseNotify, "{runtime}: {version:?} {target}");
            }
            // An HTTP/1.0 client learns the end of such a body from close_notify alone.
            let mut client = Connector::of(version).connect(node.address(), "x");
            client.send("GET /end HTTP/1.0\r\nHost: h\r\n\r\n");
            let (answer, end) = client.rest();
            assert!(answer.ends_with(b"until the end") && end == End::CloseNotify, "{runtime}: {end:?}");
            let mut client = Connector::of(version).connect(node.address(), "x");
            client.send("GET /length HTTP/1.0\r\nHost: h\r\n\r\n");
            assert_ne!(client.rest().1, End::CloseNotify, "{runtime}: {version:?}");
        }
    }
}

#[test]
fn a_client_that_sends_no_more_gets_its_answer() {
    let own = Identity::ecdsa(&["own.example"]);
    let slow = Upstream::start(|request| {
        std::thread::sleep(Duration::from_millis(200));
        Reply::with(200, &[], &request.body)
    });
    for runtime in RUNTIMES {
        let node = builder(runtime, &own, &proxy(&slow)).start();
        for version in VERSIONS {
            for tcp_too in [false, true] {
                let mut client = Connector::of(version).connect(node.address(), "x");
                client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody");
                client.close_notify();
                if tcp_too {
                    client.finish();
                }
                let answer = client.response();
                assert_eq!(
                    (answer.status(), answer.text().as_str()),
                    (200, "body"),
                    "{runtime}: {version:?}"
                );
                assert_eq!(answer.field("connection"), Some("close"));
                assert_eq!(client.rest(), (Vec::new(), End::CloseNotify), "{runtime}: {version:?}");
            }
            // Without a request there is nothing to wait for.
            let mut client = Connector::of(version).connect(node.address(), "x");
            client.close_notify();
            assert_eq!(client.rest(), (Vec::new(), End::CloseNotify), "{runtime}: {version:?}");
        }
    }
}

#[test]
fn a_client_that_is_gone_is_noticed() {
    let own = Identity::ecdsa(&["own.example"]);
    let hanging = Upstream::start(|_| Reply::Hang);
    for runtime in RUNTIMES {
        let node = builder(runtime, &own, &proxy(&hanging)).start();
        let open = || {
            let page = crate::observing::control(&node, "/metrics").text();
            crate::observing::metric(&page, "turnpike_connections_open") as u64
        };
        let mut idle = Connector::new().connect(node.address(), "x");
        idle.finish();
        assert_eq!(idle.rest().1, End::CloseNotify, "{runtime}: between requests the end is in order");
        let mut inside = Connector::new().connect(node.address(), "x");
        inside.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf");
        drop(inside);
        let mut waiting = Connector::new().connect(node.address(), "x");
        waiting.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody");
        assert_eq!(hanging.request().text(), "body");
        drop(waiting);
        drop(idle);
        eventually("no connection is left", || open() == 0 && hanging.open() == 0);
    }
}

#[test]
fn a_handshake_that_stalls_is_closed_after_the_time_for_heads() {
    let own = Identity::ecdsa(&["own.example"]);
    let stall = &|runtime: &str, stage: usize| {
        let flags = ["--timeouts-header", "1500ms", "--timeouts-idle-client", "60s"];
        let node = builder(runtime, &own, &mock()).flags(&flags).start();
        let since = Instant::now();
        if stage == 3 {
            let mut client = Connector::of(&TLS13).connect(node.address(), "x");
            assert_eq!(client.rest(), (Vec::new(), End::CloseNotify), "{runtime}");
        } else {
            let hello = Connector::of(&TLS13).hello("x");
            let mut client = support::Client::connect(node.address());
            client.send(&hello[..[0, hello.len() / 2, hello.len()][stage]]);
            let answer = client.rest();
            assert_eq!(answer.is_empty(), stage < 2, "{runtime}: {stage}: {answer:?}");
        }
        let waited = since.elapsed();
        let expected = Duration::from_millis(1400)..Duration::from_secs(15);
        assert!(expected.contains(&waited), "{runtime}: {stage}: {waited:?}");
    };
    std::thread::scope(|scope| {
        for runtime in RUNTIMES {
            // Silent from the start, in the middle of a hello, after the server's answer, and before a first request.
            for stage in 0..4 {
                scope.spawn(move || stall(runtime, stage));
            }
        }
    });
}
