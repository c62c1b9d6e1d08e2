//! The records that stand in shared files, field by field as in `docs/fastio-layout.md`.
//!
//! Not here: what the fields mean to each other. Invariant: every field is an atomic integer, so that whatever
//! another process stores is a valid value.

use std::sync::atomic::{AtomicU32, AtomicU64};

use crate::name::NAME_WORDS;

/// Processes that can use a pipeline at once.
pub(crate) const SLOTS: usize = 256;
/// Chains of the name index.
pub(crate) const BUCKETS: usize = 1 << 14;
/// Size classes of the pool.
pub(crate) const CLASSES: usize = 320;
/// Words that waiters for names sleep on.
pub(crate) const WAIT_WORDS: usize = 64;

/// One bit per process slot.
pub(crate) type Bitmap = [AtomicU64; SLOTS / 64];

/// A record of shared memory.
///
/// # Safety
/// - Every field is an atomic integer, or an array or struct of such: all bit patterns are valid, and all access
///   is atomic.
/// - The layout is `repr(C)`.
pub(crate) unsafe trait Shared {}

/// What waiters sleep on: a count of events, and whether anybody may be asleep.
#[repr(C, align(64))]
pub(crate) struct WaitWord {
    pub(crate) events: AtomicU32,
    pub(crate) waiters: AtomicU32,
}

/// The file `control`: what all processes of a pipeline share besides the tables.
#[repr(C, align(64))]
pub(crate) struct Control {
    pub(crate) magic: AtomicU64,
    pub(crate) version: AtomicU32,
    pub(crate) size: AtomicU32,
    pub(crate) removed: AtomicU32,
    /// Not 0: the pipeline goes with its last member.
    pub(crate) ephemeral: AtomicU32,
    /// The most bytes of files and the most names; 0: as many as there can be.
    pub(crate) quota_bytes: AtomicU64,
    pub(crate) quota_names: AtomicU32,
    /// What every look-up reads stands on this line, which hardly ever changes.
    pub(crate) segments_used: AtomicU32,
    pub(crate) names_used: AtomicU32,
    pub(crate) reserved: AtomicU32,
    /// How many bytes there are.
    pub(crate) file_bytes: AtomicU64,
    pub(crate) lock: WaitlessLine,
    pub(crate) seq: SeqLine,
    /// What changes with every publication, under the index lock.
    pub(crate) counts: CountsLine,
    pub(crate) classes: [AtomicU32; CLASSES],
    pub(crate) slots: [AtomicU32; SLOTS],
    pub(crate) waits: [WaitWord; WAIT_WORDS],
    pub(crate) buckets: [AtomicU64; BUCKETS],
}

/// Lists and counts that change under the index lock, and that no look-up reads.
#[repr(C, align(64))]
pub(crate) struct CountsLine {
    pub(crate) free_segment: AtomicU32,
    pub(crate) free_name: AtomicU32,
    pub(crate) live_names: AtomicU32,
    pub(crate) reserved: AtomicU32,
    pub(crate) publications: AtomicU64,
    pub(crate) pooled_bytes: AtomicU64,
}

/// The index lock, on its own cache line.
#[repr(C, align(64))]
pub(crate) struct WaitlessLine {
    pub(crate) word: AtomicU32,
    pub(crate) dirty: AtomicU32,
}

/// The version of the name index, on its own cache line.
#[repr(C, align(64))]
pub(crate) struct SeqLine {
    pub(crate) version: AtomicU64,
    /// What those sleep on who watch all names.
    pub(crate) events: AtomicU32,
    pub(crate) waiters: AtomicU32,
}

/// One segment of memory.
#[repr(C, align(64))]
pub(crate) struct SegmentEntry {
    pub(crate) state: AtomicU64,
    pub(crate) length: AtomicU64,
    pub(crate) sealed: AtomicU64,
    pub(crate) poisoned: AtomicU64,
    pub(crate) epoch: AtomicU32,
    pub(crate) class: AtomicU32,
    pub(crate) payload: AtomicU32,
    pub(crate) children: AtomicU32,
    pub(crate) access: AccessLine,
    pub(crate) holders: Bitmap,
    /// The generation that is a channel.
    pub(crate) channel: AtomicU64,
    pub(crate) sender: AtomicU32,
    pub(crate) receiver: AtomicU32,
    /// The generation that is lent to the messages of a channel.
    pub(crate) lent: AtomicU64,
    pub(crate) owners: OwnersLine,
}

/// What keeps an allocation: it changes under the index lock, and is not read by those who only use it.
#[repr(C, align(64))]
pub(crate) struct OwnersLine {
    pub(crate) next_free: AtomicU32,
    pub(crate) first_name: AtomicU32,
    pub(crate) names: AtomicU32,
    pub(crate) parents: AtomicU32,
}

/// Who reads and who writes, on its own cache line.
#[repr(C, align(64))]
pub(crate) struct AccessLine {
    pub(crate) writer: AtomicU32,
    pub(crate) events: AtomicU32,
    pub(crate) waiters: AtomicU32,
    pub(crate) reserved: AtomicU32,
    pub(crate) readers: Bitmap,
}

/// One name and what it stands for.
#[repr(C, align(64))]
pub(crate) struct NameEntry {
    /// Number of the publication; 0: the entry is free.
    pub(crate) live: AtomicU64,
    pub(crate) hash: AtomicU64,
    pub(crate) target_generation: AtomicU64,
    pub(crate) metadata_generation: AtomicU64,
    pub(crate) target: AtomicU32,
    pub(crate) metadata: AtomicU32,
    pub(crate) length: AtomicU32,
    pub(crate) next: AtomicU32,
    /// A short name stands on the same cache line as what it stands for.
    pub(crate) words: [AtomicU64; NAME_WORDS],
    pub(crate) next_of_target: AtomicU32,
    pub(crate) previous_of_target: AtomicU32,
    /// Nanoseconds since 1970, by the system's coarse clock: for people to look at.
    pub(crate) published_at: AtomicU64,
}

/// The first page of a segment's file: what it is, its metadata, its children.
#[repr(C, align(64))]
pub(crate) struct SegmentHeader {
    pub(crate) magic: AtomicU64,
    pub(crate) version: AtomicU32,
    pub(crate) index: AtomicU32,
    pub(crate) epoch: AtomicU32,
    pub(crate) class: AtomicU32,
    pub(crate) file_length: AtomicU64,
    pub(crate) metadata_length: AtomicU32,
    pub(crate) reserved: [AtomicU32; 23],
    pub(crate) metadata: [AtomicU64; crate::metadata::METADATA_LIMIT / 8],
}

/// How the payload of a channel begins. Each side writes to its own cache line.
#[repr(C, align(64))]
pub(crate) struct RingHeader {
    pub(crate) magic: AtomicU64,
    pub(crate) capacity: AtomicU32,
    /// Bytes from one slot to the next.
    pub(crate) stride: AtomicU32,
    /// 1 if the channel stays when nobody has it open.
    pub(crate) kept: AtomicU32,
    /// What the receiver sleeps on.
    pub(crate) sent: WaitWord,
    pub(crate) received: ReceivedLine,
}

/// How far the receiver is, and what the sender sleeps on.
#[repr(C, align(64))]
pub(crate) struct ReceivedLine {
    /// Number of the next message to be received.
    pub(crate) tail: AtomicU64,
    pub(crate) room: AtomicU32,
    pub(crate) waiters: AtomicU32,
    /// How many messages receivers were done with.
    pub(crate) settled: AtomicU64,
}

/// A place for one message; the inline bytes follow.
#[repr(C)]
pub(crate) struct RingSlot {
    /// The number of the message in it, plus 1: its last store makes the message visible.
    pub(crate) number: AtomicU64,
    pub(crate) length: AtomicU32,
    pub(crate) kind: AtomicU32,
    pub(crate) generation: AtomicU64,
    pub(crate) index: AtomicU32,
    /// The upper half of the length; only lent memory is so long.
    pub(crate) length_high: AtomicU32,
}

// SAFETY: `repr(C)`, and its fields are atomic integers.
unsafe impl Shared for RingHeader {}
// SAFETY: `repr(C)`, and its fields are atomic integers.
unsafe impl Shared for RingSlot {}
// SAFETY: `repr(C)`, and its fields are atomic integers.
unsafe impl Shared for Control {}
// SAFETY: `repr(C)`, and its fields are atomic integers.
unsafe impl Shared for SegmentEntry {}
// SAFETY: `repr(C)`, and its fields are atomic integers.
unsafe impl Shared for NameEntry {}
// SAFETY: `repr(C)`, and its fields are atomic integers.
unsafe impl Shared for SegmentHeader {}
// SAFETY: it is an atomic integer.
unsafe impl Shared for AtomicU64 {}

// What `docs/fastio-layout.md` says.
const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<Control>() == 137_728);
    assert!(offset_of!(Control, removed) == 16);
    assert!(offset_of!(Control, quota_bytes) == 24);
    assert!(offset_of!(Control, segments_used) == 36);
    assert!(offset_of!(Control, file_bytes) == 48);
    assert!(offset_of!(SeqLine, waiters) == 12);
    assert!(offset_of!(Control, lock) == 64);
    assert!(offset_of!(Control, seq) == 128);
    assert!(offset_of!(Control, counts) == 192);
    assert!(offset_of!(CountsLine, publications) == 16);
    assert!(offset_of!(Control, classes) == 256);
    assert!(offset_of!(Control, slots) == 1536);
    assert!(offset_of!(Control, waits) == 2560);
    assert!(offset_of!(Control, buckets) == 6656);
    assert!(size_of::<SegmentEntry>() == 256);
    assert!(offset_of!(SegmentEntry, epoch) == 32);
    assert!(offset_of!(SegmentEntry, children) == 44);
    assert!(offset_of!(SegmentEntry, owners) == 192);
    assert!(offset_of!(OwnersLine, parents) == 12);
    assert!(offset_of!(SegmentEntry, access) == 64);
    assert!(offset_of!(AccessLine, readers) == 16);
    assert!(offset_of!(SegmentEntry, holders) == 128);
    assert!(offset_of!(SegmentEntry, channel) == 160);
    assert!(offset_of!(SegmentEntry, receiver) == 172);
    assert!(offset_of!(SegmentEntry, lent) == 176);
    assert!(size_of::<RingHeader>() == 192);
    assert!(offset_of!(RingHeader, sent) == 64);
    assert!(offset_of!(RingHeader, received) == 128);
    assert!(offset_of!(ReceivedLine, settled) == 16);
    assert!(size_of::<RingSlot>() == 32);
    assert!(size_of::<NameEntry>() == 320);
    assert!(offset_of!(NameEntry, target) == 32);
    assert!(offset_of!(NameEntry, words) == 48);
    assert!(offset_of!(NameEntry, next_of_target) == 304);
    assert!(offset_of!(NameEntry, previous_of_target) == 308);
    assert!(offset_of!(NameEntry, published_at) == 312);
    assert!(offset_of!(SegmentHeader, metadata_length) == 32);
    assert!(offset_of!(SegmentHeader, metadata) == 128);
    assert!(size_of::<SegmentHeader>() == 3072);
};
