//! `${stageVariables.x}` in texts of a deployment. A stage's variables are settled, so this happens at deployment.

use std::collections::BTreeMap;

const OPEN: &str = "${stageVariables.";

/// Replaces every `${stageVariables.x}`; an unset variable is empty (emulator); other `${…}` stay.
#[must_use]
pub fn substitute(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(OPEN) {
        let (before, tail) = rest.split_at(start);
        out.push_str(before);
        let Some(end) = tail.find('}') else {
            rest = tail;
            break;
        };
        if let Some(value) = variables.get(&tail[OPEN.len()..end]) {
            out.push_str(value);
        }
        rest = &tail[end + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced() {
        let variables = BTreeMap::from([("host".to_owned(), "127.0.0.1:9".to_owned())]);
        for (text, expected) in [
            ("http://${stageVariables.host}/x", "http://127.0.0.1:9/x"),
            ("http://${stageVariables.other}/x", "http:///x"),
            ("${other.host}${stageVariables.host}", "${other.host}127.0.0.1:9"),
            ("${stageVariables.host", "${stageVariables.host"),
        ] {
            assert_eq!(substitute(text, &variables), expected);
        }
    }
}
