//! Words: no unfinished work without an issue, no skipped tests, no places of one person's machine, no crate
//! that was banned, and prose that states instead of praising.

use crate::Finding;
use crate::headers::has_word;
use crate::source::SourceFile;

/// A banned spelling and the way out. `code` bans are for Rust sources, others for every text file.
struct Ban {
    text: &'static str,
    rust_only: bool,
    instead: &'static str,
}

/// Spelled in two parts where the whole would make this file break its own rule.
const BANS: &[Ban] = &[
    Ban { text: concat!("#[", "ignore"), rust_only: true, instead: "make the test pass or delete it" },
    Ban {
        text: concat!("todo", "!("),
        rust_only: true,
        instead: "finish it, or refuse the input with a reason",
    },
    Ban { text: concat!("unimplemented", "!("), rust_only: true, instead: "refuse the input with a reason" },
    Ban { text: concat!("dbg", "!("), rust_only: true, instead: "delete it" },
    Ban { text: concat!("/ho", "me/"), rust_only: false, instead: "a path of one machine has no place here" },
    Ban { text: concat!("/wo", "rk/"), rust_only: false, instead: "a path of one machine has no place here" },
    Ban {
        text: concat!("/Use", "rs/"),
        rust_only: false,
        instead: "a path of one machine has no place here",
    },
];

/// Words on their own, any case.
const WORDS: &[(&str, &str)] = &[
    (concat!("FIX", "ME"), "write TODO(#issue) or fix it"),
    (concat!("HA", "CK"), "say what is odd and why it is so"),
    (concat!("blaz", "ing"), "give the figure"),
    (concat!("seam", "less"), "say what works"),
    (concat!("seam", "lessly"), "say what works"),
    (concat!("effort", "lessly"), "say what works"),
    (concat!("utili", "ze"), "use"),
    (concat!("lever", "age"), "use"),
    (concat!("cutting", "-edge"), "say what it does"),
    (concat!("white", "list"), "allow list"),
    (concat!("black", "list"), "deny list"),
];

/// Files that aren't ours to word.
const OTHERS: &[&str] = &["LICENSE", "Cargo.lock"];

/// Lines that hold a banned spelling, or a reminder that no issue stands behind.
#[must_use]
pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| !OTHERS.iter().any(|other| file.path.ends_with(other))) {
        for (at, line) in file.text.lines().enumerate() {
            if let Some(message) = broken(line, file.is_rust()) {
                findings.push(Finding::new(&file.path, at + 1, message));
            }
        }
    }
    findings
}

fn broken(line: &str, rust: bool) -> Option<String> {
    if let Some(ban) = BANS.iter().find(|ban| (rust || !ban.rust_only) && line.contains(ban.text)) {
        return Some(format!("`{}`: {}", ban.text, ban.instead));
    }
    let lower = line.to_ascii_lowercase();
    if let Some((word, instead)) = WORDS.iter().find(|(word, _)| has_word(&lower, &word.to_ascii_lowercase()))
    {
        return Some(format!("\"{word}\": {instead}"));
    }
    let marker = concat!("TO", "DO");
    let carries_issue = line.contains(concat!("TO", "DO(#"));
    (has_word(line, marker) && !carries_issue && rust)
        .then(|| format!("{marker} without an issue: write {marker}(#n)"))
}

#[cfg(test)]
mod tests {
    use super::broken;

    #[test]
    fn unfinished_work_needs_an_issue() {
        assert!(broken(concat!("// TO", "DO later"), true).is_some());
        assert!(broken(concat!("// TO", "DO(#12) later"), true).is_none());
        assert!(broken(concat!("#[", "ignore]"), true).is_some());
        assert!(broken("let shortcut = \"methodology\";", true).is_none());
    }
}
