//! `ApiKey`
//!
//! AWS: API reference, "CreateApiKey", "UpdateApiKey", "ImportApiKeys" and their like; "API key file format" of the guide;
//! shapes and texts are recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{ApiKey, Key, Record, Secret};
use vocabulary::limits::{API_KEYS, IMPORTED_KEYS};

use super::{csv, tagged, usage_plan_keys};
use crate::call::{Call, Reply};
use crate::error::Error;
use crate::ids;
use crate::json::{self, Object};
use crate::operation::Operation;
use crate::page;
use crate::patch::{self, Op, Patch};
use crate::v1::rest_apis::Tags;

const ONE: &str = "/apikeys/{api_Key}";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("ImportApiKeys", "POST", "/apikeys", import).importing(),
    Operation::new("CreateApiKey", "POST", "/apikeys", create),
    Operation::new("GetApiKeys", "GET", "/apikeys", get_all),
    Operation::new("GetApiKey", "GET", ONE, get),
    Operation::new("UpdateApiKey", "PATCH", ONE, update),
    Operation::new("DeleteApiKey", "DELETE", ONE, delete),
];

fn show(id: &str, key: &ApiKey, with_value: bool, tags: Tags) -> Object {
    let object = Object::new()
        .with("id", id)
        .some("value", with_value.then(|| key.value.reveal()))
        .some("name", key.name.as_deref().filter(|name| !name.is_empty()))
        .some("customerId", key.customer_id.as_deref())
        .some("description", key.description.as_deref())
        .with("enabled", key.enabled)
        .with("createdDate", key.created_date)
        .with("lastUpdatedDate", key.last_updated_date)
        .with("stageKeys", json::list(&key.stage_keys));
    match tags {
        Tags::Shown => object.with("tags", json::texts(&key.tags)),
        Tags::Filled => object.filled("tags", json::texts(&key.tags)),
    }
}

/// What is said of a key that isn't there.
pub(crate) fn unknown() -> Error {
    Error::not_found("Invalid API Key identifier specified")
}

fn check_value(value: &str) -> Result<(), Error> {
    if value.chars().count() < 20 {
        return Err(Error::bad_request("API Key value should be at least 20 characters"));
    }
    if value.chars().count() > 128 {
        return Err(Error::bad_request("API Key value exceeds maximum size of 128 characters"));
    }
    Ok(())
}

fn check_name(name: Option<&str>) -> Result<(), Error> {
    if name.is_some_and(|name| name.chars().count() > 1_024) {
        return Err(Error::bad_request("Invalid API Key name, can be at most 1024 characters."));
    }
    Ok(())
}

fn check_description(description: Option<&str>) -> Result<(), Error> {
    if description.is_some_and(|description| description.chars().count() > 125_000) {
        return Err(Error::bad_request("Invalid API Key description specified."));
    }
    Ok(())
}

fn create(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let (name, description) = (input.string("name")?, input.string("description")?);
    let mut tags = tagged::read(&input)?;
    let custom = ids::custom(&mut tags, 10)?;
    let mut stage_keys = Vec::new();
    for stage in input.objects("stageKeys")?.unwrap_or_default() {
        let (api, name) = (stage.string("restApiId")?, stage.string("stageName")?);
        stage_keys.push(format!("{}/{}", api.unwrap_or_default(), name.unwrap_or_default()));
    }
    check_name(name.as_deref())?;
    check_description(description.as_deref())?;
    let value = match input.string("value")?.filter(|value| !value.is_empty()) {
        Some(value) => {
            check_value(&value)?;
            value
        }
        None => ids::key_value(call.random),
    };
    let region = call.region;
    if region.api_key_with_value(&value).is_some() {
        return Err(Error::conflict("API Key already exists"));
    }
    check_room(call, 1)?;
    let id = match custom {
        Some(id) if region.api_keys.contains_key(&id) => {
            return Err(Error::conflict("API Key already exists"));
        }
        Some(id) => id,
        None => call.new_id(10, |id| region.api_keys.contains_key(id)),
    };
    let key = ApiKey {
        value: Secret::new(value),
        name,
        customer_id: input.string("customerId")?,
        description,
        enabled: input.boolean("enabled")?.unwrap_or(false),
        stage_keys,
        tags,
        created_date: call.now,
        last_updated_date: call.now,
    };
    let shown = show(&id, &key, true, Tags::Filled);
    call.put(Key::ApiKey(id), Record::ApiKey(Arc::new(key)));
    Ok(Reply::created(shown))
}

fn check_room(call: &Call<'_>, more: usize) -> Result<(), Error> {
    if call.region.api_keys.len() + more > API_KEYS {
        return Err(Error::limit_exceeded(format!(
            "Maximum number of API Keys for this account has been reached ({API_KEYS}). Please contact AWS if you need \
             additional API Keys."
        )));
    }
    Ok(())
}

fn find<'a>(call: &Call<'a>) -> Result<&'a ApiKey, Error> {
    call.region.api_keys.get(call.label("api_Key")).map(|key| &**key).ok_or_else(unknown)
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    let with_value = call.query.flag("includeValue");
    Ok(Reply::ok(show(call.label("api_Key"), find(call)?, with_value, Tags::Shown)))
}

fn get_all(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (name, customer) = (call.query.get("name"), call.query.get("customerId"));
    let fits = |key: &ApiKey| {
        let named = name.is_none_or(|start| key.name.as_deref().unwrap_or_default().starts_with(start));
        named && customer.is_none_or(|id| key.customer_id.as_deref() == Some(id))
    };
    let keys = call.region.api_keys.iter().filter(|(_, key)| fits(key));
    let items = keys.map(|(id, key)| (page::newest_first(key.created_date, id), (id, &**key))).collect();
    let with_values = call.query.flag("includeValues");
    Ok(Reply::ok(page::page(&call.query, items, |(id, key)| {
        show(id, key, with_values, Tags::Filled).into()
    })?))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mut key = find(call)?.clone();
    for patch in patch::read(call)? {
        apply(&mut key, &patch)?;
    }
    check_name(key.name.as_deref())?;
    check_description(key.description.as_deref())?;
    key.last_updated_date = call.now;
    let id = call.label("api_Key").to_owned();
    let shown = show(&id, &key, false, Tags::Shown);
    call.put(Key::ApiKey(id), Record::ApiKey(Arc::new(key)));
    Ok(Reply::ok(shown))
}

fn apply(key: &mut ApiKey, patch: &Patch) -> Result<(), Error> {
    match patch.path() {
        "/stages" => {
            if !matches!(patch.op, Op::Add | Op::Remove) {
                return Err(patch::unsupported(patch));
            }
            let stage = patch.text();
            key.stage_keys.retain(|known| *known != stage);
            if patch.op == Op::Add {
                key.stage_keys.push(stage);
            }
            return Ok(());
        }
        // Labels have no effect and are shown nowhere.
        "/labels" if matches!(patch.op, Op::Add | Op::Remove) => return Ok(()),
        _ => {}
    }
    match patch::one_of(patch, &["/description", "/enabled", "/name", "/customerId"])? {
        "/description" => key.description = patch.filled(),
        "/enabled" => key.enabled = patch.flag(),
        "/name" => key.name = patch.filled(),
        _ => key.customer_id = patch.filled(),
    }
    Ok(())
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    find(call)?;
    let id = call.label("api_Key").to_owned();
    let plans: Vec<String> = call.region.plans_of_key(&id).map(str::to_owned).collect();
    for plan in plans {
        call.remove(Key::UsagePlanKey(plan, id.clone()));
    }
    call.remove(Key::ApiKey(id));
    Ok(Reply::accepted())
}

/// Keys from a file of comma-separated values: one whose value is known is overwritten.
fn import(call: &mut Call<'_>) -> Result<Reply, Error> {
    match call.query.get("format") {
        Some(format) if format.eq_ignore_ascii_case("csv") => {}
        _ => return Err(Error::bad_request("Invalid format specified. Valid options are csv")),
    }
    let text = std::str::from_utf8(call.body).map_err(|_| Error::bad_request("The file is no UTF-8 text"))?;
    let rows = csv::read(text, IMPORTED_KEYS).map_err(Error::bad_request)?;
    let strict = call.query.flag("failonwarnings");
    let (mut ids, mut warnings) = (Vec::new(), Vec::new());
    // Values of this file, for a key that is in it twice.
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for (line, row) in rows {
        match import_row(call, &row, &mut known) {
            Ok(id) => ids.push(id),
            Err(error) => warnings.push(format!("Line {line}: {}", error.message)),
        }
    }
    if strict && !warnings.is_empty() {
        return Err(Error::bad_request(format!(
            "Warnings found during import:\n\t{}",
            warnings.join("\n\t")
        )));
    }
    check_room(call, known.len())?;
    Ok(Reply::created(Object::new().with("ids", ids).with("warnings", warnings)))
}

fn import_row(
    call: &mut Call<'_>,
    row: &BTreeMap<String, String>,
    known: &mut BTreeMap<String, String>,
) -> Result<String, Error> {
    let column = |name: &str| row.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let value = column("key").ok_or_else(|| Error::bad_request("Missing value for column 'Key'"))?;
    let name = column("name").ok_or_else(|| Error::bad_request("Missing value for column 'Name'"))?;
    check_value(value)?;
    check_name(Some(name))?;
    let plans: Vec<&str> =
        column("usageplanids").into_iter().flat_map(|ids| ids.split(',')).map(str::trim).collect();
    let region = call.region;
    if let Some(plan) = plans.iter().find(|plan| !region.usage_plans.contains_key(**plan)) {
        return Err(Error::bad_request(format!("Invalid Usage Plan ID specified: {plan}")));
    }
    let old = region.api_key_with_value(value).map(str::to_owned).or_else(|| known.get(value).cloned());
    let id = old.unwrap_or_else(|| call.new_id(10, |id| region.api_keys.contains_key(id)));
    known.insert(value.to_owned(), id.clone());
    let before = region.api_keys.get(&id);
    let key = ApiKey {
        value: Secret::new(value.to_owned()),
        name: Some(name.to_owned()),
        description: column("description").map(str::to_owned),
        enabled: column("enabled").is_none_or(|flag| flag.eq_ignore_ascii_case("true")),
        created_date: before.map_or(call.now, |key| key.created_date),
        last_updated_date: call.now,
        ..before.map(|key| (**key).clone()).unwrap_or_default()
    };
    call.put(Key::ApiKey(id.clone()), Record::ApiKey(Arc::new(key)));
    for plan in plans {
        usage_plan_keys::subscribe(call, plan, &id);
    }
    Ok(id)
}
