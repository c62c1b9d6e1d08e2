//! The handle of an allocation.
//!
//! Not here: how any of it is done. Invariant: as long as a handle lives, its process is a holder, and the memory
//! is neither recycled nor unmapped.

use std::{
    fmt,
    sync::{OnceLock, atomic::Ordering::SeqCst},
    time::Duration,
};

use crate::{
    access::Patience,
    context::FastIoContext,
    crash::crash_point,
    error::{Error, Result},
    futex,
    guard::{ReadGuard, WriteGuard},
    local::Wanted,
    metadata::{Kept, Metadata},
    name::Key,
    segment::{HEADER, file_name},
    shared_bytes::SharedBytes,
    slot::bits,
    state::State,
    store::{AllocationId, Store},
    sys::Held,
};

/// A piece of shared memory, and a handle that keeps it.
///
/// It is private to its process until it is published; from then on any process of the pipeline can get it, map it,
/// publish it under further names, and free it. Dropping a handle takes nothing away that is published; a private
/// allocation goes with its last handle.
///
/// ```
/// # let pipeline = format!("doc-allocation-{}", std::process::id());
/// use podwire_fastio::FastIoContext;
/// let context = FastIoContext::open(&pipeline)?;
///
/// let picture = context.create(1024)?;
/// picture.map_mut()?.fill(7);
/// picture.publish("picture")?;
///
/// let found = context.get("picture")?; // here, or in any other process
/// assert_eq!(found.map()?[1023], 7);
/// found.free()?;
/// # drop((picture, found, context));
/// # FastIoContext::remove(&pipeline)?;
/// # Ok::<(), podwire_fastio::Error>(())
/// ```
pub struct FastIoAllocation {
    pub(crate) context: FastIoContext,
    pub(crate) id: AllocationId,
    pub(crate) held: Held,
    pub(crate) offset: usize,
    pub(crate) length: usize,
    metadata: OnceLock<Kept>,
    /// Whether `metadata` differs from what stands in the header.
    changed: bool,
    /// Whether it is sealed before others get it.
    pub(crate) seals: bool,
}

impl FastIoAllocation {
    /// A handle for what the caller holds. With an error it is a holder no more.
    #[inline]
    pub(crate) fn new(context: FastIoContext, id: AllocationId, held: Held) -> Result<Self> {
        let entry = context.store().segment(id.index)?;
        let offset = entry.payload.load(SeqCst) as usize;
        let length = usize::try_from(entry.length.load(SeqCst)).unwrap_or(usize::MAX);
        let inside = offset.checked_add(length).is_some_and(|end| end <= held.length());
        let handle = Self {
            context,
            id,
            held,
            offset,
            length,
            metadata: OnceLock::new(),
            changed: false,
            seals: false,
        };
        if inside && offset >= HEADER { Ok(handle) } else { Err(handle.corrupt("does not hold its payload")) }
    }

    /// This handle's copy of what its header holds.
    #[inline]
    pub(crate) fn keep(&mut self, metadata: Metadata) {
        self.metadata = OnceLock::from(Kept::of(metadata));
    }

    #[inline]
    pub(crate) fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.set_metadata(metadata);
        self
    }

    #[inline]
    fn store(&self) -> &Store {
        self.context.store()
    }

    #[cold]
    fn corrupt(&self, what: &'static str) -> Error {
        Error::Corrupt { what, path: self.store().path(&file_name(self.id.index, self.held.epoch)) }
    }

    /// The pipeline that this belongs to.
    pub fn context(&self) -> &FastIoContext {
        &self.context
    }

    /// What stands for this allocation in messages between processes of the pipeline; see
    /// [`FastIoContext::get_by_id`].
    pub fn id(&self) -> AllocationId {
        self.id
    }

    /// The size in bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether the size is 0.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// This handle's copy of the metadata.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if what stands in shared memory is not metadata.
    pub fn metadata(&self) -> Result<&Metadata> {
        if let Some(kept) = self.metadata.get() {
            return Ok(kept.get());
        }
        // What a published name points to does not change any more: copied now or at `get` is the same.
        let metadata = self.held.metadata().ok_or_else(|| self.corrupt("has no valid metadata"))?;
        Ok(self.metadata.get_or_init(|| Kept::of(metadata)).get())
    }

    /// This handle's copy of the metadata, to change. Others see the change under the names that this handle
    /// publishes afterwards, and under no other name.
    ///
    /// # Errors
    /// As [`metadata`](Self::metadata).
    pub fn metadata_mut(&mut self) -> Result<&mut Metadata> {
        self.metadata()?;
        self.changed = true;
        self.metadata.get_mut().map(Kept::get_mut).ok_or(Error::Freed)
    }

    /// Replaces this handle's copy of the metadata, as [`metadata_mut`](Self::metadata_mut) would.
    pub fn set_metadata(&mut self, metadata: Metadata) {
        self.keep(metadata);
        self.changed = true;
    }

    /// Seals what is to be sealed when others get it.
    pub(crate) fn seal_if_asked(&self) -> Result<()> {
        if self.seals { self.seal() } else { Ok(()) }
    }

    /// Whether this handle's metadata is what stands in the header. Another handle may have written its own there, as long as the
    /// memory was private.
    fn agrees(&self) -> bool {
        let stands = |kept: &Kept| kept.get().encode().is_ok_and(|encoded| self.held.metadata_is(&encoded));
        !self.changed && self.metadata.get().is_none_or(stands)
    }

    /// Brings the header in line with this handle's metadata where nobody else can read it; whether they agree now.
    pub(crate) fn settle_metadata(&self) -> Result<bool> {
        if self.agrees() {
            return Ok(true);
        }
        let (store, segment) = (self.store(), self.store().segment(self.id.index)?);
        let alone = bits(&segment.holders).eq([store.slot]);
        if !alone || store.state(self.id.index)?.state != State::Private {
            return Ok(false);
        }
        self.held.set_metadata(&self.metadata()?.encode()?);
        Ok(true)
    }

    /// Gives the allocation a name, under which every process of the pipeline gets it.
    ///
    /// It can be given several names. The metadata is the one of this handle, at this moment.
    ///
    /// # Errors
    /// [`Error::NameTaken`], [`Error::BadName`], [`Error::Freed`], [`Error::NoSpace`], [`Error::QuotaExceeded`],
    /// [`Error::MetadataTooLarge`], [`Error::Forked`], [`Error::Removed`]; [`Error::Poisoned`] if it is to be
    /// [sealed](crate::AllocationOptions::sealed_on_publish) now.
    pub fn publish(&self, name: &str) -> Result<()> {
        self.publish_as(name, false)
    }

    /// The same, but takes the name over if it is taken. At every moment the name stands for the old or for the new
    /// allocation; the old one is freed if that was its last name.
    ///
    /// # Errors
    /// As [`publish`](Self::publish), but not [`Error::NameTaken`].
    pub fn replace(&self, name: &str) -> Result<()> {
        self.publish_as(name, true)
    }

    fn publish_as(&self, name: &str, replace: bool) -> Result<()> {
        let store = self.store();
        store.check()?;
        let key = Key::new(name)?;
        store.soon_find(&key);
        let mut agrees = !self.changed;
        loop {
            let encoded = if agrees { None } else { Some(self.metadata()?.encode()?) };
            self.seal_if_asked()?;
            // A published header does not change: other metadata for a further name gets a header of its own.
            let extra = match &encoded {
                Some(encoded) if store.state(self.id.index)?.state == State::Published => {
                    let extra = self.context.create(0)?;
                    extra.held.set_metadata(encoded);
                    Some(extra)
                }
                _ => None,
            };
            let lock = store.lock()?;
            if agrees && !self.agrees() {
                agrees = false;
                continue;
            }
            let word = store.state(self.id.index)?;
            if word.state == State::Private && word.generation == self.id.generation {
                if let Some(encoded) = &encoded {
                    self.held.set_metadata(encoded);
                }
                crash_point!("after-metadata");
            } else if word.state == State::Published && encoded.is_some() && extra.is_none() {
                // Another handle was faster with the first publication.
                continue;
            }
            lock.publish(&key, self.id, extra.as_ref().map_or(self.id, |extra| extra.id), replace)?;
            drop(lock);
            crash_point!("before-wake");
            let wait = store.wait_word(key.hash);
            futex::notify(&wait.events, &wait.waiters);
            store.tell_watchers();
            return Ok(());
        }
    }

    /// Takes all names away: no new handle anywhere. Handles and maps that exist stay valid; the memory is used
    /// again when the last of them is gone. What a published parent owns lives on as long as the parent.
    ///
    /// # Errors
    /// [`Error::Freed`] if it was freed before, by whomever.
    pub fn free(&self) -> Result<()> {
        let store = self.store();
        store.check()?;
        store.lock()?.free(self.id)?;
        store.tell_watchers();
        Ok(())
    }

    /// Waits until nobody writes, and gives the bytes to read. A sealed allocation is mapped without a lock.
    ///
    /// A thread that holds a [`WriteGuard`] of the same allocation waits for itself, for ever.
    ///
    /// # Errors
    /// [`Error::Poisoned`] if a writer died in the middle of writing, [`Error::Forked`].
    pub fn map(&self) -> Result<ReadGuard<'_>> {
        self.read(Patience::Forever)
    }

    /// The same without waiting.
    ///
    /// # Errors
    /// As [`map`](Self::map), and [`Error::Busy`].
    pub fn try_map(&self) -> Result<ReadGuard<'_>> {
        self.read(Patience::None)
    }

    /// The same, waiting no longer than `timeout`.
    ///
    /// # Errors
    /// As [`map`](Self::map), and [`Error::Timeout`].
    pub fn map_timeout(&self, timeout: Duration) -> Result<ReadGuard<'_>> {
        self.read(Patience::For(timeout))
    }

    #[inline]
    fn read(&self, patience: Patience) -> Result<ReadGuard<'_>> {
        let store = self.store();
        if store.forked() {
            return Err(Error::Forked);
        }
        Ok(match store.read_sealed(self.id)? {
            Some(proof) => ReadGuard { allocation: self, proof, locked: false },
            None => ReadGuard { allocation: self, proof: store.begin_read(self.id, patience)?, locked: true },
        })
    }

    /// Copies bytes from an offset on into `buffer`, without mapping: for files that somebody might truncate, where
    /// reading a map could end the process. Waits until nobody writes.
    ///
    /// # Errors
    /// [`Error::WrongShape`] if the allocation ends before, [`Error::Corrupt`] if the file does, [`Error::Poisoned`],
    /// [`Error::Forked`], [`Error::Io`].
    pub fn read_into(&self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        let inside = offset.checked_add(buffer.len()).is_some_and(|end| end <= self.length);
        if !inside {
            return Err(Error::WrongShape { reason: "the allocation ends before" });
        }
        let _guard = self.map()?;
        self.store().read_file(self.id.index, (self.offset + offset) as u64, buffer)
    }

    /// Waits until nobody else reads or writes, and gives the bytes to write.
    ///
    /// A thread that holds a guard of the same allocation waits for itself, for ever.
    ///
    /// # Errors
    /// [`Error::Sealed`], [`Error::Poisoned`] if a writer died in the middle of writing, [`Error::Forked`].
    pub fn map_mut(&self) -> Result<WriteGuard<'_>> {
        self.write(Patience::Forever)
    }

    /// The same without waiting.
    ///
    /// # Errors
    /// As [`map_mut`](Self::map_mut), and [`Error::Busy`].
    pub fn try_map_mut(&self) -> Result<WriteGuard<'_>> {
        self.write(Patience::None)
    }

    /// The same, waiting no longer than `timeout`.
    ///
    /// # Errors
    /// As [`map_mut`](Self::map_mut), and [`Error::Timeout`].
    pub fn map_mut_timeout(&self, timeout: Duration) -> Result<WriteGuard<'_>> {
        self.write(Patience::For(timeout))
    }

    fn write(&self, patience: Patience) -> Result<WriteGuard<'_>> {
        let store = self.store();
        if store.forked() {
            return Err(Error::Forked);
        }
        let (proof, read) = store.begin_write(self.id, patience)?;
        Ok(WriteGuard { allocation: self, proof, read, panicking: std::thread::panicking(), poisons: false })
    }

    /// Waits until nobody writes, and makes the bytes immutable: nobody writes from then on, and mapping them costs
    /// no lock. Can be repeated.
    ///
    /// # Errors
    /// [`Error::Poisoned`], [`Error::Forked`].
    pub fn seal(&self) -> Result<()> {
        self.seal_with(Patience::Forever)
    }

    /// The same, waiting no longer than `timeout`.
    ///
    /// # Errors
    /// As [`seal`](Self::seal), and [`Error::Timeout`].
    pub fn seal_timeout(&self, timeout: Duration) -> Result<()> {
        self.seal_with(Patience::For(timeout))
    }

    fn seal_with(&self, patience: Patience) -> Result<()> {
        if self.store().forked() {
            return Err(Error::Forked);
        }
        self.store().seal(self.id, patience)
    }

    /// Whether the bytes are immutable.
    pub fn is_sealed(&self) -> bool {
        self.store().sealed(self.id).unwrap_or(false)
    }

    /// Takes the bytes of a poisoned allocation as they are, for everybody; whether it was poisoned.
    ///
    /// # Errors
    /// [`Error::Forked`].
    pub fn accept_poisoned(&self) -> Result<bool> {
        if self.store().forked() {
            return Err(Error::Forked);
        }
        self.store().accept_poisoned(self.id)
    }

    /// Turns the handle of a sealed allocation into bytes that can be owned and shared.
    ///
    /// With an error the handle is gone, as if dropped; [`to_shared`](Self::to_shared) keeps it.
    ///
    /// # Errors
    /// [`Error::NotSealed`], [`Error::Forked`].
    pub fn into_shared(self) -> Result<SharedBytes> {
        if self.store().forked() {
            return Err(Error::Forked);
        }
        let proof = self.store().read_sealed(self.id)?.ok_or(Error::NotSealed)?;
        Ok(SharedBytes::new(self, proof))
    }

    /// The bytes of a sealed allocation, to be owned and shared, with a handle of their own.
    ///
    /// # Errors
    /// As [`into_shared`](Self::into_shared).
    pub fn to_shared(&self) -> Result<SharedBytes> {
        if self.store().sealed(self.id)? { self.clone().into_shared() } else { Err(Error::NotSealed) }
    }

    /// Lists further allocations that this one owns: they need no name, and live as long as this one does.
    ///
    /// Only before this one is published, and only allocations of the same pipeline. With the publication the
    /// private ones among the children become reachable for others, with the metadata that their handles had here.
    ///
    /// # Errors
    /// [`Error::CannotAdopt`], [`Error::TooManyChildren`], [`Error::Freed`], [`Error::MetadataTooLarge`].
    pub fn adopt(&self, children: &[&FastIoAllocation]) -> Result<()> {
        let store = self.store();
        store.check()?;
        for child in children {
            if !child.context.same_pipeline(&self.context) {
                return Err(Error::CannotAdopt { reason: "it belongs to another pipeline" });
            }
            let encoded = child.metadata()?.encode()?;
            let lock = store.lock()?;
            if store.state(child.id.index)?.state == State::Private {
                child.held.set_metadata(&encoded);
            }
            lock.adopt(self.id, &self.held, child.id)?;
        }
        Ok(())
    }

    /// Handles of the allocations that this one owns, in the order in which they were listed.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the list is damaged, [`Error::Io`] if a child cannot be mapped.
    pub fn children(&self) -> Result<Vec<FastIoAllocation>> {
        let store = self.store();
        store.check()?;
        let list = {
            let _lock = store.lock()?;
            store.children_of(self.id.index, &self.held)?
        };
        list.into_iter()
            .map(|child| {
                let held = store.hold(child, Wanted::Own)?;
                Self::new(self.context.clone(), child, held)
            })
            .collect()
    }
}

impl Clone for FastIoAllocation {
    /// One more handle with its own copy of the metadata.
    fn clone(&self) -> Self {
        let (_, local) =
            self.store().both(self.id.index).expect("the table had this entry when the handle was made");
        Self {
            held: local.holding.again(&self.held),
            context: self.context.clone(),
            id: self.id,
            offset: self.offset,
            length: self.length,
            metadata: self.metadata.clone(),
            changed: self.changed,
            seals: self.seals,
        }
    }
}

impl Drop for FastIoAllocation {
    #[inline]
    fn drop(&mut self) {
        if !self.store().forked() {
            // Who cannot recycle now (no descriptor left, say) leaves it to the next sweep.
            let _ = self.store().unhold(self.id, &self.held);
        }
    }
}

impl fmt::Debug for FastIoAllocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FastIoAllocation")
            .field("id", &self.id)
            .field("len", &self.length)
            .finish_non_exhaustive()
    }
}
