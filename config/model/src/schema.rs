//! Models of bodies, and validators of requests.

use serde::{Deserialize, Serialize};

/// `Model`; its name is its key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Model {
    /// `id`
    pub id: String,
    /// `description`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `schema`: JSON schema, draft 4, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// `contentType`
    pub content_type: String,
}

/// `RequestValidator`; its id is its key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestValidator {
    /// `name`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `validateRequestBody`
    pub validate_request_body: bool,
    /// `validateRequestParameters`
    pub validate_request_parameters: bool,
}
