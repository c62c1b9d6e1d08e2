//! What the suite found: an outcome for each promise, and how a promise was broken.

use core::fmt;
use core::time::Duration;
use std::boxed::Box;
use std::string::{String, ToString};
use std::vec::Vec;

use super::Promises;

/// How a promise was broken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Breach {
    /// A call failed that must succeed.
    #[error("{step}: {error}")]
    Failed {
        /// What was done.
        step: String,
        /// What it said.
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
    /// A byte is not the one that was written.
    #[error("{step}: byte {at} is {found:#04x}, and {wanted:#04x} was written")]
    Byte {
        /// What was done.
        step: String,
        /// Number of the byte, from 0.
        at: usize,
        /// What was written there.
        wanted: u8,
        /// What was read there.
        found: u8,
    },
    /// A number is wrong.
    #[error("{step}: {found}, not {wanted}")]
    Number {
        /// What was done, and what was counted.
        step: String,
        /// The number that is true.
        wanted: u64,
        /// The number that was found.
        found: u64,
    },
    /// A call panicked.
    #[error("panicked: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// A call did not come back. Promises behind this one were not tried.
    #[error("did not come back within {patience:?}")]
    Hangs {
        /// How long the suite waited.
        patience: Duration,
    },
}

impl Breach {
    /// A call that did what it must not.
    pub fn unlike(step: impl fmt::Display, wanted: impl fmt::Debug, found: impl fmt::Debug) -> Self {
        let (wanted, found) = (std::format!("{wanted:?}"), std::format!("{found:?}"));
        Self::Unlike { step: step.to_string(), wanted, found }
    }
}

/// What became of a promise.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing broke it.
    Kept,
    /// It does not concern what was tried, and why.
    Skipped(&'static str),
    /// It was broken, and how.
    Broken(Breach),
}

/// An [`Outcome`] for each promise; prints as a line for each.
#[derive(Debug)]
#[must_use = "a report that nobody reads finds nothing: call `assert`"]
pub struct Report<P> {
    outcomes: Vec<(P, Outcome)>,
}

impl<P: Promises> Report<P> {
    pub(super) const fn new() -> Self {
        Self { outcomes: Vec::new() }
    }

    pub(super) fn add(&mut self, promise: P, outcome: Outcome) {
        self.outcomes.push((promise, outcome));
    }

    /// Promises and their outcomes, as far as they were tried.
    pub fn outcomes(&self) -> impl Iterator<Item = (P, &Outcome)> {
        self.outcomes.iter().map(|(promise, outcome)| (*promise, outcome))
    }

    /// The promises that were broken, and how.
    pub fn broken(&self) -> impl Iterator<Item = (P, &Breach)> {
        self.outcomes().filter_map(|(promise, outcome)| match outcome {
            Outcome::Broken(breach) => Some((promise, breach)),
            Outcome::Kept | Outcome::Skipped(_) => None,
        })
    }

    /// Whether this promise was tried, and nothing broke it.
    #[must_use]
    pub fn kept(&self, promise: P) -> bool {
        self.outcomes().any(|(tried, outcome)| tried == promise && matches!(outcome, Outcome::Kept))
    }

    /// Ends a test that broke a promise.
    ///
    /// # Panics
    ///
    /// If a promise was broken, with the whole report.
    #[track_caller]
    pub fn assert(&self) {
        assert!(self.broken().next().is_none(), "the {} breaks its contract:\n{self}", P::OF);
    }
}

impl<P: Promises> fmt::Display for Report<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (promise, outcome) in self.outcomes() {
            match outcome {
                Outcome::Kept => writeln!(f, "kept     {promise}")?,
                Outcome::Skipped(why) => writeln!(f, "skipped  {promise}: {why}")?,
                Outcome::Broken(breach) => writeln!(f, "BROKEN   {promise} ({promise:?}): {breach}")?,
            }
        }
        let untried = P::ALL.len() - self.outcomes.len();
        if untried > 0 {
            writeln!(f, "{untried} further promises were not tried")?;
        }
        Ok(())
    }
}
