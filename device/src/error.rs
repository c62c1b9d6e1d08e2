//! What can go wrong with a device and its memory, one variant for each situation that a caller can act on.
//!
//! Not here: when it is detected. Invariant: that there is no GPU is told before anything else is tried.

use std::io;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a device, or its memory, cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The library of the CUDA driver is not on this machine: use the host's memory instead.
    #[error("there is no CUDA driver on this machine (libcuda.so.1 cannot be loaded)")]
    NoDriver,
    /// The driver is older than what device memory needs.
    #[error("the CUDA driver is of version {found}, {needed} is needed")]
    OldDriver {
        /// The driver's version, as 1000 times the major number plus 10 times the minor one.
        found: u32,
        /// The version that is needed.
        needed: u32,
    },
    /// The driver is there, and no GPU that this process may use.
    #[error("the CUDA driver finds no GPU that this process may use")]
    NoDevice,
    /// There are fewer devices.
    #[error("there is no GPU {ordinal}: there are {devices}, numbered from 0")]
    WrongOrdinal {
        /// The number that was asked for.
        ordinal: u32,
        /// How many there are.
        devices: u32,
    },
    /// The memory of other processes lies on a device that this process does not see, because of `CUDA_VISIBLE_DEVICES`
    /// for instance.
    #[error("the memory is on GPU {uuid}, which this process does not see")]
    NotVisible {
        /// The device's UUID, in hexadecimal.
        uuid: String,
    },
    /// The device cannot do what was asked for.
    #[error("this GPU cannot {what}")]
    Unsupported {
        /// What it cannot do.
        what: &'static str,
    },
    /// The device has no memory left.
    #[error("out of memory on the GPU: {wanted} bytes were wanted, {free} of {total} are free")]
    OutOfMemory {
        /// Bytes that were wanted.
        wanted: u64,
        /// Bytes that are free, in no piece in particular.
        free: u64,
        /// Bytes that the device has.
        total: u64,
    },
    /// All processes that had the memory have ended: what was published, or sent, is lost.
    #[error("the memory is gone: every process that held it has ended")]
    Gone,
    /// What is published under the name is no memory of a device.
    #[error("what is published is no memory of a GPU that can be used ({bytes} bytes of the host)")]
    NotDeviceMemory {
        /// Its size in bytes.
        bytes: u64,
    },
    /// A copy reaches beyond the memory.
    #[error("bytes {start}..{end} of {length} bytes")]
    Range {
        /// Where it begins.
        start: u64,
        /// Where it ends.
        end: u64,
        /// Bytes that there are.
        length: u64,
    },
    /// The tensor lies in memory that no device here can use.
    #[error("the tensor is in memory of kind {kind} that no GPU here can use")]
    WrongMemory {
        /// The memory kind's number.
        kind: u16,
    },
    /// What another library handed over is on another device: ask that one.
    #[error("the tensor is on GPU {found}, and GPU {ordinal} was asked to take it over")]
    WrongDevice {
        /// The device that has it.
        found: u32,
        /// The device that was asked.
        ordinal: u32,
    },
    /// A call of the driver failed. After the failure of a kernel the driver refuses everything else in this process.
    #[error("{call} failed: {name} ({code})")]
    Driver {
        /// The call.
        call: &'static str,
        /// What the driver calls the error.
        name: String,
        /// The error's number.
        code: u32,
    },
    /// What Fast I/O said.
    #[error(transparent)]
    FastIo(#[from] podwire_fastio::Error),
    /// What a codec said.
    #[error(transparent)]
    Codec(#[from] podwire_codec_core::Error),
    /// A socket between processes failed.
    #[error("{what}: {source}")]
    Io {
        /// What was to be done.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(what: &'static str, source: impl Into<io::Error>) -> Self {
        Self::Io { what, source: source.into() }
    }
}

impl From<Error> for podwire_codec_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Codec(error) => error,
            error => Self::backend(error),
        }
    }
}
