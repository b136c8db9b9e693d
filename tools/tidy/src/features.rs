//! `//! Feature:` lines and docs/features.md: what a source says it implements has its row for readers.

use crate::Finding;
use crate::source::SourceFile;
use std::collections::BTreeSet;
use std::path::Path;

const PAGE: &str = "docs/features.md";
const MARK: &str = "//! Feature: ";

/// Feature lines that name no row of the page.
#[must_use]
pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let page = files.iter().find(|file| file.path == Path::new(PAGE)).map_or("", |file| &file.text);
    let rows: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next()).collect();
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        for (at, line) in file.text.lines().enumerate().take_while(|(_, line)| line.starts_with("//!")) {
            let named =
                line.strip_prefix(MARK).into_iter().flat_map(|names| names.trim_end_matches('.').split(", "));
            for name in named.filter(|name| !rows.contains(name)) {
                findings.push(Finding::new(&file.path, at + 1, format!("{PAGE} has no row \"{name}\"")));
            }
        }
    }
    findings
}
