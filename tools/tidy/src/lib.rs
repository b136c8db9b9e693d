//! The house rules as a program: run `cargo test -p turnpike-tidy`.
//!
//! In: the checkout and `cargo metadata`. Out: findings, each with a place and what to do about it.
//! Never: a rule that lives only in a reviewer's memory, or an exemption without a line in `ratchet.txt`.

#![forbid(unsafe_code)]

pub mod arrows;
pub mod features;
pub mod guests;
pub mod headers;
pub mod names;
pub mod ratchet;
pub mod sizes;
pub mod source;
pub mod words;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// File relative to the checkout; a manifest for arrows.
    pub path: PathBuf,
    /// Line, counted from one; zero where the whole file is meant.
    pub line: usize,
    /// The rule and the way out.
    pub message: String,
}

impl Finding {
    /// A finding at a line of a file.
    #[must_use]
    pub fn new(path: &Path, line: usize, message: impl Into<String>) -> Self {
        Finding { path: path.to_path_buf(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.message)
    }
}

/// Every finding in the checkout at `root`, sorted by place.
///
/// # Errors
/// A source can't be read, or `cargo metadata` fails.
pub fn check(root: &Path) -> io::Result<Vec<Finding>> {
    let files = source::files(root)?;
    let ratchet = ratchet::Ratchet::load(root)?;
    let mut findings = arrows::check(root)?;
    findings.extend(sizes::check(&files, &ratchet));
    findings.extend(headers::check(&files));
    findings.extend(features::check(&files));
    findings.extend(guests::check(&files));
    findings.extend(names::check(&files));
    findings.extend(words::check(&files));
    findings.sort();
    Ok(findings)
}
