//! Why a worker cannot join.
//!
//! Invariant: each reason names both sides, or what there is instead, so that who reads it knows what to change.

use podwire_codec_derive::Codec;

use super::{description::Difference, envelope::Version};

/// Why a driver does not let a worker join.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Codec, thiserror::Error)]
#[codec(crate = podwire_codec_core)]
#[non_exhaustive]
pub enum Refusal {
    /// The two are built with versions that do not understand each other.
    #[error("the driver is of {driver}, this worker of {worker}")]
    Version {
        /// The driver's.
        driver: Version,
        /// The worker's.
        worker: Version,
    },
    /// The driver there drives another application.
    #[error("the driver there drives application {driver:?}, this is {worker:?}")]
    Application {
        /// What the driver drives.
        driver: String,
        /// What the worker is of.
        worker: String,
    },
    /// The worker wants a fragment that the application does not have.
    #[error("there is no fragment {fragment:?}; there are {}", exists.join(", "))]
    UnknownFragment {
        /// The name that was asked for.
        fragment: String,
        /// The fragments that there are.
        exists: Vec<String>,
    },
    /// The worker wants a fragment that another one runs.
    #[error("fragment {fragment:?} is run by worker {by}")]
    Taken {
        /// The fragment.
        fragment: String,
        /// Host and process of the worker that runs it.
        by: String,
    },
    /// The two composed different applications: another build, or other options.
    #[error("it is composed in another way: {0}")]
    Differs(Difference),
    /// A type has another encoding there.
    #[error(
        "type {name:?} is of another build: {difference} (expected is the driver's, found this worker's)"
    )]
    Schema {
        /// The name of the codec.
        name: String,
        /// The first difference.
        difference: String,
    },
    /// The fragment's connections run over a transport that does not lead from here to where the others are.
    #[error(
        "fragment {fragment:?} has to run where it can use transport {transport}, as its neighbours go on"
    )]
    OutOfReach {
        /// The fragment.
        fragment: String,
        /// The transport of one of its connections.
        transport: String,
    },
    /// A transport is forced that the worker does not have.
    #[error("transport {transport:?} is forced, and worker {worker} has none of this name; it has {}", exists.join(", "))]
    NoTransport {
        /// The transport that is forced.
        transport: String,
        /// Host and process of the worker.
        worker: String,
        /// What it has, or was forced to itself.
        exists: Vec<String>,
    },
    /// The two have a transport in different versions.
    #[error(
        "transport {transport:?} is of version {driver} at the driver, and of version {worker} at this worker"
    )]
    TransportVersion {
        /// The transport.
        transport: String,
        /// The driver's.
        driver: u32,
        /// The worker's.
        worker: u32,
    },
    /// The application is ending, or has ended.
    #[error("the application is ending")]
    Ending,
}
