//! API nouns as AWS names them, independent of how they are written down and of how they run.
//!
//! In: what an importer or a control call says. Out: what a deployment compiles, what a store keeps.
//! Never: wire JSON, a plan, IO. The derived serde form is the stored form, which only `store` reads and writes.
//! AWS: API reference, "RestApi", "Resource", "Method", "Integration", "Stage".

#![forbid(unsafe_code)]

pub mod account;
pub mod api_key;
pub mod authorizer;
pub mod client_certificate;
pub mod definition;
pub mod deployment;
pub mod documentation;
pub mod domain_name;
pub mod endpoint;
pub mod gateway_response;
pub mod integration;
pub mod method;
mod method_key;
pub mod resource;
pub mod rest_api;
pub mod schema;
pub mod secret;
pub mod stage;
pub mod usage_plan;
pub mod vpc_link;
mod words;

pub use account::{Account, AccountSettings, Change, Key, Record, Region, RestApiTree};
pub use api_key::ApiKey;
pub use authorizer::{Authorizer, AuthorizerType, JwtConfiguration};
pub use client_certificate::ClientCertificate;
pub use definition::{ApiKeySource, Definition};
pub use deployment::Deployment;
pub use documentation::{
    DocumentationPart, DocumentationPartLocation, DocumentationPartType, DocumentationVersion,
};
pub use domain_name::{
    BasePathMapping, DomainName, MutualTlsAuthentication, RoutingMode, UploadedCertificate,
};
pub use endpoint::{EndpointConfiguration, EndpointType, IpAddressType};
pub use gateway_response::{GatewayResponse, GatewayResponseType};
pub use indexmap::IndexMap;
pub use integration::{
    ConnectionType, ContentHandling, Integration, IntegrationResponse, IntegrationType, PassthroughBehavior,
    ResponseTransferMode,
};
pub use method::{AuthorizationType, Method, MethodResponse};
pub use resource::{Resource, ResourceError, Resources};
pub use rest_api::{Entity, RestApi};
pub use schema::{Model, RequestValidator};
pub use secret::Secret;
pub use stage::{
    AccessLogSettings, CacheClusterSize, CanarySettings, LoggingLevel, MethodSetting, Stage, Throttle,
    UnauthorizedCacheControlHeaderStrategy,
};
pub use usage_plan::{ApiStage, QuotaPeriod, QuotaSettings, ThrottleSettings, UsagePlan, UsagePlanKey};
pub use vpc_link::VpcLink;
