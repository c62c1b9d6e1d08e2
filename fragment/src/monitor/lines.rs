//! A snapshot as lines for programs: one for each operator and each connection, of `key=value`.
//!
//! Invariant: values have no spaces, and their units stand in their keys.

use std::{fmt::Write, time::Duration};

use super::table::Change;
use crate::run::Snapshot;

/// The snapshot as lines; rates are since the one before it.
#[must_use]
pub fn lines(now: &Snapshot, before: &Snapshot) -> String {
    let change = Change { now, before };
    let seconds = now.time.as_secs_f64();
    let mut text = String::new();
    for operator in &now.operators {
        let _ = writeln!(
            text,
            "monitor time_s={seconds:.3} operator={} state={} ticks={} ticks_per_s={:.1} busy={:.3} last_us={}",
            operator.name,
            operator.state,
            operator.ticks,
            change.per_second(change.ticks(operator)),
            change.busy(operator),
            microseconds(operator.last),
        );
    }
    for connection in &now.connections {
        let counts = &connection.counts;
        let _ = write!(
            text,
            "monitor time_s={seconds:.3} connection={} transport={} queue={} capacity={} sent={} sent_per_s={:.1} received={} \
             dropped={} lost={} copied_bytes={}",
            connection.name,
            connection.transport,
            counts.queued(),
            connection.capacity,
            counts.sent,
            change.per_second(change.sent(connection)),
            counts.received,
            counts.dropped,
            counts.lost,
            counts.copied_bytes,
        );
        if let Some(latency) = &connection.latency {
            let [p50, p90, p99, max] =
                [latency.median, latency.p90, latency.p99, latency.max].map(microseconds);
            let _ = write!(text, " p50_us={p50} p90_us={p90} p99_us={p99} max_us={max}");
        }
        text.push('\n');
    }
    text
}

fn microseconds(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1000.0
}
