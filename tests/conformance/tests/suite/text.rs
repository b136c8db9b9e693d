//! Expected text against seen text. Names in `<>` stand for what differs from run to run.

/// Names and what they stand for, in any case's text.
pub(crate) struct Names(pub(crate) Vec<(&'static str, String)>);

impl Names {
    /// Puts in the values that are known before a case runs, and `<x*N>` as that many letters.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut text = self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
        while let Some((before, rest)) = text.split_once("<x*") {
            let (count, after) = rest.split_once('>').expect("`<x*N>` is closed");
            let letters = "x".repeat(count.parse().expect("`<x*N>` has a number"));
            text = format!("{before}{letters}{after}");
        }
        text
    }
}

/// Values that are known by their form only: `h` is a hexadecimal digit in lower case, `d` a digit, `a` a letter and
/// `b` a letter of base64; other bytes stand for themselves.
const FORMS: [(&str, &str); 6] = [
    ("<uuid>", "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh"),
    ("<apigw-id>", "bbbbbbbbbbbbbbb="),
    ("<date>", "aaa, dd aaa dddd dd:dd:dd GMT"),
    ("<time>", "dd/aaa/dddd:dd:dd:dd +0000"),
    ("<hex16>", "hhhhhhhhhhhhhhhh"),
    ("<root>", "1-hhhhhhhh-hhhhhhhhhhhhhhhhhhhhhhhh"),
];

fn has_form(text: &str, form: &str) -> bool {
    text.len() >= form.len()
        && form.bytes().zip(text.bytes()).all(|(kind, byte)| match kind {
            b'h' => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            b'd' => byte.is_ascii_digit(),
            b'a' => byte.is_ascii_alphabetic(),
            b'b' => byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte),
            other => byte == other,
        })
}

/// Whether `text` is what `pattern` describes. `<number>` stands for digits.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    'next: while !pattern.is_empty() {
        for (name, form) in FORMS {
            if let Some(rest) = pattern.strip_prefix(name) {
                if !has_form(text, form) {
                    return false;
                }
                (pattern, text) = (rest, &text[form.len()..]);
                continue 'next;
            }
        }
        if let Some(rest) = pattern.strip_prefix("<number>") {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return false;
            }
            (pattern, text) = (rest, &text[digits..]);
            continue;
        }
        let (mut expected, mut seen) = (pattern.chars(), text.chars());
        if expected.next() != seen.next() {
            return false;
        }
        (pattern, text) = (expected.as_str(), seen.as_str());
    }
    text.is_empty()
}

/// Compares lists of lines; the difference is one line per mismatch.
pub(crate) fn compare(what: &str, expected: &[String], seen: &[String], out: &mut Vec<String>) {
    let mut left: Vec<&String> = seen.iter().collect();
    for line in expected {
        match left.iter().position(|seen| fits(line, seen)) {
            Some(at) => drop(left.remove(at)),
            None => out.push(format!("  {what}: - {line}")),
        }
    }
    out.extend(left.iter().map(|line| format!("  {what}: + {line}")));
}

/// Compares one text.
pub(crate) fn compare_one(what: &str, expected: &str, seen: &str, out: &mut Vec<String>) {
    if !fits(expected, seen) {
        out.push(format!("  {what}: - {}", expected.escape_debug()));
        out.push(format!("  {what}: + {}", seen.escape_debug()));
    }
}

#[test]
fn forms_fit_what_they_name_and_nothing_else() {
    assert!(fits("a <number> b", "a 17 b"));
    assert!(!fits("a <number> b", "a x b"));
    assert!(fits("<uuid>!", "01234567-89ab-cdef-0123-456789abcdef!"));
    assert!(!fits("<uuid>", "01234567-89AB-cdef-0123-456789abcdef"));
    assert!(fits("<date>", "Thu, 01 Jan 1970 00:00:00 GMT"));
    assert!(!fits("a", "ab") && !fits("ab", "a"));
    let mut out = Vec::new();
    compare(
        "field",
        &["A: 1".to_owned(), "B: 2".to_owned()],
        &["B: 2".to_owned(), "C: 3".to_owned()],
        &mut out,
    );
    assert_eq!(out, ["  field: - A: 1", "  field: + C: 3"]);
}
