//! Security schemes and requirements: authorizers, API keys, signatures.
//!
//! AWS: "x-amazon-apigateway-authorizer object", "x-amazon-apigateway-authtype property"; recorded: the root's `security`
//! is every operation's default.

use model::authorizer::RESULT_TTL_S;
use model::{AuthorizationType, Authorizer, AuthorizerType, JwtConfiguration, Method};

use super::value::texts;
use super::{Importer, Noun};
use crate::node::Node;

/// What a scheme means for a method that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// `apiKeyRequired`
    ApiKey,
    /// `AWS_IAM`
    SigV4,
    /// An authorizer by its id.
    Authorizer(AuthorizationType, String),
    /// Nothing.
    Other,
}

impl<'a> Importer<'a> {
    pub(super) fn schemes(&mut self) {
        let of_components =
            self.root.get("components").and_then(|components| components.get("securitySchemes"));
        let schemes = self.root.get("securityDefinitions").or(of_components);
        for (key, scheme) in schemes.map(Node::entries).unwrap_or_default() {
            let Some(scheme) = self.resolve(scheme) else { continue };
            let read = self.scheme(&key.text, scheme);
            self.schemes.insert(key.text.clone(), read);
        }
    }

    fn scheme(&mut self, name: &str, scheme: &'a Node) -> Scheme {
        let text = |member: &str| scheme.get(member).and_then(Node::as_text).unwrap_or_default();
        let authtype = text("x-amazon-apigateway-authtype").to_owned();
        if let Some(authorizer) = scheme.get("x-amazon-apigateway-authorizer") {
            return self.authorizer(name, scheme, authorizer, authtype);
        }
        if authtype.eq_ignore_ascii_case("awsSigv4") {
            return Scheme::SigV4;
        }
        if text("type") == "apiKey" && text("name").eq_ignore_ascii_case("x-api-key") {
            return Scheme::ApiKey;
        }
        self.warnings.push(format!("Security scheme {name} has no meaning for API Gateway"));
        Scheme::Other
    }

    fn authorizer(&mut self, name: &str, scheme: &Node, node: &Node, authtype: String) -> Scheme {
        let text = |member: &str| node.get(member).and_then(Node::as_text).map(str::to_owned);
        let word = text("type").unwrap_or_default().to_ascii_lowercase();
        let (kind, authorization, default_type) = match word.as_str() {
            "token" => (AuthorizerType::Token, AuthorizationType::Custom, "custom"),
            "request" => (AuthorizerType::Request, AuthorizationType::Custom, "custom"),
            "cognito_user_pools" => {
                (AuthorizerType::CognitoUserPools, AuthorizationType::CognitoUserPools, "cognito_user_pools")
            }
            "jwt" => (AuthorizerType::Jwt, AuthorizationType::Jwt, "oauth2"),
            _ => {
                self.errors
                    .push(format!("Unable to create authorizer '{name}': invalid authorizer type '{word}'"));
                return Scheme::Other;
            }
        };
        let header = scheme.get("name").and_then(Node::as_text);
        let header = header.map(|header| format!("method.request.header.{header}"));
        let is_function = matches!(kind, AuthorizerType::Token | AuthorizerType::Request);
        let ttl = text("authorizerResultTtlInSeconds").and_then(|text| text.parse().ok());
        let jwt = node.get("jwtConfiguration").map(|jwt| JwtConfiguration {
            issuer: jwt.get("issuer").and_then(Node::as_text).map(str::to_owned),
            audience: jwt.get("audience").map(texts).unwrap_or_default(),
        });
        let authorizer = Authorizer {
            name: name.to_owned(),
            kind,
            provider_arns: node.get("providerARNs").map(texts).unwrap_or_default(),
            auth_type: Some(if authtype.is_empty() { default_type.to_owned() } else { authtype }),
            authorizer_uri: text("authorizerUri"),
            authorizer_credentials: text("authorizerCredentials"),
            // A function that sees the whole request names its sources itself.
            identity_source: text("identitySource").or(header.filter(|_| kind != AuthorizerType::Request)),
            identity_validation_expression: text("identityValidationExpression"),
            authorizer_result_ttl_in_seconds: ttl.or(is_function.then_some(RESULT_TTL_S)),
            jwt_configuration: jwt,
        };
        let id = (self.new_id)(Noun::Authorizer, name);
        self.definition.authorizers.insert(id.clone(), authorizer);
        Scheme::Authorizer(authorization, id)
    }

    /// What an operation's requirements, or the root's, say of a method.
    pub(super) fn secure(&mut self, method: &mut Method, operation: &'a Node) {
        let requirements = operation.get("security").or_else(|| self.root.get("security"));
        let mut has_authorizer = false;
        for (name, scopes) in requirements.map(Node::items).unwrap_or_default().iter().flat_map(Node::entries)
        {
            match self.schemes.get(&name.text).cloned() {
                Some(Scheme::ApiKey) => method.api_key_required = true,
                Some(Scheme::SigV4) => method.authorization_type = AuthorizationType::AwsIam,
                Some(Scheme::Authorizer(kind, id)) if !has_authorizer => {
                    has_authorizer = true;
                    method.authorization_type = kind;
                    method.authorizer_id = Some(id);
                    let scopes = texts(scopes);
                    method.authorization_scopes = (!scopes.is_empty()).then_some(scopes);
                }
                Some(Scheme::Authorizer(..)) => {
                    self.warnings
                        .push(format!("Only one authorizer is used by a method; {} is not", name.text));
                }
                Some(Scheme::Other) => {}
                None => self.warnings.push(format!("Security scheme {} is not defined", name.text)),
            }
        }
        let auth = operation
            .get("x-amazon-apigateway-auth")
            .and_then(|auth| auth.get("type"))
            .and_then(Node::as_text);
        match auth.map(str::to_ascii_uppercase).as_deref() {
            Some("AWS_IAM") => {
                method.authorization_type = AuthorizationType::AwsIam;
                method.authorizer_id = None;
            }
            Some("NONE") => {
                method.authorization_type = AuthorizationType::None;
                method.authorizer_id = None;
            }
            _ => {}
        }
    }
}
