//! A driver with its devices and its books: what a process has one of.
//!
//! Not here: what users call. Invariant: memory reaches a user only under an allocation of a pipeline, which stands for it.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
};

use podwire_codec_core::MemoryKind;
use podwire_fastio::{AllocationOptions, FastIoAllocation, FastIoContext, Metadata, WeakContext};

use crate::{
    books::Books,
    counters::{Counters, add},
    driver::{Details, Driver, HostMemory},
    error::{Error, Result},
    ffi,
    memory::Memory,
    record::{Key, Record, hex},
    service,
};

/// Bytes of pinned memory that wait to be used again: pinning costs ten times a copy.
const PINNED: usize = 256 << 20;

pub(crate) struct Machine {
    pub(crate) driver: Arc<dyn Driver>,
    pub(crate) kind: MemoryKind,
    pub(crate) counters: Counters,
    /// What this process is called by others.
    me: u64,
    this: Weak<Self>,
    details: Mutex<Vec<Option<Arc<Details>>>>,
    books: Mutex<Books>,
    /// Held while memory of another process is opened, so that it is opened once.
    opening: Mutex<()>,
    /// The pipelines in whose directory a thread of ours listens.
    served: Mutex<HashMap<PathBuf, WeakContext>>,
    pinned: Mutex<Vec<HostMemory>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Machine {
    pub(crate) fn new(driver: Arc<dyn Driver>, kind: MemoryKind) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            driver,
            kind,
            counters: Counters::default(),
            me: RandomState::new().hash_one((std::process::id(), std::time::SystemTime::now())),
            this: Weak::clone(this),
            details: Mutex::default(),
            books: Mutex::default(),
            opening: Mutex::default(),
            served: Mutex::default(),
            pinned: Mutex::default(),
        })
    }

    /// The process's own, with the CUDA driver, which is loaded by the first call.
    pub(crate) fn cuda() -> Result<&'static Arc<Self>> {
        static MACHINE: OnceLock<Arc<Machine>> = OnceLock::new();
        static FIRST: Mutex<()> = Mutex::new(());
        if let Some(machine) = MACHINE.get() {
            return Ok(machine);
        }
        // One that failed is tried again: a device may have been handed to this process meanwhile.
        let _first = lock(&FIRST);
        if let Some(machine) = MACHINE.get() {
            return Ok(machine);
        }
        let machine = Self::new(Arc::new(ffi::Cuda::load()?), MemoryKind::CUDA);
        podwire_fastio::register_memory(Arc::new(crate::kind::Kind(Arc::clone(&machine))));
        Ok(MACHINE.get_or_init(|| machine))
    }

    /// What is known of a device, which is made ready.
    pub(crate) fn details(&self, device: u32) -> Result<Arc<Details>> {
        let devices = self.driver.count()?;
        if devices == 0 {
            return Err(Error::NoDevice);
        }
        if device >= devices {
            return Err(Error::WrongOrdinal { ordinal: device, devices });
        }
        let mut details = lock(&self.details);
        details.resize(devices as usize, None);
        let slot = &mut details[device as usize];
        if let Some(known) = slot {
            return Ok(Arc::clone(known));
        }
        Ok(Arc::clone(slot.insert(Arc::new(self.driver.open(device)?))))
    }

    /// The device of a UUID, which is made ready, and no other.
    fn device_of(&self, uuid: [u8; 16]) -> Result<u32> {
        for device in 0..self.driver.count()? {
            if self.driver.uuid(device)? == uuid {
                return self.details(device).map(|_| device);
            }
        }
        Err(Error::NotVisible { uuid: hex(uuid) })
    }

    /// Memory of `length` bytes on a device, and what stands for it in the pipeline: private, and filled with anything.
    pub(crate) fn create(
        &self,
        device: u32,
        context: &FastIoContext,
        length: usize,
        mut metadata: Metadata,
    ) -> Result<(FastIoAllocation, Arc<Memory>)> {
        let details = self.details(device)?;
        let too_large = || podwire_codec_core::Error::OutOfMemory { bytes: length as u64 };
        let bytes = length.max(1).checked_next_multiple_of(details.granularity).ok_or_else(too_large)?;
        self.serve(context)?;
        let (number, memory) = self.provide(device, context, bytes)?;
        let capacity = memory.block.bytes;
        let key = Key { creator: self.me, number };
        Record { key, length, capacity, uuid: details.uuid }.describe(&mut metadata);
        let stand_in = context.create_with(AllocationOptions::new(0).metadata(metadata))?;
        lock(&self.books).stands_for(number, context, stand_in.id());
        Ok((stand_in, memory))
    }

    fn provide(&self, device: u32, context: &FastIoContext, bytes: usize) -> Result<(u64, Arc<Memory>)> {
        let mut books = lock(&self.books);
        books.settle(Some(context));
        // While it is here twice, nobody else takes it; and it is an allocation's as soon as one is made for it.
        if let Some(found) = books.again(device, bytes) {
            add(&self.counters.reused, 1);
            return Ok(found);
        }
        let mut made = self.driver.create(device, bytes);
        if let Err(Error::OutOfMemory { .. }) = made {
            // What dead processes held, and what waits in other sizes, may be just what is missing.
            context.sweep()?;
            books.settle(Some(context));
            books.trim(0);
            books.trim_open((0, 0));
            made = self.driver.create(device, bytes);
        }
        let memory = Arc::new(Memory::created(Arc::clone(&self.driver), made?));
        add(&self.counters.created, 1);
        let number = books.add(Arc::clone(&memory));
        Ok((number, memory))
    }

    /// Lets other processes of a pipeline ask for memory of this one.
    fn serve(&self, context: &FastIoContext) -> Result<()> {
        let mut served = lock(&self.served);
        let known = served.get(context.path()).and_then(WeakContext::upgrade);
        if known.is_some_and(|known| known.same_pipeline(context)) {
            return Ok(());
        }
        match service::start(Weak::clone(&self.this), self.me, context.path()) {
            // The pipeline was closed here and opened again, and the thread has not noticed.
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists => {}
            other => other?,
        }
        served.insert(context.path().to_owned(), context.downgrade());
        Ok(())
    }

    /// The memory that an allocation stands for, mapped here.
    pub(crate) fn open(&self, stand_in: &FastIoAllocation) -> Result<(Record, Arc<Memory>)> {
        let no_memory = || Error::NotDeviceMemory { bytes: stand_in.len() as u64 };
        let record = Record::of(stand_in.metadata()?).ok_or_else(no_memory)?;
        let memory = self.find(stand_in.context(), &record)?;
        if memory.block.bytes < record.length {
            return Err(no_memory());
        }
        Ok((record, memory))
    }

    fn find(&self, context: &FastIoContext, record: &Record) -> Result<Arc<Memory>> {
        let key = record.key;
        if key.creator == self.me {
            return lock(&self.books).own(key.number).ok_or(Error::Gone);
        }
        let known = || {
            let memory = lock(&self.books).open(key)?;
            add(&self.counters.found, 1);
            Some(memory)
        };
        let memory = known().map_or_else(|| self.import(context, record, known), Ok)?;
        // From now on others may ask us for it, here too if it came by another pipeline.
        self.serve(context)?;
        Ok(memory)
    }

    fn import(
        &self,
        context: &FastIoContext,
        record: &Record,
        known: impl Fn() -> Option<Arc<Memory>>,
    ) -> Result<Arc<Memory>> {
        let key = record.key;
        let _opening = lock(&self.opening);
        // Somebody may have opened it meanwhile.
        if let Some(memory) = known() {
            return Ok(memory);
        }
        let device = self.device_of(record.uuid)?;
        let fd = service::fetch(context.path(), self.me, key)?;
        let block = self.driver.import(device, std::os::fd::AsFd::as_fd(&fd), record.capacity)?;
        let memory = Arc::new(Memory::imported(Arc::clone(&self.driver), block, fd));
        lock(&self.books).opened(key, Arc::clone(&memory));
        add(&self.counters.imported, 1);
        Ok(memory)
    }

    /// Memory that this process has, for another one.
    pub(crate) fn held(&self, key: Key) -> Option<Arc<Memory>> {
        let mut books = lock(&self.books);
        if key.creator == self.me { books.own(key.number) } else { books.open(key) }
    }

    /// Looks which memory is free again.
    pub(crate) fn settle(&self, context: Option<&FastIoContext>) {
        lock(&self.books).settle(context);
    }

    /// Gives back to the driver, and to the host, whatever waits to be used again.
    pub(crate) fn trim(&self) {
        let mut books = lock(&self.books);
        books.settle(None);
        books.trim(0);
        books.trim_open((0, 0));
        drop(books);
        lock(&self.pinned).clear();
    }

    /// Pinned memory of at least so many bytes.
    pub(crate) fn pin(&self, device: u32, bytes: usize) -> Result<HostMemory> {
        let mut waiting = lock(&self.pinned);
        let size = |memory: &HostMemory| memory.bytes().len();
        let fits = |memory: &HostMemory| (bytes..=bytes.saturating_mul(2)).contains(&size(memory));
        let best = (0..waiting.len()).filter(|at| fits(&waiting[*at])).min_by_key(|at| size(&waiting[*at]));
        if let Some(best) = best {
            return Ok(waiting.swap_remove(best));
        }
        drop(waiting);
        self.driver.pin(device, bytes)
    }

    /// Takes pinned memory back.
    pub(crate) fn unpin(&self, memory: HostMemory) {
        let mut waiting = lock(&self.pinned);
        waiting.push(memory);
        let mut bytes: usize = waiting.iter().map(|memory| memory.bytes().len()).sum();
        while bytes > PINNED {
            bytes -= waiting.remove(0).bytes().len();
        }
    }

    /// Until this is dropped, nothing of another process is opened.
    #[cfg(test)]
    pub(crate) fn while_opening(&self) -> impl Drop + '_ {
        lock(&self.opening)
    }

    #[cfg(test)]
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let mut books = lock(&self.books);
        books.settle(None);
        books.counts()
    }
}
