//! What an application does at this moment, as plain data.
//!
//! Not here: how it is drawn. Invariant: a snapshot of a part of an application can be merged with those of the others.

use std::{fmt, time::Duration};

use podwire_codec_derive::Codec;

/// What an application, or the part of it that runs in one process, does at one moment.
#[derive(Clone, Debug, Default, PartialEq, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct Snapshot {
    /// Time since it was started.
    pub time: Duration,
    /// Its operators.
    pub operators: Vec<OperatorSnapshot>,
    /// Its connections.
    pub connections: Vec<ConnectionSnapshot>,
}

/// What an operator does at one moment.
#[derive(Clone, Debug, Default, PartialEq, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct OperatorSnapshot {
    /// Its full name: `fragment1.ping`.
    pub name: String,
    /// What it does.
    pub state: OperatorState,
    /// How often `compute` has begun.
    pub ticks: u64,
    /// The same by second, since the snapshot before this one.
    pub rate: f64,
    /// How long `compute` took the last time.
    pub last: Duration,
    /// How long it took altogether.
    pub busy: Duration,
}

/// What an operator does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub enum OperatorState {
    /// Its thread has not begun.
    #[default]
    Ready,
    /// In `start`.
    Starting,
    /// It waits for messages, or for its time.
    Waiting,
    /// In `compute`.
    Computing,
    /// In `compute`, and waits for room in a connection.
    Blocked,
    /// In `stop`.
    Stopping,
    /// It has ended.
    Ended,
}

/// What goes on in a connection at one moment, as far as the process knows.
#[derive(Clone, Debug, Default, PartialEq, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct ConnectionSnapshot {
    /// Its name: `fragment1.ping.out>fragment2.pong.in`.
    pub name: String,
    /// The transport that carries it: `local`, `fastio`, `ucx`, `zenoh`, or one of the application's own.
    pub transport: String,
    /// Messages that can wait in it.
    pub capacity: u64,
    /// What went through it.
    pub counts: Counts,
    /// How long messages take from `emit` to `receive`, if it was measured.
    pub latency: Option<Latency>,
}

/// What went through a connection, in messages where nothing else is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct Counts {
    /// Emitted into it.
    pub sent: u64,
    /// Received from it.
    pub received: u64,
    /// Given up on purpose: dropped by `WhenFull::DropOldest`, or not wanted because the receiving operator had ended.
    pub dropped: u64,
    /// Lost with a process that died.
    pub lost: u64,
    /// Bytes of arrays and bulk data that had to be copied, because they did not lie where they could be shared.
    pub copied_bytes: u64,
}

/// How long messages take from `emit` to `receive`; one in sixteen is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct Latency {
    /// Half of the messages took no longer than this.
    pub median: Duration,
    /// 90 of 100 took no longer.
    pub p90: Duration,
    /// 99 of 100 took no longer.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

impl Counts {
    /// Messages that wait.
    #[must_use]
    pub fn queued(&self) -> u64 {
        self.sent.saturating_sub(self.received + self.dropped + self.lost)
    }

    /// The same connection, seen from both its ends.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.sent = self.sent.max(other.sent);
        self.received = self.received.max(other.received);
        self.dropped = self.dropped.max(other.dropped);
        self.lost = self.lost.max(other.lost);
        self.copied_bytes = self.copied_bytes.max(other.copied_bytes);
    }
}

impl Snapshot {
    /// Whether both show an operator.
    #[cfg(feature = "distributed")]
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.operators.iter().any(|ours| other.operators.iter().any(|theirs| ours.name == theirs.name))
    }

    /// Adds the snapshot of another process of the same application: what both know of a connection becomes one.
    pub fn merge(&mut self, other: Self) {
        self.time = self.time.max(other.time);
        self.operators.extend(other.operators);
        for connection in other.connections {
            match self.connections.iter_mut().find(|known| known.name == connection.name) {
                Some(known) => {
                    known.counts.merge(&connection.counts);
                    known.latency = known.latency.or(connection.latency);
                }
                None => self.connections.push(connection),
            }
        }
    }
}

impl fmt::Display for OperatorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ready => "ready",
            Self::Starting => "starting",
            Self::Waiting => "waiting",
            Self::Computing => "computing",
            Self::Blocked => "blocked",
            Self::Stopping => "stopping",
            Self::Ended => "ended",
        })
    }
}
