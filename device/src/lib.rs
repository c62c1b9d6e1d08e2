//! Memory of CUDA devices as one more memory kind: arrays on a GPU are named, published, found by another process, and sent
//! with their message, beside arrays on the host.
//!
//! Not here: what a tensor is, and how names, locks and messages work. Invariant: no CUDA is needed to build, or to run
//! where no device is asked for.
//!
//! For a pipeline, memory of a device is an allocation without bytes that stands for it: names, locks, holders and the death
//! of any of them are those of that allocation. The memory itself goes from process to process as a descriptor, once.
//!
//! | file | what is in it |
//! |---|---|
//! | `device`, `allocation`, `stream` | what a user calls |
//! | `shown`, `guest`, `kind` | sealed memory, and that of other libraries, as a segment of tensors; segments in pipelines |
//! | `record` | what stands in for memory |
//! | `machine`, `books`, `memory` | what a process has made and opened, and when it is used again |
//! | `service` | handing memory from process to process |
//! | `driver`, `ffi` | what is asked of a driver, and CUDA's |
//!
//! What is promised, and what was measured, stands in `docs/device.md`.
#![deny(unsafe_code)]

mod allocation;
mod books;
mod counters;
mod device;
mod driver;
mod error;
mod ffi;
mod guest;
mod kind;
mod machine;
mod memory;
#[cfg(test)]
mod mock;
mod record;
mod service;
mod shown;
mod stream;
#[cfg(test)]
mod tests;

pub use allocation::{DeviceAllocation, DeviceReadGuard, DeviceWriteGuard};
pub use counters::Stats;
pub use device::Device;
pub use error::{Error, Result};
pub use stream::{Argument, Kernel, Stream};
