//! The allocator of the binary, asked to give memory back.

use libmimalloc_sys as _;

unsafe extern "C" {
    /// Linked with that crate, which declares it only together with everything else that mimalloc has.
    fn mi_collect(force: bool);
}

/// Gives the kernel what the calling thread has freed and the allocator keeps: the more there is, the longer it takes, so it
/// is for times of rest. In a program with another allocator it does nothing of use, and no harm.
pub(crate) fn give_back() {
    // SAFETY: mimalloc allows this call at any time on any thread; it touches memory of its own only.
    unsafe { mi_collect(true) };
}
