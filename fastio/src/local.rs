//! What this process alone knows of a segment: how many handles it has, and where it is mapped.
//!
//! Not here: anything shared but the holder's bit. Invariant: while `holds` is not 0 this process's bit is set in
//! the segment, so that the generation cannot pass; the bit changes only under this mutex.
//!
//! Lock order: the index lock may be held when the mutex is taken, never the other way round.

use std::sync::{
    Arc,
    atomic::Ordering::{Relaxed, SeqCst},
};

use crate::{
    crash::crash_point,
    error::{Error, Result},
    pool,
    segment::SegmentMap,
    slot::{clear_bit, set_bit},
    state::{State, Word},
    store::{AllocationId, Store},
};

/// Mappings of segments that nobody here holds are kept, up to so many.
const IDLE_MAPS: usize = 4096;

/// This process's share in a segment.
#[derive(Default)]
pub(crate) struct Local {
    pub(crate) generation: u64,
    pub(crate) holds: u32,
    pub(crate) readers: u32,
    pub(crate) map: Option<Arc<SegmentMap>>,
    /// Whether `map` is kept although nobody here holds the segment.
    idle: bool,
}

/// Which states `hold` accepts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Published only: what was found by a name.
    Published,
    /// Anything that lives, and what is freed but kept by a holder: what was found by a handle.
    Kept,
}

impl Store {
    /// Becomes a holder of an allocation, and maps it. An error leaves nothing behind.
    pub(crate) fn hold(&self, id: AllocationId, wanted: Wanted) -> Result<Arc<SegmentMap>> {
        if id.index >= self.segment_count() {
            return Err(Error::Freed);
        }
        let segment = self.segment(id.index)?;
        let mut local = self.local(id.index);
        let first = local.holds == 0;
        if first {
            set_bit(&segment.holders, self.slot);
        }
        // The bit is set before the state is read: either the one who frees sees the bit, or we see the state.
        let word = self.state(id.index)?;
        let fits = word.generation == id.generation
            && match word.state {
                State::Published => true,
                State::Private => wanted == Wanted::Kept && word.owner == self.slot,
                State::Freed => wanted == Wanted::Kept && !first,
                _ => false,
            };
        let mapped = if fits { self.mapped(&mut local, id.index) } else { Err(Error::Freed) };
        match mapped {
            Ok(map) => {
                local.generation = id.generation;
                local.holds += 1;
                Ok(map)
            }
            Err(error) => {
                if first {
                    clear_bit(&segment.holders, self.slot);
                    drop(local);
                    self.recycle_if_freed(id.index)?;
                }
                Err(error)
            }
        }
    }

    /// The cached mapping, or a new one.
    fn mapped(&self, local: &mut Local, index: u32) -> Result<Arc<SegmentMap>> {
        let epoch = self.segment(index)?.epoch.load(SeqCst);
        if std::mem::take(&mut local.idle) {
            self.idle_maps.fetch_sub(1, Relaxed);
        }
        if let Some(map) = local.map.as_ref().filter(|map| map.epoch == epoch) {
            return Ok(map.clone());
        }
        let map = self.map_segment(index)?;
        local.map = Some(map.clone());
        Ok(map)
    }

    /// One handle less. The last one of the process takes the holder's bit back, and recycles what is freed.
    pub(crate) fn unhold(&self, id: AllocationId) -> Result<()> {
        let segment = self.segment(id.index)?;
        let mut local = self.local(id.index);
        local.holds = local.holds.saturating_sub(1);
        if local.holds != 0 {
            return Ok(());
        }
        if self.idle_maps.load(Relaxed) < IDLE_MAPS {
            self.idle_maps.fetch_add(1, Relaxed);
            local.idle = true;
        } else {
            local.map = None;
        }
        clear_bit(&segment.holders, self.slot);
        drop(local);
        crash_point!("after-holder-cleared");
        self.recycle_if_freed(id.index)
    }

    /// Takes a segment in state `Making` or `Pooled`, which is this process's alone, as a new private allocation
    /// with one handle. The caller has the index lock if the segment was pooled.
    pub(crate) fn begin_private(&self, index: u32, payload: usize, length: u64) -> Result<AllocationId> {
        let segment = self.segment(index)?;
        let word = self.state(index)?;
        let id = AllocationId { index, generation: word.next_generation() };
        segment.payload.store(payload as u32, SeqCst);
        segment.length.store(length, SeqCst);
        segment.children.store(0, SeqCst);
        let mut local = self.local(index);
        set_bit(&segment.holders, self.slot);
        local.holds = 1;
        local.generation = id.generation;
        crash_point!("before-reuse");
        segment.state.store(Word::new(State::Private, self.slot, id.generation).pack(), SeqCst);
        crash_point!("after-private");
        Ok(id)
    }

    /// Maps what `begin_private` took, or keeps the mapping that its maker has.
    pub(crate) fn map_private(&self, index: u32, made: Option<SegmentMap>) -> Result<Arc<SegmentMap>> {
        let mut local = self.local(index);
        if let Some(made) = made {
            if std::mem::take(&mut local.idle) {
                self.idle_maps.fetch_sub(1, Relaxed);
            }
            local.map = Some(Arc::new(made));
        }
        self.mapped(&mut local, index)
    }

    /// Looks after a segment from which a holder went.
    fn recycle_if_freed(&self, index: u32) -> Result<()> {
        let word = self.state(index)?;
        let mine = word.state == State::Private && word.owner == self.slot;
        if mine || word.state == State::Freed {
            self.lock()?.release(index)?;
            if self.control().pooled_bytes.load(Relaxed) > pool::KEEP {
                self.trim(pool::KEEP)?;
            }
        }
        Ok(())
    }
}
