//! Which runtime this machine allows: io_uring with the features that `ring` leans on, or the portable one.
//!
//! Container seccomp profiles and `kernel.io_uring_disabled` forbid io_uring in many places, so the answer is found
//! by trying, once at start, and told in one log line.

use super::ring::Ring;

/// A runtime by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Our own loop on io_uring.
    Ring,
    /// Epoll.
    Portable,
}

impl Kind {
    /// `ring` or `portable`, as the setting spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Ring => "ring",
            Kind::Portable => "portable",
        }
    }
}

/// Tries to set up a ring as a shard would. The error says which step the kernel refused.
///
/// # Errors
/// io_uring is missing, forbidden, or older than Linux 6.1.
pub fn probe_ring() -> std::io::Result<()> {
    Ring::new(super::ring::Shape { buffers_max: 64, ..super::ring::Shape::default() }).map(drop)
}
