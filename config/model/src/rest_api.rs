//! A REST API: what stands beside its definition and acts without a deployment.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::MethodKey;

use crate::definition::Definition;
use crate::documentation::DocumentationPart;
use crate::endpoint::EndpointConfiguration;

/// `RestApi`; its id is its key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RestApi {
    /// `name`
    pub name: String,
    /// `description`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `version`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `createdDate`, in seconds of the Unix epoch.
    pub created_date: i64,
    /// `endpointConfiguration`
    pub endpoint_configuration: EndpointConfiguration,
    /// `securityPolicy`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_policy: Option<String>,
    /// `endpointAccessMode`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_access_mode: Option<String>,
    /// `tags`
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Documentation parts by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub documentation_parts: BTreeMap<String, DocumentationPart>,
    /// The working copy: what the next deployment takes.
    pub definition: Arc<Definition>,
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
