//! Notes that were told already: a node that reads its documents again says only what is new.

use crate::report::{Finding, Weight};
use std::collections::HashMap;

/// Notes of readings that aren't served are kept up to this number; beyond it they are told again.
const KEPT_MAX: usize = 10_000;

/// What was told, as file and message, and at how many places.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    told: HashMap<(String, String), usize>,
}

impl Notes {
    /// Takes out the notes of one reading that were told before; errors and warnings stay. What a reading that is
    /// served doesn't say any more is forgotten, so that it is told when it comes back.
    pub(crate) fn news(&mut self, findings: Vec<Finding>, is_served: bool) -> Vec<Finding> {
        let mut said: HashMap<(String, String), usize> = HashMap::new();
        let mut is_new = |finding: &Finding| {
            let key = key(finding);
            let told = self.told.get(&key).copied().unwrap_or(0);
            // Each place counts once: a second one with the same words is news.
            let places = said.entry(key).or_default();
            *places += 1;
            *places > told
        };
        let news = findings
            .into_iter()
            .filter(|finding| finding.weight != Weight::Note || is_new(finding))
            .collect();
        if is_served {
            self.told = said;
        } else if self.told.len() + said.len() <= KEPT_MAX {
            for (key, places) in said {
                let told = self.told.entry(key).or_default();
                *told = places.max(*told);
            }
        }
        news
    }
}

fn key(finding: &Finding) -> (String, String) {
    let path = finding.place.as_ref().map(|place| place.path.clone());
    (path.unwrap_or_default(), finding.message.clone())
}

#[cfg(test)]
mod tests {
    use super::Notes;
    use crate::report::{Finding, Weight};
    use std::path::Path;

    fn finding(weight: Weight, path: &str, message: &str) -> Finding {
        let finding = Finding { weight, ..Finding::error(message.to_owned()) };
        finding.at(Path::new(path), "text", 0..1)
    }

    fn note(path: &str, message: &str) -> Finding {
        finding(Weight::Note, path, message)
    }

    #[test]
    fn a_note_is_told_once_until_it_changes() {
        let mut notes = Notes::default();
        let mut told = |findings: &[Finding], is_served| {
            let news = notes.news(findings.to_vec(), is_served);
            news.into_iter().map(|finding| finding.message).collect::<Vec<_>>()
        };
        let (many, more) = (note("a", "601 resources"), note("a", "602 resources"));
        assert_eq!(told(std::slice::from_ref(&many), true), ["601 resources"]);
        assert!(told(std::slice::from_ref(&many), true).is_empty());
        // Another file's is another note, and so is a second one of the same words.
        assert_eq!(told(&[many.clone(), note("b", "601 resources")], true), ["601 resources"]);
        assert_eq!(told(&[many.clone(), many.clone()], true), ["601 resources"]);
        assert_eq!(told(std::slice::from_ref(&more), true), ["602 resources"]);
        // What went and comes back is news, unless it only went because the document couldn't be read.
        assert_eq!(told(std::slice::from_ref(&many), true), ["601 resources"]);
        let broken = finding(Weight::Error, "a", "broken");
        assert_eq!(told(&[broken.clone(), note("b", "new")], false), ["broken", "new"]);
        assert_eq!(told(std::slice::from_ref(&broken), false), ["broken"]);
        assert!(told(&[many, note("b", "new")], true).is_empty());
        let warning = finding(Weight::Warning, "a", "undeclared");
        assert_eq!(told(std::slice::from_ref(&warning), true), ["undeclared"]);
        assert_eq!(told(&[warning], true), ["undeclared"]);
    }
}
