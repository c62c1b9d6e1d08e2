//! Alarms of a machine, which its loop waits for together with events.
//!
//! Invariant: an alarm that is set again, or silenced, does not ring for what it was set before.

use std::{
    collections::BTreeMap,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

/// Alarms by name, and when they ring.
pub(super) struct Alarms<A>(BTreeMap<A, Instant>);

/// What a loop woke up for.
pub(super) enum Woken<E, A> {
    Event(E),
    Alarm(A),
    /// Nothing can come any more.
    Alone,
}

impl<A: Copy + Ord> Alarms<A> {
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// An alarm for a time that no clock reaches never rings.
    pub(super) fn set(&mut self, alarm: A, after: Duration) {
        self.silence(alarm);
        self.0.extend(Instant::now().checked_add(after).map(|at| (alarm, at)));
    }

    pub(super) fn silence(&mut self, alarm: A) {
        self.0.remove(&alarm);
    }

    /// The next event, or the alarm that rings before one comes.
    pub(super) fn wait<E>(&mut self, events: &Receiver<E>) -> Woken<E, A> {
        let Some((alarm, at)) = self.0.iter().min_by_key(|(_, at)| **at).map(|(alarm, at)| (*alarm, *at))
        else {
            return events.recv().map_or(Woken::Alone, Woken::Event);
        };
        match events.recv_timeout(at.saturating_duration_since(Instant::now())) {
            Ok(event) => Woken::Event(event),
            Err(RecvTimeoutError::Timeout) => {
                self.0.remove(&alarm);
                Woken::Alarm(alarm)
            }
            Err(RecvTimeoutError::Disconnected) => Woken::Alone,
        }
    }
}
