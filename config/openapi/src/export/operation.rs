//! Paths and their operations.

use std::collections::BTreeSet;

use model::{DocumentationPart, DocumentationPartType, Method, MethodResponse};
use serde_json::{Map, Value, json};
use vocabulary::MethodKey;

use super::schemas::is_json;
use super::{ExportType, Exporter, integration};

impl Exporter<'_> {
    pub(super) fn paths(&self) -> Result<Value, String> {
        let mut paths = Map::new();
        for (path, resource) in &self.source.definition.resources {
            let mut item = Map::new();
            for (key, method) in &resource.methods {
                let name = match key {
                    MethodKey::Any => "x-amazon-apigateway-any-method".to_owned(),
                    MethodKey::One(method) => method.as_str().to_ascii_lowercase(),
                };
                item.insert(name, self.operation(path, *key, method)?);
            }
            if !item.is_empty() {
                paths.insert(path.clone(), Value::Object(item));
            }
        }
        Ok(Value::Object(paths))
    }

    fn operation(&self, path: &str, key: MethodKey, method: &Method) -> Result<Value, String> {
        let mut operation = Map::new();
        let mut put = |name: &str, value: Value| drop(operation.insert(name.to_owned(), value));
        for (name, value) in self.told(DocumentationPartType::Method, path, key, None, None) {
            put(&name, value);
        }
        if let Some(name) = &method.operation_name {
            put("operationId", json!(name));
        }
        if self.kind == ExportType::Swagger {
            let consumes = media_types(method, true);
            if !consumes.is_empty() {
                put("consumes", json!(consumes));
            }
            let produces = media_types(method, false);
            if !produces.is_empty() {
                put("produces", json!(produces));
            }
        }
        let mut parameters = self.parameters(path, key, method);
        let body = self.body(path, key, method)?;
        if self.kind == ExportType::Swagger {
            parameters.extend(body.iter().map(|(_, model)| {
                json!({"in": "body", "name": model, "required": true, "schema": {"$ref": self.reference(model)}})
            }));
        }
        if !parameters.is_empty() {
            put("parameters", Value::Array(parameters));
        }
        if self.kind == ExportType::Oas30 && !body.is_empty() {
            let content: Map<String, Value> = body
                .iter()
                .map(|(media_type, model)| {
                    (media_type.clone(), json!({"schema": {"$ref": self.reference(model)}}))
                })
                .collect();
            put("requestBody", json!({"content": content, "required": true}));
        }
        let responses: Map<String, Value> = method
            .responses
            .iter()
            .map(|(status, response)| (status.to_string(), self.response(path, key, *status, response)))
            .collect();
        put("responses", Value::Object(responses));
        if let Some(requirements) = self.requirements(method) {
            put("security", requirements);
        }
        if self.extensions.validators
            && let Some(id) = &method.request_validator_id
            && let Some(validator) = self.source.definition.request_validators.get(id)
        {
            put("x-amazon-apigateway-request-validator", json!(validator.name.as_deref().unwrap_or(id)));
        }
        if self.extensions.integrations
            && let Some(integration) = &method.integration
        {
            put("x-amazon-apigateway-integration", integration::show(integration));
        }
        if self.extensions.root
            && let Some(throttle) = method.throttle
        {
            let throttle = json!({"rateLimit": throttle.rate_limit, "burstLimit": throttle.burst_limit});
            put("x-turnpike", json!({"throttle": throttle}));
        }
        Ok(Value::Object(operation))
    }

    fn parameters(&self, path: &str, key: MethodKey, method: &Method) -> Vec<Value> {
        let parameters = method.request_parameters.iter().filter_map(|(parameter, required)| {
            let (location, name) = parameter.strip_prefix("method.request.")?.split_once('.')?;
            let (place, kind) = match location.strip_prefix("multivalue").unwrap_or(location) {
                "querystring" => ("query", DocumentationPartType::QueryParameter),
                "header" => ("header", DocumentationPartType::RequestHeader),
                _ => ("path", DocumentationPartType::PathParameter),
            };
            let mut shown = Map::new();
            shown.insert("name".to_owned(), json!(name));
            shown.insert("in".to_owned(), json!(place));
            shown.extend(self.told(kind, path, key, None, Some(name)));
            match self.kind {
                ExportType::Swagger => {
                    shown.insert("required".to_owned(), json!(required));
                    shown.insert("type".to_owned(), json!("string"));
                }
                ExportType::Oas30 => {
                    if *required {
                        shown.insert("required".to_owned(), json!(true));
                    }
                    shown.insert("schema".to_owned(), json!({"type": "string"}));
                }
            }
            Some(Value::Object(shown))
        });
        parameters.collect()
    }

    /// Media types and models of bodies: one in 2.0, where a document can have no more.
    fn body(&self, path: &str, key: MethodKey, method: &Method) -> Result<Vec<(String, String)>, String> {
        let models = method.request_models.iter().filter(|(media_type, _)| is_json(media_type));
        let mut models: Vec<(String, String)> =
            models.map(|(media_type, model)| (media_type.clone(), model.clone())).collect();
        if models.is_empty() && !method.request_models.is_empty() {
            return Err(format!("Only found non-JSON body models for {} {path}", key.as_str()));
        }
        if self.kind == ExportType::Swagger {
            models.truncate(1);
        }
        Ok(models)
    }

    fn response(&self, path: &str, key: MethodKey, status: u16, response: &MethodResponse) -> Value {
        let code = status.to_string();
        let mut shown = Map::new();
        shown.insert("description".to_owned(), json!(format!("{status} response")));
        shown.extend(self.told(DocumentationPartType::Response, path, key, Some(&code), None));
        let models = response.response_models.iter().flatten().filter(|(media_type, _)| is_json(media_type));
        if self.kind == ExportType::Swagger
            && let Some((_, model)) = models.clone().next()
        {
            shown.insert("schema".to_owned(), json!({"$ref": self.reference(model)}));
        }
        let names = response.response_parameters.iter().flatten();
        let names = names.filter_map(|(target, _)| target.strip_prefix("method.response.header."));
        let headers: Map<String, Value> = names
            .map(|name| {
                let header = match self.kind {
                    ExportType::Swagger => json!({"type": "string"}),
                    ExportType::Oas30 => json!({"schema": {"type": "string"}}),
                };
                (name.to_owned(), header)
            })
            .collect();
        if !headers.is_empty() {
            shown.insert("headers".to_owned(), Value::Object(headers));
        }
        if self.kind == ExportType::Oas30 {
            let content: Map<String, Value> = models
                .map(|(media_type, model)| {
                    (media_type.clone(), json!({"schema": {"$ref": self.reference(model)}}))
                })
                .collect();
            shown.insert("content".to_owned(), Value::Object(content));
        }
        Value::Object(shown)
    }

    /// What the documentation of the stage says of a place: the most particular part that fits.
    fn told(
        &self,
        kind: DocumentationPartType,
        path: &str,
        key: MethodKey,
        status: Option<&str>,
        name: Option<&str>,
    ) -> Map<String, Value> {
        let Some((_, documentation)) = self.source.documentation else { return Map::new() };
        let fits = |wanted: &Option<String>, given: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == "*" || wanted == given)
        };
        let applies = |part: &&DocumentationPart| {
            let location = &part.location;
            location.kind == kind
                && location.path.as_deref().is_none_or(|wanted| {
                    wanted == path || wanted == "/" || path.starts_with(&format!("{wanted}/"))
                })
                && fits(&location.method, key.as_str())
                && fits(&location.status_code, status.unwrap_or("*"))
                && location.name.as_deref() == name
        };
        let weight = |part: &&DocumentationPart| {
            let location = &part.location;
            let named = |text: &Option<String>| usize::from(text.as_deref().is_some_and(|text| text != "*"));
            (
                location.path.as_ref().map_or(0, String::len),
                named(&location.method),
                named(&location.status_code),
            )
        };
        let best = documentation.parts.values().filter(applies).max_by_key(weight);
        match best.and_then(|part| serde_json::from_str(&part.properties).ok()) {
            Some(Value::Object(properties)) => properties,
            _ => Map::new(),
        }
    }
}

/// What a method consumes or produces: media types of its models, else of its templates. Both together would give every
/// template's type a model when the document is imported again.
fn media_types(method: &Method, is_request: bool) -> BTreeSet<String> {
    let integration = method.integration.as_ref();
    let mut types: BTreeSet<String> = match is_request {
        true => method.request_models.keys().cloned().collect(),
        false => {
            let models = method.responses.values().filter_map(|response| response.response_models.as_ref());
            models.flat_map(|models| models.keys().cloned()).collect()
        }
    };
    if types.is_empty() && is_request {
        types.extend(
            integration.into_iter().flat_map(|integration| integration.request_templates.keys().cloned()),
        );
    } else if types.is_empty() {
        let responses = integration.into_iter().flat_map(|integration| &integration.responses);
        types.extend(responses.flat_map(|response| response.response_templates.keys().cloned()));
    }
    types.remove("$default");
    types
}
