//! A stage: a name, its variables, its throttle.

use std::collections::BTreeMap;

/// A rate limit: tokens a second, and tokens saved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Throttle {
    /// `rateLimit`
    pub rate_limit: f64,
    /// `burstLimit`
    pub burst_limit: u64,
}

/// `Stage`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stage {
    /// `stageName`
    pub name: String,
    /// `variables`
    pub variables: BTreeMap<String, String>,
    /// The throttle of `*/*`: each method has a bucket of its own with these values.
    pub throttle: Option<Throttle>,
}
