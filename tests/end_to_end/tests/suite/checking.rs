//! `turnpike check`, `version` and help, as a person meets them.

use crate::document::Document;
use std::process::{Command, Output};
use support::Scratch;

fn turnpike(folder: &Scratch, arguments: &[&str]) -> Output {
    Command::new(support::binary())
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .expect("the binary runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_good_document_passes() {
    let folder = Scratch::new();
    folder.write("good.yaml", &Document::new().mock("get", "/a", 200, "a").text());
    let output = turnpike(&folder, &["check", "good.yaml"]);
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn what_is_not_supported_is_refused_with_file_line_and_column() {
    let folder = Scratch::new();
    let text = "openapi: 3.0.1\ninfo: {title: t, version: \"1\"}\npaths:\n  /a:\n    get:\n      responses: {}\n      \
                x-amazon-apigateway-integration:\n        type: aws_proxy\n        httpMethod: POST\n        uri: arn:x\n";
    folder.write("bad.yaml", text);
    let output = turnpike(&folder, &["check", "bad.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("bad.yaml:8:15"), "{}", said(&output));
}

#[test]
fn broken_yaml_and_missing_files_are_pointed_at() {
    let folder = Scratch::new();
    folder.write("broken.yaml", "openapi: 3.0.1\npaths: [\n");
    let output = turnpike(&folder, &["check", "broken.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("broken.yaml:"), "{}", said(&output));
    let output = turnpike(&folder, &["check", "absent.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("absent.yaml"), "{}", said(&output));
}

#[test]
fn help_teaches_and_version_tells() {
    let folder = Scratch::new();
    let help = said(&turnpike(&folder, &["serve", "--help"]));
    for word in
        ["--listen", "TURNPIKE_LISTEN", "--timeouts-idle-client", "default: 310s", "curl", "kill -HUP"]
    {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert!(said(&turnpike(&folder, &["version"])).contains(env!("CARGO_PKG_VERSION")));
    assert_eq!(turnpike(&folder, &["serve", "--listne", "x"]).status.code(), Some(2));
}
