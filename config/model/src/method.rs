//! A method of a resource: who may call it, its parameters, its integration, its responses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::integration::Integration;
use crate::stage::Throttle;
use crate::words::words;

words! {
    /// `authorizationType` of a method.
    AuthorizationType {
        None = "NONE",
        AwsIam = "AWS_IAM",
        Custom = "CUSTOM",
        CognitoUserPools = "COGNITO_USER_POOLS",
        Jwt = "JWT",
    }
}

/// `Method`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Method {
    /// `operationName`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_name: Option<String>,
    /// `authorizationType`
    pub authorization_type: AuthorizationType,
    /// `authorizerId`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer_id: Option<String>,
    /// `authorizationScopes`; `None` where none were said, which an empty list isn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_scopes: Option<Vec<String>>,
    /// `apiKeyRequired`
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub api_key_required: bool,
    /// `requestValidatorId`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_validator_id: Option<String>,
    /// `requestParameters`: `method.request.{location}.{name}` to whether it is required.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub request_parameters: BTreeMap<String, bool>,
    /// `requestModels`: media type to model name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub request_models: BTreeMap<String, String>,
    /// `methodIntegration`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<Integration>,
    /// `methodResponses` by status.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub responses: BTreeMap<u16, MethodResponse>,
    /// `x-turnpike.throttle`: a rate of this method's own, whatever its stage says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<Throttle>,
}

impl Default for Method {
    /// A method that anybody may call and that has no integration yet.
    fn default() -> Self {
        Method {
            operation_name: None,
            authorization_type: AuthorizationType::None,
            authorizer_id: None,
            authorization_scopes: None,
            api_key_required: false,
            request_validator_id: None,
            request_parameters: BTreeMap::new(),
            request_models: BTreeMap::new(),
            integration: None,
            responses: BTreeMap::new(),
            throttle: None,
        }
    }
}

/// `MethodResponse`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MethodResponse {
    /// `responseParameters`: `method.response.header.{name}` to whether clients may rely on it. `None` where none were
    /// said, which an empty map isn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_parameters: Option<BTreeMap<String, bool>>,
    /// `responseModels`: media type to model name. `None` where none were said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_models: Option<BTreeMap<String, String>>,
}
