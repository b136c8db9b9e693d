//! A method of a resource: its parameters, its integration, its responses.

use std::collections::{BTreeMap, BTreeSet};

use crate::integration::Integration;
use crate::stage::Throttle;

/// `Method`
#[derive(Clone, Debug, PartialEq)]
pub struct Method {
    /// `operationName`
    pub operation_name: Option<String>,
    /// `requestParameters`: `method.request.{location}.{name}` to whether it is required.
    pub request_parameters: BTreeMap<String, bool>,
    /// `methodIntegration`
    pub integration: Integration,
    /// `methodResponses` by status.
    pub responses: BTreeMap<u16, MethodResponse>,
    /// A rate of this method's own.
    pub throttle: Option<Throttle>,
}

/// `MethodResponse`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MethodResponse {
    /// Names in `responseParameters`, without `method.response.header.`.
    pub headers: BTreeSet<String>,
}
