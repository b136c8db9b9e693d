//! `Resource`
//!
//! AWS: API reference, "CreateResource", "UpdateResource" and their like; shapes and texts are recorded.

use model::resource::split;
use model::{Resource, ResourceError, Resources};
use serde_json::Value;
use vocabulary::limits::RESOURCES;

use super::methods;
use crate::call::{Call, Reply};
use crate::error::{Constraints, Error};
use crate::json::Object;
use crate::operation::Operation;
use crate::page;
use crate::patch;

const MANY: &str = "/restapis/{restapi_id}/resources";
const CHILD: &str = "/restapis/{restapi_id}/resources/{parent_id}";
const ONE: &str = "/restapis/{restapi_id}/resources/{resource_id}";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateResource", "POST", CHILD, create),
    Operation::new("GetResources", "GET", MANY, get_all),
    Operation::new("GetResource", "GET", ONE, get),
    Operation::new("UpdateResource", "PATCH", ONE, update),
    Operation::new("DeleteResource", "DELETE", ONE, delete),
];

/// What is said of a resource that isn't there (recorded).
pub(crate) fn unknown() -> Error {
    Error::not_found("Invalid Resource identifier specified")
}

/// A resource as it is shown; `embed` shows its methods whole.
fn show(resources: &Resources, path: &str, resource: &Resource, embed: bool) -> Value {
    let object = Object::new().with("id", resource.id.as_str());
    let object = match split(path) {
        Some((parent, part)) => {
            let parent = resources.at(parent).map(|parent| parent.id.as_str());
            object.some("parentId", parent).with("pathPart", part)
        }
        None => object,
    };
    let methods = resource.methods.iter().map(|(key, method)| {
        let shown = match embed {
            true => methods::show(&resource.id, *key, method).into(),
            false => Value::Object(serde_json::Map::new()),
        };
        (key.as_str().to_owned(), shown)
    });
    object.with("path", path).filled("resourceMethods", Value::Object(methods.collect())).into()
}

fn embeds(call: &Call<'_>) -> bool {
    call.query.all("embed").any(|value| value.split(',').any(|word| word == "methods"))
}

fn refused(error: ResourceError) -> Error {
    match error {
        ResourceError::NoParent => unknown(),
        ResourceError::BelowGreedy(part) => Error::bad_request(format!(
            "Cannot create a child of a resource with a greedy path variable: {part}"
        )),
        ResourceError::Taken(part) => {
            Error::conflict(format!("Another resource with the same parent already has this name: {part}"))
        }
        ResourceError::VariableSibling(part) => Error::bad_request(format!(
            "A sibling ({part}) of this resource already has a variable path part -- only one is allowed"
        )),
        ResourceError::InvalidPart(_) => Error::bad_request(
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the \
             beginning and the end.",
        ),
        ResourceError::Cycle => Error::bad_request("Resources cannot be cyclical."),
        ResourceError::Root => Error::bad_request("Root resource cannot be deleted."),
    }
}

fn create(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let part = input.required("pathPart", &mut constraints)?;
    constraints.finish()?;
    let mut definition = (*call.api()?.definition).clone();
    if definition.resources.count() >= RESOURCES {
        return Err(Error::limit_exceeded(
            "Maximum number of Resources for this API has been reached. Please contact AWS if you need additional \
             Resources.",
        ));
    }
    let id = call.new_id(6, |id| definition.resources.find(id).is_some());
    let path = definition.resources.add(call.label("parent_id"), &part, id).map_err(refused)?;
    let shown =
        definition.resources.at(&path).map(|resource| show(&definition.resources, &path, resource, false));
    call.put_definition(definition)?;
    Ok(Reply::created(shown.unwrap_or_default()))
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    let resources = &call.api()?.definition.resources;
    let (path, resource) = resources.find(call.label("resource_id")).ok_or_else(unknown)?;
    Ok(Reply::ok(show(resources, path, resource, embeds(call))))
}

fn get_all(call: &mut Call<'_>) -> Result<Reply, Error> {
    let resources = &call.api()?.definition.resources;
    let embed = embeds(call);
    let items = resources.iter().map(|(path, resource)| (path.clone(), (path, resource))).collect();
    let shown = |(path, resource): (&String, _)| show(resources, path, resource, embed);
    Ok(Reply::ok(page::page(&call.query, items, shown)?))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mut definition = (*call.api()?.definition).clone();
    let id = call.label("resource_id").to_owned();
    let resources = &mut definition.resources;
    let (found, _) = resources.find(&id).ok_or_else(unknown)?;
    let (mut path, is_root) = (found.to_owned(), found == "/");
    for patch in patch::read(call)? {
        let member = patch::one_of(&patch, &["/parentId", "/pathPart"])?;
        if is_root {
            return Err(Error::bad_request(format!("Root resource cannot update its {}.", &member[1..])));
        }
        let value = patch.text();
        path = match member {
            "/parentId" => resources.relocate(&id, Some(&value), None),
            _ => resources.relocate(&id, None, Some(&value)),
        }
        .map_err(refused)?;
    }
    let shown = resources.at(&path).map(|resource| show(resources, &path, resource, false));
    call.put_definition(definition)?;
    Ok(Reply::ok(shown.unwrap_or_default()))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mut definition = (*call.api()?.definition).clone();
    definition.resources.remove(call.label("resource_id")).map_err(refused)?;
    call.put_definition(definition)?;
    Ok(Reply::accepted())
}
