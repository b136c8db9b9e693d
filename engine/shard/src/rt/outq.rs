//! What the kernel still holds of a socket's bytes.

use std::os::fd::{AsRawFd, BorrowedFd};

/// Bytes that were handed to the kernel and that the peer's side has not taken (`SIOCOUTQ`, tcp(7) and unix(7)); zero
/// where the kernel doesn't say.
pub(super) fn unacknowledged(descriptor: BorrowedFd<'_>) -> usize {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open for as long as it is borrowed, and this request writes one int.
    let outcome = unsafe { libc::ioctl(descriptor.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if outcome == 0 { usize::try_from(bytes).unwrap_or(0) } else { 0 }
}
