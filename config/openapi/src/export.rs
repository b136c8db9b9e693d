//! A deployment becomes a document: OpenAPI 3.0 or 2.0, plain or with AWS's extensions, as JSON or YAML.
//!
//! AWS: API reference, "GetExport"; "Export a REST API from API Gateway"; field order is recorded.

mod integration;
mod operation;
mod schemas;
mod security;
mod yaml;

use std::collections::BTreeMap;

use model::{ApiKeySource, Definition, DocumentationPart, DocumentationVersion, RestApi, Stage};
use serde_json::{Map, Value, json};

/// `exportType`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportType {
    /// OpenAPI 3.0.
    Oas30,
    /// OpenAPI 2.0.
    Swagger,
}

impl ExportType {
    /// The type of a path's last segment.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "oas30" => Some(ExportType::Oas30),
            "swagger" => Some(ExportType::Swagger),
            _ => None,
        }
    }

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ExportType::Oas30 => "oas30",
            ExportType::Swagger => "swagger",
        }
    }
}

/// `extensions`: which of AWS's own members a document has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// Integrations of methods.
    pub integrations: bool,
    /// Authorizers of schemes.
    pub authorizers: bool,
    /// Request validators.
    pub validators: bool,
    /// Gateway responses.
    pub gateway_responses: bool,
    /// The documentation list.
    pub documentation: bool,
    /// Everything else at the root.
    pub root: bool,
}

impl Extensions {
    /// Reads a comma-separated list; unknown words and `postman`, whose shape nobody recorded, add nothing.
    #[must_use]
    pub fn from_list(list: &str) -> Self {
        let mut extensions = Extensions::default();
        for word in list.split(',').map(str::trim) {
            match word {
                "apigateway" => {
                    extensions = Extensions {
                        integrations: true,
                        authorizers: true,
                        validators: true,
                        gateway_responses: true,
                        documentation: true,
                        root: true,
                    };
                }
                "integrations" => extensions.integrations = true,
                "authorizers" => extensions.authorizers = true,
                "validators" => extensions.validators = true,
                "gatewayresponses" => extensions.gateway_responses = true,
                "documentation" => extensions.documentation = true,
                _ => {}
            }
        }
        extensions
    }
}

/// What is exported.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Id of the API.
    pub api_id: &'a str,
    /// The API.
    pub api: &'a RestApi,
    /// The snapshot that its stage serves.
    pub definition: &'a Definition,
    /// The stage.
    pub stage: &'a Stage,
    /// Documentation that is attached to the stage.
    pub documentation: Option<(&'a str, &'a DocumentationVersion)>,
    /// Name of the region.
    pub region: &'a str,
    /// `info.version`: the API's, or when it was made.
    pub version: &'a str,
}

/// The document of a stage.
///
/// # Errors
/// A method has models of bodies, and none of them is JSON.
pub fn export(source: &Source<'_>, kind: ExportType, extensions: Extensions) -> Result<Value, String> {
    Exporter { source, kind, extensions }.run()
}

/// A document as YAML.
#[must_use]
pub fn to_yaml(document: &Value) -> String {
    yaml::write(document)
}

struct Exporter<'a> {
    source: &'a Source<'a>,
    kind: ExportType,
    extensions: Extensions,
}

impl Exporter<'_> {
    fn run(&self) -> Result<Value, String> {
        let mut root = Map::new();
        let mut put = |name: &str, value: Value| drop(root.insert(name.to_owned(), value));
        let paths = self.paths()?;
        let schemes = self.schemes();
        let schemas = self.schemas();
        match self.kind {
            ExportType::Swagger => {
                put("swagger", json!("2.0"));
                put("info", self.info(&["description", "version", "title"]));
                put("host", json!(self.host()));
                put("basePath", json!(format!("/{}", self.source.stage.stage_name)));
                put("schemes", json!(["https"]));
                put("paths", paths);
                if !schemes.is_empty() {
                    put("securityDefinitions", Value::Object(schemes));
                }
                if !schemas.is_empty() {
                    put("definitions", Value::Object(schemas));
                }
            }
            ExportType::Oas30 => {
                put("openapi", json!("3.0.1"));
                put("info", self.info(&["title", "description", "version"]));
                put("servers", json!([self.server()]));
                put("paths", paths);
                let mut components = Map::new();
                if !schemas.is_empty() {
                    components.insert("schemas".to_owned(), Value::Object(schemas));
                }
                if !schemes.is_empty() {
                    components.insert("securitySchemes".to_owned(), Value::Object(schemes));
                }
                put("components", Value::Object(components));
            }
        }
        root.extend(self.root_extensions());
        Ok(Value::Object(root))
    }

    fn host(&self) -> String {
        format!("{}.execute-api.{}.amazonaws.com", self.source.api_id, self.source.region)
    }

    fn info(&self, order: &[&str]) -> Value {
        let api = self.source.api;
        let mut info = Map::new();
        for name in order {
            let text = match *name {
                "title" => Some(api.name.as_str()),
                "description" => api.description.as_deref(),
                _ => Some(self.source.version),
            };
            if let Some(text) = text {
                info.insert((*name).to_owned(), json!(text));
            }
        }
        Value::Object(info)
    }

    fn server(&self) -> Value {
        let stage = &self.source.stage.stage_name;
        let mut server = json!({
            "url": format!("https://{}/{{basePath}}", self.host()),
            "variables": {"basePath": {"default": stage}},
        });
        if self.extensions.root && self.source.definition.disable_execute_api_endpoint {
            server["x-amazon-apigateway-endpoint-configuration"] = json!({"disableExecuteApiEndpoint": true});
        }
        server
    }

    fn root_extensions(&self) -> Map<String, Value> {
        let definition = self.source.definition;
        let mut members = Map::new();
        let mut put =
            |name: &str, value: Value| drop(members.insert(format!("x-amazon-apigateway-{name}"), value));
        if self.extensions.documentation
            && let Some((version, documentation)) = self.source.documentation
        {
            put("documentation", documentation_list(version, documentation));
        }
        let policy = definition.policy.as_deref().and_then(|policy| serde_json::from_str(policy).ok());
        if let Some(policy) = policy.filter(|_| self.extensions.root) {
            put("policy", policy);
        }
        if self.extensions.gateway_responses && !definition.gateway_responses.is_empty() {
            put("gateway-responses", self.gateway_responses());
        }
        if self.extensions.validators && !definition.request_validators.is_empty() {
            put("request-validators", self.validators());
        }
        if self.extensions.root {
            if definition.api_key_source != ApiKeySource::Header {
                put("api-key-source", json!(definition.api_key_source.as_str()));
            }
            if let Some(size) = definition.minimum_compression_size {
                put("minimum-compression-size", json!(size));
            }
            if !definition.binary_media_types.is_empty() {
                put("binary-media-types", json!(definition.binary_media_types));
            }
            if self.kind == ExportType::Swagger && definition.disable_execute_api_endpoint {
                put("endpoint-configuration", json!({"disableExecuteApiEndpoint": true}));
            }
        }
        members
    }

    fn gateway_responses(&self) -> Value {
        let responses = self.source.definition.gateway_responses.iter().map(|(kind, response)| {
            let mut shown = Map::new();
            if let Some(status) = response.status_code {
                shown.insert("statusCode".to_owned(), json!(status));
            }
            if !response.response_parameters.is_empty() {
                shown.insert("responseParameters".to_owned(), json!(response.response_parameters));
            }
            if !response.response_templates.is_empty() {
                shown.insert("responseTemplates".to_owned(), json!(response.response_templates));
            }
            (kind.as_str().to_owned(), Value::Object(shown))
        });
        Value::Object(responses.collect())
    }

    fn validators(&self) -> Value {
        let validators = self.source.definition.request_validators.iter().map(|(id, validator)| {
            let name = validator.name.clone().unwrap_or_else(|| id.clone());
            let shown = json!({
                "validateRequestParameters": validator.validate_request_parameters,
                "validateRequestBody": validator.validate_request_body,
            });
            (name, shown)
        });
        // By name: ids differ from import to import.
        let sorted: BTreeMap<String, Value> = validators.collect();
        Value::Object(sorted.into_iter().collect())
    }
}

fn documentation_list(version: &str, documentation: &DocumentationVersion) -> Value {
    let mut parts: Vec<&DocumentationPart> = documentation.parts.values().collect();
    parts.sort_by(|left, right| left.location.cmp(&right.location));
    let parts = parts.into_iter().map(|part| {
        let location = &part.location;
        let mut place = Map::new();
        place.insert("type".to_owned(), json!(location.kind.as_str()));
        for (name, value) in [
            ("path", &location.path),
            ("method", &location.method),
            ("statusCode", &location.status_code),
            ("name", &location.name),
        ] {
            if let Some(value) = value {
                place.insert(name.to_owned(), json!(value));
            }
        }
        let properties = serde_json::from_str(&part.properties).unwrap_or_else(|_| json!(part.properties));
        json!({"location": place, "properties": properties})
    });
    json!({"version": version, "documentationParts": parts.collect::<Vec<Value>>()})
}
