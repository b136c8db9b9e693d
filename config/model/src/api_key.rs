//! API keys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// `ApiKey`; its id is its key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiKey {
    /// `value`
    pub value: Secret,
    /// `name`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `customerId`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// `description`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `enabled`
    pub enabled: bool,
    /// `stageKeys`: `{api}/{stage}`, from before there were usage plans.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stage_keys: Vec<String>,
    /// `tags`
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// `createdDate`, in seconds of the Unix epoch.
    pub created_date: i64,
    /// `lastUpdatedDate`, in seconds of the Unix epoch.
    pub last_updated_date: i64,
}
