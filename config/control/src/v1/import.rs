//! ImportRestApi, PutRestApi, ImportDocumentationParts
//!
//! AWS: API reference, "ImportRestApi", "PutRestApi", "ImportDocumentationParts"; texts are recorded.

use std::sync::Arc;

use model::{Definition, DocumentationPart, EndpointType, Key, Record, RestApi};
use openapi::{BasePath, Environment, Import, Noun, Options, PutMode};
use serde_json::Value;

use super::rest_apis::{self, Tags};
use crate::call::{Call, Reply};
use crate::error::{Constraints, Error};
use crate::ids;
use crate::json::Object;
use crate::operation::Operation;

/// Operations of these.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("ImportRestApi", "POST", "/restapis", import).importing(),
    Operation::new("PutRestApi", "PUT", "/restapis/{restapi_id}", put),
    Operation::new(
        "ImportDocumentationParts",
        "PUT",
        "/restapis/{restapi_id}/documentation/parts",
        import_documentation_parts,
    ),
];

fn environment(call: &Call<'_>) -> Environment {
    Environment { account_id: call.scope.account_id.to_owned(), region: call.scope.region.to_owned() }
}

fn text<'a>(call: &Call<'a>) -> Result<&'a str, Error> {
    std::str::from_utf8(call.body).map_err(|_| unreadable())
}

/// What is said of a text that is no document (recorded).
fn unreadable() -> Error {
    Error::bad_request("Invalid OpenAPI input.")
}

fn options<'a>(call: &Call<'_>, api_id: &'a str) -> Result<Options<'a>, Error> {
    let query = &call.query;
    let base_path = match query.get("basepath") {
        None => BasePath::default(),
        Some(word) => BasePath::from_word(word).ok_or_else(|| {
            Error::bad_request("Invalid basepath specified. Valid options are ignore,prepend,split")
        })?,
    };
    let endpoint = match query.get("endpointConfigurationTypes") {
        None => None,
        Some(word) => Some(EndpointType::from_word(word).ok_or_else(|| {
            Error::bad_request("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE")
        })?),
    };
    let ignored = query.all("ignore").any(|value| value.split(',').any(|word| word == "documentation"));
    Ok(Options { api_id, base_path, documentation: !ignored, endpoint })
}

/// Reads the document of a call; things keep the ids that they have in `existing`.
fn read(call: &mut Call<'_>, api_id: &str, existing: Option<&RestApi>) -> Result<Import, Error> {
    let (environment, options, text) = (environment(call), options(call, api_id)?, text(call)?);
    let random = &mut *call.random;
    let mut new_id = |noun: Noun, name: &str| {
        let known = existing.and_then(|api| known_id(&api.definition, noun, name));
        let len = if noun == Noun::Resource && name == "/" { 10 } else { 6 };
        known.unwrap_or_else(|| ids::short(random, len))
    };
    let import = openapi::import(text, &environment, &options, &mut new_id)
        .map_err(|openapi::Unreadable| unreadable())?;
    let (errors, warnings) = (&import.errors, &import.warnings);
    if !errors.is_empty() {
        let mut message = format!("Errors found during import:\n\t{}", errors.join("\n\t"));
        if !warnings.is_empty() {
            message.push_str(&format!(
                "\nAdditionally, these warnings were found:\n\t{}",
                warnings.join("\n\t")
            ));
        }
        return Err(Error::bad_request(message));
    }
    if call.query.flag("failonwarnings") && !warnings.is_empty() {
        let message = format!("Warnings found during import:\n\t{}", warnings.join("\n\t"));
        return Err(Error::bad_request(message));
    }
    Ok(import)
}

fn known_id(definition: &Definition, noun: Noun, name: &str) -> Option<String> {
    match noun {
        Noun::Resource => definition.resources.at(name).map(|resource| resource.id.clone()),
        Noun::Authorizer => {
            let mut found = definition.authorizers.iter().filter(|(_, authorizer)| authorizer.name == name);
            found.next().map(|(id, _)| id.clone())
        }
        Noun::RequestValidator => {
            let named = |validator: &model::RequestValidator| validator.name.as_deref() == Some(name);
            let mut found = definition.request_validators.iter().filter(|(_, validator)| named(validator));
            found.next().map(|(id, _)| id.clone())
        }
        Noun::Model => definition.models.get(name).map(|model| model.id.clone()),
        Noun::DocumentationPart => None,
    }
}

/// The policy as it is kept: short resources written out.
fn settle_policy(call: &Call<'_>, api_id: &str, api: &mut RestApi) -> Result<(), Error> {
    if let Some(policy) = api.definition.policy.clone() {
        Arc::make_mut(&mut api.definition).policy = rest_apis::policy(&call.scope, api_id, &policy)?;
    }
    Ok(())
}

fn shown(id: &str, api: &RestApi, tags: Tags, warnings: Vec<String>) -> Object {
    rest_apis::show(id, api, tags).filled("warnings", warnings)
}

fn import(call: &mut Call<'_>) -> Result<Reply, Error> {
    let region = call.region;
    let id = call.new_id(10, |id| region.rest_apis.contains_key(id));
    let Import { mut api, warnings, .. } = read(call, &id, None)?;
    api.created_date = call.now;
    settle_policy(call, &id, &mut api)?;
    let shown = shown(&id, &api, Tags::Filled, warnings);
    call.put(Key::RestApi(id), Record::RestApi(Arc::new(api)));
    Ok(Reply::created(shown))
}

fn mode(call: &Call<'_>) -> Result<PutMode, Error> {
    match call.query.get("mode") {
        None | Some("merge") => Ok(PutMode::Merge),
        Some("overwrite") => Ok(PutMode::Overwrite),
        Some(word) => {
            let mut constraints = Constraints::default();
            constraints.not_in_set(word, "mode", &["merge", "overwrite"]);
            constraints.finish()?;
            Ok(PutMode::Merge)
        }
    }
}

fn put(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mode = mode(call)?;
    let existing = call.api()?;
    let id = call.label("restapi_id").to_owned();
    let import = read(call, &id, Some(existing))?;
    let warnings = import.warnings.clone();
    let mut api = openapi::put(existing, import, mode);
    settle_policy(call, &id, &mut api)?;
    let shown = shown(&id, &api, Tags::Shown, warnings);
    call.put_api(api);
    Ok(Reply::ok(shown))
}

fn import_documentation_parts(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mode = mode(call)?;
    let mut api = call.api()?.clone();
    let refused = || Error::bad_request("Unable to build importer with provided input.");
    let text = text(call).map_err(|_| refused())?;
    let parts =
        openapi::documentation_parts(text, &environment(call)).map_err(|openapi::Unreadable| refused())?;
    let mut kept = std::mem::take(&mut api.documentation_parts);
    let mut imported = Vec::new();
    for part in parts {
        let same = |known: &DocumentationPart| known.location == part.location;
        let known = kept.iter().find(|(_, known)| same(known)).map(|(id, _)| id.clone());
        let id = known.unwrap_or_else(|| call.new_id(6, |id| kept.contains_key(id)));
        kept.insert(id.clone(), part);
        imported.push(id);
    }
    if mode == PutMode::Overwrite {
        kept.retain(|id, _| imported.contains(id));
    }
    if kept.len() > vocabulary::limits::DOCUMENTATION_PARTS {
        let most = vocabulary::limits::DOCUMENTATION_PARTS;
        return Err(Error::limit_exceeded(format!("an API has at most {most} documentation parts")));
    }
    api.documentation_parts = kept;
    call.put_api(api);
    let warnings: Vec<Value> = Vec::new();
    Ok(Reply::ok(Object::new().with("ids", imported).with("warnings", warnings)))
}
