//! `UsagePlan`
//!
//! AWS: API reference, "CreateUsagePlan", "UpdateUsagePlan" and their like; shapes and texts are recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{ApiStage, Key, QuotaPeriod, QuotaSettings, Record, ThrottleSettings, UsagePlan};
use serde_json::Value;
use vocabulary::limits::USAGE_PLANS;

use super::tagged;
use crate::call::{Call, Reply};
use crate::error::{Constraints, Error};
use crate::input::Input;
use crate::json::{self, Object};
use crate::operation::Operation;
use crate::page;
use crate::patch::{self, Op, Patch, unescape};
use crate::v1::rest_apis::Tags;

const ONE: &str = "/usageplans/{usageplanId}";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateUsagePlan", "POST", "/usageplans", create),
    Operation::new("GetUsagePlans", "GET", "/usageplans", get_all),
    Operation::new("GetUsagePlan", "GET", ONE, get),
    Operation::new("UpdateUsagePlan", "PATCH", ONE, update),
    Operation::new("DeleteUsagePlan", "DELETE", ONE, delete),
];

fn show_throttle(throttle: &ThrottleSettings) -> Value {
    Object::new().with("burstLimit", throttle.burst_limit).with("rateLimit", throttle.rate_limit).into()
}

fn show_stage(stage: &ApiStage) -> Value {
    let throttle = stage.throttle.as_ref().map(|methods| {
        Value::Object(
            methods.iter().map(|(method, throttle)| (method.clone(), show_throttle(throttle))).collect(),
        )
    });
    Object::new()
        .with("apiId", stage.api_id.as_str())
        .with("stage", stage.stage.as_str())
        .some("throttle", throttle)
        .into()
}

fn show(id: &str, plan: &UsagePlan, tags: Tags) -> Object {
    let quota = plan.quota.as_ref().map(|quota| {
        Object::new()
            .with("limit", quota.limit)
            .with("offset", quota.offset)
            .with("period", quota.period.as_str())
    });
    let object = Object::new()
        .with("id", id)
        .with("name", plan.name.as_str())
        .some("description", plan.description.as_deref())
        .with("apiStages", plan.api_stages.iter().map(show_stage).collect::<Vec<_>>())
        .some("throttle", plan.throttle.as_ref().map(show_throttle))
        .some("quota", quota)
        .some("productCode", plan.product_code.as_deref());
    match tags {
        Tags::Shown => object.with("tags", json::texts(&plan.tags)),
        Tags::Filled => object.filled("tags", json::texts(&plan.tags)),
    }
}

/// What is said of a plan that isn't there (recorded).
pub(crate) fn unknown() -> Error {
    Error::not_found("Invalid Usage Plan ID specified")
}

/// The plan that the path names.
pub(crate) fn find<'a>(call: &Call<'a>) -> Result<&'a UsagePlan, Error> {
    call.region.usage_plans.get(call.label("usageplanId")).map(|plan| &**plan).ok_or_else(unknown)
}

fn create(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let name = input.required("name", &mut constraints)?;
    let quota = read_quota(&input, &mut constraints)?;
    constraints.finish()?;
    let region = call.region;
    if region.usage_plans.len() >= USAGE_PLANS {
        return Err(Error::limit_exceeded(
            "Maximum number of Usage Plans for this account has been reached. Please contact AWS if you need additional \
             Usage Plans.",
        ));
    }
    let id = call.new_id(6, |id| region.usage_plans.contains_key(id));
    let mut api_stages = Vec::new();
    for stage in input.objects("apiStages")?.unwrap_or_default() {
        api_stages.push(read_stage(call, &id, &stage)?);
    }
    let throttle = input.object("throttle")?.map(|throttle| read_throttle(&throttle)).transpose()?;
    let plan = UsagePlan {
        name,
        description: input.string("description")?,
        api_stages,
        throttle,
        quota,
        product_code: None,
        tags: tagged::read(&input)?,
        created_date: call.now,
    };
    check(&plan)?;
    let shown = show(&id, &plan, Tags::Filled);
    call.put(Key::UsagePlan(id), Record::UsagePlan(Arc::new(plan)));
    Ok(Reply::created(shown))
}

fn read_throttle(input: &Input) -> Result<ThrottleSettings, Error> {
    Ok(ThrottleSettings {
        burst_limit: input.integer("burstLimit")?.unwrap_or(0),
        rate_limit: input.double("rateLimit")?.unwrap_or(0.0),
    })
}

fn read_quota(input: &Input, constraints: &mut Constraints) -> Result<Option<QuotaSettings>, Error> {
    let Some(quota) = input.object("quota")? else { return Ok(None) };
    let words: Vec<&str> = QuotaPeriod::ALL.iter().map(|period| period.as_str()).collect();
    let period = quota.word("period", QuotaPeriod::from_word, &words, constraints)?;
    Ok(Some(QuotaSettings {
        limit: quota.integer("limit")?.unwrap_or(0),
        offset: quota.integer("offset")?.unwrap_or(0),
        period: period.unwrap_or(QuotaPeriod::Month),
    }))
}

fn read_stage(call: &Call<'_>, plan: &str, input: &Input) -> Result<ApiStage, Error> {
    let missing = || Error::bad_request("Invalid API Stage specified");
    let api_id = input.string("apiId")?.ok_or_else(missing)?;
    let stage = input.string("stage")?.ok_or_else(missing)?;
    check_stage(call, plan, &api_id, &stage)?;
    let throttle = match input.object("throttle")? {
        Some(methods) => {
            let mut read = BTreeMap::new();
            for name in methods.names() {
                let throttle = methods.object(name)?.map(|throttle| read_throttle(&throttle)).transpose()?;
                read.insert(name.to_owned(), throttle.unwrap_or_default());
            }
            Some(read)
        }
        None => None,
    };
    Ok(ApiStage { api_id, stage, throttle })
}

/// Refuses a stage that isn't there (recorded).
fn check_stage(call: &Call<'_>, plan: &str, api: &str, stage: &str) -> Result<(), Error> {
    let known = call.region.rest_apis.get(api).is_some_and(|tree| tree.stages.contains_key(stage));
    if known { Ok(()) } else { Err(unknown_stage(plan, api, stage)) }
}

fn unknown_stage(plan: &str, api: &str, stage: &str) -> Error {
    Error::not_found(format!(
        "Invalid API Stage {{api: {api}, stage: {stage}}} specified for usageplan {plan}"
    ))
}

fn check(plan: &UsagePlan) -> Result<(), Error> {
    let Some(quota) = plan.quota else { return Ok(()) };
    if quota.limit <= 0 {
        return Err(Error::bad_request("Usage Plan quota limit must be greater than zero"));
    }
    let (last, text) = match quota.period {
        QuotaPeriod::Day => (0, "Usage Plan quota offset must be zero in the DAY period"),
        QuotaPeriod::Week => {
            (6, "Usage Plan quota offset must be between 0 and 6 inclusive in the WEEK period")
        }
        QuotaPeriod::Month => {
            (27, "Usage Plan quota offset must be between 0 and 27 inclusive in the MONTH period")
        }
    };
    if (0..=last).contains(&quota.offset) { Ok(()) } else { Err(Error::bad_request(text)) }
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    Ok(Reply::ok(show(call.label("usageplanId"), find(call)?, Tags::Shown)))
}

fn get_all(call: &mut Call<'_>) -> Result<Reply, Error> {
    let key = call.query.get("keyId");
    let region = call.region;
    let of_key = |id: &str| key.is_none_or(|key| region.plans_of_key(key).any(|plan| plan == id));
    let plans = region.usage_plans.iter().filter(|(id, _)| of_key(id));
    let items = plans.map(|(id, plan)| (page::oldest_first(plan.created_date, id), (id, &**plan))).collect();
    Ok(Reply::ok(page::page(&call.query, items, |(id, plan)| show(id, plan, Tags::Filled).into())?))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mut plan = find(call)?.clone();
    let id = call.label("usageplanId").to_owned();
    for patch in patch::read(call)? {
        apply(call, &id, &mut plan, &patch)?;
    }
    check(&plan)?;
    let shown = show(&id, &plan, Tags::Shown);
    call.put(Key::UsagePlan(id), Record::UsagePlan(Arc::new(plan)));
    Ok(Reply::ok(shown))
}

fn number<T: std::str::FromStr>(patch: &Patch) -> Result<T, Error> {
    let text = patch.text();
    text.parse()
        .map_err(|_| Error::bad_request(format!("Invalid value specified for path {}: {text}", patch.path())))
}

fn apply(call: &Call<'_>, id: &str, plan: &mut UsagePlan, patch: &Patch) -> Result<(), Error> {
    const WRITE: &[Op] = &[Op::Add, Op::Replace];
    if let Some(rest) = patch.path().strip_prefix("/apiStages/") {
        return apply_stage(id, plan, rest, patch);
    }
    let path = patch.path();
    match path {
        "/apiStages" => return apply_stages(call, id, plan, patch),
        "/name" => {
            patch.only(&[Op::Replace])?;
            plan.name = patch.text();
        }
        "/description" => {
            patch.only(&[Op::Replace])?;
            plan.description = patch.filled();
        }
        "/productCode" => {
            patch.only(&[Op::Add, Op::Replace, Op::Remove])?;
            plan.product_code = if patch.op == Op::Remove { None } else { patch.filled() };
        }
        "/throttle" => {
            patch.only(&[Op::Remove])?;
            plan.throttle = None;
        }
        "/throttle/rateLimit" | "/throttle/burstLimit" => {
            patch.only(WRITE)?;
            let throttle = plan.throttle.get_or_insert_default();
            match path {
                "/throttle/rateLimit" => throttle.rate_limit = number(patch)?,
                _ => throttle.burst_limit = number(patch)?,
            }
        }
        "/quota" => {
            patch.only(&[Op::Remove])?;
            plan.quota = None;
        }
        "/quota/limit" | "/quota/offset" | "/quota/period" => {
            patch.only(WRITE)?;
            let empty = QuotaSettings { limit: 0, offset: 0, period: QuotaPeriod::Month };
            let quota = plan.quota.get_or_insert(empty);
            match path {
                "/quota/limit" => quota.limit = number(patch)?,
                "/quota/offset" => quota.offset = number(patch)?,
                _ => {
                    let wrong =
                        || Error::bad_request(format!("Invalid quota period specified: {}", patch.text()));
                    quota.period = QuotaPeriod::from_word(&patch.text()).ok_or_else(wrong)?;
                }
            }
        }
        _ => return Err(patch::no_path(patch)),
    }
    Ok(())
}

/// Adds or removes a stage: the value is `{api}:{stage}`.
fn apply_stages(call: &Call<'_>, id: &str, plan: &mut UsagePlan, patch: &Patch) -> Result<(), Error> {
    patch.only(&[Op::Add, Op::Remove])?;
    let value = patch.text();
    let (api, stage) =
        value.split_once(':').ok_or_else(|| Error::bad_request("Invalid API Stage specified"))?;
    let at = plan.api_stages.iter().position(|known| known.api_id == api && known.stage == stage);
    match (patch.op, at) {
        (Op::Remove, Some(at)) => drop(plan.api_stages.remove(at)),
        (Op::Remove, None) => return Err(unknown_stage(id, api, stage)),
        (_, Some(_)) => {}
        (_, None) => {
            check_stage(call, id, api, stage)?;
            plan.api_stages.push(ApiStage {
                api_id: api.to_owned(),
                stage: stage.to_owned(),
                throttle: None,
            });
        }
    }
    Ok(())
}

/// `{api}:{stage}/throttle…` of one stage of the plan.
fn apply_stage(id: &str, plan: &mut UsagePlan, rest: &str, patch: &Patch) -> Result<(), Error> {
    let (name, rest) = rest.split_once('/').ok_or_else(|| patch::no_path(patch))?;
    let (api, stage) =
        name.split_once(':').ok_or_else(|| Error::bad_request("Invalid API Stage specified"))?;
    let found = plan.api_stages.iter_mut().find(|known| known.api_id == api && known.stage == stage);
    let found = found.ok_or_else(|| unknown_stage(id, api, stage))?;
    let rest = rest.strip_prefix("throttle").ok_or_else(|| patch::no_path(patch))?;
    if rest.is_empty() {
        patch.only(&[Op::Add, Op::Replace, Op::Remove])?;
        found.throttle = match patch.op {
            Op::Remove => None,
            _ => Some(serde_json::from_str(&patch.text()).map_err(|_| {
                Error::bad_request(format!(
                    "Invalid value specified for path {}: {}",
                    patch.path(),
                    patch.text()
                ))
            })?),
        };
        return Ok(());
    }
    // `/{path~1}/{METHOD}` or the same with one limit behind it.
    let mut parts: Vec<&str> = rest.strip_prefix('/').unwrap_or(rest).split('/').collect();
    let leaf = parts.pop_if(|last| matches!(*last, "rateLimit" | "burstLimit"));
    let [path, method] = *parts.as_slice() else { return Err(patch::no_path(patch)) };
    let key = format!("{}/{method}", unescape(path));
    let methods = found.throttle.get_or_insert_default();
    match (patch.op, leaf) {
        (Op::Remove, _) => {
            let removed = methods.remove(&key);
            removed.ok_or_else(|| Error::not_found("Invalid parameter name specified"))?;
        }
        (Op::Add | Op::Replace, Some("rateLimit")) => {
            methods.entry(key).or_default().rate_limit = number(patch)?
        }
        (Op::Add | Op::Replace, Some(_)) => methods.entry(key).or_default().burst_limit = number(patch)?,
        _ => return Err(patch::no_path(patch)),
    }
    Ok(())
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    let plan = find(call)?;
    let id = call.label("usageplanId").to_owned();
    if let Some(stage) = plan.api_stages.first() {
        return Err(Error::bad_request(format!(
            "Cannot delete usage plan {id}: the stage {} of API {} is attached to it; remove /apiStages first",
            stage.stage, stage.api_id
        )));
    }
    let keys: Vec<String> =
        call.region.usage_plan_keys.get(&id).into_iter().flat_map(BTreeMap::keys).cloned().collect();
    for key in keys {
        call.remove(Key::UsagePlanKey(id.clone(), key));
    }
    call.remove(Key::UsagePlan(id));
    Ok(Reply::accepted())
}
