//! Documentation parts and versions: texts about an API, without an effect on requests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// `type` of a documentation part's location.
    DocumentationPartType {
        ResponseBody = "RESPONSE_BODY",
        Response = "RESPONSE",
        Method = "METHOD",
        Model = "MODEL",
        Authorizer = "AUTHORIZER",
        ResponseHeader = "RESPONSE_HEADER",
        Resource = "RESOURCE",
        PathParameter = "PATH_PARAMETER",
        RequestBody = "REQUEST_BODY",
        QueryParameter = "QUERY_PARAMETER",
        Api = "API",
        RequestHeader = "REQUEST_HEADER",
    }
}

/// `DocumentationPart`; its id is its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentationPart {
    /// `location`
    pub location: DocumentationPartLocation,
    /// `properties`: a JSON object as text.
    pub properties: String,
}

/// `location`: `None` where it doesn't apply or nothing was said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentationPartLocation {
    /// `type`
    #[serde(rename = "type")]
    pub kind: DocumentationPartType,
    /// `path`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// `method`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// `statusCode`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code: Option<String>,
    /// `name`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// `DocumentationVersion`; its version is its key. The parts are those of the moment it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DocumentationVersion {
    /// `createdDate`, in seconds of the Unix epoch.
    pub created_date: i64,
    /// `description`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The parts, by id.
    pub parts: BTreeMap<String, DocumentationPart>,
}
