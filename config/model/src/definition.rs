//! The definition of an API: what a deployment takes a snapshot of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::authorizer::Authorizer;
use crate::gateway_response::{GatewayResponse, GatewayResponseType};
use crate::resource::Resources;
use crate::schema::{Model, RequestValidator};
use crate::words::words;

words! {
    /// `apiKeySource`
    ApiKeySource {
        Header = "HEADER",
        Authorizer = "AUTHORIZER",
    }
}

/// All of an API that needs a deployment before it has an effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Definition {
    /// `resources`
    pub resources: Resources,
    /// Models by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, Model>,
    /// Authorizers by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub authorizers: BTreeMap<String, Authorizer>,
    /// Request validators by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub request_validators: BTreeMap<String, RequestValidator>,
    /// Customised gateway responses.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub gateway_responses: BTreeMap<GatewayResponseType, GatewayResponse>,
    /// `policy`: the resource policy, JSON as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// `binaryMediaTypes`, in the order they were added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub binary_media_types: Vec<String>,
    /// `minimumCompressionSize`, in bytes; `None` switches compression off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_compression_size: Option<u32>,
    /// `apiKeySource`
    pub api_key_source: ApiKeySource,
    /// `disableExecuteApiEndpoint`
    pub disable_execute_api_endpoint: bool,
}

impl Default for Definition {
    fn default() -> Self {
        Definition {
            resources: Resources::default(),
            models: BTreeMap::new(),
            authorizers: BTreeMap::new(),
            request_validators: BTreeMap::new(),
            gateway_responses: BTreeMap::new(),
            policy: None,
            binary_media_types: Vec::new(),
            minimum_compression_size: None,
            api_key_source: ApiKeySource::Header,
            disable_execute_api_endpoint: false,
        }
    }
}
