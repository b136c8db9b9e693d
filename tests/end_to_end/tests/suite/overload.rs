//! Overload: each step of the ladder from outside, and the way back without a restart.

mod frames;
mod gate;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::document::Document;
use crate::observing::{control, metric};
use frames::{DATA, GOAWAY, H2, HEADERS, RST_STREAM};
use gate::Gate;
use support::{Client, Node, eventually};

const HELD: &str = "GET /held HTTP/1.1\r\nHost: x\r\n\r\n";

fn page(node: &Node) -> String {
    control(node, "/metrics").text()
}

fn wait_for(node: &Node, what: &str, value: f64) {
    let mut last = f64::NAN;
    eventually(&format!("{what} is {value}"), || {
        last = metric(&page(node), what);
        (last - value).abs() < f64::EPSILON
    });
}

fn start(runtime: &str, document: &Document, flags: &[&str]) -> Node {
    let flags: Vec<&str> = ["--runtime", runtime, "--shards", "1"].iter().chain(flags).copied().collect();
    Node::builder().document("api.yaml", &document.text()).flags(&flags).start()
}

/// Connections that each hold one request in flight.
fn hold(node: &Node, count: usize) -> Vec<Client> {
    let mut held: Vec<Client> = (0..count).map(|_| node.client()).collect();
    held.iter_mut().for_each(|client| {
        client.send(HELD);
    });
    held
}

/// A connection whose first head has begun.
fn begun(node: &Node) -> Client {
    let mut client = node.client();
    client.send("GET /he");
    client
}

#[test]
fn each_step_shows_and_is_left_by_itself() {
    std::thread::scope(|scope| {
        for runtime in ["auto", "portable"] {
            scope.spawn(move || climb_and_come_back(runtime));
        }
    });
}

fn climb_and_come_back(runtime: &str) {
    let gate = Gate::default();
    let backend = gate.backend(b"held");
    let document = Document::new()
        .proxy("get", "/held", &format!("{}/", backend.url()))
        .mock("get", "/hello", 200, "{}");
    let format = "$context.requestId $context.path $context.status $context.responseLength";
    let log = ["--access-log-destination", "access.log", "--access-log-format", format];
    let node = start(runtime, &document, &[&["--overload-in-flight", "10"][..], &log].concat());

    // Nothing is given up below 80 %.
    let mut idle = node.client();
    assert_eq!(idle.ask("GET", "/hello", "x").field("connection"), Some("keep-alive"));
    let mut h2 = H2::connect(node.address());
    h2.get(1, "/held");
    let mut held = hold(&node, 6);
    wait_for(&node, "turnpike_requests_in_flight", 7.0);
    assert_eq!(node.client().ask("GET", "/hello", "x").field("connection"), Some("keep-alive"));
    assert_eq!(metric(&page(&node), "turnpike_overload_step"), 0.0);

    // 80 %: answers close their connections, idle ones are closed, HTTP/2 is told to go.
    let (mut ninth, mut tenth, mut eleventh) = (begun(&node), begun(&node), begun(&node));
    held.append(&mut hold(&node, 1));
    wait_for(&node, "turnpike_overload_step", 1.0);
    let answer = node.client().ask("GET", "/hello", "x");
    assert_eq!((answer.status(), answer.field("connection")), (200, Some("close")));
    eventually("the idle connection is closed", || idle.has_ended());
    assert!(idle.is_closed(), "in order");
    assert_eq!(h2.next(GOAWAY).payload, [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0], "what is on its way is taken");

    // 90 %: streams are refused, connections wait.
    ninth.send("ld HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&node, "turnpike_overload_step", 2.0);
    h2.get(3, "/hello");
    let reset = h2.next(RST_STREAM);
    assert_eq!((reset.stream, &reset.payload[..]), (3, &[0, 0, 0, 7][..]), "REFUSED_STREAM");
    let mut waiting = TcpStream::connect(node.address()).expect("the kernel takes it");
    waiting.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("sends");
    waiting.set_read_timeout(Some(Duration::from_millis(300))).expect("a timeout");
    assert!(waiting.read(&mut [0; 1]).is_err(), "nobody answers yet");

    // 100 %: requests on connections that are there get 503; operations are reachable.
    tenth.send("ld HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&node, "turnpike_overload_step", 3.0);
    eleventh.send("ld HTTP/1.1\r\nHost: x\r\nx-amzn-RequestId: 5f7f6c1e-3ad4-4d6f-b9a3-4dd10dcc7a31\r\n\r\n");
    refused_exactly(&eleventh.rest());
    the_last_step_shows(&node);

    // Released, everything goes on, and nobody who was taken has lost anything.
    gate.open();
    for mut client in held.into_iter().chain([ninth, tenth]) {
        let answer = client.response();
        assert_eq!((answer.status(), answer.text().as_str()), (200, "held"));
    }
    assert_eq!(h2.next(HEADERS).stream, 1);
    let body = h2.next(DATA);
    assert_eq!((body.stream, body.flags & 1, &body.payload[..]), (1, 1, &b"held"[..]));
    while h2.frame().is_some() {}
    waiting.set_read_timeout(Some(support::PATIENCE)).expect("a timeout");
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).expect("who waited is answered");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    all_is_as_before(&node);
}

/// Without a restart.
fn all_is_as_before(node: &Node) {
    wait_for(node, "turnpike_overload_step", 0.0);
    assert_eq!(node.client().ask("GET", "/hello", "x").field("connection"), Some("keep-alive"));
    assert_eq!(control(node, "/readyz").status(), 200);
    let path = node.folder().path().join("access.log");
    eventually("the refused request has its record", || {
        let log = std::fs::read_to_string(&path).unwrap_or_default();
        log.lines().any(|line| line == "5f7f6c1e-3ad4-4d6f-b9a3-4dd10dcc7a31 /held 503 33")
    });
}

/// Operations are reachable and tell what was given up.
fn the_last_step_shows(node: &Node) {
    assert_eq!(control(node, "/readyz").status(), 503);
    assert_eq!(control(node, "/healthz").status(), 200);
    let text = page(node);
    assert_eq!(metric(&text, "turnpike_overload_pressure_ratio"), 1.0);
    for name in ["keep_alives_shed", "idle_closed", "streams_refused", "requests_refused", "accept_pauses"] {
        assert!(metric(&text, &format!("turnpike_overload_{name}_total")) >= 1.0, "{name}: {text}");
    }
    assert_eq!(metric(&text, "apigateway_5xx_total"), 1.0);
}

/// The whole answer, but for what differs from answer to answer.
fn refused_exactly(answer: &[u8]) {
    let answer = String::from_utf8_lossy(answer);
    let kept: Vec<&str> = answer
        .split("\r\n")
        .filter(|line| !line.starts_with("Date: ") && !line.starts_with("x-amz-apigw-id: "))
        .collect();
    let expected = [
        "HTTP/1.1 503 Service Unavailable",
        "Content-Type: application/json",
        "x-amzn-RequestId: 5f7f6c1e-3ad4-4d6f-b9a3-4dd10dcc7a31",
        "x-amzn-ErrorType: ServiceUnavailableException",
        "Content-Length: 33",
        "Connection: close",
        "",
        "{\"message\":\"Service Unavailable\"}",
    ];
    assert_eq!(kept, expected, "{answer}");
}

#[test]
fn what_uploads_hold_counts_and_comes_back() {
    for runtime in ["auto", "portable"] {
        // A backend that doesn't read: what it can't take waits in the node, within bounds for each connection.
        let backend = TcpListener::bind("127.0.0.1:0").expect("binds");
        let url = format!("http://{}/", backend.local_addr().expect("bound"));
        let document = Document::new().proxy("post", "/up", &url).mock("get", "/hello", 200, "{}");
        let node = start(runtime, &document, &["--overload-memory", "4MiB"]);
        let mut last = begun(&node);
        let mut uploads: Vec<TcpStream> = (0..40)
            .map(|_| {
                let mut upload = TcpStream::connect(node.address()).expect("connects");
                upload
                    .write_all(b"POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n")
                    .expect("sends");
                upload.set_write_timeout(Some(Duration::from_millis(20))).expect("a timeout");
                upload
            })
            .collect();
        wait_for(&node, "turnpike_requests_in_flight", 40.0);
        let piece = vec![b'x'; 256 * 1024];
        eventually("the node holds too much", || {
            // Each takes nothing more at some point.
            uploads.iter_mut().for_each(|upload| while upload.write(&piece).is_ok() {});
            (metric(&page(&node), "turnpike_overload_step") - 3.0).abs() < f64::EPSILON
        });
        assert!(metric(&page(&node), "turnpike_held_bytes") >= 4.0 * 1024.0 * 1024.0 * 0.9, "{runtime}");
        last.send("llo HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(last.rest().starts_with(b"HTTP/1.1 503 "), "{runtime}");
        // Its calls fail, and with them what waits for them goes.
        drop(backend);
        drop(uploads);
        wait_for(&node, "turnpike_overload_step", 0.0);
        assert_eq!(node.client().ask("GET", "/hello", "x").field("connection"), Some("keep-alive"));
        eventually("what they held comes back", || {
            metric(&page(&node), "turnpike_held_bytes") < 256.0 * 1024.0
        });
    }
}

#[test]
fn who_finds_no_descriptor_left_waits_for_one() {
    for runtime in ["auto", "portable"] {
        let document = Document::new().mock("get", "/hello", 200, "{}");
        let node = Node::builder()
            .document("api.yaml", &document.text())
            .flags(&["--runtime", runtime, "--shards", "1"])
            .descriptors_max(64)
            .start();
        let mut clients: Vec<Client> = (0..80).map(|_| node.client()).collect();
        for client in &mut clients {
            client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        // Each that leaves makes room for one that waits.
        for mut client in clients {
            assert_eq!(client.response().status(), 200, "{runtime}");
        }
        assert_eq!(node.client().ask("GET", "/hello", "x").status(), 200, "{runtime}");
        eventually("it was counted", || metric(&page(&node), "turnpike_accept_failures_total") >= 1.0);
    }
}
