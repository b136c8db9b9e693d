//! `ClientCertificate`
//!
//! AWS: API reference, "GenerateClientCertificate" and its like; "Generate and configure an SSL certificate for backend
//! authentication".

use std::sync::Arc;

use model::{ClientCertificate, Key, Record};
use vocabulary::limits::CLIENT_CERTIFICATES;

use super::tagged;
use crate::call::{Call, Reply};
use crate::error::Error;
use crate::json::{self, Object};
use crate::operation::Operation;
use crate::page;
use crate::patch::{self, Op};
use crate::v1::rest_apis::Tags;

const MANY: &str = "/clientcertificates";
const ONE: &str = "/clientcertificates/{clientcertificate_id}";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("GenerateClientCertificate", "POST", MANY, generate),
    Operation::new("GetClientCertificates", "GET", MANY, get_all),
    Operation::new("GetClientCertificate", "GET", ONE, get),
    Operation::new("UpdateClientCertificate", "PATCH", ONE, update),
    Operation::new("DeleteClientCertificate", "DELETE", ONE, delete),
];

fn show(id: &str, certificate: &ClientCertificate, tags: Tags) -> Object {
    let object = Object::new()
        .with("clientCertificateId", id)
        .some("description", certificate.description.as_deref())
        .with("pemEncodedCertificate", certificate.pem_encoded_certificate.as_str())
        .with("createdDate", certificate.created_date)
        .with("expirationDate", certificate.expiration_date);
    match tags {
        Tags::Shown => object.with("tags", json::texts(&certificate.tags)),
        Tags::Filled => object.filled("tags", json::texts(&certificate.tags)),
    }
}

fn generate(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let tags = tagged::read(&input)?;
    let description = input.string("description")?;
    let region = call.region;
    if region.client_certificates.len() >= CLIENT_CERTIFICATES {
        return Err(Error::limit_exceeded(format!(
            "an account has at most {CLIENT_CERTIFICATES} client certificates"
        )));
    }
    let made = call.certificates.make(call.now).map_err(Error::unavailable)?;
    let id = call.new_id(6, |id| region.client_certificates.contains_key(id));
    let certificate = ClientCertificate { description, tags, ..made };
    let shown = show(&id, &certificate, Tags::Filled);
    call.put(Key::ClientCertificate(id), Record::ClientCertificate(Arc::new(certificate)));
    Ok(Reply::created(shown))
}

fn find<'a>(call: &Call<'a>) -> Result<&'a ClientCertificate, Error> {
    let certificate = call.region.client_certificates.get(call.label("clientcertificate_id"));
    certificate
        .map(|certificate| &**certificate)
        .ok_or_else(|| Error::not_found("Invalid Client certificate identifier specified"))
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    Ok(Reply::ok(show(call.label("clientcertificate_id"), find(call)?, Tags::Shown)))
}

fn get_all(call: &mut Call<'_>) -> Result<Reply, Error> {
    let certificates = call.region.client_certificates.iter();
    let items =
        certificates.map(|(id, one)| (page::oldest_first(one.created_date, id), (id, &**one))).collect();
    Ok(Reply::ok(page::page(&call.query, items, |(id, one)| show(id, one, Tags::Filled).into())?))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mut certificate = find(call)?.clone();
    for patch in patch::read(call)? {
        if patch.path() != "/description" {
            return Err(patch::no_path(&patch));
        }
        patch.only(&[Op::Replace])?;
        certificate.description = patch.filled();
    }
    let id = call.label("clientcertificate_id").to_owned();
    let shown = show(&id, &certificate, Tags::Shown);
    call.put(Key::ClientCertificate(id), Record::ClientCertificate(Arc::new(certificate)));
    Ok(Reply::ok(shown))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    find(call)?;
    let id = call.label("clientcertificate_id").to_owned();
    let stages = call.region.rest_apis.values().flat_map(|tree| tree.stages.values());
    if stages.into_iter().any(|stage| stage.client_certificate_id.as_deref() == Some(&id)) {
        return Err(Error::bad_request(format!(
            "Client certificate {id} is used by a stage; remove it there first"
        )));
    }
    call.remove(Key::ClientCertificate(id));
    Ok(Reply::accepted())
}
