//! Which extensions are read, which are known and not supported yet, and which nobody knows.

use crate::diagnostic::{Diagnostic, Severity};
use crate::node::Key;
use crate::reader::Reader;

/// Every `x-amazon-apigateway-*` that AWS documents.
const KNOWN: [&str; 21] = [
    "x-amazon-apigateway-any-method",
    "x-amazon-apigateway-cors",
    "x-amazon-apigateway-api-key-source",
    "x-amazon-apigateway-auth",
    "x-amazon-apigateway-authorizer",
    "x-amazon-apigateway-authtype",
    "x-amazon-apigateway-binary-media-types",
    "x-amazon-apigateway-documentation",
    "x-amazon-apigateway-endpoint-configuration",
    "x-amazon-apigateway-endpoint-access-mode",
    "x-amazon-apigateway-security-policy",
    "x-amazon-apigateway-gateway-responses",
    "x-amazon-apigateway-importexport-version",
    "x-amazon-apigateway-integration",
    "x-amazon-apigateway-integrations",
    "x-amazon-apigateway-minimum-compression-size",
    "x-amazon-apigateway-policy",
    "x-amazon-apigateway-request-validators",
    "x-amazon-apigateway-request-validator",
    "x-amazon-apigateway-tag-value",
    "x-turnpike",
];

/// Those that this version reads where they belong.
const READ_ELSEWHERE: [&str; 4] = [
    "x-amazon-apigateway-any-method",
    "x-amazon-apigateway-auth",
    "x-amazon-apigateway-integration",
    "x-turnpike",
];

/// Says what becomes of an `x-` key that its place doesn't read.
pub(crate) fn leave(reader: &mut Reader<'_>, key: &Key) {
    let name = key.text.as_str();
    match name {
        // Documentation and bookkeeping: no effect at run time.
        "x-amazon-apigateway-documentation"
        | "x-amazon-apigateway-importexport-version"
        | "x-amazon-apigateway-tag-value" => {
            reader.push(Severity::Note, "ignored", key.span, format!("`{name}` has no effect at run time"));
        }
        _ if READ_ELSEWHERE.contains(&name) => {
            reader.error("invalid", key.span, format!("`{name}` has no place here"));
        }
        _ if KNOWN.contains(&name) => reader.unsupported(key.span, &format!("`{name}`")),
        _ if name.starts_with("x-amazon-") || name.starts_with("x-turnpike") => {
            let error =
                Diagnostic::error("unknown-extension", key.span, format!("`{name}` is no extension of AWS"));
            reader.diagnostics.push(match closest(name, &KNOWN) {
                Some(known) => error.with_help(format!("did you mean `{known}`?")),
                None => error,
            });
        }
        _ => reader.push(Severity::Note, "ignored", key.span, format!("`{name}` is not read")),
    }
}

/// A key that no reader of its place knows.
pub(crate) fn unknown(reader: &mut Reader<'_>, key: &Key, place: &str, known: &[&str]) {
    if key.text.starts_with("x-") {
        leave(reader, key);
        return;
    }
    let error = Diagnostic::error("invalid", key.span, format!("`{}` is unknown in {place}", key.text));
    reader.diagnostics.push(match closest(&key.text, known) {
        Some(known) => error.with_help(format!("did you mean `{known}`?")),
        None => error,
    });
}

/// The known word within a third of the letters.
fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let best = known.iter().map(|known| (distance(word, known), *known)).min()?;
    (best.0 <= word.len().max(best.1.len()) / 3).then_some(best.1)
}

/// Levenshtein's distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
