//! The first version's calls: one file a noun.

mod account;
mod authorizers;
mod deployments;
mod endpoint;
mod gateway_responses;
mod integration_responses;
mod integrations;
mod mapping;
mod method_responses;
mod methods;
mod models;
mod request_validators;
mod resources;
mod rest_apis;
mod stage_patches;
mod stages;
mod tagged;
mod tags;
mod test_invoke;

use crate::operation::Operation;

/// Operations of the first version, noun by noun.
pub(crate) const OPERATIONS: &[&[Operation]] = &[
    rest_apis::OPERATIONS,
    resources::OPERATIONS,
    methods::OPERATIONS,
    method_responses::OPERATIONS,
    integrations::OPERATIONS,
    integration_responses::OPERATIONS,
    deployments::OPERATIONS,
    stages::OPERATIONS,
    test_invoke::OPERATIONS,
    authorizers::OPERATIONS,
    request_validators::OPERATIONS,
    models::OPERATIONS,
    gateway_responses::OPERATIONS,
    account::OPERATIONS,
    tags::OPERATIONS,
];
