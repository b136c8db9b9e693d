//! What the gateway itself answers, by the kind of its refusal.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// `responseType`
    GatewayResponseType {
        RequestTooLarge = "REQUEST_TOO_LARGE",
        ResourceNotFound = "RESOURCE_NOT_FOUND",
        AuthorizerConfigurationError = "AUTHORIZER_CONFIGURATION_ERROR",
        MissingAuthenticationToken = "MISSING_AUTHENTICATION_TOKEN",
        BadRequestBody = "BAD_REQUEST_BODY",
        InvalidSignature = "INVALID_SIGNATURE",
        InvalidApiKey = "INVALID_API_KEY",
        BadRequestParameters = "BAD_REQUEST_PARAMETERS",
        AuthorizerFailure = "AUTHORIZER_FAILURE",
        Unauthorized = "UNAUTHORIZED",
        IntegrationTimeout = "INTEGRATION_TIMEOUT",
        AccessDenied = "ACCESS_DENIED",
        Default4xx = "DEFAULT_4XX",
        Default5xx = "DEFAULT_5XX",
        WafFiltered = "WAF_FILTERED",
        QuotaExceeded = "QUOTA_EXCEEDED",
        Throttled = "THROTTLED",
        ApiConfigurationError = "API_CONFIGURATION_ERROR",
        UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE",
        IntegrationFailure = "INTEGRATION_FAILURE",
        ExpiredToken = "EXPIRED_TOKEN",
    }
}

impl GatewayResponseType {
    /// The status where none is set; the two defaults have none.
    #[must_use]
    pub fn status_code(self) -> Option<u16> {
        Some(match self {
            GatewayResponseType::BadRequestBody | GatewayResponseType::BadRequestParameters => 400,
            GatewayResponseType::Unauthorized => 401,
            GatewayResponseType::AccessDenied
            | GatewayResponseType::ExpiredToken
            | GatewayResponseType::InvalidApiKey
            | GatewayResponseType::InvalidSignature
            | GatewayResponseType::MissingAuthenticationToken
            | GatewayResponseType::WafFiltered => 403,
            GatewayResponseType::ResourceNotFound => 404,
            GatewayResponseType::RequestTooLarge => 413,
            GatewayResponseType::UnsupportedMediaType => 415,
            GatewayResponseType::QuotaExceeded | GatewayResponseType::Throttled => 429,
            GatewayResponseType::ApiConfigurationError
            | GatewayResponseType::AuthorizerConfigurationError
            | GatewayResponseType::AuthorizerFailure => 500,
            GatewayResponseType::IntegrationFailure | GatewayResponseType::IntegrationTimeout => 504,
            GatewayResponseType::Default4xx | GatewayResponseType::Default5xx => return None,
        })
    }

    /// Whether `DEFAULT_5XX` stands in for it; `DEFAULT_4XX` does for the others.
    #[must_use]
    pub fn is_server_error(self) -> bool {
        match self.status_code() {
            Some(status) => status >= 500,
            None => self == GatewayResponseType::Default5xx,
        }
    }
}

/// `GatewayResponse`, customised; its type is its key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewayResponse {
    /// `statusCode`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    /// `responseParameters`: `gatewayresponse.header.{name}` to expression.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub response_parameters: BTreeMap<String, String>,
    /// `responseTemplates`: media type to template.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub response_templates: IndexMap<String, String>,
}
