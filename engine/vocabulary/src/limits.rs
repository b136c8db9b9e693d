//! Every bound in one place, AWS's quota beside it ("Amazon API Gateway quotas"; KB = 1,024, MB = 1,048,576).

/// Header section with names and line ends, in bytes. AWS: 10,240 (private APIs 8,000).
pub const HEADER_TOTAL_BYTES: usize = 10_240;
/// Request target, in bytes. AWS: 10,240 regional, 8,192 edge and private.
pub const URL_BYTES: usize = 10_240;
/// Field lines of a request. AWS names none; ours.
pub const HEADER_COUNT: usize = 256;
/// Request payload, and response payload that is not a stream, in bytes. AWS: 10 MB.
pub const PAYLOAD_BYTES: u64 = 10_485_760;
/// Integration timeout, in milliseconds. AWS: 50 to 29,000.
pub const INTEGRATION_TIMEOUT_MS_MIN: u32 = 50;
/// See [`INTEGRATION_TIMEOUT_MS_MIN`]; also the default.
pub const INTEGRATION_TIMEOUT_MS_MAX: u32 = 29_000;
/// What [`INTEGRATION_TIMEOUT_MS_MAX`] can be raised to, in milliseconds: 15 minutes, as AWS has it for streams.
pub const INTEGRATION_TIMEOUT_MS_RAISED: u32 = 900_000;
/// Idle client connection, in seconds. AWS: 310.
pub const IDLE_CLIENT_S: u64 = 310;
/// A backend's header section, in bytes. AWS names none; ours.
pub const BACKEND_HEADER_TOTAL_BYTES: usize = 65_536;
/// Field lines of a backend's response. Ours.
pub const BACKEND_HEADER_COUNT: usize = 512;
/// One chunk-size line with its extensions, in bytes (RFC 9112 §7.1.1 asks for a bound). Ours.
pub const CHUNK_LINE_BYTES: usize = 1_024;
/// A trailer section, in bytes. Ours.
pub const TRAILER_BYTES: usize = 8_192;
/// Idle connections to one backend beyond the setting, which the next burst needs again, are kept this long, in
/// milliseconds. Closed at once, they would be opened anew for each burst. Ours.
pub const IDLE_UPSTREAM_SURPLUS_MS: u64 = 2_000;
/// Idle connections to one backend, with those beyond the setting. Ours.
pub const IDLE_UPSTREAMS_MAX: usize = 65_536;
/// Access-log format, in bytes. AWS: 3 KB.
pub const ACCESS_LOG_FORMAT_BYTES: usize = 3_072;
/// An API definition, in bytes. AWS: 6 MB.
pub const API_DEFINITION_BYTES: usize = 6_291_456;
/// Resources of an API. AWS: 300, adjustable; more are allowed and noted.
pub const RESOURCES: usize = 300;
/// Stage variables. AWS: 100.
pub const STAGE_VARIABLES: usize = 100;
/// Names of backends that the resolver keeps fresh; further ones are refused. Ours.
pub const BACKEND_NAMES: usize = 4_096;
/// Addresses kept of a name, and so the connects of a call at most. Ours; a UDP answer of the usual size holds about so many.
pub const BACKEND_ADDRESSES: usize = 16;
/// After this long without a connection the next address is tried beside the first, in milliseconds (RFC 8305 section 8).
pub const CONNECT_ATTEMPT_DELAY_MS: u64 = 250;
/// Failures in a row by which an address is set aside. Ours: one may be chance.
pub const ADDRESS_FAILURES: u8 = 2;
/// An address is set aside for so long at first, in milliseconds; each failure of its next trial doubles it. Ours.
pub const ADDRESS_REST_MS_MIN: u64 = 1_000;
/// An address is set aside for so long at most, in milliseconds. Ours: a backend that is back is used within this.
pub const ADDRESS_REST_MS_MAX: u64 = 30_000;
/// A name without addresses is asked for again after so long at most, in milliseconds, whatever its SOA says (RFC 2308
/// section 5 allows hours; who waits for a backend to appear doesn't).
pub const RESOLVER_NEGATIVE_MS_MAX: u64 = 60_000;
/// A name that had addresses and has none keeps them for so long, in milliseconds. Ours: longer than a zone takes to load.
pub const RESOLVER_GRACE_MS: u64 = 30_000;
/// A look-up that failed is repeated after so long at first, in milliseconds, then after twice that. Ours.
pub const RESOLVER_RETRY_MS_MIN: u64 = 1_000;
/// A look-up that failed is repeated after so long at most, in milliseconds. Ours.
pub const RESOLVER_RETRY_MS_MAX: u64 = 30_000;
/// One look-up with all its queries, in milliseconds. Ours; the times of `resolv.conf` hold within it.
pub const RESOLVER_LOOK_UP_MS: u64 = 10_000;
/// How long the answer for one family waits for that of the other, in milliseconds (RFC 8305 section 3).
pub const RESOLUTION_DELAY_MS: u64 = 50;

/// `minimumCompressionSize` at most, in bytes (recorded).
pub const MINIMUM_COMPRESSION_SIZE_MAX: u32 = 10_485_760;
/// A resource policy in characters (quota, "Length of resource policy").
pub const RESOURCE_POLICY_CHARS: usize = 8_192;
/// A policy document in bytes. Ours: the largest of IAM (a managed policy has 6,144 characters) with room for blanks.
pub const POLICY_BYTES: usize = 64 * 1024;
/// Statements of a policy. Ours: more than fit into AWS's size.
pub const POLICY_STATEMENTS: usize = 1_000;
/// Tags of a resource (quota, "Tag restrictions").
pub const TAGS: usize = 50;
/// Characters of a tag's key ("Tag restrictions").
pub const TAG_KEY_CHARS: usize = 128;
/// Characters of a tag's value ("Tag restrictions").
pub const TAG_VALUE_CHARS: usize = 256;
/// Stages of an API (quota).
pub const STAGES: usize = 10;
/// Deployments of an API. Ours: AWS names no number, and each keeps its snapshot.
pub const DEPLOYMENTS: usize = 2_000;
/// Schemas of all models of an API together, in bytes (quota).
pub const MODELS_BYTES: usize = 400 * 1024;
/// Authorizers of an API (quota).
pub const AUTHORIZERS: usize = 10;
/// REST APIs of an account and region (quota: 600 regional, 600 private, 120 edge). Ours for all kinds, as memory bounds it.
pub const REST_APIS: usize = 10_000;
/// API keys of an account and region (quota).
pub const API_KEYS: usize = 10_000;
/// Keys in one file of ImportApiKeys. Ours: as many as an account may have.
pub const IMPORTED_KEYS: usize = API_KEYS;
/// Usage plans of an account and region (quota).
pub const USAGE_PLANS: usize = 300;
/// Usage plans of an API key (quota).
pub const USAGE_PLANS_OF_KEY: usize = 10;
/// Custom domain names of an account and region (quota).
pub const DOMAIN_NAMES: usize = 120;
/// Client certificates of an account and region (quota).
pub const CLIENT_CERTIFICATES: usize = 60;
/// VPC links of an account and region (quota).
pub const VPC_LINKS: usize = 20;
/// Documentation parts of an API (quota).
pub const DOCUMENTATION_PARTS: usize = 2_000;
/// Body of a control call, in bytes. Ours: an API definition of 6 MB, and as much again for what JSON escapes in it.
pub const CONTROL_BODY_BYTES: usize = 2 * API_DEFINITION_BYTES;

/// The bounds that `turnpike.yaml` can set; AWS's values by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// See [`PAYLOAD_BYTES`].
    pub payload_bytes: u64,
    /// See [`HEADER_TOTAL_BYTES`].
    pub header_total_bytes: usize,
    /// See [`HEADER_COUNT`].
    pub header_count: usize,
    /// See [`URL_BYTES`].
    pub url_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            payload_bytes: PAYLOAD_BYTES,
            header_total_bytes: HEADER_TOTAL_BYTES,
            header_count: HEADER_COUNT,
            url_bytes: URL_BYTES,
        }
    }
}
