//! Whether a mapping template is literal text, which renders as itself.

/// Directives of Velocity 1.7; `#` before any other word is text.
const DIRECTIVES: [&str; 12] = [
    "set", "if", "elseif", "else", "end", "foreach", "include", "parse", "stop", "break", "evaluate",
    "define",
];

/// Where the first reference, directive or comment begins; `None` in literal text.
#[must_use]
pub fn first_directive(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len()).find(|&at| match bytes[at] {
        b'$' => is_reference(&bytes[at + 1..]),
        b'#' => is_directive(&text[at + 1..]),
        _ => false,
    })
}

/// `$x`, `$!x`, `${x}`, `$!{x}`.
fn is_reference(after: &[u8]) -> bool {
    let after = after.strip_prefix(b"!").unwrap_or(after);
    let after = after.strip_prefix(b"{").unwrap_or(after);
    after.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
}

/// A directive, a comment, or an unparsed block.
fn is_directive(after: &str) -> bool {
    if after.starts_with(['#', '*', '@']) || after.starts_with("[[") {
        return true;
    }
    let word = after.strip_prefix('{').unwrap_or(after);
    let end =
        word.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(word.len());
    DIRECTIVES.contains(&&word[..end]) || &word[..end] == "macro"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_text_is_told_from_velocity() {
        for text in [
            "",
            "{\"statusCode\": 200}",
            "a\\nb \\\"c\\\"",
            "costs $5 or 5$",
            "#fff, # and #1",
            "a $ b",
            "$\u{e9}",
        ] {
            assert_eq!(first_directive(text), None, "{text}");
        }
        for (text, at) in [
            ("{\"id\": \"$input.params('id')\"}", 8),
            ("${a}", 0),
            ("$!{a}", 0),
            ("x #set($a = 1)", 2),
            ("## comment", 0),
            ("#* c *#", 0),
            ("#{else}", 0),
            ("#[[raw]]#", 0),
        ] {
            assert_eq!(first_directive(text), Some(at), "{text}");
        }
    }
}
