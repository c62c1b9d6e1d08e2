//! Dates, times and spans, to the nanosecond: points of time as `SystemTime`, spans as seconds and nanoseconds.
//!
//! A leap second has 10^9 nanoseconds and more, as chrono has it; nothing is lost, but `SystemTime` refuses it.
#![allow(unsafe_code, reason = "the traits' methods for types with a layout are unsafe")]

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};

use crate::types::through::through;

/// The day from which days are counted.
const EPOCH: NaiveDate = DateTime::<Utc>::UNIX_EPOCH.naive_utc().date();

const NANOS: i32 = 1_000_000_000;

through! {
    [] DateTime<Utc> as (i64, u32), "a time that chrono has":
        |time| (time.timestamp(), time.timestamp_subsec_nanos()),
        |(seconds, nanos)| at(seconds, nanos);

    [] NaiveDateTime as (i64, u32), "a time that chrono has":
        |time| (time.and_utc().timestamp(), time.and_utc().timestamp_subsec_nanos()),
        |(seconds, nanos)| Some(at(seconds, nanos)?.naive_utc());

    [] DateTime<FixedOffset> as (i64, u32, i32), "a time that chrono has, and an offset of less than a day":
        |time| (time.timestamp(), time.timestamp_subsec_nanos(), time.offset().local_minus_utc()),
        at_offset;

    [] NaiveDate as i32, "a date that chrono has": days, |days| {
        EPOCH.checked_add_signed(TimeDelta::try_days(days.into())?)
    };

    [] NaiveTime as (u32, u32), "a time of day":
        |time| (time.num_seconds_from_midnight(), time.nanosecond()),
        |(seconds, nanos)| {
            NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0)?.with_nanosecond(nanos)
        };

    [] TimeDelta as (i64, u32), "a span that chrono has": span, |(seconds, nanos)| TimeDelta::new(seconds, nanos);
}

/// Days since 1970.
fn days(date: &NaiveDate) -> i32 {
    // chrono's years have six digits, so that their days fit with room to spare.
    i32::try_from(date.signed_duration_since(EPOCH).num_days()).unwrap_or_default()
}

/// A point of time. chrono makes leap seconds at the end of a minute only, but has them anywhere: by `with_nanosecond`, or at
/// an offset of less than a minute.
fn at(seconds: i64, nanos: u32) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0)?.with_nanosecond(nanos)
}

/// A point of time, as it is shown at an offset from UTC in seconds, east of it positive. The time that is shown may lie
/// beyond those that chrono has.
fn at_offset((seconds, nanos, offset): (i64, u32, i32)) -> Option<DateTime<FixedOffset>> {
    let offset = FixedOffset::east_opt(offset)?;
    let time = at(seconds, nanos)?;
    time.naive_utc().checked_add_offset(offset)?;
    Some(time.with_timezone(&offset))
}

/// Seconds, rounded down, and the nanoseconds from there.
fn span(span: &TimeDelta) -> (i64, u32) {
    match (span.num_seconds(), span.subsec_nanos()) {
        (seconds, nanos @ 0..) => (seconds, nanos.unsigned_abs()),
        (seconds, nanos) => (seconds - 1, (NANOS + nanos).unsigned_abs()),
    }
}
