//! `BasePathMapping`
//!
//! AWS: API reference, "CreateBasePathMapping", "UpdateBasePathMapping" and their like.

use std::sync::Arc;

use model::domain_name::NO_BASE_PATH;
use model::{BasePathMapping, DomainName, Key, Record};

use super::domain_names;
use crate::call::{Call, Reply};
use crate::error::{Constraints, Error};
use crate::ids;
use crate::json::Object;
use crate::operation::Operation;
use crate::page;
use crate::patch::{self, Op};

const MANY: &str = "/domainnames/{domain_name}/basepathmappings";
const ONE: &str = "/domainnames/{domain_name}/basepathmappings/{base_path}";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateBasePathMapping", "POST", MANY, create),
    Operation::new("GetBasePathMappings", "GET", MANY, get_all),
    Operation::new("GetBasePathMapping", "GET", ONE, get),
    Operation::new("UpdateBasePathMapping", "PATCH", ONE, update),
    Operation::new("DeleteBasePathMapping", "DELETE", ONE, delete),
];

fn show(base_path: &str, mapping: &BasePathMapping) -> Object {
    Object::new()
        .with("basePath", if base_path.is_empty() { NO_BASE_PATH } else { base_path })
        .with("restApiId", mapping.rest_api_id.as_str())
        .some("stage", mapping.stage.as_deref())
}

/// The base path as it is kept.
fn kept(base_path: &str) -> String {
    if base_path == NO_BASE_PATH { String::new() } else { base_path.to_owned() }
}

fn check_base_path(base_path: &str) -> Result<(), Error> {
    if base_path.contains('/') {
        return Err(Error::bad_request(
            "API Gateway V1 doesn't support the slash character (/) in base path mappings. To create a multi-level base path \
             mapping, use API Gateway V2.",
        ));
    }
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"$-_.+!*'()".contains(&octet);
    if base_path.len() > 300 || !base_path.bytes().all(allowed) {
        return Err(Error::bad_request(
            "Base paths may only contain letters, numbers and one of $-_.+!*'(), and have at most 300 characters",
        ));
    }
    Ok(())
}

fn check(call: &Call<'_>, mapping: &BasePathMapping) -> Result<(), Error> {
    let tree = call.region.rest_apis.get(&mapping.rest_api_id);
    let tree = tree.ok_or_else(|| Error::bad_request("Invalid REST API identifier specified"))?;
    match &mapping.stage {
        Some(stage) if !tree.stages.contains_key(stage) => {
            Err(Error::bad_request("Invalid stage identifier specified"))
        }
        _ => Ok(()),
    }
}

fn stage(text: Option<String>) -> Option<String> {
    text.filter(|stage| !stage.is_empty() && stage != NO_BASE_PATH)
}

fn put_domain(call: &mut Call<'_>, name: String, domain: DomainName) {
    call.put(Key::DomainName(name), Record::DomainName(Arc::new(domain)));
}

fn create(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let rest_api_id = input.required("restApiId", &mut constraints)?;
    constraints.finish()?;
    let base_path = kept(&input.string("basePath")?.unwrap_or_default());
    let (name, domain) = domain_names::find(call)?;
    check_base_path(&base_path)?;
    let mapping =
        BasePathMapping { id: ids::short(call.random, 6), rest_api_id, stage: stage(input.string("stage")?) };
    check(call, &mapping)?;
    if domain.base_path_mappings.contains_key(&base_path) {
        return Err(Error::conflict("Base path already exists for this domain name"));
    }
    let mut domain = domain.clone();
    let shown = show(&base_path, &mapping);
    domain.base_path_mappings.insert(base_path, mapping);
    put_domain(call, name, domain);
    Ok(Reply::created(shown))
}

fn unknown() -> Error {
    Error::not_found("Invalid base path mapping identifier specified")
}

fn find<'a>(call: &Call<'a>) -> Result<(String, &'a BasePathMapping), Error> {
    let (_, domain) = domain_names::find(call)?;
    let base_path = kept(call.label("base_path"));
    let mapping = domain.base_path_mappings.get(&base_path).ok_or_else(unknown)?;
    Ok((base_path, mapping))
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (base_path, mapping) = find(call)?;
    Ok(Reply::ok(show(&base_path, mapping)))
}

fn get_all(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (_, domain) = domain_names::find(call)?;
    // Multi-level ones are made by the second version's calls, and only shown there.
    let mappings = domain.base_path_mappings.iter().filter(|(path, _)| !path.contains('/'));
    let items = mappings.map(|(path, mapping)| (path.clone(), (path, mapping))).collect();
    Ok(Reply::ok(page::page(&call.query, items, |(path, mapping)| show(path, mapping).into())?))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (old, mapping) = find(call)?;
    let (mut base_path, mut mapping) = (old.clone(), mapping.clone());
    for patch in patch::read(call)? {
        match patch.path() {
            "/basePath" | "/basepath" => {
                patch.only(&[Op::Replace])?;
                base_path = kept(&patch.text());
            }
            "/restapiId" | "/restApiId" => {
                patch.only(&[Op::Replace])?;
                mapping.rest_api_id = patch.text();
            }
            "/stage" => {
                patch.only(&[Op::Replace])?;
                mapping.stage = stage(patch.value);
            }
            _ => return Err(patch::no_path(&patch)),
        }
    }
    check_base_path(&base_path)?;
    check(call, &mapping)?;
    let (name, domain) = domain_names::find(call)?;
    if base_path != old && domain.base_path_mappings.contains_key(&base_path) {
        return Err(Error::conflict("Base path already exists for this domain name"));
    }
    let mut domain = domain.clone();
    let shown = show(&base_path, &mapping);
    domain.base_path_mappings.remove(&old);
    domain.base_path_mappings.insert(base_path, mapping);
    put_domain(call, name, domain);
    Ok(Reply::ok(shown))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (base_path, _) = find(call)?;
    let (name, domain) = domain_names::find(call)?;
    let mut domain = domain.clone();
    domain.base_path_mappings.remove(&base_path);
    put_domain(call, name, domain);
    Ok(Reply::accepted())
}
