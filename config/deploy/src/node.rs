//! The node's plan from its deployments.

use std::sync::Arc;

use context::{RouteIndex, StageFacts, StageIndex};
use model::{CanarySettings, Definition, Entity, Stage};
use plan::{CanaryPlan, NodePlan, StagePlan, Targets};
use records::access_log::Format;
use vocabulary::MethodKey;
use vocabulary::limits::INTEGRATION_TIMEOUT_MS_MAX;

use crate::method;

/// An API and the stage it is deployed to.
#[derive(Clone, Copy, Debug)]
pub struct Deployment<'a> {
    /// Id of the API.
    pub api_id: &'a str,
    /// Name of the API.
    pub api_name: &'a str,
    /// The snapshot that the stage serves.
    pub definition: &'a Definition,
    /// The stage.
    pub stage: &'a Stage,
    /// What unset stage variables make wrong fails at run time, as on AWS, rather than now.
    pub late_variables: bool,
    /// The snapshot of the stage's canary.
    pub canary: Option<(&'a CanarySettings, &'a Definition)>,
}

/// What is the same for all deployments of a node.
#[derive(Clone, Debug, Default)]
pub struct NodeSettings {
    /// Number of the plan.
    pub version: u64,
    /// Owner of the APIs.
    pub account_id: String,
    /// Region the APIs are in.
    pub region: String,
    /// How access-log records read; `None` without a log.
    pub access_log: Option<Arc<Format>>,
    /// Longest integration timeout, in milliseconds; `None` for AWS's.
    pub integration_timeout_ms_max: Option<u32>,
    /// The first deployment also answers on any host at `/`.
    pub catch_all: bool,
}

/// A part of an API that can't be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployError {
    /// Which deployment, counted from zero.
    pub deployment: usize,
    /// Which part of it.
    pub entity: Entity,
    /// What is wrong.
    pub message: String,
}

/// Compiles everything that a node serves.
///
/// # Errors
/// Every part that can't be compiled, not only the first.
pub fn compile(deployments: &[Deployment<'_>], node: &NodeSettings) -> Result<NodePlan, Vec<DeployError>> {
    let mut plan = NodePlan { version: node.version, ..NodePlan::default() };
    let mut targets = Targets::default();
    let mut errors = Vec::new();
    for (number, deployment) in deployments.iter().enumerate() {
        let index = stage_index(&plan);
        if let Some(first) = deployments[..number].iter().position(|other| same_address(other, deployment)) {
            let message = format!(
                "API id `{}` with stage `{}` is taken by `{}` already",
                deployment.api_id, deployment.stage.stage_name, deployments[first].api_name
            );
            errors.push(DeployError {
                deployment: number,
                entity: Entity::new("/", MethodKey::Any, ""),
                message,
            });
        }
        let mut refuse = |entity, message| errors.push(DeployError { deployment: number, entity, message });
        // Without its default endpoint an API is at none of these addresses.
        if !deployment.definition.disable_execute_api_endpoint {
            plan.addresses.insert(deployment.api_id, &deployment.stage.stage_name, index);
        }
        plan.stages.push(compile_stage(deployment, node, &mut targets, &mut refuse));
        if let Some((settings, definition)) = deployment.canary {
            let canary = stage_index(&plan);
            plan.stages.push(compile_canary(
                deployment,
                settings,
                definition,
                node,
                &mut targets,
                &mut refuse,
            ));
            plan.stages[index.0 as usize].canary = Some(CanaryPlan::new(canary, settings.percent_traffic));
        }
    }
    if node.catch_all && !deployments.is_empty() {
        plan.addresses.set_catch_all(StageIndex(0));
    }
    plan.targets = targets.into_vec();
    if errors.is_empty() { Ok(plan) } else { Err(errors) }
}

/// The place of the next stage.
fn stage_index(plan: &NodePlan) -> StageIndex {
    StageIndex(u32::try_from(plan.stages.len()).unwrap_or(u32::MAX))
}

/// The stage as its canary has it: another snapshot, and other values of some variables.
fn compile_canary(
    deployment: &Deployment<'_>,
    settings: &CanarySettings,
    definition: &Definition,
    node: &NodeSettings,
    targets: &mut Targets,
    refuse: &mut dyn FnMut(Entity, String),
) -> StagePlan {
    let mut stage = deployment.stage.clone();
    stage.deployment_id.clone_from(&settings.deployment_id);
    let overrides = settings.stage_variable_overrides.iter().flatten();
    let variables = stage.variables.get_or_insert_default();
    variables.extend(overrides.map(|(name, value)| (name.clone(), value.clone())));
    let deployment = Deployment { definition, stage: &stage, canary: None, ..*deployment };
    let mut plan = compile_stage(&deployment, node, targets, refuse);
    plan.facts.is_canary = Some(true);
    plan
}

fn same_address(left: &Deployment<'_>, right: &Deployment<'_>) -> bool {
    left.api_id.eq_ignore_ascii_case(right.api_id) && left.stage.stage_name == right.stage.stage_name
}

fn compile_stage(
    deployment: &Deployment<'_>,
    node: &NodeSettings,
    targets: &mut Targets,
    refuse: &mut dyn FnMut(Entity, String),
) -> StagePlan {
    let Deployment { api_id, api_name, definition, stage, canary, .. } = *deployment;
    let mut plan = StagePlan {
        facts: StageFacts {
            account_id: node.account_id.clone(),
            region: node.region.clone(),
            api_id: api_id.to_owned(),
            api_name: api_name.to_owned(),
            deployment_id: stage.deployment_id.clone(),
            stage: stage.stage_name.clone(),
            is_canary: canary.map(|_| false),
            user_agent: format!("AmazonAPIGateway_{api_id}"),
        },
        access_log: node.access_log.clone(),
        ..StagePlan::default()
    };
    let timeout_ms_max = node.integration_timeout_ms_max.unwrap_or(INTEGRATION_TIMEOUT_MS_MAX);
    for (path, resource) in &definition.resources {
        for (key, method) in &resource.methods {
            let index = RouteIndex(u32::try_from(plan.routes.len()).unwrap_or(u32::MAX));
            if let Err(error) = plan.router.insert(path, *key, index) {
                refuse(Entity::new(path, *key, ""), error.to_string());
                continue;
            }
            match method::compile(deployment, path, &resource.id, (*key, method), timeout_ms_max, targets) {
                Ok(route) => plan.routes.push(route),
                Err((part, message)) => {
                    refuse(Entity::new(path, *key, &part), message);
                    // The index given to the router must stay true for the routes that follow.
                    return plan_without_routes(plan);
                }
            }
        }
    }
    plan
}

/// A stage with an error is never served; its routes would be out of step with its router.
fn plan_without_routes(plan: StagePlan) -> StagePlan {
    StagePlan { facts: plan.facts, ..StagePlan::default() }
}
