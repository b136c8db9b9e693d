//! Security schemes of a document, and the requirements of its operations.

use model::{AuthorizationType, Authorizer, AuthorizerType, Method};
use serde_json::{Map, Value, json};

use super::Exporter;

const API_KEY: &str = "api_key";
const SIGV4: &str = "sigv4";

impl Exporter<'_> {
    /// Schemes that methods use, and every authorizer.
    pub(super) fn schemes(&self) -> Map<String, Value> {
        let definition = self.source.definition;
        let methods = || definition.resources.iter().flat_map(|(_, resource)| resource.methods.values());
        let mut schemes = Map::new();
        if methods().any(|method| method.api_key_required) {
            schemes
                .insert(API_KEY.to_owned(), json!({"type": "apiKey", "name": "x-api-key", "in": "header"}));
        }
        if methods().any(|method| method.authorization_type == AuthorizationType::AwsIam) {
            let mut scheme = json!({"type": "apiKey", "name": "Authorization", "in": "header"});
            if self.extensions.authorizers {
                scheme["x-amazon-apigateway-authtype"] = json!("awsSigv4");
            }
            schemes.insert(SIGV4.to_owned(), scheme);
        }
        // By name: ids differ from import to import.
        let mut authorizers: Vec<&Authorizer> = definition.authorizers.values().collect();
        authorizers.sort_by(|left, right| left.name.cmp(&right.name));
        for authorizer in authorizers {
            schemes.insert(authorizer.name.clone(), self.scheme(authorizer));
        }
        schemes
    }

    fn scheme(&self, authorizer: &Authorizer) -> Value {
        let header = authorizer
            .identity_source
            .as_deref()
            .and_then(|source| source.strip_prefix("method.request.header."));
        let header = header.filter(|header| !header.contains(','));
        let mut scheme = json!({"type": "apiKey", "name": header.unwrap_or("Unused"), "in": "header"});
        if !self.extensions.authorizers {
            return scheme;
        }
        if let Some(kind) = &authorizer.auth_type {
            scheme["x-amazon-apigateway-authtype"] = json!(kind);
        }
        let mut extension = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                extension.insert(name.to_owned(), value);
            }
        };
        let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
        let list = |items: &Vec<String>| (!items.is_empty()).then(|| json!(items));
        put("type", Some(json!(authorizer.kind.as_str().to_ascii_lowercase())));
        put("providerARNs", list(&authorizer.provider_arns));
        put("authorizerUri", text(&authorizer.authorizer_uri));
        put("authorizerCredentials", text(&authorizer.authorizer_credentials));
        put(
            "authorizerResultTtlInSeconds",
            authorizer.authorizer_result_ttl_in_seconds.map(|ttl| json!(ttl)),
        );
        put("identityValidationExpression", text(&authorizer.identity_validation_expression));
        if header.is_none() || authorizer.kind == AuthorizerType::Request {
            put("identitySource", text(&authorizer.identity_source));
        }
        let jwt = authorizer
            .jwt_configuration
            .as_ref()
            .map(|jwt| json!({"issuer": jwt.issuer, "audience": jwt.audience}));
        put("jwtConfiguration", jwt);
        scheme["x-amazon-apigateway-authorizer"] = Value::Object(extension);
        scheme
    }

    /// The requirements of a method; `None` for one that anybody may call.
    pub(super) fn requirements(&self, method: &Method) -> Option<Value> {
        let mut requirements = Vec::new();
        match method.authorization_type {
            AuthorizationType::None => {}
            AuthorizationType::AwsIam => requirements.push(json!({SIGV4: []})),
            AuthorizationType::Custom | AuthorizationType::CognitoUserPools | AuthorizationType::Jwt => {
                let id = method.authorizer_id.as_ref();
                if let Some(authorizer) = id.and_then(|id| self.source.definition.authorizers.get(id)) {
                    let scopes = method.authorization_scopes.clone().unwrap_or_default();
                    requirements.push(json!({authorizer.name.as_str(): scopes}));
                }
            }
        }
        if method.api_key_required {
            requirements.push(json!({API_KEY: []}));
        }
        (!requirements.is_empty()).then(|| Value::Array(requirements))
    }
}
