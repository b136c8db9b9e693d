//! Operations: methods with their parameters, models, responses.

use std::collections::BTreeMap;

use model::Method;
use vocabulary::MethodKey;

use super::Importer;
use super::value::texts;
use crate::node::{Node, Value};

impl<'a> Importer<'a> {
    pub(super) fn operation(&mut self, path: &str, key: MethodKey, operation: &'a Node) -> Method {
        let list = |name: &str| {
            let own = operation.get(name).or_else(|| self.root.get(name)).map(texts).unwrap_or_default();
            if own.is_empty() { vec!["application/json".to_owned()] } else { own }
        };
        let (consumes, produces) = (list("consumes"), list("produces"));
        let mut method = Method {
            operation_name: operation.get("operationId").and_then(Node::as_text).map(str::to_owned),
            request_parameters: path_parameters(path),
            request_validator_id: self.default_validator.clone(),
            ..Method::default()
        };
        if let Some(name) = operation.get("x-amazon-apigateway-request-validator").and_then(Node::as_text) {
            method.request_validator_id = self.validator(name);
        }
        self.parameters(&mut method, operation, &consumes);
        self.request_body(&mut method, operation);
        self.secure(&mut method, operation);
        for (status, response) in operation.get("responses").map(Node::entries).unwrap_or_default() {
            // `default` has no status, so it is no method response.
            let Some(status) = status.text.parse().ok().filter(|status| (100..600).contains(status)) else {
                continue;
            };
            let Some(response) = self.resolve(response) else { continue };
            let read = self.method_response(response, &produces);
            method.responses.insert(status, read);
        }
        if let Some(integration) = operation.get("x-amazon-apigateway-integration") {
            method.integration = self.integration(path, key, integration, &method);
        }
        let throttle = operation.get("x-turnpike").and_then(|ours| ours.get("throttle"));
        method.throttle = throttle.and_then(|throttle| {
            let number = |name: &str| throttle.get(name).and_then(Node::as_text)?.parse::<f64>().ok();
            let (rate_limit, burst) = (number("rateLimit")?, number("burstLimit")?);
            Some(model::Throttle { rate_limit, burst_limit: burst as u64 })
        });
        method
    }

    fn parameters(&mut self, method: &mut Method, operation: &'a Node, consumes: &[String]) {
        for item in operation.get("parameters").map(Node::items).unwrap_or_default() {
            let Some(item) = self.resolve(item) else { continue };
            let text = |name: &str| item.get(name).and_then(Node::as_text);
            let (Some(name), Some(place)) = (text("name"), text("in")) else { continue };
            let required = matches!(item.get("required").map(|node| &node.value), Some(Value::Bool(true)));
            let location = match place {
                "query" => "querystring",
                "header" | "path" => place,
                "body" => {
                    if let Some(model) = item.get("schema").and_then(|schema| self.model_of(schema)) {
                        let models = consumes.iter().map(|media_type| (media_type.clone(), model.clone()));
                        method.request_models.extend(models);
                    }
                    continue;
                }
                // Cookies and forms are not parameters of API Gateway.
                _ => continue,
            };
            let parameter = format!("method.request.{location}.{name}");
            method.request_parameters.insert(parameter, required || place == "path");
        }
    }

    fn request_body(&mut self, method: &mut Method, operation: &'a Node) {
        let Some(body) = operation.get("requestBody") else { return };
        let Some(body) = self.resolve(body) else { return };
        for (media_type, content) in body.get("content").map(Node::entries).unwrap_or_default() {
            if let Some(model) = content.get("schema").and_then(|schema| self.model_of(schema)) {
                method.request_models.insert(media_type.text.clone(), model);
            }
        }
    }
}

/// Variables of the path are parameters whether or not they are declared.
fn path_parameters(path: &str) -> BTreeMap<String, bool> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| (format!("method.request.path.{}", name.trim_end_matches('+')), true))
        .collect()
}
