//! Peers that don't speak TLS, or not as they should: an alert, a close, a count, and nobody else notices.

use super::sessions::counted;
use super::{RUNTIMES, builder, mock};
use rustls::version::TLS12;
use std::io::Write;
use std::process::{Command, Stdio};
use support::{Client, Connector, Identity, eventually};

/// One fatal alert in the clear. For a handshake message of an impossible length rustls has none.
fn is_alert(bytes: &[u8]) -> bool {
    matches!(bytes, [21, 3, _, 0, 2, 2, _])
}

#[test]
fn what_is_no_tls_gets_an_alert_and_a_close_and_is_counted() {
    let own = Identity::ecdsa(&["own.example"]);
    for runtime in RUNTIMES {
        let node = builder(runtime, &own, &mock()).start();
        let mut beside = Connector::new().connect(node.address(), "x");
        let hello = Connector::new().hello("x");
        let mut cut_short = hello.clone();
        cut_short[8] = cut_short[8].wrapping_sub(1);
        let samples: Vec<Vec<u8>> = vec![
            b"GET /a HTTP/1.1\r\nHost: own.example\r\n\r\n".to_vec(),
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            vec![0; 100],
            vec![0xff; 70_000],
            // An SSL 2 hello, an empty record, one too long, application data first.
            vec![0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10],
            vec![22, 3, 1, 0, 0],
            vec![22, 3, 1, 0xff, 0xff],
            vec![23, 3, 3, 0, 1, 0],
            cut_short,
        ];
        for (nth, sample) in samples.iter().enumerate() {
            let mut client = Client::connect(node.address());
            // It may be closed before everything is sent.
            let _ = client.try_send(sample);
            let said = client.rest();
            // Bytes that come behind the failure may turn the end into a reset, alert and all.
            assert!(is_alert(&said) || sample.len() > 60_000, "{runtime}: sample {nth}: {said:?}");
        }
        let failures = samples.len() as u64;
        eventually("each is counted", || counted(&node)[2] == failures);
        assert_eq!(beside.ask("GET", "/a", "h").status(), 200, "{runtime}");
        // Plain TLS on the plain port is a bad request, in plain text.
        let mut client = Client::connect(node.addresses()[1]);
        client.send(&hello);
        assert_eq!(client.response().status(), 400, "{runtime}");
    }
}

#[test]
fn half_a_hello_and_then_nothing_or_something_else_leaves_no_trace() {
    let own = Identity::ecdsa(&["own.example"]);
    for runtime in RUNTIMES {
        let mut node = builder(runtime, &own, &mock()).flags(&["--timeouts-header", "1s"]).start();
        let hello = Connector::new().hello("x");
        // The first bytes of the message, in a record that is whole.
        let half = [&[22, 3, 1, 0, 40], &hello[5..45]].concat();
        for tail in [&b""[..], b"GET / HTTP/1.1\r\n\r\n", &[23, 3, 3, 0, 1, 0], &[21, 3, 3, 0, 2, 1, 0]] {
            for together in [true, false] {
                let mut client = Client::connect(node.address());
                if together {
                    client.send([&half[..], tail].concat());
                } else {
                    client.send(&half);
                    // It may be there in one piece nevertheless.
                    std::thread::sleep(std::time::Duration::from_millis(20));
                    client.send(tail);
                }
                let said = client.rest();
                assert!(said.is_empty() || is_alert(&said), "{runtime}: {said:?}");
            }
        }
        assert_eq!(Connector::new().connect(node.address(), "x").ask("GET", "/a", "h").status(), 200);
        assert!(node.stop().success(), "{runtime}");
        assert!(!node.seen().iter().any(|line| line.contains("panicked")), "{:?}", node.seen());
    }
}

#[test]
fn damaged_records_end_a_session_without_a_clean_close() {
    let own = Identity::ecdsa(&["own.example"]);
    for runtime in RUNTIMES {
        let node = builder(runtime, &own, &mock()).start();
        for version in super::VERSIONS {
            for idle in [true, false] {
                let mut client = Connector::of(version).connect(node.address(), "x");
                assert_eq!(client.ask("GET", "/a", "h").status(), 200);
                if !idle {
                    client.send("GET /a HTTP/1.1\r\n");
                }
                client.send_raw(&[23, 3, 3, 0, 32]);
                client.send_raw(&[0; 32]);
                let (rest, end) = client.rest();
                assert!(
                    rest.is_empty() && end != support::End::CloseNotify,
                    "{runtime}: {version:?} {end:?}"
                );
            }
        }
        eventually("each is counted", || counted(&node)[2] == 4);
    }
}

/// By OpenSSL's client, where there is one: rustls has no renegotiation to try with.
#[test]
fn a_renegotiation_is_refused() {
    if Command::new("openssl").arg("version").output().is_err() {
        return;
    }
    let node = builder("auto", &Identity::ecdsa(&["own.example"]), &mock()).start();
    let said = node.folder().write("said", "");
    let log = || Stdio::from(std::fs::File::options().append(true).open(&said).expect("just written"));
    let mut client = Command::new("openssl")
        .args(["s_client", "-tls1_2", "-connect", &node.address().to_string()])
        .stdin(Stdio::piped())
        .stdout(log())
        .stderr(log())
        .spawn()
        .expect("it was just run");
    let mut input = client.stdin.take().expect("piped");
    eventually("the handshake is over", || counted(&node)[0] == 1);
    // `R` alone on a line asks for a renegotiation.
    input.write_all(b"R\n").expect("it reads");
    eventually("it is refused", || {
        let said = std::fs::read_to_string(&said).unwrap_or_default();
        said.contains("RENEGOTIATING") && said.contains("no renegotiation")
    });
    drop(input);
    client.wait().expect("it ends");
    assert_eq!(counted(&node)[0], 1, "no second handshake");
    assert_eq!(Connector::of(&TLS12).connect(node.address(), "x").ask("GET", "/a", "h").status(), 200);
}
