//! What flows inside TLS: long bodies, pipelines, records in pieces, and the small print of HTTP/1.1.

use super::{RUNTIMES, VERSIONS, builder, proxy};
use rustls::SupportedProtocolVersion;
use support::{Connector, Identity, Node, Pieces, Reply, TlsClient, Upstream};

/// More than what sockets and the node hold together.
const LONG: usize = 5 * 1024 * 1024;

/// Bytes that tell when they are swapped, lost or doubled.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8 ^ (at / 65_521) as u8).collect()
}

fn in_chunks(body: &[u8], sizes: impl IntoIterator<Item = usize>) -> Vec<u8> {
    let (mut framed, mut rest, mut sizes) = (Vec::new(), body, sizes.into_iter());
    while !rest.is_empty() {
        let (chunk, further) = rest.split_at(sizes.next().unwrap_or(rest.len()).min(rest.len()));
        framed.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        framed.extend_from_slice(chunk);
        framed.extend_from_slice(b"\r\n");
        rest = further;
    }
    framed.extend_from_slice(b"0\r\n\r\n");
    framed
}

/// Answers with the request's body, framed as the target says.
fn echo() -> Upstream {
    Upstream::start(|request| {
        if request.target() != "/chunked" {
            return Reply::with(
                200,
                &[("X-Method", request.start.split(' ').next().unwrap_or_default())],
                &request.body,
            );
        }
        let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        answer.extend_from_slice(&in_chunks(
            &request.body,
            [1, 16 * 1024, 100_000, 17, 1_000_000].into_iter().cycle(),
        ));
        Reply::Bytes(answer)
    })
}

fn post(target: &str, body: &[u8]) -> Vec<u8> {
    let mut request =
        format!("POST {target} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    request.extend_from_slice(body);
    request
}

#[test]
fn long_bodies_pass_both_ways() {
    let own = Identity::ecdsa(&["own.example"]);
    let upstream = echo();
    let body = pattern(LONG);
    for runtime in RUNTIMES {
        let node = builder(runtime, &own, &proxy(&upstream)).start();
        for version in VERSIONS {
            let mut client = Connector::of(version).connect(node.address(), "x");
            for target in ["/length", "/chunked"] {
                assert!(
                    client.send(post(target, &body)).response().body == body,
                    "{runtime}: {version:?} {target}"
                );
                client
                    .send(format!("POST {target} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"));
                let answer =
                    client.send(in_chunks(&body, [7, 300_000, 1, 16_385].into_iter().cycle())).response();
                assert!(answer.body == body, "{runtime}: {version:?} chunked to {target}");
            }
        }
    }
}

/// What a client hears to the same few requests, whichever way they are sent.
fn converse(client: &mut TlsClient) -> Vec<(u16, Vec<u8>)> {
    let mut heard = Vec::new();
    for len in [0, 1, 1_000, 20_000] {
        let answer = client.send(post("/length", &pattern(len))).response();
        heard.push((answer.status(), answer.body));
    }
    let head = client.ask("HEAD", "/length", "h");
    assert_eq!(head.field("x-method"), Some("HEAD"));
    heard.push((head.status(), head.body));
    // Two and a half requests in one record, the rest in the next.
    let (first, second) = (post("/chunked", b"first"), post("/length", b"second"));
    let three = [first.clone(), second, first].concat();
    let (one, two) = three.split_at(three.len() - 20);
    client.send(one).send(two);
    for _ in 0..3 {
        let answer = client.response();
        heard.push((answer.status(), answer.body));
    }
    client.send("GET /length HTTP/1.1\r\nHost: h\r\nBad Field: x\r\n\r\n");
    heard.push((client.response().status(), client.rest().0));
    heard
}

fn converses(node: &Node, version: &'static SupportedProtocolVersion, pieces: Pieces) -> Vec<(u16, Vec<u8>)> {
    let connector = Connector::of(version).in_pieces(pieces);
    // The second one resumes.
    let both = [(); 2].map(|()| converse(&mut connector.connect(node.address(), "x")));
    assert!(both[0] == both[1]);
    both[0].clone()
}

#[test]
fn records_in_pieces_give_the_same_answers() {
    let own = Identity::ecdsa(&["own.example"]);
    let upstream = echo();
    for runtime in RUNTIMES {
        let node = builder(runtime, &own, &proxy(&upstream)).start();
        for version in VERSIONS {
            let whole = converses(&node, version, Pieces::Whole);
            let statuses: Vec<u16> = whole.iter().map(|(status, _)| *status).collect();
            assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 200, 400], "{runtime}: {version:?}");
            assert!(converses(&node, version, Pieces::Single) == whole, "{runtime}: {version:?}");
            for seed in 1..=10 {
                assert!(
                    converses(&node, version, Pieces::Drawn(seed)) == whole,
                    "{runtime}: {version:?}, seed {seed}"
                );
            }
        }
    }
}

#[test]
fn many_pipelined_requests_are_answered_in_order() {
    let own = Identity::ecdsa(&["own.example"]);
    let upstream = echo();
    for runtime in RUNTIMES {
        let node = builder(runtime, &own, &proxy(&upstream)).start();
        for version in VERSIONS {
            let mut client = Connector::of(version).connect(node.address(), "x");
            let bodies: Vec<String> = (0..200).map(|nth| format!("{nth};").repeat(nth)).collect();
            let requests: Vec<u8> = bodies.iter().flat_map(|body| post("/length", body.as_bytes())).collect();
            client.send(requests);
            for body in &bodies {
                assert_eq!(&client.response().text(), body, "{runtime}: {version:?}");
            }
        }
    }
}

#[test]
fn an_expectation_is_met() {
    let own = Identity::ecdsa(&["own.example"]);
    let upstream = echo();
    for runtime in RUNTIMES {
        let node = builder(runtime, &own, &proxy(&upstream)).start();
        for version in VERSIONS {
            let mut client = Connector::of(version).connect(node.address(), "x");
            client.send(
                "POST /length HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
            );
            assert_eq!(client.response().status(), 100, "{runtime}: {version:?}");
            assert_eq!(client.send("body").response().text(), "body", "{runtime}: {version:?}");
        }
    }
}

#[test]
fn who_reads_nothing_is_held_back_and_who_reads_again_gets_everything() {
    let own = Identity::ecdsa(&["own.example"]);
    let upstream = Upstream::start(|_| Reply::with(200, &[], &pattern(LONG)));
    for runtime in RUNTIMES {
        let node = builder(runtime, &own, &proxy(&upstream)).start();
        for version in VERSIONS {
            let mut client = Connector::of(version).connect(node.address(), "x");
            client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n".repeat(3));
            std::thread::sleep(std::time::Duration::from_millis(300));
            for _ in 0..3 {
                assert!(client.response().body == pattern(LONG), "{runtime}: {version:?}");
            }
        }
    }
}
