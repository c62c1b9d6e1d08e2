//! What an application has done, once it has ended.
//!
//! Not here: counting, which the ends of connections do. Invariant: of each connection,
//! `sent == received + dropped + lost` once all its processes have reported.

use std::{error::Error as StdError, fmt, sync::Arc};

use podwire_codec_derive::Codec;

use super::snapshot::Counts;

/// What an application, or the part of it that ran in one process, has done.
#[derive(Clone, Debug, Default, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct Report {
    /// How it ended.
    pub ended: Ended,
    /// What failed, first things first.
    pub failures: Vec<Failure>,
    /// What its operators did.
    pub operators: Vec<OperatorReport>,
    /// What went through its connections.
    pub connections: Vec<ConnectionReport>,
}

/// How an application ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub enum Ended {
    /// All operators had done what they had to do.
    #[default]
    Done,
    /// It was asked to.
    Stopped {
        /// Full name of the operator that did, or nothing: [`Running::stop`](super::Running::stop).
        operator: String,
    },
    /// A signal came: 2 is Ctrl-C.
    Interrupted {
        /// The number of the signal.
        signal: i32,
    },
    /// Something failed: see [`Report::failures`].
    Failed,
}

/// What failed.
#[derive(Clone, Debug, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct Failure {
    /// Full name of the operator, or name of the worker.
    pub name: String,
    /// What it was doing.
    pub during: During,
    /// The error and its causes, outermost first; of a panic, its message.
    pub causes: Vec<String>,
    /// The error itself, if it happened in this process and was no panic.
    #[codec(skip)]
    pub error: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What an operator was doing when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub enum During {
    /// `start`.
    Start,
    /// `compute`.
    Compute,
    /// `stop`.
    Stop,
    /// `start`, by a panic.
    StartPanic,
    /// `compute`, by a panic.
    ComputePanic,
    /// `stop`, by a panic.
    StopPanic,
    /// Between its calls, by a panic of a transport that one of its connections has.
    TransportPanic,
    /// It had to end, and did not return within the grace period.
    Ending,
    /// It ran in a process that died.
    WorkerLost,
}

/// What an operator has done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct OperatorReport {
    /// Its full name: `fragment1.ping`.
    pub name: String,
    /// How often `compute` was called.
    pub ticks: u64,
    /// Messages that it received.
    pub received: u64,
    /// Messages that it emitted; one that goes to several receivers counts once.
    pub emitted: u64,
    /// Why it ended.
    pub because: Because,
}

/// Why an operator ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub enum Because {
    /// It did not: it was never started, or has not returned.
    #[default]
    NotEnded,
    /// It had run as often as it should.
    Count,
    /// It said [`Context::finish`](crate::Context::finish).
    Finished,
    /// Its inputs were closed, and empty.
    InputsClosed,
    /// It was part of a cycle in which nothing was on its way any more.
    CycleEnded,
    /// All receivers of its outputs had ended.
    Unheard,
    /// The application was being stopped.
    Stopping,
    /// It failed.
    Failed,
}

/// What went through a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct ConnectionReport {
    /// Its name: `fragment1.ping.out>fragment2.pong.in`.
    pub name: String,
    /// The transport that carried it: `local`, `fastio`, `ucx`, `zenoh`, or one of the application's own.
    pub transport: String,
    /// What went through it.
    pub counts: Counts,
}

impl Report {
    /// What an operator did, by its full name.
    #[must_use]
    pub fn operator(&self, name: &str) -> Option<&OperatorReport> {
        self.operators.iter().find(|operator| operator.name == name)
    }

    /// What went through a connection, by its name.
    #[must_use]
    pub fn connection(&self, name: &str) -> Option<&ConnectionReport> {
        self.connections.iter().find(|connection| connection.name == name)
    }

    /// What people are to know beside this: further failures, and what was lost.
    pub(crate) fn remarks(&self, told: &str, counts: bool) -> Vec<String> {
        let is_told = |failure: &&Failure| {
            told.contains(&failure.name) && failure.causes.iter().all(|cause| told.contains(cause))
        };
        let others = self.failures.iter().filter(|failure| failure.during != During::WorkerLost);
        let failures = others.filter(|failure| !is_told(failure)).map(ToString::to_string);
        let lost = self.connections.iter().filter(|connection| counts && connection.counts.lost > 0);
        let lost = lost.map(|connection| {
            let (messages, name) = (connection.counts.lost, &connection.name);
            format!("lost with a process that died: {messages} of the messages of {name}")
        });
        failures.chain(lost).collect()
    }

    /// Adds the report of another process of the same application: what both know of a connection becomes one.
    pub fn merge(&mut self, other: Self) {
        if self.ended == Ended::Done || other.ended == Ended::Failed {
            self.ended = other.ended;
        }
        self.failures.extend(other.failures);
        self.operators.extend(other.operators);
        for connection in other.connections {
            match self.connections.iter_mut().find(|known| known.name == connection.name) {
                Some(known) => known.counts.merge(&connection.counts),
                None => self.connections.push(connection),
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.during)?;
        self.causes.iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl fmt::Display for During {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "failed to start",
            Self::Compute => "failed",
            Self::Stop => "failed to stop",
            Self::StartPanic => "panicked in `start`",
            Self::ComputePanic => "panicked in `compute`",
            Self::StopPanic => "panicked in `stop`",
            Self::TransportPanic => "cannot go on: a transport panicked",
            Self::Ending => "had to end, and has not returned",
            Self::WorkerLost => "was in a process that died",
        })
    }
}
