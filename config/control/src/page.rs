//! Pages of lists: `limit` and `position`.
//!
//! AWS: API reference, "GetRestApis" and the other lists: 25 items unless asked otherwise, 500 at most.

use serde_json::Value;

use crate::error::Error;
use crate::json::Object;
use crate::query::Query;

const LIMIT: usize = 25;
const LIMIT_MAX: usize = 500;

/// One page of items, each with the text it is sorted by (unique), as the list's answer.
///
/// # Errors
/// A `limit` that is no number, or a `position` that no page gave.
pub(crate) fn page<T>(
    query: &Query,
    mut items: Vec<(String, T)>,
    show: impl Fn(T) -> Value,
) -> Result<Value, Error> {
    let limit = match query.get("limit").map(str::parse::<i64>) {
        None => LIMIT,
        // 0 and below are taken and mean nothing (recorded for -1).
        Some(Ok(limit)) if limit <= 0 => LIMIT,
        Some(Ok(limit)) => usize::try_from(limit).unwrap_or(LIMIT_MAX).min(LIMIT_MAX),
        Some(Err(_)) => return Err(Error::serialization("STRING_VALUE can not be converted to an Integer")),
    };
    items.sort_by(|left, right| left.0.cmp(&right.0));
    if let Some(position) = query.get("position") {
        let last = from_hex(position).ok_or_else(|| Error::bad_request("Invalid position parameter"))?;
        items.retain(|(key, _)| *key > last);
    }
    let next = (items.len() > limit).then(|| to_hex(&items[limit - 1].0));
    items.truncate(limit);
    let shown: Vec<Value> = items.into_iter().map(|(_, item)| show(item)).collect();
    // An empty list has no member at all in AWS's JSON, but every client reads an empty one.
    Ok(Object::new().some("position", next).with("item", shown).into())
}

/// Sorts by creation, oldest first, ids breaking ties.
pub(crate) fn oldest_first(created: i64, id: &str) -> String {
    format!("{created:020} {id}")
}

/// Sorts by creation, newest first, ids breaking ties.
pub(crate) fn newest_first(created: i64, id: &str) -> String {
    format!("{:020} {id}", i64::MAX - created)
}

fn to_hex(text: &str) -> String {
    text.bytes().map(|octet| format!("{octet:02x}")).collect()
}

fn from_hex(text: &str) -> Option<String> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    let octets: Option<Vec<u8>> =
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect();
    String::from_utf8(octets?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other() {
        let items = || (0..7).map(|number| (format!("{number}"), number)).collect::<Vec<_>>();
        let mut seen = Vec::new();
        let mut text = "limit=3".to_owned();
        loop {
            let answer = page(&Query::parse(&text), items(), Value::from).expect("page");
            seen.push(answer["item"].clone());
            match answer["position"].as_str() {
                Some(position) => text = format!("limit=3&position={position}"),
                None => break,
            }
        }
        assert_eq!(Value::from(seen), serde_json::json!([[0, 1, 2], [3, 4, 5], [6]]));
    }

    #[test]
    fn odd_limits_and_positions() {
        let items = || vec![("a".to_owned(), 1)];
        assert!(page(&Query::parse("limit=-1"), items(), Value::from).is_ok());
        assert!(page(&Query::parse("limit=x"), items(), Value::from).is_err());
        assert!(page(&Query::parse("position=zz"), items(), Value::from).is_err());
        assert!(page(&Query::parse("position=%C3%A4"), items(), Value::from).is_err());
    }
}
