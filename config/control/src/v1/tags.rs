//! Tags of everything that can have them, by ARN.
//!
//! AWS: API reference, "TagResource", "UntagResource", "GetTags"; "Tagging API Gateway resources" of the guide.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Key, Record};

use super::tagged;
use crate::arn;
use crate::call::{Call, Reply};
use crate::error::{Constraints, Error};
use crate::json::{self, Object};
use crate::operation::Operation;

const ONE: &str = "/tags/{resource_arn+}";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("GetTags", "GET", ONE, get),
    Operation::new("TagResource", "PUT", ONE, tag),
    Operation::new("UntagResource", "DELETE", ONE, untag),
];

/// The record that the ARN in the path names.
fn find(call: &Call<'_>) -> Result<(Key, Record), Error> {
    let arn = call.label("resource_arn");
    let unknown = || Error::not_found(format!("Invalid resource ARN specified: {arn}"));
    let path = arn::path(&call.scope, arn).ok_or_else(unknown)?;
    let parts: Vec<&str> = path[1..].split('/').collect();
    let own = |text: &str| text.to_owned();
    let key = match *parts.as_slice() {
        ["restapis", api] => Key::RestApi(own(api)),
        ["restapis", api, "stages", stage] => Key::Stage(own(api), own(stage)),
        ["apikeys", id] => Key::ApiKey(own(id)),
        ["usageplans", id] => Key::UsagePlan(own(id)),
        ["domainnames", name] => Key::DomainName(own(name)),
        ["vpclinks", id] => Key::VpcLink(own(id)),
        ["clientcertificates", id] => Key::ClientCertificate(own(id)),
        _ => return Err(unknown()),
    };
    let record = call.region.get(&key).ok_or_else(unknown)?;
    Ok((key, record))
}

/// The tags of a record; `None` of what has none.
fn tags_of(record: &mut Record) -> Option<&mut BTreeMap<String, String>> {
    Some(match record {
        Record::RestApi(record) => &mut Arc::make_mut(record).tags,
        Record::Stage(record) => &mut Arc::make_mut(record).tags,
        Record::ApiKey(record) => &mut Arc::make_mut(record).tags,
        Record::UsagePlan(record) => &mut Arc::make_mut(record).tags,
        Record::DomainName(record) => &mut Arc::make_mut(record).tags,
        Record::VpcLink(record) => &mut Arc::make_mut(record).tags,
        Record::ClientCertificate(record) => &mut Arc::make_mut(record).tags,
        _ => return None,
    })
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (_, mut record) = find(call)?;
    let tags = tags_of(&mut record).map(|tags| json::texts(tags));
    Ok(Reply::ok(Object::new().some("tags", tags)))
}

fn tag(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let wanted = input.string_map("tags")?;
    if wanted.is_none() {
        constraints.fail("null", &input.path_of("tags"), "Member must not be null");
    }
    constraints.finish()?;
    let (key, mut record) = find(call)?;
    if let Some(tags) = tags_of(&mut record) {
        // Setting merges, it never replaces.
        tags.extend(wanted.unwrap_or_default());
        tagged::check(tags)?;
    }
    call.put(key, record);
    Ok(Reply::no_content())
}

fn untag(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (key, mut record) = find(call)?;
    let names: Vec<String> = call.query.all("tagKeys").map(str::to_owned).collect();
    if let Some(tags) = tags_of(&mut record) {
        tags.retain(|name, _| !names.contains(name));
    }
    call.put(key, record);
    Ok(Reply::no_content())
}
