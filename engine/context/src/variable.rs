//! `$context` variables by name, and their values.
//!
//! The list is that of REST APIs; a variable that needs a feature which didn't run has no value and shows as `-` in
//! access logs. Names are case-sensitive.

use codec::h1::ResponseHead;
use vocabulary::KnownField;
use vocabulary::refusal::write_json_string;

use crate::exchange::Exchange;
use crate::{address, calendar};

/// A variable that this gateway can have a value for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContextVariable {
    /// `$context.accountId`
    AccountId,
    /// `$context.apiId`
    ApiId,
    /// `$context.awsEndpointRequestId`
    AwsEndpointRequestId,
    /// `$context.cipherSuite`
    CipherSuite,
    /// `$context.deploymentId`
    DeploymentId,
    /// `$context.domainName`
    DomainName,
    /// `$context.domainPrefix`
    DomainPrefix,
    /// `$context.error.message`
    ErrorMessage,
    /// `$context.error.messageString`
    ErrorMessageString,
    /// `$context.error.responseType`
    ErrorResponseType,
    /// `$context.extendedRequestId`
    ExtendedRequestId,
    /// `$context.httpMethod`
    HttpMethod,
    /// `$context.identity.sourceIp`
    IdentitySourceIp,
    /// `$context.identity.userAgent`
    IdentityUserAgent,
    /// `$context.integration.error`
    IntegrationError,
    /// `$context.integration.latency`
    IntegrationLatency,
    /// `$context.integration.requestId`
    IntegrationRequestId,
    /// `$context.integration.responseTransferMode`
    IntegrationResponseTransferMode,
    /// `$context.integration.status`
    IntegrationStatus,
    /// `$context.isCanaryRequest`
    IsCanaryRequest,
    /// `$context.path`
    Path,
    /// `$context.protocol`
    Protocol,
    /// `$context.requestId`
    RequestId,
    /// `$context.requestTime`
    RequestTime,
    /// `$context.requestTimeEpoch`
    RequestTimeEpoch,
    /// `$context.resourceId`
    ResourceId,
    /// `$context.resourcePath`
    ResourcePath,
    /// `$context.responseLatency`
    ResponseLatency,
    /// `$context.responseLength`
    ResponseLength,
    /// `$context.stage`
    Stage,
    /// `$context.status`
    Status,
    /// `$context.tlsVersion`
    TlsVersion,
}

impl ContextVariable {
    /// The variable of a name without its `$context.`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "accountId" => ContextVariable::AccountId,
            "apiId" => ContextVariable::ApiId,
            "awsEndpointRequestId" => ContextVariable::AwsEndpointRequestId,
            "cipherSuite" => ContextVariable::CipherSuite,
            "deploymentId" => ContextVariable::DeploymentId,
            "domainName" => ContextVariable::DomainName,
            "domainPrefix" => ContextVariable::DomainPrefix,
            "error.message" => ContextVariable::ErrorMessage,
            "error.messageString" => ContextVariable::ErrorMessageString,
            "error.responseType" => ContextVariable::ErrorResponseType,
            "extendedRequestId" => ContextVariable::ExtendedRequestId,
            "httpMethod" => ContextVariable::HttpMethod,
            "identity.sourceIp" => ContextVariable::IdentitySourceIp,
            "identity.userAgent" => ContextVariable::IdentityUserAgent,
            "integration.error" | "integrationErrorMessage" => ContextVariable::IntegrationError,
            "integration.latency" | "integrationLatency" => ContextVariable::IntegrationLatency,
            "integration.requestId" => ContextVariable::IntegrationRequestId,
            "integration.responseTransferMode" => ContextVariable::IntegrationResponseTransferMode,
            "integration.status" | "integrationStatus" | "integration.integrationStatus" => {
                ContextVariable::IntegrationStatus
            }
            "isCanaryRequest" => ContextVariable::IsCanaryRequest,
            "path" => ContextVariable::Path,
            "protocol" => ContextVariable::Protocol,
            "requestId" => ContextVariable::RequestId,
            "requestTime" => ContextVariable::RequestTime,
            "requestTimeEpoch" => ContextVariable::RequestTimeEpoch,
            "resourceId" => ContextVariable::ResourceId,
            "resourcePath" => ContextVariable::ResourcePath,
            "responseLatency" => ContextVariable::ResponseLatency,
            "responseLength" => ContextVariable::ResponseLength,
            "stage" => ContextVariable::Stage,
            "status" => ContextVariable::Status,
            "tlsVersion" => ContextVariable::TlsVersion,
            _ => return None,
        })
    }
}

/// What is the same for all requests of a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StageFacts {
    /// Owner of the API.
    pub account_id: String,
    /// Region the API is in.
    pub region: String,
    /// Id of the API.
    pub api_id: String,
    /// Name of the API.
    pub api_name: String,
    /// Id of the deployment; empty for files.
    pub deployment_id: String,
    /// Name of the stage.
    pub stage: String,
    /// Whether this is the canary of the stage; `None` for a stage without one.
    pub is_canary: Option<bool>,
    /// `AmazonAPIGateway_{apiId}`: what backends see where the client named no user agent.
    pub user_agent: String,
}

/// What is the same for all requests of a route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteFacts {
    /// Template path, `/{proxy+}`.
    pub resource_path: String,
    /// Id of the resource.
    pub resource_id: String,
    /// Names of the template's variables, in its order.
    pub path_variables: Vec<String>,
}

/// Everything a look-up may draw on.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The exchange.
    pub exchange: &'a Exchange,
    /// Its stage, once known.
    pub stage: Option<&'a StageFacts>,
    /// Its route, once known.
    pub route: Option<&'a RouteFacts>,
}

impl Facts<'_> {
    /// Appends a variable's value; false if it has none, and nothing is appended.
    pub fn write(&self, variable: ContextVariable, out: &mut Vec<u8>) -> bool {
        let exchange = self.exchange;
        match variable {
            ContextVariable::AccountId => self.stage_text(out, |stage| &stage.account_id),
            ContextVariable::ApiId => self.stage_text(out, |stage| &stage.api_id),
            ContextVariable::DeploymentId => self.stage_text(out, |stage| &stage.deployment_id),
            ContextVariable::Stage => self.stage_text(out, |stage| &stage.stage),
            ContextVariable::IsCanaryRequest => {
                let word = self.stage.and_then(|stage| stage.is_canary);
                text(out, word.map(|is_canary| if is_canary { b"true".as_slice() } else { b"false" }))
            }
            ContextVariable::ResourceId => self.route_text(out, |route| &route.resource_id),
            ContextVariable::ResourcePath => self.route_text(out, |route| &route.resource_path),
            ContextVariable::AwsEndpointRequestId | ContextVariable::IntegrationRequestId => {
                text(out, endpoint_request_id(exchange))
            }
            ContextVariable::DomainName => text(out, Some(domain_name(exchange))),
            ContextVariable::DomainPrefix => {
                text(out, domain_name(exchange).split(|&octet| octet == b'.').next())
            }
            ContextVariable::ErrorMessage => {
                text(out, exchange.refusal.as_ref().map(|refusal| refusal.message.as_bytes()))
            }
            ContextVariable::ErrorMessageString => match &exchange.refusal {
                Some(refusal) => {
                    write_json_string(out, &refusal.message);
                    true
                }
                None => false,
            },
            ContextVariable::ErrorResponseType => {
                let kind = exchange.refusal.as_ref().and_then(|refusal| refusal.response_type);
                text(out, kind.map(|kind| kind.as_str().as_bytes()))
            }
            ContextVariable::ExtendedRequestId => text(out, Some(&exchange.extended_request_id.0)),
            ContextVariable::HttpMethod => text(out, Some(http_method(exchange))),
            ContextVariable::IdentitySourceIp => {
                address::write(out, exchange.source_ip);
                true
            }
            ContextVariable::IdentityUserAgent => text(out, exchange.request.find(KnownField::UserAgent)),
            ContextVariable::IntegrationError => {
                let backend = exchange.refusal.as_ref().filter(|_| exchange.integration_status.is_none());
                text(out, backend.map(|refusal| refusal.log.as_bytes()))
            }
            ContextVariable::IntegrationLatency => {
                number(out, exchange.integration_latency_ns.map(|latency_ns| latency_ns / 1_000_000))
            }
            // Streams are refused at import.
            ContextVariable::IntegrationResponseTransferMode => {
                text(out, self.route.map(|_| b"BUFFERED".as_slice()))
            }
            ContextVariable::IntegrationStatus => number(out, exchange.integration_status.map(u64::from)),
            ContextVariable::Path => self.write_path(out),
            ContextVariable::Protocol => text(out, Some(protocol(exchange))),
            ContextVariable::RequestId => write_request_id(exchange, out),
            ContextVariable::RequestTime => {
                text(out, Some(&calendar::request_time(exchange.arrival_unix_ms)))
            }
            ContextVariable::RequestTimeEpoch => number(out, Some(exchange.arrival_unix_ms)),
            ContextVariable::TlsVersion => text(out, exchange.tls.map(|(version, _)| version.as_bytes())),
            ContextVariable::CipherSuite => text(out, exchange.tls.map(|(_, suite)| suite.as_bytes())),
            ContextVariable::ResponseLatency => number(out, Some(exchange.response_latency_ns / 1_000_000)),
            ContextVariable::ResponseLength => number(out, Some(exchange.response_length)),
            ContextVariable::Status => {
                number(out, Some(exchange.status).filter(|status| *status != 0).map(u64::from))
            }
        }
    }

    fn stage_text(&self, out: &mut Vec<u8>, of: impl Fn(&StageFacts) -> &String) -> bool {
        text(out, self.stage.map(|stage| of(stage).as_bytes()))
    }

    fn route_text(&self, out: &mut Vec<u8>, of: impl Fn(&RouteFacts) -> &String) -> bool {
        text(out, self.route.map(|route| of(route).as_bytes()))
    }

    /// `$context.path`: the path after the stage, with the stage in front where the address had it.
    fn write_path(&self, out: &mut Vec<u8>) -> bool {
        match self.stage {
            Some(stage) if self.exchange.path_has_stage => {
                out.push(b'/');
                out.extend_from_slice(stage.stage.as_bytes());
                out.extend_from_slice(self.exchange.routed_path());
                true
            }
            _ => text(out, Some(self.exchange.request.path())),
        }
    }
}

/// The method that was routed; the token as it came for one that REST APIs don't know.
fn http_method(exchange: &Exchange) -> &[u8] {
    match exchange.method.as_str() {
        "" => exchange.request.method_bytes(),
        word => word.as_bytes(),
    }
}

/// The host asked for, without its port.
fn domain_name(exchange: &Exchange) -> &[u8] {
    let host = exchange.request.host();
    let bracket = host.iter().rposition(|&octet| octet == b']').unwrap_or(0);
    match host.iter().rposition(|&octet| octet == b':') {
        Some(colon) if colon > bracket => &host[..colon],
        _ => host,
    }
}

/// From either of the two fields that AWS's services use (guide).
fn endpoint_request_id(exchange: &Exchange) -> Option<&[u8]> {
    let head: &ResponseHead = exchange.inbound.as_deref()?;
    exchange.integration_status?;
    head.find(KnownField::XAmznRequestId).or_else(|| {
        let named = |name: &[u8]| name.eq_ignore_ascii_case(b"x-amz-request-id");
        let field = head.fields().iter().find(|field| named(head.name(field)))?;
        Some(head.value(field))
    })
}

fn protocol(exchange: &Exchange) -> &'static [u8] {
    if exchange.http2 { b"HTTP/2.0" } else { b"HTTP/1.1" }
}

fn write_request_id(exchange: &Exchange, out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(&exchange.request_id.0);
    if exchange.request_id_replaced {
        out.extend_from_slice(b"_REPLACED_INVALID_REQUEST_ID");
    }
    true
}

fn text(out: &mut Vec<u8>, value: Option<&[u8]>) -> bool {
    match value {
        Some(value) if !value.is_empty() => {
            out.extend_from_slice(value);
            true
        }
        _ => false,
    }
}

fn number(out: &mut Vec<u8>, value: Option<u64>) -> bool {
    let Some(value) = value else { return false };
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    true
}

#[cfg(test)]
mod tests {
    use codec::h1::HeadLimits;

    use super::*;

    fn look_up(name: &str) -> String {
        let mut exchange = Exchange::default();
        let head =
            b"GET /prod//pets/1 HTTP/1.1\r\nHost: abc.execute-api.localhost:8080\r\nUser-Agent: curl\r\n\r\n";
        exchange.request.parse(head, &HeadLimits::default()).expect("head");
        exchange.arrive(0, 1_626_327_316_999, [1; 6]);
        exchange.method = vocabulary::Method::Get;
        exchange.path_start = 5;
        exchange.path_has_stage = true;
        exchange.status = 200;
        let stage = StageFacts { api_id: "abc".into(), stage: "prod".into(), ..StageFacts::default() };
        let route = RouteFacts { resource_path: "/pets/{id}".into(), ..RouteFacts::default() };
        let facts = Facts { exchange: &exchange, stage: Some(&stage), route: Some(&route) };
        let mut out = Vec::new();
        let variable = ContextVariable::from_name(name).expect("known");
        if facts.write(variable, &mut out) { String::from_utf8(out).expect("text") } else { "-".to_owned() }
    }

    #[test]
    fn values_are_those_of_the_guide() {
        for (name, expected) in [
            ("path", "/prod//pets/1"),
            ("resourcePath", "/pets/{id}"),
            ("domainName", "abc.execute-api.localhost"),
            ("domainPrefix", "abc"),
            ("httpMethod", "GET"),
            ("status", "200"),
            ("requestTime", "15/Jul/2021:05:35:16 +0000"),
            ("requestTimeEpoch", "1626327316999"),
            ("identity.sourceIp", "0.0.0.0"),
            ("identity.userAgent", "curl"),
            ("integrationLatency", "-"),
            ("error.message", "-"),
            ("protocol", "HTTP/1.1"),
        ] {
            assert_eq!(look_up(name), expected, "{name}");
        }
        assert_eq!(ContextVariable::from_name("Status"), None);
    }
}
