//! `DomainName`
//!
//! AWS: API reference, "CreateDomainName", "UpdateDomainName" and their like; "Custom domain name for REST APIs".

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{
    DomainName, EndpointConfiguration, EndpointType, Key, MutualTlsAuthentication, Record, RoutingMode,
    Secret, UploadedCertificate,
};
use vocabulary::limits::DOMAIN_NAMES;

use super::{endpoint, rest_apis, tagged};
use crate::call::{Call, Reply, Scope};
use crate::error::{Constraints, Error};
use crate::ids;
use crate::input::Input;
use crate::json::{self, Object};
use crate::operation::Operation;
use crate::page;
use crate::patch::{self, Op, Patch};
use crate::v1::rest_apis::Tags;

const ONE: &str = "/domainnames/{domain_name}";
/// Hosted zone of edge-optimised domains ("Amazon API Gateway endpoints and quotas").
const EDGE_ZONE: &str = "Z2FDTNDATAQYW2";
/// Hosted zone that is shown for regional domains: that of us-east-1 in the same list. Nothing resolves by it here.
const REGIONAL_ZONE: &str = "Z1UJRXOUMOOFQ8";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateDomainName", "POST", "/domainnames", create),
    Operation::new("GetDomainNames", "GET", "/domainnames", get_all),
    Operation::new("GetDomainName", "GET", ONE, get),
    Operation::new("UpdateDomainName", "PATCH", ONE, update),
    Operation::new("DeleteDomainName", "DELETE", ONE, delete),
];

fn show(scope: &Scope<'_>, name: &str, domain: &DomainName, tags: Tags) -> Object {
    let kind = domain.endpoint_configuration.kind;
    let label = &domain.target_label;
    let mutual = domain.mutual_tls_authentication.as_ref().map(|mutual| {
        Object::new()
            .some("truststoreUri", mutual.truststore_uri.as_deref())
            .some("truststoreVersion", mutual.truststore_version.as_deref())
    });
    let object = Object::new()
        .with("domainName", name)
        .some("domainNameId", domain.domain_name_id.as_deref())
        .some("domainNameArn", domain.domain_name_id.as_ref().map(|id| arn(scope, name, id)))
        .some("certificateName", domain.certificate_name.as_deref())
        .some("certificateArn", domain.certificate_arn.as_deref())
        .some("certificateUploadDate", domain.certificate_upload_date);
    let object = match kind {
        EndpointType::Edge => object
            .with("distributionDomainName", format!("{label}.cloudfront.net"))
            .with("distributionHostedZoneId", EDGE_ZONE),
        EndpointType::Regional => object
            .with("regionalDomainName", format!("{label}.execute-api.{}.amazonaws.com", scope.region))
            .with("regionalHostedZoneId", REGIONAL_ZONE),
        EndpointType::Private => object,
    };
    let object = object
        .some("regionalCertificateName", domain.regional_certificate_name.as_deref())
        .some("regionalCertificateArn", domain.regional_certificate_arn.as_deref())
        .with("endpointConfiguration", endpoint::show(&domain.endpoint_configuration))
        .with("domainNameStatus", "AVAILABLE")
        .with("securityPolicy", domain.security_policy.as_str())
        .some("endpointAccessMode", domain.endpoint_access_mode.as_deref())
        .some("mutualTlsAuthentication", mutual)
        .some("ownershipVerificationCertificateArn", domain.ownership_verification_certificate_arn.as_deref())
        .some("managementPolicy", domain.management_policy.as_deref())
        .some("policy", domain.policy.as_deref().map(rest_apis::escaped))
        .with("routingMode", domain.routing_mode.unwrap_or(RoutingMode::BasePathMappingOnly).as_str());
    match tags {
        Tags::Shown => object.with("tags", json::texts(&domain.tags)),
        Tags::Filled => object.filled("tags", json::texts(&domain.tags)),
    }
}

/// ARN of a private domain, which has an account in it.
fn arn(scope: &Scope<'_>, name: &str, id: &str) -> String {
    format!("arn:aws:apigateway:{}:{}:/domainnames/{name}+{id}", scope.region, scope.account_id)
}

fn check_name(name: &str) -> Result<(), Error> {
    if name.ends_with('.') {
        return Err(Error::bad_request("Trailing period should be omitted from domain name"));
    }
    let label_fits = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|octet| {
                octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-' || octet == b'_'
            })
    };
    let rest = name.strip_prefix("*.").unwrap_or(name);
    let fits = name.len() <= 512 && rest.contains('.') && rest.split('.').all(label_fits);
    if fits { Ok(()) } else { Err(Error::bad_request(format!("Invalid domain name specified: {name}"))) }
}

fn create(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let name = input.required("domainName", &mut constraints)?.to_ascii_lowercase();
    let wanted = endpoint::read(&input, &mut constraints)?;
    let modes: Vec<&str> = RoutingMode::ALL.iter().map(|mode| mode.as_str()).collect();
    let routing_mode = input.word("routingMode", RoutingMode::from_word, &modes, &mut constraints)?;
    constraints.finish()?;
    check_name(&name)?;
    if call.region.domain_names.contains_key(&name) {
        return Err(Error::conflict("The domain name you provided already exists."));
    }
    if call.region.domain_names.len() >= DOMAIN_NAMES {
        return Err(Error::limit_exceeded(format!(
            "an account has at most {DOMAIN_NAMES} custom domain names"
        )));
    }
    let endpoint_configuration = match wanted {
        Some(wanted) => wanted.judge(EndpointType::Edge)?,
        None => EndpointConfiguration::default(),
    };
    let tags = tagged::read(&input)?;
    let target_label = match endpoint_configuration.kind {
        EndpointType::Edge => format!("d{}", ids::short(call.random, 13)),
        EndpointType::Regional | EndpointType::Private => format!("d-{}", ids::short(call.random, 10)),
    };
    let is_private = endpoint_configuration.kind == EndpointType::Private;
    let domain_name_id = is_private.then(|| ids::short(call.random, 10));
    let certificate = uploaded(&input)?;
    let certificate_arn = input.string("certificateArn")?;
    let certificate_upload_date = (certificate.is_some() || certificate_arn.is_some()).then_some(call.now);
    let domain = DomainName {
        target_label,
        domain_name_id,
        certificate_name: input.string("certificateName")?,
        certificate_arn,
        certificate_upload_date,
        regional_certificate_name: input.string("regionalCertificateName")?,
        regional_certificate_arn: input.string("regionalCertificateArn")?,
        certificate,
        endpoint_configuration,
        security_policy: input.string("securityPolicy")?.unwrap_or_else(|| "TLS_1_2".to_owned()),
        endpoint_access_mode: input.string("endpointAccessMode")?,
        mutual_tls_authentication: mutual_tls(&input)?,
        ownership_verification_certificate_arn: input.string("ownershipVerificationCertificateArn")?,
        policy: input.string("policy")?.filter(|policy| !policy.is_empty()),
        management_policy: None,
        routing_mode,
        tags,
        base_path_mappings: BTreeMap::new(),
    };
    check(&domain)?;
    let shown = show(&call.scope, &name, &domain, Tags::Filled);
    call.put(Key::DomainName(name), Record::DomainName(Arc::new(domain)));
    Ok(Reply::created(shown))
}

/// A certificate that comes with the call, checked for its form.
fn uploaded(input: &Input) -> Result<Option<UploadedCertificate>, Error> {
    let (body, key) = (input.string("certificateBody")?, input.string("certificatePrivateKey")?);
    let chain = input.string("certificateChain")?;
    let (body, private_key) = match (body, key) {
        (None, None) => return Ok(None),
        (Some(body), Some(key)) => (body, key),
        _ => {
            let message = "certificateBody and certificatePrivateKey must be specified together";
            return Err(Error::bad_request(message));
        }
    };
    let is_pem =
        |text: &str, kind: &str| text.contains("-----BEGIN ") && text.contains(&format!("{kind}-----"));
    if !is_pem(&body, "CERTIFICATE") || !is_pem(&private_key, "PRIVATE KEY") {
        return Err(Error::bad_request("The certificate or its private key is no valid PEM"));
    }
    Ok(Some(UploadedCertificate { body, private_key: Secret::new(private_key), chain }))
}

fn mutual_tls(input: &Input) -> Result<Option<MutualTlsAuthentication>, Error> {
    let Some(mutual) = input.object("mutualTlsAuthentication")? else { return Ok(None) };
    Ok(Some(MutualTlsAuthentication {
        truststore_uri: mutual.string("truststoreUri")?,
        truststore_version: mutual.string("truststoreVersion")?,
    }))
}

fn check(domain: &DomainName) -> Result<(), Error> {
    if domain.mutual_tls_authentication.is_some()
        && domain.endpoint_configuration.kind != EndpointType::Regional
    {
        return Err(Error::bad_request("Mutual TLS is only supported for regional domain names"));
    }
    Ok(())
}

/// What is said of a domain name that isn't there.
pub(crate) fn unknown() -> Error {
    Error::not_found("Invalid domain name identifier specified")
}

/// The domain name that the path names.
pub(crate) fn find<'a>(call: &Call<'a>) -> Result<(String, &'a DomainName), Error> {
    let name = call.label("domain_name").to_ascii_lowercase();
    let domain = call.region.domain_names.get(&name).ok_or_else(unknown)?;
    let id = call.query.get("domainNameId");
    if id.is_some_and(|id| domain.domain_name_id.as_deref() != Some(id)) {
        return Err(unknown());
    }
    Ok((name, domain))
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (name, domain) = find(call)?;
    Ok(Reply::ok(show(&call.scope, &name, domain, Tags::Shown)))
}

fn get_all(call: &mut Call<'_>) -> Result<Reply, Error> {
    let items = call.region.domain_names.iter().map(|(name, one)| (name.clone(), (name, &**one))).collect();
    let scope = call.scope;
    Ok(Reply::ok(page::page(&call.query, items, |(name, one)| show(&scope, name, one, Tags::Filled).into())?))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (name, domain) = find(call)?;
    let mut domain = domain.clone();
    for patch in patch::read(call)? {
        apply(call, &mut domain, &patch)?;
    }
    check(&domain)?;
    let shown = show(&call.scope, &name, &domain, Tags::Shown);
    call.put(Key::DomainName(name), Record::DomainName(Arc::new(domain)));
    Ok(Reply::ok(shown))
}

fn apply(call: &mut Call<'_>, domain: &mut DomainName, patch: &Patch) -> Result<(), Error> {
    const ALL: &[Op] = &[Op::Add, Op::Replace, Op::Remove];
    let value = if patch.op == Op::Remove { None } else { patch.filled() };
    if patch.path() == "/endpointConfiguration/types"
        || patch.name_below("/endpointConfiguration/types/").is_some()
    {
        patch.only(ALL)?;
        let before = domain.endpoint_configuration.kind;
        if patch.op != Op::Remove {
            endpoint::replace_type(&mut domain.endpoint_configuration, &patch.text())?;
        }
        if domain.endpoint_configuration.kind != before {
            domain.target_label = match domain.endpoint_configuration.kind {
                EndpointType::Edge => format!("d{}", ids::short(call.random, 13)),
                _ => format!("d-{}", ids::short(call.random, 10)),
            };
        }
        return Ok(());
    }
    match patch.path() {
        "/certificateName"
        | "/certificateArn"
        | "/regionalCertificateName"
        | "/regionalCertificateArn"
        | "/ownershipVerificationCertificateArn"
        | "/mutualTlsAuthentication/truststoreUri"
        | "/mutualTlsAuthentication/truststoreVersion" => patch.only(ALL)?,
        "/endpointConfiguration/ipAddressType"
        | "/endpointAccessMode"
        | "/managementPolicy"
        | "/policy"
        | "/routingMode"
        | "/securityPolicy" => patch.only(&[Op::Replace])?,
        _ => return Err(patch::no_path(patch)),
    }
    match patch.path() {
        "/certificateName" => domain.certificate_name = value,
        "/certificateArn" => {
            domain.certificate_arn = value;
            domain.certificate_upload_date = Some(call.now);
        }
        "/regionalCertificateName" => domain.regional_certificate_name = value,
        "/regionalCertificateArn" => domain.regional_certificate_arn = value,
        "/ownershipVerificationCertificateArn" => domain.ownership_verification_certificate_arn = value,
        "/mutualTlsAuthentication/truststoreUri" => {
            domain.mutual_tls_authentication = value.map(|uri| MutualTlsAuthentication {
                truststore_uri: Some(uri),
                ..domain.mutual_tls_authentication.clone().unwrap_or_default()
            });
        }
        "/mutualTlsAuthentication/truststoreVersion" => {
            if let Some(mutual) = &mut domain.mutual_tls_authentication {
                mutual.truststore_version = value;
            }
        }
        "/endpointConfiguration/ipAddressType" => {
            endpoint::replace_ip_address_type(&mut domain.endpoint_configuration, &patch.text())?;
        }
        "/endpointAccessMode" => domain.endpoint_access_mode = value,
        "/managementPolicy" => domain.management_policy = value,
        "/policy" => domain.policy = value,
        "/routingMode" => {
            let wrong = || Error::bad_request(format!("Invalid routing mode specified: {}", patch.text()));
            domain.routing_mode = Some(RoutingMode::from_word(&patch.text()).ok_or_else(wrong)?);
        }
        _ => domain.security_policy = patch.text(),
    }
    Ok(())
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (name, _) = find(call)?;
    call.remove(Key::DomainName(name));
    Ok(Reply::accepted())
}
