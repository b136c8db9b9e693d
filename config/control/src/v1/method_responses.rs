//! `MethodResponse`
//!
//! AWS: API reference, "PutMethodResponse", "UpdateMethodResponse" and their like; shapes and texts are recorded.

use model::{Definition, MethodResponse};

use super::methods::{self, MEDIA_TYPE, PARAMETER};
use crate::call::{Call, Reply};
use crate::error::{Constraints, Error};
use crate::json::{self, Object};
use crate::operation::Operation;
use crate::patch::{self, Patch};

const ONE: &str =
    "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/responses/{status_code}";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("PutMethodResponse", "PUT", ONE, put),
    Operation::new("GetMethodResponse", "GET", ONE, get),
    Operation::new("UpdateMethodResponse", "PATCH", ONE, update),
    Operation::new("DeleteMethodResponse", "DELETE", ONE, delete),
];

/// A method response as it is shown.
pub(crate) fn show(status: u16, response: &MethodResponse) -> Object {
    Object::new()
        .with("statusCode", status.to_string())
        .some("responseParameters", response.response_parameters.as_ref().map(json::flags))
        .some("responseModels", response.response_models.as_ref().map(json::texts))
}

/// The status that the path names; another is a constraint failure (recorded).
pub(crate) fn status(call: &Call<'_>, constraints: &mut Constraints) -> u16 {
    let text = call.label("status_code");
    let status = text.parse().ok().filter(|status| text.len() == 3 && (100..600).contains(status));
    if status.is_none() {
        constraints.fail(text, "statusCode", "Member must satisfy regular expression pattern: [1-5]\\d\\d");
    }
    status.unwrap_or_default()
}

/// What is said of a response that isn't there (recorded).
pub(crate) fn unknown() -> Error {
    Error::not_found("Invalid Response status code specified")
}

fn path_status(call: &Call<'_>) -> Result<u16, Error> {
    let mut constraints = Constraints::default();
    let status = status(call, &mut constraints);
    constraints.finish()?;
    Ok(status)
}

fn put(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let response = MethodResponse {
        response_parameters: input.boolean_map("responseParameters")?,
        response_models: input.string_map("responseModels")?,
    };
    let status = path_status(call)?;
    methods::find(call)?;
    let mut definition = (*call.api()?.definition).clone();
    check(&definition, &response)?;
    let method = methods::find_mut(call, &mut definition)?;
    if method.responses.contains_key(&status) {
        return Err(Error::conflict("Response already exists for this resource"));
    }
    let shown = show(status, &response);
    method.responses.insert(status, response);
    call.put_definition(definition)?;
    Ok(Reply::created(shown))
}

fn check(definition: &Definition, response: &MethodResponse) -> Result<(), Error> {
    methods::check_models(definition, response.response_models.iter().flatten().map(|(_, name)| name))?;
    let mut names = response.response_parameters.iter().flatten().map(|(name, _)| name);
    let is_header =
        |name: &str| name.strip_prefix("method.response.header.").is_some_and(|name| !name.is_empty());
    match names.find(|name| !is_header(name)) {
        Some(name) => Err(methods::invalid_parameter(name)),
        None => Ok(()),
    }
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    let status = path_status(call)?;
    let (_, _, method) = methods::find(call)?;
    Ok(Reply::ok(show(status, method.responses.get(&status).ok_or_else(unknown)?)))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let status = path_status(call)?;
    methods::find(call)?;
    let mut definition = (*call.api()?.definition).clone();
    let method = methods::find_mut(call, &mut definition)?;
    let response = method.responses.get_mut(&status).ok_or_else(unknown)?;
    for patch in patch::read(call)? {
        apply(response, &patch)?;
    }
    // Empty maps are shown by the call that said so, and not after a change (recorded).
    response.response_parameters = response.response_parameters.take().filter(|map| !map.is_empty());
    response.response_models = response.response_models.take().filter(|map| !map.is_empty());
    let changed = response.clone();
    check(&definition, &changed)?;
    call.put_definition(definition)?;
    Ok(Reply::created(show(status, &changed)))
}

fn apply(response: &mut MethodResponse, patch: &Patch) -> Result<(), Error> {
    if let Some(name) = patch.name_below("/responseParameters/") {
        let parameters = response.response_parameters.get_or_insert_default();
        return methods::entry(parameters, name, patch.flag(), patch, PARAMETER);
    }
    if let Some(name) = patch.name_below("/responseModels/") {
        let models = response.response_models.get_or_insert_default();
        return methods::entry(models, name, patch.text(), patch, MEDIA_TYPE);
    }
    Err(patch::no_path(patch))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    let status = path_status(call)?;
    methods::find(call)?;
    let mut definition = (*call.api()?.definition).clone();
    methods::find_mut(call, &mut definition)?.responses.remove(&status).ok_or_else(unknown)?;
    call.put_definition(definition)?;
    Ok(Reply::no_content())
}
