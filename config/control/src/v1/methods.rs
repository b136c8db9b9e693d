//! `Method`
//!
//! AWS: API reference, "PutMethod", "UpdateMethod" and their like; shapes and texts are recorded.

use std::collections::BTreeMap;

use model::{AuthorizationType, Definition, Method};
use serde_json::{Map, Value};
use vocabulary::MethodKey;

use super::{integrations, method_responses, resources};
use crate::call::{Call, Reply};
use crate::error::{Constraints, Error};
use crate::input::Input;
use crate::json::{self, Object};
use crate::operation::Operation;
use crate::patch::{self, Op, Patch};

const ONE: &str = "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("PutMethod", "PUT", ONE, put),
    Operation::new("GetMethod", "GET", ONE, get),
    Operation::new("UpdateMethod", "PATCH", ONE, update),
    Operation::new("DeleteMethod", "DELETE", ONE, delete),
];

/// A method as it is shown.
pub(crate) fn show(resource_id: &str, key: MethodKey, method: &Method) -> Object {
    let responses: Map<String, Value> = method
        .responses
        .iter()
        .map(|(status, response)| (status.to_string(), method_responses::show(*status, response).into()))
        .collect();
    Object::new()
        .with("httpMethod", key.as_str())
        .with("authorizationType", method.authorization_type.as_str())
        .some("authorizerId", method.authorizer_id.as_deref())
        .with("apiKeyRequired", method.api_key_required)
        .some("requestValidatorId", method.request_validator_id.as_deref())
        .some("operationName", method.operation_name.as_deref())
        .filled("requestParameters", json::flags(&method.request_parameters))
        .filled("requestModels", json::texts(&method.request_models))
        .filled("methodResponses", Value::Object(responses))
        .some(
            "methodIntegration",
            method.integration.as_ref().map(|integration| integrations::show(resource_id, integration)),
        )
        .some("authorizationScopes", method.authorization_scopes.as_deref().map(json::list))
}

/// What is said of a method that isn't there (recorded).
pub(crate) fn unknown() -> Error {
    Error::not_found("Invalid Method identifier specified")
}

/// The method that the path names.
pub(crate) fn find<'a>(call: &Call<'a>) -> Result<(MethodKey, &'a str, &'a Method), Error> {
    let (_, resource) =
        call.api()?.definition.resources.find(call.label("resource_id")).ok_or_else(resources::unknown)?;
    let key = MethodKey::from_word(call.label("http_method")).ok_or_else(unknown)?;
    let method = resource.methods.get(&key).ok_or_else(unknown)?;
    Ok((key, &resource.id, method))
}

/// The same in a definition that is to be changed.
pub(crate) fn find_mut<'a>(call: &Call<'_>, definition: &'a mut Definition) -> Result<&'a mut Method, Error> {
    let id = call.label("resource_id");
    let (_, resource) = definition.resources.find_mut(id).ok_or_else(resources::unknown)?;
    let key = MethodKey::from_word(call.label("http_method")).ok_or_else(unknown)?;
    resource.methods.get_mut(&key).ok_or_else(unknown)
}

fn put(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let authorization = input.required("authorizationType", &mut constraints)?;
    constraints.finish()?;
    let mut definition = (*call.api()?.definition).clone();
    let id = call.label("resource_id").to_owned();
    if definition.resources.find(&id).is_none() {
        return Err(resources::unknown());
    }
    let key = MethodKey::from_word(call.label("http_method")).ok_or_else(|| {
        Error::bad_request(
            "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY",
        )
    })?;
    let method = read(&input, &authorization)?;
    check(&definition, &method, None)?;
    let Some((_, resource)) = definition.resources.find_mut(&id) else { return Err(resources::unknown()) };
    if resource.methods.contains_key(&key) {
        return Err(Error::conflict("Method already exists for this resource"));
    }
    let shown = show(&id, key, &method);
    resource.methods.insert(key, method);
    call.put_definition(definition)?;
    Ok(Reply::created(shown))
}

fn read(input: &Input, authorization: &str) -> Result<Method, Error> {
    let authorization_type = authorization_type(authorization)?;
    let authorizer_id = input.string("authorizerId")?;
    Ok(Method {
        operation_name: input.string("operationName")?,
        authorization_type,
        // An authorizer that nothing asks is dropped (recorded).
        authorizer_id: authorizer_id.filter(|_| has_authorizer(authorization_type)),
        authorization_scopes: input.strings("authorizationScopes")?,
        api_key_required: input.boolean("apiKeyRequired")?.unwrap_or(false),
        request_validator_id: input.string("requestValidatorId")?,
        request_parameters: input.boolean_map("requestParameters")?.unwrap_or_default(),
        request_models: input.string_map("requestModels")?.unwrap_or_default(),
        ..Method::default()
    })
}

fn authorization_type(word: &str) -> Result<AuthorizationType, Error> {
    AuthorizationType::from_word(word).ok_or_else(|| {
        Error::bad_request(
            "Invalid authorization type specified. Valid options are NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS,JWT",
        )
    })
}

fn has_authorizer(kind: AuthorizationType) -> bool {
    !matches!(kind, AuthorizationType::None | AuthorizationType::AwsIam)
}

/// Judges a method by what it refers to. What `before` referred to already may be gone: authorizers and validators can be
/// deleted while methods name them.
fn check(definition: &Definition, method: &Method, before: Option<&Method>) -> Result<(), Error> {
    let same_authorizer = before.is_some_and(|before| {
        (before.authorization_type, &before.authorizer_id)
            == (method.authorization_type, &method.authorizer_id)
    });
    let same_validator =
        before.is_some_and(|before| before.request_validator_id == method.request_validator_id);
    if has_authorizer(method.authorization_type) && !same_authorizer {
        let known = method.authorizer_id.as_ref().is_some_and(|id| definition.authorizers.contains_key(id));
        if !known {
            return Err(Error::bad_request(
                "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires \
                 a valid authorizer.",
            ));
        }
    }
    if let Some(id) = &method.request_validator_id
        && !same_validator
        && !definition.request_validators.contains_key(id)
    {
        return Err(Error::bad_request("Invalid Request Validator identifier specified"));
    }
    check_models(definition, method.request_models.values())?;
    let mut names: Vec<&str> = Vec::new();
    for parameter in method.request_parameters.keys() {
        let location = parameter.strip_prefix("method.request.").and_then(|rest| rest.split_once('.'));
        let Some((location, name)) = location else { return Err(invalid_parameter(parameter)) };
        let location = location.strip_prefix("multivalue").unwrap_or(location);
        if !matches!(location, "querystring" | "header" | "path") || name.is_empty() {
            return Err(invalid_parameter(parameter));
        }
        if names.contains(&name) {
            return Err(Error::bad_request(
                "Parameter names must be unique across querystring, header and path",
            ));
        }
        names.push(name);
    }
    Ok(())
}

/// Refuses a model that the API doesn't have.
pub(crate) fn check_models<'a>(
    definition: &Definition,
    mut names: impl Iterator<Item = &'a String>,
) -> Result<(), Error> {
    match names.find(|name| !definition.models.contains_key(*name)) {
        Some(name) => Err(Error::bad_request(format!("Invalid model identifier specified: {name}"))),
        None => Ok(()),
    }
}

/// A name that is no parameter of a method, or one that isn't declared.
pub(crate) fn invalid_parameter(name: &str) -> Error {
    Error::bad_request(format!(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression \
         parameter specified: {name}]"
    ))
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (key, resource_id, method) = find(call)?;
    Ok(Reply::ok(show(resource_id, key, method)))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (key, resource_id, before) = find(call)?;
    let mut definition = (*call.api()?.definition).clone();
    let method = find_mut(call, &mut definition)?;
    for patch in patch::read(call)? {
        apply(method, &patch)?;
    }
    if !has_authorizer(method.authorization_type) {
        method.authorizer_id = None;
    }
    let changed = method.clone();
    check(&definition, &changed, Some(before))?;
    call.put_definition(definition)?;
    Ok(Reply::ok(show(resource_id, key, &changed)))
}

fn apply(method: &mut Method, patch: &Patch) -> Result<(), Error> {
    if let Some(name) = patch.name_below("/requestParameters/") {
        return entry(&mut method.request_parameters, name, patch.flag(), patch, PARAMETER);
    }
    if let Some(name) = patch.name_below("/requestModels/") {
        return entry(&mut method.request_models, name, patch.text(), patch, MEDIA_TYPE);
    }
    if patch.path() == "/authorizationScopes" {
        patch.only(&[Op::Add, Op::Remove])?;
        let scopes = method.authorization_scopes.get_or_insert_default();
        let value = patch.text();
        scopes.retain(|scope| *scope != value);
        if patch.op == Op::Add {
            scopes.push(value);
        }
        return Ok(());
    }
    let known =
        ["/authorizationType", "/authorizerId", "/apiKeyRequired", "/operationName", "/requestValidatorId"];
    if !known.contains(&patch.path()) {
        return Err(patch::no_path(patch));
    }
    patch.only(&[Op::Replace])?;
    match patch.path() {
        "/authorizationType" => method.authorization_type = authorization_type(&patch.text())?,
        "/authorizerId" => method.authorizer_id = patch.filled(),
        "/apiKeyRequired" => method.api_key_required = patch.flag(),
        "/operationName" => method.operation_name = patch.filled(),
        _ => method.request_validator_id = patch.filled(),
    }
    Ok(())
}

/// What is said of a parameter that a patch removes or replaces and that isn't there (recorded).
pub(crate) const PARAMETER: &str = "Invalid parameter name specified";
/// The same of a media type (recorded).
pub(crate) const MEDIA_TYPE: &str = "Content-Type specified was not found";

/// Adds, replaces or removes an entry of a map; `missing` is said where there is none to replace or remove.
pub(crate) fn entry<T>(
    map: &mut BTreeMap<String, T>,
    name: String,
    value: T,
    patch: &Patch,
    missing: &str,
) -> Result<(), Error> {
    patch.only(&[Op::Add, Op::Replace, Op::Remove])?;
    if patch.op != Op::Add && !map.contains_key(&name) {
        return Err(Error::not_found(missing));
    }
    match patch.op {
        Op::Remove => drop(map.remove(&name)),
        _ => drop(map.insert(name, value)),
    }
    Ok(())
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (key, resource_id, _) = find(call)?;
    let mut definition = (*call.api()?.definition).clone();
    if let Some((_, resource)) = definition.resources.find_mut(resource_id) {
        resource.methods.remove(&key);
    }
    call.put_definition(definition)?;
    Ok(Reply::no_content())
}
