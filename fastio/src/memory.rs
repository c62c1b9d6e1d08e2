//! Memory that the host cannot map: what a pipeline asks of whoever knows its kind.
//!
//! Not here: any such memory, nor what is written of it. Invariant: for a pipeline such memory is an allocation that stands
//! for it; whoever holds that one may rely on the memory, and the memory is not used again before nobody does.

use std::sync::{Arc, PoisonError, RwLock};

use podwire_codec_core::{MemoryKind, Segment};

use crate::{allocation::FastIoAllocation, context::FastIoContext};

type CodecResult<T> = podwire_codec_core::Result<T>;

/// A kind of memory that the host cannot map, such as that of a GPU: how its segments travel between the processes of a
/// pipeline. Its owners show the host no bytes.
///
/// A segment of it travels as a *stand-in*: a sealed allocation in which the kind has written what another process finds
/// the memory by. Names, messages, holders and the death of any of them are the stand-in's, as for every allocation.
/// An implementer promises that
/// - the memory of a stand-in is not used for anything else before [`FastIoContext::is_gone`] says so of the stand-in;
/// - the bytes are complete, and do not change, from before [`stand_in`](Self::stand_in) returns;
/// - whatever bytes [`open`](Self::open) finds in a stand-in, the answer is a segment or an error.
pub trait ForeignMemory: Send + Sync {
    /// The kind, as messages name it.
    fn kind(&self) -> MemoryKind;

    /// The allocation of this pipeline that stands for the segment's memory, or for a copy of the segment if its memory
    /// cannot be shared. Its [descriptor](Segment::descriptor) goes into the message.
    ///
    /// # Errors
    /// The kind's own, as [`Error::Backend`](podwire_codec_core::Error::Backend).
    fn stand_in(&self, context: &FastIoContext, segment: &Segment) -> CodecResult<FastIoAllocation>;

    /// The segment of so many bytes that a message refers to by its stand-in and its descriptor.
    ///
    /// # Errors
    /// The kind's own, as [`Error::Backend`](podwire_codec_core::Error::Backend).
    fn open(&self, stand_in: FastIoAllocation, descriptor: &[u8], length: u64) -> CodecResult<Segment>;
}

/// The kinds of this process.
static KINDS: RwLock<Vec<Arc<dyn ForeignMemory>>> = RwLock::new(Vec::new());

/// Lets the pipelines of this process carry a kind of memory; an earlier one of the same kind is replaced.
pub fn register_memory(memory: Arc<dyn ForeignMemory>) {
    let mut kinds = KINDS.write().unwrap_or_else(PoisonError::into_inner);
    kinds.retain(|known| known.kind() != memory.kind());
    kinds.push(memory);
}

/// The kind of this number, if somebody knows it.
pub(crate) fn of_kind(kind: MemoryKind) -> Option<Arc<dyn ForeignMemory>> {
    let kinds = KINDS.read().unwrap_or_else(PoisonError::into_inner);
    kinds.iter().find(|known| known.kind() == kind).cloned()
}
