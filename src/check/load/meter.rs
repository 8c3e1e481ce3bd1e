//! What the kernel says of how we are served: the time that our threads were ready to run and did
//! not, and what the limits of our control group took from us. Where it says nothing (no Linux, no
//! `schedstat`, no control group), nothing is known of it.
//!
//! What a hypervisor takes (`steal`) is not read: `/proc/stat` is long on large machines, and it
//! shows in how late the sampler itself is.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const TASKS: &str = "/proc/self/task";
/// Most threads that are looked at: each is a file.
const MOST_THREADS: usize = 256;

/// Reads how long we waited, from one look to the next.
#[derive(Debug)]
pub(super) struct Meter {
    /// What each of our threads had waited at the last look.
    waited: BTreeMap<OsString, Duration>,
    /// The control group's `cpu.stat`, and what it said at the last look.
    throttled: Option<(PathBuf, Duration)>,
}

impl Meter {
    /// A meter that counts from now on.
    pub(super) fn start() -> Self {
        let mut meter = Self { waited: BTreeMap::new(), throttled: cpu_stat() };
        meter.read();
        meter
    }

    /// How long we waited since the last look, over all of our threads: more than any one of them
    /// did, as nobody knows which of them a run was waiting for.
    pub(super) fn read(&mut self) -> Duration {
        self.threads() + self.throttling()
    }

    fn threads(&mut self) -> Duration {
        let Ok(threads) = fs::read_dir(TASKS) else { return Duration::ZERO };
        let mut waited = BTreeMap::new();
        let mut since = Duration::ZERO;
        for thread in threads.flatten().take(MOST_THREADS) {
            // It may have ended by now.
            let Ok(text) = fs::read_to_string(thread.path().join("schedstat")) else { continue };
            let Some(total) = run_delay(&text) else { continue };
            let name = thread.file_name();
            let before = self.waited.get(&name).copied().unwrap_or_default();
            since += total.saturating_sub(before);
            waited.insert(name, total);
        }
        self.waited = waited;
        since
    }

    fn throttling(&mut self) -> Duration {
        let Some((path, before)) = &mut self.throttled else { return Duration::ZERO };
        let total = fs::read_to_string(path).ok().and_then(|text| throttled(&text));
        let total = total.unwrap_or(*before);
        total.saturating_sub(std::mem::replace(before, total))
    }
}

/// Where our control group says how long it was kept from running: version 2, then version 1. One
/// without a limit is not asked again and again.
fn cpu_stat() -> Option<(PathBuf, Duration)> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    folders(&groups, "cpu").find_map(|folder| {
        let path = folder.join("cpu.stat");
        let limited = is_limited(&folder);
        let said = throttled(&fs::read_to_string(&path).ok()?)?;
        limited.then_some((path, said))
    })
}

fn is_limited(folder: &Path) -> bool {
    let read = |name| fs::read_to_string(folder.join(name)).ok();
    let limit = read("cpu.max").or_else(|| read("cpu.cfs_quota_us"));
    limit.is_some_and(|limit| !limit.starts_with("max") && !limit.starts_with('-'))
}

/// The folders in which our control group may stand for `controller`, as `/proc/self/cgroup` has
/// it. Inside of a container that text may be the host's while the folder is the group's own.
pub(super) fn folders(groups: &str, controller: &str) -> impl Iterator<Item = PathBuf> {
    let folders = groups.lines().filter_map(move |line| {
        let mut parts = line.splitn(3, ':');
        let (number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let root = if number == "0" && controllers.is_empty() {
            PathBuf::from("/sys/fs/cgroup")
        } else if controllers.split(',').any(|one| one == controller) {
            Path::new("/sys/fs/cgroup").join(controller)
        } else {
            return None;
        };
        Some([root.join(path.trim_start_matches('/')), root])
    });
    folders.flatten().collect::<Vec<_>>().into_iter()
}

/// The second number of a `schedstat`, in nanoseconds: ready to run, and not running.
fn run_delay(text: &str) -> Option<Duration> {
    text.split_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

/// What a `cpu.stat` says: in microseconds in version 2, and in nanoseconds in version 1.
fn throttled(text: &str) -> Option<Duration> {
    text.lines().find_map(|line| match line.split_once(' ')? {
        ("throttled_usec", number) => number.parse().ok().map(Duration::from_micros),
        ("throttled_time", number) => number.parse().ok().map(Duration::from_nanos),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::{Meter, folders, run_delay, throttled};

    #[test]
    fn reads_what_the_kernel_writes() {
        assert_eq!(run_delay("3960931 11310837 49\n"), Some(Duration::from_nanos(11_310_837)));
        assert_eq!(run_delay("nonsense"), None);
        let two = "usage_usec 9\nnr_throttled 1\nthrottled_usec 2500\n";
        assert_eq!(throttled(two), Some(Duration::from_micros(2_500)));
        let one = "nr_periods 4\nnr_throttled 1\nthrottled_time 2500000\n";
        assert_eq!(throttled(one), Some(Duration::from_micros(2_500)));
        assert_eq!(throttled("usage_usec 9\n"), None);
    }

    #[test]
    fn finds_the_control_group_in_both_versions() {
        let found = |text: &str| folders(text, "cpu").collect::<Vec<PathBuf>>();
        let two = ["/sys/fs/cgroup/system.slice/farol.service", "/sys/fs/cgroup"];
        assert_eq!(found("0::/system.slice/farol.service\n"), two.map(PathBuf::from));
        let one = ["/sys/fs/cgroup/cpu/docker/ab", "/sys/fs/cgroup/cpu"];
        assert_eq!(found("5:devices:/x\n1:cpu,cpuacct:/docker/ab\n"), one.map(PathBuf::from));
        assert_eq!(found("nonsense\n"), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_look_tells_only_what_came_since_the_last() {
        let mut meter = Meter::start();
        // Whatever the machine does, a process of a few threads cannot have waited for a minute.
        assert!(meter.read() < Duration::from_secs(60));
    }
}
