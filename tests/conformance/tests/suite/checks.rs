//! Runs `turnpike check` on each document and compares its findings, all of them.

use crate::files::{self, File};
use crate::text::compare;
use std::process::Command;
use support::Scratch;

/// Runs every check of a feature; panics with all differences.
pub(crate) fn run(feature: &str) {
    let failures: Vec<String> = files::of(feature).iter().flat_map(failures).collect();
    assert!(
        failures.is_empty(),
        "{} checks differ (-: expected, +: seen)\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn failures(file: &File) -> Vec<String> {
    let mut failures = Vec::new();
    for check in &file.cases.check {
        let folder = Scratch::new();
        let name = check.file.as_deref().unwrap_or("api.yaml");
        folder.write(name, &check.document);
        let output = Command::new(support::binary())
            .args(["check", name])
            .current_dir(folder.path())
            .output()
            .expect("the binary runs");
        let mut differences = Vec::new();
        let seen = findings(&String::from_utf8_lossy(&output.stderr));
        compare("says", &check.says, &seen, &mut differences);
        if output.status.success() != check.passes {
            differences.push(format!("  exit: {:?}", output.status.code()));
        }
        if !differences.is_empty() {
            failures.push(format!("{}: {}\n{}", file.path, check.name, differences.join("\n")));
        }
    }
    failures
}

/// `weight place message` of each report. Long messages are wrapped; the place follows the message.
fn findings(report: &str) -> Vec<String> {
    const WEIGHTS: [(&str, &str); 3] = [("  × ", "error"), ("  ⚠ ", "warning"), ("  ☞ ", "note")];
    let mut findings: Vec<String> = Vec::new();
    let (mut weight, mut message) = ("", String::new());
    for line in report.lines() {
        if let Some((mark, word)) = WEIGHTS.iter().find(|(mark, _)| line.starts_with(mark)) {
            if !message.is_empty() {
                findings.push(format!("{weight} {message}"));
            }
            (weight, message) = (word, line[mark.len()..].trim_end().to_owned());
        } else if let Some((_, place)) = line.split_once("╭─[") {
            let place = place.split(']').next().unwrap_or_default();
            findings.push(format!("{weight} {place} {message}"));
            message.clear();
        } else if let Some(more) = line.strip_prefix("  │ ") {
            message.push(' ');
            message.push_str(more.trim_end());
        }
    }
    if !message.is_empty() {
        findings.push(format!("{weight} {message}"));
    }
    findings
}
