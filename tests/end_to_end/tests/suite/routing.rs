//! Which API, stage and route a request reaches (REST API developer guide: "Create a resource", "Invoke").

use crate::document::Document;
use support::{Message, Node, Upstream};

const MISSING_TOKEN: &str = r#"{"message":"Missing Authentication Token"}"#;

fn shop(upstream: &Upstream) -> Document {
    let url = upstream.url();
    Document::new()
        .proxy("get", "/pets", &format!("{url}/list"))
        .proxy("post", "/pets", &format!("{url}/add"))
        .proxy("get", "/pets/{id}", &format!("{url}/one/{{id}}"))
        .proxy("get", "/pets/new", &format!("{url}/fresh"))
        .proxy("x-amazon-apigateway-any-method", "/files/{path+}", &format!("{url}/files/{{path}}"))
        .mock("get", "/health", 200, r#"{"status":"up"}"#)
}

fn missing_token(answer: &Message) {
    assert_eq!((answer.status(), answer.text().as_str()), (403, MISSING_TOKEN));
    assert_eq!(answer.field("x-amzn-errortype"), Some("MissingAuthenticationTokenException"));
    assert_eq!(answer.field("content-type"), Some("application/json"));
    assert!(answer.field("x-amzn-requestid").is_some_and(|id| id.len() == 36));
    assert!(answer.field("x-amz-apigw-id").is_some_and(|id| id.ends_with('=')));
}

#[test]
fn static_segments_win_over_parameters_and_those_over_greedy_ones() {
    let upstream = Upstream::plain();
    let node = Node::serve(&shop(&upstream).text());
    let mut client = node.client();
    for (method, target, seen) in [
        ("GET", "/pets", "/list"),
        ("POST", "/pets", "/add"),
        ("GET", "/pets/7", "/one/7"),
        ("GET", "/pets/new", "/fresh"),
        ("DELETE", "/files/a/b/c", "/files/a/b/c"),
        ("GET", "/pets?type=dog&type=cat", "/list?type=dog&type=cat"),
    ] {
        let answer = client.ask(method, target, "localhost");
        assert_eq!(answer.status(), 200, "{method} {target}");
        assert_eq!(upstream.request().target(), seen, "{method} {target}");
    }
}

#[test]
fn what_no_route_takes_is_a_missing_token() {
    let upstream = Upstream::plain();
    let node = Node::serve(&shop(&upstream).text());
    let mut client = node.client();
    for (method, target) in
        [("GET", "/nowhere"), ("DELETE", "/pets"), ("GET", "/"), ("GET", "/pets/1/2"), ("GET", "/files")]
    {
        missing_token(&client.ask(method, target, "localhost"));
    }
    assert!(upstream.recorded().is_empty());
}

#[test]
fn a_mock_route_is_answered_here() {
    let node = Node::serve(&Document::new().mock("get", "/health", 200, r#"{"status":"up"}"#).text());
    let answer = node.client().ask("GET", "/health", "localhost");
    assert_eq!((answer.status(), answer.text().as_str()), (200, r#"{"status":"up"}"#));
    assert_eq!(answer.field("x-amzn-trace-id"), None);
    assert!(answer.field("x-amzn-requestid").is_some());
}

#[test]
fn a_single_api_answers_under_all_its_addresses() {
    let upstream = Upstream::plain();
    let node = Node::serve(&shop(&upstream).text());
    let mut client = node.client();
    for (target, host) in [
        ("/pets", "anything.example"),
        ("/test/pets", "testapi001.execute-api.us-east-1.amazonaws.com"),
        ("/test/pets", "testapi001.execute-api.us-east-1.localhost"),
        ("/test/pets", "testapi001.execute-api.localhost:8080"),
        ("/restapis/testapi001/test/_user_request_/pets", "localhost"),
        ("/_aws/execute-api/testapi001/test/pets", "localhost"),
    ] {
        assert_eq!(client.ask("GET", target, host).status(), 200, "{host} {target}");
        assert_eq!(upstream.request().target(), "/list", "{host} {target}");
    }
}

#[test]
fn two_apis_are_told_apart_and_none_answers_for_all() {
    let (first, second) = (Upstream::plain(), Upstream::plain());
    let other = Document::with_root("x-turnpike: {id: otherapi02, stage: prod}\n");
    let node = Node::builder()
        .document("first.yaml", &Document::new().proxy("get", "/a", &first.url()).text())
        .document("second.yaml", &other.proxy("get", "/a", &second.url()).text())
        .start();
    let mut client = node.client();
    assert_eq!(client.ask("GET", "/test/a", "testapi001.execute-api.localhost").status(), 200);
    assert_eq!((first.recorded().len(), second.recorded().len()), (1, 0));
    assert_eq!(client.ask("GET", "/prod/a", "otherapi02.execute-api.localhost").status(), 200);
    assert_eq!((first.recorded().len(), second.recorded().len()), (0, 1));
    assert_ne!(client.ask("GET", "/a", "localhost").status(), 200);
}
