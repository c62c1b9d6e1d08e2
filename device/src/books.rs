//! The books of a process: memory that it has made, in use or waiting to be used again, and memory of others that it has open.
//!
//! Not here: the driver's calls that make or open any. Invariant: memory that was made here stands for one allocation of a
//! pipeline at a time, and for the next one only when nothing is left of the last, in any process.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use podwire_fastio::{AllocationId, Error, FastIoContext, WeakContext};

use crate::{memory::Memory, record::Key};

/// Bytes that wait on a device to be used again.
const POOL: usize = 1 << 30;
/// Bytes, and pieces, of other processes that stay open though nobody here uses them.
const IDLE: (usize, usize) = (1 << 30, 64);

/// What stands for memory in a pipeline.
struct StandIn {
    id: AllocationId,
    context: WeakContext,
    path: PathBuf,
}

/// What is left of it.
enum Left {
    Something,
    Nothing,
    /// Its pipeline is gone, and those who held it hold it on, unseen.
    Unknown,
}

impl StandIn {
    fn left(&self) -> Left {
        match self.context.upgrade().map(|context| context.is_gone(self.id)) {
            Some(Ok(true)) => Left::Nothing,
            Some(Err(Error::Removed)) => Left::Unknown,
            None if !self.path.exists() => Left::Unknown,
            _ => Left::Something,
        }
    }
}

struct Own {
    memory: Arc<Memory>,
    stand_in: Option<StandIn>,
    /// When it was last in use.
    used: u64,
}

impl Own {
    /// Whether it may be used again: it stands for nothing, and nobody is about to let it.
    fn waits(&self) -> bool {
        self.stand_in.is_none() && Arc::strong_count(&self.memory) == 1
    }
}

struct Open {
    memory: Arc<Memory>,
    used: u64,
}

/// Of pieces with the time of their last use and their bytes, those beyond so many bytes and pieces, counted from the latest.
fn beyond<K>(mut pieces: Vec<(K, u64, usize)>, (most_bytes, most): (usize, usize)) -> Vec<K> {
    pieces.sort_by_key(|(_, used, _)| std::cmp::Reverse(*used));
    let (mut bytes, mut count) = (0, 0);
    pieces.retain(|(_, _, more)| {
        (bytes, count) = (bytes + more, count + 1);
        bytes > most_bytes || count > most
    });
    pieces.into_iter().map(|(key, ..)| key).collect()
}

#[derive(Default)]
pub(crate) struct Books {
    own: HashMap<u64, Own>,
    open: HashMap<Key, Open>,
    made: u64,
    clock: u64,
}

impl Books {
    /// Looks which memory is free again. A pipeline that was closed here meanwhile is looked at through `context`, if it is
    /// that one.
    pub(crate) fn settle(&mut self, context: Option<&FastIoContext>) {
        for own in self.own.values_mut() {
            if let (Some(stand_in), Some(context)) = (&mut own.stand_in, context)
                && stand_in.context.upgrade().is_none()
                && stand_in.path == context.path()
            {
                stand_in.context = context.downgrade();
            }
        }
        self.clock += 1;
        self.own.retain(|_, own| {
            let Some(stand_in) = &own.stand_in else { return true };
            own.used = self.clock;
            let alone = Arc::strong_count(&own.memory) == 1;
            match stand_in.left() {
                Left::Nothing if alone => {
                    own.stand_in = None;
                    true
                }
                Left::Unknown if alone => false,
                _ => true,
            }
        });
        self.trim(POOL);
    }

    /// Gives memory that waits back to the driver, but for so many bytes: what was not used for longest goes first.
    pub(crate) fn trim(&mut self, keep: usize) {
        let waiting = self.own.iter().filter(|(_, own)| own.waits());
        let waiting = waiting.map(|(number, own)| (*number, own.used, own.memory.block.bytes));
        for number in beyond(waiting.collect(), (keep, usize::MAX)) {
            self.own.remove(&number);
        }
    }

    /// Lets go of what others made and nobody here uses, but for so many bytes and pieces.
    pub(crate) fn trim_open(&mut self, keep: (usize, usize)) {
        let idle = self.open.iter().filter(|(_, open)| Arc::strong_count(&open.memory) == 1);
        let idle = idle.map(|(key, open)| (*key, open.used, open.memory.block.bytes));
        for key in beyond(idle.collect(), keep) {
            self.open.remove(&key);
        }
    }

    /// Memory that waits, of at least so many bytes, and of not many more.
    pub(crate) fn again(&self, device: u32, bytes: usize) -> Option<(u64, Arc<Memory>)> {
        let fits = self.own.iter().filter(|(_, own)| {
            let block = &own.memory.block;
            let size = bytes..=bytes.saturating_mul(2);
            own.waits() && block.device == device && size.contains(&block.bytes)
        });
        let best = fits.min_by_key(|(number, own)| (own.memory.block.bytes, **number))?;
        Some((*best.0, Arc::clone(&best.1.memory)))
    }

    /// Notes memory that was just made, and gives it a number.
    pub(crate) fn add(&mut self, memory: Arc<Memory>) -> u64 {
        self.made += 1;
        self.own.insert(self.made, Own { memory, stand_in: None, used: self.clock });
        self.made
    }

    /// From now on this memory is an allocation's.
    pub(crate) fn stands_for(&mut self, number: u64, context: &FastIoContext, id: AllocationId) {
        if let Some(own) = self.own.get_mut(&number) {
            let path = context.path().to_owned();
            own.stand_in = Some(StandIn { id, context: context.downgrade(), path });
        }
    }

    /// Memory that was made here.
    pub(crate) fn own(&self, number: u64) -> Option<Arc<Memory>> {
        self.own.get(&number).map(|own| Arc::clone(&own.memory))
    }

    /// Memory of another process that is open here.
    pub(crate) fn open(&mut self, key: Key) -> Option<Arc<Memory>> {
        self.clock += 1;
        let open = self.open.get_mut(&key)?;
        open.used = self.clock;
        Some(Arc::clone(&open.memory))
    }

    /// Notes memory of another process.
    pub(crate) fn opened(&mut self, key: Key, memory: Arc<Memory>) {
        self.clock += 1;
        self.open.insert(key, Open { memory, used: self.clock });
        self.trim_open(IDLE);
    }

    /// How much of what was made here is in use, how much waits, and how much of others is open.
    #[cfg(test)]
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let waiting = self.own.values().filter(|own| own.waits()).count();
        (self.own.len() - waiting, waiting, self.open.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let pieces = || vec![("old", 1, 1 << 30), ("new", 9, 4), ("newer", 10, 4), ("older", 0, 1)];
        assert_eq!(beyond(pieces(), (1 << 30, 64)), ["old", "older"]);
        assert_eq!(beyond(pieces(), (usize::MAX, 1)), ["new", "old", "older"]);
        assert_eq!(beyond(pieces(), (0, 0)).len(), 4);
        assert!(beyond(pieces(), (1 << 31, 4)).is_empty());
    }
}
