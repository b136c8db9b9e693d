//! What requests leave behind: access-log records, metrics, health; and throttles that hold.

use crate::document::Document;
use support::{Client, Message, Node, Upstream, eventually};

pub(crate) fn control(node: &Node, path: &str) -> Message {
    Client::connect(node.control()).ask("GET", path, &node.control().to_string())
}

pub(crate) fn metric(page: &str, start: &str) -> f64 {
    let lines = page.lines().filter(|line| line.starts_with(start));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[test]
fn every_request_leaves_one_record_in_the_file() {
    let upstream = Upstream::plain();
    let document = Document::new().proxy("get", "/a", &upstream.url()).text();
    let format = "$context.requestId $context.httpMethod $context.path $context.status $context.resourcePath $context.stage";
    let node = Node::builder()
        .document("api.yaml", &document)
        .flags(&["--access-log-destination", "access.log", "--access-log-format", format])
        .start();
    let mut client = node.client();
    let mut ids = Vec::new();
    for (target, status) in [("/a", 200), ("/nowhere", 403), ("/a?x=1", 200)] {
        let answer = client.ask("GET", target, "localhost");
        assert_eq!(answer.status(), status);
        ids.push(answer.field("x-amzn-requestid").unwrap_or_default().to_owned());
    }
    client.send("BAD\r\n\r\n");
    client.rest();
    let path = node.folder().path().join("access.log");
    let mut log = String::new();
    eventually("three records and one of the malformed request", || {
        log = std::fs::read_to_string(&path).unwrap_or_default();
        log.lines().count() >= 3
    });
    let lines: Vec<&str> = log.lines().collect();
    for (id, line) in ids.iter().zip(&lines) {
        assert!(line.starts_with(id.as_str()), "{id}: {line}");
    }
    assert!(lines[0].ends_with("GET /a 200 /a test"), "{}", lines[0]);
    assert!(lines[1].contains(" 403 "), "{}", lines[1]);
}

#[test]
fn the_common_log_format_goes_to_stdout() {
    let document = Document::new().mock("get", "/health", 200, "up").text();
    let mut node = Node::builder()
        .document("api.yaml", &document)
        .flags(&["--access-log-destination", "stdout", "--access-log-format", "clf"])
        .start();
    node.client().ask("GET", "/health", "localhost");
    let line = node.line_of_output();
    assert!(line.starts_with("127.0.0.1 ") && line.contains("\"GET /health HTTP/1.1\" 200 "), "{line}");
}

#[test]
fn metrics_count_what_was_served() {
    let upstream = Upstream::plain();
    let node = Node::serve(&Document::new().proxy("get", "/a", &upstream.url()).text());
    let mut client = node.client();
    for _ in 0..10 {
        client.ask("GET", "/a", "localhost");
    }
    for _ in 0..3 {
        client.ask("GET", "/nowhere", "localhost");
    }
    let mut page = String::new();
    eventually("all are counted", || {
        page = control(&node, "/metrics").text();
        metric(&page, "apigateway_requests_total{") >= 13.0
    });
    assert!(page.contains("api_id=\"testapi001\"") && page.contains("stage=\"test\""), "{page}");
    assert!((metric(&page, "apigateway_requests_total{") - 13.0).abs() < 0.1, "{page}");
    assert!((metric(&page, "apigateway_4xx_total{") - 3.0).abs() < 0.1, "{page}");
    assert!((metric(&page, "apigateway_latency_milliseconds_count{") - 13.0).abs() < 0.1, "{page}");
    assert!(
        (metric(&page, "apigateway_integration_latency_milliseconds_count{") - 10.0).abs() < 0.1,
        "{page}"
    );
}

#[test]
fn health_and_readiness_are_told() {
    let node = Node::serve(&Document::new().mock("get", "/a", 200, "a").text());
    assert_eq!(control(&node, "/healthz").status(), 200);
    assert_eq!(control(&node, "/readyz").status(), 200);
    assert_eq!(control(&node, "/nothing").status(), 403);
}

#[test]
fn a_throttled_method_refuses_with_aws_bytes() {
    let root = "x-turnpike: {id: testapi001, stage: test, throttle: {rateLimit: 1, burstLimit: 3}}\n";
    let node = Node::serve(&Document::with_root(root).mock("get", "/a", 200, "a").text());
    let mut client = node.client();
    let answers: Vec<Message> = (0..10).map(|_| client.ask("GET", "/a", "localhost")).collect();
    let admitted = answers.iter().filter(|answer| answer.status() == 200).count();
    assert!((3..=4).contains(&admitted), "{admitted}");
    let refused = answers.iter().find(|answer| answer.status() == 429).expect("the burst is spent");
    assert_eq!(refused.text(), r#"{"message":"Too Many Requests"}"#);
    assert_eq!(refused.field("x-amzn-errortype"), Some("TooManyRequestsException"));
}
