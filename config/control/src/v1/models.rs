//! `Model`
//!
//! AWS: API reference, "CreateModel", "GetModel" and their like; shapes and texts are recorded.

use std::collections::BTreeMap;

use model::{Definition, Model};
use serde_json::Value;
use vocabulary::limits::MODELS_BYTES;

use crate::call::{Call, Reply};
use crate::error::{Constraints, Error};
use crate::json::Object;
use crate::operation::Operation;
use crate::page;
use crate::patch;

const MANY: &str = "/restapis/{restapi_id}/models";
const ONE: &str = "/restapis/{restapi_id}/models/{model_name}";
/// Models within models: deeper ones are left as references.
const FLATTEN_DEPTH: usize = 32;

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateModel", "POST", MANY, create),
    Operation::new("GetModels", "GET", MANY, get_all),
    Operation::new("GetModel", "GET", ONE, get),
    Operation::new("UpdateModel", "PATCH", ONE, update),
    Operation::new("DeleteModel", "DELETE", ONE, delete),
    Operation::new(
        "GetModelTemplate",
        "GET",
        "/restapis/{restapi_id}/models/{model_name}/default_template",
        get_template,
    ),
];

fn show(name: &str, model: &Model) -> Object {
    Object::new()
        .with("id", model.id.as_str())
        .with("name", name)
        .some("description", model.description.as_deref())
        .some("schema", model.schema.as_deref())
        .with("contentType", model.content_type.as_str())
}

fn create(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let name = input.required("name", &mut constraints)?;
    let content_type = input.required("contentType", &mut constraints)?;
    constraints.finish()?;
    let mut definition = (*call.api()?.definition).clone();
    if name.is_empty() {
        return Err(Error::bad_request("Model name must be non-empty"));
    }
    if !name.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
        return Err(Error::bad_request(format!("Model name must be alphanumeric: {name}")));
    }
    let schema = input.string("schema")?;
    check(schema.as_deref())?;
    if definition.models.contains_key(&name) {
        return Err(Error::conflict("Model name already exists for this REST API"));
    }
    let id = call.new_id(6, |id| definition.models.values().any(|model| model.id == id));
    let model = Model { id, description: input.string("description")?, schema, content_type };
    let shown = show(&name, &model);
    definition.models.insert(name, model);
    check_size(&definition)?;
    call.put_definition(definition)?;
    Ok(Reply::created(shown))
}

fn check(schema: Option<&str>) -> Result<(), Error> {
    let parsed: Value = match schema {
        None | Some("") => Value::Object(serde_json::Map::new()),
        Some(text) => {
            serde_json::from_str(text).map_err(|_| Error::bad_request("Invalid model schema specified."))?
        }
    };
    match parsed {
        Value::Object(members) if members.is_empty() => {
            Err(Error::bad_request("Model schema must have at least 1 property or array items defined"))
        }
        Value::Object(_) => Ok(()),
        _ => Err(Error::bad_request("Invalid model schema specified.")),
    }
}

fn check_size(definition: &Definition) -> Result<(), Error> {
    let schemas = definition.models.values().filter_map(|model| model.schema.as_ref());
    if schemas.map(String::len).sum::<usize>() > MODELS_BYTES {
        return Err(Error::limit_exceeded("the models of an API have at most 400 KB together"));
    }
    Ok(())
}

fn find<'a>(call: &Call<'a>) -> Result<(&'a Definition, &'a Model), Error> {
    let definition = &call.api()?.definition;
    let name = call.label("model_name");
    let model = definition.models.get(name);
    let model = model.ok_or_else(|| Error::not_found(format!("Invalid model name specified: {name}")))?;
    Ok((definition, model))
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (definition, model) = find(call)?;
    let name = call.label("model_name");
    if !call.query.flag("flatten") {
        return Ok(Reply::ok(show(name, model)));
    }
    let schema = model.schema.as_ref().map(|schema| flattened(schema, &definition.models));
    Ok(Reply::ok(show(name, &Model { schema, ..model.clone() })))
}

/// The schema with the models that it refers to in their places.
fn flattened(schema: &str, models: &BTreeMap<String, Model>) -> String {
    let Ok(mut parsed) = serde_json::from_str::<Value>(schema) else { return schema.to_owned() };
    let mut budget = MODELS_BYTES;
    inline(&mut parsed, models, FLATTEN_DEPTH, &mut budget);
    parsed.to_string()
}

/// Replaces references, so deep and so much at most: models may refer to themselves.
fn inline(value: &mut Value, models: &BTreeMap<String, Model>, depth: usize, budget: &mut usize) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| inline(item, models, depth, budget)),
        Value::Object(members) => {
            let target =
                members.get("$ref").and_then(Value::as_str).and_then(|target| target.rsplit_once("/models/"));
            let schema = target.and_then(|(_, name)| models.get(name)?.schema.as_ref());
            if let Some(schema) = schema
                && depth > 0
                && *budget >= schema.len()
                && let Ok(mut parsed) = serde_json::from_str::<Value>(schema)
            {
                *budget -= schema.len();
                inline(&mut parsed, models, depth - 1, budget);
                *value = parsed;
                return;
            }
            members.values_mut().for_each(|member| inline(member, models, depth, budget));
        }
        _ => {}
    }
}

fn get_all(call: &mut Call<'_>) -> Result<Reply, Error> {
    let models = &call.api()?.definition.models;
    let items = models.iter().map(|(name, one)| (name.clone(), (name, one))).collect();
    Ok(Reply::ok(page::page(&call.query, items, |(name, one)| show(name, one).into())?))
}

fn get_template(call: &mut Call<'_>) -> Result<Reply, Error> {
    find(call)?;
    Err(Error::bad_request("GetModelTemplate is not supported"))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mut model = find(call)?.1.clone();
    for patch in patch::read(call)? {
        match patch::one_of(&patch, &["/description", "/schema"])? {
            "/description" => model.description = patch.filled(),
            _ => {
                check(patch.value.as_deref())?;
                model.schema = patch.value;
            }
        }
    }
    let name = call.label("model_name").to_owned();
    let mut definition = (*call.api()?.definition).clone();
    let shown = show(&name, &model);
    definition.models.insert(name, model);
    check_size(&definition)?;
    call.put_definition(definition)?;
    Ok(Reply::ok(shown))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    find(call)?;
    let name = call.label("model_name").to_owned();
    let mut definition = (*call.api()?.definition).clone();
    for (path, resource) in &definition.resources {
        for (key, method) in &resource.methods {
            let mut responses =
                method.responses.values().filter_map(|response| response.response_models.as_ref());
            let place = if method.request_models.values().any(|model| *model == name) {
                "request"
            } else if responses.any(|models| models.values().any(|model| *model == name)) {
                "response"
            } else {
                continue;
            };
            return Err(Error::conflict(format!(
                "Cannot delete model '{name}', is referenced in method {place}: {path}/{}",
                key.as_str()
            )));
        }
    }
    let reference = format!("/models/{name}\"");
    let refers = |model: &&Model| model.schema.as_ref().is_some_and(|schema| schema.contains(&reference));
    let others = definition.models.iter().filter(|(known, _)| **known != name);
    if let Some((other, _)) = others.into_iter().find(|(_, model)| refers(model)) {
        return Err(Error::conflict(format!(
            "Cannot delete model '{name}', is referenced in model: {other}"
        )));
    }
    definition.models.remove(&name);
    call.put_definition(definition)?;
    Ok(Reply::accepted())
}
