//! The examples of fragments, run as a user runs them: real processes, real arguments, a real terminal.
//!
//! Not here: tests of the parts (`fragment/tests`). Invariant: every run has a shared-memory directory of its own, in
//! which nothing is left.

#![allow(dead_code, reason = "what runs the processes is shared with the tests of `volume_pipeline`")]

#[cfg(all(feature = "cuda", feature = "distributed"))]
#[path = "../../device/src/tests/libcuda.rs"]
mod libcuda;
#[path = "../pipeline/run.rs"]
mod run;
#[cfg(all(feature = "cuda", feature = "distributed"))]
mod test_gpu;
mod test_monitor;
mod test_ping;
#[cfg(feature = "distributed")]
mod test_processes;
mod test_sensors;
mod test_volume;

use run::{Home, Outcome};

/// Runs an example to its end, with arguments that are written with spaces.
#[track_caller]
fn run(home: &Home, name: &str, arguments: &str) -> Outcome {
    let outcome = run::finish(home, run::example_called(name).args(arguments.split_whitespace()));
    home.assert_empty();
    outcome
}

/// The same, for a run that succeeds.
#[track_caller]
fn out(name: &str, arguments: &str) -> String {
    let outcome = run(&Home::new(), name, arguments);
    assert!(outcome.status.success(), "{arguments}: {:?}\n{}", outcome.status, outcome.error);
    assert_eq!(outcome.error, "", "{arguments}");
    outcome.out
}
