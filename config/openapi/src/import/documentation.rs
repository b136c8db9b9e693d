//! Documentation parts: descriptions of a document, and `x-amazon-apigateway-documentation`.
//!
//! AWS: "Content types of a documentation part", "Import a documentation".

use model::{DocumentationPart, DocumentationPartLocation, DocumentationPartType};
use serde_json::{Map, Value as Json, json};
use vocabulary::limits::DOCUMENTATION_PARTS;

use super::value::json as to_json;
use super::{Importer, Noun, Unreadable};
use crate::document::{Environment, parse};
use crate::node::Node;

/// A place, so far as it is named.
fn at(kind: DocumentationPartType) -> DocumentationPartLocation {
    DocumentationPartLocation { kind, path: None, method: None, status_code: None, name: None }
}

/// Members of a node that are texts for people.
fn told(node: &Node, names: &[&str]) -> Map<String, Json> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), to_json(node.get(name)?)))).collect()
}

impl<'a> Importer<'a> {
    fn tell(&mut self, location: DocumentationPartLocation, properties: Map<String, Json>) {
        let is_known = self.parts.iter().any(|part| part.location == location);
        if !properties.is_empty() && !is_known {
            self.parts.push(DocumentationPart { location, properties: Json::Object(properties).to_string() });
        }
    }

    /// Puts all parts of the document into the API.
    pub(super) fn collect_documentation(&mut self) {
        if !self.options.documentation {
            return;
        }
        if let Some(extension) = self.root.get("x-amazon-apigateway-documentation") {
            for part in extension_parts(extension) {
                if !self.parts.iter().any(|known| known.location == part.location) {
                    self.parts.push(part);
                }
            }
        }
        let info = self.root.get("info").map(|info| told(info, &["description"])).unwrap_or_default();
        if !info.is_empty() {
            self.tell(
                at(DocumentationPartType::Api),
                Map::from_iter([("info".to_owned(), Json::Object(info))]),
            );
        }
        for (path, item) in self.root.get("paths").map(Node::entries).unwrap_or_default() {
            if path.text.starts_with('/') {
                self.document_path(&path.text, item);
            }
        }
        let of_components = self.root.get("components").and_then(|components| components.get("schemas"));
        for (name, schema) in
            self.root.get("definitions").or(of_components).map(Node::entries).unwrap_or_default()
        {
            let location = DocumentationPartLocation {
                name: Some(name.text.clone()),
                ..at(DocumentationPartType::Model)
            };
            self.tell(location, told(schema, &["description"]));
        }
        self.present.documentation = !self.parts.is_empty();
        if self.parts.len() > DOCUMENTATION_PARTS {
            self.errors.push(format!("an API has at most {DOCUMENTATION_PARTS} documentation parts"));
            return;
        }
        for (index, part) in std::mem::take(&mut self.parts).into_iter().enumerate() {
            let id = (self.new_id)(Noun::DocumentationPart, &index.to_string());
            self.api.documentation_parts.insert(id, part);
        }
    }

    fn document_path(&mut self, path: &str, item: &'a Node) {
        let of = |kind| DocumentationPartLocation { path: Some(path.to_owned()), ..at(kind) };
        self.tell(of(DocumentationPartType::Resource), told(item, &["description", "summary"]));
        for (verb, operation) in item.entries() {
            let Some(method) = crate::operation::method_key(&verb.text) else { continue };
            let word = if verb.text.starts_with("x-") { "*" } else { method.as_str() };
            let of = |kind| DocumentationPartLocation { method: Some(word.to_owned()), ..of(kind) };
            self.tell(
                of(DocumentationPartType::Method),
                told(operation, &["description", "summary", "tags"]),
            );
            for parameter in operation.get("parameters").map(Node::items).unwrap_or_default() {
                let Some(parameter) = self.resolve(parameter) else { continue };
                let kind = match parameter.get("in").and_then(Node::as_text) {
                    Some("query") => DocumentationPartType::QueryParameter,
                    Some("header") => DocumentationPartType::RequestHeader,
                    Some("path") => DocumentationPartType::PathParameter,
                    Some("body") => DocumentationPartType::RequestBody,
                    _ => continue,
                };
                let name = parameter.get("name").and_then(Node::as_text).map(str::to_owned);
                let location = DocumentationPartLocation {
                    name: name.filter(|_| kind != DocumentationPartType::RequestBody),
                    ..of(kind)
                };
                self.tell(location, told(parameter, &["description"]));
            }
            if let Some(body) = operation.get("requestBody") {
                self.tell(of(DocumentationPartType::RequestBody), told(body, &["description"]));
            }
            self.document_responses(operation, &of(DocumentationPartType::Response));
        }
    }

    fn document_responses(&mut self, operation: &'a Node, of: &DocumentationPartLocation) {
        for (status, response) in operation.get("responses").map(Node::entries).unwrap_or_default() {
            let Some(response) = self.resolve(response) else { continue };
            let location = DocumentationPartLocation { status_code: Some(status.text.clone()), ..of.clone() };
            let told_of = told(response, &["description"]);
            // What exports write where nothing was said isn't documentation.
            let is_said = told_of.get("description") != Some(&json!(format!("{} response", status.text)));
            if is_said && status.text != "default" {
                self.tell(location.clone(), told_of);
            }
            for (name, header) in response.get("headers").map(Node::entries).unwrap_or_default() {
                let location = DocumentationPartLocation {
                    kind: DocumentationPartType::ResponseHeader,
                    name: Some(name.text.clone()),
                    ..location.clone()
                };
                self.tell(location, told(header, &["description"]));
            }
        }
    }
}

/// Parts that stand in a list: `documentationParts: [{location, properties}]`.
fn extension_parts(node: &Node) -> Vec<DocumentationPart> {
    let items = node.get("documentationParts").map(Node::items).unwrap_or_default();
    let read = |item: &Node| {
        let location = item.get("location")?;
        let text = |name: &str| location.get(name).and_then(Node::as_text).map(str::to_owned);
        let kind = DocumentationPartType::from_word(&text("type")?)?;
        let properties = match item.get("properties")? {
            // Properties as text, as calls have them.
            node if node.as_str().is_some() => node.as_str()?.to_owned(),
            node => to_json(node).to_string(),
        };
        let location = DocumentationPartLocation {
            kind,
            path: text("path"),
            method: text("method"),
            status_code: text("statusCode"),
            name: text("name"),
        };
        Some(DocumentationPart { location, properties })
    };
    items.iter().filter_map(read).collect()
}

/// The documentation parts of a document, or of a bare `{"documentationParts": […]}`.
///
/// # Errors
/// It is neither.
pub fn documentation_parts(
    text: &str,
    environment: &Environment,
) -> Result<Vec<DocumentationPart>, Unreadable> {
    let root = parse(text, environment).map_err(|_| Unreadable)?;
    if root.get("documentationParts").is_some() {
        return Ok(extension_parts(&root));
    }
    let options = super::Options {
        api_id: "",
        base_path: super::BasePath::Ignore,
        documentation: true,
        endpoint: None,
    };
    let mut number = 0_u32;
    let mut new_id = |_: Noun, _: &str| {
        number += 1;
        format!("{number:08}")
    };
    let import = super::read(&root, &options, &mut new_id)?;
    Ok(import.api.documentation_parts.into_values().collect())
}
