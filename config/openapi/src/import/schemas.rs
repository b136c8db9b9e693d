//! Models: schemas of the document, and those that stand where they are used.
//!
//! AWS: "Models and mapping templates"; known issues: what of a schema is lost.

use model::Model;
use serde_json::Value as Json;
use vocabulary::limits::MODELS_BYTES;

use super::value::json;
use super::{Importer, Noun};
use crate::node::Node;

/// Members of schemas that models don't have ("Amazon API Gateway important notes for REST APIs").
const LOST: [&str; 9] = [
    "discriminator",
    "exclusiveMinimum",
    "readOnly",
    "example",
    "examples",
    "maxItems",
    "minItems",
    "xml",
    "externalDocs",
];
const MEDIA_TYPE: &str = "application/json";

impl<'a> Importer<'a> {
    fn documents_schemas(&self) -> &'a [(crate::node::Key, Node)] {
        let of_components = self.root.get("components").and_then(|components| components.get("schemas"));
        self.root.get("definitions").or(of_components).map(Node::entries).unwrap_or_default()
    }

    pub(super) fn schemas(&mut self) {
        for (key, schema) in self.documents_schemas() {
            let name = &key.text;
            if name.is_empty() || !name.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
                self.errors.push(format!(
                    "Unable to create model for '{name}': Model name must be alphanumeric: {name}"
                ));
                continue;
            }
            self.put_model(name, schema);
        }
        let schemas = self.definition.models.values().filter_map(|model| model.schema.as_ref());
        if schemas.map(String::len).sum::<usize>() > MODELS_BYTES {
            self.errors.push("the models of an API have at most 400 KB together".to_owned());
        }
    }

    fn put_model(&mut self, name: &str, schema: &Node) {
        let description = schema.get("description").and_then(Node::as_text).map(str::to_owned);
        let mut schema = json(schema);
        self.tidy(&mut schema);
        let id = (self.new_id)(Noun::Model, name);
        let model =
            Model { id, description, schema: Some(schema.to_string()), content_type: MEDIA_TYPE.to_owned() };
        self.definition.models.insert(name.to_owned(), model);
    }

    /// Takes out what is lost, and makes references those of models.
    fn tidy(&self, value: &mut Json) {
        match value {
            Json::Array(items) => items.iter_mut().for_each(|item| self.tidy(item)),
            Json::Object(members) => {
                if let Some(Json::String(target)) = members.get_mut("$ref")
                    && let Some(name) = referred(target)
                {
                    *target = format!(
                        "https://apigateway.amazonaws.com/restapis/{}/models/{name}",
                        self.options.api_id
                    );
                }
                // A property may have the name of a keyword.
                let is_named = |members: &serde_json::Map<String, Json>| {
                    ["type", "properties", "items", "$ref", "allOf", "anyOf", "oneOf", "enum"]
                        .iter()
                        .any(|known| members.contains_key(*known))
                };
                if is_named(members) {
                    for name in LOST {
                        if !members.get(name).is_some_and(Json::is_object) || name.starts_with("example") {
                            members.shift_remove(name);
                        }
                    }
                }
                members.values_mut().for_each(|member| self.tidy(member));
            }
            _ => {}
        }
    }

    /// Name of the model of a schema: the one it refers to, or one made for it.
    pub(super) fn model_of(&mut self, schema: &'a Node) -> Option<String> {
        if let Some(target) = schema.get("$ref").and_then(Node::as_str) {
            let name = referred(target)?.to_owned();
            if !self.definition.models.contains_key(&name) {
                // AWS's own model, by the name that its exports use.
                if name == "Empty" {
                    let id = (self.new_id)(Noun::Model, &name);
                    let schema = Some("{\"type\":\"object\",\"title\":\"Empty Schema\"}".to_owned());
                    let model = Model { id, description: None, schema, content_type: MEDIA_TYPE.to_owned() };
                    self.definition.models.insert(name.clone(), model);
                } else {
                    self.warnings.push(format!("Invalid model identifier specified: {name}"));
                    return None;
                }
            }
            return Some(name);
        }
        let text = json(schema).to_string();
        if text == "{}" || text == "null" {
            return None;
        }
        // One name for one schema, however often it stands in the document.
        let name = format!("MODEL{:06x}", hash(text.as_bytes()) & 0x00ff_ffff);
        if !self.definition.models.contains_key(&name) {
            self.put_model(&name, schema);
        }
        Some(name)
    }
}

/// The model's name in a reference to a schema of the document.
fn referred(target: &str) -> Option<&str> {
    let name =
        target.strip_prefix("#/definitions/").or_else(|| target.strip_prefix("#/components/schemas/"))?;
    (!name.contains('/')).then_some(name)
}

/// FNV-1a: names must stay the same from import to import.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
