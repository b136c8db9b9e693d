//! An integration: what a method does with a request.

use std::collections::BTreeMap;

/// `type` of an integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegrationType {
    /// A backend with mappings.
    Http,
    /// A backend, passed through.
    HttpProxy,
    /// No backend.
    Mock,
}

/// `passthroughBehavior`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PassthroughBehavior {
    /// Pass the body where no template matches.
    #[default]
    WhenNoMatch,
    /// Pass the body where there are no templates.
    WhenNoTemplates,
    /// Refuse it.
    Never,
}

/// `Integration`
#[derive(Clone, Debug, PartialEq)]
pub struct Integration {
    /// `type`
    pub kind: IntegrationType,
    /// `httpMethod`; `None` for MOCK and for ANY, which keeps the client's.
    pub http_method: Option<String>,
    /// `uri`, as written; empty for MOCK.
    pub uri: String,
    /// `timeoutInMillis`
    pub timeout_ms: u32,
    /// `tlsConfig.insecureSkipVerification`
    pub insecure_skip_verification: bool,
    /// `x-turnpike.protocol`: HTTP/2 to the backend.
    pub http2: bool,
    /// `passthroughBehavior`
    pub passthrough: PassthroughBehavior,
    /// `requestParameters`: `integration.request.{location}.{name}` to expression.
    pub request_parameters: BTreeMap<String, String>,
    /// `requestTemplates`: media type to template.
    pub request_templates: BTreeMap<String, String>,
    /// `integrationResponses`, by ascending status.
    pub responses: Vec<IntegrationResponse>,
}

/// `IntegrationResponse`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntegrationResponse {
    /// `selectionPattern`; `None` for the default response.
    pub selection_pattern: Option<String>,
    /// `statusCode`
    pub status: u16,
    /// `responseParameters`: `method.response.header.{name}` to expression.
    pub response_parameters: BTreeMap<String, String>,
    /// `responseTemplates`: media type and template, in the order of the document.
    pub response_templates: Vec<(String, String)>,
}
