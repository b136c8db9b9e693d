//! The pipelines: one request from its head to its answer, in AWS's order.
//!
//! Feature: REST API
//! In: an exchange whose request head is read, a linked plan, an edge that can reach backends. Out: an answer, and the
//! facts that logs and metrics want, on the exchange. Refuses with: gateway responses, never with an error.
//! Never: a runtime, a socket, a clock of its own, a lock.
//! AWS: "Amazon API Gateway REST APIs"; differences are listed in docs/aws-differences.md.

#![forbid(unsafe_code)]

pub mod answer;
mod digest;
pub mod edge;
pub mod gateway_response;
mod integration_request;
mod integration_response;
pub mod link;
mod rest_api;
mod trace;
mod unmatched;

pub use answer::{Answer, AnswerBody};
pub use edge::{Call, Edge, Inbound, RequestBodyPlan};
pub use gateway_response::refuse;
pub use link::{LinkError, NodeLink, link};
pub use rest_api::{serve, turn_away};

#[cfg(test)]
mod tests;
