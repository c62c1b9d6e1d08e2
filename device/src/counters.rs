//! What was done with device memory in this process, in numbers that only grow.
//!
//! Not here: doing it. Invariant: a byte that a copy of podwire's moves over the bus, or on the device, is counted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What was done in this process, in numbers that only grow; see [`Device::stats`](crate::Device::stats).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Bytes that were staged from a device to pinned memory of the host, because somebody could take only those.
    pub bytes_to_host: u64,
    /// Bytes that were brought from the host to a device.
    pub bytes_to_device: u64,
    /// Bytes that were copied on a device, or from one to another: on demand, or because their memory cannot be shared as it is.
    pub bytes_on_device: u64,
    /// Times that memory was asked of the driver.
    pub created: u64,
    /// Times that freed memory was used again instead.
    pub reused: u64,
    /// Times that memory of another process was opened, which takes some hundred microseconds.
    pub imported: u64,
    /// Times that memory of another process was open already.
    pub found: u64,
    /// Times that another process was handed a descriptor.
    pub served: u64,
}

macro_rules! counters {
    ($($name:ident)+) => {
        #[derive(Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)+
        }

        impl Counters {
            pub(crate) fn now(&self) -> Stats {
                Stats { $($name: self.$name.load(Relaxed),)+ }
            }
        }
    };
}

counters!(bytes_to_host bytes_to_device bytes_on_device created reused imported found served);

/// So many more.
pub(crate) fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Relaxed);
}
