//! Extensions at the root, and those of servers: what stands beside the paths.

use model::{ApiKeySource, EndpointType, GatewayResponse, GatewayResponseType, RequestValidator};

use super::value::{json, texts};
use super::{Importer, Noun};
use crate::node::Node;

impl<'a> Importer<'a> {
    pub(super) fn extensions(&mut self) {
        let root = self.root;
        for (key, value) in root.entries() {
            match key.text.as_str() {
                "x-amazon-apigateway-api-key-source" => {
                    let word = value.as_text().unwrap_or_default().to_ascii_uppercase();
                    match ApiKeySource::from_word(&word) {
                        Some(source) => {
                            self.definition.api_key_source = source;
                            self.present.api_key_source = true;
                        }
                        None => self.warnings.push(format!("Invalid API key source specified: {word}")),
                    }
                }
                "x-amazon-apigateway-binary-media-types" => {
                    self.definition.binary_media_types = texts(value);
                    self.present.binary_media_types = true;
                }
                "x-amazon-apigateway-minimum-compression-size" => {
                    let size = value.as_text().and_then(|text| text.parse::<u32>().ok());
                    let size = size.filter(|size| *size <= vocabulary::limits::MINIMUM_COMPRESSION_SIZE_MAX);
                    self.present.minimum_compression_size = size.is_some();
                    self.definition.minimum_compression_size = size;
                    if size.is_none() {
                        let message = "Invalid minimum compression size, must be between 0 and 10485760";
                        self.errors.push(message.to_owned());
                    }
                }
                "x-amazon-apigateway-policy" => {
                    self.definition.policy = Some(json(value).to_string());
                    self.present.policy = true;
                }
                "x-amazon-apigateway-endpoint-configuration" => self.endpoint(value),
                "x-amazon-apigateway-endpoint-access-mode" => {
                    self.api.endpoint_access_mode = value.as_text().map(str::to_owned);
                }
                "x-amazon-apigateway-security-policy" => {
                    self.api.security_policy = value.as_text().map(str::to_owned);
                }
                "x-amazon-apigateway-gateway-responses" => self.gateway_responses(value),
                "x-amazon-apigateway-request-validators" => self.validators(value),
                _ => {}
            }
        }
        for server in root.get("servers").map(Node::items).unwrap_or_default() {
            if let Some(endpoint) = server.get("x-amazon-apigateway-endpoint-configuration") {
                self.endpoint(endpoint);
            }
        }
        // The validators are known by now, wherever they stand.
        let default = root.get("x-amazon-apigateway-request-validator").and_then(Node::as_text);
        self.default_validator = default.and_then(|name| self.validator(name));
    }

    fn endpoint(&mut self, node: &Node) {
        if let Some(ids) = node.get("vpcEndpointIds") {
            self.api.endpoint_configuration.vpc_endpoint_ids = texts(ids);
        }
        let kinds = node.get("types").map(texts).unwrap_or_default();
        let kind = kinds.first().and_then(|word| EndpointType::from_word(word));
        if let (Some(kind), None) = (kind, self.options.endpoint) {
            let ids = std::mem::take(&mut self.api.endpoint_configuration.vpc_endpoint_ids);
            self.api.endpoint_configuration = model::EndpointConfiguration::new(kind);
            self.api.endpoint_configuration.vpc_endpoint_ids = ids;
        }
        if let Some(flag) = node.get("disableExecuteApiEndpoint").and_then(Node::as_text) {
            self.definition.disable_execute_api_endpoint = flag == "true";
            self.present.disable_execute_api_endpoint = true;
        }
    }

    fn gateway_responses(&mut self, node: &'a Node) {
        for (key, value) in node.entries() {
            let Some(kind) = GatewayResponseType::from_word(&key.text) else {
                self.warnings.push(format!("Unknown gateway response type: {}", key.text));
                continue;
            };
            let strings = |name: &str| {
                let entries = value.get(name).map(Node::entries).unwrap_or_default();
                entries
                    .iter()
                    .filter_map(|(key, value)| Some((key.text.clone(), value.as_text()?.to_owned())))
            };
            let status = value.get("statusCode").and_then(Node::as_text).and_then(|text| text.parse().ok());
            let response = GatewayResponse {
                status_code: status.filter(|status| (100..600).contains(status)),
                response_parameters: strings("responseParameters").collect(),
                response_templates: strings("responseTemplates").collect(),
            };
            self.definition.gateway_responses.insert(kind, response);
        }
    }

    fn validators(&mut self, node: &'a Node) {
        for (key, value) in node.entries() {
            let flag = |name: &str| value.get(name).and_then(Node::as_text) == Some("true");
            let validator = RequestValidator {
                name: Some(key.text.clone()),
                validate_request_body: flag("validateRequestBody"),
                validate_request_parameters: flag("validateRequestParameters"),
            };
            let id = (self.new_id)(Noun::RequestValidator, &key.text);
            self.definition.request_validators.insert(id, validator);
        }
    }

    /// Id of the validator of a name.
    pub(super) fn validator(&mut self, name: &str) -> Option<String> {
        let named = |validator: &RequestValidator| validator.name.as_deref() == Some(name);
        let found = self.definition.request_validators.iter().find(|(_, validator)| named(validator));
        let id = found.map(|(id, _)| id.clone());
        if id.is_none() {
            self.warnings.push(format!("Request validator {name} is not defined"));
        }
        id
    }
}
