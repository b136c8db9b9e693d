//! Memory by the page, taken from the kernel and given back to it without asking an allocator.

use std::io;
use std::ops::Range;
use std::ptr::NonNull;

/// A mapping of this process's own. It begins as zeros, and takes memory only where it was written to.
pub(super) struct Pages {
    start: NonNull<u8>,
    len: usize,
}

impl Pages {
    /// Maps `len` bytes, a number of whole pages.
    ///
    /// # Errors
    /// The kernel has no more address space for us.
    pub(super) fn new(len: usize) -> io::Result<Self> {
        let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping at a place of the kernel's choice touches no other memory.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), len, access, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Pages { start, len })
    }

    /// All of it.
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping is `len` bytes long, readable, initialised by the kernel, and lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// All of it, to be written to.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `bytes`; it is writable, and nobody else borrows it.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    /// Gives the memory of a range of whole pages back; it reads as zeros from then on. If the kernel refuses, all stays
    /// as it is.
    pub(super) fn give_back(&mut self, range: Range<usize>) {
        let len = self.bytes_mut()[range.clone()].len();
        // SAFETY: the range lies within the mapping (just sliced), which is private and anonymous, and nobody borrows it.
        let _ =
            unsafe { libc::madvise(self.start.as_ptr().add(range.start).cast(), len, libc::MADV_DONTNEED) };
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: mapped in `new` with this length; nobody borrows it any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_reads_as_zeros_and_the_rest_stays() {
        let mut pages = Pages::new(3 * 16_384).expect("maps");
        pages.bytes_mut().fill(7);
        pages.give_back(16_384..32_768);
        let bytes = pages.bytes();
        assert!(bytes[..16_384].iter().all(|&byte| byte == 7));
        assert!(bytes[16_384..32_768].iter().all(|&byte| byte == 0));
        assert!(bytes[32_768..].iter().all(|&byte| byte == 7));
        pages.bytes_mut()[20_000] = 9;
        assert_eq!(pages.bytes()[20_000], 9, "it can be used again");
    }
}
