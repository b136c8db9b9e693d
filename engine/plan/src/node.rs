//! Node, stages and routes.

use std::sync::Arc;

use context::{RouteFacts, RouteIndex, StageFacts, StageIndex};
use integration::media_type::Passthrough;
use records::access_log::Format;
use routing::{Addresses, Router};
use throttling::Rate;
use vocabulary::MethodKey;

use crate::call::CallPlan;
use crate::mock::MockPlan;
use crate::response::ResponsesPlan;
use crate::target::Target;

/// Everything a node serves.
#[derive(Debug, Default)]
pub struct NodePlan {
    /// Grows with each plan of a node.
    pub version: u64,
    /// The stages; [`context::StageIndex`] counts them.
    pub stages: Vec<StagePlan>,
    /// Which host and path belong to which stage.
    pub addresses: Addresses,
    /// The backends.
    pub targets: Vec<Target>,
}

/// One stage of one API.
#[derive(Debug, Default)]
pub struct StagePlan {
    /// Names and ids.
    pub facts: StageFacts,
    /// Method and path to route.
    pub router: Router<RouteIndex>,
    /// The routes; [`RouteIndex`] counts them.
    pub routes: Vec<RoutePlan>,
    /// How its access-log records read; `None` without a log.
    pub access_log: Option<Arc<Format>>,
    /// Another deployment that answers some of the requests.
    pub canary: Option<CanaryPlan>,
}

/// A canary: a stage of its own, which no address leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CanaryPlan {
    /// Its stage.
    pub stage: StageIndex,
    /// Requests whose lot is below this are its own: none at 0, all at 2^32.
    pub lots: u64,
}

impl CanaryPlan {
    /// A stage for a share of requests, 0.0 to 100.0 per cent.
    #[must_use]
    pub fn new(stage: StageIndex, percent_traffic: f64) -> Self {
        let share = (percent_traffic / 100.0).clamp(0.0, 1.0);
        CanaryPlan { stage, lots: (share * 4_294_967_296.0) as u64 }
    }
}

/// One method of one resource, in evaluation order.
#[derive(Debug)]
pub struct RoutePlan {
    /// Path template and id of its resource.
    pub facts: RouteFacts,
    /// The method, or `ANY`.
    pub method: MethodKey,
    /// Its rate limit.
    pub throttle: Option<ThrottlePlan>,
    /// What answers.
    pub integration: IntegrationPlan,
}

/// A bucket by name; linking finds the live one.
#[derive(Clone, Debug, PartialEq)]
pub struct ThrottlePlan {
    /// `{api}/{stage}/{METHOD} {resource path}`: `*/*` settings give every method a bucket of its own.
    pub name: Box<str>,
    /// Rate and burst.
    pub rate: Rate,
}

/// An integration, by type.
#[derive(Debug)]
pub enum IntegrationPlan {
    /// `HTTP_PROXY`
    HttpProxy(CallPlan),
    /// `HTTP`
    Http(HttpPlan),
    /// `MOCK`
    Mock(MockPlan),
    /// What this gateway can't do yet, in words: every request is answered 500.
    Unserved(String),
}

/// An `HTTP` integration.
#[derive(Debug)]
pub struct HttpPlan {
    /// The call.
    pub call: CallPlan,
    /// What happens to bodies; there are no request templates yet.
    pub passthrough: Passthrough,
    /// What its answer becomes.
    pub responses: ResponsesPlan,
}
