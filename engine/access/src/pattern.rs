//! Wildcards of policies: `*` is any run of characters, `?` is one.

/// Stands in a pattern for a `*` that is one.
pub(crate) const STAR: char = '\u{1}';
/// Stands in a pattern for a `?` that is one.
pub(crate) const QUESTION: char = '\u{2}';

fn is(pattern: u8, octet: u8) -> bool {
    match pattern {
        b'?' => true,
        0x01 => octet == b'*',
        0x02 => octet == b'?',
        pattern => pattern == octet,
    }
}

/// Whether a text fits a pattern, in time that grows with their product at most.
#[must_use]
pub fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where to go on if what follows the last star doesn't fit.
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p + 1, t));
                p += 1;
            }
            Some(&octet) if is(octet, text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match back {
                Some((star, at)) => {
                    back = Some((star, at + 1));
                    p = star;
                    t = at + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|octet| *octet == b'*')
}

/// The same without regard to case.
#[must_use]
pub fn fits_any_case(pattern: &str, text: &str) -> bool {
    fits(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
}

/// ARNs are compared field by field, so that a star doesn't reach over a colon; the sixth field is the rest.
#[must_use]
pub fn arn_fits(pattern: &str, arn: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let (mut patterns, mut fields) = (pattern.splitn(6, ':'), arn.splitn(6, ':'));
    loop {
        match (patterns.next(), fields.next()) {
            (Some(pattern), Some(field)) if fits(pattern, field) => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_questions() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b", "xaxb", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
        assert!(fits_any_case("APIGATEWAY:get", "apigateway:GET"));
        assert!(!fits(&format!("{}b", "*a".repeat(30)), &"a".repeat(5_000)));
    }

    #[test]
    fn stars_stay_within_their_field() {
        assert!(arn_fits("arn:aws:apigateway:*::/restapis/*", "arn:aws:apigateway:us-east-1::/restapis/a/b"));
        assert!(!arn_fits("arn:aws:*", "arn:aws:apigateway:us-east-1::/restapis"));
        assert!(arn_fits("*", "anything"));
    }
}
