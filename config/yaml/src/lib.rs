//! What a YAML parser complains of, in plain words: what is wrong, where, and the way out.
//!
//! In: the parser's words, the text and the place. Out: a message, advice, and the place that a person would point at.
//! Refuses with: nothing; words that it doesn't know pass as they are.
//! Never: a parser. Both readers of YAML (settings, OpenAPI) have their own, and the same words for what is wrong.

#![forbid(unsafe_code)]

mod explain;
mod lines;

pub use explain::{Complaint, Explanation, explain};
pub use lines::{Lines, Place};
