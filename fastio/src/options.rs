//! How an allocation is to be created.
//!
//! Not here: the creation. Invariant: the default is what `FastIoContext::create` does.

use crate::{allocation::FastIoAllocation, metadata::Metadata};

/// How an allocation is to be created; see [`FastIoContext::create_with`](crate::FastIoContext::create_with).
///
/// ```
/// use podwire_fastio::{AllocationOptions, DType, Metadata};
/// let options = AllocationOptions::new(4096).alignment(256).zeroed(true).metadata(Metadata::array(DType::U8, [64, 64]));
/// # let _ = options;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AllocationOptions<'a> {
    pub(crate) size: usize,
    pub(crate) alignment: usize,
    pub(crate) zeroed: bool,
    pub(crate) metadata: Metadata,
    pub(crate) children: Vec<&'a FastIoAllocation>,
    pub(crate) room: usize,
}

impl<'a> AllocationOptions<'a> {
    /// An allocation of `size` bytes.
    pub fn new(size: usize) -> Self {
        Self {
            size,
            alignment: 64,
            zeroed: false,
            metadata: Metadata::default(),
            children: Vec::new(),
            room: 0,
        }
    }

    /// The alignment of the first byte, in bytes: a power of two of at most 4096, which every allocation has.
    pub fn alignment(mut self, alignment: usize) -> Self {
        self.alignment = alignment;
        self
    }

    /// Whether all bytes are to be zero. Otherwise they may be what an earlier allocation of the pipeline left.
    pub fn zeroed(mut self, zeroed: bool) -> Self {
        self.zeroed = zeroed;
        self
    }

    /// The metadata to begin with.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// The allocations that this one owns; see [`FastIoAllocation::adopt`].
    pub fn children(mut self, children: &[&'a FastIoAllocation]) -> Self {
        self.children.extend(children);
        self
    }

    /// Room for so many children, at most 65,536, for those that are adopted later. There is always room for 64.
    pub fn room_for_children(mut self, children: usize) -> Self {
        self.room = children;
        self
    }
}
