//! `IntegrationResponse`
//!
//! AWS: API reference, "PutIntegrationResponse", "UpdateIntegrationResponse" and their like; shapes and texts are recorded.

use model::{ContentHandling, Integration, IntegrationResponse, Method};

use super::methods::{self, MEDIA_TYPE, PARAMETER, entry};
use super::{integrations, mapping, method_responses};
use crate::call::{Call, Reply};
use crate::error::{Constraints, Error};
use crate::json::{self, Object};
use crate::operation::Operation;
use crate::patch::{self, Op, Patch};

const ONE: &str = "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration/responses/{status_code}";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("PutIntegrationResponse", "PUT", ONE, put),
    Operation::new("GetIntegrationResponse", "GET", ONE, get),
    Operation::new("UpdateIntegrationResponse", "PATCH", ONE, update),
    Operation::new("DeleteIntegrationResponse", "DELETE", ONE, delete),
];

/// An integration response as it is shown.
pub(crate) fn show(response: &IntegrationResponse) -> Object {
    Object::new()
        .with("statusCode", response.status_code.to_string())
        .some("selectionPattern", response.selection_pattern.as_deref())
        .filled("responseParameters", json::texts(&response.response_parameters))
        .filled("responseTemplates", json::templates(&response.response_templates))
        .some("contentHandling", response.content_handling.map(ContentHandling::as_str))
}

fn path_status(call: &Call<'_>) -> Result<u16, Error> {
    let mut constraints = Constraints::default();
    let status = method_responses::status(call, &mut constraints);
    constraints.finish()?;
    Ok(status)
}

fn put(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let status_code = method_responses::status(call, &mut constraints);
    let words: Vec<&str> = ContentHandling::ALL.iter().map(|word| word.as_str()).collect();
    let content_handling =
        input.word("contentHandling", ContentHandling::from_word, &words, &mut constraints)?;
    constraints.finish()?;
    let response = IntegrationResponse {
        status_code,
        selection_pattern: input.string("selectionPattern")?.filter(|pattern| !pattern.is_empty()),
        content_handling,
        response_parameters: input.string_map("responseParameters")?.unwrap_or_default(),
        response_templates: input.templates("responseTemplates")?.unwrap_or_default(),
    };
    integrations::find(call)?;
    let mut definition = (*call.api()?.definition).clone();
    let method = methods::find_mut(call, &mut definition)?;
    check(method, &response)?;
    let shown = show(&response);
    let Some(integration) = &mut method.integration else { return Err(integrations::unknown()) };
    place(integration, response);
    call.put_definition(definition)?;
    Ok(Reply::created(shown))
}

/// Puts a response in the place of the one of its status, in the order of statuses.
fn place(integration: &mut Integration, response: IntegrationResponse) {
    integration.responses.retain(|known| known.status_code != response.status_code);
    integration.responses.push(response);
    integration.responses.sort_by_key(|response| response.status_code);
}

fn check(method: &Method, response: &IntegrationResponse) -> Result<(), Error> {
    let others = method.integration.iter().flat_map(|integration| &integration.responses);
    let mut others = others.filter(|other| other.status_code != response.status_code);
    if response.selection_pattern.is_none() && others.any(|other| other.selection_pattern.is_none()) {
        return Err(Error::conflict("Integration response with selection pattern default already exists"));
    }
    mapping::check_media_types(&response.response_templates)?;
    let declared = method.responses.get(&response.status_code);
    let declared = declared.and_then(|response| response.response_parameters.as_ref());
    for (target, source) in &response.response_parameters {
        mapping::check_response(target, source, declared)?;
    }
    Ok(())
}

fn find<'a>(call: &Call<'a>) -> Result<&'a IntegrationResponse, Error> {
    let status = path_status(call)?;
    let (_, integration) = integrations::find(call)?;
    let found = integration.responses.iter().find(|response| response.status_code == status);
    found.ok_or_else(method_responses::unknown)
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    Ok(Reply::ok(show(find(call)?)))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mut response = find(call)?.clone();
    for patch in patch::read(call)? {
        apply(&mut response, &patch)?;
    }
    let mut definition = (*call.api()?.definition).clone();
    let method = methods::find_mut(call, &mut definition)?;
    check(method, &response)?;
    let shown = show(&response);
    let Some(integration) = &mut method.integration else { return Err(integrations::unknown()) };
    place(integration, response);
    call.put_definition(definition)?;
    Ok(Reply::ok(shown))
}

fn apply(response: &mut IntegrationResponse, patch: &Patch) -> Result<(), Error> {
    if let Some(name) = patch.name_below("/responseParameters/") {
        return entry(&mut response.response_parameters, name, patch.text(), patch, PARAMETER);
    }
    if let Some(name) = patch.name_below("/responseTemplates/") {
        return mapping::template(&mut response.response_templates, name, patch, MEDIA_TYPE);
    }
    match patch.path() {
        "/selectionPattern" => {
            patch.only(&[Op::Replace])?;
            response.selection_pattern = patch.filled();
        }
        "/contentHandling" => {
            patch.only(&[Op::Replace])?;
            let read = |word: String| {
                let wrong = || Error::bad_request(format!("Invalid content handling specified: {word}"));
                ContentHandling::from_word(&word).ok_or_else(wrong)
            };
            response.content_handling = patch.filled().map(read).transpose()?;
        }
        _ => return Err(patch::no_path(patch)),
    }
    Ok(())
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    let status = find(call)?.status_code;
    let mut definition = (*call.api()?.definition).clone();
    if let Some(integration) = &mut methods::find_mut(call, &mut definition)?.integration {
        integration.responses.retain(|response| response.status_code != status);
    }
    call.put_definition(definition)?;
    Ok(Reply::no_content())
}
