//! Running operators: one thread for each.
//!
//! Not here: what is connected to what (`graph`), and how a message moves (`transport`). Invariant: an operator that has
//! nothing to do sleeps, and is woken by whoever changes that.
//!
//! | file | what is in it |
//! |---|---|
//! | `prepare` | from a graph and its operators to threads that can be started |
//! | `running` | what can be asked of a run, and its end |
//! | `worker` | the life of one operator |
//! | `conditions` | when it runs next, and when never again |
//! | `wiring` | queues and links, and who has their ends |
//! | `sleeper`, `waker` | how its thread sleeps, and who wakes it |
//! | `standstill` | the end of operators that only wait for each other |
//! | `shared` | stopping, and what failed |
//! | `counters`, `clock` | what is measured on the way |
//! | `snapshot`, `report`, `observer` | what others learn: at any time, at the end, at once |
//! | `signals` | Ctrl-C |

pub(crate) mod clock;
mod conditions;
mod counters;
#[cfg(test)]
mod links;
mod observer;
mod prepare;
mod report;
mod running;
mod shared;
mod signals;
mod sleeper;
mod snapshot;
mod standstill;
mod waker;
mod wiring;
mod worker;

pub use report::{Because, ConnectionReport, During, Ended, Failure, OperatorReport, Report};
pub use running::Running;
pub use snapshot::{ConnectionSnapshot, Counts, Latency, OperatorSnapshot, OperatorState, Snapshot};

pub(crate) use counters::{Latencies, LinkCounters, OperatorCounters, add};
pub(crate) use observer::Nobody;
#[cfg(feature = "distributed")]
pub(crate) use observer::Observer;
pub(crate) use prepare::{Plan, Runtime};
#[cfg(feature = "distributed")]
pub(crate) use running::LAST_CALL;
pub(crate) use shared::{Shared, StopReason};
pub(crate) use signals::Signals;
pub(crate) use sleeper::{LOOK_AGAIN, Sleeper};
pub(crate) use standstill::Rest;
pub(crate) use waker::Waker;
