//! The file format of ImportApiKeys: a header line, then a key a line; values may stand in double or single quotes.

use std::collections::BTreeMap;

/// A line's number and its values by column, in lower case.
pub(crate) type Row = (usize, BTreeMap<String, String>);

/// Reads a file of at most `rows_max` lines.
///
/// # Errors
/// No header, a header without `Name` or `Key`, too many lines, a quote that doesn't end.
pub(crate) fn read(text: &str, rows_max: usize) -> Result<Vec<Row>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (_, header) = lines.next().ok_or("The file is empty")?;
    let header: Vec<String> = split(header)?.iter().map(|name| name.to_ascii_lowercase()).collect();
    for needed in ["name", "key"] {
        if !header.iter().any(|name| name == needed) {
            return Err(format!("The header has no column '{needed}'"));
        }
    }
    let mut rows = Vec::new();
    for (index, line) in lines {
        if rows.len() == rows_max {
            return Err(format!("The file has more than {rows_max} keys"));
        }
        let values = split(line).map_err(|error| format!("Line {}: {error}", index + 1))?;
        rows.push((index + 1, header.iter().cloned().zip(values).collect()));
    }
    Ok(rows)
}

fn split(line: &str) -> Result<Vec<String>, String> {
    let mut values = vec![String::new()];
    let mut quote: Option<char> = None;
    let mut letters = line.trim_end_matches('\r').chars().peekable();
    while let Some(letter) = letters.next() {
        let value = values.last_mut().ok_or("no value")?;
        match quote {
            Some(open) if letter == open => {
                // A quote twice is the quote itself.
                if letters.peek() == Some(&open) {
                    value.push(open);
                    letters.next();
                } else {
                    quote = None;
                }
            }
            Some(_) => value.push(letter),
            None if (letter == '"' || letter == '\'') && value.trim().is_empty() => {
                value.clear();
                quote = Some(letter);
            }
            None if letter == ',' => values.push(String::new()),
            None => value.push(letter),
        }
    }
    match quote {
        Some(_) => Err("a quote isn't closed".to_owned()),
        None => Ok(values.iter().map(|value| value.trim().to_owned()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_in_any_order_and_quotes_keep_commas() {
        let text = "Key,name,Other,UsagePlanIds\r\nabc, first ,x,\"p1, p2\"\n\ndef,'it''s',,'p3'\n";
        let rows = read(text, 10).expect("rows");
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].0, &*rows[0].1["name"], &*rows[0].1["usageplanids"]), (2, "first", "p1, p2"));
        assert_eq!((rows[1].0, &*rows[1].1["name"], &*rows[1].1["usageplanids"]), (4, "it's", "p3"));
    }

    #[test]
    fn broken_files_are_told() {
        assert!(read("", 1).is_err());
        assert!(read("name,other\na,b", 1).expect_err("no key").contains("'key'"));
        assert!(read("name,key\na,\"b", 1).expect_err("quote").contains("Line 2"));
        assert!(read("name,key\na,b\nc,d", 1).expect_err("many").contains("more than 1"));
    }
}
