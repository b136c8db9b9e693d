//! A deployment: an immutable snapshot of an API's definition.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::definition::Definition;

/// `Deployment`; its id is its key. Only its description ever changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Deployment {
    /// `createdDate`, in seconds of the Unix epoch.
    pub created_date: i64,
    /// `description`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The snapshot.
    pub definition: Arc<Definition>,
}
