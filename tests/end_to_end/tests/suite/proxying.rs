//! What backends see, what clients get back, and what happens when a backend fails (REST API, HTTP_PROXY).

use crate::document::Document;
use support::{Message, Node, Reply, Upstream};

const ANY: &str = "x-amazon-apigateway-any-method";

fn front(upstream: &Upstream) -> Node {
    Node::serve(&Document::new().proxy(ANY, "/{proxy+}", &format!("{}/{{proxy}}", upstream.url())).text())
}

#[test]
fn a_backend_sees_the_clients_request_and_the_gateways_own_headers() {
    let upstream = Upstream::plain();
    let node = front(&upstream);
    let request = "POST /a/b?x=1 HTTP/1.1\r\nHost: front.example\r\nX-Custom: One\r\nX-Custom: Two\r\nContent-Type: text/plain\r\n\
                   Connection: x-hop\r\nX-Hop: secret\r\nTE: trailers\r\nContent-Length: 5\r\n\r\nhello";
    let answer = node.client().send(request).response();
    assert_eq!((answer.status(), answer.text().as_str()), (200, "ok"));
    let seen = upstream.request();
    assert_eq!(seen.start, "POST /a/b?x=1 HTTP/1.1");
    assert_eq!(seen.text(), "hello");
    assert_eq!(seen.field("host"), Some(upstream.address().to_string().as_str()));
    assert_eq!(seen.field("content-type"), Some("text/plain"));
    assert_eq!(seen.field("content-length"), Some("5"));
    assert_eq!(seen.field("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(seen.field("x-forwarded-proto"), Some("http"));
    assert_eq!(seen.field("x-forwarded-port"), Some(node.address().port().to_string().as_str()));
    assert_eq!(seen.field("x-amzn-apigateway-api-id"), Some("testapi001"));
    assert!(seen.field("x-amzn-trace-id").is_some_and(|trace| trace.starts_with("Root=1-")));
    for gone in ["te", "x-hop", "transfer-encoding"] {
        assert_eq!(seen.field(gone), None, "{gone}");
    }
}

#[test]
fn a_client_sees_the_backends_answer_with_remapped_headers() {
    let upstream = Upstream::start(|_| {
        let fields = [
            ("Server", "tiny"),
            ("Date", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ("X-Own", "1"),
            ("x-amzn-RequestId", "theirs"),
        ];
        Reply::with(201, &fields, b"made")
    });
    let node = front(&upstream);
    let answer = node.client().ask("GET", "/a", "localhost");
    assert_eq!((answer.status(), answer.text().as_str()), (201, "made"));
    assert_eq!(answer.field("x-own"), Some("1"));
    assert_eq!(answer.field("x-amzn-remapped-server"), Some("tiny"));
    assert_eq!(answer.field("x-amzn-remapped-date"), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
    assert_eq!(answer.field("server"), None);
    assert!(answer.field("x-amzn-requestid").is_some_and(|id| id.len() == 36));
    assert_eq!(answer.values("date").len(), 1);
}

#[test]
fn chunked_bodies_pass_both_ways_and_trailers_are_dropped() {
    let upstream = Upstream::start(|request| {
        let body = format!("{:x}\r\n{}\r\n0\r\nX-Trailer: t\r\n\r\n", request.body.len(), request.text());
        Reply::Bytes(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}").into_bytes())
    });
    let node = front(&upstream);
    let request = "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n5;x=y\r\npedia\r\n0\r\nT: 1\r\n\r\n";
    let answer = node.client().send(request).response();
    assert_eq!(answer.text(), "wikipedia");
    assert_eq!(upstream.request().text(), "wikipedia");
    assert!(!String::from_utf8_lossy(&answer.raw).contains("X-Trailer"));
}

#[test]
fn a_large_body_streams_through_unharmed() {
    let upstream = Upstream::start(|request| Reply::with(200, &[], &request.body));
    let node = front(&upstream);
    let body: Vec<u8> = (0..4_000_000u32).map(|n| (n % 251) as u8).collect();
    let mut client = node.client();
    client.send(format!("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.len())).send(&body);
    assert!(client.response().body == body);
}

#[test]
fn expect_continue_is_answered_before_the_body_comes() {
    let upstream = Upstream::start(|request| Reply::with(200, &[], &request.body));
    let node = front(&upstream);
    let mut client = node.client();
    client.send("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(client.response().start, "HTTP/1.1 100 Continue");
    assert_eq!(client.send("hi").response().text(), "hi");
    assert_eq!(upstream.request().field("expect"), None);
}

#[test]
fn head_has_the_length_and_no_body() {
    let upstream =
        Upstream::start(|_| Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n".to_vec()));
    let node = front(&upstream);
    let mut client = node.client();
    let answer = client.ask("HEAD", "/a", "localhost");
    assert_eq!(answer.status(), 200);
    assert!(answer.body.is_empty());
    // The connection is in step: the next answer is read from its first byte.
    assert_eq!(client.ask("HEAD", "/b", "localhost").status(), 200);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let upstream = Upstream::start(|request| Reply::text(request.target()));
    let node = front(&upstream);
    let mut client = node.client();
    let requests: String = (0..20).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: h\r\n\r\n")).collect();
    client.send(requests);
    for n in 0..20 {
        assert_eq!(client.response().text(), format!("/{n}"));
    }
}

#[test]
fn the_client_decides_whether_the_connection_stays() {
    let upstream = Upstream::plain();
    let node = front(&upstream);
    let mut client = node.client();
    assert_eq!(client.ask("GET", "/a", "h").status(), 200);
    let answer = client.send("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").response();
    assert_eq!(answer.field("connection"), Some("close"));
    assert!(client.is_closed());
    assert_eq!(upstream.connections(), 1, "one pooled connection served both");
}

#[test]
fn failing_backends_have_aws_answers() {
    let refused =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    let silent = Upstream::start(|_| Reply::Hang);
    let closing = Upstream::start(|_| Reply::Close);
    let babbling = Upstream::start(|_| Reply::Last(b"what?\r\n\r\n".to_vec()));
    let timeout = |uri: String| {
        format!(
            "responses: {{}}, x-amazon-apigateway-integration: {{type: http_proxy, httpMethod: GET, uri: \"{uri}\", timeoutInMillis: 200}}"
        )
    };
    let document = Document::new()
        .route("get", "/refused", &timeout(format!("http://{refused}/")))
        .route("get", "/silent", &timeout(silent.url()))
        .route("get", "/closing", &timeout(closing.url()))
        .route("get", "/babbling", &timeout(babbling.url()));
    let node = Node::serve(&document.text());
    let network = r#"{"message": "Network error communicating with endpoint"}"#;
    for (path, status, body) in [
        ("/refused", 500, r#"{"message": "Internal server error"}"#),
        ("/silent", 504, r#"{"message": "Endpoint request timed out"}"#),
        ("/closing", 504, network),
    ] {
        let answer = node.client().ask("GET", path, "localhost");
        assert_eq!((answer.status(), answer.text().as_str()), (status, body), "{path}");
        assert_eq!(answer.field("x-amzn-errortype"), Some("InternalServerErrorException"), "{path}");
    }
    assert!(node.client().ask("GET", "/babbling", "localhost").status() >= 500);
}

#[test]
fn a_backend_that_breaks_off_is_never_a_clean_end() {
    let upstream = Upstream::start(|request| match request.target() {
        "/length" => Reply::Last(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec()),
        _ => Reply::Last(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n".to_vec()),
    });
    let node = front(&upstream);
    for path in ["/length", "/chunked"] {
        let mut client = node.client();
        client.send(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert!(client.try_response("GET").is_err(), "{path}");
    }
}

#[test]
fn a_stale_pooled_connection_is_retried_once_where_that_is_safe() {
    let upstream = Upstream::start(|request| match request.target() {
        "/last" => Reply::Last(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()),
        _ => Reply::text("fresh"),
    });
    let node = front(&upstream);
    let mut client = node.client();
    for _ in 0..20 {
        assert_eq!(client.ask("GET", "/last", "h").status(), 200);
        assert_eq!(client.ask("GET", "/next", "h").text(), "fresh");
    }
}

#[test]
fn a_backend_connection_serves_again_after_a_reader_that_was_slow() {
    let upstream = Upstream::start(|request| match request.target() {
        "/large" => Reply::with(200, &[], &vec![b'x'; 2_000_000]),
        _ => Reply::text("small"),
    });
    let document = Document::new().proxy(ANY, "/{proxy+}", &format!("{}/{{proxy}}", upstream.url())).text();
    for runtime in ["auto", "portable"] {
        let node = Node::builder()
            .document("api.yaml", &document)
            .flags(&["--runtime", runtime, "--shards", "1"])
            .start();
        let mut client = node.client();
        for _ in 0..20 {
            client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
            // The backend has sent much before the first byte is read: the gateway stops taking more.
            std::thread::sleep(std::time::Duration::from_millis(20));
            assert_eq!(client.response().body.len(), 2_000_000, "{runtime}");
            assert_eq!(client.ask("GET", "/small", "h").text(), "small", "{runtime}");
        }
    }
}

#[test]
fn oversize_requests_have_their_statuses_and_close() {
    let upstream = Upstream::plain();
    let node = Node::builder()
        .document("api.yaml", &Document::new().proxy(ANY, "/{proxy+}", &upstream.url()).text())
        .flags(&["--limits-payload-bytes", "1000"])
        .start();
    let long = "a".repeat(11_000);
    let length = |body: &str| format!("Content-Length: {}\r\n", body.len());
    let cases: [(String, u16); 3] = [
        (format!("GET /{long} HTTP/1.1\r\nHost: h\r\n\r\n"), 414),
        (format!("GET /a HTTP/1.1\r\nHost: h\r\nX: {long}\r\n\r\n"), 431),
        (format!("POST /a HTTP/1.1\r\nHost: h\r\n{}\r\n{long}", length(&long)), 413),
    ];
    for (request, status) in cases {
        let mut client = node.client();
        // It may close before it has read everything.
        let _ = client.try_send(request);
        let answer = client.try_response("GET").unwrap_or_default();
        assert_eq!(answer.start.get(9..12), Some(status.to_string().as_str()), "{}", answer.start);
    }
    let all: Vec<Message> = upstream.recorded();
    assert!(all.is_empty(), "{all:?}");
}
