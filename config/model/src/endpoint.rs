//! How an API or a domain is reached: edge, regional or private.

use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// An entry of `endpointConfiguration.types`.
    EndpointType {
        Private = "PRIVATE",
        Edge = "EDGE",
        Regional = "REGIONAL",
    }
}

words! {
    /// `ipAddressType`
    IpAddressType {
        Ipv4 = "ipv4",
        Dualstack = "dualstack",
    }
}

/// `endpointConfiguration`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointConfiguration {
    /// `types`: AWS takes exactly one.
    #[serde(rename = "type")]
    pub kind: EndpointType,
    /// `ipAddressType`
    pub ip_address_type: IpAddressType,
    /// `vpcEndpointIds` of a private API.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vpc_endpoint_ids: Vec<String>,
}

impl EndpointConfiguration {
    /// A type with the addresses it has by default.
    #[must_use]
    pub fn new(kind: EndpointType) -> Self {
        let ip_address_type = match kind {
            EndpointType::Private => IpAddressType::Dualstack,
            EndpointType::Edge | EndpointType::Regional => IpAddressType::Ipv4,
        };
        EndpointConfiguration { kind, ip_address_type, vpc_endpoint_ids: Vec::new() }
    }
}

impl Default for EndpointConfiguration {
    fn default() -> Self {
        EndpointConfiguration::new(EndpointType::Edge)
    }
}
