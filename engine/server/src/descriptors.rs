//! Room for descriptors, made while the process still has one thread.
//!
//! The kernel's table of descriptors doubles when it is full, and in a process with several threads each doubling waits
//! until every core has passed a point of rest (`synchronize_rcu`): up to 24 ms were seen in which a shard accepts and
//! answers nobody. A process of one thread doesn't wait.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that the table has room for from the start. It takes 8 bytes for each of the kernel's memory.
const ROOM: u64 = 65_536;

/// Raises the limit of open files as far as this user may, and makes room in the table. What can't be had is left: the
/// node serves with less, and accepting stops and resumes at the limit.
pub(crate) fn make_room() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Nothing here uses select(2), for whose sake the soft limit is low.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(ROOM);
    let highest = ROOM.min(allowed).saturating_sub(1);
    if let Ok(highest) = i32::try_from(highest) {
        // The duplicate is closed at once; the table stays as large as it had to be.
        drop(rustix::io::fcntl_dupfd_cloexec(io::stderr(), highest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_as_high_as_it_may_be() {
        make_room();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        let table = std::fs::read_to_string("/proc/self/status").expect("a status");
        let size = table.lines().find_map(|line| line.strip_prefix("FDSize:")).expect("a size of the table");
        let size: u64 = size.trim().parse().expect("a number");
        assert!(size >= ROOM.min(limit.current.unwrap_or(ROOM)), "{size}");
    }
}
