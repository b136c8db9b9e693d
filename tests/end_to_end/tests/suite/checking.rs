//! `turnpike check`, `version` and help, as a person meets them.

use crate::document::Document;
use std::process::{Command, Output};
use support::{Node, Scratch};

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

#[test]
fn a_file_that_is_missing_does_not_hide_what_is_wrong_in_others() {
    let folder = Scratch::new();
    folder.write("good.yaml", &Document::new().mock("get", "/a", 200, "a").text());
    folder.write("bad.yaml", "openapi: 3.1.0\npaths: {}\n");
    let output = turnpike(&folder, &["check", "absent.yaml", "good.yaml", "bad.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    for words in ["absent.yaml: No such file", "bad.yaml:1:10", "3.0.x", "2 errors in 3 files"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn what_is_fine_is_counted() {
    let folder = Scratch::new();
    folder.write("one.yaml", &Document::new().mock("get", "/a", 200, "a").text());
    let other = Document::with_root("x-turnpike: {id: otherapi02}\n").mock("get", "/a", 200, "a");
    folder.write("two.yaml", &other.mock("put", "/a", 200, "a").text());
    let output = turnpike(&folder, &["check", "one.yaml", "two.yaml"]);
    assert_eq!(said(&output), "one.yaml: fine, 1 route\ntwo.yaml: fine, 2 routes\n");
}

#[test]
fn check_goes_by_the_settings_that_serve_goes_by() {
    let slow = |milliseconds: u32| {
        let integration = format!(
            "{{type: http_proxy, httpMethod: GET, uri: \"http://127.0.0.1:1/\", timeoutInMillis: {milliseconds}}}"
        );
        let operation = format!("responses: {{}}, x-amazon-apigateway-integration: {integration}");
        Document::new().route("get", "/a", &operation).text()
    };
    let folder = Scratch::new();
    folder.write("long.yaml", &slow(60_000));
    folder.write("short.yaml", &slow(20_000));
    folder.write("raised.yaml", "limits: {integration_timeout: 1m}\n");
    folder.write("named.yaml", "files: [short.yaml]\n");
    folder.write("unlogged.yaml", "access_log: {destination: stdout, format: $context.status}\n");
    let variable = |value: &'static str| Some(("TURNPIKE_LIMITS_INTEGRATION_TIMEOUT", value));
    let check = |arguments: &[&str], variable: Option<(&str, &str)>, words: &str| {
        let mut command = Command::new(support::binary());
        let output = command.arg("check").args(arguments).envs(variable).current_dir(folder.path()).output();
        let output = output.expect("the binary runs");
        assert_eq!(output.status.success(), words.contains("fine"), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    };
    let (fine, between) = ("fine, 1 route", |most: u32| format!("between 50 ms and {most} ms"));
    check(&["long.yaml"], None, &between(29_000));
    check(&["long.yaml", "--config", "raised.yaml"], None, fine);
    check(&["long.yaml"], variable("60s"), fine);
    check(&["long.yaml", "--config", "raised.yaml"], variable("30s"), &between(30_000));
    check(
        &["short.yaml"],
        variable("soon"),
        "TURNPIKE_LIMITS_INTEGRATION_TIMEOUT: `limits.integration_timeout`",
    );
    check(&["short.yaml", "--config", "unlogged.yaml"], None, "requestId");
    check(&["--config", "named.yaml"], None, "short.yaml: fine");
    folder.write("turnpike.yaml", "limits: {integration_timeout: 10s}\n");
    check(&["short.yaml"], None, &between(10_000));
    let settings = "limits: {integration_timeout: 10s}\nlisteners: [{address: \"127.0.0.1:0\"}]\n";
    for (milliseconds, is_fine) in [(10_000, true), (10_001, false)] {
        folder.write("same.yaml", &slow(milliseconds));
        check(&["same.yaml"], None, &if is_fine { fine.to_owned() } else { between(10_000) });
        let served =
            Node::builder().document("same.yaml", &slow(milliseconds)).settings(settings).try_start();
        assert_eq!(served.is_ok(), is_fine, "{milliseconds}");
    }
}

#[test]
fn two_files_with_one_address_are_refused() {
    let folder = Scratch::new();
    for name in ["one.yaml", "two.yaml"] {
        folder.write(name, &Document::new().mock("get", "/a", 200, "a").text());
    }
    let output = turnpike(&folder, &["check", "one.yaml", "two.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(said.contains("two.yaml:1:1") && said.contains("`testapi001` with stage `test`"), "{said}");
}

#[test]
fn a_refused_setting_is_called_by_the_name_it_was_given() {
    let folder = Scratch::new();
    folder.write("a.yaml", &Document::new().mock("get", "/a", 200, "a").text());
    for (arguments, words) in [
        (vec!["serve", "a.yaml", "--timeouts-body", "5"], "--timeouts-body: `timeouts.body` must be a time"),
        (vec!["serve", "a.yaml", "--listen", "here"], "--listen: `listeners[].address` must be an IP"),
        (
            vec!["serve", "a.yaml", "--control", "0.0.0.0:0"],
            "--control: other machines reach this control listener",
        ),
        (vec!["serve", "a.yaml", "--account-id", "12"], "--account-id: `account_id` must be"),
        (vec!["serve", "a.yaml", "--runtime", "fast"], "[possible values: auto, ring, portable]"),
        (vec!["check"], "there is nothing to check"),
        (vec!["srve"], "a similar subcommand exists: 'serve'"),
        (vec!["serve", "a.yaml", "--config", "absent.yaml"], "absent.yaml: No such file"),
    ] {
        let output = turnpike(&folder, &arguments);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    }
}

#[test]
fn a_mistyped_setting_is_pointed_at_and_a_better_name_offered() {
    let folder = Scratch::new();
    folder.write("a.yaml", &Document::new().mock("get", "/a", 200, "a").text());
    folder.write("turnpike.yaml", "limits:\n  payload_byte: 10\nlistenrs: []\n");
    let output = turnpike(&folder, &["serve", "a.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    for words in [
        "unknown setting `limits.payload_byte`",
        "turnpike.yaml:2:3",
        "did you mean `payload_bytes`?",
        "turnpike.yaml:3:1",
        "did you mean `listeners`?",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn a_mistyped_variable_is_refused_and_a_bad_value_called_by_its_name() {
    let folder = Scratch::new();
    folder.write("a.yaml", &Document::new().mock("get", "/a", 200, "a").text());
    for (name, value, words) in [
        ("TURNPIKE_SHARD", "2", "did you mean `TURNPIKE_SHARDS`?"),
        ("TURNPIKE_SHARDS", "none", "TURNPIKE_SHARDS: `shards.count` must be a number or `auto`, not `none`"),
        ("TURNPIKE_CONTROL", "8081", "TURNPIKE_CONTROL: `control.address` must be"),
    ] {
        let output = Command::new(support::binary())
            .args(["serve", "a.yaml"])
            .env(name, value)
            .current_dir(folder.path())
            .output()
            .expect("the binary runs");
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    }
}
