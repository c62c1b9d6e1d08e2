//! The clock of the host, which all its processes share.
//!
//! Invariant: two processes with one [`id`] read the same clock.

use std::{fs, sync::OnceLock};

use rustix::time::{ClockId, clock_gettime};

use crate::transport::name;

/// Nanoseconds of the host's monotonic clock.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Which clock that is: of this boot of this kernel, and, as containers can move it, of this time namespace. `None` where
/// that cannot be found out.
pub(crate) fn id() -> Option<u128> {
    static ID: OnceLock<Option<u128>> = OnceLock::new();
    *ID.get_or_init(|| {
        let mut id = fs::read("/proc/sys/kernel/random/boot_id").ok()?;
        // A kernel without time namespaces has one clock.
        let namespace = fs::read_link("/proc/self/ns/time").unwrap_or_default();
        id.extend(namespace.as_os_str().as_encoded_bytes());
        Some(name::hash(&id))
    })
}
