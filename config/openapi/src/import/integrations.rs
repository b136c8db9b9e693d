//! `x-amazon-apigateway-integration`

use std::collections::BTreeMap;

use model::{
    ConnectionType, ContentHandling, IndexMap, Integration, IntegrationResponse, IntegrationType, Method,
    PassthroughBehavior, ResponseTransferMode,
};
use vocabulary::MethodKey;
use vocabulary::limits::{INTEGRATION_TIMEOUT_MS_MIN, INTEGRATION_TIMEOUT_MS_RAISED};

use super::Importer;
use super::value::texts;
use crate::node::{Node, Value};

impl<'a> Importer<'a> {
    pub(super) fn integration(
        &mut self,
        path: &str,
        key: MethodKey,
        node: &'a Node,
        method: &Method,
    ) -> Option<Integration> {
        let node = self.resolve(node)?;
        let text = |name: &str| node.get(name).and_then(Node::as_text);
        let word = |name: &str| text(name).map(str::to_ascii_uppercase);
        let mut refuse = |why: &str| {
            let verb = key.as_str();
            self.errors
                .push(format!("Unable to put integration on '{verb}' for resource at path '{path}': {why}"));
        };
        let Some(kind) = word("type").and_then(|word| IntegrationType::from_word(&word)) else {
            refuse("Invalid integration type specified");
            return None;
        };
        let has_backend = kind != IntegrationType::Mock;
        let (http_method, uri) = (word("httpMethod"), text("uri"));
        if let Some(why) = wrong(kind, http_method.as_deref(), uri) {
            refuse(why);
            return None;
        }
        let mut integration = Integration {
            http_method: http_method.filter(|_| has_backend),
            uri: uri.filter(|_| has_backend).map(str::to_owned),
            connection_type: word("connectionType").and_then(|word| ConnectionType::from_word(&word)),
            connection_id: text("connectionId").map(str::to_owned),
            credentials: text("credentials").map(str::to_owned),
            integration_target: text("integrationTarget").map(str::to_owned),
            content_handling: word("contentHandling").and_then(|word| ContentHandling::from_word(&word)),
            response_transfer_mode: word("responseTransferMode")
                .and_then(|word| ResponseTransferMode::from_word(&word)),
            cache_namespace: text("cacheNamespace").map(str::to_owned),
            cache_key_parameters: node.get("cacheKeyParameters").map(texts).unwrap_or_default(),
            ..Integration::new(kind)
        };
        if let Some(behavior) = word("passthroughBehavior") {
            match PassthroughBehavior::from_word(&behavior) {
                Some(behavior) => integration.passthrough_behavior = behavior,
                None => refuse("Invalid passthrough behavior specified"),
            }
        }
        if let Some(timeout) = text("timeoutInMillis") {
            match timeout.parse::<u32>() {
                Ok(timeout)
                    if (INTEGRATION_TIMEOUT_MS_MIN..=INTEGRATION_TIMEOUT_MS_RAISED).contains(&timeout) =>
                {
                    integration.timeout_in_millis = timeout;
                }
                _ => refuse("Timeout should be between 50 ms and 29000 ms"),
            }
        }
        let tls = node.get("tlsConfig");
        integration.insecure_skip_verification =
            tls.map(|tls| tls.get("insecureSkipVerification").and_then(Node::as_text) == Some("true"));
        let protocol = node.get("x-turnpike").and_then(|ours| ours.get("protocol")).and_then(Node::as_text);
        integration.http2 = matches!(protocol, Some("h2" | "h2c"));
        let parameters = node.get("requestParameters").map(Node::entries).unwrap_or_default();
        integration.request_parameters = self.strings(path, key, "requestParameters", parameters);
        integration.request_templates = templates(node.get("requestTemplates"));
        self.responses(path, key, node, &mut integration);
        self.check_parameters(path, key, &integration, method);
        Some(integration)
    }

    /// Texts of an object. AWS warns of another value and goes on without it (recorded).
    fn strings(
        &mut self,
        path: &str,
        key: MethodKey,
        what: &str,
        entries: &'a [(crate::node::Key, Node)],
    ) -> BTreeMap<String, String> {
        let mut strings = BTreeMap::new();
        for (name, value) in entries {
            match &value.value {
                Value::String(text) => drop(strings.insert(name.text.clone(), text.clone())),
                _ => self.warnings.push(format!(
                    "Invalid format for '{what}'. Expected type string for property '{}' of resource '{path}' and method \
                     '{}' but got '{}'",
                    name.text,
                    key.as_str(),
                    value.as_text().unwrap_or(value.kind())
                )),
            }
        }
        strings
    }

    fn responses(&mut self, path: &str, key: MethodKey, node: &'a Node, integration: &mut Integration) {
        for (pattern, value) in node.get("responses").map(Node::entries).unwrap_or_default() {
            let status = value.get("statusCode").and_then(Node::as_text).and_then(|text| text.parse().ok());
            let Some(status_code) = status.filter(|status| (100..600).contains(status)) else {
                self.errors.push(format!(
                    "Unable to put integration response on '{}' for resource at path '{path}': Invalid status code specified",
                    key.as_str()
                ));
                continue;
            };
            let handling = value.get("contentHandling").and_then(Node::as_text).map(str::to_ascii_uppercase);
            let parameters = value.get("responseParameters").map(Node::entries).unwrap_or_default();
            integration.responses.push(IntegrationResponse {
                status_code,
                selection_pattern: (pattern.text != "default").then(|| pattern.text.clone()),
                content_handling: handling.and_then(|word| ContentHandling::from_word(&word)),
                response_parameters: self.strings(path, key, "responseParameters", parameters),
                response_templates: templates(value.get("responseTemplates")),
            });
        }
        integration.responses.sort_by_key(|response| response.status_code);
    }

    /// A mapping from a parameter that the method doesn't declare, or to a header that its response doesn't.
    fn check_parameters(&mut self, path: &str, key: MethodKey, integration: &Integration, method: &Method) {
        let invalid = |what: &str, name: &str| {
            format!(
                "Unable to put {what} on '{}' for resource at path '{path}': Invalid mapping expression specified: Validation \
                 Result: warnings : [], errors : [Invalid mapping expression parameter specified: {name}]",
                key.as_str()
            )
        };
        for source in integration.request_parameters.values() {
            let Some(rest) = source.strip_prefix("method.request.") else { continue };
            let rest = rest.strip_prefix("multivalue").unwrap_or(rest);
            let is_parameter =
                ["header.", "querystring.", "path."].iter().any(|location| rest.starts_with(location));
            if is_parameter && !method.request_parameters.contains_key(&format!("method.request.{rest}")) {
                self.errors.push(invalid("integration", source));
            }
        }
        for response in &integration.responses {
            // One that isn't declared at all fails when it is selected.
            let Some(declared) = method.responses.get(&response.status_code) else { continue };
            for target in response.response_parameters.keys() {
                let is_declared =
                    declared.response_parameters.as_ref().is_some_and(|headers| headers.contains_key(target));
                if !is_declared {
                    self.errors.push(invalid("integration response", target));
                }
            }
        }
    }
}

/// What is wrong with the backend of an integration.
fn wrong(kind: IntegrationType, http_method: Option<&str>, uri: Option<&str>) -> Option<&'static str> {
    let uri = uri.unwrap_or_default();
    if kind == IntegrationType::Mock {
        return None;
    }
    if http_method.unwrap_or_default().is_empty() {
        return Some("Enumeration value for HttpMethod must be non-empty");
    }
    match kind {
        IntegrationType::Http | IntegrationType::HttpProxy => {
            let lower = uri.to_ascii_lowercase();
            let known = ["http://", "https://", "http+unix://", "${stagevariables."];
            (!known.iter().any(|scheme| lower.starts_with(scheme)))
                .then_some("Invalid HTTP endpoint specified for URI")
        }
        IntegrationType::AwsProxy if !uri.starts_with("arn:") => Some("Invalid function ARN or invalid uri"),
        IntegrationType::Aws if !uri.starts_with("arn:") => Some("Invalid ARN specified in the request"),
        _ => (!uri.contains(":path/") && !uri.contains(":action/"))
            .then_some("AWS ARN for integration must contain path or action"),
    }
}

/// Templates in their order; null is an empty one.
fn templates(node: Option<&Node>) -> IndexMap<String, String> {
    let entries = node.map(Node::entries).unwrap_or_default();
    let text = |value: &Node| value.as_text().unwrap_or_default().to_owned();
    entries.iter().map(|(key, value)| (key.text.clone(), text(value))).collect()
}
