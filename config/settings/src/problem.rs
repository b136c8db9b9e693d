//! What is wrong with a setting, and where it was said.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The settings file.
    File {
        /// Path as it was given.
        path: PathBuf,
        /// Line, from one.
        line: usize,
        /// Column in characters, from one.
        column: usize,
        /// The value or key, in bytes of the file.
        span: Range<usize>,
    },
    /// An environment variable.
    Environment(String),
    /// A flag of the command line, without its dashes.
    Flag(&'static str),
    /// The table's default.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File { path, line, column, .. } => write!(f, "{}:{line}:{column}", path.display()),
            Origin::Environment(name) => f.write_str(name),
            // A setting without a flag name of its own is known by its key.
            Origin::Flag(name) => write!(f, "--{}", name.replace(['.', '_'], "-")),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// One refused setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it was said.
    pub origin: Origin,
    /// What is wrong.
    pub message: String,
    /// The way out, where one is known.
    pub help: Option<String>,
}

impl Problem {
    pub(crate) fn new(origin: Origin, message: impl Into<String>) -> Self {
        Problem { origin, message: message.into(), help: None }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

/// The known name nearest to a mistyped one, if it is near enough to be meant.
pub(crate) fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, name) = known.map(|name| (distance(typed, name), name)).min()?;
    (distance <= 1 + name.len() / 4).then_some(name)
}

/// The known name that differs by a slip of one or two letters.
pub(crate) fn slip<'a>(typed: &str, mut known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const SLIP_MAX: usize = 2;
    known.find(|name| distance(typed, name) <= SLIP_MAX)
}

/// Edits between two short names (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_typing_slip_finds_its_name_and_a_stranger_finds_none() {
        let known = ["listeners", "limits", "timeouts"];
        assert_eq!(nearest("listener", known.into_iter()), Some("listeners"));
        assert_eq!(nearest("timeout", known.into_iter()), Some("timeouts"));
        assert_eq!(nearest("colour", known.into_iter()), None);
    }
}
