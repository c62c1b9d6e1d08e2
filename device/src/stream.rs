//! Streams and kernels, for those who compute where the memory is.
//!
//! Not here: any kernel. Invariant: what is launched belongs to the device of its kernel.

use crate::{
    device::Device,
    error::{Error, Result},
    ffi::{Function, RawStream},
};

/// A queue of work for a device; kernels of different streams may run at once.
pub struct Stream {
    device: Device,
    raw: RawStream,
}

impl Stream {
    pub(crate) fn new(device: &Device) -> Result<Self> {
        let cuda = device.machine().driver.cuda().ok_or(Error::Unsupported { what: "run kernels" })?;
        Ok(Self { device: device.clone(), raw: cuda.stream(device.ordinal())? })
    }

    /// Waits for what was queued.
    ///
    /// # Errors
    /// [`Error::Driver`], also if an earlier kernel failed.
    pub fn synchronize(&self) -> Result<()> {
        self.device.machine().driver.synchronize(self.device.ordinal(), Some(self.number()))
    }

    /// What the driver calls it, for other libraries.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.raw.number()
    }
}

/// A kernel that came as PTX, the text that every driver compiles for its devices.
pub struct Kernel {
    pub(crate) device: Device,
    pub(crate) function: Function,
}

impl Kernel {
    /// Compiles PTX and takes the function of this name.
    ///
    /// # Errors
    /// [`Error::Driver`] if it does not compile, or has no such function.
    pub fn from_ptx(device: &Device, ptx: &str, name: &str) -> Result<Self> {
        let cuda = device.machine().driver.cuda().ok_or(Error::Unsupported { what: "run kernels" })?;
        Ok(Self { device: device.clone(), function: cuda.function(device.ordinal(), ptx, name)? })
    }
}

/// An argument of a kernel: a number, or an address.
#[derive(Clone, Copy, Debug)]
pub struct Argument(pub(crate) [u8; 8]);

macro_rules! arguments {
    ($($number:ty)+) => {$(
        impl From<$number> for Argument {
            fn from(number: $number) -> Self {
                let mut bytes = [0; 8];
                bytes[..size_of::<$number>()].copy_from_slice(&number.to_ne_bytes());
                Self(bytes)
            }
        }
    )+};
}

arguments!(u8 u16 u32 u64 i8 i16 i32 i64 f32 f64);
