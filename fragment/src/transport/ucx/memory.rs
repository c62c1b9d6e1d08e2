//! Memory that messages are received into: aligned, and used again.
//!
//! Not here: who writes into it. Invariant: a buffer neither moves nor shrinks between `take` and its drop, and what is
//! kept for later is bounded.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use podwire_codec_core::{Error, Owner, Result, Segment};

/// What received arrays are aligned to, in bytes: a cache line, and the widest vectors of processors.
pub(super) const ALIGNMENT: usize = 64;
/// Buffers below this many bytes are not kept: the allocator is as fast.
const SMALL: usize = 2 << 10;
/// Lengths are rounded up to this, shorter ones to a power of two, so that messages of nearly one size share buffers.
const GRAIN: usize = 64 << 10;
/// An array that is a smaller part of its buffer does not keep all of it.
const SHARE: usize = 8;

/// Buffers that can be used again.
#[derive(Clone, Debug)]
pub(super) struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    kept: usize,
    free: Mutex<Free>,
}

#[derive(Debug, Default)]
struct Free {
    /// By their lengths; those that were used last, last.
    buffers: BTreeMap<usize, Vec<Vec<u8>>>,
    bytes: usize,
}

impl Pool {
    /// A pool that keeps so many bytes of buffers that nobody uses.
    pub(super) fn new(kept: usize) -> Self {
        Self(Arc::new(Shared { kept, free: Mutex::default() }))
    }

    /// A buffer of so many bytes, whatever they are; `None` if there is no memory.
    pub(super) fn take(&self, length: usize) -> Option<Buffer> {
        let rounded = match length {
            0..SMALL => length,
            SMALL..GRAIN => length.next_power_of_two(),
            _ => length.checked_next_multiple_of(GRAIN)?,
        };
        let wanted = rounded.checked_add(ALIGNMENT - 1)?;
        let kept = if length < SMALL { None } else { self.0.reuse(wanted) };
        let memory = match kept {
            Some(memory) => memory,
            None => bytemuck::try_zeroed_vec(wanted).ok()?,
        };
        let start = memory.as_ptr().align_offset(ALIGNMENT);
        Some(Buffer { memory, start, length, pool: Arc::downgrade(&self.0) })
    }

    /// Gives back to the system what nobody uses.
    pub(super) fn clear(&self) {
        *self.0.lock() = Free::default();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Free> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The buffer that fits best, unless more than half of it would lie idle.
    fn reuse(&self, wanted: usize) -> Option<Vec<u8>> {
        let mut free = self.lock();
        let (length, same) = free.buffers.range_mut(wanted..=wanted.saturating_mul(2)).next()?;
        let (length, memory) = (*length, same.pop());
        if same.is_empty() {
            free.buffers.remove(&length);
        }
        free.bytes -= memory.as_ref().map_or(0, Vec::len);
        memory
    }

    fn keep(&self, memory: Vec<u8>) {
        let mut free = self.lock();
        if free.bytes.saturating_add(memory.len()) <= self.kept {
            free.bytes += memory.len();
            free.buffers.entry(memory.len()).or_default().push(memory);
        }
    }
}

/// A piece of memory, aligned to [`ALIGNMENT`].
#[derive(Debug, Default)]
pub(super) struct Buffer {
    memory: Vec<u8>,
    start: usize,
    length: usize,
    pool: Weak<Shared>,
}

impl Buffer {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.length]
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.length]
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// A part of it, which keeps all of it; what is less than a [`SHARE`]th of it gets memory of its own.
    pub(super) fn part(self: &Arc<Self>, range: Range<usize>) -> Result<Segment> {
        let missing = || Error::OutOfMemory { bytes: range.len() as u64 };
        let whole = if range.len().saturating_mul(SHARE) < self.memory.len() {
            let mut own = Pool::new(0).take(range.len()).ok_or_else(missing)?;
            own.bytes_mut().copy_from_slice(self.bytes().get(range.clone()).ok_or_else(missing)?);
            return Ok(Segment::new(Arc::new(own) as Arc<dyn Owner>));
        } else {
            Segment::new(Arc::clone(self) as Arc<dyn Owner>)
        };
        whole.part(range.clone()).ok_or_else(missing)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.memory.len() >= SMALL
            && let Some(pool) = self.pool.upgrade()
        {
            pool.keep(std::mem::take(&mut self.memory));
        }
    }
}

/// Received arrays are parts of the buffer that their message came in.
impl Owner for Buffer {
    fn bytes(&self) -> Option<&[u8]> {
        Some(Self::bytes(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_and_used_again_and_what_is_kept_is_bounded() {
        let pool = Pool::new(1 << 20);
        for length in [0, 1, 100, 32 << 10, 100_000, 3 << 20] {
            let mut buffer = pool.take(length).unwrap();
            assert_eq!(buffer.bytes_mut().len(), length);
            assert!(buffer.bytes().as_ptr().addr().is_multiple_of(ALIGNMENT));
        }
        let first = pool.take(100_000).unwrap().bytes().as_ptr().addr();
        assert_eq!(pool.take(90_000).unwrap().bytes().as_ptr().addr(), first, "it was kept");
        assert!(pool.0.lock().bytes <= 1 << 20, "3 MiB were not");
        assert!(pool.take(usize::MAX).is_none());
        assert!(pool.take(usize::MAX / 4).is_none());
        pool.clear();
        assert_eq!(pool.0.lock().bytes, 0);
    }
}
