//! What figures were taken on, in the same words for every benchmark, each of which takes this file in by its path.
//!
//! Not here: what they were built with. Invariant: the standard library is enough for it.

use std::fs::read_to_string;

/// One line that says on what was measured.
pub(crate) fn describe() -> String {
    // Of what keeps to some processors only, those count.
    let count = std::thread::available_parallelism().map_or(0, usize::from);
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("?").to_owned();
    format!("{}, {count} processors, Linux {}, load {load} before", processor(), kernel())
}

/// The processor, as its maker calls it.
pub(crate) fn processor() -> String {
    let info = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, model)| model.trim().to_owned())
}

/// The version of the kernel; what a distribution or a host adds to it says nothing here.
pub(crate) fn kernel() -> String {
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    kernel.trim().split('-').next().unwrap_or_default().to_owned()
}
