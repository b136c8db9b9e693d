//! Buckets by name: they outlive plans, so that a redeploy doesn't refill them.

#![expect(clippy::disallowed_types, reason = "asked when a plan is linked, never by a request")]

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::Bucket;

/// The settings of a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Tokens a second; fractions are allowed.
    pub rate_per_s: f64,
    /// Tokens saved at most.
    pub burst: u64,
}

/// The node's buckets. Only linking asks it; requests hold their buckets.
#[derive(Debug, Default)]
pub struct Registry {
    buckets: RwLock<HashMap<String, (Rate, Arc<Bucket>)>>,
}

impl Registry {
    /// The bucket of that name. With other settings than before it starts anew, and full; with the same ones it keeps
    /// its fill.
    #[must_use]
    pub fn bucket(&self, name: &str, rate: Rate) -> Arc<Bucket> {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        match buckets.get(name) {
            Some((known, bucket)) if *known == rate => Arc::clone(bucket),
            _ => {
                let bucket = Arc::new(Bucket::new(rate.rate_per_s, rate.burst));
                buckets.insert(name.to_owned(), (rate, Arc::clone(&bucket)));
                bucket
            }
        }
    }

    /// Forgets buckets that no plan holds any more.
    pub fn prune(&self) {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        buckets.retain(|_, (_, bucket)| Arc::strong_count(bucket) > 1);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_same_settings_keep_the_fill() {
        let registry = Registry::default();
        let rate = Rate { rate_per_s: 1.0, burst: 1 };
        assert!(registry.bucket("a", rate).try_take(0));
        assert!(!registry.bucket("a", rate).try_take(0));
        assert!(registry.bucket("a", Rate { burst: 2, ..rate }).try_take(0));
        registry.prune();
        assert!(registry.bucket("a", rate).try_take(0));
    }
}
