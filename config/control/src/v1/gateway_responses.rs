//! `GatewayResponse`
//!
//! AWS: API reference, "PutGatewayResponse", "GetGatewayResponses" and their like; shapes and texts are recorded.

use model::{Definition, GatewayResponse, GatewayResponseType, IndexMap};

use super::mapping;
use super::methods::{MEDIA_TYPE, PARAMETER, entry};
use crate::call::{Call, Reply};
use crate::error::{Constraints, Error};
use crate::json::{self, Object};
use crate::operation::Operation;
use crate::page;
use crate::patch::{self, Op, Patch};

const MANY: &str = "/restapis/{restapi_id}/gatewayresponses";
const ONE: &str = "/restapis/{restapi_id}/gatewayresponses/{response_type}";
const DEFAULT_TEMPLATE: &str = "{\"message\":$context.error.messageString}";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("GetGatewayResponses", "GET", MANY, get_all),
    Operation::new("PutGatewayResponse", "PUT", ONE, put),
    Operation::new("GetGatewayResponse", "GET", ONE, get),
    Operation::new("UpdateGatewayResponse", "PATCH", ONE, update),
    Operation::new("DeleteGatewayResponse", "DELETE", ONE, delete),
];

fn default_templates() -> IndexMap<String, String> {
    [("application/json".to_owned(), DEFAULT_TEMPLATE.to_owned())].into()
}

/// What holds for a type: its own, what shows through from the default of its class, or AWS's. Says whether it is its own.
fn effective(definition: &Definition, kind: GatewayResponseType) -> (GatewayResponse, bool) {
    let class = match kind.is_server_error() {
        true => GatewayResponseType::Default5xx,
        false => GatewayResponseType::Default4xx,
    };
    let own = definition.gateway_responses.get(&kind);
    let mut response = own.or_else(|| definition.gateway_responses.get(&class)).cloned().unwrap_or_default();
    response.status_code = response.status_code.or(kind.status_code());
    if response.response_templates.is_empty() {
        response.response_templates = default_templates();
    }
    (response, own.is_some())
}

fn show(definition: &Definition, kind: GatewayResponseType) -> Object {
    let (response, is_own) = effective(definition, kind);
    Object::new()
        .with("responseType", kind.as_str())
        .some("statusCode", response.status_code.map(|status| status.to_string()))
        .with("responseParameters", json::texts(&response.response_parameters))
        .with("responseTemplates", json::templates(&response.response_templates))
        .with("defaultResponse", !is_own)
}

/// The type that the path names; another word is a constraint failure.
fn path_kind(call: &Call<'_>, constraints: &mut Constraints) -> GatewayResponseType {
    let word = call.label("response_type");
    let found = GatewayResponseType::from_word(word);
    if found.is_none() {
        let words: Vec<&str> = GatewayResponseType::ALL.iter().map(|kind| kind.as_str()).collect();
        constraints.not_in_set(word, "responseType", &words);
    }
    found.unwrap_or(GatewayResponseType::Default4xx)
}

fn checked_kind(call: &Call<'_>) -> Result<GatewayResponseType, Error> {
    let mut constraints = Constraints::default();
    let kind = path_kind(call, &mut constraints);
    constraints.finish()?;
    Ok(kind)
}

fn status_code(text: &str) -> Option<u16> {
    text.parse().ok().filter(|status| text.len() == 3 && (100..600).contains(status))
}

fn put(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let kind = path_kind(call, &mut constraints);
    let status = input.string("statusCode")?;
    let code = status.as_deref().and_then(status_code);
    if let Some(text) = &status
        && code.is_none()
    {
        let pattern = "Member must satisfy regular expression pattern: [1-5]\\d\\d";
        constraints.fail(text, &input.path_of("statusCode"), pattern);
    }
    constraints.finish()?;
    let has_empty = |name: &str| {
        let members = input.get(name).and_then(serde_json::Value::as_object);
        members.is_some_and(|members| members.values().any(|value| value.is_null() || *value == ""))
    };
    let mut definition = (*call.api()?.definition).clone();
    for name in ["responseTemplates", "responseParameters"] {
        if has_empty(name) {
            return Err(Error::bad_request(format!("Invalid null or empty value in {name}")));
        }
    }
    let response = GatewayResponse {
        status_code: code,
        response_parameters: input.string_map("responseParameters")?.unwrap_or_default(),
        response_templates: input.templates("responseTemplates")?.unwrap_or_default(),
    };
    check(&response)?;
    definition.gateway_responses.insert(kind, response);
    let shown = show(&definition, kind);
    call.put_definition(definition)?;
    Ok(Reply::created(shown))
}

fn check(response: &GatewayResponse) -> Result<(), Error> {
    mapping::check_media_types(&response.response_templates)?;
    let is_header =
        |name: &&String| name.strip_prefix("gatewayresponse.header.").is_some_and(|name| !name.is_empty());
    match response.response_parameters.keys().find(|name| !is_header(name)) {
        Some(name) => Err(super::methods::invalid_parameter(name)),
        None => Ok(()),
    }
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    let kind = checked_kind(call)?;
    Ok(Reply::ok(show(&call.api()?.definition, kind)))
}

fn get_all(call: &mut Call<'_>) -> Result<Reply, Error> {
    let definition = &call.api()?.definition;
    let items = GatewayResponseType::ALL.iter().map(|kind| (kind.as_str().to_owned(), *kind)).collect();
    Ok(Reply::ok(page::page(&call.query, items, |kind| show(definition, kind).into())?))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let kind = checked_kind(call)?;
    let mut definition = (*call.api()?.definition).clone();
    // What wasn't customised begins as it is shown.
    let mut response = effective(&definition, kind).0;
    for patch in patch::read(call)? {
        apply(&mut response, &patch)?;
    }
    check(&response)?;
    definition.gateway_responses.insert(kind, response);
    let shown = show(&definition, kind);
    call.put_definition(definition)?;
    Ok(Reply::ok(shown))
}

fn apply(response: &mut GatewayResponse, patch: &Patch) -> Result<(), Error> {
    let needs_value = patch.op != Op::Remove && patch.filled().is_none();
    if let Some(name) = patch.name_below("/responseParameters/") {
        if needs_value {
            return Err(Error::bad_request("Invalid null or empty value in responseParameters"));
        }
        return entry(&mut response.response_parameters, name, patch.text(), patch, PARAMETER);
    }
    if let Some(name) = patch.name_below("/responseTemplates/") {
        if needs_value {
            return Err(Error::bad_request("Invalid null or empty value in responseTemplates"));
        }
        return mapping::template(&mut response.response_templates, name, patch, MEDIA_TYPE);
    }
    if patch.path() != "/statusCode" || patch.op != Op::Replace {
        return Err(patch::no_path(patch));
    }
    let wrong = || Error::bad_request(format!("Invalid status code specified: {}", patch.text()));
    response.status_code = Some(status_code(&patch.text()).ok_or_else(wrong)?);
    Ok(())
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    let kind = checked_kind(call)?;
    let mut definition = (*call.api()?.definition).clone();
    let removed = definition.gateway_responses.remove(&kind);
    removed.ok_or_else(|| Error::not_found("Gateway response type not defined on api"))?;
    call.put_definition(definition)?;
    Ok(Reply::accepted())
}
