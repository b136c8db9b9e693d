//! An integration: what a method does with a request.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// `type` of an integration.
    IntegrationType {
        Http = "HTTP",
        Mock = "MOCK",
        AwsProxy = "AWS_PROXY",
        HttpProxy = "HTTP_PROXY",
        Aws = "AWS",
    }
}

words! {
    /// `passthroughBehavior`
    PassthroughBehavior {
        WhenNoMatch = "WHEN_NO_MATCH",
        WhenNoTemplates = "WHEN_NO_TEMPLATES",
        Never = "NEVER",
    }
}

words! {
    /// `contentHandling`
    ContentHandling {
        ConvertToBinary = "CONVERT_TO_BINARY",
        ConvertToText = "CONVERT_TO_TEXT",
    }
}

words! {
    /// `connectionType`
    ConnectionType {
        Internet = "INTERNET",
        VpcLink = "VPC_LINK",
    }
}

words! {
    /// `responseTransferMode`
    ResponseTransferMode {
        Buffered = "BUFFERED",
        Stream = "STREAM",
    }
}

/// `timeoutInMillis` where none is said.
pub const TIMEOUT_MS: u32 = 29_000;

/// `Integration`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    /// `type`
    #[serde(rename = "type")]
    pub kind: IntegrationType,
    /// `httpMethod`: `ANY` keeps the client's; `None` for MOCK.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_method: Option<String>,
    /// `uri`, as written; `None` for MOCK.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// `connectionType`; `None` where nothing was said, which means the internet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_type: Option<ConnectionType>,
    /// `connectionId`: a VPC link's, or a stage variable's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<String>,
    /// `credentials`: a role's ARN, or the caller's pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// `integrationTarget`: a listener behind a VPC link of the second kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration_target: Option<String>,
    /// `timeoutInMillis`
    pub timeout_in_millis: u32,
    /// `tlsConfig.insecureSkipVerification`; `None` without `tlsConfig`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insecure_skip_verification: Option<bool>,
    /// `x-turnpike.protocol`: HTTP/2 to the backend.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub http2: bool,
    /// `passthroughBehavior`
    pub passthrough_behavior: PassthroughBehavior,
    /// `contentHandling` of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_handling: Option<ContentHandling>,
    /// `responseTransferMode`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_transfer_mode: Option<ResponseTransferMode>,
    /// `cacheNamespace`; `None` for the id of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_namespace: Option<String>,
    /// `cacheKeyParameters`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cache_key_parameters: Vec<String>,
    /// `requestParameters`: `integration.request.{location}.{name}` to expression.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub request_parameters: BTreeMap<String, String>,
    /// `requestTemplates`: media type to template, in the order they were given.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub request_templates: IndexMap<String, String>,
    /// `integrationResponses`, by ascending status. Control calls keep one a status; a document may say more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responses: Vec<IntegrationResponse>,
}

impl Integration {
    /// An integration of a type with AWS's defaults and nothing else.
    #[must_use]
    pub fn new(kind: IntegrationType) -> Self {
        Integration {
            kind,
            http_method: None,
            uri: None,
            connection_type: None,
            connection_id: None,
            credentials: None,
            integration_target: None,
            timeout_in_millis: TIMEOUT_MS,
            insecure_skip_verification: None,
            http2: false,
            passthrough_behavior: PassthroughBehavior::WhenNoMatch,
            content_handling: None,
            response_transfer_mode: None,
            cache_namespace: None,
            cache_key_parameters: Vec::new(),
            request_parameters: BTreeMap::new(),
            request_templates: IndexMap::new(),
            responses: Vec::new(),
        }
    }
}

/// `IntegrationResponse`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IntegrationResponse {
    /// `statusCode`
    pub status_code: u16,
    /// `selectionPattern`; `None` for the default response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection_pattern: Option<String>,
    /// `contentHandling`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_handling: Option<ContentHandling>,
    /// `responseParameters`: `method.response.header.{name}` to expression.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub response_parameters: BTreeMap<String, String>,
    /// `responseTemplates`: media type to template, in the order they were given. An empty template is one that passes
    /// the body through.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub response_templates: IndexMap<String, String>,
}
