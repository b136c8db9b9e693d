//! Certificates that can't be served: `serve` and `turnpike check` refuse them, and point at the setting and the file.

use super::mock;
use std::process::Command;
use support::{Identity, Node, Scratch};

/// An encrypted key is told by its first line.
fn encrypted(key: &str) -> String {
    key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY")
}

/// What both commands say to these settings and files. Both refuse.
fn refused(settings: &str, files: &[(&str, &str)]) -> [String; 2] {
    let folder = Scratch::new();
    folder.write("api.yaml", &mock().text());
    folder.write("turnpike.yaml", settings);
    for (name, text) in files {
        folder.write(name, text);
    }
    let output =
        Command::new(support::binary()).args(["check", "api.yaml"]).current_dir(folder.path()).output();
    let output = output.expect("the binary runs");
    assert_eq!(output.status.code(), Some(1), "{settings}");
    let checked = [output.stdout, output.stderr].concat();
    let builder = Node::builder().document("api.yaml", &mock().text()).settings(settings);
    let builder = files.iter().fold(builder, |builder, (name, text)| builder.file(name, text));
    [String::from_utf8_lossy(&checked).into_owned(), builder.try_start().expect_err("refused")]
}

/// Settings, files beside them, and what is said.
type Case<'a> = (&'a str, Vec<(&'a str, String)>, &'a [&'a str]);

#[test]
fn what_cannot_be_presented_is_pointed_at_by_serve_and_check() {
    let (own, other) = (Identity::ecdsa(&["own.example"]), Identity::rsa(&["own.example"]));
    let listener = |tls: &str| format!("listeners:\n  - address: 127.0.0.1:0\n    tls: {{{tls}}}\n");
    let both = listener("certificate: own.pem, key: own.key");
    let further = both.clone() + "certificates:\n  - certificate: other.pem\n    key: other.key\n";
    let fine = [("own.pem", own.certificate.as_str()), ("own.key", own.key.as_str())];
    let with = |name: &'static str, text: &str| {
        let mut files: Vec<(&str, String)> =
            fine.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        files.retain(|(known, _)| *known != name);
        files.push((name, text.to_owned()));
        files
    };
    let cases: [Case<'_>; 13] = [
        (&both, vec![], &["turnpike.yaml:3:24", "own.pem: No such file"]),
        (&both, with("own.key", "")[..1].to_vec(), &["turnpike.yaml:3:38", "own.key: No such file"]),
        (&both, with("own.pem", "text\n"), &["turnpike.yaml:3:24", "own.pem holds no certificate"]),
        (&both, with("own.pem", &own.key), &["turnpike.yaml:3:24", "own.pem holds no certificate"]),
        (&both, with("own.key", "text\n"), &["turnpike.yaml:3:38", "own.key holds no private key"]),
        (
            &both,
            with("own.key", &other.key),
            &["turnpike.yaml:3:38", "own.key is not the key of the certificate"],
        ),
        (&both, with("own.key", &encrypted(&own.key)), &["turnpike.yaml:3:38", "own.key is encrypted"]),
        (&further, with("other.pem", &other.certificate), &["turnpike.yaml:6:10", "other.key: No such file"]),
        (
            &listener("certificate: own.pem, key: own.key, ocsp: own.ocsp"),
            with("x", ""),
            &["turnpike.yaml:3:", "own.ocsp: No such file"],
        ),
        (
            &listener("certificate: own.pem"),
            with("x", ""),
            &["turnpike.yaml:3:24", "needs its `key` beside it"],
        ),
        (
            &listener("key: own.key"),
            with("x", ""),
            &["turnpike.yaml:3:16", "needs its `certificate` beside it"],
        ),
        (
            &listener("security_policy: TLS_1_2"),
            vec![],
            &["turnpike.yaml:3:28", "needs a `certificate` and its `key`"],
        ),
        (
            &listener("certificate: own.pem, key: own.key, security_policy: TLS_1_3"),
            with("x", ""),
            &["turnpike.yaml:3:64", "TLS_1_2", "TLS_1_3"],
        ),
    ];
    for (settings, files, words) in cases {
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        for said in refused(settings, &files) {
            let flat: String =
                said.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
            for word in words {
                assert!(flat.contains(word), "{word}: {said}");
            }
            for line in own.key.lines().chain(other.key.lines()).filter(|line| !line.starts_with('-')) {
                assert!(!said.contains(&line[..line.len().min(12)]), "bytes of a key: {said}");
            }
        }
    }
}

/// What `check` says, and whether it was content.
fn checked(folder: &Scratch) -> (bool, String, String) {
    let output =
        Command::new(support::binary()).args(["check", "api.yaml"]).current_dir(folder.path()).output();
    let output = output.expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_good_certificate_passes_the_check_and_a_note_on_its_policy_is_told() {
    let own = Identity::ecdsa(&["own.example"]);
    let folder = Scratch::new();
    folder.write("api.yaml", &mock().text());
    folder.write("own.pem", &own.certificate);
    folder.write("own.key", &own.key);
    let settings = "listeners: [{address: 127.0.0.1:0, tls: {certificate: own.pem, key: own.key}}]\n";
    folder.write("turnpike.yaml", settings);
    let fine = "api.yaml: fine, 1 route\n".to_owned();
    assert_eq!(checked(&folder), (true, fine.clone(), String::new()));
    folder.write("turnpike.yaml", &settings.replace("}}]", ", security_policy: TLS_1_0}}]"));
    let (passed, stdout, stderr) = checked(&folder);
    assert!(passed && stdout == fine && stderr.contains("TLS 1.0 and 1.1"), "{stdout}{stderr}");
    // A refused certificate hides neither what is fine nor what else is refused.
    folder.write("own.key", "text");
    let (passed, stdout, stderr) = checked(&folder);
    assert!(!passed && stdout == fine && stderr.contains("own.key holds"), "{stdout}{stderr}");
    folder.write("api.yaml", "openapi: 3.1.0\npaths: {}\n");
    let (passed, _, stderr) = checked(&folder);
    assert!(!passed && stderr.contains("own.key holds") && stderr.contains("api.yaml:1:10"), "{stderr}");
}
