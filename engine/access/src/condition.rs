//! Conditions of statements: operators over keys of the request.
//!
//! AWS: "IAM JSON policy elements: Condition operators".

use std::net::IpAddr;

use serde_json::Value;
use vocabulary::calendar::days;

use crate::pattern;
use crate::policy::{Context, expand};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Order),
    Date(Order),
    Bool,
    IpAddress,
    Arn,
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Equals,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    One,
    All,
    Any,
}

/// One operator over one key with its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    operator: Operator,
    negated: bool,
    if_exists: bool,
    quantifier: Quantifier,
    key: String,
    values: Vec<String>,
}

impl Condition {
    /// Reads `{operator: {key: values}}` of one operator.
    pub(crate) fn read(name: &str, keys: &Value) -> Result<Vec<Condition>, String> {
        let lower = name.to_ascii_lowercase();
        let (quantifier, rest) = if let Some(rest) = lower.strip_prefix("forallvalues:") {
            (Quantifier::All, rest)
        } else if let Some(rest) = lower.strip_prefix("foranyvalue:") {
            (Quantifier::Any, rest)
        } else {
            (Quantifier::One, lower.as_str())
        };
        let (word, if_exists) = rest.strip_suffix("ifexists").map_or((rest, false), |word| (word, true));
        let (operator, negated) =
            operator(word).ok_or_else(|| format!("`{name}` is no condition operator"))?;
        if operator == Operator::Null && if_exists {
            return Err("`Null` has no IfExists".to_owned());
        }
        let keys = keys.as_object().ok_or_else(|| format!("`{name}` must be an object of keys"))?;
        let read = |(key, values): (&String, &Value)| {
            let values =
                texts(values).ok_or_else(|| format!("`{name}`.`{key}` must be a text or a list of texts"))?;
            let key = key.to_ascii_lowercase();
            Ok(Condition { operator, negated, if_exists, quantifier, key, values })
        };
        keys.iter().map(read).collect()
    }

    /// Whether it holds. `variables` says whether `${…}` in values means something.
    pub(crate) fn holds(&self, context: &Context, variables: bool) -> bool {
        let given = context.get(&self.key);
        if self.operator == Operator::Null {
            let wants_absent = self.values.iter().any(|value| value.eq_ignore_ascii_case("true"));
            return given.is_none() == wants_absent;
        }
        let Some(given) = given else {
            // A key that isn't there is unlike anything.
            return self.if_exists || self.negated || self.quantifier == Quantifier::All;
        };
        let is_pattern = matches!(self.operator, Operator::StringLike | Operator::Arn);
        let fits = |one: &str| {
            let found = self.values.iter().any(|value| {
                let expanded =
                    if variables { expand(value, context, is_pattern) } else { Some(value.clone()) };
                expanded.is_some_and(|value| matches(self.operator, &value, one))
            });
            found != self.negated
        };
        match self.quantifier {
            Quantifier::All => given.iter().all(|one| fits(one)),
            Quantifier::Any => given.iter().any(|one| fits(one)),
            // Several values without a set operator: sources differ, and no is the safe answer.
            Quantifier::One => given.len() == 1 && fits(&given[0]),
        }
    }
}

fn operator(word: &str) -> Option<(Operator, bool)> {
    let order = |rest: &str| {
        Some(match rest {
            "equals" => (Order::Equals, false),
            "notequals" => (Order::Equals, true),
            "lessthan" => (Order::Less, false),
            "lessthanequals" => (Order::LessOrEqual, false),
            "greaterthan" => (Order::Greater, false),
            "greaterthanequals" => (Order::GreaterOrEqual, false),
            _ => return None,
        })
    };
    Some(match word {
        "stringequals" => (Operator::StringEquals, false),
        "stringnotequals" => (Operator::StringEquals, true),
        "stringequalsignorecase" => (Operator::StringEqualsIgnoreCase, false),
        "stringnotequalsignorecase" => (Operator::StringEqualsIgnoreCase, true),
        "stringlike" => (Operator::StringLike, false),
        "stringnotlike" => (Operator::StringLike, true),
        "bool" => (Operator::Bool, false),
        "ipaddress" => (Operator::IpAddress, false),
        "notipaddress" => (Operator::IpAddress, true),
        "arnequals" | "arnlike" => (Operator::Arn, false),
        "arnnotequals" | "arnnotlike" => (Operator::Arn, true),
        "null" => (Operator::Null, false),
        _ => {
            if let Some(rest) = word.strip_prefix("numeric") {
                let (order, negated) = order(rest)?;
                (Operator::Numeric(order), negated)
            } else {
                let (order, negated) = order(word.strip_prefix("date")?)?;
                (Operator::Date(order), negated)
            }
        }
    })
}

/// A text, number or flag, or a list of them.
pub(crate) fn texts(value: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    match value {
        Value::Array(items) => items.iter().map(text).collect(),
        one => text(one).map(|text| vec![text]),
    }
}

fn matches(operator: Operator, wanted: &str, given: &str) -> bool {
    match operator {
        Operator::StringEquals => wanted == given,
        Operator::StringEqualsIgnoreCase => wanted.to_lowercase() == given.to_lowercase(),
        Operator::StringLike => pattern::fits(wanted, given),
        Operator::Arn => pattern::arn_fits(wanted, given),
        Operator::Bool => wanted.eq_ignore_ascii_case(given),
        Operator::IpAddress => in_network(wanted, given),
        Operator::Numeric(order) => compare(order, given.parse().ok(), wanted.parse().ok()),
        Operator::Date(order) => compare(order, moment(given), moment(wanted)),
        Operator::Null => false,
    }
}

fn compare(order: Order, given: Option<f64>, wanted: Option<f64>) -> bool {
    let Some((given, wanted)) = given.zip(wanted) else { return false };
    match order {
        Order::Equals => given == wanted,
        Order::Less => given < wanted,
        Order::LessOrEqual => given <= wanted,
        Order::Greater => given > wanted,
        Order::GreaterOrEqual => given >= wanted,
    }
}

/// ISO 8601 in UTC, or seconds of the epoch.
fn moment(text: &str) -> Option<f64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let number = |text: Option<&str>| text?.parse::<u16>().ok().map(i64::from);
    let mut parts = date.split('-');
    let (year, month, day) = (number(parts.next())?, number(parts.next())?, number(parts.next())?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let mut parts = time.strip_suffix('Z')?.split(':');
    let (hour, minute) = (number(parts.next())?, number(parts.next())?);
    let second: f64 = parts.next().unwrap_or("0").parse().ok()?;
    Some((days(year, month, day) * 86_400 + hour * 3_600 + minute * 60) as f64 + second)
}

/// Whether an address lies in a network: `10.0.0.0/8`, or one address.
fn in_network(network: &str, address: &str) -> bool {
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let (base, length) =
        network.split_once('/').map_or((network, None), |(base, length)| (base, Some(length)));
    let Ok(base) = base.parse::<IpAddr>() else { return false };
    let (base, given, bits) = match (base, address.to_canonical()) {
        (IpAddr::V4(base), IpAddr::V4(given)) => {
            (u128::from(u32::from(base)), u128::from(u32::from(given)), 32)
        }
        (IpAddr::V6(base), IpAddr::V6(given)) => (u128::from(base), u128::from(given), 128),
        _ => return false,
    };
    let length = match length.map(str::parse::<u32>) {
        None => bits,
        Some(Ok(length)) if length <= bits => length,
        Some(_) => return false,
    };
    let shift = bits - length;
    shift == 128 || base >> shift == given >> shift
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(operator: &str, values: Value, given: Option<&[&str]>) -> bool {
        let mut context = Context::default();
        if let Some(given) = given {
            context.set("k", given.iter().map(|one| (*one).to_owned()));
        }
        let conditions = Condition::read(operator, &json!({"K": values})).expect(operator);
        conditions.iter().all(|condition| condition.holds(&context, true))
    }

    #[test]
    fn every_operator() {
        for (operator, values, given, expected) in [
            ("StringEquals", json!("a"), Some(&["a"][..]), true),
            ("StringEquals", json!(["b", "a"]), Some(&["a"]), true),
            ("StringEquals", json!("a"), Some(&["A"]), false),
            ("StringNotEquals", json!(["a", "b"]), Some(&["a"]), false),
            ("StringEqualsIgnoreCase", json!("a"), Some(&["A"]), true),
            ("StringLike", json!("a*"), Some(&["abc"]), true),
            ("StringNotLike", json!("a*"), Some(&["abc"]), false),
            ("NumericLessThan", json!("10"), Some(&["9.5"]), true),
            ("NumericGreaterThanEquals", json!(10), Some(&["10"]), true),
            ("NumericEquals", json!("x"), Some(&["1"]), false),
            ("DateLessThan", json!("2026-01-01T00:00:00Z"), Some(&["2025-12-31T23:59:59Z"]), true),
            ("DateGreaterThan", json!("2026-01-01"), Some(&["1767225601"]), true),
            ("Bool", json!(true), Some(&["True"]), true),
            ("IpAddress", json!("10.0.0.0/8"), Some(&["10.1.2.3"]), true),
            ("IpAddress", json!("10.0.0.1"), Some(&["10.0.0.2"]), false),
            ("IpAddress", json!("0.0.0.0/0"), Some(&["1.2.3.4"]), true),
            ("IpAddress", json!("2001:db8::/32"), Some(&["2001:db8::1"]), true),
            ("NotIpAddress", json!("10.0.0.0/8"), Some(&["10.1.2.3"]), false),
            ("ArnLike", json!("arn:aws:iam::*:user/a*"), Some(&["arn:aws:iam::1:user/ab"]), true),
            ("ArnNotEquals", json!("arn:aws:iam::*:user/a*"), Some(&["arn:aws:iam::1:user/ab"]), false),
            // A key that isn't there.
            ("StringEquals", json!("a"), None, false),
            ("StringNotEquals", json!("a"), None, true),
            ("StringEqualsIfExists", json!("a"), None, true),
            ("Null", json!("true"), None, true),
            ("Null", json!("false"), None, false),
            ("Null", json!("false"), Some(&["a"]), true),
            // Several values.
            ("StringEquals", json!(["a", "b"]), Some(&["a", "b"]), false),
            ("ForAllValues:StringEquals", json!(["a", "b"]), Some(&["a", "b"]), true),
            ("ForAllValues:StringEquals", json!(["a"]), Some(&["a", "b"]), false),
            ("ForAllValues:StringEquals", json!(["a"]), None, true),
            ("ForAnyValue:StringLike", json!("b*"), Some(&["a", "bc"]), true),
            ("ForAnyValue:StringEquals", json!("a"), None, false),
        ] {
            assert_eq!(holds(operator, values.clone(), given), expected, "{operator} {values} {given:?}");
        }
    }

    #[test]
    fn what_is_no_condition_is_told() {
        assert!(Condition::read("StringEqual", &json!({})).is_err());
        assert!(Condition::read("NullIfExists", &json!({})).is_err());
        assert!(Condition::read("StringEquals", &json!("a")).is_err());
        assert!(Condition::read("StringEquals", &json!({"k": {}})).is_err());
    }
}
