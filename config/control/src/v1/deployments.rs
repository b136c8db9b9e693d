//! `Deployment`
//!
//! AWS: API reference, "CreateDeployment"; "Deploy REST APIs in API Gateway"; shapes and texts are recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{CanarySettings, Definition, Deployment, Key, Record, RestApiTree, Stage};
use serde_json::{Map, Value};
use vocabulary::limits::{DEPLOYMENTS, STAGES};

use super::stages;
use crate::call::{Call, Reply};
use crate::error::{Constraints, Error};
use crate::input::Input;
use crate::json::Object;
use crate::operation::Operation;
use crate::page;
use crate::patch::{self, Op};

const MANY: &str = "/restapis/{restapi_id}/deployments";
const ONE: &str = "/restapis/{restapi_id}/deployments/{deployment_id}";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateDeployment", "POST", MANY, create),
    Operation::new("GetDeployments", "GET", MANY, get_all),
    Operation::new("GetDeployment", "GET", ONE, get),
    Operation::new("UpdateDeployment", "PATCH", ONE, update),
    Operation::new("DeleteDeployment", "DELETE", ONE, delete),
];

/// A deployment as it is shown; `summary` adds its resources and methods.
fn show(id: &str, deployment: &Deployment, summary: bool) -> Object {
    let object = Object::new()
        .with("id", id)
        .some("description", deployment.description.as_deref())
        .with("createdDate", deployment.created_date);
    if summary { object.with("apiSummary", self::summary(&deployment.definition)) } else { object }
}

fn summary(definition: &Definition) -> Value {
    let resources = definition.resources.iter().filter(|(_, resource)| !resource.methods.is_empty());
    let resources = resources.map(|(path, resource)| {
        let methods = resource.methods.iter().map(|(key, method)| {
            let shown = Object::new()
                .with("authorizationType", method.authorization_type.as_str())
                .with("apiKeyRequired", method.api_key_required);
            (key.as_str().to_owned(), shown.into())
        });
        (path.clone(), Value::Object(methods.collect()))
    });
    Value::Object(resources.collect::<Map<String, Value>>())
}

/// Judges what is to be deployed, in AWS's words.
fn check(definition: &Definition) -> Result<(), Error> {
    let mut methods =
        definition.resources.iter().flat_map(|(_, resource)| resource.methods.values()).peekable();
    if methods.peek().is_none() {
        return Err(Error::bad_request("The REST API doesn't contain any methods"));
    }
    if methods.any(|method| method.integration.is_none()) {
        return Err(Error::bad_request("No integration defined for method"));
    }
    Ok(())
}

fn create(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let cluster_size = stages::cluster_size(&input, &mut constraints)?;
    constraints.finish()?;
    let stage_name = input.string("stageName")?;
    let canary = input.object("canarySettings")?;
    let tree = call.tree()?;
    check(&tree.api.definition)?;
    if tree.deployments.len() >= DEPLOYMENTS {
        return Err(Error::limit_exceeded(format!("an API has at most {DEPLOYMENTS} deployments")));
    }
    let id = call.new_id(6, |id| tree.deployments.contains_key(id));
    let deployment = Deployment {
        created_date: call.now,
        description: input.string("description")?,
        definition: Arc::clone(&tree.api.definition),
    };
    let stage = match canary {
        Some(canary) => Some(canary_stage(&canary, stage_name.as_deref(), tree, &id)?),
        None => match stage_name.filter(|name| !name.is_empty()) {
            Some(name) => Some(moved_stage(call, &input, name, tree, &id)?),
            None => None,
        },
    };
    let api = call.label("restapi_id").to_owned();
    let shown = show(&id, &deployment, false);
    call.put(Key::Deployment(api.clone(), id), Record::Deployment(Arc::new(deployment)));
    if let Some(mut stage) = stage {
        stage.last_updated_date = call.now;
        if let Some(size) = cluster_size {
            stage.cache_cluster_size = Some(size);
        }
        call.put(Key::Stage(api, stage.stage_name.clone()), Record::Stage(Arc::new(stage)));
    }
    Ok(Reply::created(shown))
}

/// The stage with the deployment as its canary; its own deployment stays.
fn canary_stage(
    canary: &Input,
    stage_name: Option<&str>,
    tree: &RestApiTree,
    deployment_id: &str,
) -> Result<Stage, Error> {
    let name = stage_name.filter(|name| !name.is_empty()).ok_or_else(|| {
        let given = stage_name.unwrap_or("null");
        Error::bad_request(format!(
            "Invalid deployment content specified.Non null and non empty stageName must be provided for canary deployment. \
             Provided value is {given}"
        ))
    })?;
    let stage = tree.stages.get(name).ok_or_else(|| {
        Error::bad_request(format!(
            "Invalid deployment content specified.Stage {name} must already be created before making a canary release \
             deployment"
        ))
    })?;
    let settings = CanarySettings {
        deployment_id: deployment_id.to_owned(),
        percent_traffic: stages::percent(canary.double("percentTraffic")?.unwrap_or(0.0))?,
        use_stage_cache: canary.boolean("useStageCache")?.unwrap_or(false),
        stage_variable_overrides: checked_variables(canary, "stageVariableOverrides")?,
    };
    Ok(Stage { canary_settings: Some(settings), ..(**stage).clone() })
}

/// The stage of a name with the deployment as its own; a new one if there is none.
fn moved_stage(
    call: &Call<'_>,
    input: &Input,
    name: String,
    tree: &RestApiTree,
    deployment_id: &str,
) -> Result<Stage, Error> {
    let mut stage = match tree.stages.get(&name) {
        Some(stage) => (**stage).clone(),
        None => {
            stages::check_name(&name)?;
            if tree.stages.len() >= STAGES {
                return Err(stages::too_many());
            }
            Stage { stage_name: name, created_date: call.now, ..Stage::default() }
        }
    };
    stage.deployment_id = deployment_id.to_owned();
    if let Some(description) = input.string("stageDescription")? {
        stage.description = Some(description);
    }
    if let Some(variables) = checked_variables(input, "variables")? {
        stage.variables = Some(variables);
    }
    if let Some(enabled) = input.boolean("cacheClusterEnabled")? {
        stage.cache_cluster_enabled = enabled;
    }
    if let Some(enabled) = input.boolean("tracingEnabled")? {
        stage.tracing_enabled = enabled;
    }
    Ok(stage)
}

/// Stage variables of an input, judged.
pub(crate) fn checked_variables(
    input: &Input,
    name: &str,
) -> Result<Option<BTreeMap<String, String>>, Error> {
    let variables = input.string_map(name)?;
    if let Some(variables) = &variables {
        stages::check_variables(variables)?;
    }
    Ok(variables)
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    let summary = call.query.all("embed").any(|value| value.split(',').any(|word| word == "apisummary"));
    Ok(Reply::ok(show(call.label("deployment_id"), call.deployment()?, summary)))
}

fn get_all(call: &mut Call<'_>) -> Result<Reply, Error> {
    let deployments = call.tree()?.deployments.iter();
    let items =
        deployments.map(|(id, one)| (page::oldest_first(one.created_date, id), (id, &**one))).collect();
    Ok(Reply::ok(page::page(&call.query, items, |(id, one)| show(id, one, false).into())?))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mut deployment = call.deployment()?.clone();
    for patch in patch::read(call)? {
        if patch.path() != "/description" {
            return Err(patch::no_path(&patch));
        }
        patch.only(&[Op::Replace])?;
        deployment.description = patch.filled();
    }
    let (api, id) = (call.label("restapi_id").to_owned(), call.label("deployment_id").to_owned());
    let shown = show(&id, &deployment, false);
    call.put(Key::Deployment(api, id), Record::Deployment(Arc::new(deployment)));
    Ok(Reply::ok(shown))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    call.deployment()?;
    let (api, id) = (call.label("restapi_id").to_owned(), call.label("deployment_id").to_owned());
    let stages = &call.tree()?.stages;
    if stages.values().any(|stage| stage.deployment_id == id) {
        let message = "Active stages pointing to this deployment must be moved or deleted";
        return Err(Error::bad_request(message));
    }
    let canaries = stages.values().filter_map(|stage| stage.canary_settings.as_ref());
    if canaries.into_iter().any(|canary| canary.deployment_id == id) {
        let message =
            "Active stages with canary settings pointing to this deployment must be moved or deleted";
        return Err(Error::bad_request(message));
    }
    call.remove(Key::Deployment(api, id));
    Ok(Reply::accepted())
}
