//! Who hears at once what happens in a run.
//!
//! Not here: what can be read at any time, which is a `Snapshot`. Invariant: it is called from the threads of the
//! operators, so it must not wait.

use super::report::{Failure, OperatorReport};

/// Hears what happens in a run, on the thread where it happens.
pub(crate) trait Observer: Send + Sync {
    /// Something failed; the run is being stopped.
    fn failed(&self, failure: &Failure) {
        let _ = failure;
    }

    /// An operator, by its full name, has the application stop.
    fn stop_asked(&self, operator: &str) {
        let _ = operator;
    }

    /// An operator has ended.
    fn operator_ended(&self, report: &OperatorReport) {
        let _ = report;
    }
}

/// Nobody listens.
pub(crate) struct Nobody;

impl Observer for Nobody {}
