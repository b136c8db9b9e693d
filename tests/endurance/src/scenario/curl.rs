//! A client of others: chunked uploads, 100-continue, HEAD and ranges, as curl does them.

use super::{behind, node};
use crate::Setting;
use crate::backend::Backend;
use crate::stream::Pattern;
use std::process::Command;
use support::{Node, Scratch};

/// Enough for several of every buffer on the way.
const SIZE: u64 = 8 * 1024 * 1024;

pub(crate) fn run(setting: Setting<'_>) -> String {
    let backend = Backend::start();
    let node = node(setting.runtime, &behind(&backend)).start();
    let folder = Scratch::new();
    let mut body = Vec::new();
    Pattern::new().write(&mut body, SIZE).expect("memory takes all");
    let file = folder.path().join("body");
    std::fs::write(&file, &body).expect("a file can be written");
    let file = file.display().to_string();
    let (counted, _) = curl(&node, "/count/1", &["-T", &file, "-H", "Transfer-Encoding: chunked"]);
    assert_eq!(counted, SIZE.to_string().into_bytes(), "a chunked upload");
    let data = format!("@{file}");
    let expect = ["--data-binary", &data, "-H", "Expect: 100-continue", "--expect100-timeout", "20"];
    let (counted, log) = curl(&node, "/count/1", &expect);
    assert_eq!(counted, SIZE.to_string().into_bytes(), "an upload after 100 Continue");
    assert!(log.contains("< HTTP/1.1 100 Continue"), "{log}");
    let (echoed, _) = curl(&node, "/echo/1", &["-T", &file]);
    assert!(echoed == body, "an upload comes back");
    let (head, _) = curl(&node, "/big/123456", &["-I"]);
    let head = String::from_utf8_lossy(&head).to_lowercase();
    assert!(head.starts_with("http/1.1 200") && head.contains("content-length: 123456\r\n"), "{head}");
    let range = |range: &str| curl(&node, "/big/100000", &["-r", range]);
    for (text, first, last) in [("0-0", 0, 0), ("70000-99999", 70_000, 99_999)] {
        let (part, log) = range(text);
        assert!(part == body[first..=last], "range {text}");
        let log = log.to_lowercase();
        assert!(
            log.contains("< http/1.1 206") && log.contains(&format!("content-range: bytes {text}/100000")),
            "{log}"
        );
    }
    "chunked upload, 100-continue, echo, HEAD and 2 ranges agree".to_owned()
}

/// Body and log of one call.
fn curl(node: &Node, path: &str, arguments: &[&str]) -> (Vec<u8>, String) {
    let url = format!("http://{}{path}", node.address());
    let output = Command::new("curl").args(["-sSv", "-m", "20"]).args(arguments).arg(&url).output();
    let output = output.expect("curl runs");
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "curl {arguments:?} {path}: {log}");
    (output.stdout, log)
}
