//! Names: a file is called after its noun or verb, never after a drawer.

use crate::Finding;
use crate::source::SourceFile;

/// Names that say nothing about their content.
const DRAWERS: &[&str] =
    &["utils", "util", "common", "helpers", "helper", "misc", "manager", "shared", "stuff"];
/// `mapping/vtl/util` speaks of AWS's `$util`; that word is AWS's, so it stays theirs.
const AWS_WORDS: &[&str] = &["engine/mapping/src/vtl/util.rs", "engine/mapping/src/vtl/util"];

/// Rust and Python sources whose file or folder is a drawer.
#[must_use]
pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let extension = file.path.extension().and_then(|extension| extension.to_str());
        if !matches!(extension, Some("rs" | "py")) || AWS_WORDS.iter().any(|path| file.path.starts_with(path))
        {
            continue;
        }
        let bare = file.path.with_extension("");
        let drawer = bare.iter().filter_map(|part| part.to_str()).find(|part| DRAWERS.contains(part));
        if let Some(drawer) = drawer {
            let message = format!("`{drawer}` answers no \"where is…\": name the noun or the verb");
            findings.push(Finding::new(&file.path, 0, message));
        }
    }
    findings
}
