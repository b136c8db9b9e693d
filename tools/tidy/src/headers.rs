//! What every source opens with: a module doc, and in crate roots the promise to hold no unsafe code.

use crate::Finding;
use crate::source::{SourceFile, blank, is_word};
use std::path::Path;

/// The one crate that talks to the kernel by hand.
const UNSAFE_CRATE: &str = "engine/shard";
/// The folders of that crate where it may.
const UNSAFE_FOLDERS: &[&str] = &["engine/shard/src/rt", "engine/shard/src/sys"];
/// The attribute of every other crate root.
const FORBID: &str = "#![forbid(unsafe_code)]";

/// Sources without a module doc, roots without the promise, and unsafe code out of its place.
#[must_use]
pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        if !file.text.trim_start_matches("#!/usr/bin/env").starts_with("//!") {
            findings.push(Finding::new(
                &file.path,
                1,
                "no module doc: open with `//!` and say what the file decides",
            ));
        }
        if is_crate_root(&file.path) && !file.path.starts_with(UNSAFE_CRATE) && !file.text.contains(FORBID) {
            findings.push(Finding::new(&file.path, 1, format!("crate root without `{FORBID}`")));
        }
        if !UNSAFE_FOLDERS.iter().any(|folder| file.path.starts_with(folder)) {
            findings.extend(unsafe_lines(file));
        }
    }
    findings
}

fn is_crate_root(path: &Path) -> bool {
    path.ends_with("src/lib.rs") || path.ends_with("src/main.rs")
}

fn unsafe_lines(file: &SourceFile) -> Vec<Finding> {
    let blanked = blank(&file.text);
    let message = "unsafe code lives in engine/shard/src/rt and engine/shard/src/sys only";
    let lines = blanked.lines().enumerate();
    lines
        .filter(|(_, line)| has_word(line, "unsafe"))
        .map(|(at, _)| Finding::new(&file.path, at + 1, message))
        .collect()
}

/// Whether the line holds the word on its own, not as a part of a longer one.
#[must_use]
pub fn has_word(line: &str, word: &str) -> bool {
    let bytes = line.as_bytes();
    line.match_indices(word).any(|(at, _)| {
        let before = at == 0 || !is_word(bytes[at - 1]);
        before && bytes.get(at + word.len()).is_none_or(|&byte| !is_word(byte))
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::source::SourceFile;
    use std::path::PathBuf;

    fn findings(path: &str, text: &str) -> usize {
        check(&[SourceFile { path: PathBuf::from(path), text: text.to_owned() }]).len()
    }

    #[test]
    fn roots_promise_and_only_two_folders_may_be_unsafe() {
        assert_eq!(findings("engine/codec/src/lib.rs", "//! Doc.\n#![forbid(unsafe_code)]\n"), 0);
        assert_eq!(findings("engine/codec/src/lib.rs", "//! Doc.\n"), 1);
        assert_eq!(findings("engine/codec/src/head.rs", "fn f() { unsafe { g() } }"), 2);
        assert_eq!(findings("engine/shard/src/rt/ring.rs", "//! Doc.\nfn f() { unsafe { g() } }"), 0);
        assert_eq!(findings("engine/shard/src/date.rs", "//! Doc.\n// unsafe in a comment\n"), 0);
    }
}
