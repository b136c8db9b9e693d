//! `RestApi`
//!
//! AWS: API reference, "CreateRestApi", "UpdateRestApi" and their like; shapes and texts are recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{ApiKeySource, Definition, EndpointType, Key, Model, Record, Resources, RestApi};
use serde_json::Value;
use vocabulary::limits::{MINIMUM_COMPRESSION_SIZE_MAX, RESOURCE_POLICY_CHARS};

use super::{endpoint, tagged};
use crate::call::{Call, Reply, Scope};
use crate::error::{Constraints, Error};
use crate::ids;
use crate::json::{self, Object};
use crate::operation::Operation;
use crate::page;
use crate::patch::{self, Op, Patch};

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateRestApi", "POST", "/restapis", create),
    Operation::new("GetRestApis", "GET", "/restapis", get_all),
    Operation::new("GetRestApi", "GET", "/restapis/{restapi_id}", get),
    Operation::new("UpdateRestApi", "PATCH", "/restapis/{restapi_id}", update),
    Operation::new("DeleteRestApi", "DELETE", "/restapis/{restapi_id}", delete),
];

/// Whether empty tags are shown: they aren't in the answer to a create call and in lists.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tags {
    Shown,
    Filled,
}

/// An API as it is shown.
pub(crate) fn show(id: &str, api: &RestApi, tags: Tags) -> Object {
    let definition = &api.definition;
    let object = Object::new()
        .with("id", id)
        .with("name", api.name.as_str())
        .some("description", api.description.as_deref())
        .with("createdDate", api.created_date)
        .some("version", api.version.as_deref())
        .filled("binaryMediaTypes", json::list(&definition.binary_media_types))
        .some("minimumCompressionSize", definition.minimum_compression_size)
        .with("apiKeySource", definition.api_key_source.as_str())
        .with("endpointConfiguration", endpoint::show(&api.endpoint_configuration))
        .some("policy", definition.policy.as_deref().map(escaped));
    let object = match tags {
        Tags::Shown => object.with("tags", json::texts(&api.tags)),
        Tags::Filled => object.filled("tags", json::texts(&api.tags)),
    };
    object
        .with("disableExecuteApiEndpoint", definition.disable_execute_api_endpoint)
        .with("rootResourceId", definition.resources.root_id())
        .some("securityPolicy", api.security_policy.as_deref())
        .some("endpointAccessMode", api.endpoint_access_mode.as_deref())
}

/// A policy as AWS shows it: the text of a JSON string within the JSON string, slashes escaped too (recorded).
pub(crate) fn escaped(policy: &str) -> String {
    let quoted = Value::from(policy).to_string();
    quoted[1..quoted.len() - 1].replace('/', "\\/")
}

/// A resource policy as it is kept: one line of JSON, short resources written out.
pub(crate) fn policy(scope: &Scope<'_>, api_id: &str, text: &str) -> Result<Option<String>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let invalid = || {
        Error::bad_request(
            "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.",
        )
    };
    if text.chars().count() > RESOURCE_POLICY_CHARS {
        return Err(Error::bad_request(format!(
            "a resource policy has at most {RESOURCE_POLICY_CHARS} characters"
        )));
    }
    let mut document: Value = serde_json::from_str(text).map_err(|_| invalid())?;
    let statements = document.get_mut("Statement").ok_or_else(invalid)?;
    let statements = match statements {
        Value::Array(items) => items.as_mut_slice(),
        Value::Object(_) => std::slice::from_mut(statements),
        _ => return Err(invalid()),
    };
    let arn = format!("arn:aws:execute-api:{}:{}:{api_id}", scope.region, scope.account_id);
    let expand = |value: &mut Value| {
        if let Value::String(text) = value
            && let Some(rest) = text.strip_prefix("execute-api:")
        {
            *value = Value::from(format!("{arn}{rest}"));
        }
    };
    for statement in statements {
        for member in ["Resource", "NotResource"] {
            match statement.get_mut(member) {
                Some(Value::Array(items)) => items.iter_mut().for_each(expand),
                Some(value) => expand(value),
                None => {}
            }
        }
    }
    Ok(Some(document.to_string()))
}

/// The models that every API begins with, unless it comes from a document.
fn default_models(call: &mut Call<'_>) -> BTreeMap<String, Model> {
    let empty = "{\n  \"$schema\": \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Empty Schema\",\n  \
                 \"type\" : \"object\"\n}";
    let error = "{\n  \"$schema\" : \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Error Schema\",\n  \
                 \"type\" : \"object\",\n  \"properties\" : {\n    \"message\" : { \"type\" : \"string\" }\n  }\n}";
    let mut model = |description: &str, schema: &str| Model {
        id: ids::short(call.random, 6),
        description: Some(description.to_owned()),
        schema: Some(schema.to_owned()),
        content_type: "application/json".to_owned(),
    };
    BTreeMap::from([
        ("Empty".to_owned(), model("This is a default empty schema model", empty)),
        ("Error".to_owned(), model("This is a default error schema model", error)),
    ])
}

fn create(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let name = input.required("name", &mut constraints)?;
    let wanted = endpoint::read(&input, &mut constraints)?;
    let sources: Vec<&str> = ApiKeySource::ALL.iter().map(|source| source.as_str()).collect();
    let source = input.word("apiKeySource", ApiKeySource::from_word, &sources, &mut constraints)?;
    constraints.finish()?;
    let mut tags = tagged::read(&input)?;
    let id = match ids::custom(&mut tags, 10)? {
        Some(id) if call.region.rest_apis.contains_key(&id) => {
            return Err(Error::conflict(format!("REST API {id} exists already")));
        }
        Some(id) => id,
        None => {
            let region = call.region;
            call.new_id(10, |id| region.rest_apis.contains_key(id))
        }
    };
    let endpoint_configuration = match wanted {
        Some(wanted) => wanted.judge(EndpointType::Edge)?,
        None => model::EndpointConfiguration::default(),
    };
    let description = input.string("description")?;
    if description.as_deref() == Some("") {
        return Err(Error::bad_request("Description cannot be an empty string"));
    }
    let mut definition = match input.string("cloneFrom")? {
        Some(other) => cloned(call, &other)?,
        None => Definition { models: default_models(call), ..Definition::default() },
    };
    if definition.resources.root_id().is_empty() {
        definition.resources = Resources::new(ids::short(call.random, 10));
    }
    definition.minimum_compression_size =
        input.integer("minimumCompressionSize")?.map(compression_size).transpose()?;
    definition.api_key_source = source.unwrap_or(ApiKeySource::Header);
    definition.binary_media_types = input.strings("binaryMediaTypes")?.unwrap_or_default();
    definition.disable_execute_api_endpoint = input.boolean("disableExecuteApiEndpoint")?.unwrap_or(false);
    definition.policy = policy(&call.scope, &id, &input.string("policy")?.unwrap_or_default())?;
    let api = RestApi {
        name,
        description,
        version: input.string("version")?,
        created_date: call.now,
        endpoint_configuration,
        security_policy: input.string("securityPolicy")?,
        endpoint_access_mode: input.string("endpointAccessMode")?,
        tags,
        documentation_parts: BTreeMap::new(),
        definition: Arc::new(definition),
    };
    let shown = show(&id, &api, Tags::Filled);
    call.put(Key::RestApi(id), Record::RestApi(Arc::new(api)));
    Ok(Reply::created(shown))
}

/// The definition of another API, its resources with ids of their own.
fn cloned(call: &mut Call<'_>, other: &str) -> Result<Definition, Error> {
    let tree = call.region.rest_apis.get(other).ok_or_else(|| call.no_such_api(other))?;
    let mut definition = (*tree.api.definition).clone();
    for (path, resource) in definition.resources.iter_mut() {
        resource.id = ids::short(call.random, if path == "/" { 10 } else { 6 });
    }
    Ok(definition)
}

fn compression_size(size: i64) -> Result<u32, Error> {
    let fits = u32::try_from(size).ok().filter(|size| *size <= MINIMUM_COMPRESSION_SIZE_MAX);
    fits.ok_or_else(|| {
        Error::bad_request(format!(
            "Invalid minimum compression size, must be between 0 and {MINIMUM_COMPRESSION_SIZE_MAX}"
        ))
    })
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    Ok(Reply::ok(show(call.label("restapi_id"), call.api()?, Tags::Shown)))
}

fn get_all(call: &mut Call<'_>) -> Result<Reply, Error> {
    let items = call.region.rest_apis.iter().map(|(id, tree)| (id.clone(), (id, &*tree.api))).collect();
    Ok(Reply::ok(page::page(&call.query, items, |(id, api)| show(id, api, Tags::Filled).into())?))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mut api = call.api()?.clone();
    let id = call.label("restapi_id").to_owned();
    for patch in patch::read(call)? {
        apply(&call.scope, &id, &mut api, &patch)?;
    }
    endpoint::check(&api.endpoint_configuration)?;
    let shown = show(&id, &api, Tags::Shown);
    call.put_api(api);
    Ok(Reply::ok(shown))
}

fn apply(scope: &Scope<'_>, id: &str, api: &mut RestApi, patch: &Patch) -> Result<(), Error> {
    const REPLACE: &[Op] = &[Op::Replace];
    let definition = Arc::make_mut(&mut api.definition);
    if let Some(media_type) = patch.name_below("/binaryMediaTypes/") {
        return binary_media_type(&mut definition.binary_media_types, media_type, patch);
    }
    if patch.name_below("/endpointConfiguration/types/").is_some() {
        patch.only(REPLACE)?;
        return endpoint::replace_type(&mut api.endpoint_configuration, &patch.text());
    }
    match patch.path() {
        "/description" => {
            patch.only(&[Op::Add, Op::Replace, Op::Remove])?;
            api.description = if patch.op == Op::Remove { None } else { patch.filled() };
            return Ok(());
        }
        "/endpointConfiguration/vpcEndpointIds" => {
            patch.only(&[Op::Add, Op::Remove])?;
            let (ids, value) = (&mut api.endpoint_configuration.vpc_endpoint_ids, patch.text());
            ids.retain(|id| *id != value);
            if patch.op == Op::Add {
                ids.push(value);
            }
            return Ok(());
        }
        "/name"
        | "/policy"
        | "/apiKeySource"
        | "/disableExecuteApiEndpoint"
        | "/minimumCompressionSize"
        | "/endpointConfiguration/ipAddressType"
        | "/endpointAccessMode"
        | "/securityPolicy" => {
            patch.only(REPLACE)?;
        }
        _ => return Err(patch::no_path(patch)),
    }
    match patch.path() {
        "/name" => api.name = patch.text(),
        "/policy" => definition.policy = policy(scope, id, &patch.text())?,
        "/apiKeySource" => {
            definition.api_key_source = ApiKeySource::from_word(&patch.text()).ok_or_else(|| {
                Error::bad_request("Invalid API key source specified. Valid options are HEADER,AUTHORIZER")
            })?;
        }
        "/disableExecuteApiEndpoint" => definition.disable_execute_api_endpoint = patch.flag(),
        "/minimumCompressionSize" => {
            // Terraform switches compression off by an empty value, others by -1 or none at all.
            definition.minimum_compression_size = match patch.filled().as_deref() {
                None | Some("null" | "-1") => None,
                Some(text) => Some(compression_size(text.parse().unwrap_or(-1))?),
            };
        }
        "/endpointConfiguration/ipAddressType" => {
            endpoint::replace_ip_address_type(&mut api.endpoint_configuration, &patch.text())?;
        }
        "/endpointAccessMode" => api.endpoint_access_mode = patch.filled(),
        _ => api.security_policy = patch.filled(),
    }
    Ok(())
}

fn binary_media_type(types: &mut Vec<String>, name: String, patch: &Patch) -> Result<(), Error> {
    patch.only(&[Op::Add, Op::Replace, Op::Remove])?;
    let at = types.iter().position(|known| *known == name);
    match (patch.op, at) {
        (Op::Remove, Some(at)) => drop(types.remove(at)),
        // Replacing an entry puts the value there, or the same name where no value is given.
        (Op::Replace, Some(at)) => types[at] = patch.filled().unwrap_or(name),
        (Op::Add, None) => types.push(name),
        (Op::Add, Some(_)) => {}
        _ => return Err(Error::not_found("Content-Type specified was not found")),
    }
    Ok(())
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    call.tree()?;
    let id = call.label("restapi_id").to_owned();
    let mapped = call
        .region
        .domain_names
        .values()
        .any(|domain| domain.base_path_mappings.values().any(|mapping| mapping.rest_api_id == id));
    if mapped {
        let message =
            format!("Please remove all base path mappings related to the API {id} before deleting it");
        return Err(Error::bad_request(message));
    }
    let planned = |plan: &&Arc<model::UsagePlan>| plan.api_stages.iter().any(|stage| stage.api_id == id);
    if call.region.usage_plans.values().find(planned).is_some() {
        let message = format!("Please remove the API {id} from all usage plans before deleting it");
        return Err(Error::bad_request(message));
    }
    call.remove(Key::RestApi(id));
    Ok(Reply::accepted())
}
