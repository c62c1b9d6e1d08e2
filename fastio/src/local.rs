//! Becoming a holder of an allocation, and ceasing to be one.
//!
//! Not here: what the holder does with it. Invariant: while this process has a handle, its bit is set in the segment, so
//! that the generation cannot pass; the bit changes only in steps that run alone in this process.
//!
//! Lock order: the index lock may be held when such a step begins, and is never taken inside one.

use std::sync::{
    OnceLock,
    atomic::Ordering::{Relaxed, Release, SeqCst},
};

use crate::{
    crash::crash_point,
    error::{Error, Result},
    gate::Gate,
    pool,
    segment::HEADER,
    slot::{clear_bit, set_bit},
    state::{State, Word},
    store::{AllocationId, Store},
    sys::{Held, Holding, Place, SegmentEntry, SharedMap, soon_written},
};

/// Segments that stay mapped although nobody here holds them, as long as no more than so many are mapped in all: a quarter
/// of the mappings that the system gives a process.
fn keep_mapped() -> usize {
    static KEEP: OnceLock<usize> = OnceLock::new();
    *KEEP.get_or_init(|| {
        let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count");
        // What Linux has unless somebody changed it.
        limit.ok().and_then(|limit| limit.trim().parse().ok()).unwrap_or(65_530) / 4
    })
}

/// This process's share in a segment.
#[derive(Default)]
pub(crate) struct Local {
    pub(crate) holding: Holding,
    pub(crate) readers: Gate,
}

impl Local {
    /// Has the processor fetch what who becomes a holder reads next: the lock and the first bytes, of which the writer's
    /// processor has the only copies.
    #[inline]
    pub(crate) fn soon_read(&self, segment: &SegmentEntry) {
        soon_written(&segment.access);
        self.holding.soon_read(HEADER);
    }
}

/// Which states `hold` accepts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Published only: what was found by a name.
    Published,
    /// Also what is private to this process: what was found by its id.
    Own,
    /// A channel.
    Channel,
    /// Memory that is lent to the messages of a channel.
    Lent,
}

impl Store {
    /// Becomes a holder of an allocation, and maps it. An error leaves nothing behind.
    #[inline]
    pub(crate) fn hold(&self, id: AllocationId, wanted: Wanted) -> Result<Held> {
        if id.index >= self.segment_count() {
            return Err(Error::Freed);
        }
        let (segment, local) = self.both(id.index)?;
        if matches!(wanted, Wanted::Published | Wanted::Own) {
            local.soon_read(segment);
        }
        let fits = || {
            let word = Word::unpack(segment.state.load(SeqCst));
            // A channel is never handed out as payload, and what is lent to one only to its receiver.
            let channel = segment.channel.load(SeqCst) == id.generation;
            let lent = segment.lent.load(SeqCst) == id.generation;
            word.generation == id.generation
                && channel == (wanted == Wanted::Channel)
                && lent == (wanted == Wanted::Lent)
                && match word.state {
                    State::Published => true,
                    State::Private => wanted == Wanted::Own && word.owner == self.slot,
                    _ => false,
                }
        };
        let entered = local.holding.enter(|place| {
            set_bit(&segment.holders, self.slot);
            // The bit is set before the state is read: either the one who frees sees the bit, or we see the state.
            let mapped = if fits() { self.map_in(place, segment, id.index) } else { Err(Error::Freed) };
            if mapped.is_err() {
                clear_bit(&segment.holders, self.slot);
            }
            mapped
        });
        match entered {
            Ok((held, true)) => Ok(held),
            // The bit was set already, perhaps for another generation.
            Ok((held, false)) if fits() => Ok(held),
            Ok((held, false)) => {
                self.unhold(id, &held)?;
                Err(Error::Freed)
            }
            Err(error) => {
                // Our bit may have kept another process from recycling.
                self.recycle_if_freed(segment, id.index)?;
                Err(error)
            }
        }
    }

    /// Keeps the mapping that is there, or makes one.
    #[inline]
    fn map_in(&self, place: &mut Place<'_>, segment: &SegmentEntry, index: u32) -> Result<()> {
        if place.has(segment.epoch.load(SeqCst)) {
            return Ok(());
        }
        let (map, epoch) = self.map_segment(index)?;
        self.set_map(place, map, epoch);
        Ok(())
    }

    fn set_map(&self, place: &mut Place<'_>, map: SharedMap, epoch: u32) {
        if !place.clear() {
            self.maps.fetch_add(1, Relaxed);
        }
        place.set(map, epoch);
    }

    /// Unmaps a segment whose file goes: what is mapped keeps its inode.
    pub(crate) fn unmap_unused(&self, index: u32) {
        self.local(index).holding.if_unused(|place| {
            if place.clear() {
                self.maps.fetch_sub(1, Relaxed);
            }
        });
    }

    /// One handle less. The last one of the process takes the holder's bit back, and recycles what is freed.
    #[inline]
    pub(crate) fn unhold(&self, id: AllocationId, held: &Held) -> Result<()> {
        let (segment, local) = self.both(id.index)?;
        let last = local.holding.leave(held, |place| {
            if self.maps.load(Relaxed) > keep_mapped() && place.clear() {
                self.maps.fetch_sub(1, Relaxed);
            }
            clear_bit(&segment.holders, self.slot);
        });
        if !last {
            return Ok(());
        }
        crash_point!("after-holder-cleared");
        self.recycle_if_freed(segment, id.index)
    }

    /// Takes a segment in state `Making` or `Pooled`, which is this process's alone, as a new private allocation with
    /// one handle. The caller has the index lock if the segment was pooled. An error leaves everything as it was.
    pub(crate) fn begin_private(
        &self,
        index: u32,
        payload: usize,
        length: u64,
        made: Option<SharedMap>,
    ) -> Result<(AllocationId, Held)> {
        let (segment, local) = self.both(index)?;
        let word = Word::unpack(segment.state.load(SeqCst));
        let id = AllocationId { index, generation: word.next_generation() };
        let entered = local.holding.enter(|place| {
            match made {
                Some(map) => self.set_map(place, map, segment.epoch.load(SeqCst)),
                None => self.map_in(place, segment, index)?,
            }
            segment.payload.store(payload as u32, Relaxed);
            segment.length.store(length, Relaxed);
            segment.children.store(0, Relaxed);
            set_bit(&segment.holders, self.slot);
            crash_point!("before-reuse");
            segment.state.store(Word::new(State::Private, self.slot, id.generation).pack(), Release);
            crash_point!("after-private");
            Ok::<(), Error>(())
        })?;
        match entered {
            (held, true) => Ok((id, held)),
            (held, false) => {
                self.unhold(id, &held)?;
                Err(Error::Corrupt { what: "has a free segment that is held", path: self.path("segments.0") })
            }
        }
    }

    /// Looks after a segment from which a holder went.
    #[inline]
    fn recycle_if_freed(&self, segment: &SegmentEntry, index: u32) -> Result<()> {
        // What is private can have several holders, after it went through a channel.
        let state = Word::unpack(segment.state.load(SeqCst)).state;
        if matches!(state, State::Private | State::Freed) { self.recycle_now(index) } else { Ok(()) }
    }

    #[cold]
    fn recycle_now(&self, index: u32) -> Result<()> {
        self.lock()?.release(index)?;
        if self.control().counts.pooled_bytes.load(Relaxed) > pool::KEEP {
            self.trim(pool::KEEP)?;
        }
        Ok(())
    }
}
