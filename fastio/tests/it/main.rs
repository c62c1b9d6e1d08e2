//! The stories of Fast I/O, across real processes.
//!
//! Not here: unit tests of pure functions, which stand in their files. Invariant: every test has a pipeline of its
//! own and leaves nothing in shared memory.

mod support;

mod arrays;
mod channel_counts;
#[cfg(feature = "crash-points")]
mod channel_crashes;
mod channels;
mod children;
mod contract;
#[cfg(feature = "crash-points")]
mod crash_points;
mod doorbells;
#[cfg(feature = "crash-points")]
mod failing_calls;
mod faults;
mod files;
mod fork;
mod leaving;
mod loans;
mod locks;
mod memory;
mod metadata;
mod names;
mod publish;
mod storm;
mod threads;
mod wait;
