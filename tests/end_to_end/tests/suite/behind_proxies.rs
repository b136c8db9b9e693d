//! Whom the gateway takes for its client when a proxy stands between: nobody else unless it is told whom to believe.

use crate::document::Document;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;

use support::{Client, Message, Node, Upstream, eventually};

/// A document whose one route tells the backend what the gateway takes for the client's address.
pub(crate) fn who(upstream: &Upstream) -> String {
    let operation = format!(
        "responses: {{}}, x-amazon-apigateway-integration: {{type: http_proxy, httpMethod: GET, uri: \"{}/\", \
         requestParameters: {{integration.request.header.x-source: context.identity.sourceIp}}}}",
        upstream.url()
    );
    Document::new().route("get", "/who", &operation).text()
}

/// A node whose listeners are described by the lines of a list, and whose access log says who asked.
pub(crate) fn start(runtime: &str, upstream: &Upstream, listeners: &str) -> Node {
    let settings = format!(
        "listeners:\n{listeners}access_log: {{destination: stdout, format: '$context.requestId $context.identity.sourceIp'}}\n"
    );
    Node::builder()
        .document("api.yaml", &who(upstream))
        .settings(&settings)
        .flags(&["--runtime", runtime])
        .start()
}

/// What the backend saw: the chain, the port and the gateway's own opinion, which the access log has too.
pub(crate) fn seen(node: &mut Node, upstream: &Upstream) -> [String; 3] {
    let request: Message = upstream.request();
    let field = |name: &str| request.values(name).join("|");
    let source = field("x-source");
    let logged = node.line_of_output();
    assert!(logged.ends_with(&format!(" {source}")), "{logged} of {source}");
    [field("x-forwarded-for"), field("x-forwarded-port"), source]
}

fn ask(client: &mut Client, chain: &str) {
    let fields = if chain.is_empty() { String::new() } else { format!("X-Forwarded-For: {chain}\r\n") };
    client.send(format!("GET /who HTTP/1.1\r\nHost: x\r\n{fields}\r\n"));
    assert_eq!(client.response().status(), 200);
}

#[test]
fn only_trusted_proxies_are_believed() {
    let upstream = Upstream::plain();
    for runtime in ["auto", "portable"] {
        let listeners = "  - {address: '127.0.0.1:0'}\n  - {address: '127.0.0.1:0', trusted_proxies: [127.0.0.1, 10.0.0.0/8]}\n  \
                         - {address: '127.0.0.1:0', trusted_proxies: '10.0.0.0/8,192.0.2.0/24'}\n";
        let mut node = start(runtime, &upstream, listeners);
        let addresses = node.addresses().to_vec();
        for (listener, chain, source) in [
            // As AWS has it: nobody is believed.
            (0, "203.0.113.9", "127.0.0.1"),
            (1, "203.0.113.9", "203.0.113.9"),
            (1, "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
            (1, "10.0.0.3, 10.0.0.2", "10.0.0.3"),
            (1, "203.0.113.9, unknown, 10.0.0.2", "10.0.0.2"),
            (1, "2001:db8::1", "2001:db8::1"),
            (1, "", "127.0.0.1"),
            // The peer itself isn't trusted.
            (2, "203.0.113.9", "127.0.0.1"),
        ] {
            let mut client = Client::connect(addresses[listener]);
            ask(&mut client, chain);
            let [forwarded, port, found] = seen(&mut node, &upstream);
            assert_eq!(found, source, "{runtime}: {chain}");
            let chain = if chain.is_empty() { "127.0.0.1".to_owned() } else { format!("{chain}, 127.0.0.1") };
            assert_eq!(forwarded, chain, "{runtime}: the peer is added to what came");
            assert_eq!(port, addresses[listener].port().to_string(), "{runtime}");
        }
    }
}

#[test]
fn a_connection_may_carry_requests_of_many_clients() {
    let upstream = Upstream::plain();
    let mut node = start("auto", &upstream, "  - {address: '127.0.0.1:0', trusted_proxies: 127.0.0.0/8}\n");
    let mut client = node.client();
    for source in ["203.0.113.1", "203.0.113.2", "203.0.113.3"] {
        ask(&mut client, source);
        assert_eq!(seen(&mut node, &upstream)[2], source);
    }
    ask(&mut client, "");
    assert_eq!(seen(&mut node, &upstream)[2], "127.0.0.1", "nothing is left of the request before");
}

/// Version 2 of a client with an IPv4 address, with a field that nobody knows.
fn version_2(source: [u8; 4], port: u16) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x11".to_vec();
    header.extend_from_slice(&source);
    header.extend_from_slice(&[203, 0, 113, 1, 0xdc, 0x04]);
    header.extend_from_slice(&port.to_be_bytes());
    header.extend_from_slice(&[0xea, 0, 2, 1, 2]);
    header
}

const INTRODUCED: &str = "  - {address: '127.0.0.1:0', proxy_protocol: true}\n";

#[test]
fn headers_name_the_client() {
    let upstream = Upstream::plain();
    for runtime in ["auto", "portable"] {
        let mut node = start(runtime, &upstream, INTRODUCED);
        let own = node.address().port().to_string();
        for (header, source, port) in [
            (&b"PROXY TCP4 203.0.113.9 203.0.113.1 56324 443\r\n"[..], "203.0.113.9", "443"),
            (b"PROXY TCP6 2001:db8::9 2001:db8::1 56324 8443\r\n", "2001:db8::9", "8443"),
            (b"PROXY TCP6 ::ffff:203.0.113.9 ::1 56324 1\r\n", "203.0.113.9", "1"),
            (b"PROXY UNKNOWN\r\n", "127.0.0.1", &own),
            (&version_2([203, 0, 113, 9], 443), "203.0.113.9", "443"),
            (b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", "127.0.0.1", &own),
        ] {
            // At once; and in pieces as small as they can be, which end in the header, at its end and behind it.
            let request = b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n";
            let whole = [header, request].concat();
            for pieces in [vec![&whole[..]], whole.chunks(1).collect(), whole.chunks(5).collect()] {
                let mut client = node.client();
                for piece in pieces {
                    client.send(piece);
                }
                assert_eq!(client.response().status(), 200);
                let [forwarded, seen_port, found] = seen(&mut node, &upstream);
                assert_eq!([&found, &forwarded, &seen_port], [source, source, port], "{runtime}");
                // Further requests of the connection are that client's too.
                ask(&mut client, "198.51.100.1");
                let [forwarded, _, found] = seen(&mut node, &upstream);
                assert_eq!([&*found, &*forwarded], [source, &format!("198.51.100.1, {source}")], "{runtime}");
            }
        }
    }
}

fn failures(node: &Node) -> u64 {
    let page = Client::connect(node.control()).ask("GET", "/metrics", "x").text();
    let line = page.lines().find(|line| line.starts_with("turnpike_proxy_protocol_failures_total "));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).expect("a counter")
}

#[test]
fn who_is_not_introduced_gets_no_answer() {
    let upstream = Upstream::plain();
    for runtime in ["auto", "portable"] {
        let settings = format!("listeners:\n{INTRODUCED}timeouts: {{header: 400ms}}\n");
        let node = Node::builder()
            .document("api.yaml", &who(&upstream))
            .settings(&settings)
            .flags(&["--runtime", runtime, "--shards", "1"])
            .start();
        let mut counted = 0;
        for first in [
            &b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n"[..],
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
            b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\nGET /who HTTP/1.1\r\nHost: x\r\n\r\n",
            b"PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\nGET /who HTTP/1.1\r\nHost: x\r\n\r\n",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0b12345678901",
            b"\r\n\r\n\0\r\nQUIT\n\x21\0\xff\xff",
            // Late.
            b"PROXY TCP4 1.2.3.4",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c123",
            b"",
        ] {
            let mut client = node.client();
            client.send(first);
            assert!(client.rest().is_empty(), "{runtime}: {first:?} is answered");
            counted += 1;
            eventually("it is counted", || failures(&node) == counted);
        }
        // Ended in the middle.
        let mut client = node.client();
        client.send("PROXY TCP4 1.2.3.4");
        client.finish();
        assert!(client.rest().is_empty());
        counted += 1;
        eventually("it is counted", || failures(&node) == counted);
        // A look whether the port is open.
        let mut client = node.client();
        client.finish();
        assert!(client.rest().is_empty());
        assert_eq!(failures(&node), counted, "{runtime}");
        assert!(upstream.recorded().is_empty(), "{runtime}");
        // A header alone gives the time of a request from then on, and an end like that of any silent connection.
        let mut client = node.client();
        client.send("PROXY UNKNOWN\r\n");
        assert!(client.rest().is_empty());
        assert_eq!(failures(&node), counted, "{runtime}");
    }
}

#[test]
fn only_named_proxies_may_introduce() {
    let upstream = Upstream::plain();
    for runtime in ["auto", "portable"] {
        let listeners = "  - {address: '127.0.0.1:0', proxy_protocol: true, trusted_proxies: 10.0.0.0/8}\n  \
                         - {address: '127.0.0.1:0', proxy_protocol: true, trusted_proxies: '127.0.0.1,10.0.0.0/8'}\n";
        let mut node = start(runtime, &upstream, listeners);
        let mut stranger = node.client();
        // It may be closed before that is sent.
        let _ = stranger
            .try_send("PROXY TCP4 203.0.113.9 203.0.113.1 1 443\r\nGET /who HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(stranger.rest().is_empty(), "{runtime}");
        eventually("it is counted", || failures(&node) == 1);
        let named = node.addresses()[1];
        // The chain is followed from the peer that the header names, if that one is trusted.
        for (source, found) in [("203.0.113.9", "203.0.113.9"), ("10.0.0.9", "198.51.100.1")] {
            let mut client = Client::connect(named);
            client.send(format!("PROXY TCP4 {source} 203.0.113.1 1 443\r\n"));
            ask(&mut client, "198.51.100.1");
            let [forwarded, port, seen] = seen(&mut node, &upstream);
            assert_eq!([&*seen, &*port], [found, "443"], "{runtime}");
            assert_eq!(forwarded, format!("198.51.100.1, {source}"), "{runtime}");
        }
    }
}

/// A balancer of TCP: says the same of every connection, at once or together with the client's first bytes, then copies
/// bytes both ways.
fn balancer(node: SocketAddr, header: &'static [u8], at_once: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        // It ends with the test's process.
        for mut client in listener.incoming().flatten() {
            let mut upstream = TcpStream::connect(node).expect("the node listens");
            let (mut first, mut count) = ([0; 4096], 0);
            if !at_once {
                count = client.read(&mut first).expect("the client speaks");
            }
            upstream.write_all(&[header, &first[..count]].concat()).expect("sends");
            let ends = [(&client, &upstream), (&upstream, &client)].map(|(from, to)| {
                (from.try_clone().expect("a descriptor"), to.try_clone().expect("a descriptor"))
            });
            for (mut from, mut to) in ends {
                std::thread::spawn(move || {
                    // Either side may be gone; the other learns of it.
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Write);
                });
            }
        }
    });
    address
}

#[test]
fn headers_come_before_tls() {
    const LOCALHOST: &str = include_str!("behind_proxies/localhost.pem");
    let upstream = Upstream::plain();
    let folder = support::Scratch::new();
    let file = folder.write("localhost.pem", LOCALHOST);
    let file = file.display();
    for runtime in ["auto", "portable"] {
        let listeners = format!(
            "  - {{address: '127.0.0.1:0', proxy_protocol: true, tls: {{certificate: '{file}', key: '{file}'}}}}\n"
        );
        let mut node = start(runtime, &upstream, &listeners);
        let told = node.seen().iter().find_map(|line| line.strip_prefix("listening on https://"));
        let address: SocketAddr =
            told.and_then(|line| line.split(' ').next()?.parse().ok()).expect("the node says where");
        for (header, source, port) in [
            (&b"PROXY TCP4 203.0.113.9 203.0.113.1 56324 443\r\n"[..], "203.0.113.9", "443"),
            (b"PROXY TCP6 2001:db8::9 2001:db8::1 56324 8443\r\n", "2001:db8::9", "8443"),
        ] {
            for (version, at_once) in
                [("--http1.1", true), ("--http1.1", false), ("--http2", true), ("--http2", false)]
            {
                let balancer = balancer(address, header, at_once);
                let url = format!("https://localhost:{}/who", balancer.port());
                let place = format!("localhost:{}:127.0.0.1", balancer.port());
                let asked = Command::new("curl")
                    .args([
                        "-sS",
                        version,
                        "--cacert",
                        &file.to_string(),
                        "--max-time",
                        "20",
                        "-o",
                        "/dev/null",
                        "-w",
                        "%{http_code}",
                    ])
                    .args(["--resolve", &place, &url])
                    .output()
                    .expect("curl is here");
                let said = String::from_utf8_lossy(&asked.stdout).into_owned();
                assert_eq!(said, "200", "{runtime} {version}: {}", String::from_utf8_lossy(&asked.stderr));
                assert_eq!(seen(&mut node, &upstream), [source, port, source], "{runtime} {version}");
            }
        }
        assert_eq!(failures(&node), 0, "{runtime}");
    }
}
