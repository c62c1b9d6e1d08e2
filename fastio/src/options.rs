//! How an allocation is to be created, and what a pipeline is to be like.
//!
//! Not here: the creation. Invariant: the default is what `FastIoContext::create` and `FastIoContext::open` do.

use std::sync::atomic::Ordering::SeqCst;

use crate::{allocation::FastIoAllocation, metadata::Metadata, store::Store};

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
    pub(crate) populated: bool,
    pub(crate) seals: bool,
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
            populated: false,
            seals: false,
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

    /// Whether all pages are to be there at once, so that no first touch costs anything later.
    pub fn populated(mut self, populated: bool) -> Self {
        self.populated = populated;
        self
    }

    /// Whether it is to be sealed when this handle publishes or sends it, which then waits until nobody writes: for ever, if
    /// the thread itself has a [`WriteGuard`](crate::WriteGuard) of it.
    pub fn sealed_on_publish(mut self, sealed: bool) -> Self {
        self.seals = sealed;
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

/// What a pipeline is to be like; see [`FastIoContext::open_with`](crate::FastIoContext::open_with).
///
/// What is asked for here becomes a property of the pipeline, for all of its members; what is not, stays as it was.
///
/// ```
/// # let pipeline = format!("doc-quota-{}", std::process::id());
/// use podwire_fastio::{Error, FastIoContext, PipelineOptions};
///
/// let options = PipelineOptions::new().ephemeral(true).quota_bytes(1 << 20);
/// let context = FastIoContext::open_with(&pipeline, options)?;
/// assert!(matches!(context.create(2 << 20), Err(Error::QuotaExceeded { what: "bytes", .. })));
/// let path = context.path().to_owned();
/// drop(context);
/// assert!(!path.exists(), "it went with its last member");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct PipelineOptions {
    ephemeral: Option<bool>,
    bytes: Option<u64>,
    names: Option<u32>,
}

impl PipelineOptions {
    /// Nothing in particular.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the pipeline goes, with all that is published, when its last member closes it. If the last one is killed, it
    /// goes when it is opened next.
    pub fn ephemeral(mut self, ephemeral: bool) -> Self {
        self.ephemeral = Some(ephemeral);
        self
    }

    /// The most bytes that the files of allocations and channels may have together, those included that wait to be used
    /// again; 0 for as many as there is room for. What is there already stays.
    pub fn quota_bytes(mut self, bytes: u64) -> Self {
        self.bytes = Some(bytes);
        self
    }

    /// The most names that there may be, those of channels included; 0 for as many as there can be.
    pub fn quota_names(mut self, names: u32) -> Self {
        self.names = Some(names);
        self
    }

    pub(crate) fn apply(self, store: &Store) {
        let control = store.control();
        if let Some(ephemeral) = self.ephemeral {
            control.ephemeral.store(ephemeral.into(), SeqCst);
        }
        if let Some(bytes) = self.bytes {
            control.quota_bytes.store(bytes, SeqCst);
        }
        if let Some(names) = self.names {
            control.quota_names.store(names, SeqCst);
        }
    }
}
