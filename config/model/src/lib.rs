//! API nouns as AWS names them, independent of how they are written down and of how they run.
//!
//! In: what an importer or a control call says. Out: what a deployment compiles.
//! Never: wire JSON, a plan, IO.
//! AWS: API reference, "RestApi", "Resource", "Method", "Integration", "Stage".

#![forbid(unsafe_code)]

pub mod integration;
pub mod method;
pub mod rest_api;
pub mod stage;

pub use integration::{Integration, IntegrationResponse, IntegrationType, PassthroughBehavior};
pub use method::{Method, MethodResponse};
pub use rest_api::{Entity, Resource, RestApi};
pub use stage::{Stage, Throttle};
