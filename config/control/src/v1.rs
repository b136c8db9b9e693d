//! The first version's calls: one file a noun.

mod endpoint;
mod rest_apis;
mod tagged;

use crate::operation::Operation;

/// Operations of the first version, noun by noun.
pub(crate) const OPERATIONS: &[&[Operation]] = &[rest_apis::OPERATIONS];
