//! A control plane over a node that takes everything, and calls to it.

mod account_and_tags;
mod authorizers;
mod documents;
mod domains_and_links;
mod export;
mod gateway_responses;
mod import;
mod integrations;
mod keys_and_plans;
mod methods;
mod models;
mod resources;
mod rest_apis;
mod stages;

use model::{Account, Change, ClientCertificate, Secret};
use serde_json::Value;

use crate::control::{Control, Outcome, Request, Settings};
use crate::ids::tests::Seeded;
use crate::node::{Certificates, Node, NodeError};

/// Takes everything, or refuses in one of the ways a node can.
#[derive(Default)]
pub(crate) struct FakeNode {
    pub(crate) refuse: Option<NodeError>,
    pub(crate) fail_writes: bool,
    /// `prepare`, `publish`, `discard`, `write` in the order they were called.
    pub(crate) calls: Vec<&'static str>,
}

impl Node for FakeNode {
    fn prepare(&mut self, _: &Account) -> Result<(), NodeError> {
        self.calls.push("prepare");
        self.refuse.clone().map_or(Ok(()), Err)
    }

    fn publish(&mut self) {
        self.calls.push("publish");
    }

    fn discard(&mut self) {
        self.calls.push("discard");
    }

    fn write(&mut self, _: &[Change]) -> Result<(), NodeError> {
        self.calls.push("write");
        if self.fail_writes { Err(NodeError::Unavailable("the disk is full".to_owned())) } else { Ok(()) }
    }
}

/// Certificates that certify nothing.
struct Paper;

impl Certificates for Paper {
    fn make(&mut self, now: i64) -> Result<ClientCertificate, String> {
        Ok(ClientCertificate {
            pem_encoded_certificate: "PEM".to_owned(),
            private_key: Secret::new("KEY".to_owned()),
            created_date: now,
            expiration_date: now + 365 * 86_400,
            ..ClientCertificate::default()
        })
    }
}

/// A control plane under test.
pub(crate) struct Plane {
    pub(crate) control: Control,
    pub(crate) node: FakeNode,
    pub(crate) now: i64,
}

/// Status, body (`Null` for none), error type (empty for none).
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) error: String,
}

impl Answer {
    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

impl Plane {
    pub(crate) fn new() -> Self {
        let random = Box::new(Seeded(1));
        let settings = Settings { account_id: "123456789012".to_owned(), integration_timeout_ms_max: 29_000 };
        let control = Control::new(Account::default(), settings, random, Box::new(Paper));
        Plane { control, node: FakeNode::default(), now: 1_700_000_000 }
    }

    /// Makes a call; `target` is path and query as they go over the wire. `Value::Null` is no body.
    pub(crate) fn call(&mut self, method: &str, target: &str, body: Value) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.send(method, target, &body)
    }

    pub(crate) fn send(&mut self, method: &str, target: &str, body: &[u8]) -> Answer {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let request = Request {
            method,
            path,
            query,
            accept: "application/json",
            data_plane: "http://localhost:8080",
            body,
            region: "us-east-1",
            now: self.now,
        };
        let Outcome::Done(done) = self.control.handle(&request, &mut self.node) else {
            panic!("{method} {target} is to be invoked");
        };
        let response = done.response;
        let header = |name: &str| {
            response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        };
        assert!(header("x-amzn-RequestId").is_some());
        let body = match response.body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&response.body)
                .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&response.body))),
        };
        Answer { status: response.status, body, error: header("x-amzn-ErrorType").unwrap_or_default() }
    }

    /// The same for a call that must succeed: its body.
    pub(crate) fn ok(&mut self, method: &str, target: &str, body: Value) -> Value {
        let answer = self.call(method, target, body);
        assert!(answer.status < 300, "{method} {target}: {answer:?}");
        answer.body
    }

    /// Patches, each `(op, path, value)`; an empty value is none.
    pub(crate) fn patch(&mut self, target: &str, patches: &[(&str, &str, &str)]) -> Answer {
        let operations: Vec<Value> = patches
            .iter()
            .map(|(op, path, value)| match *value {
                "" => serde_json::json!({"op": op, "path": path}),
                value => serde_json::json!({"op": op, "path": path, "value": value}),
            })
            .collect();
        self.call("PATCH", target, serde_json::json!({"patchOperations": operations}))
    }

    /// An API with nothing in it: its id and its root's.
    pub(crate) fn api(&mut self) -> (String, String) {
        let api = self.ok("POST", "/restapis", serde_json::json!({"name": "test"}));
        let text = |name: &str| api[name].as_str().expect(name).to_owned();
        (text("id"), text("rootResourceId"))
    }
}
