//! A stage: which deployment it serves, its variables, the settings of its methods, its canary.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// `loggingLevel`
    LoggingLevel {
        Off = "OFF",
        Error = "ERROR",
        Info = "INFO",
    }
}

words! {
    /// `cacheClusterSize`, in GB.
    CacheClusterSize {
        G0_5 = "0.5",
        G1_6 = "1.6",
        G6_1 = "6.1",
        G13_5 = "13.5",
        G28_4 = "28.4",
        G58_2 = "58.2",
        G118 = "118",
        G237 = "237",
    }
}

words! {
    /// `unauthorizedCacheControlHeaderStrategy`
    UnauthorizedCacheControlHeaderStrategy {
        FailWith403 = "FAIL_WITH_403",
        SucceedWithResponseHeader = "SUCCEED_WITH_RESPONSE_HEADER",
        SucceedWithoutResponseHeader = "SUCCEED_WITHOUT_RESPONSE_HEADER",
    }
}

/// A rate limit: tokens a second, and tokens saved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Throttle {
    /// `rateLimit`
    pub rate_limit: f64,
    /// `burstLimit`
    pub burst_limit: u64,
}

/// The key of the settings that hold for methods without settings of their own.
pub const EVERY_METHOD: &str = "*/*";
/// `throttlingBurstLimit` as shown where none was set: the account's.
pub const BURST_LIMIT: i64 = 5_000;
/// `throttlingRateLimit` as shown where none was set: the account's.
pub const RATE_LIMIT: f64 = 10_000.0;

/// `Stage`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Stage {
    /// `stageName`
    pub stage_name: String,
    /// `deploymentId`; empty for the stage of a served file.
    pub deployment_id: String,
    /// `description`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `clientCertificateId`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate_id: Option<String>,
    /// `cacheClusterEnabled`
    pub cache_cluster_enabled: bool,
    /// `cacheClusterSize`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_cluster_size: Option<CacheClusterSize>,
    /// `variables`; `None` where none were ever said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<BTreeMap<String, String>>,
    /// `documentationVersion`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documentation_version: Option<String>,
    /// `methodSettings`: `*/*`, or the path and method as the patch spelled them.
    pub method_settings: BTreeMap<String, MethodSetting>,
    /// `accessLogSettings`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_log_settings: Option<AccessLogSettings>,
    /// `canarySettings`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_settings: Option<CanarySettings>,
    /// `tracingEnabled`
    pub tracing_enabled: bool,
    /// `webAclArn`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_acl_arn: Option<String>,
    /// `tags`
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// `createdDate`, in seconds of the Unix epoch.
    pub created_date: i64,
    /// `lastUpdatedDate`, in seconds of the Unix epoch.
    pub last_updated_date: i64,
}

static NO_VARIABLES: BTreeMap<String, String> = BTreeMap::new();

impl Stage {
    /// The variables, none where none were ever said.
    #[must_use]
    pub fn variables(&self) -> &BTreeMap<String, String> {
        self.variables.as_ref().unwrap_or(&NO_VARIABLES)
    }

    /// The settings of a method: its own, else those of every method. Keys have two spellings, `a/b/GET` and `~1a~1b/GET`.
    #[must_use]
    pub fn method_setting(&self, path: &str, method: &str) -> Option<&MethodSetting> {
        let plain = format!("{}/{method}", path.trim_start_matches('/'));
        let escaped = format!("{}/{method}", path.replace('~', "~0").replace('/', "~1"));
        let own = self.method_settings.get(&plain).or_else(|| self.method_settings.get(&escaped));
        own.or_else(|| self.method_settings.get(EVERY_METHOD))
    }

    /// The rate that the stage gives a method; `None` where it sets none.
    #[must_use]
    pub fn throttle(&self, path: &str, method: &str) -> Option<Throttle> {
        self.method_setting(path, method)?.throttle()
    }
}

/// `MethodSetting`. The first setting of a method makes all members; rate and burst are only shown until they are set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MethodSetting {
    /// `metricsEnabled`
    pub metrics_enabled: bool,
    /// `loggingLevel`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging_level: Option<LoggingLevel>,
    /// `dataTraceEnabled`
    pub data_trace_enabled: bool,
    /// `throttlingBurstLimit`; negative means none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttling_burst_limit: Option<i64>,
    /// `throttlingRateLimit`; negative means none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttling_rate_limit: Option<f64>,
    /// `cachingEnabled`
    pub caching_enabled: bool,
    /// `cacheTtlInSeconds`
    pub cache_ttl_in_seconds: u32,
    /// `cacheDataEncrypted`
    pub cache_data_encrypted: bool,
    /// `requireAuthorizationForCacheControl`
    pub require_authorization_for_cache_control: bool,
    /// `unauthorizedCacheControlHeaderStrategy`
    pub unauthorized_cache_control_header_strategy: UnauthorizedCacheControlHeaderStrategy,
}

impl Default for MethodSetting {
    fn default() -> Self {
        MethodSetting {
            metrics_enabled: false,
            logging_level: None,
            data_trace_enabled: false,
            throttling_burst_limit: None,
            throttling_rate_limit: None,
            caching_enabled: false,
            cache_ttl_in_seconds: 300,
            cache_data_encrypted: false,
            require_authorization_for_cache_control: true,
            unauthorized_cache_control_header_strategy:
                UnauthorizedCacheControlHeaderStrategy::SucceedWithResponseHeader,
        }
    }
}

impl MethodSetting {
    /// The rate that is enforced: none unless one of the two was set, and none where one is negative.
    #[must_use]
    pub fn throttle(&self) -> Option<Throttle> {
        if self.throttling_burst_limit.is_none() && self.throttling_rate_limit.is_none() {
            return None;
        }
        let rate_limit = self.throttling_rate_limit.unwrap_or(RATE_LIMIT);
        let burst_limit = u64::try_from(self.throttling_burst_limit.unwrap_or(BURST_LIMIT)).ok()?;
        (rate_limit >= 0.0).then_some(Throttle { rate_limit, burst_limit })
    }
}

impl From<Throttle> for MethodSetting {
    fn from(throttle: Throttle) -> Self {
        MethodSetting {
            throttling_burst_limit: i64::try_from(throttle.burst_limit).ok(),
            throttling_rate_limit: Some(throttle.rate_limit),
            ..MethodSetting::default()
        }
    }
}

/// `accessLogSettings`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AccessLogSettings {
    /// `destinationArn`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_arn: Option<String>,
    /// `format`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

/// `canarySettings`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CanarySettings {
    /// `deploymentId`
    pub deployment_id: String,
    /// `percentTraffic`, 0.0 to 100.0.
    pub percent_traffic: f64,
    /// `useStageCache`
    pub use_stage_cache: bool,
    /// `stageVariableOverrides`; `None` where none were ever said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage_variable_overrides: Option<BTreeMap<String, String>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_found_in_both_spellings() {
        let mut stage = Stage::default();
        let setting = |ttl| MethodSetting { cache_ttl_in_seconds: ttl, ..MethodSetting::default() };
        stage.method_settings.insert("*/*".to_owned(), setting(1));
        stage.method_settings.insert("a/b/GET".to_owned(), setting(2));
        stage.method_settings.insert("~1c~1d/POST".to_owned(), setting(3));
        let ttl = |path, method| stage.method_setting(path, method).map(|found| found.cache_ttl_in_seconds);
        assert_eq!(ttl("/a/b", "GET"), Some(2));
        assert_eq!(ttl("/c/d", "POST"), Some(3));
        assert_eq!(ttl("/c/d", "GET"), Some(1));
    }

    #[test]
    fn a_rate_is_enforced_only_when_set() {
        assert_eq!(MethodSetting::default().throttle(), None);
        let rate = MethodSetting { throttling_rate_limit: Some(2.5), ..MethodSetting::default() };
        assert_eq!(rate.throttle(), Some(Throttle { rate_limit: 2.5, burst_limit: 5_000 }));
        let off = MethodSetting { throttling_rate_limit: Some(-1.0), ..MethodSetting::default() };
        assert_eq!(off.throttle(), None);
    }
}
