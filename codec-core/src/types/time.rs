//! Spans and points of time, to the nanosecond.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::time::Duration;
#[cfg(feature = "std")]
use std::time::{SystemTime, UNIX_EPOCH};

use super::through::through;

const NANOS: u32 = 1_000_000_000;

through! {
    [] Duration as (u64, u32), "a duration with less than a second of nanoseconds":
        |value| (value.as_secs(), value.subsec_nanos()),
        |(seconds, nanos)| (nanos < NANOS).then(|| Duration::new(seconds, nanos));

    #[cfg(feature = "std")]
    [] SystemTime as (i64, u32), "a time that this system has": since_epoch, at;
}

/// Seconds since 1970 in UTC, rounded down, and the nanoseconds from there.
#[cfg(feature = "std")]
fn since_epoch(time: &SystemTime) -> (i64, u32) {
    // A system's clock counts seconds in an `i64` at most, so that nothing here saturates.
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (0_i64.saturating_add_unsigned(after.as_secs()), after.subsec_nanos()),
        Err(before) => {
            let before = before.duration();
            match (0_i64.saturating_sub_unsigned(before.as_secs()), before.subsec_nanos()) {
                (seconds, 0) => (seconds, 0),
                (seconds, nanos) => (seconds.saturating_sub(1), NANOS - nanos),
            }
        }
    }
}

#[cfg(feature = "std")]
fn at((seconds, nanos): (i64, u32)) -> Option<SystemTime> {
    if nanos >= NANOS {
        return None;
    }
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let base = if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
    base?.checked_add(Duration::from_nanos(nanos.into()))
}
