//! What suites of promises have in common: trying each promise, and the report.
//!
//! The suite over endpoints, `endpoint::conformance`, and the one over transports, in `podwire-fragment`, are made with
//! it. Not here: any promise. Invariant: a backend that panics, or never comes back, is reported like any other.

use std::boxed::Box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::string::String;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

mod report;

pub use report::{Breach, Outcome, Report};

/// The promises of a contract.
pub trait Promises: Copy + PartialEq + core::fmt::Debug + core::fmt::Display + 'static {
    /// Whose contract it is, for the report: `endpoint`.
    const OF: &'static str;

    /// All of them, in the order in which they are tried.
    const ALL: &'static [Self];
}

/// Why a case ended before its end.
#[derive(Debug)]
pub enum Stop {
    /// The promise does not concern what is tried, and why.
    Skip(&'static str),
    /// The promise is broken.
    Breach(Breach),
}

impl From<Breach> for Stop {
    fn from(breach: Breach) -> Self {
        Self::Breach(breach)
    }
}

/// What becomes of a case.
pub type Tried = Result<(), Stop>;

/// Tries every promise, on a thread of its own, and waits for none longer than `patience`.
pub fn run<P: Promises>(patience: Duration, mut case: impl FnMut(P) -> Tried + Send + 'static) -> Report<P> {
    let (sender, receiver) = channel();
    // Not joined where it hangs: the thread is left to it.
    let worker = std::thread::spawn(move || {
        for &promise in P::ALL {
            let outcome = match catch_unwind(AssertUnwindSafe(|| case(promise))) {
                Ok(Ok(())) => Outcome::Kept,
                Ok(Err(Stop::Skip(why))) => Outcome::Skipped(why),
                Ok(Err(Stop::Breach(breach))) => Outcome::Broken(breach),
                Err(panic) => Outcome::Broken(Breach::Panicked { message: message(panic) }),
            };
            if sender.send(outcome).is_err() {
                return;
            }
        }
    });
    let mut report = Report::new();
    for &promise in P::ALL {
        let outcome = match receiver.recv_timeout(patience) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Timeout) => {
                report.add(promise, Outcome::Broken(Breach::Hangs { patience }));
                return report;
            }
            // The thread ends early only where dropping a backend panics while another panic passes.
            Err(RecvTimeoutError::Disconnected) => {
                Outcome::Broken(Breach::Panicked { message: String::from("the suite's thread is gone") })
            }
        };
        report.add(promise, outcome);
    }
    // Every outcome is there, so the thread is at its end.
    drop(worker.join());
    report
}

fn message(panic: Box<dyn core::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| String::from(*text));
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
