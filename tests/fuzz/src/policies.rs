//! IAM policies: any document, any question.
//!
//! An input is three lines, a pattern, a text and an action, and then a policy as JSON. The text is also the resource and
//! what every condition key says.

use access::pattern::{arn_fits, fits};
use access::{Context, Decision, Policy, decide};
use serde_json::{Value, json};

/// Characters of patterns and texts that are compared with the plain rule, which is slow.
const CHARACTERS_MAX: usize = 48;

/// Matches, reads and decides.
pub fn policies(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut parts = text.splitn(4, '\n');
    let mut part = || parts.next().unwrap_or_default();
    let (pattern, subject, action, document) = (part(), part(), part(), part());
    wildcards(pattern, subject);
    let Ok(document) = serde_json::from_str::<Value>(document) else { return };
    let Ok(policy) = Policy::read(&document) else { return };
    let mut context = Context::default();
    for key in ["aws:username", "aws:SourceIp", "aws:CurrentTime", "aws:SecureTransport", "aws:TagKeys"] {
        context.set(key, [subject.to_owned()]);
    }
    let resource = format!("arn:aws:apigateway:us-east-1::/{subject}");
    let one = decide([&policy], action, &resource, &context);
    assert_eq!(one, decide([&policy, &policy], action, &resource, &context), "twice is as once");
    let statement = |effect: &str| json!({"Statement": {"Effect": effect, "Action": "*", "Resource": "*"}});
    let (allow, deny) = (Policy::read(&statement("Allow")), Policy::read(&statement("Deny")));
    let (allow, deny) = (allow.expect("a policy"), deny.expect("a policy"));
    assert_eq!(decide([&policy, &deny], action, &resource, &context), Decision::ExplicitDeny);
    assert_eq!(decide([&deny, &policy], action, &resource, &context), Decision::ExplicitDeny);
    let expected = if one == Decision::ExplicitDeny { one } else { Decision::Allowed };
    assert_eq!(decide([&policy, &allow], action, &resource, &context), expected);
}

fn wildcards(pattern: &str, subject: &str) {
    let special = |text: &str| text.contains(['\u{1}', '\u{2}']);
    if special(pattern) || pattern.len() > CHARACTERS_MAX || subject.len() > CHARACTERS_MAX {
        return;
    }
    assert_eq!(
        fits(pattern, subject),
        plainly(pattern.as_bytes(), subject.as_bytes()),
        "{pattern} {subject}"
    );
    let fields = (pattern.matches(':').count() < 5, subject.matches(':').count() < 5);
    if arn_fits(pattern, subject) && fields == (true, true) {
        assert!(pattern == "*" || pattern.matches(':').count() == subject.matches(':').count());
    }
}

/// The rule as it is told: row by row, which of the text's beginnings fit the pattern's.
fn plainly(pattern: &[u8], text: &[u8]) -> bool {
    let mut row = vec![false; text.len() + 1];
    row[0] = true;
    for octet in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match octet {
                b'*' => row[at] || (at > 0 && next[at - 1]),
                b'?' => at > 0 && row[at - 1],
                octet => at > 0 && row[at - 1] && text[at - 1] == *octet,
            };
        }
        row = next;
    }
    row[text.len()]
}
