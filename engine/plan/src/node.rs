//! Node, stages and routes.

use std::sync::Arc;

use context::{RouteFacts, RouteIndex, StageFacts};
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
