//! Identifiers from AWS's names and paths.

use std::collections::HashSet;

/// The words of a text: runs of ASCII letters and digits.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_ascii_uppercase() + rest
}

/// `petsPetIdGet`, as AWS's clients have it: the path's words and the verb; `rootGet` for `/`.
pub(crate) fn of_method(path: &str, verb: &str) -> String {
    let mut name = String::new();
    for word in words(path) {
        let part = if name.is_empty() { lower_first(word) } else { capital(word) };
        name.push_str(&part);
    }
    if name.is_empty() {
        name.push_str("root");
    }
    name + &capital(&verb.to_ascii_lowercase())
}

fn lower_first(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_ascii_lowercase() + rest
}

/// An identifier of JavaScript: the text if it is one, else its words in camel case.
pub(crate) fn camel(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let name = match text.chars().all(fits) {
        true => text.to_owned(),
        false => {
            let mut words = words(text);
            let first = words.next().map(lower_first).unwrap_or_default();
            words.fold(first, |name, word| name + &capital(word))
        }
    };
    begun(name)
}

/// An identifier of Python in snake case.
pub(crate) fn snake(text: &str) -> String {
    let mut name = String::new();
    let mut before = '_';
    for c in text.chars() {
        if !c.is_ascii_alphanumeric() {
            if before != '_' {
                name.push('_');
            }
            before = '_';
            continue;
        }
        if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
        before = c;
    }
    let name = begun(name.trim_end_matches('_').to_owned());
    if KEYWORDS.contains(&name.as_str()) { name + "_" } else { name }
}

/// Words of Python that no name may be, and names that the generated methods use themselves.
const KEYWORDS: [&str; 35] = [
    "and", "as", "assert", "async", "await", "body", "break", "class", "continue", "def", "del", "elif",
    "else", "except", "finally", "for", "from", "global", "headers", "if", "import", "in", "is", "lambda",
    "nonlocal", "not", "or", "pass", "query", "raise", "return", "self", "try", "while", "with",
];

/// A name that doesn't begin with a digit, and is one.
fn begun(name: String) -> String {
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// Makes names differ: the second gets a `2` behind it.
#[derive(Default)]
pub(crate) struct Unique(HashSet<String>);

impl Unique {
    pub(crate) fn name(&mut self, wanted: String) -> String {
        let mut name = wanted.clone();
        let mut number = 2;
        while !self.0.insert(name.clone()) {
            name = format!("{wanted}{number}");
            number += 1;
        }
        name
    }
}

/// A text as a literal: JSON's are those of JavaScript and Python too, once what ends a line there is escaped.
pub(crate) fn literal(text: &str) -> String {
    let mut literal = serde_json::Value::from(text).to_string();
    for (character, escape) in [('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029"), ('\u{7f}', "\\u007f")] {
        if literal.contains(character) {
            literal = literal.replace(character, escape);
        }
    }
    literal
}

/// A text as one line of a comment or of prose.
pub(crate) fn line(text: &str) -> String {
    const CHARACTERS_MAX: usize = 200;
    let clean = text.chars().map(|c| if c.is_control() || "\u{2028}\u{2029}`".contains(c) { ' ' } else { c });
    let line: String = clean.take(CHARACTERS_MAX).collect();
    line.replace("*/", "* /").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_have_the_names_that_aws_gives() {
        for (path, verb, name) in [
            ("/", "GET", "rootGet"),
            ("/pets", "POST", "petsPost"),
            ("/pets/{petId}", "GET", "petsPetIdGet"),
            ("/v1/my-pets/{proxy+}", "DELETE", "v1MyPetsProxyDelete"),
            ("/2/x", "GET", "2XGet"),
        ] {
            assert_eq!(of_method(path, verb), name);
        }
    }

    #[test]
    fn identifiers() {
        for (text, camel_case, snake_case) in [
            ("petId", "petId", "pet_id"),
            ("X-Api-Key", "xApiKey", "x_api_key"),
            ("class", "class", "class_"),
            ("2x", "_2x", "_2x"),
            ("é", "_", "_"),
            ("listPets", "listPets", "list_pets"),
            ("ABCTest", "ABCTest", "abctest"),
            ("a;alert(1)//", "aAlert1", "a_alert_1"),
        ] {
            assert_eq!((camel(text).as_str(), snake(text).as_str()), (camel_case, snake_case), "{text}");
        }
        let mut unique = Unique::default();
        let names = ["a", "a", "a2", "a"].map(|name| unique.name(name.to_owned()));
        assert_eq!(names, ["a", "a2", "a22", "a3"]);
    }

    #[test]
    fn texts_stay_texts() {
        assert_eq!(literal("a\"b\\c\n\u{2028}"), r#""a\"b\\c\n\u2028""#);
        assert_eq!(line(" a\n*/ b`\u{2028}c "), "a * / b c");
    }
}
