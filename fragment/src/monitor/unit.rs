//! Durations, bytes and rates in few letters.
//!
//! Invariant: at most seven letters, three digits of them at least where the number has as many.

use std::time::Duration;

/// `85 ns`, `1.25 µs`, `12.5 ms`, `3.00 s`, `120 s`.
pub(super) fn duration(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos() as f64;
    scaled(nanoseconds, 1000.0, &["ns", "µs", "ms", "s"])
}

/// `85 B`, `1.25 KiB`, `12.5 MiB`.
pub(super) fn bytes(bytes: u64) -> String {
    scaled(bytes as f64, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])
}

/// Events in a second: `0`, `0.50`, `120`, `1.25k`.
pub(super) fn rate(events: u64, time: Duration) -> String {
    if events == 0 || time.is_zero() {
        return "0".to_owned();
    }
    scaled(events as f64 / time.as_secs_f64(), 1000.0, &["", "k", "M", "G"]).replace(' ', "")
}

fn scaled(mut number: f64, step: f64, units: &[&str]) -> String {
    let mut unit = 0;
    // 999.6 is written as 1000, which is one of the next unit.
    while number >= step - 0.5 && unit + 1 < units.len() {
        number /= step;
        unit += 1;
    }
    let is_whole = unit == 0 && number.fract() == 0.0;
    let digits = if is_whole || number >= 99.95 {
        0
    } else if number >= 9.995 {
        1
    } else {
        2
    };
    format!("{number:.digits$} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_a_unit() {
        for (nanoseconds, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1000, "1.00 µs"),
            (9_994, "9.99 µs"),
            (9_996, "10.0 µs"),
            (99_960, "100 µs"),
            (999_700, "1.00 ms"),
            (59_000_000_000, "59.0 s"),
            (3_600_000_000_000, "3600 s"),
        ] {
            assert_eq!(duration(Duration::from_nanos(nanoseconds)), text);
        }
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024), "1.00 KiB");
        assert_eq!(bytes(u64::MAX), "16.0 EiB");
        assert_eq!(rate(0, Duration::ZERO), "0");
        assert_eq!(rate(1, Duration::from_secs(2)), "0.50");
        assert_eq!(rate(200, Duration::from_secs(1)), "200");
        assert_eq!(rate(1_234_567, Duration::from_secs(1)), "1.23M");
    }
}
