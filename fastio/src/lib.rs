//! Named shared-memory allocations for the processes of a host.
//!
//! A process creates an allocation, fills it, publishes it under a name, and may go; any other process of the
//! pipeline gets it by that name and maps the same memory. There is no daemon, nothing is copied, and a process can
//! be killed at any instant without costing the others anything.
//!
//! ```
//! # let pipeline = format!("doc-crate-{}", std::process::id());
//! use podwire_fastio::{Error, FastIoContext};
//!
//! let context = FastIoContext::open(&pipeline)?;
//! let frame = context.create(1920 * 1080)?;
//! frame.map_mut()?[0] = 42; // exclusive, across threads and processes
//! frame.publish("frame")?;
//! drop(frame); // the publication stays
//!
//! let found = context.get("frame")?; // in any process, O(1)
//! assert_eq!(found.map()?[0], 42);
//! found.free()?;
//! assert!(matches!(context.get("frame"), Err(Error::NotFound { .. })));
//! # drop((found, context));
//! # FastIoContext::remove(&pipeline)?;
//! # Ok::<(), Error>(())
//! ```
//!
//! # What is promised
//! - A name is found whole or not at all; `publish` is one atomic step, and so is `free`.
//! - Writers exclude readers and other writers, across processes and threads. When a holder of the lock dies, the
//!   lock is taken over; a writer that died leaves the allocation *poisoned*, which is an error until it is accepted.
//! - Memory is used again only when no living process has a handle.
//! - What a published allocation lists as its children lives as long as it does.
//! - Processes of the same user are trusted to keep the locking rules; other users have no access at all.
//! - After a `fork`, handles in the child give [`Error::Forked`]; the child can open the pipeline itself. Slices and
//!   [`SharedBytes`] that the child inherited are memory that the parent may let go of at any time.
//!
//! How it is done, byte by byte and step by step, stands in `docs/fastio-layout.md`.
#![deny(unsafe_code)]

mod access;
mod allocation;
mod array;
mod channel;
mod context;
mod crash;
mod create;
mod directory;
mod doorbell;
mod error;
mod futex;
mod gate;
mod guard;
mod index;
mod left_behind;
mod lifecycle;
mod local;
mod membership;
mod memory;
mod metadata;
mod name;
mod names;
mod options;
mod pool;
mod rebuild;
mod remove;
mod schemas;
mod scope;
mod segment;
mod shared_bytes;
mod slot;
mod state;
mod stats;
mod store;
mod sweep;
mod sys;
mod table;
mod tensor;
mod value;
mod watch;

/// The crate whose arrays `publish_array` takes and `as_array` gives, in the version that they are of.
pub use ndarray;

pub use allocation::FastIoAllocation;
pub use channel::{
    ChannelEnd, ChannelListing, ChannelOptions, Incoming, Loan, Payload, Peer, Receiver, Sender,
    ValueMessage, Wait, WhenFull, wait_for_any,
};
pub use context::{FastIoContext, WeakContext};
#[cfg(feature = "crash-points")]
pub use crash::{CRASH_POINTS, with_failing_calls};
pub use doorbell::Doorbell;
pub use error::{Error, Result};
pub use guard::{ReadGuard, WriteGuard};
pub use memory::{ForeignMemory, register_memory};
pub use metadata::{ContentKind, METADATA_LIMIT, Metadata, RANK_LIMIT};

pub use options::{AllocationOptions, PipelineOptions};
pub use podwire_codec_core::tensor::{DType, Element};
pub use scope::{LentAllocation, LentContext};
pub use shared_bytes::SharedBytes;
pub use stats::{Listing, Stats};
pub use store::AllocationId;
pub use sweep::SweepReport;
pub use value::Described;
pub use watch::{Event, Watch};
