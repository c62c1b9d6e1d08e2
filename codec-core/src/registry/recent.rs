//! What was looked up lately: found again without a lock, and without a hash that resists attack.
//!
//! The invariant: what is remembered is what the table says. It is remembered while the table is locked for reading, and
//! all of it is forgotten while the table is locked for writing, before whoever changes the table returns.

use std::any::TypeId;
use std::array;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::Entry;
use super::entries::{Entries, NOBODY};
use super::name::{MIX, Short};

/// Groups of places; a key has one of them, by its hash. One is enough where all orders of all steps are tried.
const GROUPS: usize = if cfg!(loom) { 1 } else { 128 };
/// Places of a group.
const PLACES: usize = 4;

/// Numbers of entries by type, and by name.
#[derive(Default)]
pub(super) struct Recent {
    types: Places,
    names: Places,
    /// Whether anything is remembered.
    any: AtomicBool,
}

impl Recent {
    /// The entry that values of a type are sent with, if it is remembered.
    #[inline]
    pub(super) fn by_type<'e>(&self, entries: &'e Entries, of: TypeId) -> Option<&'e Entry> {
        self.types.find(hash_of_type(of), entries, |entry| entry.value_type() == of)
    }

    /// The entry of a name, if it is remembered.
    #[inline]
    pub(super) fn by_name<'e>(&self, entries: &'e Entries, name: &str) -> Option<&'e Entry> {
        let short = Short::of(name);
        self.names.find(short.hash(), entries, |entry| entry.is_named(name, short))
    }

    /// Remembers an entry. The table is locked.
    pub(super) fn remember_type(&self, of: TypeId, number: u32) {
        self.types.put(hash_of_type(of), number);
        self.any.store(true, Ordering::Relaxed);
    }

    /// Remembers an entry. The table is locked.
    pub(super) fn remember_name(&self, name: &str, number: u32) {
        self.names.put(Short::of(name).hash(), number);
        self.any.store(true, Ordering::Relaxed);
    }

    /// Forgets everything. The table is locked for writing.
    pub(super) fn forget(&self) {
        if self.any.swap(false, Ordering::Relaxed) {
            self.types.clear();
            self.names.clear();
        }
    }
}

/// Numbers of entries. What is found may be of another key, so that it is compared; the order of loads and stores is that of
/// the table's lock, and of whatever tells another thread that the table has changed.
struct Places(Box<[[AtomicU32; PLACES]; GROUPS]>);

impl Default for Places {
    fn default() -> Self {
        Self(Box::new(array::from_fn(|_| array::from_fn(|_| AtomicU32::new(NOBODY)))))
    }
}

impl Places {
    #[inline]
    fn group(&self, hash: u64) -> &[AtomicU32; PLACES] {
        // The high bits: those that a multiplication mixes best.
        &self.0[(hash >> 57) as usize % GROUPS]
    }

    /// What is almost always in the first place of its group is looked for there first, in few instructions.
    #[inline(always)]
    fn find<'e>(&self, hash: u64, entries: &'e Entries, is: impl Fn(&Entry) -> bool) -> Option<&'e Entry> {
        let group = self.group(hash);
        match entries.get(group[0].load(Ordering::Relaxed)) {
            Some(entry) if is(entry) => Some(entry),
            Some(_) => find_further(group, entries, is),
            None => None,
        }
    }

    fn put(&self, hash: u64, number: u32) {
        let group = self.group(hash);
        let free = group.iter().find(|place| [NOBODY, number].contains(&place.load(Ordering::Relaxed)));
        // If there is none, any of the others has to go; numbers that follow each other do not fight over one.
        free.unwrap_or(&group[number as usize % PLACES]).store(number, Ordering::Relaxed);
    }

    fn clear(&self) {
        self.0.iter().flatten().for_each(|place| place.store(NOBODY, Ordering::Relaxed));
    }
}

#[inline(never)]
fn find_further<'e>(
    group: &[AtomicU32; PLACES],
    entries: &'e Entries,
    is: impl Fn(&Entry) -> bool,
) -> Option<&'e Entry> {
    let found = |place: &AtomicU32| entries.get(place.load(Ordering::Relaxed)).filter(|entry| is(entry));
    group[1..].iter().find_map(found)
}

/// A type's identity is a hash already.
#[inline]
fn hash_of_type(of: TypeId) -> u64 {
    struct Identity(u64);
    impl Hasher for Identity {
        fn write(&mut self, bytes: &[u8]) {
            bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
        }
        #[inline]
        fn write_u64(&mut self, word: u64) {
            self.0 = self.0.rotate_left(8) ^ word;
        }
        #[inline]
        fn finish(&self) -> u64 {
            self.0
        }
    }
    let mut hasher = Identity(0);
    of.hash(&mut hasher);
    hasher.finish().wrapping_mul(MIX)
}

impl std::fmt::Debug for Recent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}
