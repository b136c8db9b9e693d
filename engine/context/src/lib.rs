//! The facts of one exchange, and `$context` look-up over them.
//!
//! In: what the shard and the pipeline learn. Out: values for mappings, access logs and records.
//! Never: a decision, IO, a clock.
//! AWS: "Variables for data transformations", "Variables for access logging".

#![forbid(unsafe_code)]

pub mod address;
pub mod calendar;
pub mod exchange;
pub mod forwarded_for;
pub mod variable;

pub use exchange::{Exchange, PathParameters, RouteIndex, StageIndex};
pub use variable::{ContextVariable, Facts, RouteFacts, StageFacts};
