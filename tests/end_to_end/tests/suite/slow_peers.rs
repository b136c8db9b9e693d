//! Peers that are slow, and peers that have stopped: the first get their time, the second are let go.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::document::Document;
use support::{Node, Reply, Upstream};

/// More than the kernel's buffers and the node's own take together.
const LONG: usize = 9 * 1024 * 1024;

fn start(runtime: &str, document: &Document, flags: &[&str]) -> Node {
    let flags: Vec<&str> = ["--runtime", runtime, "--shards", "1"].iter().chain(flags).copied().collect();
    Node::builder().document("api.yaml", &document.text()).flags(&flags).start()
}

/// A connection that takes little at a time.
fn narrow(address: SocketAddr) -> TcpStream {
    let stream = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None)
        .expect("a socket");
    rustix::net::sockopt::set_socket_recv_buffer_size(&stream, 32 * 1024).expect("a small buffer");
    rustix::net::connect(&stream, &address).expect("connects");
    let stream = TcpStream::from(stream);
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    stream
}

#[test]
fn a_slow_reader_gets_its_whole_answer() {
    const BODY: usize = 5 * 1024 * 1024;
    let read_slowly = |runtime: &str| {
        let upstream = Upstream::start(|_| Reply::with(200, &[], &vec![b'x'; BODY]));
        let document = Document::new().proxy("get", "/long", &format!("{}/", upstream.url()));
        let node = start(runtime, &document, &["--timeouts-send", "600ms"]);
        let mut client = narrow(node.address());
        client.write_all(b"GET /long HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("sends");
        // 800 KB a second: what the node holds takes longer than that time, but something of it always goes.
        let (mut block, mut read) = ([0; 32 * 1024], 0);
        loop {
            std::thread::sleep(Duration::from_millis(40));
            let mut filled = 0;
            while filled < block.len() {
                match client.read(&mut block[filled..]) {
                    Ok(0) => break,
                    Ok(count) => filled += count,
                    Err(error) => panic!("{runtime}: {error} after {} bytes", read + filled),
                }
            }
            read += filled;
            if filled < block.len() {
                break;
            }
        }
        assert!(read > BODY, "{runtime}: {read} bytes");
    };
    std::thread::scope(|scope| {
        for runtime in ["auto", "portable"] {
            scope.spawn(move || read_slowly(runtime));
        }
    });
}

#[test]
fn who_stopped_reading_is_cut() {
    let upstream = Upstream::start(|_| Reply::with(200, &[], &vec![b'x'; LONG]));
    for runtime in ["auto", "portable"] {
        let document = Document::new()
            .proxy("get", "/long", &format!("{}/", upstream.url()))
            .mock("get", "/short", 200, "{}");
        let node = start(runtime, &document, &["--timeouts-send", "400ms"]);
        // In the middle of an answer,
        let mut relayed = narrow(node.address());
        relayed.write_all(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n").expect("sends");
        // and between requests: the answers pile up.
        let mut piled = narrow(node.address());
        piled.set_write_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        let requests = b"GET /short HTTP/1.1\r\nHost: x\r\n\r\n".repeat(500);
        let cut = loop {
            if let Err(error) = piled.write_all(&requests) {
                break error;
            }
        };
        assert!(matches!(cut.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{runtime}: {cut}");
        let cut = relayed.read_to_end(&mut Vec::new()).expect_err("half an answer has no clean end");
        assert_eq!(cut.kind(), ErrorKind::ConnectionReset, "{runtime}: {cut}");
    }
}

#[test]
fn a_slow_backend_is_not_the_fault_of_a_client() {
    for runtime in ["auto", "portable"] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        rustix::net::sockopt::set_socket_recv_buffer_size(&listener, 32 * 1024).expect("a small buffer");
        let url = format!("http://{}/", listener.local_addr().expect("bound"));
        let backend = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("accepts");
            std::thread::sleep(Duration::from_millis(1500));
            let (mut block, mut read) = (vec![0; 256 * 1024], 0);
            while read < LONG {
                read += stream.read(&mut block).expect("reads");
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").expect("answers");
        });
        let document = Document::new().proxy("post", "/up", &url);
        let node = start(runtime, &document, &["--timeouts-body", "500ms"]);
        let mut client = node.client();
        client.send(format!("POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: {LONG}\r\n\r\n"));
        client.send(vec![b'x'; LONG]);
        assert_eq!(client.response().status(), 200, "{runtime}");
        backend.join().expect("the backend read it all");
    }
}

#[test]
fn a_body_that_is_dropped_has_one_time_for_all_of_it() {
    for runtime in ["auto", "portable"] {
        let document = Document::new().mock("post", "/short", 200, "{}");
        let node = start(runtime, &document, &["--timeouts-body", "500ms"]);
        let mut client = node.client();
        client.send("POST /short HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
        assert_eq!(client.response().status(), 200, "{runtime}");
        let cut = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            client.try_send("x").is_err()
        });
        assert!(cut, "{runtime}: a trickle goes on for as long as it likes");
    }
}

#[test]
fn nobody_at_a_unix_socket_is_a_refused_connection() {
    for runtime in ["auto", "portable"] {
        let document = Document::new().proxy("get", "/gone", "http+unix://%2Fnowhere%2Fapp.sock/");
        let node = start(runtime, &document, &[]);
        assert_eq!(node.client().ask("GET", "/gone", "x").status(), 500, "{runtime}");
    }
}

#[test]
fn http2_clients_that_owe_a_frame_are_told_and_let_go() {
    // The preface and SETTINGS; and the answer to the node's own.
    const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    const ACKNOWLEDGED: &[u8] = b"\0\0\0\x04\x01\0\0\0\0";
    for runtime in ["auto", "portable"] {
        let document = Document::new().mock("get", "/hello", 200, "{}");
        let node =
            start(runtime, &document, &["--timeouts-header", "400ms", "--timeouts-idle-client", "20s"]);
        let said_to = |words: &[&[u8]]| {
            let mut client = node.client();
            client.send(words.concat());
            client.rest()
        };
        let told = |said: &[u8]| said.windows(17).find(|frame| frame[3] == 7).map(|frame| frame[16]);
        // SETTINGS_TIMEOUT for settings that aren't acknowledged (RFC 9113 section 6.5.3),
        assert_eq!(told(&said_to(&[HELLO])), Some(4), "{runtime}");
        // ENHANCE_YOUR_CALM for half a frame header, and for half a PING.
        assert_eq!(told(&said_to(&[HELLO, ACKNOWLEDGED, b"\0\0\x08\x06"])), Some(11), "{runtime}");
        assert_eq!(
            told(&said_to(&[HELLO, ACKNOWLEDGED, b"\0\0\x08\x06\0\0\0\0\0four"])),
            Some(11),
            "{runtime}"
        );
    }
}
