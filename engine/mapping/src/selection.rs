//! Which integration response applies to a backend's status.
//!
//! AWS: "Set up an integration response"; a pattern must match the whole status text, several matches resolve in
//! ascending order of the responses' status codes (both undocumented). All patterns are run at deployment, once per
//! possible status: requests only look up the outcome.

use std::ops::RangeInclusive;

use regex::Regex;

/// Statuses that a backend's answer can have. A mock's other integers can only get the default.
const STATUSES: RangeInclusive<i64> = 100..=599;

/// A pattern that doesn't compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// Which response has it.
    pub response: usize,
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

impl std::fmt::Display for PatternError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "selection pattern `{}`: {}", self.pattern, self.reason)
    }
}

impl std::error::Error for PatternError {}

/// The compiled patterns of an integration's responses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Runs of statuses with the same outcome, ascending; those without an outcome are left out.
    runs: Vec<Run>,
    default: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    first: i64,
    last: i64,
    response: usize,
}

impl Selection {
    /// Compiles the patterns of responses that are given in ascending order of their status codes. A response without
    /// a pattern, or with an empty one, is the default.
    ///
    /// # Errors
    /// A pattern isn't a regular expression of the supported dialect.
    pub fn compile<'a>(patterns: impl IntoIterator<Item = Option<&'a str>>) -> Result<Self, PatternError> {
        let mut selection = Selection::default();
        let mut compiled = Vec::new();
        for (response, pattern) in patterns.into_iter().enumerate() {
            match pattern.filter(|pattern| !pattern.is_empty()) {
                Some(pattern) => compiled.push((response, full_match(response, pattern)?)),
                None => selection.default = selection.default.or(Some(response)),
            }
        }
        for status in STATUSES {
            let text = status.to_string();
            let matched = compiled.iter().find(|(_, pattern)| pattern.is_match(&text));
            let Some(&(response, _)) = matched else { continue };
            match selection.runs.last_mut() {
                Some(run) if run.response == response && run.last + 1 == status => run.last = status,
                _ => selection.runs.push(Run { first: status, last: status, response }),
            }
        }
        Ok(selection)
    }

    /// The response for a status; `None` if nothing matches and there is no default.
    #[must_use]
    pub fn select(&self, status: i64) -> Option<usize> {
        let run = self.runs.iter().find(|run| (run.first..=run.last).contains(&status));
        run.map(|run| run.response).or(self.default)
    }
}

fn full_match(response: usize, pattern: &str) -> Result<Regex, PatternError> {
    // By itself first: wrapped, `a)(b` would be well-formed.
    let whole = Regex::new(pattern).and_then(|_| Regex::new(&format!("^(?:{pattern})$")));
    whole.map_err(|error| PatternError {
        response,
        pattern: pattern.to_owned(),
        reason: match error {
            regex::Error::CompiledTooBig(_) => "is too large".to_owned(),
            // The last line names the defect; those before it repeat the pattern.
            other => other.to_string().lines().last().unwrap_or_default().trim().to_owned(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_the_whole_status() {
        let selection =
            Selection::compile([None, Some(r"2\d{2}"), Some("4"), Some("404|409"), Some(r"4\d{2}")])
                .expect("compiles");
        for (status, response) in [
            (200, 1),
            (299, 1),
            (404, 3),
            (409, 3),
            (400, 4),
            (499, 4),
            (500, 0),
            (101, 0),
            (0, 0),
            (-1000, 0),
        ] {
            assert_eq!(selection.select(status), Some(response), "{status}");
        }
    }

    #[test]
    fn without_a_default_nothing_may_match() {
        let selection = Selection::compile([Some("200")]).expect("compiles");
        assert_eq!(selection.select(200), Some(0));
        assert_eq!(selection.select(201), None);
        assert_eq!(Selection::compile([]).expect("compiles").select(200), None);
        assert_eq!(Selection::compile([Some("")]).expect("compiles").select(200), Some(0));
    }

    #[test]
    fn a_bad_pattern_says_what_is_wrong() {
        let error = Selection::compile([None, Some("(")]).expect_err("refused");
        assert_eq!(error.response, 1);
        assert!(error.to_string().contains("unclosed group"), "{error}");
        assert!(Selection::compile([Some("a)(b")]).is_err());
    }
}
