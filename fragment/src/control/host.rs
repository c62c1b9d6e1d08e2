//! What this process is to the others: where it runs, what it is called, what it has to give.
//!
//! Invariant: two processes with one `HostId` can open the same shared memory.

use std::{fs, os::unix::fs::MetadataExt};

use super::words::{HostId, Resources};

/// Where shared memory lies.
fn shared_memory() -> std::path::PathBuf {
    let set = std::env::var_os("PODWIRE_SHM_DIR").filter(|path| !path.is_empty());
    set.unwrap_or_else(|| "/dev/shm".into()).into()
}

/// Which memory this process can share; one that can share none is alone.
pub(super) fn id(process: &str) -> HostId {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|text| text.trim().to_owned());
    let place = fs::metadata(shared_memory()).map(|found| (found.dev(), found.ino()));
    let (Ok(boot), Ok(memory)) = (boot, place) else {
        return HostId { boot: format!("process {process}"), ..HostId::default() };
    };
    HostId { boot, memory, user: rustix::process::geteuid().as_raw() }
}

/// For people: the host and the process.
pub(super) fn name() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}/{}", host.trim(), std::process::id())
}

/// What is free here; as many processors as it offers, if it says so.
pub(super) fn resources(offered: Option<u32>) -> Resources {
    let cores =
        offered.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32));
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let free = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:")?.split_whitespace().next()?.parse().ok());
    Resources { cores, memory: free.map_or(0, |kibibytes: u64| kibibytes << 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_a_place_a_name_and_something_to_give() {
        assert_eq!(id("1"), id("2"));
        assert!(name().ends_with(&format!("/{}", std::process::id())));
        assert!(resources(None).cores > 0 && resources(None).memory > 0);
    }
}
