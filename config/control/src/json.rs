//! JSON objects as they go out: members in the order they are put, absent ones left out.

use std::collections::BTreeMap;

use model::IndexMap;
use serde_json::{Map, Value};

/// An object under construction.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object(Map<String, Value>);

impl Object {
    pub(crate) fn new() -> Self {
        Object::default()
    }

    /// Adds a member.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a member that may be absent.
    pub(crate) fn some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a member unless it is empty: a map, a list or a text.
    pub(crate) fn filled(self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let empty = match &value {
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            Value::String(text) => text.is_empty(),
            _ => false,
        };
        if empty { self } else { self.with(name, value) }
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Value::Object(object.0)
    }
}

/// A map of texts.
pub(crate) fn texts(map: &BTreeMap<String, String>) -> Value {
    Value::Object(map.iter().map(|(name, text)| (name.clone(), Value::from(text.as_str()))).collect())
}

/// A map of templates; an empty template is `null` (recorded).
pub(crate) fn templates(map: &IndexMap<String, String>) -> Value {
    let value = |text: &String| if text.is_empty() { Value::Null } else { Value::from(text.as_str()) };
    Value::Object(map.iter().map(|(name, text)| (name.clone(), value(text))).collect())
}

/// A map of flags.
pub(crate) fn flags(map: &BTreeMap<String, bool>) -> Value {
    Value::Object(map.iter().map(|(name, flag)| (name.clone(), Value::from(*flag))).collect())
}

/// A list of texts.
pub(crate) fn list<T: AsRef<str>>(items: &[T]) -> Value {
    Value::Array(items.iter().map(|item| Value::from(item.as_ref())).collect())
}
