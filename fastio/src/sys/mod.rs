//! The one room for unsafe code: mappings, the records that live in them, and slices of payload.
//!
//! Not here: any decision about what is mapped, locked or freed. Invariant: a reference that leaves this module
//! stays inside a live mapping, is aligned, and either points to atomics or is covered by a lock that its proof
//! stands for.
#![allow(unsafe_code)]

mod fork;
mod held;
mod map;
mod payload;
mod shared;
mod soon;

pub(crate) use fork::ForkSentinel;
pub(crate) use held::{Held, Holding, Place};
pub(crate) use map::{Records, SharedMap};
pub(crate) use payload::{assign, bytes, bytes_mut, elements, elements_mut};
pub(crate) use shared::{
    BUCKETS, Bitmap, CLASSES, Control, NameEntry, RingHeader, RingSlot, SLOTS, SegmentEntry, SegmentHeader,
    Shared, WAIT_WORDS, WaitWord,
};
pub(crate) use soon::{soon_read, soon_written};
