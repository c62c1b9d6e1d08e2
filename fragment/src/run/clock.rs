//! The clock of the host, which all its processes share.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds of the host's monotonic clock.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
