//! JSON values as YAML: block style, texts quoted wherever a reader could take them for something else.

use std::fmt::Write;

use serde_json::Value;

/// A document as YAML.
pub(super) fn write(document: &Value) -> String {
    let mut text = String::from("---\n");
    match document {
        Value::Object(_) | Value::Array(_) => block(&mut text, document, 0),
        scalar => {
            text.push_str(&self::scalar(scalar));
            text.push('\n');
        }
    }
    text
}

fn is_inline(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    }
}

fn block(text: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    // Writing to a string doesn't fail.
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let _ = write!(text, "{indent}{}:", key(name));
                member(text, value, depth + 1);
            }
        }
        Value::Array(items) => {
            for item in items {
                let _ = write!(text, "{indent}-");
                if is_inline(item) || item.is_array() {
                    member(text, item, depth + 1);
                } else {
                    // The first member stands behind the dash.
                    let mut inner = String::new();
                    block(&mut inner, item, depth + 1);
                    text.push(' ');
                    text.push_str(inner.trim_start());
                }
            }
        }
        _ => {}
    }
}

fn member(text: &mut String, value: &Value, depth: usize) {
    if is_inline(value) {
        let _ = writeln!(text, " {}", scalar(value));
    } else {
        text.push('\n');
        block(text, value, depth);
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        // JSON's text in double quotes is YAML's.
        other => other.to_string(),
    }
}

fn key(name: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_/.{}+".contains(&octet);
    let begins = name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'/');
    let is_word = matches!(
        name.to_ascii_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    if begins && !is_word && name.bytes().all(plain) {
        name.to_owned()
    } else {
        Value::from(name).to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_reads_back_as_the_same() {
        let document = json!({
            "a": {"b": [1, "two", {"c": null, "d": [true, []]}, [1, [2, {}]], []], "200": {}},
            "on": "yes", "text": "line\nnext: \"x\" 'y' # z", "/p/{x+}": "12", "": 1.5,
        });
        let text = write(&document);
        let environment = crate::Environment { account_id: String::new(), region: String::new() };
        let tree =
            crate::document::parse(&text, &environment).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        assert_eq!(crate::import::json(&tree), document, "{text}");
    }
}
