//! Parameter mapping: expressions compiled at deployment, evaluated into bytes, plus URI templates and the
//! selection of integration responses.
//!
//! Feature: Parameter mapping
//! In: expressions (`method.request.header.X`, `'literal'`, …) and the facts of an exchange. Out: values, percent-encoded
//! where they go into a URI. Refuses with: `ExpressionError` and `PatternError`, both at deployment.
//! Never: parses an expression or a pattern on the request path, does IO.
//! AWS: "API Gateway API request and response data mapping reference", "Parameter mapping".

#![forbid(unsafe_code)]

pub mod expression;
pub mod query;
pub mod request_source;
pub mod response_source;
pub mod selection;
pub mod stage_variables;
pub mod target;
pub mod uri;

pub use expression::{ExpressionError, Scope};
pub use request_source::RequestSource;
pub use response_source::ResponseSource;
pub use selection::{PatternError, Selection};
pub use target::{RequestTarget, ResponseTarget};
pub use uri::UriTemplate;

#[cfg(test)]
mod tests;
