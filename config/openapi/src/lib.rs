//! OpenAPI 2.0 and 3.0 documents with `x-amazon-apigateway-*`, read into the model, with a place for every problem.
//!
//! In: the text of a document. Out: an API and its stage, positions of its entities, diagnostics.
//! Refuses with: diagnostics that name line, column and reason; what isn't supported is never dropped in silence.
//! Never: IO, a network call, a deployment.
//! AWS: "Develop REST APIs using OpenAPI", "OpenAPI extensions for API Gateway".

#![forbid(unsafe_code)]

pub mod diagnostic;
mod document;
pub mod export;
mod extension;
pub mod import;
mod integration;
mod json;
pub mod merge;
pub mod node;
mod operation;
mod reader;
mod settings;
mod yaml;

#[cfg(test)]
mod tests;

pub use diagnostic::{Diagnostic, Severity, Span};
pub use document::{Definition, Environment, Positions, Reading, read, value};
pub use export::{ExportType, Extensions, Source, export, to_yaml};
pub use import::{BasePath, Import, Noun, Options, Present, Unreadable, documentation_parts, import};
pub use merge::{PutMode, put};
