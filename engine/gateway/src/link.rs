//! Binds a plan to what lives on the node. Every shard links each plan for itself, before the plan is committed.

use std::sync::Arc;

use context::{Exchange, Facts};
use plan::{NodePlan, RoutePlan, StagePlan};
use throttling::{Bucket, Registry};

/// A plan that doesn't fit together: a defect of whoever compiled it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// A call names a backend that the plan doesn't have.
    Target {
        /// API, stage and resource path of the route.
        route: String,
    },
}

impl std::fmt::Display for LinkError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LinkError::Target { route } => write!(formatter, "the plan has no target for {route}"),
        }
    }
}

impl std::error::Error for LinkError {}

/// A plan with its live buckets.
#[derive(Debug)]
pub struct NodeLink {
    plan: Arc<NodePlan>,
    /// By stage and route.
    buckets: Vec<Box<[Option<Arc<Bucket>>]>>,
}

/// Binds a plan to the node's buckets.
///
/// # Errors
/// See [`LinkError`].
pub fn link(plan: Arc<NodePlan>, registry: &Registry) -> Result<NodeLink, LinkError> {
    let mut buckets = Vec::with_capacity(plan.stages.len());
    for stage in &plan.stages {
        for route in &stage.routes {
            check_target(&plan, stage, route)?;
        }
        let bucket = |route: &RoutePlan| {
            let throttle = route.throttle.as_ref()?;
            Some(registry.bucket(&throttle.name, throttle.rate))
        };
        buckets.push(stage.routes.iter().map(bucket).collect());
    }
    Ok(NodeLink { plan, buckets })
}

fn check_target(plan: &NodePlan, stage: &StagePlan, route: &RoutePlan) -> Result<(), LinkError> {
    let target = match &route.integration {
        plan::IntegrationPlan::HttpProxy(call) => call.target,
        plan::IntegrationPlan::Http(http) => http.call.target,
        plan::IntegrationPlan::Mock(_) | plan::IntegrationPlan::Unserved(_) => return Ok(()),
    };
    if target.index() < plan.targets.len() {
        return Ok(());
    }
    let facts = &stage.facts;
    let route = format!("{}/{}{}", facts.api_id, facts.stage, route.facts.resource_path);
    Err(LinkError::Target { route })
}

impl NodeLink {
    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Arc<NodePlan> {
        &self.plan
    }

    /// What `$context` look-ups draw on for an exchange that ran on this plan.
    #[must_use]
    pub fn facts<'a>(&'a self, exchange: &'a Exchange) -> Facts<'a> {
        let stage = exchange.stage.and_then(|stage| self.plan.stages.get(stage.0 as usize));
        let route = stage.zip(exchange.route).and_then(|(stage, route)| stage.routes.get(route.0 as usize));
        Facts { exchange, stage: stage.map(|stage| &stage.facts), route: route.map(|route| &route.facts) }
    }

    /// The bucket of a route.
    pub(crate) fn bucket(&self, stage: context::StageIndex, route: context::RouteIndex) -> Option<&Bucket> {
        self.buckets.get(stage.0 as usize)?.get(route.0 as usize)?.as_deref()
    }
}
