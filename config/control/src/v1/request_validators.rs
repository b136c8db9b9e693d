//! `RequestValidator`
//!
//! AWS: API reference, "CreateRequestValidator", "UpdateRequestValidator" and their like; shapes and texts are recorded.

use model::RequestValidator;

use crate::call::{Call, Reply};
use crate::error::Error;
use crate::json::Object;
use crate::operation::Operation;
use crate::page;
use crate::patch;

const MANY: &str = "/restapis/{restapi_id}/requestvalidators";
const ONE: &str = "/restapis/{restapi_id}/requestvalidators/{requestvalidator_id}";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateRequestValidator", "POST", MANY, create),
    Operation::new("GetRequestValidators", "GET", MANY, get_all),
    Operation::new("GetRequestValidator", "GET", ONE, get),
    Operation::new("UpdateRequestValidator", "PATCH", ONE, update),
    Operation::new("DeleteRequestValidator", "DELETE", ONE, delete),
];

fn show(id: &str, validator: &RequestValidator) -> Object {
    Object::new()
        .with("id", id)
        .some("name", validator.name.as_deref())
        .with("validateRequestBody", validator.validate_request_body)
        .with("validateRequestParameters", validator.validate_request_parameters)
}

fn checked(name: Option<String>) -> Result<Option<String>, Error> {
    match name {
        Some(name) if name.trim().is_empty() => {
            Err(Error::bad_request("Request Validator name cannot be blank"))
        }
        name => Ok(name),
    }
}

fn create(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let name = input.string("name")?;
    let validator = RequestValidator {
        validate_request_body: input.boolean("validateRequestBody")?.unwrap_or(false),
        validate_request_parameters: input.boolean("validateRequestParameters")?.unwrap_or(false),
        name: None,
    };
    // An unknown API isn't told as not found here (recorded).
    let api = call.api().map_err(|_| Error::bad_request("Invalid REST API identifier specified"))?;
    let validator = RequestValidator { name: checked(name)?, ..validator };
    let mut definition = (*api.definition).clone();
    let id = call.new_id(6, |id| definition.request_validators.contains_key(id));
    let shown = show(&id, &validator);
    definition.request_validators.insert(id, validator);
    call.put_definition(definition)?;
    Ok(Reply::created(shown))
}

fn find<'a>(call: &Call<'a>) -> Result<&'a RequestValidator, Error> {
    let found = call.api()?.definition.request_validators.get(call.label("requestvalidator_id"));
    found.ok_or_else(|| Error::not_found("Invalid Request Validator identifier specified"))
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    Ok(Reply::ok(show(call.label("requestvalidator_id"), find(call)?)))
}

fn get_all(call: &mut Call<'_>) -> Result<Reply, Error> {
    let validators = &call.api()?.definition.request_validators;
    let items = validators.iter().map(|(id, one)| (id.clone(), (id, one))).collect();
    Ok(Reply::ok(page::page(&call.query, items, |(id, one)| show(id, one).into())?))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mut validator = find(call)?.clone();
    for patch in patch::read(call)? {
        let paths = ["/name", "/validateRequestParameters", "/validateRequestBody"];
        match patch::one_of(&patch, &paths)? {
            "/name" => validator.name = checked(Some(patch.text()))?,
            "/validateRequestParameters" => validator.validate_request_parameters = patch.flag(),
            _ => validator.validate_request_body = patch.flag(),
        }
    }
    let id = call.label("requestvalidator_id").to_owned();
    let mut definition = (*call.api()?.definition).clone();
    let shown = show(&id, &validator);
    definition.request_validators.insert(id, validator);
    call.put_definition(definition)?;
    Ok(Reply::ok(shown))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    find(call)?;
    let mut definition = (*call.api()?.definition).clone();
    definition.request_validators.remove(call.label("requestvalidator_id"));
    call.put_definition(definition)?;
    Ok(Reply::accepted())
}
