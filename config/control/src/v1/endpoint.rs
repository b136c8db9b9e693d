//! `endpointConfiguration`, which APIs and domain names share.

use model::{EndpointConfiguration, EndpointType, IpAddressType};
use serde_json::Value;

use crate::error::{Constraints, Error};
use crate::input::Input;
use crate::json::{self, Object};

/// The configuration as it is shown.
pub(crate) fn show(endpoint: &EndpointConfiguration) -> Value {
    Object::new()
        .with("types", vec![endpoint.kind.as_str()])
        .with("ipAddressType", endpoint.ip_address_type.as_str())
        .filled("vpcEndpointIds", json::list(&endpoint.vpc_endpoint_ids))
        .into()
}

/// The member `endpointConfiguration` of a create call; `None` where there is none.
pub(crate) fn read(input: &Input, constraints: &mut Constraints) -> Result<Option<Wanted>, Error> {
    let Some(object) = input.object("endpointConfiguration")? else { return Ok(None) };
    let types = object.strings("types")?;
    let known: Vec<EndpointType> =
        types.iter().flatten().filter_map(|word| EndpointType::from_word(word)).collect();
    if let Some(types) = &types
        && known.len() < types.len()
    {
        let words: Vec<&str> = EndpointType::ALL.iter().map(|kind| kind.as_str()).collect();
        let set = format!("Member must satisfy enum value set: [{}]", words.join(", "));
        let constraint = format!("Member must satisfy constraint: [{set}]");
        constraints.fail(&format!("[{}]", types.join(", ")), &object.path_of("types"), &constraint);
    }
    let all: Vec<&str> = IpAddressType::ALL.iter().map(|kind| kind.as_str()).collect();
    let ip_address_type = object.word("ipAddressType", IpAddressType::from_word, &all, constraints)?;
    let vpc_endpoint_ids = object.strings("vpcEndpointIds")?.unwrap_or_default();
    Ok(Some(Wanted { types: types.map(|_| known), ip_address_type, vpc_endpoint_ids }))
}

/// What a create call wants, not judged yet.
pub(crate) struct Wanted {
    types: Option<Vec<EndpointType>>,
    ip_address_type: Option<IpAddressType>,
    vpc_endpoint_ids: Vec<String>,
}

impl Wanted {
    /// The configuration, if it is one; `default` where no type is named. Texts are recorded.
    pub(crate) fn judge(self, default: EndpointType) -> Result<EndpointConfiguration, Error> {
        let kind = match self.types.as_deref() {
            None => default,
            Some([]) => {
                return Err(Error::bad_request(
                    "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.",
                ));
            }
            Some([kind]) => *kind,
            Some(_) => return Err(Error::bad_request("Cannot create an api with multiple Endpoint Types.")),
        };
        let mut endpoint = EndpointConfiguration::new(kind);
        if let Some(wanted) = self.ip_address_type {
            endpoint.ip_address_type = wanted;
        }
        endpoint.vpc_endpoint_ids = self.vpc_endpoint_ids;
        check(&endpoint)?;
        Ok(endpoint)
    }
}

/// Judges type and addresses together.
pub(crate) fn check(endpoint: &EndpointConfiguration) -> Result<(), Error> {
    if endpoint.kind == EndpointType::Private && endpoint.ip_address_type == IpAddressType::Ipv4 {
        return Err(Error::bad_request("Only dualstack ipAddressType is supported for Private APIs."));
    }
    Ok(())
}

/// Puts another type in the place of the one there is.
pub(crate) fn replace_type(endpoint: &mut EndpointConfiguration, word: &str) -> Result<(), Error> {
    let kind = EndpointType::from_word(word).ok_or_else(|| {
        Error::bad_request("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE")
    })?;
    if kind != endpoint.kind {
        let vpc_endpoint_ids = std::mem::take(&mut endpoint.vpc_endpoint_ids);
        *endpoint = EndpointConfiguration { vpc_endpoint_ids, ..EndpointConfiguration::new(kind) };
    }
    Ok(())
}

/// Puts another kind of addresses in the place of the one there is.
pub(crate) fn replace_ip_address_type(endpoint: &mut EndpointConfiguration, word: &str) -> Result<(), Error> {
    endpoint.ip_address_type = IpAddressType::from_word(word)
        .ok_or_else(|| Error::bad_request("ipAddressType must be either ipv4 or dualstack."))?;
    Ok(())
}
