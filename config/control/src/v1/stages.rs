//! `Stage`
//!
//! AWS: API reference, "CreateStage", "UpdateStage" and their like; shapes and texts are recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::stage::{BURST_LIMIT, RATE_LIMIT};
use model::{CacheClusterSize, CanarySettings, Key, LoggingLevel, MethodSetting, Record, Stage};
use serde_json::Value;
use vocabulary::limits::{STAGE_VARIABLES, STAGES};

use super::deployments::checked_variables;
use super::{stage_patches, tagged};
use crate::call::{Call, Reply};
use crate::error::{Constraints, Error};
use crate::input::Input;
use crate::json::{self, Object};
use crate::operation::Operation;
use crate::v1::rest_apis::Tags;

const MANY: &str = "/restapis/{restapi_id}/stages";
const ONE: &str = "/restapis/{restapi_id}/stages/{stage_name}";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateStage", "POST", MANY, create),
    Operation::new("GetStages", "GET", MANY, get_all),
    Operation::new("GetStage", "GET", ONE, get),
    Operation::new("UpdateStage", "PATCH", ONE, update),
    Operation::new("DeleteStage", "DELETE", ONE, delete),
    Operation::new(
        "FlushStageCache",
        "DELETE",
        "/restapis/{restapi_id}/stages/{stage_name}/cache/data",
        flush_data,
    ),
    Operation::new(
        "FlushStageAuthorizersCache",
        "DELETE",
        "/restapis/{restapi_id}/stages/{stage_name}/cache/authorizers",
        flush_authorizers,
    ),
];

/// A stage as it is shown.
pub(crate) fn show(stage: &Stage, tags: Tags) -> Object {
    let settings = stage.method_settings.iter().map(|(key, setting)| (key.clone(), show_setting(setting)));
    let status = if stage.cache_cluster_enabled { "AVAILABLE" } else { "NOT_AVAILABLE" };
    let log = stage.access_log_settings.as_ref().map(|log| {
        Object::new()
            .some("format", log.format.as_deref())
            .some("destinationArn", log.destination_arn.as_deref())
    });
    let object = Object::new()
        .with("deploymentId", stage.deployment_id.as_str())
        .some("clientCertificateId", stage.client_certificate_id.as_deref())
        .with("stageName", stage.stage_name.as_str())
        .some("description", stage.description.as_deref())
        .with("cacheClusterEnabled", stage.cache_cluster_enabled)
        .some("cacheClusterSize", stage.cache_cluster_size.map(CacheClusterSize::as_str))
        .with("cacheClusterStatus", status)
        .with("methodSettings", Value::Object(settings.collect()))
        .filled("variables", json::texts(stage.variables()))
        .some("documentationVersion", stage.documentation_version.as_deref())
        .some("accessLogSettings", log)
        .some("canarySettings", stage.canary_settings.as_ref().map(show_canary))
        .with("tracingEnabled", stage.tracing_enabled)
        .some("webAclArn", stage.web_acl_arn.as_deref());
    let object = match tags {
        Tags::Shown => object.with("tags", json::texts(&stage.tags)),
        Tags::Filled => object.filled("tags", json::texts(&stage.tags)),
    };
    object.with("createdDate", stage.created_date).with("lastUpdatedDate", stage.last_updated_date)
}

fn show_setting(setting: &MethodSetting) -> Value {
    Object::new()
        .with("metricsEnabled", setting.metrics_enabled)
        .some("loggingLevel", setting.logging_level.map(LoggingLevel::as_str))
        .with("dataTraceEnabled", setting.data_trace_enabled)
        .with("throttlingBurstLimit", setting.throttling_burst_limit.unwrap_or(BURST_LIMIT))
        .with("throttlingRateLimit", setting.throttling_rate_limit.unwrap_or(RATE_LIMIT))
        .with("cachingEnabled", setting.caching_enabled)
        .with("cacheTtlInSeconds", setting.cache_ttl_in_seconds)
        .with("cacheDataEncrypted", setting.cache_data_encrypted)
        .with("requireAuthorizationForCacheControl", setting.require_authorization_for_cache_control)
        .with(
            "unauthorizedCacheControlHeaderStrategy",
            setting.unauthorized_cache_control_header_strategy.as_str(),
        )
        .into()
}

fn show_canary(canary: &CanarySettings) -> Object {
    Object::new()
        .with("percentTraffic", canary.percent_traffic)
        .with("deploymentId", canary.deployment_id.as_str())
        .some("stageVariableOverrides", canary.stage_variable_overrides.as_ref().map(json::texts))
        .with("useStageCache", canary.use_stage_cache)
}

/// Judges a stage's name ("Stage names" of the guide).
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_' || octet == b'-';
    if (1..=128).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(Error::bad_request("Stage name only allows a-zA-Z0-9_-"))
}

/// The refusal of a stage too many.
pub(crate) fn too_many() -> Error {
    Error::limit_exceeded(format!(
        "Maximum number of stages for this API has been reached ({STAGES}). Please contact AWS if you need additional stages."
    ))
}

/// Judges stage variables: names, values and their number ("Amazon API Gateway stage variables reference").
pub(crate) fn check_variables(variables: &BTreeMap<String, String>) -> Result<(), Error> {
    let name_fits = |name: &str| {
        (1..=64).contains(&name.len())
            && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'_')
    };
    let value_fits = |value: &str| {
        let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&octet);
        value.len() <= 512 && value.bytes().all(allowed)
    };
    for (name, value) in variables {
        if !name_fits(name) {
            return Err(Error::bad_request(format!(
                "Stage variable name '{name}' must have 1 to 64 alphanumeric characters and underscores"
            )));
        }
        if !value_fits(value) {
            return Err(Error::bad_request(format!(
                "Stage variable value of '{name}' must match [A-Za-z0-9-._~:/?#&=,]+ and have at most 512 characters"
            )));
        }
    }
    if variables.len() > STAGE_VARIABLES {
        return Err(Error::limit_exceeded(format!("a stage has at most {STAGE_VARIABLES} variables")));
    }
    Ok(())
}

/// Judges `percentTraffic`.
pub(crate) fn percent(value: f64) -> Result<f64, Error> {
    if (0.0..=100.0).contains(&value) {
        return Ok(value);
    }
    Err(Error::bad_request("Canary percentTraffic must be between 0.0 and 100.0"))
}

/// `cacheClusterSize` of an input; another word is a constraint failure.
pub(crate) fn cluster_size(
    input: &Input,
    constraints: &mut Constraints,
) -> Result<Option<CacheClusterSize>, Error> {
    let words: Vec<&str> = CacheClusterSize::ALL.iter().map(|size| size.as_str()).collect();
    input.word("cacheClusterSize", CacheClusterSize::from_word, &words, constraints)
}

fn create(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let stage_name = input.required("stageName", &mut constraints)?;
    let deployment_id = input.required("deploymentId", &mut constraints)?;
    let cache_cluster_size = cluster_size(&input, &mut constraints)?;
    constraints.finish()?;
    let tree = call.tree()?;
    check_name(&stage_name)?;
    if tree.stages.contains_key(&stage_name) {
        return Err(Error::conflict("Stage already exists"));
    }
    if tree.stages.len() >= STAGES {
        return Err(too_many());
    }
    let is_deployment = |id: &str| tree.deployments.contains_key(id);
    let canary_settings = input.object("canarySettings")?.map(|canary| read_canary(&canary, &deployment_id));
    let canary_settings = canary_settings.transpose()?;
    let canary_deployment = canary_settings.as_ref().map(|canary| canary.deployment_id.as_str());
    if !is_deployment(&deployment_id) || !canary_deployment.is_none_or(is_deployment) {
        return Err(Error::bad_request("Deployment id does not exist"));
    }
    let documentation_version = input.string("documentationVersion")?;
    if let Some(version) = &documentation_version
        && !tree.documentation_versions.contains_key(version)
    {
        return Err(Error::not_found("Invalid Documentation version specified"));
    }
    let cache_cluster_enabled = input.boolean("cacheClusterEnabled")?.unwrap_or(false);
    let stage = Stage {
        stage_name: stage_name.clone(),
        deployment_id,
        description: input.string("description")?,
        cache_cluster_enabled,
        cache_cluster_size: cache_cluster_size.or(cache_cluster_enabled.then_some(CacheClusterSize::G0_5)),
        variables: checked_variables(&input, "variables")?,
        documentation_version,
        canary_settings,
        tracing_enabled: input.boolean("tracingEnabled")?.unwrap_or(false),
        tags: tagged::read(&input)?,
        created_date: call.now,
        last_updated_date: call.now,
        ..Stage::default()
    };
    let shown = show(&stage, Tags::Filled);
    let key = Key::Stage(call.label("restapi_id").to_owned(), stage_name);
    call.put(key, Record::Stage(Arc::new(stage)));
    Ok(Reply::created(shown))
}

fn read_canary(canary: &Input, own: &str) -> Result<CanarySettings, Error> {
    Ok(CanarySettings {
        deployment_id: canary.string("deploymentId")?.unwrap_or_else(|| own.to_owned()),
        percent_traffic: percent(canary.double("percentTraffic")?.unwrap_or(0.0))?,
        use_stage_cache: canary.boolean("useStageCache")?.unwrap_or(false),
        stage_variable_overrides: checked_variables(canary, "stageVariableOverrides")?,
    })
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    Ok(Reply::ok(show(call.stage()?, Tags::Shown)))
}

fn get_all(call: &mut Call<'_>) -> Result<Reply, Error> {
    let stages = call.tree()?.stages.values();
    let wanted = call.query.get("deploymentId");
    let found = stages.filter(|stage| wanted.is_none_or(|id| stage.deployment_id == id));
    let items: Vec<Value> = found.map(|stage| show(stage, Tags::Filled).into()).collect();
    Ok(Reply::ok(Object::new().with("item", items)))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mut stage = call.stage()?.clone();
    stage_patches::apply(call, &mut stage)?;
    stage.last_updated_date = call.now;
    let shown = show(&stage, Tags::Shown);
    let key = Key::Stage(call.label("restapi_id").to_owned(), stage.stage_name.clone());
    call.put(key, Record::Stage(Arc::new(stage)));
    Ok(Reply::ok(shown))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    let name = call.stage()?.stage_name.clone();
    let api = call.label("restapi_id").to_owned();
    let mut mappings =
        call.region.domain_names.values().flat_map(|domain| domain.base_path_mappings.values());
    let is_mapped =
        mappings.any(|mapping| mapping.rest_api_id == api && mapping.stage.as_deref() == Some(name.as_str()));
    if is_mapped {
        return Err(Error::bad_request(format!(
            "Please remove all base path mappings related to the stage {name} before deleting it"
        )));
    }
    call.remove(Key::Stage(api, name));
    Ok(Reply::accepted())
}

fn flush(call: &Call<'_>, authorizers: bool) -> Result<Reply, Error> {
    let stage = call.stage()?.stage_name.clone();
    Ok(Reply::Flush { api_id: call.label("restapi_id").to_owned(), stage, authorizers })
}

fn flush_data(call: &mut Call<'_>) -> Result<Reply, Error> {
    flush(call, false)
}

fn flush_authorizers(call: &mut Call<'_>) -> Result<Reply, Error> {
    flush(call, true)
}
