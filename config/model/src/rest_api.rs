//! A REST API: its resources by path, their methods by key.

use std::collections::BTreeMap;

use vocabulary::MethodKey;

use crate::method::Method;

/// A REST API as it is configured, before any deployment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RestApi {
    /// `name`
    pub name: String,
    /// `description`
    pub description: Option<String>,
    /// `version`
    pub version: Option<String>,
    /// Resources by their template path.
    pub resources: BTreeMap<String, Resource>,
}

/// A resource and its methods.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    /// Methods by key.
    pub methods: BTreeMap<MethodKey, Method>,
}

/// A thing in an API that a problem can point at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entity {
    /// Template path of the resource.
    pub path: String,
    /// Method of the resource.
    pub method: MethodKey,
    /// Part of the method: empty, `integration`, `integration.uri`, `integration.responses.{key}`…
    pub part: String,
}

impl Entity {
    /// A part of a method.
    #[must_use]
    pub fn new(path: &str, method: MethodKey, part: &str) -> Self {
        Entity { path: path.to_owned(), method, part: part.to_owned() }
    }
}

impl std::fmt::Display for Entity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.method.as_str(), self.path)?;
        if self.part.is_empty() { Ok(()) } else { write!(formatter, " {}", self.part) }
    }
}
