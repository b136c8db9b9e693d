//! `Integration`
//!
//! AWS: API reference, "PutIntegration", "UpdateIntegration" and their like; shapes and texts are recorded.

use model::{
    ConnectionType, ContentHandling, Integration, IntegrationType, Method, PassthroughBehavior,
    ResponseTransferMode,
};
use serde_json::{Map, Value};
use vocabulary::limits::INTEGRATION_TIMEOUT_MS_MIN;

use super::methods::{self, MEDIA_TYPE, PARAMETER, entry};
use super::{integration_responses, mapping};
use crate::call::{Call, Reply};
use crate::error::{Constraints, Error};
use crate::input::Input;
use crate::json::{self, Object};
use crate::operation::Operation;
use crate::patch::{self, Op, Patch};

const ONE: &str = "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("PutIntegration", "PUT", ONE, put),
    Operation::new("GetIntegration", "GET", ONE, get),
    Operation::new("UpdateIntegration", "PATCH", ONE, update),
    Operation::new("DeleteIntegration", "DELETE", ONE, delete),
];

/// An integration as it is shown; `resource_id` is its cache namespace unless it has another.
pub(crate) fn show(resource_id: &str, integration: &Integration) -> Object {
    let responses: Map<String, Value> = integration
        .responses
        .iter()
        .map(|response| (response.status_code.to_string(), integration_responses::show(response).into()))
        .collect();
    let is_http = matches!(integration.kind, IntegrationType::Http | IntegrationType::HttpProxy);
    let connection = integration.connection_type.or(is_http.then_some(ConnectionType::Internet));
    let tls = integration.insecure_skip_verification;
    Object::new()
        .with("type", integration.kind.as_str())
        .some("httpMethod", integration.http_method.as_deref())
        .some("uri", integration.uri.as_deref())
        .some("connectionType", connection.map(ConnectionType::as_str))
        .some("connectionId", integration.connection_id.as_deref())
        .some("credentials", integration.credentials.as_deref())
        .filled("requestParameters", json::texts(&integration.request_parameters))
        .filled("requestTemplates", json::templates(&integration.request_templates))
        .with("passthroughBehavior", integration.passthrough_behavior.as_str())
        .some("contentHandling", integration.content_handling.map(ContentHandling::as_str))
        .with("timeoutInMillis", integration.timeout_in_millis)
        .with("cacheNamespace", integration.cache_namespace.as_deref().unwrap_or(resource_id))
        .with("cacheKeyParameters", json::list(&integration.cache_key_parameters))
        .filled("integrationResponses", Value::Object(responses))
        .some("tlsConfig", tls.map(|skip| Object::new().with("insecureSkipVerification", skip)))
        .some("responseTransferMode", integration.response_transfer_mode.map(ResponseTransferMode::as_str))
        .some("integrationTarget", integration.integration_target.as_deref())
}

/// What is said of an integration that isn't there (recorded).
pub(crate) fn unknown() -> Error {
    Error::not_found("Invalid Integration identifier specified")
}

fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|one| word(*one)).collect()
}

fn put(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let integration = read(&input)?;
    let (_, resource_id, _) = methods::find(call)?;
    let mut definition = (*call.api()?.definition).clone();
    let method = methods::find_mut(call, &mut definition)?;
    check(&integration, method, call.timeout_ms_max)?;
    let shown = show(resource_id, &integration);
    method.integration = Some(integration);
    call.put_definition(definition)?;
    Ok(Reply::created(shown))
}

fn read(input: &Input) -> Result<Integration, Error> {
    let mut constraints = Constraints::default();
    let failures = &mut constraints;
    let types = words(IntegrationType::ALL, IntegrationType::as_str);
    let kind = input.word("type", IntegrationType::from_word, &types, failures)?;
    if input.get("type").is_none() {
        failures.fail("null", &input.path_of("type"), "Member must not be null");
    }
    let connections = words(ConnectionType::ALL, ConnectionType::as_str);
    let connection_type = input.word("connectionType", ConnectionType::from_word, &connections, failures)?;
    let handlings = words(ContentHandling::ALL, ContentHandling::as_str);
    let content_handling = input.word("contentHandling", ContentHandling::from_word, &handlings, failures)?;
    let modes = words(ResponseTransferMode::ALL, ResponseTransferMode::as_str);
    let response_transfer_mode =
        input.word("responseTransferMode", ResponseTransferMode::from_word, &modes, failures)?;
    constraints.finish()?;
    let kind = kind.unwrap_or(IntegrationType::Mock);
    let has_backend = kind != IntegrationType::Mock;
    let mut integration = Integration {
        http_method: input.string("httpMethod")?.filter(|_| has_backend),
        uri: input.string("uri")?.filter(|_| has_backend),
        connection_type,
        connection_id: input.string("connectionId")?,
        credentials: input.string("credentials")?,
        integration_target: input.string("integrationTarget")?,
        content_handling,
        response_transfer_mode,
        cache_namespace: input.string("cacheNamespace")?,
        cache_key_parameters: input.strings("cacheKeyParameters")?.unwrap_or_default(),
        request_parameters: input.string_map("requestParameters")?.unwrap_or_default(),
        request_templates: input.templates("requestTemplates")?.unwrap_or_default(),
        ..Integration::new(kind)
    };
    if let Some(behavior) = input.string("passthroughBehavior")? {
        integration.passthrough_behavior = passthrough_behavior(&behavior)?;
    }
    if let Some(timeout) = input.integer("timeoutInMillis")? {
        integration.timeout_in_millis = u32::try_from(timeout).unwrap_or(0);
    }
    if let Some(tls) = input.object("tlsConfig")? {
        integration.insecure_skip_verification =
            Some(tls.boolean("insecureSkipVerification")?.unwrap_or(false));
    }
    Ok(integration)
}

fn passthrough_behavior(word: &str) -> Result<PassthroughBehavior, Error> {
    PassthroughBehavior::from_word(word).ok_or_else(|| {
        Error::bad_request(
            "Invalid passthrough behavior specified. Valid options are WHEN_NO_MATCH,WHEN_NO_TEMPLATES,NEVER",
        )
    })
}

/// Judges an integration in the order of AWS's checks.
fn check(integration: &Integration, method: &Method, timeout_ms_max: u32) -> Result<(), Error> {
    let uri = integration.uri.as_deref().unwrap_or_default();
    if integration.kind != IntegrationType::Mock
        && integration.http_method.as_deref().unwrap_or("").is_empty()
    {
        return Err(Error::bad_request("Enumeration value for HttpMethod must be non-empty"));
    }
    match integration.kind {
        IntegrationType::Http | IntegrationType::HttpProxy => {
            let schemes = ["http://", "https://", "http+unix://", "${stageVariables."];
            let lower = uri.get(..8.min(uri.len())).unwrap_or_default().to_ascii_lowercase();
            if !schemes.iter().any(|scheme| uri.starts_with(scheme) || lower.starts_with(scheme)) {
                return Err(Error::bad_request("Invalid HTTP endpoint specified for URI"));
            }
        }
        IntegrationType::Aws | IntegrationType::AwsProxy => check_arn(integration, uri)?,
        IntegrationType::Mock => {}
    }
    if !(INTEGRATION_TIMEOUT_MS_MIN..=timeout_ms_max).contains(&integration.timeout_in_millis) {
        return Err(Error::bad_request(format!(
            "Timeout should be between {INTEGRATION_TIMEOUT_MS_MIN} ms and {timeout_ms_max} ms"
        )));
    }
    for (target, source) in &integration.request_parameters {
        mapping::check_request(target, source, &method.request_parameters)?;
    }
    Ok(())
}

/// `arn:{partition}:apigateway:{region}:{service}:{path|action}/…`
fn check_arn(integration: &Integration, uri: &str) -> Result<(), Error> {
    let mut parts = uri.splitn(6, ':');
    let (arn, _, service) = (parts.next(), parts.next(), parts.next());
    let (target, rest) = (parts.nth(1).unwrap_or_default(), parts.next().unwrap_or_default());
    if arn != Some("arn") || service != Some("apigateway") || target.is_empty() {
        return Err(Error::bad_request("Invalid ARN specified in the request"));
    }
    if !rest.starts_with("path/") && !rest.starts_with("action/") {
        return Err(Error::bad_request("AWS ARN for integration must contain path or action"));
    }
    if integration.kind == IntegrationType::AwsProxy && !matches!(target, "lambda" | "firehose") {
        return Err(Error::bad_request(
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
        ));
    }
    Ok(())
}

/// The integration that the path names.
pub(crate) fn find<'a>(call: &Call<'a>) -> Result<(&'a str, &'a Integration), Error> {
    let (_, resource_id, method) = methods::find(call)?;
    Ok((resource_id, method.integration.as_ref().ok_or_else(unknown)?))
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (resource_id, integration) = find(call)?;
    Ok(Reply::ok(show(resource_id, integration)))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (resource_id, integration) = find(call)?;
    let mut integration = integration.clone();
    for patch in patch::read(call)? {
        apply(&mut integration, &patch)?;
    }
    let mut definition = (*call.api()?.definition).clone();
    let method = methods::find_mut(call, &mut definition)?;
    check(&integration, method, call.timeout_ms_max)?;
    let shown = show(resource_id, &integration);
    method.integration = Some(integration);
    call.put_definition(definition)?;
    Ok(Reply::ok(shown))
}

fn apply(integration: &mut Integration, patch: &Patch) -> Result<(), Error> {
    if let Some(name) = patch.name_below("/requestParameters/") {
        return entry(&mut integration.request_parameters, name, patch.text(), patch, PARAMETER);
    }
    if let Some(name) = patch.name_below("/requestTemplates/") {
        return mapping::template(&mut integration.request_templates, name, patch, MEDIA_TYPE);
    }
    if let Some(name) = patch.name_below("/cacheKeyParameters/") {
        patch.only(&[Op::Add, Op::Replace, Op::Remove])?;
        integration.cache_key_parameters.retain(|known| *known != name);
        if patch.op != Op::Remove {
            integration.cache_key_parameters.push(name);
        }
        return Ok(());
    }
    let (path, value) = (patch.path(), patch.filled());
    let has_backend = integration.kind != IntegrationType::Mock;
    let known = match path {
        "/cacheNamespace"
        | "/connectionId"
        | "/connectionType"
        | "/contentHandling"
        | "/credentials"
        | "/integrationTarget"
        | "/passthroughBehavior"
        | "/responseTransferMode"
        | "/timeoutInMillis"
        | "/tlsConfig/insecureSkipVerification" => true,
        "/httpMethod" | "/uri" => has_backend,
        _ => false,
    };
    if !known {
        return Err(patch::no_path(patch));
    }
    patch.only(&[Op::Replace])?;
    let invalid = |what: &str| Error::bad_request(format!("Invalid {what} specified: {}", patch.text()));
    match path {
        "/cacheNamespace" => integration.cache_namespace = value,
        "/connectionId" => integration.connection_id = value,
        "/connectionType" => {
            let word = value
                .as_deref()
                .map(|word| ConnectionType::from_word(word).ok_or_else(|| invalid("connection type")));
            integration.connection_type = word.transpose()?;
        }
        "/contentHandling" => {
            let word = value
                .as_deref()
                .map(|word| ContentHandling::from_word(word).ok_or_else(|| invalid("content handling")));
            integration.content_handling = word.transpose()?;
        }
        "/credentials" => integration.credentials = value,
        "/httpMethod" => integration.http_method = value,
        "/integrationTarget" => integration.integration_target = value,
        "/passthroughBehavior" => integration.passthrough_behavior = passthrough_behavior(&patch.text())?,
        "/responseTransferMode" => {
            let word = value.as_deref().map(|word| {
                ResponseTransferMode::from_word(word).ok_or_else(|| invalid("response transfer mode"))
            });
            integration.response_transfer_mode = word.transpose()?;
        }
        "/timeoutInMillis" => integration.timeout_in_millis = patch.text().parse().unwrap_or(0),
        "/uri" => integration.uri = value,
        _ => integration.insecure_skip_verification = Some(patch.flag()),
    }
    Ok(())
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    find(call)?;
    let mut definition = (*call.api()?.definition).clone();
    methods::find_mut(call, &mut definition)?.integration = None;
    call.put_definition(definition)?;
    Ok(Reply::no_content())
}
