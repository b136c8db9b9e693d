//! A document becomes the entities of an API, by AWS's rules: what AWS drops is dropped, what it warns of is a warning.
//!
//! Positions and what this gateway can't serve are not its concern: those who serve a file read it strictly before.
//! AWS: "Import REST APIs", "OpenAPI extensions for API Gateway", "Amazon API Gateway important notes for REST APIs".

mod base_path;
mod documentation;
mod extensions;
mod integrations;
mod operations;
mod schemas;
mod security;
mod value;

use std::collections::BTreeMap;

use model::{Definition, EndpointType, MethodResponse, Resources, RestApi};
use vocabulary::limits;

use crate::document::{Environment, parse};
use crate::node::{Node, Value};

pub use documentation::documentation_parts;
pub(crate) use value::json;

/// What becomes of a base path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BasePath {
    /// Nothing.
    #[default]
    Ignore,
    /// It stands before every path.
    Prepend,
    /// It does, without its first segment, which is meant as the stage.
    Split,
}

impl BasePath {
    /// The value of a call's `basepath`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "ignore" => BasePath::Ignore,
            "prepend" => BasePath::Prepend,
            "split" => BasePath::Split,
            _ => return None,
        })
    }
}

/// How to import.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Id of the API: models refer to each other by it.
    pub api_id: &'a str,
    /// What becomes of the base path.
    pub base_path: BasePath,
    /// Descriptions become documentation parts.
    pub documentation: bool,
    /// `endpointConfigurationTypes`
    pub endpoint: Option<EndpointType>,
}

/// Things that have ids of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// A resource, by its path.
    Resource,
    /// An authorizer, by its name.
    Authorizer,
    /// A request validator, by its name.
    RequestValidator,
    /// A model, by its name.
    Model,
    /// A documentation part, by its number in the document.
    DocumentationPart,
}

/// Gives the id of a thing: the one it has already, or a new one.
pub type NewId<'a> = &'a mut dyn FnMut(Noun, &str) -> String;

/// Which settings of the API a document says something about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Present {
    /// `x-amazon-apigateway-api-key-source`
    pub api_key_source: bool,
    /// `x-amazon-apigateway-policy`
    pub policy: bool,
    /// `x-amazon-apigateway-minimum-compression-size`
    pub minimum_compression_size: bool,
    /// `x-amazon-apigateway-binary-media-types`
    pub binary_media_types: bool,
    /// `disableExecuteApiEndpoint`
    pub disable_execute_api_endpoint: bool,
    /// `x-amazon-apigateway-documentation`, or descriptions.
    pub documentation: bool,
}

/// A document's entities.
#[derive(Clone, Debug)]
pub struct Import {
    /// The API with its working definition; its creation date is not set.
    pub api: RestApi,
    /// Which of its settings the document names.
    pub present: Present,
    /// What AWS warns of, in its words where they are known.
    pub warnings: Vec<String>,
    /// What keeps the API from being made.
    pub errors: Vec<String>,
}

/// A text that is no document of OpenAPI 2.0 or 3.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// Reads a document of OpenAPI 2.0 or 3.0, JSON or YAML.
///
/// # Errors
/// It is none, or over 6 MB.
pub fn import(
    text: &str,
    environment: &Environment,
    options: &Options<'_>,
    new_id: NewId<'_>,
) -> Result<Import, Unreadable> {
    if text.len() > limits::API_DEFINITION_BYTES {
        return Err(Unreadable);
    }
    let root = parse(text, environment).map_err(|_| Unreadable)?;
    read(&root, options, new_id)
}

/// The same for a tree that is read already.
pub(crate) fn read(root: &Node, options: &Options<'_>, new_id: NewId<'_>) -> Result<Import, Unreadable> {
    let version = |name: &str| root.get(name).and_then(Node::as_text).map(str::to_owned);
    let swagger = match (version("swagger"), version("openapi")) {
        (Some(version), None) if version == "2.0" => true,
        (None, Some(version)) if version == "3.0" || version.starts_with("3.0.") => false,
        _ => return Err(Unreadable),
    };
    let importer = Importer {
        root,
        swagger,
        options: *options,
        new_id,
        api: RestApi::default(),
        definition: Definition::default(),
        present: Present::default(),
        schemes: BTreeMap::new(),
        default_validator: None,
        warnings: Vec::new(),
        errors: Vec::new(),
        parts: Vec::new(),
    };
    Ok(importer.run())
}

/// A document on its way.
struct Importer<'a> {
    root: &'a Node,
    swagger: bool,
    options: Options<'a>,
    new_id: NewId<'a>,
    api: RestApi,
    definition: Definition,
    present: Present,
    schemes: BTreeMap<String, security::Scheme>,
    /// Id of the validator of methods that name none.
    default_validator: Option<String>,
    warnings: Vec<String>,
    errors: Vec<String>,
    parts: Vec<model::DocumentationPart>,
}

impl<'a> Importer<'a> {
    fn run(mut self) -> Import {
        self.info();
        self.extensions();
        self.schemes();
        self.schemas();
        let root_id = (self.new_id)(Noun::Resource, "/");
        self.definition.resources = Resources::new(root_id);
        self.paths();
        self.collect_documentation();
        self.check_resources();
        let Importer { mut api, definition, present, warnings, errors, .. } = self;
        api.definition = std::sync::Arc::new(definition);
        Import { api, present, warnings, errors }
    }

    fn info(&mut self) {
        let info = self.root.get("info");
        let text =
            |name: &str| info.and_then(|info| info.get(name)).and_then(Node::as_text).map(str::to_owned);
        self.api.name = text("title").unwrap_or_default();
        self.api.description = text("description").filter(|description| !description.is_empty());
        self.api.version = text("version");
        if let Some(kind) = self.options.endpoint {
            self.api.endpoint_configuration = model::EndpointConfiguration::new(kind);
        }
    }

    /// Follows `$ref` within the document.
    fn resolve(&mut self, node: &'a Node) -> Option<&'a Node> {
        const REFERENCES_MAX: usize = 32;
        let mut node = node;
        for _ in 0..REFERENCES_MAX {
            let Some(reference) = node.get("$ref").and_then(Node::as_str) else { return Some(node) };
            let mut found = reference.strip_prefix("#/").map(|_| self.root);
            for step in reference.split('/').skip(1) {
                let step = step.replace("~1", "/").replace("~0", "~");
                found = found.and_then(|node| node.get(&step));
            }
            match found {
                Some(found) => node = found,
                None => {
                    self.warnings.push(format!("Unable to resolve reference {reference}"));
                    return None;
                }
            }
        }
        self.warnings.push("A reference leads in a circle".to_owned());
        None
    }

    fn paths(&mut self) {
        let Some(paths) = self.root.get("paths") else { return };
        let base = base_path::of(self.root, self.swagger, self.options.base_path);
        for (key, item) in paths.entries() {
            if key.text.starts_with("x-") {
                continue;
            }
            if !key.text.starts_with('/') {
                self.warnings
                    .push(format!("Parse issue: attribute paths. Resource {} should start with /", key.text));
                continue;
            }
            let path = base_path::join(&base, &key.text);
            let Some(item) = self.resolve(item) else { continue };
            let new_id = &mut self.new_id;
            self.definition.resources.grow(&path, |path| new_id(Noun::Resource, path));
            self.path_item(&path, item);
        }
    }

    fn path_item(&mut self, path: &str, item: &'a Node) {
        for (key, operation) in item.entries() {
            let Some(method) = crate::operation::method_key(&key.text) else { continue };
            if !matches!(operation.value, Value::Mapping(_) | Value::Null) {
                self.warnings.push(format!(
                    "Parse issue: attribute paths.'{path}'({}) is not of type object",
                    key.text
                ));
                continue;
            }
            let read = self.operation(path, method, operation);
            if let Some(resource) = self.definition.resources.at_mut(path) {
                resource.methods.insert(method, read);
            }
        }
    }

    /// Refuses resources that a call couldn't make.
    fn check_resources(&mut self) {
        let mut made = Resources::new("/".to_owned());
        let mut refused = Vec::new();
        for (path, _) in &self.definition.resources {
            let Some((parent, part)) = model::resource::split(path) else { continue };
            if let Err(error) = made.add_below(parent, part, path.clone()) {
                let why = match error {
                    model::ResourceError::VariableSibling(sibling) => format!(
                        "A sibling ({sibling}) of this resource already has a variable path part -- only one is allowed"
                    ),
                    model::ResourceError::BelowGreedy(parent) => {
                        format!("Cannot create a child of a resource with a greedy path variable: {parent}")
                    }
                    model::ResourceError::InvalidPart(_) => {
                        "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at \
                         the beginning and the end."
                            .to_owned()
                    }
                    // A child of one that was refused itself.
                    _ => continue,
                };
                refused.push(format!("Unable to create resource at path '{path}': {why}"));
            }
        }
        self.errors.extend(refused);
        let count = self.definition.resources.count();
        if count > limits::RESOURCES {
            self.errors.push(format!("{count} resources are more than the quota of {}", limits::RESOURCES));
        }
    }

    /// A response's declared headers and models.
    fn method_response(&mut self, response: &'a Node, produces: &[String]) -> MethodResponse {
        let headers: BTreeMap<String, bool> = response
            .get("headers")
            .map(Node::entries)
            .unwrap_or_default()
            .iter()
            .map(|(name, _)| (format!("method.response.header.{}", name.text), false))
            .collect();
        let mut models = BTreeMap::new();
        if let Some(schema) = response.get("schema")
            && let Some(name) = self.model_of(schema)
        {
            models.extend(produces.iter().map(|media_type| (media_type.clone(), name.clone())));
        }
        for (media_type, content) in response.get("content").map(Node::entries).unwrap_or_default() {
            if let Some(name) = content.get("schema").and_then(|schema| self.model_of(schema)) {
                models.insert(media_type.text.clone(), name);
            }
        }
        MethodResponse {
            response_parameters: (!headers.is_empty()).then_some(headers),
            response_models: (!models.is_empty()).then_some(models),
        }
    }
}
