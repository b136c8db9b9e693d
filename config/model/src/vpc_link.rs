//! VPC links: named ways to private backends.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `VpcLink`; its id is its key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VpcLink {
    /// `name`
    pub name: String,
    /// `description`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `targetArns`
    pub target_arns: Vec<String>,
    /// `tags`
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// When it was made, in seconds of the Unix epoch; no call shows it.
    pub created_date: i64,
}
