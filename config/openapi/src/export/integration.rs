//! Integrations as `x-amazon-apigateway-integration`: members in recorded order, defaults left out.

use model::integration::TIMEOUT_MS;
use model::{
    ConnectionType, ContentHandling, IndexMap, Integration, IntegrationResponse, PassthroughBehavior,
    ResponseTransferMode,
};
use serde_json::{Map, Value, json};

/// An integration as the extension has it.
pub(super) fn show(integration: &Integration) -> Value {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            shown.insert(name.to_owned(), value);
        }
    };
    let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
    put("type", Some(json!(integration.kind.as_str().to_ascii_lowercase())));
    put("connectionId", text(&integration.connection_id));
    put("credentials", text(&integration.credentials));
    put("httpMethod", text(&integration.http_method));
    put("uri", text(&integration.uri));
    let responses: Map<String, Value> = integration.responses.iter().map(show_response).collect();
    put("responses", (!responses.is_empty()).then(|| Value::Object(responses)));
    let parameters = &integration.request_parameters;
    put("requestParameters", (!parameters.is_empty()).then(|| json!(parameters)));
    put("requestTemplates", templates(&integration.request_templates));
    let passthrough = match integration.passthrough_behavior {
        PassthroughBehavior::WhenNoMatch => "when_no_match",
        PassthroughBehavior::WhenNoTemplates => "when_no_templates",
        PassthroughBehavior::Never => "never",
    };
    put("passthroughBehavior", Some(json!(passthrough)));
    let timeout = integration.timeout_in_millis;
    put("timeoutInMillis", (timeout != TIMEOUT_MS).then(|| json!(timeout)));
    // What an import doesn't say means the internet.
    let connection = integration.connection_type.filter(|kind| *kind != ConnectionType::Internet);
    put("connectionType", connection.map(|kind| json!(kind.as_str())));
    put(
        "contentHandling",
        integration.content_handling.map(|handling| json!(ContentHandling::as_str(handling))),
    );
    put("cacheNamespace", text(&integration.cache_namespace));
    let keys = &integration.cache_key_parameters;
    put("cacheKeyParameters", (!keys.is_empty()).then(|| json!(keys)));
    let tls = integration.insecure_skip_verification;
    put("tlsConfig", tls.map(|skip| json!({"insecureSkipVerification": skip})));
    let mode = integration.response_transfer_mode;
    put("responseTransferMode", mode.map(|mode| json!(ResponseTransferMode::as_str(mode))));
    put("integrationTarget", text(&integration.integration_target));
    put("x-turnpike", integration.http2.then(|| json!({"protocol": protocol(integration)})));
    Value::Object(shown)
}

fn protocol(integration: &Integration) -> &'static str {
    let uri = integration.uri.as_deref().unwrap_or_default();
    if uri.to_ascii_lowercase().starts_with("https://") { "h2" } else { "h2c" }
}

fn show_response(response: &IntegrationResponse) -> (String, Value) {
    let mut shown = Map::new();
    shown.insert("statusCode".to_owned(), json!(response.status_code.to_string()));
    if !response.response_parameters.is_empty() {
        shown.insert("responseParameters".to_owned(), json!(response.response_parameters));
    }
    if let Some(templates) = templates(&response.response_templates) {
        shown.insert("responseTemplates".to_owned(), templates);
    }
    if let Some(handling) = response.content_handling {
        shown.insert("contentHandling".to_owned(), json!(handling.as_str()));
    }
    let pattern = response.selection_pattern.clone().unwrap_or_else(|| "default".to_owned());
    (pattern, Value::Object(shown))
}

fn templates(templates: &IndexMap<String, String>) -> Option<Value> {
    let value = |text: &String| if text.is_empty() { Value::Null } else { json!(text) };
    let shown: Map<String, Value> =
        templates.iter().map(|(name, text)| (name.clone(), value(text))).collect();
    (!shown.is_empty()).then(|| Value::Object(shown))
}
