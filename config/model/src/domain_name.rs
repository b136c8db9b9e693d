//! Custom domain names and what they lead to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::endpoint::EndpointConfiguration;
use crate::secret::Secret;
use crate::words::words;

words! {
    /// `routingMode`
    RoutingMode {
        BasePathMappingOnly = "BASE_PATH_MAPPING_ONLY",
        RoutingRuleOnly = "ROUTING_RULE_ONLY",
        RoutingRuleThenBasePathMapping = "ROUTING_RULE_THEN_BASE_PATH_MAPPING",
    }
}

/// How the empty base path is written in calls.
pub const NO_BASE_PATH: &str = "(none)";

/// `DomainName`; its name is its key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DomainName {
    /// First label of the name that clients' DNS points at: `d-` and ten characters, or `d` and thirteen for edge.
    pub target_label: String,
    /// `domainNameId` of a private domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain_name_id: Option<String>,
    /// `certificateName`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_name: Option<String>,
    /// `certificateArn`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_arn: Option<String>,
    /// `certificateUploadDate`, in seconds of the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_upload_date: Option<i64>,
    /// `regionalCertificateName`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regional_certificate_name: Option<String>,
    /// `regionalCertificateArn`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regional_certificate_arn: Option<String>,
    /// A certificate that came with the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<UploadedCertificate>,
    /// `endpointConfiguration`
    pub endpoint_configuration: EndpointConfiguration,
    /// `securityPolicy`
    pub security_policy: String,
    /// `endpointAccessMode`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_access_mode: Option<String>,
    /// `mutualTlsAuthentication`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutual_tls_authentication: Option<MutualTlsAuthentication>,
    /// `ownershipVerificationCertificateArn`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ownership_verification_certificate_arn: Option<String>,
    /// `policy` of a private domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// `managementPolicy` of a private domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management_policy: Option<String>,
    /// `routingMode`
    pub routing_mode: Option<RoutingMode>,
    /// `tags`
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Base path to API and stage; the empty base path is "".
    pub base_path_mappings: BTreeMap<String, BasePathMapping>,
}

/// `certificateBody` and its like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UploadedCertificate {
    /// `certificateBody`, PEM.
    pub body: String,
    /// `certificatePrivateKey`, PEM.
    pub private_key: Secret,
    /// `certificateChain`, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
}

/// `mutualTlsAuthentication`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MutualTlsAuthentication {
    /// `truststoreUri`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truststore_uri: Option<String>,
    /// `truststoreVersion`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truststore_version: Option<String>,
}

/// `BasePathMapping`; its base path is its key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BasePathMapping {
    /// `apiMappingId` of the second version of the calls.
    pub id: String,
    /// `restApiId`
    pub rest_api_id: String,
    /// `stage`; without one the path's first segment behind the base path names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
}
