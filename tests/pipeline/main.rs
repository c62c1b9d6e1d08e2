//! The example `volume_pipeline`, run as a user runs it: real processes, a real scan, real signals.
//!
//! Not here: tests of its parts (`tests/volume`). Invariant: every run has a shared-memory directory of its own, in
//! which nothing is left.

#![allow(dead_code, reason = "the example's parts are included as they are, and not all of each is needed")]

#[path = "../../examples/volume_pipeline/nifti/mod.rs"]
mod nifti;
#[path = "../../examples/volume_pipeline/picture/mod.rs"]
mod picture;
#[path = "../../examples/volume_pipeline/scan.rs"]
mod scan;
#[path = "../../examples/volume_pipeline/segment/mod.rs"]
mod segment;

mod run;
mod test_refusals;
mod test_signals;
mod test_whole_run;
