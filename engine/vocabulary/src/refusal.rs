//! Every way to say no: AWS's gateway responses as one closed table, plus the answers given before any API is known.
//!
//! AWS: "Gateway response types" and "Gateway responses in API Gateway".

use std::borrow::Cow;

/// A gateway response type. The order is AWS's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResponseType {
    /// An authorizer, a resource policy or IAM said no.
    AccessDenied,
    /// The API or its integration is set up wrongly.
    ApiConfigurationError,
    /// The authorizer can't be called, or its policy is bad.
    AuthorizerConfigurationError,
    /// The authorizer failed.
    AuthorizerFailure,
    /// The body doesn't match its model.
    BadRequestBody,
    /// A required parameter is missing.
    BadRequestParameters,
    /// Any other 4xx.
    Default4xx,
    /// Any other 5xx.
    Default5xx,
    /// The AWS session token is expired.
    ExpiredToken,
    /// The integration's network failed.
    IntegrationFailure,
    /// The integration took too long.
    IntegrationTimeout,
    /// No valid API key.
    InvalidApiKey,
    /// A signature that doesn't match.
    InvalidSignature,
    /// No such route, or no credentials where IAM asks for them.
    MissingAuthenticationToken,
    /// The usage plan's quota is used up.
    QuotaExceeded,
    /// The payload is too large.
    RequestTooLarge,
    /// The resource is gone after authorization.
    ResourceNotFound,
    /// A rate or burst limit.
    Throttled,
    /// No or bad token.
    Unauthorized,
    /// No template for the media type, or an unknown content coding.
    UnsupportedMediaType,
    /// A web ACL said no.
    WafFiltered,
}

impl ResponseType {
    /// AWS's spelling, as in `$context.error.responseType`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ResponseType::AccessDenied => "ACCESS_DENIED",
            ResponseType::ApiConfigurationError => "API_CONFIGURATION_ERROR",
            ResponseType::AuthorizerConfigurationError => "AUTHORIZER_CONFIGURATION_ERROR",
            ResponseType::AuthorizerFailure => "AUTHORIZER_FAILURE",
            ResponseType::BadRequestBody => "BAD_REQUEST_BODY",
            ResponseType::BadRequestParameters => "BAD_REQUEST_PARAMETERS",
            ResponseType::Default4xx => "DEFAULT_4XX",
            ResponseType::Default5xx => "DEFAULT_5XX",
            ResponseType::ExpiredToken => "EXPIRED_TOKEN",
            ResponseType::IntegrationFailure => "INTEGRATION_FAILURE",
            ResponseType::IntegrationTimeout => "INTEGRATION_TIMEOUT",
            ResponseType::InvalidApiKey => "INVALID_API_KEY",
            ResponseType::InvalidSignature => "INVALID_SIGNATURE",
            ResponseType::MissingAuthenticationToken => "MISSING_AUTHENTICATION_TOKEN",
            ResponseType::QuotaExceeded => "QUOTA_EXCEEDED",
            ResponseType::RequestTooLarge => "REQUEST_TOO_LARGE",
            ResponseType::ResourceNotFound => "RESOURCE_NOT_FOUND",
            ResponseType::Throttled => "THROTTLED",
            ResponseType::Unauthorized => "UNAUTHORIZED",
            ResponseType::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            ResponseType::WafFiltered => "WAF_FILTERED",
        }
    }
}

/// Whose doing a refusal is: the first question of whoever is on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The client's.
    Client,
    /// The backend's.
    Backend,
    /// The API's configuration, or ours.
    Gateway,
}

/// How the built-in body is written. The difference is observed on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyStyle {
    /// `{"message":"X"}`: raised before the execution starts.
    Tight,
    /// `{"message": "X"}`: raised after it.
    Spaced,
    /// `{"Message":"X"}`: access denied.
    CapitalMessage,
    /// `{"message":null}`: authorizer failures.
    Null,
}

/// One refusal: what the client gets, and what the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The gateway response that applies; `None` where no API is known yet.
    pub response_type: Option<ResponseType>,
    /// Built-in status.
    pub status: u16,
    /// `x-amzn-ErrorType`.
    pub error_type: &'static str,
    /// `$context.error.message`.
    pub message: Cow<'static, str>,
    /// Shape of the built-in body.
    pub body: BodyStyle,
    /// Whose doing it is.
    pub fault: Fault,
    /// The execution log's line; empty if it has none.
    pub log: Cow<'static, str>,
}

impl Refusal {
    fn client(
        response_type: Option<ResponseType>,
        status: u16,
        error_type: &'static str,
        message: &'static str,
    ) -> Self {
        Refusal {
            response_type,
            status,
            error_type,
            message: Cow::Borrowed(message),
            body: BodyStyle::Tight,
            fault: Fault::Client,
            log: Cow::Borrowed(""),
        }
    }

    fn execution(
        response_type: ResponseType,
        status: u16,
        message: &'static str,
        fault: Fault,
        log: impl Into<Cow<'static, str>>,
    ) -> Self {
        Refusal {
            response_type: Some(response_type),
            status,
            error_type: "InternalServerErrorException",
            message: Cow::Borrowed(message),
            body: BodyStyle::Spaced,
            fault,
            log: log.into(),
        }
    }

    /// No route: 403, never 404 or 405 (observed).
    #[must_use]
    pub fn missing_authentication_token() -> Self {
        let kind = Some(ResponseType::MissingAuthenticationToken);
        Self::client(kind, 403, "MissingAuthenticationTokenException", "Missing Authentication Token")
    }

    /// No such API or stage: no gateway response applies.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::client(None, 403, "ForbiddenException", "Forbidden")
    }

    /// No route, and an `Authorization` that isn't a whole signature.
    #[must_use]
    pub fn incomplete_signature(message: String) -> Self {
        let refusal = Self::missing_authentication_token();
        Refusal { error_type: "IncompleteSignatureException", message: Cow::Owned(message), ..refusal }
    }

    /// A rate or burst limit.
    #[must_use]
    pub fn throttled() -> Self {
        Self::client(Some(ResponseType::Throttled), 429, "TooManyRequestsException", "Too Many Requests")
    }

    /// The payload is over the limit; the text is unverified (spec, question 2).
    #[must_use]
    pub fn request_too_large() -> Self {
        Self::client(Some(ResponseType::RequestTooLarge), 413, "RequestTooLargeException", "Request Too Long")
    }

    /// The request target is over the limit. Text ours.
    #[must_use]
    pub fn uri_too_long() -> Self {
        Self::client(None, 414, "RequestUriTooLongException", "Request URI too long")
    }

    /// The header section is over a limit. Status and text ours.
    #[must_use]
    pub fn headers_too_large() -> Self {
        Self::client(None, 431, "RequestHeaderFieldsTooLargeException", "Request Header Fields Too Large")
    }

    /// The message is not HTTP/1.1 as RFC 9112 has it. Text ours.
    #[must_use]
    pub fn malformed() -> Self {
        Self::client(None, 400, "BadRequestException", "Bad Request")
    }

    /// A transfer coding or method that no implementation here knows (RFC 9112 §6.1). Text ours.
    #[must_use]
    pub fn not_implemented() -> Self {
        Self::client(None, 501, "NotImplementedException", "Not Implemented")
    }

    /// A version of HTTP that isn't 1.0 or 1.1 (RFC 9110 §15.6.6). Text ours.
    #[must_use]
    pub fn version_not_supported() -> Self {
        Self::client(None, 505, "HttpVersionNotSupportedException", "HTTP Version Not Supported")
    }

    /// The head or body didn't come in time (RFC 9110 §15.5.9). Text ours.
    #[must_use]
    pub fn request_timeout() -> Self {
        Self::client(None, 408, "RequestTimeoutException", "Request Timeout")
    }

    /// The node has no room for another request. AWS's name for it; that AWS answers so is not recorded.
    #[must_use]
    pub fn overloaded() -> Self {
        let refusal = Self::client(None, 503, "ServiceUnavailableException", "Service Unavailable");
        Refusal { fault: Fault::Gateway, ..refusal }
    }

    /// The client left; nobody reads this. The status is what logs of this field use.
    #[must_use]
    pub fn client_closed() -> Self {
        Self::client(None, 499, "ClientClosedRequestException", "Client Closed Request")
    }

    /// A mapping or body that can't be read.
    #[must_use]
    pub fn bad_request(message: &'static str) -> Self {
        let kind = Some(ResponseType::Default4xx);
        Refusal { body: BodyStyle::Spaced, ..Self::client(kind, 400, "BadRequestException", message) }
    }

    /// An unknown or broken content coding, found before the execution starts.
    #[must_use]
    pub fn unsupported_content_coding() -> Self {
        Refusal { body: BodyStyle::Tight, ..Self::unsupported_media_type() }
    }

    /// No template for the media type.
    #[must_use]
    pub fn unsupported_media_type() -> Self {
        let kind = Some(ResponseType::UnsupportedMediaType);
        let refusal = Self::client(kind, 415, "BadRequestException", "Unsupported Media Type");
        Refusal { body: BodyStyle::Spaced, ..refusal }
    }

    /// The API is set up wrongly; `why` goes to the execution log only.
    #[must_use]
    pub fn configuration_error(why: &str) -> Self {
        let log = format!("Execution failed due to configuration error: {why}");
        Self::execution(
            ResponseType::ApiConfigurationError,
            500,
            "Internal server error",
            Fault::Gateway,
            log,
        )
    }

    /// The backend's network failed.
    #[must_use]
    pub fn integration_failure() -> Self {
        let log = "Execution failed due to a network error communicating with endpoint";
        let message = "Network error communicating with endpoint";
        Self::execution(ResponseType::IntegrationFailure, 504, message, Fault::Backend, log)
    }

    /// The backend took too long.
    #[must_use]
    pub fn integration_timeout() -> Self {
        let log = "Execution failed due to a timeout error";
        Self::execution(
            ResponseType::IntegrationTimeout,
            504,
            "Endpoint request timed out",
            Fault::Backend,
            log,
        )
    }

    /// Appends the built-in body, with the message as a JSON string.
    pub fn write_body(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self.body {
            BodyStyle::Tight => b"{\"message\":".as_slice(),
            BodyStyle::Spaced => b"{\"message\": ",
            BodyStyle::CapitalMessage => b"{\"Message\":",
            BodyStyle::Null => b"{\"message\":null}",
        });
        if self.body != BodyStyle::Null {
            write_json_string(out, &self.message);
            out.push(b'}');
        }
    }
}

/// Appends `text` as a JSON string with its quotes (RFC 8259 §7).
pub fn write_json_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=31 => {
                out.extend_from_slice(b"\\u");
                out.extend_from_slice(&crate::id::hex(u64::from(byte))[12..]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(refusal: &Refusal) -> String {
        let mut out = Vec::new();
        refusal.write_body(&mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn bodies_are_those_observed() {
        assert_eq!(
            body(&Refusal::missing_authentication_token()),
            r#"{"message":"Missing Authentication Token"}"#
        );
        assert_eq!(body(&Refusal::throttled()), r#"{"message":"Too Many Requests"}"#);
        let internal = body(&Refusal::configuration_error("x"));
        assert_eq!(internal, r#"{"message": "Internal server error"}"#);
        assert_eq!(internal.len(), 36);
    }

    #[test]
    fn strings_are_escaped() {
        let mut out = Vec::new();
        write_json_string(&mut out, "a\"\\\n\u{1}é");
        assert_eq!(out, "\"a\\\"\\\\\\n\\u0001é\"".as_bytes());
    }
}
