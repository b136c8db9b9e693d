//! An authorizer: a function, a user pool or an issuer that says who a caller is.

use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// `type` of an authorizer.
    AuthorizerType {
        Token = "TOKEN",
        Request = "REQUEST",
        CognitoUserPools = "COGNITO_USER_POOLS",
        Jwt = "JWT",
    }
}

/// `authorizerResultTtlInSeconds` where none is said.
pub const RESULT_TTL_S: u32 = 300;

/// `Authorizer`; its id is its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorizer {
    /// `name`
    pub name: String,
    /// `type`
    #[serde(rename = "type")]
    pub kind: AuthorizerType,
    /// `providerARNs`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provider_arns: Vec<String>,
    /// `authType`: a note for documents, without an effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<String>,
    /// `authorizerUri`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer_uri: Option<String>,
    /// `authorizerCredentials`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer_credentials: Option<String>,
    /// `identitySource`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_source: Option<String>,
    /// `identityValidationExpression`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_validation_expression: Option<String>,
    /// `authorizerResultTtlInSeconds`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer_result_ttl_in_seconds: Option<u32>,
    /// `jwtConfiguration`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt_configuration: Option<JwtConfiguration>,
}

/// `jwtConfiguration`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JwtConfiguration {
    /// `issuer`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// `audience`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
}
