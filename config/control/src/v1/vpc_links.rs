//! `VpcLink`
//!
//! AWS: API reference, "CreateVpcLink", "UpdateVpcLink" and their like; shapes and texts are recorded. What takes minutes
//! there is done at once here: a link is pending in the answer that makes it, and available in every later one.

use std::sync::Arc;

use model::{Key, Record, VpcLink};
use vocabulary::limits::VPC_LINKS;

use super::tagged;
use crate::call::{Call, Reply};
use crate::error::{Constraints, Error};
use crate::json::{self, Object};
use crate::operation::Operation;
use crate::page;
use crate::patch::{self, Op};
use crate::v1::rest_apis::Tags;

const ONE: &str = "/vpclinks/{vpclink_id}";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateVpcLink", "POST", "/vpclinks", create),
    Operation::new("GetVpcLinks", "GET", "/vpclinks", get_all),
    Operation::new("GetVpcLink", "GET", ONE, get),
    Operation::new("UpdateVpcLink", "PATCH", ONE, update),
    Operation::new("DeleteVpcLink", "DELETE", ONE, delete),
];

fn show(id: &str, link: &VpcLink, is_new: bool, tags: Tags) -> Object {
    let object = Object::new()
        .with("id", id)
        .with("name", link.name.as_str())
        .some("description", link.description.as_deref())
        .with("targetArns", json::list(&link.target_arns))
        .with("status", if is_new { "PENDING" } else { "AVAILABLE" })
        .some("statusMessage", (!is_new).then_some("Your vpc link is ready for use"));
    match tags {
        Tags::Shown => object.with("tags", json::texts(&link.tags)),
        Tags::Filled => object.filled("tags", json::texts(&link.tags)),
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    if name.is_empty() { Err(Error::bad_request("Name cannot be empty")) } else { Ok(()) }
}

fn create(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let name = input.required("name", &mut constraints)?;
    let targets = input.strings("targetArns")?;
    if targets.is_none() {
        constraints.fail("null", &input.path_of("targetArns"), "Member must not be null");
    }
    constraints.finish()?;
    check_name(&name)?;
    let target_arns = targets.unwrap_or_default();
    if target_arns.len() != 1 {
        return Err(Error::bad_request("Exactly one target ARN must be specified"));
    }
    let is_arn = |arn: &&String| arn.starts_with("arn:") && arn.splitn(6, ':').count() == 6;
    if let Some(arn) = target_arns.iter().find(|arn| !is_arn(arn)) {
        return Err(Error::bad_request(format!("Invalid ARN. ARN is not well formed {arn}")));
    }
    let region = call.region;
    if region.vpc_links.len() >= VPC_LINKS {
        return Err(Error::limit_exceeded(format!("an account has at most {VPC_LINKS} VPC links")));
    }
    let link = VpcLink {
        name,
        description: input.string("description")?,
        target_arns,
        tags: tagged::read(&input)?,
        created_date: call.now,
    };
    let id = call.new_id(6, |id| region.vpc_links.contains_key(id));
    let shown = show(&id, &link, true, Tags::Filled);
    call.put(Key::VpcLink(id), Record::VpcLink(Arc::new(link)));
    Ok(Reply::Json(202, Some(shown.into())))
}

fn find<'a>(call: &Call<'a>) -> Result<&'a VpcLink, Error> {
    let link = call.region.vpc_links.get(call.label("vpclink_id"));
    link.map(|link| &**link).ok_or_else(|| Error::not_found("Invalid Vpc Link identifier specified"))
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    Ok(Reply::ok(show(call.label("vpclink_id"), find(call)?, false, Tags::Shown)))
}

fn get_all(call: &mut Call<'_>) -> Result<Reply, Error> {
    let links = call.region.vpc_links.iter();
    let items = links.map(|(id, one)| (page::oldest_first(one.created_date, id), (id, &**one))).collect();
    Ok(Reply::ok(page::page(&call.query, items, |(id, one)| show(id, one, false, Tags::Filled).into())?))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mut link = find(call)?.clone();
    for patch in patch::read(call)? {
        match patch.path() {
            "/name" => {
                patch.only(&[Op::Replace])?;
                link.name = patch.text();
            }
            "/description" => {
                patch.only(&[Op::Replace])?;
                link.description = patch.filled();
            }
            _ => return Err(patch::no_path(&patch)),
        }
    }
    check_name(&link.name)?;
    let id = call.label("vpclink_id").to_owned();
    let shown = show(&id, &link, false, Tags::Shown);
    call.put(Key::VpcLink(id), Record::VpcLink(Arc::new(link)));
    Ok(Reply::ok(shown))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    find(call)?;
    let id = call.label("vpclink_id").to_owned();
    let trees = call.region.rest_apis.iter();
    let mut users = trees.filter(|(_, tree)| {
        let deployed = tree.deployments.values().map(|deployment| &deployment.definition);
        deployed.chain([&tree.api.definition]).any(|definition| {
            let methods = definition.resources.iter().flat_map(|(_, resource)| resource.methods.values());
            methods
                .filter_map(|method| method.integration.as_ref())
                .any(|one| one.connection_id.as_deref() == Some(&id))
        })
    });
    if let Some((api, _)) = users.next() {
        return Err(Error::bad_request(format!(
            "Cannot delete vpc link. Vpc link '{id}', is referenced in REST API {api}"
        )));
    }
    call.remove(Key::VpcLink(id));
    Ok(Reply::accepted())
}
