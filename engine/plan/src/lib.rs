//! What a deployment compiles and a shard executes: node, stages, routes, calls, responses.
//!
//! In: the settings of an API, in AWS's terms. Out: immutable records in the order in which the pipeline reads them.
//! Refuses with: `CompileError`, at deployment, naming the setting.
//! Never: behaviour beyond look-up; anything live (buckets, pools, connections); text that still has to be parsed.

#![forbid(unsafe_code)]

pub mod call;
pub mod error;
pub mod mock;
pub mod node;
pub mod request;
pub mod response;
pub mod target;

pub use call::{CallPlan, CallSpec};
pub use error::CompileError;
pub use integration::media_type::Passthrough;
pub use mock::{MockPlan, MockTemplate};
pub use node::{CanaryPlan, HttpPlan, IntegrationPlan, NodePlan, RoutePlan, StagePlan, ThrottlePlan};
pub use request::{HeaderMapping, QueryMapping, RequestPlan};
pub use response::{ResponsePlan, ResponseSpec, ResponseTemplate, ResponsesPlan};
pub use target::{Target, TargetIndex, Targets};
