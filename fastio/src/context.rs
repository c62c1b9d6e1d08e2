//! The open pipeline: where allocations come from and where names are asked for.
//!
//! Not here: how any of it is done. Invariant: a process has one slot in a pipeline, however many contexts it opens.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak,
        atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bytemuck::NoUninit;
use ndarray::{ArrayBase, Data, Dimension};
use podwire_codec_core::tensor::Element;

use crate::{
    allocation::FastIoAllocation,
    directory::Directory,
    error::{Error, Result},
    futex::{self, Deadline},
    local::Wanted,
    metadata::Metadata,
    name::{self, Key},
    names::Found,
    options::{AllocationOptions, PipelineOptions},
    remove,
    segment::file_name,
    slot::{self, SlotLock},
    state::State,
    stats::{Listing, Stats},
    store::{AllocationId, Store},
    sweep::SweepReport,
};

/// A pipeline, open in this process; cheap to clone.
///
/// A pipeline is a set of named allocations that the processes of one user share. It is there from the first
/// [`open`](Self::open) until [`remove`](Self::remove), whichever processes live.
///
/// ```
/// # let pipeline = format!("doc-context-{}", std::process::id());
/// use std::time::Duration;
/// use podwire_fastio::FastIoContext;
///
/// let context = FastIoContext::open(&pipeline)?;
/// let volume = ndarray::Array3::<i16>::zeros((4, 8, 8));
/// context.publish_array(&volume, "volume")?;
///
/// // In another process:
/// let found = context.wait("volume", Duration::from_secs(1))?;
/// let guard = found.map()?;
/// assert_eq!(guard.as_array::<i16>()?.shape(), [4, 8, 8]);
/// # drop(guard); drop(found); drop(context);
/// # FastIoContext::remove(&pipeline)?;
/// # Ok::<(), podwire_fastio::Error>(())
/// ```
#[derive(Clone)]
pub struct FastIoContext {
    inner: Arc<Inner>,
}

/// A pipeline that this keeps open no longer than others of the process do; see [`FastIoContext::downgrade`].
#[derive(Clone)]
pub struct WeakContext {
    inner: Weak<Inner>,
}

impl WeakContext {
    /// The pipeline, if somebody in this process still has it open.
    pub fn upgrade(&self) -> Option<FastIoContext> {
        self.inner.upgrade().map(|inner| FastIoContext { inner })
    }
}

struct Inner {
    store: Store,
    identity: (u64, u64),
    _slot: SlotLock,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.store.forked() {
            return;
        }
        if self.store.leave()
            && let (Ok(base), Some(name)) = (Directory::base(), self.store.directory.path().file_name())
        {
            // If it cannot be removed now, whoever opens it next does so.
            let _ = name.to_str().map(|name| remove::go_on_removing(&base, name, self.identity));
        }
    }
}

type Open = Vec<(PathBuf, Weak<Inner>)>;

/// The pipelines that this process has open.
///
/// A child that was forked while another thread of its parent held the lock can never get it: it goes on with the next
/// list, and so do its own children.
fn open_here() -> MutexGuard<'static, Open> {
    static LISTS: [Mutex<Open>; 16] = [const { Mutex::new(Vec::new()) }; 16];
    static LIST: AtomicUsize = AtomicUsize::new(0);
    static PROCESS: AtomicU32 = AtomicU32::new(0);
    let process = std::process::id();
    let before = PROCESS.swap(process, SeqCst);
    let list = &LISTS[LIST.load(SeqCst) % LISTS.len()];
    if ![0, process].contains(&before) && matches!(list.try_lock(), Err(TryLockError::WouldBlock)) {
        LIST.fetch_add(1, SeqCst);
    }
    LISTS[LIST.load(SeqCst) % LISTS.len()].lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often `open` begins anew when somebody removes the pipeline under its hands.
const ATTEMPTS: usize = 100;

impl FastIoContext {
    /// Opens a pipeline, and creates it if it is not there.
    ///
    /// Its files are in `/dev/shm/podwire-<uid>/<pipeline>`, or in `$PODWIRE_SHM_DIR/podwire-<uid>/<pipeline>`,
    /// closed to other users. Opening a pipeline twice in a process gives the same context.
    ///
    /// # Errors
    /// [`Error::BadName`], [`Error::NotPrivate`] if somebody else could have a hand in the files,
    /// [`Error::Corrupt`], [`Error::SlotsExhausted`] if 256 processes have it open, [`Error::NoSpace`],
    /// [`Error::Io`].
    pub fn open(pipeline: &str) -> Result<Self> {
        Self::open_with(pipeline, PipelineOptions::new())
    }

    /// Opens a pipeline that is to be as asked, and creates it if it is not there.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(pipeline: &str, options: PipelineOptions) -> Result<Self> {
        let context = Self::open_somehow(pipeline)?;
        options.apply(context.store());
        Ok(context)
    }

    fn open_somehow(pipeline: &str) -> Result<Self> {
        name::check_pipeline(pipeline)?;
        let mut attempt = 0;
        loop {
            let opened = Directory::base().and_then(|base| {
                base.make(pipeline)?;
                Self::open_once(&base, pipeline, attempt)
            });
            match opened {
                Err(Error::Removed) if attempt < ATTEMPTS => {
                    attempt += 1;
                    std::thread::sleep(Duration::from_millis(1));
                }
                other => return other,
            }
        }
    }

    /// Opens a pipeline whose directory is there. With [`Error::Removed`] it is not there any more.
    pub(crate) fn open_once(base: &Directory, pipeline: &str, attempt: usize) -> Result<Self> {
        let directory = base.directory(pipeline)?.ok_or(Error::Removed)?;
        let identity = directory.identity()?;
        let path = directory.path().to_owned();
        let mut open = open_here();
        open.retain(|(_, inner)| inner.strong_count() != 0);
        // Others of this path may be of a removed pipeline, or of the process that this one was forked from.
        let mut known =
            open.iter().filter(|(known, _)| *known == path).filter_map(|(_, inner)| inner.upgrade());
        if let Some(inner) = known.find(|inner| inner.identity == identity && inner.store.check().is_ok()) {
            return Ok(Self { inner });
        }
        drop(known);
        let mut store = Store::open(directory)?;
        if store.check().is_err() {
            // If the remover does not come to its end, it was killed between its mark and its work.
            if attempt >= ATTEMPTS / 4 {
                remove::go_on_removing(base, pipeline, identity)?;
            }
            return Err(Error::Removed);
        }
        let slot = slot::claim(&mut store)?;
        if !store.join()? {
            remove::go_on_removing(base, pipeline, identity)?;
            return Err(Error::Removed);
        }
        let inner = Arc::new(Inner { store, identity, _slot: slot });
        open.push((path, Arc::downgrade(&inner)));
        Ok(Self { inner })
    }

    /// The pipelines of this user, sorted. None is opened or created by asking.
    ///
    /// # Errors
    /// [`Error::NotPrivate`], [`Error::Io`].
    pub fn pipelines() -> Result<Vec<String>> {
        let base = Directory::base()?;
        let mut pipelines = base.entries()?;
        pipelines.retain(|entry| name::check_pipeline(entry).is_ok());
        pipelines.sort();
        // Asking must not leave a directory behind where there was none.
        remove::finish(&base);
        Ok(pipelines)
    }

    /// Removes a pipeline with everything in it, whoever uses it; whether there was one.
    ///
    /// Handles and maps that exist stay readable; everything else that contexts of the removed pipeline are asked
    /// for is [`Error::Removed`].
    ///
    /// # Errors
    /// [`Error::BadName`], [`Error::NotPrivate`], [`Error::Io`].
    pub fn remove(pipeline: &str) -> Result<bool> {
        name::check_pipeline(pipeline)?;
        remove::remove(&Directory::base()?, pipeline)
    }

    /// Removes this pipeline, as [`remove`](Self::remove) does.
    ///
    /// # Errors
    /// As [`remove`](Self::remove).
    pub fn drop_pipeline(self) -> Result<bool> {
        self.store().check()?;
        match self.path().file_name().and_then(|name| name.to_str()) {
            Some(pipeline) => remove::remove(&Directory::base()?, pipeline),
            None => Ok(false),
        }
    }

    #[inline]
    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Whether both are one pipeline: allocations of the one can be children of those of the other.
    pub fn same_pipeline(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// For whoever keeps books about a pipeline, and must not keep it open.
    pub fn downgrade(&self) -> WeakContext {
        WeakContext { inner: Arc::downgrade(&self.inner) }
    }

    /// The pipeline's directory.
    pub fn path(&self) -> &Path {
        self.store().directory.path()
    }

    /// Creates an allocation of `size` bytes, private to this process until it is published.
    ///
    /// Its bytes may be what an earlier allocation of the pipeline left; see [`AllocationOptions::zeroed`].
    ///
    /// # Errors
    /// [`Error::NoSpace`], [`Error::QuotaExceeded`], [`Error::Forked`], [`Error::Removed`], [`Error::Io`].
    pub fn create(&self, size: usize) -> Result<FastIoAllocation> {
        self.create_with(AllocationOptions::new(size))
    }

    /// Creates an allocation as asked.
    ///
    /// # Errors
    /// As [`create`](Self::create), [`Error::BadAlignment`], [`Error::MetadataTooLarge`],
    /// [`Error::TooManyChildren`], [`Error::CannotAdopt`].
    pub fn create_with(&self, options: AllocationOptions<'_>) -> Result<FastIoAllocation> {
        let store = self.store();
        store.check()?;
        let AllocationOptions { size, alignment, zeroed, populated, seals, metadata, children, room } =
            options;
        if !alignment.is_power_of_two() || alignment > 4096 {
            return Err(Error::BadAlignment { alignment });
        }
        let encoded = metadata.encode()?;
        let created = store.create(size as u64, room.max(children.len()))?;
        created.held.set_metadata(&encoded);
        let used = created.used;
        let mut allocation = FastIoAllocation::new(self.clone(), created.id, created.held)?;
        allocation.keep(metadata);
        allocation.seals = seals;
        if populated && used {
            let path = store.path(&file_name(allocation.id.index, allocation.held.epoch));
            allocation.held.populate().map_err(|source| Error::io("madvise", path, source))?;
        }
        if zeroed && used {
            allocation.map_mut()?.fill(0);
        }
        allocation.adopt(&children)?;
        Ok(allocation)
    }

    /// A handle of what is published under a name.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::BadName`], [`Error::Forked`], [`Error::Removed`], [`Error::Corrupt`],
    /// [`Error::Io`] if it cannot be mapped.
    pub fn get(&self, name: &str) -> Result<FastIoAllocation> {
        self.store().check()?;
        match self.look_up(&Key::new(name)?) {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err(Error::NotFound { name: name::shown(name) }),
            Err(error) => Err(error),
        }
    }

    /// The same; `None` where nothing is published under the name.
    ///
    /// # Errors
    /// As [`get`](Self::get), but not [`Error::NotFound`].
    pub fn try_get(&self, name: &str) -> Result<Option<FastIoAllocation>> {
        self.store().check()?;
        self.look_up(&Key::new(name)?)
    }

    #[inline]
    fn look_up(&self, key: &Key<'_>) -> Result<Option<FastIoAllocation>> {
        let store = self.store();
        let mut last = None;
        while let Some(found) = store.find(key)? {
            match store.hold(found.target, Wanted::Published) {
                Ok(held) => {
                    let allocation = FastIoAllocation::new(self.clone(), found.target, held)?;
                    if found.metadata == found.target {
                        return Ok(Some(allocation));
                    }
                    match self.metadata_of(found) {
                        Ok(metadata) => return Ok(Some(allocation.with_metadata(metadata))),
                        Err(Error::Freed) => {}
                        Err(error) => return Err(error),
                    }
                }
                Err(Error::Freed) => {}
                Err(error) => return Err(error),
            }
            // It was freed between the look-up and the hold, or replaced: look again, but do not hunt a ghost.
            if last == Some(found.publication) {
                break;
            }
            last = Some(found.publication);
        }
        Ok(None)
    }

    /// The metadata of a name that has its own.
    #[cold]
    fn metadata_of(&self, found: Found) -> Result<Metadata> {
        let held = self.store().hold(found.metadata, Wanted::Published)?;
        Ok(FastIoAllocation::new(self.clone(), found.metadata, held)?.metadata()?.clone())
    }

    /// A handle of an allocation by its id: a published one, or one of this process's own.
    ///
    /// # Errors
    /// [`Error::Freed`] if the allocation is gone, also when its memory is used again; otherwise as
    /// [`get`](Self::get).
    pub fn get_by_id(&self, id: AllocationId) -> Result<FastIoAllocation> {
        self.store().check()?;
        let held = self.store().hold(id, Wanted::Own)?;
        FastIoAllocation::new(self.clone(), id, held)
    }

    /// Whether nothing is left of an allocation: no name, no parent, and no handle in any process. What somebody held who was
    /// killed is gone once it was [swept](Self::sweep).
    ///
    /// # Errors
    /// [`Error::Forked`], [`Error::Removed`], [`Error::Io`].
    pub fn is_gone(&self, id: AllocationId) -> Result<bool> {
        let store = self.store();
        store.check()?;
        if id.index >= store.segment_count() {
            return Ok(true);
        }
        let word = store.state(id.index)?;
        let lives = matches!(word.state, State::Private | State::Published | State::Freed);
        Ok(word.generation != id.generation || !lives)
    }

    /// Waits until something is published under a name, and gives a handle of it.
    ///
    /// Sleeps in the kernel; looks again every 5 ms in case the publisher was killed before it could wake us.
    ///
    /// # Errors
    /// [`Error::Timeout`], and as [`get`](Self::get).
    pub fn wait(&self, name: &str, timeout: Duration) -> Result<FastIoAllocation> {
        let store = self.store();
        let key = Key::new(name)?;
        let word = store.wait_word(key.hash);
        let deadline = Deadline::after(timeout);
        loop {
            store.check()?;
            if let Some(found) = self.look_up(&key)? {
                return Ok(found);
            }
            let time = deadline.slice(|| format!("the name \"{}\"", name::shown(name)))?;
            let late = futex::wait(&word.events, &word.waiters, time, || {
                Ok(store.find(&key)?.is_some() || store.check().is_err())
            })?;
            if late {
                store.see_to_the_lock()?;
            }
        }
    }

    /// Waits until something is published under one of several names; the position of the name, and a handle.
    ///
    /// # Errors
    /// [`Error::Timeout`], and as [`get`](Self::get).
    pub fn wait_any(&self, names: &[&str], timeout: Duration) -> Result<(usize, FastIoAllocation)> {
        let store = self.store();
        let keys = names.iter().map(|name| Key::new(name)).collect::<Result<Vec<_>>>()?;
        let deadline = Deadline::after(timeout);
        loop {
            store.check()?;
            for (position, key) in keys.iter().enumerate() {
                if let Some(found) = self.look_up(key)? {
                    return Ok((position, found));
                }
            }
            store.see_to_the_lock()?;
            let time = deadline.slice(|| {
                let names: Vec<_> = names.iter().map(|name| format!("\"{}\"", name::shown(name))).collect();
                format!("one of the names {}", names.join(", "))
            })?;
            let words = keys.iter().map(|key| store.wait_word(key.hash));
            let bells: Vec<_> = words.map(|word| (&word.events, &word.waiters)).collect();
            let there = |key: &Key<'_>| !matches!(store.find(key), Ok(None));
            futex::wait_any(None, bells.iter().copied(), time, || {
                keys.iter().any(there) || store.check().is_err()
            });
        }
    }

    /// Creates an array of this shape, in standard C order, to be filled where it lies.
    ///
    /// ```
    /// # let pipeline = format!("doc-create-array-{}", std::process::id());
    /// use podwire_fastio::FastIoContext;
    ///
    /// let context = FastIoContext::open(&pipeline)?;
    /// let frame = context.create_array::<u16>(&[480, 640])?;
    /// frame.map_mut()?.as_array_mut::<u16>()?.fill(7);
    /// frame.publish("frame")?; // nothing was copied
    /// # drop((frame, context));
    /// # FastIoContext::remove(&pipeline)?;
    /// # Ok::<(), podwire_fastio::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`create`](Self::create); [`Error::WrongShape`] if the shape has more elements than there can be.
    pub fn create_array<T: Element>(&self, shape: &[usize]) -> Result<FastIoAllocation> {
        let bytes = shape.iter().try_fold(T::DTYPE.size(), |bytes, extent| bytes.checked_mul(*extent));
        let bytes = bytes.ok_or(Error::WrongShape { reason: "an extent is too large" })?;
        let metadata = Metadata::array(T::DTYPE, shape.iter().map(|extent| *extent as u64));
        self.create_with(AllocationOptions::new(bytes).metadata(metadata))
    }

    /// Copies an array into shared memory, in standard C order whatever its layout is, and publishes it.
    ///
    /// The bytes copied are counted in [`Stats::bytes_copied`].
    ///
    /// # Errors
    /// As [`create`](Self::create) and [`FastIoAllocation::publish`].
    pub fn publish_array<T, S, D>(&self, array: &ArrayBase<S, D>, name: &str) -> Result<FastIoAllocation>
    where
        T: Element + NoUninit,
        S: Data<Elem = T>,
        D: Dimension,
    {
        let allocation = self.copy_of(array, name)?;
        allocation.publish(name)?;
        Ok(allocation)
    }

    /// The same, but takes the name over if it is taken: for what is only ever wanted in its latest form.
    ///
    /// # Errors
    /// As [`publish_array`](Self::publish_array), but not [`Error::NameTaken`].
    pub fn replace_array<T, S, D>(&self, array: &ArrayBase<S, D>, name: &str) -> Result<FastIoAllocation>
    where
        T: Element + NoUninit,
        S: Data<Elem = T>,
        D: Dimension,
    {
        let allocation = self.copy_of(array, name)?;
        allocation.replace(name)?;
        Ok(allocation)
    }

    /// A copy of an array that is to have a name.
    fn copy_of<T, S, D>(&self, array: &ArrayBase<S, D>, name: &str) -> Result<FastIoAllocation>
    where
        T: Element + NoUninit,
        S: Data<Elem = T>,
        D: Dimension,
    {
        const { assert!(size_of::<T>() == T::DTYPE.size(), "the type is not as large as its dtype") };
        name::check(name)?;
        let allocation = self.create_array::<T>(array.shape())?;
        self.store().copy(&mut allocation.map_mut()?, &array.view())?;
        Ok(allocation)
    }

    /// Takes a name away; whether it was there. An allocation without any name is freed.
    ///
    /// # Errors
    /// [`Error::BadName`], [`Error::Forked`], [`Error::Removed`].
    pub fn unpublish(&self, name: &str) -> Result<bool> {
        let store = self.store();
        store.check()?;
        let key = Key::new(name)?;
        let removed = store.lock()?.unpublish(&key)?;
        store.tell_watchers();
        if store.control().counts.pooled_bytes.load(SeqCst) > crate::pool::KEEP {
            store.trim(crate::pool::KEEP)?;
        }
        Ok(removed)
    }

    /// All names, sorted.
    ///
    /// # Errors
    /// [`Error::Forked`], [`Error::Removed`], [`Error::Corrupt`].
    pub fn list(&self) -> Result<Vec<Listing>> {
        self.store().check()?;
        self.store().list()
    }

    /// What the pipeline holds, in numbers.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn stats(&self) -> Result<Stats> {
        self.store().check()?;
        self.store().stats()
    }

    /// Cleans up what dead processes left, and gives pooled memory back to the system.
    ///
    /// Safe at any time, from any number of processes. What is published stays.
    ///
    /// # Errors
    /// [`Error::Forked`], [`Error::Removed`], [`Error::Corrupt`], [`Error::Io`].
    pub fn sweep(&self) -> Result<SweepReport> {
        self.store().check()?;
        let report = self.store().sweep()?;
        remove::finish(&Directory::base()?);
        Ok(report)
    }
}

impl fmt::Debug for FastIoContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FastIoContext").field(&self.path()).finish()
    }
}
