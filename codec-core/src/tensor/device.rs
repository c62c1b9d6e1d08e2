//! Which device has a tensor's memory.
//!
//! It says where the elements are meant to be used. Whether the host can read them is decided by the segment alone.

/// A kind of device; the numbers are those of DLPack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceKind(pub u16);

impl DeviceKind {
    /// The host's memory.
    pub const HOST: Self = Self(1);
    /// Memory of a CUDA device.
    pub const CUDA: Self = Self(2);
    /// Host memory that is pinned for CUDA.
    pub const CUDA_HOST: Self = Self(3);
    /// CUDA's managed memory.
    pub const CUDA_MANAGED: Self = Self(13);
}

/// A device: its kind, and which of that kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Device {
    /// The kind of device.
    pub kind: DeviceKind,
    /// Which of that kind, from 0.
    pub index: u32,
}

impl Device {
    /// The host.
    pub const HOST: Self = Self { kind: DeviceKind::HOST, index: 0 };

    /// A CUDA device.
    #[must_use]
    pub const fn cuda(index: u32) -> Self {
        Self { kind: DeviceKind::CUDA, index }
    }
}

impl Default for Device {
    fn default() -> Self {
        Self::HOST
    }
}
