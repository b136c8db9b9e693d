//! Compiles APIs and their stages into a node's plan: pure, repeatable, same input, same plan.
//!
//! In: the model of each API and its stage. Out: a `NodePlan`. Refuses with: `DeployError`s that name the entity.
//! Never: IO, a clock, anything live.
//! AWS: "Deploy REST APIs in API Gateway".

#![forbid(unsafe_code)]

mod api_id;
mod method;
mod node;

#[cfg(test)]
mod tests;

pub use api_id::{resource_id, stable_id};
pub use node::{DeployError, Deployment, NodeSettings, compile};
