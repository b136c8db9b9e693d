//! The first version's calls: one file a noun.

mod account;
mod api_keys;
mod authorizers;
mod base_path_mappings;
mod calendar;
mod client_certificates;
mod csv;
mod deployments;
mod documentation;
mod domain_names;
mod endpoint;
mod export;
mod gateway_responses;
mod import;
mod integration_responses;
mod integrations;
mod mapping;
mod method_responses;
mod methods;
mod models;
mod request_validators;
mod resources;
mod rest_apis;
mod sdks;
mod stage_patches;
mod stages;
mod tagged;
mod tags;
mod test_invoke;
mod unsupported;
mod usage_plan_keys;
mod usage_plans;
mod vpc_links;

use crate::operation::Operation;

/// Year, month and day of a day since the Unix epoch.
#[must_use]
pub fn civil(day: i64) -> (i32, u8, u8) {
    let (year, month, day) = vocabulary::calendar::civil(day);
    let small = |number: i64| u8::try_from(number).unwrap_or(1);
    (i32::try_from(year).unwrap_or(9_999), small(month), small(day))
}

/// Operations of the first version, noun by noun.
pub(crate) const OPERATIONS: &[&[Operation]] = &[
    // Before the one that makes an empty API: `mode=import` tells them apart.
    import::OPERATIONS,
    rest_apis::OPERATIONS,
    resources::OPERATIONS,
    methods::OPERATIONS,
    method_responses::OPERATIONS,
    integrations::OPERATIONS,
    integration_responses::OPERATIONS,
    deployments::OPERATIONS,
    stages::OPERATIONS,
    export::OPERATIONS,
    test_invoke::OPERATIONS,
    authorizers::OPERATIONS,
    request_validators::OPERATIONS,
    models::OPERATIONS,
    gateway_responses::OPERATIONS,
    account::OPERATIONS,
    tags::OPERATIONS,
    api_keys::OPERATIONS,
    usage_plans::OPERATIONS,
    usage_plan_keys::OPERATIONS,
    domain_names::OPERATIONS,
    base_path_mappings::OPERATIONS,
    vpc_links::OPERATIONS,
    client_certificates::OPERATIONS,
    documentation::OPERATIONS,
    sdks::OPERATIONS,
    unsupported::OPERATIONS,
];
