//! Whether file descriptors or memory are about to run out. Where the system does not say how much
//! there may be, nothing is known of it.

use std::fs;

use super::meter::folders;

/// Of the file descriptors, how many may be in use, in percent.
const MOST_FILES: u64 = 90;
/// Of the memory.
const MOST_MEMORY: u64 = 95;

/// How many file descriptors are open, and how many there may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Open now.
    pub open: u64,
    /// At most.
    pub limit: u64,
}

/// How many file descriptors are open, and how many may be.
pub(super) fn files() -> Option<Files> {
    let limit = open_files(&fs::read_to_string("/proc/self/limits").ok()?)?;
    // The folder's size is the number of its entries since Linux 6.2, and zero before.
    let open = match fs::metadata("/proc/self/fd").ok()?.len() {
        0 => u64::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok()?,
        known => known,
    };
    Some(Files { open, limit })
}

/// What is running out, in the operator's words.
pub(super) fn shortage(files: Option<Files>) -> Option<String> {
    let files = files.filter(|files| is_over(files.open, files.limit, MOST_FILES));
    files
        .map(|Files { open, limit }| format!("{open} of {limit} file descriptors are open"))
        .or_else(|| {
            let (used, limit) = memory().filter(|(used, max)| is_over(*used, *max, MOST_MEMORY))?;
            let mib = |bytes| bytes / (1024 * 1024);
            Some(format!("{} of {} MiB of memory are in use", mib(used), mib(limit)))
        })
}

fn is_over(used: u64, limit: u64, percent: u64) -> bool {
    used > limit / 100 * percent + limit % 100 * percent / 100
}

/// The soft limit on open files.
fn open_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// What our control group uses and may use, in bytes: version 2, then version 1.
fn memory() -> Option<(u64, u64)> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let known = folders(&groups, "memory").find_map(|folder| {
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let number = |text: String| text.trim().parse::<u64>().ok();
        let pair = |used, max| Some((number(read(used)?)?, number(read(max)?)?));
        let (used, max) = pair("memory.current", "memory.max")
            .or_else(|| pair("memory.usage_in_bytes", "memory.limit_in_bytes"))?;
        let cached = read("memory.stat").map_or(0, |text| cached_files(&text));
        Some((used.saturating_sub(cached), max))
    });
    known.filter(|(_, max)| *max > 0)
}

/// What the kernel keeps of files, and lets go of when memory is needed: counted as used, but short
/// of nothing.
fn cached_files(stat: &str) -> u64 {
    let of = |name: &str| {
        let mut lines = stat.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(key, _)| *key == name)?.1.parse::<u64>().ok()
    };
    let both = |active, inactive| Some(of(active)?.saturating_add(of(inactive)?));
    // In version 1 those without the prefix are of the group without the groups in it.
    both("total_active_file", "total_inactive_file")
        .or_else(|| both("active_file", "inactive_file"))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Files, cached_files, files, is_over, open_files, shortage};

    #[test]
    fn reads_what_the_kernel_writes() {
        let limits = "Max processes             63000    63000    processes\n\
                      Max open files            1024     524288   files\n";
        assert_eq!(open_files(limits), Some(1024));
        assert_eq!(open_files("Max open files   unlimited   unlimited   files"), None);
        assert_eq!(cached_files("anon 5\nactive_file 3\ninactive_file 4\n"), 7);
        let one = "active_file 3\ninactive_file 4\ntotal_active_file 30\ntotal_inactive_file 40\n";
        assert_eq!(cached_files(one), 70);
        assert_eq!(cached_files("anon 5\n"), 0);
    }

    #[test]
    fn nine_of_ten_files_are_enough_and_more_are_not() {
        assert!(!is_over(900, 1_000, 90));
        assert!(is_over(901, 1_000, 90));
        assert!(!is_over(1, u64::MAX, 90));
        let said = shortage(Some(Files { open: 950, limit: 1_000 }));
        assert_eq!(said.as_deref(), Some("950 of 1000 file descriptors are open"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_open_file_is_counted() {
        // Other tests of this process open and close files: many more than they do must show.
        let before = files().unwrap();
        let open: Vec<_> =
            (0..500).map(|_| std::fs::File::open("/proc/self/limits").unwrap()).collect();
        assert!(files().unwrap().open > before.open + 250, "{before:?}");
        drop(open);
    }
}
