//! What people are told on standard error while an application of several processes runs.
//!
//! Invariant: one line each, which begins with `podwire:`.

use std::{collections::BTreeMap, fmt};

use super::words::Outcome;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    Waiting {
        fragments: Vec<String>,
    },
    Joined {
        worker: String,
        fragments: Vec<String>,
    },
    Refused {
        worker: String,
        why: String,
    },
    Placed {
        worker: String,
        fragments: Vec<String>,
    },
    /// A worker was told something else than the driver.
    Odd {
        worker: String,
        differences: Vec<String>,
    },
    Started,
    /// The connections between fragments, by transport.
    Carried {
        by: BTreeMap<String, Vec<String>>,
    },
    /// Connections that are not encrypted, although the control plane is.
    Readable {
        connections: Vec<String>,
    },
    Lost {
        worker: String,
        fragments: Vec<String>,
        waits: bool,
    },
    Stopping {
        outcome: Outcome,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("podwire: ")?;
        match self {
            Self::Waiting { fragments } => {
                write!(f, "waiting for workers for fragment {}", fragments.join(", "))
            }
            Self::Joined { worker, fragments } if fragments.is_empty() => {
                write!(f, "worker {worker} has joined")
            }
            Self::Joined { worker, fragments } => {
                write!(f, "worker {worker} has joined for fragment {}", fragments.join(", "))
            }
            Self::Refused { worker, why } => write!(f, "worker {worker} was refused: {why}"),
            Self::Placed { worker, fragments } => {
                write!(f, "worker {worker} runs fragment {}", fragments.join(", "))
            }
            Self::Odd { worker, differences } => {
                write!(f, "warning: worker {worker} was told something else: {}", differences.join("; "))
            }
            Self::Started => write!(f, "all fragments have started"),
            Self::Carried { by } => {
                let carried =
                    by.iter().map(|(transport, names)| format!("{transport}: {}", names.join(", ")));
                write!(f, "connections by transport: {}", carried.collect::<Vec<_>>().join("; "))
            }
            Self::Readable { connections } => write!(
                f,
                "warning: UCX encrypts nothing, and carries {}; for a network that is not trusted, PODWIRE_TRANSPORT=zenoh has \
                 them go by the certificates of PODWIRE_ZENOH_CONFIG",
                connections.join(", ")
            ),
            Self::Lost { worker, fragments, .. } if fragments.is_empty() => {
                write!(f, "worker {worker} is gone")
            }
            Self::Lost { worker, fragments, waits } => {
                write!(f, "worker {worker} is lost, and with it fragment {}", fragments.join(", "))?;
                f.write_str(if *waits { "; waiting for somebody to run it" } else { "" })
            }
            Self::Stopping { outcome } => write!(f, "stopping: {outcome}"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("all operators have ended"),
            Self::Stopped { operator } => write!(f, "operator {operator} asked for it"),
            Self::Interrupted { signal } => write!(f, "signal {signal} came"),
            Self::Failed(cause) => write!(f, "{cause}"),
            Self::WorkerLost { worker, fragments } => {
                write!(f, "worker {worker} is lost, and with it fragment {}", fragments.join(", "))
            }
            Self::Stuck { workers, .. } => write!(f, "worker {} does not end", workers.join(", ")),
            Self::Unmanned { fragments } => write!(f, "nobody runs fragment {}", fragments.join(", ")),
        }
    }
}
