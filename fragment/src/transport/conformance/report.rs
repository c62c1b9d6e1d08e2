//! What the suite found: an outcome for each promise, and how a promise was broken.

use std::{fmt, time::Duration};

use super::Promise;

/// How a promise was broken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Breach {
    /// A call failed that must succeed.
    #[error("{step}: {error}")]
    Failed {
        /// What was done.
        step: String,
        /// What the transport said.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A call succeeded, or failed with another error than it must, or gave something else.
    #[error("{step}: {wanted} was due, there was {found}")]
    Unlike {
        /// What was done.
        step: String,
        /// What must have come of it.
        wanted: String,
        /// What came of it.
        found: String,
    },
    /// A call panicked.
    #[error("panicked: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// The transport did not come back. Promises behind this one were not tried.
    #[error("did not come back within {patience:?}")]
    Hangs {
        /// How long the suite waited.
        patience: Duration,
    },
}

impl Breach {
    pub(super) fn unlike(step: impl fmt::Display, wanted: impl fmt::Debug, found: impl fmt::Debug) -> Self {
        let (wanted, found) = (format!("{wanted:?}"), format!("{found:?}"));
        Self::Unlike { step: step.to_string(), wanted, found }
    }
}

/// What became of a promise.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing broke it.
    Kept,
    /// It does not concern this transport, and why.
    Skipped(&'static str),
    /// It was broken, and how.
    Broken(Breach),
}

/// An [`Outcome`] for each [`Promise`]; prints as a line for each.
#[derive(Debug)]
#[must_use = "a report that nobody reads finds nothing: call `assert`"]
pub struct Report {
    outcomes: Vec<(Promise, Outcome)>,
}

impl Report {
    pub(super) const fn new() -> Self {
        Self { outcomes: Vec::new() }
    }

    pub(super) fn add(&mut self, promise: Promise, outcome: Outcome) {
        self.outcomes.push((promise, outcome));
    }

    /// Promises and their outcomes, as far as they were tried.
    pub fn outcomes(&self) -> impl Iterator<Item = (Promise, &Outcome)> {
        self.outcomes.iter().map(|(promise, outcome)| (*promise, outcome))
    }

    /// Whether this promise was tried, and nothing broke it.
    #[must_use]
    pub fn kept(&self, promise: Promise) -> bool {
        self.outcomes().any(|(tried, outcome)| tried == promise && matches!(outcome, Outcome::Kept))
    }

    /// Ends a test that broke a promise.
    ///
    /// # Panics
    /// If a promise was broken, with the whole report.
    #[track_caller]
    pub fn assert(&self) {
        let broken = self.outcomes().any(|(_, outcome)| matches!(outcome, Outcome::Broken(_)));
        assert!(!broken, "the transport breaks its contract:\n{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (promise, outcome) in self.outcomes() {
            match outcome {
                Outcome::Kept => writeln!(f, "kept     {promise}")?,
                Outcome::Skipped(why) => writeln!(f, "skipped  {promise}: {why}")?,
                Outcome::Broken(breach) => writeln!(f, "BROKEN   {promise} ({promise:?}): {breach}")?,
            }
        }
        let untried = Promise::ALL.len() - self.outcomes.len();
        if untried > 0 {
            writeln!(f, "{untried} further promises were not tried")?;
        }
        Ok(())
    }
}
