//! How much memory this process may use: the host's, or less where a cgroup says so.

use std::fs;
use std::path::{Path, PathBuf};

/// Where cgroups are mounted: their limits, by version.
const ROOT: &str = "/sys/fs/cgroup";

/// Bytes that this process may use, as far as that can be read.
pub(crate) fn limit() -> Option<u64> {
    let host = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limits = files(&groups).into_iter().filter_map(|file| fs::read_to_string(file).ok());
    // A group without a limit says `max`, or a number above any memory.
    limits.filter_map(|text| text.trim().parse().ok()).chain(host).min()
}

/// `MemTotal` of /proc/meminfo (proc_meminfo(5)).
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The files that may bound a process of these groups (cgroups(7)): each group's, and those of the groups around it.
fn files(groups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let (root, name) = match controllers {
            "" => (PathBuf::from(ROOT), "memory.max"),
            _ if controllers.split(',').any(|controller| controller == "memory") => {
                (Path::new(ROOT).join("memory"), "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let own = root.join(path.trim_start_matches('/'));
        files.extend(
            own.ancestors().take_while(|folder| folder.starts_with(&root)).map(|folder| folder.join(name)),
        );
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_says_its_memory() {
        assert_eq!(total("MemTotal:       16384 kB\nMemFree: 1 kB\n"), Some(16 << 20));
        assert_eq!(total("MemFree: 1 kB\n"), None);
        assert!(limit().is_some_and(|bytes| bytes > 0));
    }

    #[test]
    fn every_group_around_the_process_may_bound_it() {
        let found = files("0::/a.slice/b.service\n");
        let names: Vec<_> = found.iter().map(|file| file.to_string_lossy()).collect();
        let expected = [
            "/sys/fs/cgroup/a.slice/b.service/memory.max",
            "/sys/fs/cgroup/a.slice/memory.max",
            "/sys/fs/cgroup/memory.max",
        ];
        assert_eq!(names, expected);
        let found = files("7:cpu,cpuacct:/x\n4:memory:/c\n1:name=systemd:/\n");
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0], Path::new("/sys/fs/cgroup/memory/c/memory.limit_in_bytes"));
    }
}
