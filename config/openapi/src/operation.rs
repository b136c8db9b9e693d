//! An operation: a method of a resource with its parameters, responses and integration.

use std::collections::BTreeMap;

use model::{Entity, Method, MethodResponse};
use vocabulary::MethodKey;

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::Positions;
use crate::node::{Key, Node, Value};
use crate::reader::Reader;
use crate::{extension, integration, settings};

/// Members of an operation that say nothing about how requests are served.
const SILENT: [&str; 10] = [
    "summary",
    "description",
    "tags",
    "deprecated",
    "externalDocs",
    "schemes",
    "callbacks",
    "servers",
    "consumes",
    "produces",
];
const KNOWN: [&str; 8] = [
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "security",
    "summary",
    "description",
    "x-amazon-apigateway-integration",
];

/// The method key of a path item's member.
pub(crate) fn method_key(verb: &str) -> Option<MethodKey> {
    use vocabulary::Method;
    Some(match verb {
        "get" => MethodKey::One(Method::Get),
        "put" => MethodKey::One(Method::Put),
        "post" => MethodKey::One(Method::Post),
        "delete" => MethodKey::One(Method::Delete),
        "options" => MethodKey::One(Method::Options),
        "head" => MethodKey::One(Method::Head),
        "patch" => MethodKey::One(Method::Patch),
        "x-amazon-apigateway-any-method" => MethodKey::Any,
        _ => return None,
    })
}

/// Reads one operation.
pub(crate) fn read<'a>(
    reader: &mut Reader<'a>,
    path: &str,
    method: MethodKey,
    key: &'a Key,
    node: &'a Node,
    positions: &mut Positions,
) -> Option<Method> {
    positions.set(Entity::new(path, method, ""), key.span);
    let mut operation_name = None;
    let mut request_parameters = path_parameters(path);
    let mut responses = BTreeMap::new();
    let mut throttle = None;
    let mut found = None;
    for (key, value) in reader.object(node, "an operation") {
        match key.text.as_str() {
            "operationId" => operation_name = reader.text(value, "operationId").map(str::to_owned),
            "parameters" => read_parameters(reader, value, &mut request_parameters),
            "responses" => responses = read_responses(reader, value),
            "security" if value.items().is_empty() => {}
            "security" => reader.unsupported(key.span, "`security` (authorizers and API keys)"),
            // Without a validator a request's model has no effect.
            "requestBody" => {}
            "x-amazon-apigateway-integration" => {
                let place = integration::Place { path, method };
                found = Some(integration::read(reader, &place, key, value, positions));
            }
            "x-amazon-apigateway-auth" => read_auth(reader, value),
            "x-turnpike" => throttle = read_settings(reader, value),
            name if SILENT.contains(&name) => {}
            _ => extension::unknown(reader, key, "an operation", &KNOWN),
        }
    }
    let Some(integration) = found else {
        let word = method.as_str();
        let message = format!("No integration defined for method: {word} {path}");
        let help = "add `x-amazon-apigateway-integration` to the operation";
        reader.diagnostics.push(Diagnostic::error("invalid", key.span, message).with_help(help));
        return None;
    };
    let integration = integration?;
    warn_of_undeclared_sources(reader, path, method, &request_parameters, &integration, positions);
    warn_of_undeclared_targets(reader, path, method, &responses, &integration, positions);
    Some(Method {
        operation_name,
        request_parameters,
        integration: Some(integration),
        responses,
        throttle,
        ..Method::default()
    })
}

/// Variables of the path are parameters whether or not they are declared.
fn path_parameters(path: &str) -> BTreeMap<String, bool> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| (format!("method.request.path.{}", name.trim_end_matches('+')), true))
        .collect()
}

fn read_parameters<'a>(reader: &mut Reader<'a>, node: &'a Node, parameters: &mut BTreeMap<String, bool>) {
    for item in node.items() {
        let Some(item) = reader.resolve(item) else { continue };
        let (Some(name), Some(place)) =
            (item.get("name").and_then(Node::as_text), item.get("in").and_then(Node::as_str))
        else {
            reader.error("invalid", item.span, "a parameter needs `name` and `in`");
            continue;
        };
        let required = matches!(item.get("required").map(|node| &node.value), Some(Value::Bool(true)));
        let location = match place {
            "query" => "querystring",
            "header" => "header",
            "path" => "path",
            // Bodies are models; cookies and forms are not parameters of API Gateway.
            "body" | "cookie" | "formData" => continue,
            _ => {
                reader.error("invalid", item.span, format!("`{place}` is no place of a parameter"));
                continue;
            }
        };
        parameters.insert(format!("method.request.{location}.{name}"), required || place == "path");
    }
}

fn read_responses<'a>(reader: &mut Reader<'a>, node: &'a Node) -> BTreeMap<u16, MethodResponse> {
    let mut responses = BTreeMap::new();
    for (key, value) in reader.object(node, "responses") {
        if key.text == "default" || key.text.starts_with("x-") {
            continue;
        }
        let Some(status) = key.text.parse::<u16>().ok().filter(|status| (100..600).contains(status)) else {
            reader.error("invalid", key.span, format!("`{}` is no status code", key.text));
            continue;
        };
        let Some(value) = reader.resolve(value) else { continue };
        let headers = value.get("headers").map(Node::entries).unwrap_or_default();
        let headers: BTreeMap<String, bool> = headers
            .iter()
            .map(|(name, _)| (format!("method.response.header.{}", name.text), false))
            .collect();
        let response_parameters = (!headers.is_empty()).then_some(headers);
        responses.insert(status, MethodResponse { response_parameters, ..MethodResponse::default() });
    }
    responses
}

/// AWS refuses a mapping from a parameter that the method doesn't declare; the mapping itself is clear.
fn warn_of_undeclared_sources(
    reader: &mut Reader<'_>,
    path: &str,
    method: MethodKey,
    declared: &BTreeMap<String, bool>,
    integration: &model::Integration,
    positions: &Positions,
) {
    for (target, source) in &integration.request_parameters {
        let Some(rest) = source.strip_prefix("method.request.") else { continue };
        let single = format!("method.request.{}", rest.strip_prefix("multivalue").unwrap_or(rest));
        let is_parameter = ["header.", "querystring.", "path."]
            .iter()
            .any(|location| single["method.request.".len()..].starts_with(location));
        if !is_parameter || declared.contains_key(&single) {
            continue;
        }
        let message = format!("`{source}` is no declared parameter; AWS refuses this mapping on import");
        let entity = Entity::new(path, method, &format!("integration.requestParameters.{target}"));
        let span = positions.find(&entity).unwrap_or_default();
        let warning = Diagnostic::error("undeclared", span, message)
            .with_help("add it to the operation's `parameters`");
        reader.diagnostics.push(Diagnostic { severity: Severity::Warning, ..warning });
    }
}

/// AWS refuses a mapping to a header that the method response doesn't declare. A response that isn't declared at all
/// fails when it is selected, on AWS too.
fn warn_of_undeclared_targets(
    reader: &mut Reader<'_>,
    path: &str,
    method: MethodKey,
    declared: &BTreeMap<u16, MethodResponse>,
    integration: &model::Integration,
    positions: &Positions,
) {
    for response in &integration.responses {
        let Some(method_response) = declared.get(&response.status_code) else { continue };
        for target in response.response_parameters.keys() {
            let declares = |headers: &BTreeMap<String, bool>| headers.contains_key(target);
            if !target.starts_with("method.response.header.")
                || method_response.response_parameters.as_ref().is_some_and(declares)
            {
                continue;
            }
            let message = format!(
                "`{target}` is no declared header of response {}; AWS refuses this mapping on import",
                response.status_code
            );
            let pattern = response.selection_pattern.as_deref().unwrap_or("default");
            let entity = Entity::new(path, method, &format!("integration.responses.{pattern}"));
            let span = positions.find(&entity).unwrap_or_default();
            let warning = Diagnostic::error("undeclared", span, message)
                .with_help("add it to the `headers` of the operation's response");
            reader.diagnostics.push(Diagnostic { severity: Severity::Warning, ..warning });
        }
    }
}

fn read_auth<'a>(reader: &mut Reader<'a>, node: &'a Node) {
    match node.get("type").and_then(Node::as_str) {
        Some(kind) if kind.eq_ignore_ascii_case("NONE") => {}
        _ => reader.unsupported(node.span, "authorization other than NONE"),
    }
}

fn read_settings<'a>(reader: &mut Reader<'a>, node: &'a Node) -> Option<model::Throttle> {
    let mut throttle = None;
    for (key, value) in reader.object(node, "x-turnpike") {
        match key.text.as_str() {
            "throttle" => throttle = settings::throttle(reader, value),
            _ => extension::unknown(reader, key, "an operation's x-turnpike", &["throttle"]),
        }
    }
    throttle
}
