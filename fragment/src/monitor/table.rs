//! A snapshot as a table for people.
//!
//! Invariant: no line is longer than the width that it is given.

use super::unit;
use crate::run::{ConnectionSnapshot, OperatorSnapshot, Snapshot};

/// The snapshot as a table, in lines of at most `width` letters; rates are since the one before it.
#[must_use]
pub fn table(now: &Snapshot, before: &Snapshot, width: usize) -> String {
    let change = Change { now, before };
    let rows = now.operators.iter().map(|operator| change.operator_row(operator));
    let head = ["operator", "state", "ticks", "per s", "busy", "last"];
    let mut text = aligned(head.into(), rows.collect(), width);
    if !now.connections.is_empty() {
        let rows = now.connections.iter().map(|connection| change.connection_row(connection));
        let head = ["connection", "by", "queue", "per s", "dropped", "lost", "copied", "p50", "p99", "max"];
        let mut rows: Vec<_> = rows.collect();
        let mut head = Vec::from(head);
        // What hardly ever happens takes no room until it does.
        for name in ["dropped", "lost"] {
            let Some(column) = head.iter().position(|title| *title == name) else { continue };
            if rows.iter().all(|row| row[column] == "0") {
                head.remove(column);
                rows.iter_mut().for_each(|row| _ = row.remove(column));
            }
        }
        text.push('\n');
        text += &aligned(head, rows, width);
    }
    text
}

/// What happened between two snapshots.
pub(super) struct Change<'s> {
    pub(super) now: &'s Snapshot,
    pub(super) before: &'s Snapshot,
}

impl Change<'_> {
    fn time(&self) -> std::time::Duration {
        self.now.time.saturating_sub(self.before.time)
    }

    pub(super) fn per_second(&self, events: u64) -> f64 {
        let seconds = self.time().as_secs_f64();
        if seconds > 0.0 { events as f64 / seconds } else { 0.0 }
    }

    fn operator_before(&self, operator: &OperatorSnapshot) -> Option<&OperatorSnapshot> {
        self.before.operators.iter().find(|known| known.name == operator.name)
    }

    pub(super) fn ticks(&self, operator: &OperatorSnapshot) -> u64 {
        operator.ticks.saturating_sub(self.operator_before(operator).map_or(0, |known| known.ticks))
    }

    /// The part of the time that `compute` ran, from 0 to 1.
    pub(super) fn busy(&self, operator: &OperatorSnapshot) -> f64 {
        let before = self.operator_before(operator).map_or_else(Default::default, |known| known.busy);
        let part = operator.busy.saturating_sub(before).as_secs_f64() / self.time().as_secs_f64();
        if part.is_finite() { part.min(1.0) } else { 0.0 }
    }

    pub(super) fn sent(&self, connection: &ConnectionSnapshot) -> u64 {
        let before = self.before.connections.iter().find(|known| known.name == connection.name);
        connection.counts.sent.saturating_sub(before.map_or(0, |known| known.counts.sent))
    }

    fn operator_row(&self, operator: &OperatorSnapshot) -> Vec<String> {
        vec![
            operator.name.clone(),
            operator.state.to_string(),
            operator.ticks.to_string(),
            unit::rate(self.ticks(operator), self.time()),
            format!("{:.0} %", 100.0 * self.busy(operator)),
            unit::duration(operator.last),
        ]
    }

    fn connection_row(&self, connection: &ConnectionSnapshot) -> Vec<String> {
        let counts = &connection.counts;
        let latency = connection.latency;
        let latency = latency.map(|latency| [latency.median, latency.p99, latency.max].map(unit::duration));
        let [p50, p99, max] = latency.unwrap_or_else(|| ["–", "–", "–"].map(str::to_owned));
        vec![
            connection.name.clone(),
            connection.transport.clone(),
            format!("{}/{}", counts.queued(), connection.capacity),
            unit::rate(self.sent(connection), self.time()),
            counts.dropped.to_string(),
            counts.lost.to_string(),
            unit::bytes(counts.copied_bytes),
            p50,
            p99,
            max,
        ]
    }
}

/// Columns as wide as they must be: the first two to the left, the others to the right. The first one gives way if the
/// lines become too long.
fn aligned(head: Vec<&str>, rows: Vec<Vec<String>>, width: usize) -> String {
    let head = head.into_iter().map(str::to_owned).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let letters = |cell: &String| cell.chars().count();
    let widest = |column: usize| rows.iter().map(|row| letters(&row[column])).max().unwrap_or_default();
    let mut widths: Vec<usize> = (0..rows[0].len()).map(widest).collect();
    let others = widths[1..].iter().map(|width| width + 2).sum::<usize>();
    widths[0] = widths[0].min(width.saturating_sub(others).max(8));
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let (cell, width) = (cut(cell, *width), *width);
            line += &match column {
                0 => format!("{cell:<width$}"),
                1 => format!("  {cell:<width$}"),
                _ => format!("  {cell:>width$}"),
            };
        }
        text += &cut(line.trim_end(), width);
        text.push('\n');
    }
    text
}

/// The text, or its beginning and end around `…`.
fn cut(text: &str, width: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= width {
        return text.to_owned();
    }
    let Some(room) = width.checked_sub(1) else { return String::new() };
    let (head, tail) = (room - room / 2, room / 2);
    let ends = letters[..head].iter().chain(['…'].iter()).chain(&letters[letters.len() - tail..]);
    ends.collect()
}
