//! What is counted while an application runs.
//!
//! Not here: what queues and links count themselves. Invariant: one thread writes, any other reads at any time; so a count
//! costs as much as a plain variable.

use std::{
    sync::{
        OnceLock,
        atomic::{
            AtomicBool, AtomicU8, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    time::Duration,
};

use super::{
    report::{Because, OperatorReport},
    snapshot::{Counts, Latency, OperatorState},
};

/// What one operator did.
#[derive(Debug, Default)]
pub(crate) struct OperatorCounters {
    state: AtomicU8,
    pub(crate) ticks: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) emitted: AtomicU64,
    /// Nanoseconds in `compute`: the last time, and altogether.
    pub(crate) last: AtomicU64,
    pub(crate) busy: AtomicU64,
    because: OnceLock<Because>,
}

impl OperatorCounters {
    pub(crate) fn set_state(&self, state: OperatorState) {
        self.state.store(state as u8, Release);
    }

    pub(crate) fn state(&self) -> OperatorState {
        use OperatorState::{Blocked, Computing, Ended, Ready, Starting, Stopping, Waiting};
        let all = [Ready, Starting, Waiting, Computing, Blocked, Stopping, Ended];
        all[usize::from(self.state.load(Acquire))]
    }

    /// Notes why the operator ended, once and for all.
    pub(crate) fn ended(&self, because: Because) {
        // Only the thread of the operator comes here, and once.
        let _ = self.because.set(because);
        self.set_state(OperatorState::Ended);
    }

    pub(crate) fn report(&self, name: &str) -> OperatorReport {
        let counts = [&self.ticks, &self.received, &self.emitted];
        let [ticks, received, emitted] = counts.map(|count| count.load(Relaxed));
        let because = self.because.get().copied().unwrap_or_default();
        OperatorReport { name: name.into(), ticks, received, emitted, because }
    }

    pub(crate) fn computed(&self, time: Duration) {
        let nanoseconds = time.as_nanos() as u64;
        self.last.store(nanoseconds, Relaxed);
        add(&self.busy, nanoseconds);
    }
}

/// Adds to a count that no other thread writes.
pub(crate) fn add(count: &AtomicU64, more: u64) {
    count.store(count.load(Relaxed) + more, Relaxed);
}

/// What an end of a link counted, so that other threads can read it.
#[derive(Debug, Default)]
pub(crate) struct LinkCounters {
    sent: AtomicU64,
    received: AtomicU64,
    dropped: AtomicU64,
    lost: AtomicU64,
    copied_bytes: AtomicU64,
    /// What carries the link in place of its transport, and whether it does so now.
    detour: (OnceLock<&'static str>, AtomicBool),
}

impl LinkCounters {
    pub(crate) fn store(&self, counts: &Counts) {
        self.sent.store(counts.sent, Relaxed);
        self.received.store(counts.received, Relaxed);
        self.dropped.store(counts.dropped, Relaxed);
        self.lost.store(counts.lost, Relaxed);
        self.copied_bytes.store(counts.copied_bytes, Relaxed);
    }

    pub(crate) fn set_detour(&self, by: Option<&'static str>) {
        if let Some(by) = by {
            self.detour.0.get_or_init(|| by);
        }
        self.detour.1.store(by.is_some(), Relaxed);
    }

    /// What carries the link, where that is not its transport.
    pub(crate) fn detour(&self) -> Option<&'static str> {
        self.detour.0.get().copied().filter(|_| self.detour.1.load(Relaxed))
    }

    pub(crate) fn load(&self) -> Counts {
        Counts {
            sent: self.sent.load(Relaxed),
            received: self.received.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            lost: self.lost.load(Relaxed),
            copied_bytes: self.copied_bytes.load(Relaxed),
        }
    }
}

/// Four steps for each doubling, from 1 ns to about 18 minutes.
const STEPS: usize = 4 * 40;

/// How long messages took, counted by logarithmic steps.
#[derive(Debug)]
pub(crate) struct Latencies([AtomicU64; STEPS]);

impl Default for Latencies {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; STEPS])
    }
}

impl Latencies {
    /// Notes a time in nanoseconds.
    pub(crate) fn note(&self, nanoseconds: u64) {
        add(&self.0[step(nanoseconds)], 1);
    }

    /// The percentiles, each as the end of its step.
    pub(crate) fn percentiles(&self) -> Option<Latency> {
        let counts: Vec<u64> = self.0.iter().map(|count| count.load(Relaxed)).collect();
        let all: u64 = counts.iter().sum();
        if all == 0 {
            return None;
        }
        let below = |share: u64| {
            let wanted = (all * share).div_ceil(100).max(1);
            let mut sum = 0;
            let step = counts.iter().position(|count| {
                sum += count;
                sum >= wanted
            });
            end_of(step.unwrap_or(STEPS - 1))
        };
        Some(Latency { median: below(50), p90: below(90), p99: below(99), max: below(100) })
    }
}

fn step(nanoseconds: u64) -> usize {
    let value = nanoseconds.max(4);
    let doubling = value.ilog2() as usize;
    // The two bits below the highest one.
    let quarter = (value >> (doubling - 2)) as usize & 3;
    (4 * (doubling - 2) + quarter).min(STEPS - 1)
}

fn end_of(step: usize) -> Duration {
    let (doubling, quarter) = (step / 4 + 2, step as u64 % 4);
    Duration::from_nanos((5 + quarter) << (doubling - 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_at_most_a_quarter_less_than_the_end_of_its_step() {
        for nanoseconds in (4..5000).chain([1_000_000, 123_456_789_000]) {
            let end = end_of(step(nanoseconds)).as_nanos() as u64;
            assert!(nanoseconds < end && end <= nanoseconds + nanoseconds / 4 + 1, "{nanoseconds} {end}");
        }
        assert_eq!(step(u64::MAX), STEPS - 1);
    }
}
