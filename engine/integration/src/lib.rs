//! Shapes of the calls to backends and of their answers, per integration type: `HTTP_PROXY`, `HTTP`, `MOCK`.
//!
//! Feature: Integrations
//! In: the parsed head of a request or of a backend's response. Out: fields as they go on the wire, a mock's
//! status code, the content coding of a body. Refuses with: unsupported media type.
//! Never: sends anything, evaluates a mapping expression.
//! AWS: "API integrations for REST APIs in API Gateway", "Amazon API Gateway important notes" (header tables).

#![forbid(unsafe_code)]

pub mod coding;
pub mod forwarded;
pub mod header;
pub mod http;
pub mod http_proxy;
pub mod kind;
pub mod media_type;
pub mod mock;

pub use kind::Kind;
