//! `HTTP_PROXY`: what reaches the backend and what comes back.

use super::*;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\n";

#[test]
fn a_greedy_proxy_passes_the_request_on() {
    let mut route = proxy("/{proxy+}", "http://backend:81/base/{proxy}");
    route.parameters = vec![("integration.request.path.proxy", "method.request.path.proxy")];
    let node = node(vec![route]);
    let backend = Backend::answering(OK);
    let (status, fields, body) =
        ask(&backend, &node, "GET /a/b//c?x=1&y=%20&x=2", "X-Id: 7\r\nUser-Agent: curl\r\nAccept: */*\r\n");
    assert_eq!((status, &*body), (200, "<upstream None>"));
    assert_eq!(
        backend.call(),
        "GET /base/a/b//c?x=1&y=%20&x=2 HTTP/1.1\r\nHost: backend:81\r\nX-Id: 7\r\nUser-Agent: curl\r\nAccept: */*\r\n\
         X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Port: 8080\r\nX-Forwarded-Proto: http\r\n\
         X-Amzn-Trace-Id: Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0\r\n\
         X-Amzn-Apigateway-Api-Id: abc\r\n"
    );
    assert_eq!(
        fields,
        "x-amzn-Remapped-Content-Length: 2\r\nContent-Type: text/plain\r\n\
         x-amzn-RequestId: 00000000-0000-4000-8000-000000000000\r\nx-amz-apigw-id: AAAAAAAAAAAAAAA=\r\n"
    );
}

#[test]
fn defaults_are_for_clients_that_name_nothing() {
    let node = node(vec![proxy("/", "http://backend")]);
    let backend = Backend::answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    let (status, fields, _) = ask(&backend, &node, "GET /", "");
    assert_eq!(status, 404);
    let call = backend.call();
    assert!(call.starts_with("GET / HTTP/1.1\r\nHost: backend\r\n"), "{call}");
    assert_eq!(field(&call, "User-Agent"), Some("AmazonAPIGateway_abc"));
    assert_eq!(field(&call, "Accept"), Some("application/json"));
    assert_eq!(field(&fields, "Content-Type"), Some("application/json"));
    assert_eq!(field(&fields, "X-Amzn-Trace-Id"), None);
}

/// Recorded: URI `?testVar={pathVar}&testQs={qsVar}`, client `testQueryString=foo&testVar=bar`, mapped `queryString` and
/// `testQs` from `testQueryString`.
#[test]
fn query_parameters_merge_as_recorded() {
    let mut route = proxy("/{pathVariable}", "http://backend/x?testVar={pathVar}&testQs={qsVar}");
    route.parameters = vec![
        ("integration.request.path.pathVar", "method.request.path.pathVariable"),
        ("integration.request.path.qsVar", "method.request.querystring.testVar"),
        ("integration.request.querystring.queryString", "method.request.querystring.testQueryString"),
        ("integration.request.querystring.testQs", "method.request.querystring.testQueryString"),
        ("integration.request.querystring.absent", "method.request.querystring.nope"),
    ];
    let backend = Backend::answering(OK);
    ask(&backend, &node(vec![route]), "GET /foobar?testQueryString=foo&testVar=bar", "");
    let call = backend.call();
    let target = call.split(' ').nth(1).expect("a target");
    let mut merged: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for pair in target.strip_prefix("/x?").expect("the URI's path").split('&') {
        let (name, value) = pair.split_once('=').expect("a value");
        merged.entry(name).or_default().push(value);
    }
    let expected = BTreeMap::from([
        ("queryString", vec!["foo"]),
        ("testQs", vec!["bar", "foo"]),
        ("testQueryString", vec!["foo"]),
        ("testVar", vec!["foobar", "bar"]),
    ]);
    assert_eq!(merged, expected);
}

#[test]
fn mapped_values_are_encoded_where_they_go() {
    let mut route = proxy("/{id}", "http://backend/{id}/${stageVariables.color}/{unmapped}?q={q}");
    route.parameters = vec![
        ("integration.request.path.id", "method.request.path.id"),
        ("integration.request.path.q", "method.request.querystring.q"),
        ("integration.request.querystring.all", "method.request.multivaluequerystring.m"),
        ("integration.request.querystring.lit", "'a b&c'"),
        ("integration.request.header.X-Q", "method.request.querystring.q"),
        ("integration.request.header.X-All", "method.request.multivaluequerystring.m"),
        ("integration.request.header.X-Color", "stageVariables.color"),
        ("integration.request.header.X-None", "stageVariables.none"),
        ("integration.request.header.X-Stage", "context.stage"),
        ("integration.request.header.X-Path", "context.path"),
        ("integration.request.header.X-Case", "method.request.header.x-sent"),
        ("integration.request.header.X-Sent", "method.request.multivalueheader.X-Sent"),
    ];
    let backend = Backend::answering(OK);
    let line = "GET /a%2Fb%252Fc?q=x%26y+z&m=1&m=%2F";
    ask(&backend, &node(vec![route]), line, "X-Sent: 1\r\nX-Sent: 2\r\n");
    let call = backend.call();
    let target = call.split(' ').nth(1).expect("a target");
    assert_eq!(
        target,
        "/a/b%2Fc/green/%7Bunmapped%7D?q=x%26y%20z&q=x%26y+z&m=1&m=%2F&all=1&all=%2F&lit=a%20b%26c"
    );
    for (name, value) in [
        ("X-Q", Some("x&y z")),
        ("X-All", Some("1,/")),
        ("X-Color", Some("green")),
        ("X-None", None),
        ("X-Stage", Some("prod")),
        ("X-Path", Some("/a%2Fb%252Fc")),
        ("X-Case", None),
        ("X-Sent", Some("1,2")),
    ] {
        assert_eq!(field(&call, name), value, "{name}");
    }
    assert_eq!(call.matches("X-Sent").count(), 1, "the mapping overwrites the client's field");
}

#[test]
fn a_value_with_a_line_end_never_becomes_a_field() {
    for (line, fields) in [("GET /?q=a%0d%0aX-Evil:%201", ""), ("GET /?q=%00", ""), ("GET /?q=%0A", "")] {
        let mut route = proxy("/", "http://backend/");
        route.parameters = vec![("integration.request.header.X-Q", "method.request.querystring.q")];
        let backend = Backend::answering(OK);
        let (status, _, body) = ask(&backend, &node(vec![route]), line, fields);
        assert_eq!((status, &*body), (500, INTERNAL), "{line}");
        assert!(backend.calls.borrow().is_empty());
    }
}

#[test]
fn the_integrations_method_is_sent_and_decides_about_the_body() {
    let body = "Content-Length: 1\r\n";
    for (http_method, sent, relayed) in
        [("ANY", "PUT", true), ("POST", "POST", true), ("GET", "GET", false), ("HEAD", "HEAD", false)]
    {
        let route = Route { http_method, ..proxy("/", "http://backend/") };
        let backend = Backend::answering(OK);
        ask(&backend, &node(vec![route]), "PUT /", body);
        assert!(backend.call().starts_with(&format!("{sent} / HTTP/1.1\r\n")));
        let call = backend.calls.borrow()[0].1;
        let expected = if relayed { crate::RequestBodyPlan::Relay } else { crate::RequestBodyPlan::Drop };
        assert_eq!((call.method.as_str(), call.request_body), (sent, expected));
    }
}

#[test]
fn encoded_bodies_are_inflated_on_the_way_in_only() {
    let node = node(vec![proxy("/", "http://backend/")]);
    let backend = Backend::answering("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\n");
    let (_, fields, body) = ask(&backend, &node, "POST /", "Content-Encoding: gzip\r\nContent-Length: 9\r\n");
    assert_eq!(field(&fields, "Content-Encoding"), Some("br"));
    assert_eq!(body, "<upstream None>");
    let (outbound, call) = backend.calls.borrow()[0].clone();
    assert_eq!(call.request_body, crate::RequestBodyPlan::Inflate(codec::h1::Coding::Gzip));
    assert_eq!(field(&outbound, "Content-Encoding"), None);
    let (status, _, body) = ask(&backend, &node, "POST /", "Content-Encoding: br\r\nContent-Length: 9\r\n");
    assert_eq!((status, &*body), (415, r#"{"message":"Unsupported Media Type"}"#));
}

#[test]
fn a_failed_call_is_its_refusal() {
    let node = node(vec![proxy("/", "http://backend/")]);
    for (refusal, status, expected) in [
        (Refusal::integration_timeout(), 504, r#"{"message": "Endpoint request timed out"}"#),
        (Refusal::integration_failure(), 504, r#"{"message": "Network error communicating with endpoint"}"#),
        (Refusal::configuration_error("x"), 500, INTERNAL),
    ] {
        let (found, fields, body) = ask(&Backend::failing(refusal), &node, "GET /", "");
        assert_eq!((found, &*body), (status, expected));
        assert_eq!(field(&fields, "x-amzn-ErrorType"), Some("InternalServerErrorException"));
    }
}

#[test]
fn what_logs_want_is_on_the_exchange() {
    let node = node(vec![proxy("/pets/{id}", "http://backend/")]);
    let mut exchange = request("GET /prod/pets/1", "");
    exchange.request.clear();
    let head = b"GET /prod/pets/1 HTTP/1.1\r\nHost: ABC.execute-api.localhost:8080\r\n\r\n";
    exchange.request.parse(head, &HeadLimits::default()).expect("head");
    drive(&Backend::answering(OK), &node, &mut exchange);
    assert_eq!((exchange.status, exchange.integration_status), (200, Some(200)));
    assert_eq!(exchange.integration_latency_ns, Some(0));
    assert_eq!(exchange.method, Method::Get);
    let facts = node.facts(&exchange);
    let mut out = Vec::new();
    for variable in [context::ContextVariable::Path, context::ContextVariable::ResourcePath] {
        assert!(facts.write(variable, &mut out));
        out.push(b' ');
    }
    assert_eq!(String::from_utf8_lossy(&out), "/prod/pets/1 /pets/{id} ");
}
