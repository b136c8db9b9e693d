//! What a case file holds. A key that isn't here is an error, so that a misspelt expectation can't pass unseen.

use serde::Deserialize;
use std::collections::BTreeMap;

/// One file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseFile {
    /// A node of the file's own.
    pub(crate) node: Option<NodeSpec>,
    /// What its cases share unless they bring their own.
    pub(crate) document: Option<String>,
    /// The same, as the members of `paths` alone.
    pub(crate) paths: Option<String>,
    /// Members of the root `x-turnpike` beside id and stage, for `paths`.
    pub(crate) turnpike: Option<String>,
    #[serde(default)]
    pub(crate) case: Vec<Case>,
    #[serde(default)]
    pub(crate) check: Vec<Check>,
}

/// How the node of a file is started.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeSpec {
    /// Further flags of `serve`.
    #[serde(default)]
    pub(crate) flags: Vec<String>,
}

/// How sure we are that AWS does so.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Standing {
    /// Recorded from the service.
    Observed,
    /// AWS says so.
    Documented,
    /// Reported, reasoned, or chosen.
    Inferred,
}

/// One exchange.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// Section of the specification, or of a standard.
    pub(crate) source: String,
    pub(crate) standing: Standing,
    pub(crate) document: Option<String>,
    pub(crate) paths: Option<String>,
    pub(crate) turnpike: Option<String>,
    /// Exchanges that come first on the same connection.
    #[serde(default)]
    pub(crate) before: Vec<Before>,
    /// `METHOD target`.
    pub(crate) request: Option<String>,
    /// Fields after `Host`, which is the API's own unless one is given.
    #[serde(default)]
    pub(crate) headers: Vec<String>,
    pub(crate) body: Option<String>,
    pub(crate) body_hex: Option<String>,
    /// The whole request, instead of the four above.
    pub(crate) raw: Option<String>,
    pub(crate) backend: Option<Backend>,
    pub(crate) response: Response,
    /// What the backend must see. Without it and without `backend`, it must see nothing.
    pub(crate) sent: Option<Sent>,
    pub(crate) record: Option<Record>,
}

/// An exchange that only prepares.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Before {
    pub(crate) request: String,
    pub(crate) status: u16,
}

/// What the backend does.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Backend {
    pub(crate) status: Option<u16>,
    #[serde(default)]
    pub(crate) headers: Vec<String>,
    pub(crate) body: Option<String>,
    pub(crate) body_hex: Option<String>,
    /// The whole response, instead of the four above.
    pub(crate) raw: Option<String>,
    /// Closes after its answer.
    #[serde(default)]
    pub(crate) closes: bool,
    pub(crate) fails: Option<Failure>,
}

/// Ways not to answer.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Failure {
    /// Closes without a byte.
    Close,
    /// Says nothing.
    Hang,
}

/// What the client must get: everything, beside the fields that every answer has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// `x-amzn-ErrorType`.
    pub(crate) error: Option<String>,
    #[serde(default)]
    pub(crate) headers: Vec<String>,
    /// Usual fields that are not there.
    #[serde(default)]
    pub(crate) without: Vec<String>,
    #[serde(default)]
    pub(crate) body: String,
    /// The backend's own length comes back under its remapped name.
    #[serde(default)]
    pub(crate) proxied: bool,
}

/// What the backend must see: everything, beside the fields that every call of its kind has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sent {
    /// `METHOD target`.
    pub(crate) request: String,
    /// Kind of the integration.
    #[serde(default)]
    pub(crate) by: Kind,
    #[serde(default)]
    pub(crate) headers: Vec<String>,
    #[serde(default)]
    pub(crate) without: Vec<String>,
    #[serde(default)]
    pub(crate) body: String,
}

/// Kinds of integration that call a backend.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    #[default]
    HttpProxy,
    Http,
}

/// What the access log must say.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Record {
    /// The whole record.
    Line(String),
    /// Values of `$context` variables.
    Variables(BTreeMap<String, String>),
}

/// One run of `turnpike check`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) standing: Standing,
    /// Name of the file.
    pub(crate) file: Option<String>,
    pub(crate) document: String,
    /// Every finding, as `weight file:line:column message`.
    #[serde(default)]
    pub(crate) says: Vec<String>,
    /// Whether the document may be served.
    #[serde(default)]
    pub(crate) passes: bool,
}
