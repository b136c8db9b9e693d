//! The control plane: AWS's management calls for REST APIs, answered from an account and written down as its changes.
//!
//! In: a call (method, path, query, body) and the account. Out: an answer, and changes for the store and the shards.
//! Refuses with: AWS's error codes and texts.
//! Never: a socket, a clock, a file, a shard: those are behind the traits [`Node`] and [`Random`].
//! AWS: "Amazon API Gateway REST API Reference".

#![forbid(unsafe_code)]

mod arn;
mod call;
mod control;
mod error;
mod ids;
mod input;
mod json;
mod node;
mod operation;
mod page;
mod patch;
mod query;
mod v1;
mod v2;

#[cfg(test)]
mod tests;

pub use call::{Scope, TestInvoke};
pub use control::{Control, Done, Outcome, Request, Response, Settings};
pub use error::Error;
pub use ids::Random;
pub use node::{Certificates, Node, NodeError};
pub use v1::civil;
