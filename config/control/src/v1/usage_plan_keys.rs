//! `UsagePlanKey` and `Usage`
//!
//! AWS: API reference, "CreateUsagePlanKey", "GetUsage", "UpdateUsage" and their like; shapes and texts are recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{ApiKey, Key, Record, UsagePlan, UsagePlanKey};
use serde_json::{Map, Value, json};
use vocabulary::limits::USAGE_PLANS_OF_KEY;

use super::{api_keys, calendar, usage_plans};
use crate::call::{Call, Reply};
use crate::error::{Constraints, Error};
use crate::json::Object;
use crate::operation::Operation;
use crate::page;
use crate::patch::{self, Op};

const MANY: &str = "/usageplans/{usageplanId}/keys";
const ONE: &str = "/usageplans/{usageplanId}/keys/{keyId}";
/// Days that one call shows at most, and how far back ("GetUsage").
const DAYS_MAX: i64 = 90;

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateUsagePlanKey", "POST", MANY, create),
    Operation::new("GetUsagePlanKeys", "GET", MANY, get_all),
    Operation::new("GetUsagePlanKey", "GET", ONE, get),
    Operation::new("DeleteUsagePlanKey", "DELETE", ONE, delete),
    Operation::new("GetUsage", "GET", "/usageplans/{usageplanId}/usage", get_usage),
    Operation::new("UpdateUsage", "PATCH", "/usageplans/{usageplanId}/keys/{keyId}/usage", update_usage),
];

fn show(id: &str, key: &ApiKey) -> Object {
    Object::new()
        .with("id", id)
        .with("type", "API_KEY")
        .with("value", key.value.reveal())
        .some("name", key.name.as_deref())
}

fn unknown() -> Error {
    Error::not_found("Invalid Usage Plan Key identifier specified")
}

/// Gives a key to a plan; one that it has already stays as it is.
pub(crate) fn subscribe(call: &mut Call<'_>, plan: &str, key: &str) {
    let keys = call.region.usage_plan_keys.get(plan);
    if keys.is_some_and(|keys| keys.contains_key(key)) {
        return;
    }
    let entry = UsagePlanKey { created_date: call.now, remaining: None };
    call.put(Key::UsagePlanKey(plan.to_owned(), key.to_owned()), Record::UsagePlanKey(Arc::new(entry)));
}

fn create(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let id = input.required("keyId", &mut constraints)?;
    let kind = input.required("keyType", &mut constraints)?;
    constraints.finish()?;
    usage_plans::find(call)?;
    if kind != "API_KEY" {
        return Err(Error::bad_request("Invalid key type specified. Valid options are API_KEY"));
    }
    let region = call.region;
    let key = region.api_keys.get(&id).ok_or_else(api_keys::unknown)?;
    let plan = call.label("usageplanId").to_owned();
    if region.plans_of_key(&id).any(|known| known == plan) {
        return Err(Error::conflict(format!("API Key {id} is already in usage plan {plan}")));
    }
    if region.plans_of_key(&id).count() >= USAGE_PLANS_OF_KEY {
        return Err(Error::limit_exceeded(format!(
            "an API key is in at most {USAGE_PLANS_OF_KEY} usage plans"
        )));
    }
    let shown = show(&id, key);
    subscribe(call, &plan, &id);
    Ok(Reply::created(shown))
}

fn find<'a>(call: &Call<'a>) -> Result<(&'a UsagePlanKey, &'a ApiKey), Error> {
    usage_plans::find(call)?;
    let id = call.label("keyId");
    let entry = call.region.usage_plan_keys.get(call.label("usageplanId")).and_then(|keys| keys.get(id));
    let key = call.region.api_keys.get(id);
    entry.zip(key).map(|(entry, key)| (&**entry, &**key)).ok_or_else(unknown)
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    Ok(Reply::ok(show(call.label("keyId"), find(call)?.1)))
}

fn get_all(call: &mut Call<'_>) -> Result<Reply, Error> {
    // A plan that isn't there has no keys (recorded).
    let entries = call.region.usage_plan_keys.get(call.label("usageplanId"));
    let name = call.query.get("name");
    let keys = entries.into_iter().flatten().filter_map(|(id, entry)| {
        let key = call.region.api_keys.get(id)?;
        let fits = name.is_none_or(|start| key.name.as_deref().unwrap_or_default().starts_with(start));
        fits.then(|| (page::oldest_first(entry.created_date, id), (id, &**key)))
    });
    let items = keys.collect();
    Ok(Reply::ok(page::page(&call.query, items, |(id, key)| show(id, key).into())?))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    find(call)?;
    let (plan, key) = (call.label("usageplanId").to_owned(), call.label("keyId").to_owned());
    call.remove(Key::UsagePlanKey(plan, key));
    Ok(Reply::accepted())
}

/// What a key has left on a day: what a call set within the period, else the quota. Nothing is counted yet.
fn remaining(plan: &UsagePlan, entry: &UsagePlanKey, day: i64) -> i64 {
    let Some(quota) = plan.quota else { return 0 };
    match entry.remaining {
        Some((remaining, set))
            if set <= day
                && calendar::period(quota.period, quota.offset, set)
                    == calendar::period(quota.period, quota.offset, day) =>
        {
            remaining
        }
        _ => quota.limit,
    }
}

fn usage(
    call: &Call<'_>,
    plan: &UsagePlan,
    keys: &BTreeMap<String, Arc<UsagePlanKey>>,
    (start, end): (i64, i64),
) -> Result<Value, Error> {
    let only = call.query.get("keyId");
    let entries = keys.iter().filter(|(id, _)| only.is_none_or(|only| only == id.as_str()));
    let items: Vec<(String, (&String, &Arc<UsagePlanKey>))> =
        entries.map(|(id, entry)| (id.clone(), (id, entry))).collect();
    let listed = page::page(&call.query, items, |(id, entry)| {
        let days: Vec<Value> = (start..=end).map(|day| json!([0, remaining(plan, entry, day)])).collect();
        json!([id, days])
    })?;
    let mut values = Map::new();
    for pair in listed["item"].as_array().into_iter().flatten() {
        values.insert(pair[0].as_str().unwrap_or_default().to_owned(), pair[1].clone());
    }
    let shown = Object::new()
        .with("usagePlanId", call.label("usageplanId"))
        .with("startDate", calendar::show(start))
        .with("endDate", calendar::show(end))
        .some("position", listed.get("position").cloned())
        .with("values", Value::Object(values));
    Ok(shown.into())
}

fn get_usage(call: &mut Call<'_>) -> Result<Reply, Error> {
    let date = |name: &str| {
        let text = call.query.get(name);
        let text =
            text.ok_or_else(|| Error::bad_request(format!("The query parameter {name} is required")))?;
        calendar::read(text).ok_or_else(|| Error::bad_request(format!("Invalid {name} specified: {text}")))
    };
    let (start, end) = (date("startDate")?, date("endDate")?);
    let plan = usage_plans::find(call)?;
    if end < start {
        return Err(Error::bad_request("The end date must not be before the start date"));
    }
    if end - start >= DAYS_MAX {
        return Err(Error::bad_request(format!("A time range has at most {DAYS_MAX} days")));
    }
    let none = BTreeMap::new();
    let keys = call.region.usage_plan_keys.get(call.label("usageplanId")).unwrap_or(&none);
    Ok(Reply::ok(usage(call, plan, keys, (start, end))?))
}

fn update_usage(call: &mut Call<'_>) -> Result<Reply, Error> {
    let plan = usage_plans::find(call)?;
    let mut entry = find(call)?.0.clone();
    let today = calendar::day(call.now);
    for patch in patch::read(call)? {
        if patch.path() != "/remaining" {
            return Err(patch::no_path(&patch));
        }
        patch.only(&[Op::Replace])?;
        let text = patch.text();
        let value = text.parse::<i64>().ok().filter(|value| *value >= 0);
        let value =
            value.ok_or_else(|| Error::bad_request(format!("Invalid value for /remaining: {text}")))?;
        entry.remaining = Some((value, today));
    }
    if plan.quota.is_none() {
        return Err(Error::bad_request("The usage plan has no quota"));
    }
    let (plan_id, key_id) = (call.label("usageplanId").to_owned(), call.label("keyId").to_owned());
    let keys = BTreeMap::from([(key_id.clone(), Arc::new(entry.clone()))]);
    let shown = usage(call, plan, &keys, (today, today))?;
    call.put(Key::UsagePlanKey(plan_id, key_id), Record::UsagePlanKey(Arc::new(entry)));
    Ok(Reply::ok(shown))
}
