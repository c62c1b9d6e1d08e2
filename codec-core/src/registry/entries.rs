//! The entries of a registry: they are added, and stay where they are until the registry goes.
//!
//! The invariant: an entry that was added is found by its number from then on, by any thread, without a lock, and never
//! moves. So whoever looks an entry up borrows it, also if another takes its name in the meantime.

use std::ops::Index;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Entry;

/// Entries of the first shelf. Each further one holds twice as many as the one before.
const FIRST: usize = 64;
/// Enough for every number of 31 bits.
const SHELVES: usize = 25;

/// Entries by number.
#[derive(Debug, Default)]
pub(super) struct Entries {
    shelves: [OnceLock<Box<[OnceLock<Entry>]>>; SHELVES],
    count: AtomicU32,
}

/// Number of no entry.
pub(super) const NOBODY: u32 = u32::MAX;

impl Entries {
    /// Adds an entry, and gives its number.
    pub(super) fn add(&self, entry: Entry) -> u32 {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let (shelf, place) = position(number);
        let make = || (0..FIRST << shelf).map(|_| OnceLock::new()).collect();
        let added = self.shelves[shelf].get_or_init(make)[place].set(entry);
        debug_assert!(added.is_ok(), "a number is given once");
        number
    }

    /// The entry of a number.
    #[inline]
    pub(super) fn get(&self, number: u32) -> Option<&Entry> {
        let (shelf, place) = position(number);
        self.shelves.get(shelf)?.get()?.get(place)?.get()
    }
}

impl Index<u32> for Entries {
    type Output = Entry;

    fn index(&self, number: u32) -> &Entry {
        self.get(number).expect("the table knows numbers of entries only")
    }
}

/// On which shelf an entry stands, and where there.
#[inline]
fn position(number: u32) -> (usize, usize) {
    let position = number as usize + FIRST;
    let shelf = (position.ilog2() - FIRST.ilog2()) as usize;
    (shelf, position - (FIRST << shelf))
}
