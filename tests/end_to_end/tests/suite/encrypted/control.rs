//! The control listener with a certificate of its own.

use support::{Client, Connector, Identity, Node, eventually};

const SETTINGS: &str = "control: {tls: {certificate: own.pem, key: own.key}}\n";

fn presented(node: &Node) -> Vec<u8> {
    Connector::new().connect(node.control(), "own.example").certificate()
}

#[test]
fn management_calls_come_by_tls_and_certificates_are_renewed() {
    let (old, new) = (Identity::ecdsa(&["own.example"]), Identity::rsa(&["own.example"]));
    let mut node = Node::builder()
        .settings(SETTINGS)
        .file("own.pem", &old.certificate)
        .file("own.key", &old.key)
        .start();
    assert!(node.seen().join("\n").contains("--endpoint-url https://127.0.0.1:"), "{:?}", node.seen());
    let mut client = Connector::new().protocols(&["h2", "http/1.1"]).connect(node.control(), "own.example");
    assert_eq!(client.protocol().as_deref(), Some("http/1.1"));
    assert_eq!(client.certificate(), old.der);
    let host = node.control().to_string();
    assert_eq!(client.ask("GET", "/healthz", &host).text(), "ok\n");
    assert_eq!(client.ask("GET", "/restapis", &host).text(), r#"{"item":[]}"#);
    // Whoever speaks plain HTTP there gets nothing.
    let mut plain = Client::connect(node.control());
    let answer = plain.try_send(format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    assert!(answer.is_err() || plain.try_response("GET").is_err());

    node.folder().write("own.key", &new.key);
    node.folder().write("own.pem", &new.certificate);
    node.wait_for_log("certificates renewed");
    eventually("the new one is presented", || presented(&node) == new.der);
    assert_eq!(client.ask("GET", "/healthz", &host).status(), 200);
}

#[test]
fn a_certificate_that_cannot_be_presented_is_no_start() {
    let (own, other) = (Identity::ecdsa(&["own.example"]), Identity::ecdsa(&["own.example"]));
    let node = Node::builder().settings(SETTINGS).file("own.pem", &own.certificate);
    let refused = node.file("own.key", &other.key).try_start().expect_err("refused");
    assert!(
        refused.contains("turnpike.yaml:1:44: ") && refused.contains("own.key is not the key"),
        "{refused}"
    );
}
