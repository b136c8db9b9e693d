//! `DocumentationPart` and `DocumentationVersion`
//!
//! AWS: API reference, "CreateDocumentationPart", "CreateDocumentationVersion" and their like; texts are recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{
    DocumentationPart, DocumentationPartLocation, DocumentationPartType, DocumentationVersion, Key, Record,
    Stage,
};
use serde_json::Value;
use vocabulary::limits::DOCUMENTATION_PARTS;

use crate::call::{Call, Reply};
use crate::error::{Constraints, Error};
use crate::input::Input;
use crate::json::Object;
use crate::operation::Operation;
use crate::page;
use crate::patch::{self, Op};

const PARTS: &str = "/restapis/{restapi_id}/documentation/parts";
const PART: &str = "/restapis/{restapi_id}/documentation/parts/{part_id}";
const VERSIONS: &str = "/restapis/{restapi_id}/documentation/versions";
const VERSION: &str = "/restapis/{restapi_id}/documentation/versions/{doc_version}";

/// Operations of these nouns.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateDocumentationPart", "POST", PARTS, create_part),
    Operation::new("GetDocumentationParts", "GET", PARTS, get_parts),
    Operation::new("GetDocumentationPart", "GET", PART, get_part),
    Operation::new("UpdateDocumentationPart", "PATCH", PART, update_part),
    Operation::new("DeleteDocumentationPart", "DELETE", PART, delete_part),
    Operation::new("CreateDocumentationVersion", "POST", VERSIONS, create_version),
    Operation::new("GetDocumentationVersions", "GET", VERSIONS, get_versions),
    Operation::new("GetDocumentationVersion", "GET", VERSION, get_version),
    Operation::new("UpdateDocumentationVersion", "PATCH", VERSION, update_version),
    Operation::new("DeleteDocumentationVersion", "DELETE", VERSION, delete_version),
];

fn show_part(id: &str, part: &DocumentationPart) -> Value {
    let location = &part.location;
    let location = Object::new()
        .with("type", location.kind.as_str())
        .some("path", location.path.as_deref())
        .some("method", location.method.as_deref())
        .some("statusCode", location.status_code.as_deref())
        .some("name", location.name.as_deref());
    Object::new()
        .with("id", id)
        .with("location", location)
        .with("properties", part.properties.as_str())
        .into()
}

fn read_location(input: &Input, constraints: &mut Constraints) -> Result<DocumentationPartLocation, Error> {
    let words: Vec<&str> = DocumentationPartType::ALL.iter().map(|kind| kind.as_str()).collect();
    let kind = input.word("type", DocumentationPartType::from_word, &words, constraints)?;
    if input.get("type").is_none() {
        constraints.fail("null", &input.path_of("type"), "Member must not be null");
    }
    Ok(DocumentationPartLocation {
        kind: kind.unwrap_or(DocumentationPartType::Api),
        path: input.string("path")?,
        method: input.string("method")?,
        status_code: input.string("statusCode")?,
        name: input.string("name")?,
    })
}

/// Properties are a JSON object as text.
fn check_properties(text: &str) -> Result<(), Error> {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(_)) => Ok(()),
        _ => Err(Error::bad_request("Documentation part properties must be a JSON object")),
    }
}

fn create_part(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let location = match input.object("location")? {
        Some(location) => Some(read_location(&location, &mut constraints)?),
        None => {
            constraints.fail("null", &input.path_of("location"), "Member must not be null");
            None
        }
    };
    let properties = input.required("properties", &mut constraints)?;
    constraints.finish()?;
    let mut api = call.api()?.clone();
    check_properties(&properties)?;
    let Some(location) = location else { return Err(Error::bad_request("Invalid location specified")) };
    if api.documentation_parts.values().any(|part| part.location == location) {
        return Err(Error::conflict("A documentation part already exists at the same location"));
    }
    if api.documentation_parts.len() >= DOCUMENTATION_PARTS {
        return Err(Error::limit_exceeded(format!(
            "an API has at most {DOCUMENTATION_PARTS} documentation parts"
        )));
    }
    let id = call.new_id(6, |id| api.documentation_parts.contains_key(id));
    let part = DocumentationPart { location, properties };
    let shown = show_part(&id, &part);
    api.documentation_parts.insert(id, part);
    call.put_api(api);
    Ok(Reply::created(shown))
}

fn find_part<'a>(call: &Call<'a>) -> Result<&'a DocumentationPart, Error> {
    let part = call.api()?.documentation_parts.get(call.label("part_id"));
    part.ok_or_else(|| Error::not_found("Invalid Documentation part identifier specified"))
}

fn get_part(call: &mut Call<'_>) -> Result<Reply, Error> {
    Ok(Reply::ok(show_part(call.label("part_id"), find_part(call)?)))
}

fn get_parts(call: &mut Call<'_>) -> Result<Reply, Error> {
    let (kind, name, path) = (call.query.get("type"), call.query.get("name"), call.query.get("path"));
    let fits = |part: &DocumentationPart| {
        let location = &part.location;
        kind.is_none_or(|kind| location.kind.as_str() == kind)
            && name.is_none_or(|start| location.name.as_deref().unwrap_or_default().starts_with(start))
            && path.is_none_or(|start| location.path.as_deref().unwrap_or("/").starts_with(start))
    };
    let parts = call.api()?.documentation_parts.iter().filter(|(_, part)| fits(part));
    let items = parts.map(|(id, part)| (id.clone(), (id, part))).collect();
    Ok(Reply::ok(page::page(&call.query, items, |(id, part)| show_part(id, part))?))
}

fn update_part(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mut part = find_part(call)?.clone();
    for patch in patch::read(call)? {
        patch::one_of(&patch, &["/properties"])?;
        check_properties(&patch.text())?;
        part.properties = patch.text();
    }
    let id = call.label("part_id").to_owned();
    let mut api = call.api()?.clone();
    let shown = show_part(&id, &part);
    api.documentation_parts.insert(id, part);
    call.put_api(api);
    Ok(Reply::ok(shown))
}

fn delete_part(call: &mut Call<'_>) -> Result<Reply, Error> {
    find_part(call)?;
    let mut api = call.api()?.clone();
    api.documentation_parts.remove(call.label("part_id"));
    call.put_api(api);
    Ok(Reply::accepted())
}

fn show_version(version: &str, one: &DocumentationVersion) -> Object {
    Object::new()
        .with("version", version)
        .with("createdDate", one.created_date)
        .some("description", one.description.as_deref())
}

fn create_version(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let version = input.required("documentationVersion", &mut constraints)?;
    constraints.finish()?;
    let tree = call.tree()?;
    if tree.documentation_versions.contains_key(&version) {
        return Err(Error::conflict(format!("Documentation version {version} already exists")));
    }
    let stage = match input.string("stageName")? {
        Some(name) => {
            let stage = tree.stages.get(&name);
            Some(stage.ok_or_else(|| Error::not_found("Invalid stage identifier specified"))?)
        }
        None => None,
    };
    let made = DocumentationVersion {
        created_date: call.now,
        description: input.string("description")?,
        parts: tree.api.documentation_parts.clone(),
    };
    let api = call.label("restapi_id").to_owned();
    let shown = show_version(&version, &made);
    if let Some(stage) = stage {
        let stage = Stage { documentation_version: Some(version.clone()), ..(**stage).clone() };
        call.put(Key::Stage(api.clone(), stage.stage_name.clone()), Record::Stage(Arc::new(stage)));
    }
    call.put(Key::DocumentationVersion(api, version), Record::DocumentationVersion(Arc::new(made)));
    Ok(Reply::created(shown))
}

fn find_version<'a>(call: &Call<'a>) -> Result<&'a DocumentationVersion, Error> {
    let version = call.tree()?.documentation_versions.get(call.label("doc_version"));
    version
        .map(|version| &**version)
        .ok_or_else(|| Error::not_found("Invalid Documentation version specified"))
}

fn get_version(call: &mut Call<'_>) -> Result<Reply, Error> {
    Ok(Reply::ok(show_version(call.label("doc_version"), find_version(call)?)))
}

fn get_versions(call: &mut Call<'_>) -> Result<Reply, Error> {
    let versions: &BTreeMap<String, Arc<DocumentationVersion>> = &call.tree()?.documentation_versions;
    let items = versions
        .iter()
        .map(|(name, one)| (page::oldest_first(one.created_date, name), (name, &**one)))
        .collect();
    Ok(Reply::ok(page::page(&call.query, items, |(name, one)| show_version(name, one).into())?))
}

fn update_version(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mut version = find_version(call)?.clone();
    for patch in patch::read(call)? {
        if patch.path() != "/description" {
            return Err(patch::no_path(&patch));
        }
        patch.only(&[Op::Replace])?;
        version.description = patch.filled();
    }
    let (api, name) = (call.label("restapi_id").to_owned(), call.label("doc_version").to_owned());
    let shown = show_version(&name, &version);
    call.put(Key::DocumentationVersion(api, name), Record::DocumentationVersion(Arc::new(version)));
    Ok(Reply::ok(shown))
}

fn delete_version(call: &mut Call<'_>) -> Result<Reply, Error> {
    find_version(call)?;
    let (api, name) = (call.label("restapi_id").to_owned(), call.label("doc_version").to_owned());
    let stages: Vec<Stage> = call
        .tree()?
        .stages
        .values()
        .filter(|stage| stage.documentation_version.as_deref() == Some(&name))
        .map(|stage| Stage { documentation_version: None, ..(**stage).clone() })
        .collect();
    for stage in stages {
        call.put(Key::Stage(api.clone(), stage.stage_name.clone()), Record::Stage(Arc::new(stage)));
    }
    call.remove(Key::DocumentationVersion(api, name));
    Ok(Reply::accepted())
}
