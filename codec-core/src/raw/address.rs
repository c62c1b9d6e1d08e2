//! Addresses of device memory, for which somebody has vouched.
//!
//! The host never reads there. The invariant: who has the owner that shows an address may have the device read from it.

/// Where a device sees memory that a [`Segment`](crate::Segment) is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceAddress(usize);

impl DeviceAddress {
    /// An address that an owner shows of its memory.
    ///
    /// # Safety
    ///
    /// - As long as the owner lives, the device whose libraries this process uses has memory there, of the length that the
    ///   owner says;
    /// - all of it is initialised, and nobody writes to it while the owner lives.
    #[must_use]
    pub const unsafe fn new(address: usize) -> Self {
        Self(address)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }
}
