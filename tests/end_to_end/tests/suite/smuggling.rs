//! Request smuggling: a backend must never see what the gateway did not parse.
//!
//! Every case of [`cases`] is sent to the real binary in front of a recording backend. A refused case must end in an
//! error status and a closed connection, with no complete request and no trace of the hidden one at the backend. An
//! accepted case must reach it in canonical form. The same set is run against a relay that parses loosely, to show
//! that the set can tell.

mod cases;
mod loose;

use crate::document::Document;
use cases::{Case, Fate};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use support::{Client, Message, Node, Reply, Upstream};

/// Statuses that a refusal of malformed input may have.
const REFUSALS: &[u16] = &[400, 403, 413, 414, 417, 431, 501, 505];

fn backend() -> Upstream {
    Upstream::start(|_| Reply::text("ok"))
}

fn node(upstream: &Upstream) -> Node {
    let any = "x-amazon-apigateway-any-method";
    let document = Document::new().proxy(any, "/", &upstream.url()).proxy(
        any,
        "/{proxy+}",
        &format!("{}/{{proxy}}", upstream.url()),
    );
    Node::serve(&document.text())
}

/// What is wrong with the outcome of a case, if anything.
fn judge(case: &Case, address: SocketAddr, upstream: &Upstream) -> Result<(), String> {
    let mut client = Client::connect(address);
    // The peer may have seen enough before the last byte.
    let _ = client.try_send(&case.bytes);
    if case.half_close {
        client.finish();
    }
    match &case.fate {
        Fate::Refused => {
            let answer = client.rest();
            let answer = String::from_utf8_lossy(&answer).into_owned();
            let status = answer.get(9..12).and_then(|code| code.parse().ok()).unwrap_or(0);
            let seen = upstream.recorded();
            if let Some(request) = seen.first() {
                return Err(format!("the backend saw {:?}", String::from_utf8_lossy(&request.raw)));
            }
            if answer.matches("HTTP/1.1 ").count() > 1 {
                return Err(format!("more than one answer: {answer:?}"));
            }
            let refused = REFUSALS.contains(&status) || (case.half_close && answer.is_empty());
            if refused { Ok(()) } else { Err(format!("answered {answer:?}")) }
        }
        Fate::Forwarded(targets) => {
            for target in *targets {
                let answer =
                    client.try_response("GET").map_err(|error| format!("no answer to {target}: {error}"))?;
                if answer.status() != 200 {
                    return Err(format!("{target} was answered {}", answer.start));
                }
            }
            let seen = upstream.recorded();
            let seen_targets: Vec<&str> = seen.iter().map(Message::target).collect();
            if seen_targets != *targets {
                return Err(format!("the backend saw {seen_targets:?}"));
            }
            seen.iter().try_for_each(canonical)
        }
    }
}

/// Whether a forwarded request has one meaning only.
fn canonical(request: &Message) -> Result<(), String> {
    let raw = String::from_utf8_lossy(&request.raw).into_owned();
    let head = raw.split("\r\n\r\n").next().unwrap_or_default();
    let framings = request.values("content-length").len() + request.values("transfer-encoding").len();
    let te = request.values("transfer-encoding").iter().all(|value| *value == "chunked");
    let length =
        request.values("content-length").iter().all(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
    let bare = head.replace("\r\n", "").contains(['\r', '\n', '\0']);
    let loose_name = request.fields.iter().any(|(name, _)| name.contains([' ', '\t', '_']));
    let hosts = request.values("host").len();
    if framings > 1 || !te || !length || bare || loose_name || hosts != 1 || raw.contains("/smuggled") {
        return Err(format!("not canonical: {raw:?}"));
    }
    Ok(())
}

fn failures(address: SocketAddr, upstream: &Upstream) -> Vec<String> {
    let mut failures = Vec::new();
    for case in cases::all() {
        if let Err(why) = judge(&case, address, upstream) {
            failures.push(format!("{} / {} ({}): {why}", case.group, case.name, case.clause));
        }
        drop(upstream.recorded());
    }
    failures
}

#[test]
fn the_set_is_large_and_covers_every_group() {
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    for case in cases::all() {
        *groups.entry(case.group).or_default() += 1;
        assert!(case.clause.starts_with("RFC "), "{} cites no clause", case.name);
    }
    let names: Vec<&str> = groups.keys().copied().collect();
    assert_eq!(names, ["body", "chunk", "cl-te", "cl-value", "header", "line", "te-name", "te-value"]);
    assert!(groups.values().sum::<usize>() >= 100, "{groups:?}");
}

#[test]
fn nothing_that_was_refused_reaches_the_backend_and_the_rest_is_canonical() {
    let upstream = backend();
    let node = node(&upstream);
    let failures = failures(node.address(), &upstream);
    assert!(failures.is_empty(), "{} cases:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn a_loose_parser_fails_the_set() {
    let upstream = backend();
    let relay = loose::start(upstream.address());
    let failures = failures(relay, &upstream);
    let groups: std::collections::BTreeSet<&str> =
        failures.iter().filter_map(|line| line.split(" / ").next()).collect();
    assert!(failures.len() > 40, "only {} failures", failures.len());
    assert!(groups.len() >= 6, "only in {groups:?}");
}
