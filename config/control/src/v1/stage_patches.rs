//! UpdateStage: its own paths, those of method settings, and the promotion of a canary.
//!
//! AWS: "UpdateStage", "Patch operations"; texts are recorded, missing commas and trailing blanks included.

use std::collections::BTreeMap;

use model::stage::EVERY_METHOD;
use model::{
    AccessLogSettings, CacheClusterSize, CanarySettings, Definition, LoggingLevel, MethodSetting,
    RestApiTree, Stage, UnauthorizedCacheControlHeaderStrategy,
};
use vocabulary::MethodKey;

use super::stages;
use crate::call::Call;
use crate::error::Error;
use crate::patch::{self, Op, Patch, unescape};

const PATHS: &str = "[/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, \
    /accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, \
    /{resourcePath}/{httpMethod}/metrics/enabled, /{resourcePath}/{httpMethod}/logging/dataTrace, \
    /{resourcePath}/{httpMethod}/logging/loglevel, /{resourcePath}/{httpMethod}/throttling/burstLimit\
    /{resourcePath}/{httpMethod}/throttling/rateLimit/{resourcePath}/{httpMethod}/caching/ttlInSeconds, \
    /{resourcePath}/{httpMethod}/caching/enabled, /{resourcePath}/{httpMethod}/caching/dataEncrypted, \
    /{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, \
    /{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, /*/*/metrics/enabled, \
    /*/*/logging/dataTrace, /*/*/logging/loglevel, /*/*/throttling/burstLimit /*/*/throttling/rateLimit \
    /*/*/caching/ttlInSeconds, /*/*/caching/enabled, /*/*/caching/dataEncrypted, \
    /*/*/caching/requireAuthorizationForCacheControl, /*/*/caching/unauthorizedCacheControlHeaderStrategy, \
    /variables/{variable_name}, /tracingEnabled]";

/// Applies the patches of a call to a stage, all or none.
pub(crate) fn apply(call: &Call<'_>, stage: &mut Stage) -> Result<(), Error> {
    let tree = call.tree()?;
    for patch in patch::read(call)? {
        match patch.op {
            Op::Copy => copy(stage, &patch)?,
            Op::Move | Op::Test => return Err(invalid_operation(&patch)),
            Op::Remove => remove(stage, &patch)?,
            Op::Add | Op::Replace => set(call, tree, stage, &patch)?,
        }
    }
    stages::check_variables(stage.variables())?;
    if let Some(overrides) =
        stage.canary_settings.as_ref().and_then(|canary| canary.stage_variable_overrides.as_ref())
    {
        stages::check_variables(overrides)?;
    }
    check_log(stage)
}

fn invalid_operation(patch: &Patch) -> Error {
    Error::bad_request(format!("Invalid {} operation with path: {}", patch.op.as_str(), patch.path()))
}

fn invalid_path(patch: &Patch) -> Error {
    Error::bad_request(format!("Invalid method setting path: {}. Must be one of: {PATHS}", patch.path()))
}

/// A format must let a record be found by its request.
fn check_log(stage: &Stage) -> Result<(), Error> {
    let Some(format) = stage.access_log_settings.as_ref().and_then(|log| log.format.as_deref()) else {
        return Ok(());
    };
    if format.contains("$context.requestId") || format.contains("$context.extendedRequestId") {
        return Ok(());
    }
    Err(Error::bad_request("Access Log format must contain $context.requestId or $context.extendedRequestId"))
}

/// Promotion: deployment and variables of the canary become the stage's own.
fn copy(stage: &mut Stage, patch: &Patch) -> Result<(), Error> {
    let from = patch.from.as_deref().unwrap_or("null");
    let pair = (patch.path(), from);
    let is_deployment = pair == ("/deploymentId", "/canarySettings/deploymentId");
    if !is_deployment && pair != ("/variables", "/canarySettings/stageVariableOverrides") {
        return Err(Error::bad_request(format!(
            "Invalid copy operation with path: {} and from {from}. Valid copy:path are [/deploymentId, /variables] and valid \
             copy:from are [/canarySettings/deploymentId, /canarySettings/stageVariableOverrides]",
            patch.path()
        )));
    }
    let canary = stage
        .canary_settings
        .as_ref()
        .ok_or_else(|| Error::bad_request("Promotion not available. Canary does not exist."))?;
    if is_deployment {
        stage.deployment_id.clone_from(&canary.deployment_id);
    } else if let Some(overrides) = &canary.stage_variable_overrides {
        // The overrides are merged over the stage's own (recorded).
        stage.variables.get_or_insert_default().extend(overrides.clone());
    }
    Ok(())
}

fn remove(stage: &mut Stage, patch: &Patch) -> Result<(), Error> {
    let path = patch.path();
    if let Some(name) = patch.name_below("/variables/") {
        if let Some(variables) = &mut stage.variables {
            variables.remove(&name);
        }
        return Ok(());
    }
    match path {
        "/variables" => stage.variables = None,
        "/accessLogSettings" => stage.access_log_settings = None,
        "/canarySettings" => stage.canary_settings = None,
        "/description" => stage.description = None,
        "/clientCertificateId" => stage.client_certificate_id = None,
        "/documentationVersion" => stage.documentation_version = None,
        _ => {
            let key = path.strip_prefix('/').unwrap_or(path);
            // Both spellings name one setting.
            let plain = unescape(key).trim_start_matches('/').to_owned();
            let known = stage.method_settings.remove(key).or_else(|| stage.method_settings.remove(&plain));
            if known.is_none() {
                return Err(Error::bad_request(format!(
                    "Cannot remove method setting {key} because there is no method setting for this method "
                )));
            }
        }
    }
    Ok(())
}

fn set(call: &Call<'_>, tree: &RestApiTree, stage: &mut Stage, patch: &Patch) -> Result<(), Error> {
    let path = patch.path();
    if path == "/canarySettings" || path.starts_with("/canarySettings/") {
        return set_canary(tree, stage, patch);
    }
    if path == "/accessLogSettings" || path.starts_with("/accessLogSettings/") {
        return set_log(stage, patch);
    }
    if let Some(name) = patch.name_below("/variables/") {
        stage.variables.get_or_insert_default().insert(name, patch.text());
        return Ok(());
    }
    match path {
        "/deploymentId" => {
            let id = patch.text();
            if !tree.deployments.contains_key(&id) {
                return Err(Error::bad_request("Deployment id does not exist"));
            }
            stage.deployment_id = id;
        }
        "/description" => stage.description = patch.filled(),
        "/clientCertificateId" => {
            let id = patch.filled();
            if id.as_ref().is_some_and(|id| !call.region.client_certificates.contains_key(id)) {
                return Err(Error::bad_request("Invalid Client certificate identifier specified"));
            }
            stage.client_certificate_id = id;
        }
        "/documentationVersion" => {
            let version = patch.filled();
            if version.as_ref().is_some_and(|version| !tree.documentation_versions.contains_key(version)) {
                return Err(Error::not_found("Invalid Documentation version specified"));
            }
            stage.documentation_version = version;
        }
        "/cacheClusterEnabled" => {
            stage.cache_cluster_enabled = patch.flag();
            if stage.cache_cluster_enabled {
                stage.cache_cluster_size.get_or_insert(CacheClusterSize::G0_5);
            }
        }
        "/cacheClusterSize" => {
            let size = CacheClusterSize::from_word(&patch.text());
            let wrong =
                || Error::bad_request(format!("Invalid cache cluster size specified: {}", patch.text()));
            stage.cache_cluster_size = Some(size.ok_or_else(wrong)?);
        }
        "/tracingEnabled" => stage.tracing_enabled = patch.flag(),
        "/variables" => stage.variables = Some(json_map(patch)?),
        _ => return set_method(tree, stage, patch),
    }
    Ok(())
}

/// A value that is itself a JSON object of texts.
fn json_map(patch: &Patch) -> Result<BTreeMap<String, String>, Error> {
    serde_json::from_str(&patch.text())
        .map_err(|_| Error::bad_request(format!("Invalid value specified for path {}", patch.path())))
}

fn set_log(stage: &mut Stage, patch: &Patch) -> Result<(), Error> {
    let path = patch.path();
    if !matches!(path, "/accessLogSettings/destinationArn" | "/accessLogSettings/format") {
        return Err(Error::bad_request(
            "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]",
        ));
    }
    let value = patch.filled().ok_or_else(|| Error::bad_request("Access Log value must not be empty"))?;
    let log = stage.access_log_settings.get_or_insert_with(AccessLogSettings::default);
    match path {
        "/accessLogSettings/format" => log.format = Some(value),
        // A log group is named with or without the streams in it.
        _ => log.destination_arn = Some(value.strip_suffix(":*").unwrap_or(&value).to_owned()),
    }
    Ok(())
}

fn set_canary(tree: &RestApiTree, stage: &mut Stage, patch: &Patch) -> Result<(), Error> {
    if patch.op != Op::Replace {
        return Err(invalid_operation(patch));
    }
    let own = stage.deployment_id.clone();
    let canary = stage
        .canary_settings
        .get_or_insert_with(|| CanarySettings { deployment_id: own, ..CanarySettings::default() });
    if let Some(name) = patch.name_below("/canarySettings/stageVariableOverrides/") {
        canary.stage_variable_overrides.get_or_insert_default().insert(name, patch.text());
        return Ok(());
    }
    match patch.path() {
        "/canarySettings/deploymentId" => {
            let id = patch.text();
            if !tree.deployments.contains_key(&id) {
                return Err(Error::bad_request("Deployment id does not exist"));
            }
            canary.deployment_id = id;
        }
        "/canarySettings/percentTraffic" => {
            canary.percent_traffic = stages::percent(patch.text().parse().unwrap_or(-1.0))?;
        }
        "/canarySettings/useStageCache" => canary.use_stage_cache = patch.flag(),
        "/canarySettings/stageVariableOverrides" => canary.stage_variable_overrides = Some(json_map(patch)?),
        _ => return Err(invalid_path(patch)),
    }
    Ok(())
}

/// A setting of a method, or of every method.
fn set_method(tree: &RestApiTree, stage: &mut Stage, patch: &Patch) -> Result<(), Error> {
    let path = patch.path();
    let mut parts = path.strip_prefix('/').unwrap_or(path).rsplitn(3, '/');
    let (leaf, group, key) = (parts.next(), parts.next(), parts.next());
    let (Some(leaf), Some(group), Some(key)) = (leaf, group, key) else { return Err(invalid_path(patch)) };
    let deployed = tree.deployments.get(&stage.deployment_id).map(|deployment| &deployment.definition);
    if !deployed.is_some_and(|definition| is_method(definition, key)) {
        return Err(invalid_path(patch));
    }
    // What a method has of its own begins as a copy of what holds for every method, and never follows it again
    // (recorded).
    let every = stage.method_settings.get(EVERY_METHOD).cloned().unwrap_or_default();
    let mut setting = stage.method_settings.get(key).cloned().unwrap_or(every);
    set_leaf(&mut setting, group, leaf, patch)?;
    stage.method_settings.insert(key.to_owned(), setting);
    Ok(())
}

/// Whether a key, in either spelling, names a deployed method.
fn is_method(definition: &Definition, key: &str) -> bool {
    if key == EVERY_METHOD {
        return true;
    }
    let Some((path, method)) = key.rsplit_once('/') else { return false };
    let path = unescape(path);
    let path = if path.starts_with('/') { path } else { format!("/{path}") };
    let Some(resource) = definition.resources.at(&path) else { return false };
    // A method that only ANY answers for may have settings of its own.
    let known = |key| resource.methods.contains_key(&key) || resource.methods.contains_key(&MethodKey::Any);
    MethodKey::from_word(method).is_some_and(known)
}

fn set_leaf(setting: &mut MethodSetting, group: &str, leaf: &str, patch: &Patch) -> Result<(), Error> {
    let value = patch.text();
    let invalid =
        || Error::bad_request(format!("Invalid value specified for path {}: {value}", patch.path()));
    match (group, leaf) {
        ("metrics", "enabled") => setting.metrics_enabled = patch.flag(),
        ("logging", "dataTrace") => setting.data_trace_enabled = patch.flag(),
        ("logging", "loglevel") => {
            setting.logging_level = Some(LoggingLevel::from_word(&value).ok_or_else(invalid)?);
        }
        ("throttling", "burstLimit") => {
            setting.throttling_burst_limit = Some(value.parse().map_err(|_| invalid())?);
        }
        ("throttling", "rateLimit") => {
            let rate: f64 = value.parse().map_err(|_| invalid())?;
            setting.throttling_rate_limit =
                Some(Some(rate).filter(|rate| rate.is_finite()).ok_or_else(invalid)?);
        }
        ("caching", "enabled") => setting.caching_enabled = patch.flag(),
        ("caching", "dataEncrypted") => setting.cache_data_encrypted = patch.flag(),
        ("caching", "ttlInSeconds") => {
            let ttl = value.parse().ok().filter(|ttl| *ttl <= 3_600);
            setting.cache_ttl_in_seconds = ttl.ok_or_else(invalid)?;
        }
        ("caching", "requireAuthorizationForCacheControl") => {
            setting.require_authorization_for_cache_control = patch.flag();
        }
        ("caching", "unauthorizedCacheControlHeaderStrategy") => {
            let strategy = UnauthorizedCacheControlHeaderStrategy::from_word(&value).ok_or_else(invalid)?;
            setting.unauthorized_cache_control_header_strategy = strategy;
        }
        _ => return Err(invalid_path(patch)),
    }
    Ok(())
}
