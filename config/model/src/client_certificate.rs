//! Client certificates: what the gateway shows its backends.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// `ClientCertificate`; its id is its key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientCertificate {
    /// `description`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `pemEncodedCertificate`
    pub pem_encoded_certificate: String,
    /// The key that belongs to it, PEM; no call shows it.
    pub private_key: Secret,
    /// `createdDate`, in seconds of the Unix epoch.
    pub created_date: i64,
    /// `expirationDate`, in seconds of the Unix epoch.
    pub expiration_date: i64,
    /// `tags`
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}
