//! The control plane of the real binary: calls over HTTP, what they change on the data plane, what survives.

use crate::document::Document;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;

use support::{Client, Message, Node, Scratch, Upstream, binary};

/// A connection to a node's control listener.
pub(crate) struct Management {
    client: Client,
    host: String,
}

impl Management {
    pub(crate) fn of(node: &Node) -> Self {
        Management::at(node.control())
    }

    pub(crate) fn at(address: SocketAddr) -> Self {
        Management { client: Client::connect(address), host: address.to_string() }
    }

    fn send(&mut self, method: &str, target: &str, body: &Value, fields: &str) -> Message {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (host, length) = (&self.host, body.len());
        let head =
            format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n{fields}\r\n");
        self.client.send(format!("{head}{body}")).response()
    }

    /// A call: its status and body, `Null` for none.
    pub(crate) fn call(&mut self, method: &str, target: &str, body: Value) -> (u16, Value) {
        let answer = self.send(method, target, &body, "");
        let text = answer.text();
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect("JSON") };
        (answer.status(), body)
    }

    /// A call to a node that may be killed: the body of an acknowledgement, `None` if there was none.
    pub(crate) fn attempt(&mut self, method: &str, target: &str, body: Value) -> Option<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (host, length) = (&self.host, body.len());
        let head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n");
        self.client.try_send(format!("{head}{body}")).ok()?;
        let answer = self.client.try_response(method).ok()?;
        assert!(answer.status() < 300, "{method} {target}: {answer:?}");
        let text = answer.text();
        Some(if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect("JSON") })
    }

    /// An API and its root, unless the node is gone.
    pub(crate) fn try_api(&mut self) -> Option<(String, String)> {
        let api = self.attempt("POST", "/restapis", json!({"name": "test"}))?;
        let text = |name: &str| api[name].as_str().expect("text").to_owned();
        Some((text("id"), text("rootResourceId")))
    }

    /// A call that must succeed: its body.
    pub(crate) fn ok(&mut self, method: &str, target: &str, body: Value) -> Value {
        let (status, body) = self.call(method, target, body);
        assert!(status < 300, "{method} {target}: {status} {body}");
        body
    }

    /// An API whose GET / is a mock that says `text`, not deployed: its id and the path of the method.
    pub(crate) fn mock(&mut self, text: &str) -> (String, String) {
        let api = self.ok("POST", "/restapis", json!({"name": "test"}));
        let (id, root) = (api["id"].as_str().expect("id"), api["rootResourceId"].as_str().expect("root"));
        let method = format!("/restapis/{id}/resources/{root}/methods/GET");
        self.ok("PUT", &method, json!({"authorizationType": "NONE"}));
        self.ok("PUT", &format!("{method}/responses/200"), json!({}));
        self.say(&method, text);
        (id.to_owned(), method)
    }

    /// Lets a mock say something else.
    fn say(&mut self, method: &str, text: &str) {
        let integration =
            json!({"type": "MOCK", "requestTemplates": {"application/json": "{\"statusCode\": 200}"}});
        self.ok("PUT", &format!("{method}/integration"), integration);
        let response = json!({"responseTemplates": {"application/json": text}});
        self.ok("PUT", &format!("{method}/integration/responses/200"), response);
    }

    fn deploy(&mut self, api: &str, body: Value) -> String {
        let deployment = self.ok("POST", &format!("/restapis/{api}/deployments"), body);
        deployment["id"].as_str().expect("id").to_owned()
    }
}

/// What a stage says at its root.
fn said(node: &Node, api: &str, stage: &str) -> (u16, String) {
    let target = format!("/restapis/{api}/{stage}/_user_request_/");
    let answer = node.client().ask("GET", &target, "localhost");
    (answer.status(), answer.text())
}

fn ok(text: &str) -> (u16, String) {
    (200, text.to_owned())
}

#[test]
fn an_api_is_made_deployed_and_served() {
    let upstream = Upstream::plain();
    let node = Node::builder().start();
    let mut calls = Management::of(&node);
    let (api, method) = calls.mock("one");
    assert_eq!(said(&node, &api, "prod").0, 403);
    calls.deploy(&api, json!({"stageName": "prod"}));
    assert_eq!(said(&node, &api, "prod"), ok("one"));
    // Edits act with the next deployment.
    calls.say(&method, "two");
    assert_eq!(said(&node, &api, "prod"), ok("one"));
    let second = calls.deploy(&api, json!({}));
    assert_eq!(said(&node, &api, "prod"), ok("one"));
    let patch = json!({"patchOperations": [{"op": "replace", "path": "/deploymentId", "value": second}]});
    calls.ok("PATCH", &format!("/restapis/{api}/stages/prod"), patch);
    assert_eq!(said(&node, &api, "prod"), ok("two"));
    // A backend by a stage variable, which acts at once.
    let uri = "http://${stageVariables.host}/";
    let proxy = json!({"type": "HTTP_PROXY", "httpMethod": "GET", "uri": uri});
    calls.ok("PUT", &format!("{method}/integration"), proxy);
    let host = upstream.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    calls.deploy(&api, json!({"stageName": "prod", "variables": {"host": host}}));
    assert_eq!(said(&node, &api, "prod").0, 200);
    calls.ok("DELETE", &format!("/restapis/{api}"), Value::Null);
    assert_eq!(said(&node, &api, "prod").0, 403);
}

#[test]
fn what_cannot_be_compiled_is_refused_and_the_old_goes_on() {
    let node = Node::builder().start();
    let mut calls = Management::of(&node);
    let (api, method) = calls.mock("one");
    calls.deploy(&api, json!({"stageName": "prod"}));
    let proxy = json!({"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "http://user@host/"});
    calls.ok("PUT", &format!("{method}/integration"), proxy);
    let (status, body) =
        calls.call("POST", &format!("/restapis/{api}/deployments"), json!({"stageName": "prod"}));
    let message = body["message"].as_str().unwrap_or_default();
    assert!(status == 400 && message.starts_with("GET / integration.uri: "), "{status} {body}");
    assert_eq!(said(&node, &api, "prod"), ok("one"));
    let deployments = calls.ok("GET", &format!("/restapis/{api}/deployments"), Value::Null);
    assert_eq!(deployments["item"].as_array().map(Vec::len), Some(1));
    // A variable that the stage doesn't have is missed at run time, and acts as soon as it is there.
    let proxy = json!({"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "http://${stageVariables.host}/"});
    calls.ok("PUT", &format!("{method}/integration"), proxy);
    calls.deploy(&api, json!({"stageName": "prod"}));
    assert_eq!(said(&node, &api, "prod").0, 500);
    let upstream = Upstream::plain();
    let value = upstream.url().trim_start_matches("http://").to_owned();
    let patch = json!({"patchOperations": [{"op": "replace", "path": "/variables/host", "value": value}]});
    calls.ok("PATCH", &format!("/restapis/{api}/stages/prod"), patch);
    assert_eq!(said(&node, &api, "prod").0, 200);
}

#[test]
fn a_canary_takes_its_share() {
    let node = Node::builder().start();
    let mut calls = Management::of(&node);
    let (api, method) = calls.mock("base");
    calls.deploy(&api, json!({"stageName": "prod"}));
    calls.say(&method, "canary");
    calls.deploy(&api, json!({"stageName": "prod", "canarySettings": {"percentTraffic": 30.0}}));
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut client = node.client();
    for _ in 0..1_000 {
        let answer = client.ask("GET", &format!("/restapis/{api}/prod/_user_request_/"), "localhost");
        *counts.entry(answer.text()).or_default() += 1;
    }
    // Eight standard deviations.
    assert!((185..=415).contains(&counts["canary"]) && counts.len() == 2, "{counts:?}");
    let stage = format!("/restapis/{api}/stages/prod");
    let promote = json!({"patchOperations": [
        {"op": "copy", "path": "/deploymentId", "from": "/canarySettings/deploymentId"},
        {"op": "remove", "path": "/canarySettings"},
    ]});
    calls.ok("PATCH", &stage, promote);
    assert!((0..50).all(|_| said(&node, &api, "prod") == ok("canary")));
}

#[test]
fn method_settings_throttle_at_once() {
    let node = Node::builder().start();
    let mut calls = Management::of(&node);
    let (api, _) = calls.mock("one");
    calls.deploy(&api, json!({"stageName": "prod"}));
    let patch = json!({"patchOperations": [
        {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "0.001"},
        {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "2"},
    ]});
    calls.ok("PATCH", &format!("/restapis/{api}/stages/prod"), patch);
    let statuses: Vec<u16> = (0..4).map(|_| said(&node, &api, "prod").0).collect();
    assert_eq!(statuses, [200, 200, 429, 429]);
}

#[test]
fn a_method_is_tested_before_it_is_deployed() {
    let upstream = Upstream::plain();
    let node = Node::builder().start();
    let mut calls = Management::of(&node);
    let (_, method) = calls.mock("draft");
    let tested = calls.ok("POST", &method, json!({}));
    assert_eq!((&tested["status"], &tested["body"]), (&json!(200), &json!("draft")), "{tested}");
    assert_eq!(tested["headers"], json!({"Content-Type": "application/json"}));
    assert_eq!(tested["multiValueHeaders"], json!({"Content-Type": ["application/json"]}));
    assert!(tested["log"].as_str().expect("log").starts_with("Execution log for request "), "{tested}");
    assert!(tested["latency"].is_u64(), "{tested}");
    // What guards a method isn't asked.
    let patch = json!({"patchOperations": [{"op": "replace", "path": "/apiKeyRequired", "value": "true"}]});
    calls.ok("PATCH", &method, patch);
    let proxy = json!({"type": "HTTP_PROXY", "httpMethod": "POST", "uri": format!("{}/x", upstream.url())});
    calls.ok("PUT", &format!("{method}/integration"), proxy);
    let body = json!({"pathWithQueryString": "/?a=b", "body": "text", "headers": {"X-A": "1"}});
    let tested = calls.ok("POST", &method, body);
    assert_eq!(tested["status"], 200, "{tested}");
    let last = upstream.request();
    assert!(last.target().starts_with("/x") && last.field("x-a") == Some("1"), "{last:?}");
    // One that can't run fails as it would, and the call succeeds.
    let broken = json!({"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "http://${stageVariables.unset}/"});
    calls.ok("PUT", &format!("{method}/integration"), broken);
    let tested = calls.ok("POST", &method, json!({}));
    assert_eq!(
        (&tested["status"], &tested["body"]),
        (&json!(500), &json!("{\"message\": \"Internal server error\"}"))
    );
    let variables = json!({"stageVariables": {"unset": upstream.url().trim_start_matches("http://")}});
    assert_eq!(calls.ok("POST", &method, variables)["status"], 200);
    let missing = calls.call("POST", &method.replace("GET", "PUT"), json!({}));
    assert_eq!(missing, (404, json!({"message": "Invalid Method identifier specified"})));
}

#[test]
fn files_and_calls_live_side_by_side() {
    let document = Document::new().mock("get", "/a", 200, "file").text();
    let node = Node::serve(&document);
    // Nothing was told, so nothing is kept.
    let folder = node.folder().path().join("turnpike-data");
    assert!(!folder.exists());
    let mut calls = Management::of(&node);
    let (api, _) = calls.mock("call");
    assert!(folder.join("control.redb").exists());
    calls.deploy(&api, json!({"stageName": "prod"}));
    assert_eq!(said(&node, &api, "prod"), ok("call"));
    assert_eq!(node.client().ask("GET", "/a", "anything").text(), "file");
}

#[test]
fn acknowledged_calls_survive_a_kill_and_an_upgrade() {
    let data = Scratch::new();
    let folder = data.path().display().to_string();
    let mut node = Node::builder().flags(&["--data-dir", &folder]).start();
    let mut calls = Management::of(&node);
    let (api, _) = calls.mock("one");
    calls.deploy(&api, json!({"stageName": "prod"}));
    node.signal(Signal::KILL);
    node.wait();
    let mut node = Node::builder().flags(&["--data-dir", &folder]).start();
    assert_eq!(said(&node, &api, "prod"), ok("one"));
    let before = Management::of(&node).ok("GET", &format!("/restapis/{api}"), Value::Null);
    node.upgrade();
    let mut calls = Management::of(&node);
    assert_eq!(calls.ok("GET", &format!("/restapis/{api}"), Value::Null), before);
    assert_eq!(said(&node, &api, "prod"), ok("one"));
    calls.ok("POST", "/restapis", json!({"name": "after"}));
}

#[test]
fn a_backup_is_restored_elsewhere() {
    let (data, other) = (Scratch::new(), Scratch::new());
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(binary()).args(arguments).output().expect("the binary runs");
        (
            output.status.success(),
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        )
    };
    let folder = data.path().display().to_string();
    let file = data.path().join("backup.jsonl").display().to_string();
    let mut node = Node::builder().flags(&["--data-dir", &folder]).start();
    let mut calls = Management::of(&node);
    let (api, _) = calls.mock("kept");
    calls.deploy(&api, json!({"stageName": "prod"}));
    let (done, said_of_it) = run(&["backup", "--data-dir", &folder, &file]);
    assert!(!done && said_of_it.contains("is open in another process"), "{said_of_it}");
    node.stop();
    assert_eq!(
        run(&["backup", "--data-dir", &folder, &file]),
        (true, format!("3 records written to {file}; it holds secrets\n"))
    );
    let elsewhere = other.path().join("data").display().to_string();
    assert!(run(&["restore", "--data-dir", &elsewhere, &file]).0);
    let (done, said_of_it) = run(&["restore", "--data-dir", &elsewhere, &file]);
    assert!(!done && said_of_it.contains("--force replaces it"), "{said_of_it}");
    let node = Node::builder().flags(&["--data-dir", &elsewhere]).start();
    assert_eq!(said(&node, &api, "prod"), ok("kept"));
}

#[test]
fn a_data_directory_has_one_owner() {
    let node = Node::builder().start();
    let folder = node.folder().path().join("turnpike-data").display().to_string();
    let refused = Node::builder().flags(&["--data-dir", &folder]).try_start().expect_err("refused");
    let message = "the control plane's store can't be opened";
    assert!(refused.contains(message) && refused.contains("is open in another process"), "{refused}");
}

#[test]
fn browsers_and_rebound_names_are_refused() {
    let node = Node::builder().start();
    let mut calls = Management::of(&node);
    let create = json!({"name": "a"});
    assert_eq!(calls.send("POST", "/restapis", &create, "Origin: https://evil.example\r\n").status(), 403);
    assert_eq!(calls.send("POST", "/restapis", &create, "Origin: http://localhost:3000\r\n").status(), 201);
    calls.host = "evil.example".to_owned();
    let refused = calls.send("POST", "/restapis", &create, "");
    assert_eq!((refused.status(), refused.field("x-amzn-errortype")), (403, Some("AccessDeniedException")));
    calls.host = "apigateway.eu-west-1.amazonaws.com".to_owned();
    assert_eq!(calls.call("GET", "/restapis", Value::Null), (200, json!({"item": []})));
}

#[test]
fn regions_are_kept_apart_and_writes_are_logged_without_values() {
    let mut node = Node::builder().start();
    let mut calls = Management::of(&node);
    let scope = "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261125/eu-west-1/apigateway/aws4_request, \
                 SignedHeaders=host, Signature=00\r\n";
    assert_eq!(calls.send("POST", "/restapis", &json!({"name": "secret-name"}), scope).status(), 201);
    assert_eq!(calls.call("GET", "/restapis", Value::Null).1, json!({"item": []}));
    let line = node.wait_for_log("control: CreateRestApi by AKIDEXAMPLE from 127.0.0.1:");
    assert!(line.contains("in eu-west-1: RestApi(") && !line.contains("secret-name"), "{line}");
}

#[test]
fn too_much_is_refused_and_the_listener_goes_on() {
    let node = Node::builder().start();
    let mut client = Client::connect(node.control());
    let host = node.control();
    let head = format!("POST /restapis HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99999999\r\n\r\n");
    assert_eq!(client.send(head).response().status(), 413);
    let mut calls = Management::of(&node);
    let deep = "[".repeat(100_000);
    let length = deep.len();
    let head = format!("POST /restapis HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{deep}");
    assert_eq!(Client::connect(host).send(head).response().status(), 400);
    calls.ok("POST", "/restapis", json!({"name": "a"}));
}

#[test]
fn a_control_plane_needs_no_file_and_says_how_to_begin() {
    let output = std::process::Command::new(binary()).args(["serve", "--help"]).output().expect("help");
    assert!(String::from_utf8_lossy(&output.stdout).contains("--data-dir"));
    let node = Node::builder().start();
    let seen = node.seen().join("\n");
    assert!(
        seen.contains("aws apigateway create-rest-api --name pets --endpoint-url http://127.0.0.1:"),
        "{seen}"
    );
}

#[test]
fn a_stage_that_cannot_be_compiled_any_more_stands_in_nobodys_way() {
    let folder = Scratch::new();
    let data = folder.path().join("data").display().to_string();
    let mut node = Node::builder()
        .settings("limits: {integration_timeout: 60s}\n")
        .flags(&["--data-dir", &data])
        .start();
    let mut calls = Management::of(&node);
    let (slow, method) = calls.mock("slow");
    let proxy = |millis: u32| json!({"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "http://127.0.0.1:1/", "timeoutInMillis": millis});
    calls.ok("PUT", &format!("{method}/integration"), proxy(50_000));
    calls.deploy(&slow, json!({"stageName": "prod"}));
    let (api, other) = calls.mock("one");
    calls.deploy(&api, json!({"stageName": "prod"}));
    assert_eq!(said(&node, &slow, "prod").0, 500);
    node.stop();
    let node = Node::builder().flags(&["--data-dir", &data]).start();
    let warned = format!("stage prod of API {slow} isn't served: GET / integration.timeoutInMillis");
    assert!(node.seen().join("\n").contains(&warned), "{:?}", node.seen());
    assert_eq!((said(&node, &slow, "prod").0, said(&node, &api, "prod")), (403, ok("one")));
    // Others can still be changed, and so can the one that is left out.
    let mut calls = Management::of(&node);
    calls.say(&other, "two");
    calls.deploy(&api, json!({"stageName": "prod"}));
    assert_eq!((said(&node, &slow, "prod").0, said(&node, &api, "prod")), (403, ok("two")));
    calls.ok("PUT", &format!("{method}/integration"), proxy(1_000));
    calls.deploy(&slow, json!({"stageName": "prod"}));
    assert_eq!((said(&node, &slow, "prod").0, said(&node, &api, "prod")), (500, ok("two")));
}

#[test]
fn a_refused_file_does_not_bring_back_what_was_left_out() {
    let folder = Scratch::new();
    let data = folder.path().join("data").display().to_string();
    let mut node = Node::builder()
        .settings("limits: {integration_timeout: 60s}\n")
        .flags(&["--data-dir", &data])
        .start();
    let mut calls = Management::of(&node);
    let (slow, method) = calls.mock("slow");
    let proxy = json!({"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "http://127.0.0.1:1/", "timeoutInMillis": 50_000});
    calls.ok("PUT", &format!("{method}/integration"), proxy);
    calls.deploy(&slow, json!({"stageName": "prod"}));
    node.stop();
    let document = Document::new().mock("get", "/a", 200, "a").text();
    let mut node = Node::builder().document("api.yaml", &document).flags(&["--data-dir", &data]).start();
    // Neither a document that can't be read nor one that can't be compiled is served.
    let bad = Document::new().proxy("get", "/b", "http://user@host/").text();
    for broken in ["no document", &bad] {
        node.folder().write("api.yaml", broken);
        node.wait_for_log("not reloaded: the running version goes on");
        let mut calls = Management::of(&node);
        let (api, _) = calls.mock("one");
        calls.deploy(&api, json!({"stageName": "prod"}));
        assert_eq!(said(&node, &api, "prod"), ok("one"));
    }
}
