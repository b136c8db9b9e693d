//! The JSON body of a call: members by name, of the type that the service's model gives them.
//!
//! AWS: wrong types are told as a SerializationException with Java's class names (recorded).

use std::collections::BTreeMap;

use model::IndexMap;
use serde_json::{Map, Value};

use crate::error::{Constraints, Error};

/// An object of the body.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    members: Map<String, Value>,
    /// Where it stands in constraint failures: `createRestApiInput`, `createRestApiInput.endpointConfiguration`.
    path: String,
}

fn class(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "class java.lang.Boolean",
        Value::Number(_) => "class com.amazon.coral.value.json.numbers.TruncatingBigNumber",
        Value::String(_) => "class java.lang.String",
        Value::Array(_) => "class java.util.ArrayList",
        Value::Object(_) => "class java.util.LinkedHashMap",
        Value::Null => "null",
    }
}

fn wrong(value: &Value, wanted: &str) -> Error {
    Error::serialization(format!("{} can not be converted to {wanted}", class(value)))
}

fn text(value: &Value) -> Result<String, Error> {
    match value {
        Value::String(text) => Ok(text.clone()),
        other => Err(wrong(other, "an String")),
    }
}

impl Input {
    /// Reads a body; none at all is an empty object.
    pub(crate) fn read(body: &[u8], operation: &str) -> Result<Self, Error> {
        let members = if body.is_empty() {
            Map::new()
        } else {
            match serde_json::from_slice(body) {
                Ok(Value::Object(members)) => members,
                Ok(_) => {
                    return Err(Error::serialization("Start of structure or map found where not expected."));
                }
                Err(error) => return Err(Error::serialization(format!("the body is no JSON: {error}"))),
            }
        };
        let mut path = operation.to_owned();
        path[..1].make_ascii_lowercase();
        path.push_str("Input");
        Ok(Input { members, path })
    }

    /// Where a member stands, in the words of constraint failures.
    pub(crate) fn path_of(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// A member that is there and isn't null.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn string(&self, name: &str) -> Result<Option<String>, Error> {
        self.get(name).map(text).transpose()
    }

    /// A member that can't be absent.
    pub(crate) fn required(&self, name: &str, constraints: &mut Constraints) -> Result<String, Error> {
        let value = self.string(name)?;
        if value.is_none() {
            constraints.fail("null", &self.path_of(name), "Member must not be null");
        }
        Ok(value.unwrap_or_default())
    }

    /// A word of a closed set; another is a constraint failure. `read` is the set's `from_word`, `all` its words.
    pub(crate) fn word<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Option<T>,
        all: &[&str],
        constraints: &mut Constraints,
    ) -> Result<Option<T>, Error> {
        let Some(word) = self.string(name)? else { return Ok(None) };
        let found = read(&word);
        if found.is_none() {
            constraints.not_in_set(&word, &self.path_of(name), all);
        }
        Ok(found)
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, Error> {
        self.get(name)
            .map(|value| match value {
                Value::Bool(flag) => Ok(*flag),
                Value::String(text) => Ok(text.eq_ignore_ascii_case("true")),
                other => Err(wrong(other, "a Boolean")),
            })
            .transpose()
    }

    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Error> {
        self.get(name)
            .map(|value| match value {
                Value::Number(number) => {
                    let whole = number.as_i64().or_else(|| number.as_f64().map(|number| number as i64));
                    whole.ok_or_else(|| wrong(value, "an Integer"))
                }
                other => Err(wrong(other, "an Integer")),
            })
            .transpose()
    }

    pub(crate) fn double(&self, name: &str) -> Result<Option<f64>, Error> {
        let wanted = "a Double";
        self.get(name).map(|value| value.as_f64().ok_or_else(|| wrong(value, wanted))).transpose()
    }

    /// An object within.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Input>, Error> {
        self.get(name)
            .map(|value| match value {
                Value::Object(members) => Ok(Input { members: members.clone(), path: self.path_of(name) }),
                other => Err(wrong(other, "a Map")),
            })
            .transpose()
    }

    /// A list of objects.
    pub(crate) fn objects(&self, name: &str) -> Result<Option<Vec<Input>>, Error> {
        let Some(items) = self.list(name)? else { return Ok(None) };
        let objects = items.iter().enumerate().map(|(index, item)| match item {
            Value::Object(members) => {
                let path = format!("{}.{}.member", self.path_of(name), index + 1);
                Ok(Input { members: members.clone(), path })
            }
            other => Err(wrong(other, "a Map")),
        });
        objects.collect::<Result<_, _>>().map(Some)
    }

    fn list(&self, name: &str) -> Result<Option<&Vec<Value>>, Error> {
        self.get(name)
            .map(|value| match value {
                Value::Array(items) => Ok(items),
                other => Err(wrong(other, "a List")),
            })
            .transpose()
    }

    pub(crate) fn strings(&self, name: &str) -> Result<Option<Vec<String>>, Error> {
        let Some(items) = self.list(name)? else { return Ok(None) };
        items.iter().filter(|item| !item.is_null()).map(text).collect::<Result<_, _>>().map(Some)
    }

    fn map(&self, name: &str) -> Result<Option<&Map<String, Value>>, Error> {
        self.get(name)
            .map(|value| match value {
                Value::Object(members) => Ok(members),
                other => Err(wrong(other, "a Map")),
            })
            .transpose()
    }

    pub(crate) fn string_map(&self, name: &str) -> Result<Option<BTreeMap<String, String>>, Error> {
        let Some(members) = self.map(name)? else { return Ok(None) };
        let pairs = members.iter().filter(|(_, value)| !value.is_null());
        pairs.map(|(name, value)| Ok((name.clone(), text(value)?))).collect::<Result<_, _>>().map(Some)
    }

    /// Templates, in their order; null is an empty one.
    pub(crate) fn templates(&self, name: &str) -> Result<Option<IndexMap<String, String>>, Error> {
        let Some(members) = self.map(name)? else { return Ok(None) };
        let read = |value: &Value| if value.is_null() { Ok(String::new()) } else { text(value) };
        members
            .iter()
            .map(|(name, value)| Ok((name.clone(), read(value)?)))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    pub(crate) fn boolean_map(&self, name: &str) -> Result<Option<BTreeMap<String, bool>>, Error> {
        let Some(members) = self.map(name)? else { return Ok(None) };
        let flag = |value: &Value| match value {
            Value::Bool(flag) => Ok(*flag),
            Value::String(text) => Ok(text.eq_ignore_ascii_case("true")),
            other => Err(wrong(other, "a Boolean")),
        };
        members
            .iter()
            .map(|(name, value)| Ok((name.clone(), flag(value)?)))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// Members by name, for objects whose members are themselves objects.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_types_are_told_in_javas_words() {
        let input =
            Input::read(br#"{"name": true, "version": 1, "gone": null}"#, "CreateRestApi").expect("object");
        let message = |result: Result<Option<String>, Error>| result.expect_err("refused").message;
        assert_eq!(
            message(input.string("name")),
            "class java.lang.Boolean can not be converted to an String"
        );
        assert_eq!(
            message(input.string("version")),
            "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String"
        );
        assert_eq!(input.string("gone"), Ok(None));
        assert_eq!(input.path_of("name"), "createRestApiInput.name");
    }

    #[test]
    fn constraint_failures_are_counted() {
        let input = Input::read(br#"{"type": "X"}"#, "PutIntegration").expect("object");
        let mut constraints = Constraints::default();
        let all = ["HTTP", "MOCK"];
        let found = input.word("type", |_| None::<()>, &all, &mut constraints);
        assert_eq!(found, Ok(None));
        constraints.fail("x", "statusCode", "Member must satisfy regular expression pattern: [1-5]\\d\\d");
        assert_eq!(
            constraints.finish().expect_err("failures").message,
            "2 validation errors detected: Value 'X' at 'putIntegrationInput.type' failed to satisfy constraint: Member \
             must satisfy enum value set: [HTTP, MOCK]; Value 'x' at 'statusCode' failed to satisfy constraint: Member \
             must satisfy regular expression pattern: [1-5]\\d\\d"
        );
    }
}
