//! The root of a document: version, info, paths, and what else stands beside them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use model::stage::EVERY_METHOD;
use model::{Entity, Resource, Resources, RestApi, Stage};
use vocabulary::limits;

use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::import::{self, BasePath, Noun, Options};
use crate::node::{Key, Node};
use crate::reader::Reader;
use crate::settings::FileSettings;
use crate::{extension, json, operation, settings, yaml};

/// What the text's own variables stand for (`${AWS::AccountId}` and its like).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Twelve digits.
    pub account_id: String,
    /// Region.
    pub region: String,
}

/// Where an entity stands, so that a deployment's problems can point at it.
#[derive(Clone, Debug, Default)]
pub struct Positions {
    spans: HashMap<Entity, Span>,
}

impl Positions {
    /// The place of an entity, or of the nearest thing around it.
    #[must_use]
    pub fn find(&self, entity: &Entity) -> Option<Span> {
        let mut entity = entity.clone();
        loop {
            if let Some(span) = self.spans.get(&entity) {
                return Some(*span);
            }
            let shorter = entity.part.rfind('.').unwrap_or(0);
            if entity.part.is_empty() {
                return None;
            }
            entity.part.truncate(shorter);
        }
    }

    pub(crate) fn set(&mut self, entity: Entity, span: Span) {
        self.spans.insert(entity, span);
    }
}

/// What a document defines.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The API.
    pub api: RestApi,
    /// Its stage.
    pub stage: Stage,
    /// The id that the document asks for.
    pub id: Option<String>,
    /// Address of the example backend that the document wants started.
    pub example_backend: Option<String>,
    /// Places of its entities.
    pub positions: Positions,
}

/// What came of reading a document.
#[derive(Clone, Debug)]
pub struct Reading {
    /// There unless a diagnostic is an error.
    pub definition: Option<Definition>,
    /// All problems, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Root members that say nothing about how requests are served.
const SILENT: [&str; 14] = [
    "openapi",
    "swagger",
    "info",
    "servers",
    "host",
    "basePath",
    "schemes",
    "tags",
    "externalDocs",
    "consumes",
    "produces",
    "definitions",
    "parameters",
    "responses",
];
const ROOT: [&str; 10] = [
    "openapi",
    "swagger",
    "info",
    "servers",
    "paths",
    "components",
    "definitions",
    "security",
    "securityDefinitions",
    "tags",
];

/// Reads a document of OpenAPI 2.0 or 3.0, in JSON or YAML.
#[must_use]
pub fn read(text: &str, environment: &Environment) -> Reading {
    let refused = |diagnostic: Diagnostic| Reading { definition: None, diagnostics: vec![diagnostic] };
    if text.len() > limits::API_DEFINITION_BYTES {
        let message = "an API definition has at most 6 MB (AWS quota)";
        return refused(Diagnostic::error("limit", Span { line: 1, column: 1, ..Span::default() }, message));
    }
    match parse(text, environment) {
        Ok(root) => read_root(&root),
        Err(diagnostic) => refused(diagnostic),
    }
}

/// A text of JSON or YAML as a value, by the readers that documents have: bounded, and with places for what is wrong.
///
/// # Errors
/// It is neither.
pub fn value(text: &str) -> Result<serde_json::Value, Diagnostic> {
    let tree = if text.trim_start().starts_with('{') { json::parse(text) } else { yaml::parse(text) };
    tree.map(|tree| import::json(&tree))
}

/// The tree of a text, its variables replaced.
pub(crate) fn parse(text: &str, environment: &Environment) -> Result<Node, Diagnostic> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text
        .replace("${AWS::AccountId}", &environment.account_id)
        .replace("${AWS::Partition}", "aws")
        .replace("${AWS::Region}", &environment.region);
    if text.trim_start().starts_with('{') { json::parse(&text) } else { yaml::parse(&text) }
}

fn read_root(root: &Node) -> Reading {
    let mut reader = Reader { root, diagnostics: Vec::new() };
    let mut definition = Definition {
        api: RestApi::default(),
        stage: Stage::default(),
        id: None,
        example_backend: None,
        positions: Positions::default(),
    };
    if !check_version(&mut reader, root) {
        // What isn't ours is told once, not member by member.
        return Reading { definition: None, diagnostics: reader.diagnostics };
    }
    let mut settings = FileSettings::default();
    for (key, value) in reader.object(root, "an OpenAPI document") {
        match key.text.as_str() {
            "info" => read_info(&mut reader, value, &mut definition.api),
            "paths" => read_paths(&mut reader, value, &mut definition),
            "components" => read_components(&mut reader, value),
            "security" if value.items().is_empty() => {}
            "security" => reader.unsupported(key.span, "`security` (authorizers and API keys)"),
            "securityDefinitions" => read_schemes(&mut reader, value),
            "x-turnpike" => settings = settings::read(&mut reader, value),
            name if SILENT.contains(&name) => {}
            _ => extension::unknown(&mut reader, key, "the document", &ROOT),
        }
    }
    if root.get("paths").is_none() {
        reader.error("invalid", root.span, "the document has no `paths`");
    }
    let resources = definition.api.definition.resources.count();
    if resources > limits::RESOURCES {
        let message = format!("{resources} resources; AWS's quota is 300 (adjustable)");
        reader.push(Severity::Note, "limit", root.span, message);
    }
    let variables = settings.stage_variables.len();
    if variables > limits::STAGE_VARIABLES {
        let message = format!("{variables} stage variables; AWS's quota is 100");
        reader.push(Severity::Note, "limit", root.span, message);
    }
    definition.id = settings.id;
    definition.example_backend = settings.example_backend;
    definition.stage = Stage {
        stage_name: settings.stage.unwrap_or_else(|| "default".to_owned()),
        variables: Some(settings.stage_variables),
        ..Stage::default()
    };
    if let Some(throttle) = settings.throttle {
        definition.stage.method_settings.insert(EVERY_METHOD.to_owned(), throttle.into());
    }
    let mut diagnostics = reader.diagnostics;
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.line, diagnostic.span.column));
    let refused = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    if !refused {
        definition.api = imported(root, definition.id.as_deref().unwrap_or(""));
    }
    Reading { definition: (!refused).then_some(definition), diagnostics }
}

/// The API as calls import it. Its things have the names of the document for ids, so that a file means the same each time
/// it is read; resources get theirs at deployment.
fn imported(root: &Node, api_id: &str) -> RestApi {
    let options = Options { api_id, base_path: BasePath::Ignore, documentation: false, endpoint: None };
    let mut new_id = |noun: Noun, name: &str| match noun {
        Noun::Resource => String::new(),
        _ => name.to_owned(),
    };
    import::read(root, &options, &mut new_id).map(|import| import.api).unwrap_or_default()
}

/// False if the text isn't a document of OpenAPI at all.
fn check_version(reader: &mut Reader<'_>, root: &Node) -> bool {
    let version = |node: &Node| node.as_text().unwrap_or_default().to_owned();
    match (root.get("swagger"), root.get("openapi")) {
        (Some(node), None) if version(node) == "2.0" => {}
        (None, Some(node)) if version(node).starts_with("3.0.") || version(node) == "3.0" => {}
        (Some(node), _) | (None, Some(node)) => {
            let message =
                format!("`{}` is no version that REST APIs import: 2.0 and 3.0.x are", version(node));
            reader.error("unsupported", node.span, message);
        }
        (None, None) => {
            let error = Diagnostic::error("invalid", root.span, "this is no OpenAPI document");
            reader.diagnostics.push(error.with_help("begin it with `openapi: 3.0.1` or `swagger: \"2.0\"`"));
            return false;
        }
    }
    true
}

fn read_info<'a>(reader: &mut Reader<'a>, node: &'a Node, api: &mut RestApi) {
    for (key, value) in reader.object(node, "info") {
        match key.text.as_str() {
            "title" => api.name = reader.text(value, "title").unwrap_or_default().to_owned(),
            "description" => api.description = value.as_text().map(str::to_owned),
            "version" => api.version = value.as_text().map(str::to_owned),
            _ => {}
        }
    }
}

fn read_components<'a>(reader: &mut Reader<'a>, node: &'a Node) {
    for (key, value) in reader.object(node, "components") {
        match key.text.as_str() {
            "securitySchemes" => read_schemes(reader, value),
            name if name.starts_with("x-") => extension::leave(reader, key),
            _ => {}
        }
    }
}

/// Schemes that nothing uses are harmless; authorizers are made even when nothing uses them.
fn read_schemes<'a>(reader: &mut Reader<'a>, node: &'a Node) {
    for (_, scheme) in reader.object(node, "security schemes") {
        for (key, _) in reader.object(scheme, "a security scheme") {
            if key.text.starts_with("x-amazon-") {
                extension::leave(reader, key);
            }
        }
    }
}

fn read_paths<'a>(reader: &mut Reader<'a>, node: &'a Node, definition: &mut Definition) {
    let (mut resources, mut known) = (Resources::default(), BTreeSet::new());
    for (key, item) in reader.object(node, "paths") {
        if key.text.starts_with("x-") {
            extension::leave(reader, key);
            continue;
        }
        if !key.text.starts_with('/') {
            reader.error("invalid", key.span, format!("Resource {} should start with /", key.text));
            continue;
        }
        let resource = read_item(reader, key, item, &mut definition.positions);
        // A trailing slash names the same resource.
        let path = if key.text.len() > 1 { key.text.trim_end_matches('/') } else { &key.text };
        if !known.insert(path) {
            reader.error("invalid", key.span, format!("the resource `{path}` is there twice"));
        }
        resources.grow(path, |_| String::new()).methods = resource.methods;
    }
    Arc::make_mut(&mut definition.api.definition).resources = resources;
}

fn read_item<'a>(
    reader: &mut Reader<'a>,
    path: &'a Key,
    item: &'a Node,
    positions: &mut Positions,
) -> Resource {
    const VERBS: [&str; 8] =
        ["get", "put", "post", "delete", "options", "head", "patch", "x-amazon-apigateway-any-method"];
    let mut resource = Resource::default();
    let Some(item) = reader.resolve(item) else { return resource };
    for (key, value) in reader.object(item, "a path") {
        match key.text.as_str() {
            "parameters" => {
                let message = "parameters of a path are not read by API Gateway";
                let help = "move them to each operation";
                let warning = Diagnostic::error("ignored", key.span, message).with_help(help);
                reader.diagnostics.push(Diagnostic { severity: Severity::Warning, ..warning });
            }
            "summary" | "description" | "servers" => {}
            "trace" => reader.error("unsupported", key.span, "REST APIs have no TRACE method"),
            verb => match operation::method_key(verb) {
                Some(method) => {
                    let read = operation::read(reader, &path.text, method, key, value, positions);
                    if let Some(operation) = read {
                        resource.methods.insert(method, operation);
                    }
                }
                None => extension::unknown(reader, key, "a path", &VERBS),
            },
        }
    }
    resource
}
