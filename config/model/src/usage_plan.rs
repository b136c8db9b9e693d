//! Usage plans: which stages their keys open, how fast and how often.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// `period` of a quota.
    QuotaPeriod {
        Day = "DAY",
        Week = "WEEK",
        Month = "MONTH",
    }
}

/// `UsagePlan`; its id is its key. Its API keys are records of their own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UsagePlan {
    /// `name`
    pub name: String,
    /// `description`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `apiStages`, in the order they were added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub api_stages: Vec<ApiStage>,
    /// `throttle`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle: Option<ThrottleSettings>,
    /// `quota`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaSettings>,
    /// `productCode`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_code: Option<String>,
    /// `tags`
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// When it was made, in seconds of the Unix epoch; no call shows it.
    pub created_date: i64,
}

/// `apiStages[]`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiStage {
    /// `apiId`
    pub api_id: String,
    /// `stage`
    pub stage: String,
    /// `throttle`: `{path}/{METHOD}` to a rate; `None` where none was ever said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle: Option<BTreeMap<String, ThrottleSettings>>,
}

/// `ThrottleSettings`
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ThrottleSettings {
    /// `burstLimit`
    pub burst_limit: i64,
    /// `rateLimit`
    pub rate_limit: f64,
}

/// `QuotaSettings`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuotaSettings {
    /// `limit`
    pub limit: i64,
    /// `offset`: the day on which the period begins.
    pub offset: i64,
    /// `period`
    pub period: QuotaPeriod,
}

/// What UpdateUsage set for a key of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UsagePlanKey {
    /// When the key came to the plan, in seconds of the Unix epoch.
    pub created_date: i64,
    /// `remaining` as set by a call, and the day (since the Unix epoch) on which it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<(i64, i64)>,
}
