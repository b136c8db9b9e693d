//! `x-amazon-apigateway-integration`: types, mappings, responses.

use std::collections::BTreeMap;

use model::{Entity, IndexMap, Integration, IntegrationResponse, IntegrationType, PassthroughBehavior};
use vocabulary::MethodKey;
use vocabulary::limits::{
    INTEGRATION_TIMEOUT_MS_MAX, INTEGRATION_TIMEOUT_MS_MIN, INTEGRATION_TIMEOUT_MS_RAISED,
};

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::Positions;
use crate::extension;
use crate::node::{Key, Node, Value};
use crate::reader::Reader;

const KNOWN: [&str; 18] = [
    "type",
    "httpMethod",
    "uri",
    "requestParameters",
    "requestTemplates",
    "responses",
    "passthroughBehavior",
    "timeoutInMillis",
    "connectionType",
    "connectionId",
    "credentials",
    "contentHandling",
    "cacheNamespace",
    "cacheKeyParameters",
    "tlsConfig",
    "responseTransferMode",
    "integrationTarget",
    "payloadFormatVersion",
];

/// Which method an integration belongs to.
pub(crate) struct Place<'a> {
    pub(crate) path: &'a str,
    pub(crate) method: MethodKey,
}

impl Place<'_> {
    fn mark(&self, positions: &mut Positions, part: &str, node: &Node) {
        positions.set(Entity::new(self.path, self.method, part), node.span);
    }
}

/// Reads an integration; nothing if it can't be served.
pub(crate) fn read<'a>(
    reader: &mut Reader<'a>,
    place: &Place<'_>,
    key: &'a Key,
    node: &'a Node,
    positions: &mut Positions,
) -> Option<Integration> {
    place.mark(positions, "integration", node);
    let node = reader.resolve(node)?;
    let kind = read_type(reader, key, node)?;
    let mut integration =
        Integration { timeout_in_millis: INTEGRATION_TIMEOUT_MS_MAX, ..Integration::new(kind) };
    for (key, value) in reader.object(node, "an integration") {
        place.mark(positions, &format!("integration.{}", key.text), value);
        match key.text.as_str() {
            "type" => {}
            "httpMethod" => integration.http_method = read_http_method(reader, value),
            "uri" => integration.uri = read_uri(reader, value),
            "timeoutInMillis" => integration.timeout_in_millis = read_timeout(reader, value),
            "requestParameters" => {
                integration.request_parameters = strings(reader, place, value, "requestParameters")
            }
            "requestTemplates" => integration.request_templates = read_request_templates(reader, value, kind),
            "passthroughBehavior" => integration.passthrough_behavior = read_passthrough(reader, value),
            "x-turnpike" => integration.http2 = read_protocol(reader, node, value),
            "tlsConfig" => integration.insecure_skip_verification = Some(read_tls_config(reader, value)),
            "responses" => integration.responses = read_responses(reader, place, value, kind, positions),
            _ => read_other(reader, key, value),
        }
        if key.text == "requestParameters" {
            for (name, value) in value.entries() {
                place.mark(positions, &format!("integration.requestParameters.{}", name.text), value);
            }
        }
    }
    check(reader, key, node, kind);
    Some(integration)
}

fn read_type(reader: &mut Reader<'_>, key: &Key, node: &Node) -> Option<IntegrationType> {
    let Some(kind) = node.get("type") else {
        reader.error("invalid", key.span, "an integration needs a `type`: http_proxy, http or mock");
        return None;
    };
    match kind.as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("http") => Some(IntegrationType::Http),
        Some("http_proxy") => Some(IntegrationType::HttpProxy),
        Some("mock") => Some(IntegrationType::Mock),
        Some(known @ ("aws" | "aws_proxy")) => {
            reader.unsupported(kind.span, &format!("integration type `{known}`"));
            None
        }
        _ => {
            reader.error("invalid", kind.span, "`type` is one of aws, aws_proxy, http, http_proxy, mock");
            None
        }
    }
}

/// What an integration with a backend can't be without. A member that is there and wrong has been reported.
fn check(reader: &mut Reader<'_>, key: &Key, node: &Node, kind: IntegrationType) {
    if kind == IntegrationType::Mock {
        return;
    }
    if node.get("uri").is_none() {
        reader.error("invalid", key.span, "an HTTP integration needs a `uri`");
    }
    if node.get("httpMethod").is_none() {
        reader.error("invalid", key.span, "Enumeration value for HttpMethod must be non-empty");
    }
}

fn read_http_method<'a>(reader: &mut Reader<'a>, node: &'a Node) -> Option<String> {
    let word = reader.text(node, "httpMethod")?.to_ascii_uppercase();
    let known = word == "ANY" || vocabulary::Method::from_bytes(word.as_bytes()) != vocabulary::Method::Other;
    if !known {
        reader.error("invalid", node.span, format!("`{word}` is no HTTP method of API Gateway"));
    }
    known.then_some(word)
}

fn read_uri<'a>(reader: &mut Reader<'a>, node: &'a Node) -> Option<String> {
    let uri = reader.text(node, "uri")?;
    let lower = uri.to_ascii_lowercase();
    if lower.starts_with("arn:") {
        reader.unsupported(node.span, "an AWS service as a backend");
        return None;
    }
    if !["http://", "https://", "http+unix://"].iter().any(|scheme| lower.starts_with(scheme)) {
        let error = Diagnostic::error("invalid", node.span, "Invalid HTTP endpoint specified for URI");
        reader.diagnostics.push(error.with_help("it begins with http://, https:// or http+unix://"));
        return None;
    }
    Some(uri.to_owned())
}

/// `tlsConfig`: whether the issuer of the backend's certificate may be anybody.
fn read_tls_config<'a>(reader: &mut Reader<'a>, node: &'a Node) -> bool {
    let mut skip = false;
    for (key, value) in reader.object(node, "`tlsConfig`") {
        match (key.text.as_str(), value.as_text()) {
            ("insecureSkipVerification", Some("true")) => skip = true,
            ("insecureSkipVerification", Some("false")) => skip = false,
            ("insecureSkipVerification", _) => {
                reader.error("invalid", value.span, "`insecureSkipVerification` is true or false");
            }
            ("serverNameToVerify", _) => {
                reader.push(
                    Severity::Note,
                    "ignored",
                    key.span,
                    "`serverNameToVerify` belongs to HTTP APIs; the URI's host is verified",
                );
            }
            (other, _) => reader.error("invalid", key.span, format!("`tlsConfig` has no member `{other}`")),
        }
    }
    skip
}

fn read_timeout(reader: &mut Reader<'_>, node: &Node) -> u32 {
    let number = node.as_text().and_then(|text| text.parse::<u32>().ok());
    match number {
        // What the node's own limit makes of it is settled at deployment.
        Some(timeout_ms)
            if (INTEGRATION_TIMEOUT_MS_MIN..=INTEGRATION_TIMEOUT_MS_RAISED).contains(&timeout_ms) =>
        {
            timeout_ms
        }
        _ => {
            reader.error("invalid", node.span, "Timeout should be between 50 ms and 29000 ms");
            INTEGRATION_TIMEOUT_MS_MAX
        }
    }
}

fn read_passthrough<'a>(reader: &mut Reader<'a>, node: &'a Node) -> PassthroughBehavior {
    match reader.text(node, "passthroughBehavior").map(str::to_ascii_uppercase).as_deref() {
        Some("WHEN_NO_MATCH") => PassthroughBehavior::WhenNoMatch,
        Some("WHEN_NO_TEMPLATES") => PassthroughBehavior::WhenNoTemplates,
        Some("NEVER") => PassthroughBehavior::Never,
        _ => {
            let message = "`passthroughBehavior` is when_no_match, when_no_templates or never";
            reader.error("invalid", node.span, message);
            PassthroughBehavior::WhenNoMatch
        }
    }
}

/// An object of strings. AWS warns of another value and goes on without it.
fn strings<'a>(
    reader: &mut Reader<'a>,
    place: &Place<'_>,
    node: &'a Node,
    what: &str,
) -> BTreeMap<String, String> {
    let mut strings = BTreeMap::new();
    for (key, value) in reader.object(node, what) {
        match &value.value {
            Value::String(text) => {
                strings.insert(key.text.clone(), text.clone());
            }
            _ => {
                let got = value.as_text().unwrap_or(value.kind());
                let message = format!(
                    "Invalid format for '{what}'. Expected type string for property '{}' of resource '{}' and method '{}' \
                     but got '{got}'",
                    key.text,
                    place.path,
                    place.method.as_str()
                );
                reader.push(Severity::Warning, "ignored", value.span, message);
            }
        }
    }
    strings
}

fn read_request_templates<'a>(
    reader: &mut Reader<'a>,
    node: &'a Node,
    kind: IntegrationType,
) -> IndexMap<String, String> {
    let mut templates = IndexMap::new();
    for (key, value) in reader.object(node, "requestTemplates") {
        let Some(text) = reader.text(value, "a template") else { continue };
        match kind {
            IntegrationType::Http => {
                reader.unsupported(key.span, "a request template of an `http` integration")
            }
            // Proxy integrations ignore templates, on AWS too.
            IntegrationType::HttpProxy => {
                let message = "proxy integrations don't use request templates";
                reader.push(Severity::Warning, "ignored", key.span, message);
            }
            IntegrationType::Mock if !is_literal(text) => {
                reader.unsupported(value.span, "a mapping template with directives or references");
            }
            IntegrationType::Mock | IntegrationType::Aws | IntegrationType::AwsProxy => {
                templates.insert(key.text.clone(), text.to_owned());
            }
        }
    }
    templates
}

fn read_responses<'a>(
    reader: &mut Reader<'a>,
    place: &Place<'_>,
    node: &'a Node,
    kind: IntegrationType,
    positions: &mut Positions,
) -> Vec<IntegrationResponse> {
    const KNOWN: [&str; 4] = ["statusCode", "responseParameters", "responseTemplates", "contentHandling"];
    let mut responses = Vec::new();
    for (pattern, value) in reader.object(node, "responses") {
        let part = format!("integration.responses.{}", pattern.text);
        positions.set(Entity::new(place.path, place.method, &part), pattern.span);
        let mut response = IntegrationResponse {
            selection_pattern: (pattern.text != "default").then(|| pattern.text.clone()),
            ..IntegrationResponse::default()
        };
        for (key, value) in reader.object(value, "an integration response") {
            match key.text.as_str() {
                "statusCode" => {
                    let status = value.as_text().and_then(|text| text.parse::<u16>().ok());
                    match status.filter(|status| (100..600).contains(status)) {
                        Some(status) => response.status_code = status,
                        None => reader.error("invalid", value.span, "`statusCode` is no status code"),
                    }
                }
                "responseParameters" => {
                    response.response_parameters = strings(reader, place, value, "responseParameters");
                }
                // Proxy integrations ignore their responses, on AWS too.
                "responseTemplates" if kind == IntegrationType::HttpProxy => {
                    let message = "proxy integrations don't use response templates";
                    reader.push(Severity::Warning, "ignored", key.span, message);
                }
                "responseTemplates" => response.response_templates = read_response_templates(reader, value),
                "contentHandling" => reader.unsupported(key.span, "`contentHandling`"),
                _ => extension::unknown(reader, key, "an integration response", &KNOWN),
            }
        }
        if response.status_code == 0 && value.get("statusCode").is_none() {
            reader.error("invalid", pattern.span, "an integration response needs a `statusCode`");
        }
        responses.push(response);
    }
    responses.sort_by_key(|response| response.status_code);
    responses
}

fn read_response_templates<'a>(reader: &mut Reader<'a>, node: &'a Node) -> IndexMap<String, String> {
    let mut templates = IndexMap::new();
    for (key, value) in reader.object(node, "responseTemplates") {
        // AWS writes null for "pass the body".
        let text = if value.value == Value::Null { Some("") } else { reader.text(value, "a template") };
        match text {
            Some(text) if !is_literal(text) => {
                reader.unsupported(value.span, "a mapping template with directives or references");
            }
            Some(text) => drop(templates.insert(key.text.clone(), text.to_owned())),
            None => {}
        }
    }
    templates
}

/// Whether a template says the same in every request.
fn is_literal(text: &str) -> bool {
    vocabulary::template::first_directive(text).is_none()
}

fn read_other<'a>(reader: &mut Reader<'a>, key: &'a Key, value: &'a Node) {
    match key.text.as_str() {
        "connectionType" if value.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("INTERNET")) => {}
        "connectionType" | "connectionId" | "integrationTarget" => reader.unsupported(key.span, "a VPC link"),
        "credentials" => reader.unsupported(key.span, "`credentials`"),
        "contentHandling" => reader.unsupported(key.span, "`contentHandling`"),
        "cacheKeyParameters" if value.items().is_empty() => {}
        "cacheNamespace" | "cacheKeyParameters" => {
            reader.push(
                Severity::Note,
                "ignored",
                key.span,
                "caching is not supported yet; nothing is cached",
            );
        }
        "responseTransferMode"
            if value.as_str().is_some_and(|mode| mode.eq_ignore_ascii_case("BUFFERED")) => {}
        "responseTransferMode" => reader.unsupported(key.span, "`responseTransferMode` STREAM"),
        "payloadFormatVersion" => {
            reader.push(Severity::Note, "ignored", key.span, "`payloadFormatVersion` belongs to HTTP APIs");
        }
        _ => extension::unknown(reader, key, "an integration", &KNOWN),
    }
}

/// `protocol`: whether the backend is called by HTTP/2. With TLS it is agreed on in the handshake (`h2`), without by
/// prior knowledge (`h2c`).
fn read_protocol<'a>(reader: &mut Reader<'a>, integration: &'a Node, node: &'a Node) -> bool {
    let uri = integration.get("uri").and_then(Node::as_str).unwrap_or_default();
    let (fits, other) = if starts_with_https(uri) { ("h2", "h2c") } else { ("h2c", "h2") };
    let mut http2 = false;
    for (key, value) in reader.object(node, "x-turnpike") {
        match (key.text.as_str(), value.as_str()) {
            ("protocol", Some("http1")) => {}
            ("protocol", Some(word)) if word == fits => http2 = true,
            ("protocol", Some(word)) if word == other => {
                let why = format!("`{other}` doesn't go with this `uri`");
                let error = Diagnostic::error("invalid", value.span, why);
                reader
                    .diagnostics
                    .push(error.with_help("h2 goes with https://, h2c with http:// and http+unix://"));
            }
            ("protocol", _) => reader.error("invalid", value.span, "`protocol` is http1, h2 or h2c"),
            _ => extension::unknown(reader, key, "an integration's x-turnpike", &["protocol"]),
        }
    }
    http2
}

fn starts_with_https(uri: &str) -> bool {
    uri.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"))
}
