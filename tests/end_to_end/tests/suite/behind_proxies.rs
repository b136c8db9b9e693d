//! Whom the gateway takes for its client when a proxy stands between: nobody else unless it is told whom to believe.

use crate::document::Document;
use support::{Client, Message, Node, Upstream};

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
