//! Clients that take more than their share, and answers that pretend to be whole: bounded, and never passed off.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::document::Document;
use support::{Node, Reply, Upstream};

/// More than both kernels' socket buffers and everything that a node may queue for one connection.
const FLOOD_BYTES_MAX: usize = 48 * 1024 * 1024;

#[test]
fn who_reads_no_answers_gets_no_more_of_them() {
    for runtime in ["auto", "portable"] {
        let document = Document::new().mock("get", "/hello", 200, "{}").text();
        let node = Node::builder()
            .document("api.yaml", &document)
            .flags(&["--runtime", runtime, "--shards", "1"])
            .start();
        let mut greedy = TcpStream::connect(node.address()).expect("connects");
        greedy.set_write_timeout(Some(Duration::from_millis(500))).expect("a timeout");
        let requests = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n".repeat(500);
        let mut sent = 0;
        let full = loop {
            match greedy.write(&requests) {
                Ok(count) => sent += count,
                Err(error) => break error.kind(),
            }
            assert!(sent < FLOOD_BYTES_MAX, "{runtime}: the node takes requests without end");
        };
        assert!(matches!(full, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{full:?}");
        assert_eq!(node.client().ask("GET", "/hello", "x").status(), 200, "others are served");
        // Once it reads, it gets its answers.
        greedy.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        let (mut answers, mut block) = (0, vec![0; 256 * 1024]);
        while answers < sent / 2 {
            answers += match greedy.read(&mut block) {
                Ok(count) if count > 0 => count,
                other => panic!("{runtime}: {other:?} after {answers} bytes of answers"),
            };
        }
    }
}

#[test]
fn a_coding_that_ends_too_early_is_no_whole_answer() {
    // "hello hello hello hello", without the last bytes of its checksum and length.
    const TRUNCATED: &[u8] = &[
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8,
        0x40, 0x27, 0x01, 0xe3,
    ];
    let upstream = Upstream::start(|_| Reply::with(200, &[("Content-Encoding", "gzip")], TRUNCATED));
    let operation = format!(
        "responses: {{\"200\": {{description: d}}}}, x-amazon-apigateway-integration: {{type: http, httpMethod: GET, uri: \"{}/\", responses: \
         {{default: {{statusCode: \"200\"}}}}}}",
        upstream.url()
    );
    let node = Node::serve(&Document::new().route("get", "/text", &operation).text());
    let mut client = node.client();
    client.send("GET /text HTTP/1.1\r\nHost: x\r\n\r\n");
    let answer = client.try_response("GET");
    assert!(answer.is_err(), "half an answer has no clean end: {answer:?}");
}

#[test]
fn an_early_answer_leaves_the_connection_as_it_said() {
    let upstream = Upstream::start(|_| Reply::text("early"));
    let operation = format!(
        "responses: {{}}, x-amazon-apigateway-integration: {{type: http_proxy, httpMethod: GET, uri: \"{}/\", \
         timeoutInMillis: 300}}",
        upstream.url()
    );
    let node = Node::serve(&Document::new().route("post", "/up", &operation).text());
    let mut client = node.client();
    client.send("POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf");
    assert_eq!(client.response().status(), 200);
    // The integration's time passes; the request's body has its own.
    std::thread::sleep(Duration::from_millis(600));
    client.send("rest");
    assert_eq!(client.ask("POST", "/up", "x").status(), 200);
}
