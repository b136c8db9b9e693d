//! Descriptors that a process was started with.

use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Takes a descriptor that whoever started this process left open for it, such as systemd (sd_listen_fds(3)), and marks it
/// to be closed for programs that this one starts. To be asked for each number once, before anything else is opened.
///
/// # Errors
/// `InvalidInput`: 0, 1 and 2 are standard input and output. Of the system: no such descriptor is open.
pub fn inherited(number: RawFd) -> io::Result<OwnedFd> {
    if number <= 2 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: the number isn't -1, and it is only asked about: one that isn't open is answered by an error.
    let seen = unsafe { BorrowedFd::borrow_raw(number) };
    rustix::io::fcntl_setfd(seen, rustix::io::FdFlags::CLOEXEC)?;
    // SAFETY: it is open, as was just seen; nothing of this process opened it or holds it, since it came with the process
    // and callers ask once.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::IntoRawFd;

    #[test]
    fn only_what_is_open_is_taken() {
        let number = std::fs::File::open("/dev/null").expect("opens").into_raw_fd();
        assert!(inherited(number).is_ok());
        assert!(inherited(1).is_err() && inherited(999_999).is_err());
    }
}
