//! Bounds on a message head.

use vocabulary::limits::{self, Limits};

/// How large a head may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes of the request target.
    pub target_bytes: usize,
    /// Bytes of the field lines with their line ends.
    pub fields_bytes: usize,
    /// Field lines.
    pub fields: usize,
}

impl From<&Limits> for HeadLimits {
    fn from(limits: &Limits) -> Self {
        HeadLimits {
            target_bytes: limits.url_bytes,
            fields_bytes: limits.header_total_bytes,
            fields: limits.header_count,
        }
    }
}

impl Default for HeadLimits {
    fn default() -> Self {
        HeadLimits::from(&Limits::default())
    }
}

impl HeadLimits {
    /// Bounds on the heads that backends send.
    #[must_use]
    pub fn backend() -> Self {
        HeadLimits {
            target_bytes: limits::BACKEND_HEADER_TOTAL_BYTES,
            fields_bytes: limits::BACKEND_HEADER_TOTAL_BYTES,
            fields: limits::BACKEND_HEADER_COUNT,
        }
    }
}
