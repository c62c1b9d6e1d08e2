//! The name index: chains of entries that any process reads without a lock, and changes under the index lock.
//!
//! Not here: what becomes of an allocation whose name goes (`lifecycle.rs`). Invariant: the version is odd while
//! chains change; who reads takes an answer only if the version was even and the same before and after.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
};

use rustix::time::{ClockId, clock_gettime};

use crate::{
    crash::crash_point,
    error::{Error, Result},
    index::{Index, lower, raise},
    name::{Key, NAME_LIMIT, hash},
    state::State,
    store::{AllocationId, Store},
    sys::{BUCKETS, NameEntry, WAIT_WORDS, WaitWord, soon_read},
};

/// What a name stands for.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    pub(crate) entry: u32,
    /// Number of the publication.
    pub(crate) publication: u64,
    pub(crate) target: AllocationId,
    /// The allocation in whose header the metadata of this name stands; usually the target itself.
    pub(crate) metadata: AllocationId,
}

/// Times that a reader tries before it takes the lock.
const TRIES: usize = 128;

/// The bits of a segment's index that stand in the head of a chain: as many as there can be.
const SEGMENT_BITS: u32 = (1 << 24) - 1;

/// The head of a chain: the link to its first entry, the segment that this one stands for, and a part of its hash. The link
/// alone counts; by the others a look-up knows what it will need before the entry has come from another processor.
fn head(entry: u32, hash: u64, segment: u32) -> u64 {
    u64::from(entry + 1) | u64::from(segment & SEGMENT_BITS) << 32 | hash >> 56 << 56
}

impl Store {
    /// Looks a name up without a lock; takes the lock when the index does not come to rest, which also repairs it
    /// if the process that was changing it is dead.
    #[inline]
    pub(crate) fn find(&self, key: &Key<'_>) -> Result<Option<Found>> {
        let version = &self.control().seq.version;
        for _ in 0..TRIES {
            let before = version.load(Acquire);
            if before.is_multiple_of(2) {
                let found = self.walk(key);
                fence(Acquire);
                if version.load(Relaxed) == before {
                    return found;
                }
            }
            std::hint::spin_loop();
        }
        self.find_locked(key)
    }

    #[cold]
    fn find_locked(&self, key: &Key<'_>) -> Result<Option<Found>> {
        self.lock()?.find(key)
    }

    #[inline]
    fn bucket(&self, hash: u64) -> &AtomicU64 {
        &self.control().buckets[hash as usize % BUCKETS]
    }

    /// Has the processor fetch the head of a name's chain.
    #[inline]
    pub(crate) fn soon_find(&self, key: &Key<'_>) {
        soon_read(self.bucket(key.hash));
    }

    /// Has the processor fetch what whoever finds the first name of a chain reads of its segment, if it is the name.
    #[inline]
    fn soon_hold(&self, head: u64, key: &Key<'_>) {
        let index = (head >> 32) as u32 & SEGMENT_BITS;
        if head >> 56 == key.hash >> 56
            && index < self.segment_count()
            && let Ok((segment, local)) = self.both(index)
        {
            local.soon_read(segment);
        }
    }

    /// What those sleep on who wait for names of this hash.
    pub(crate) fn wait_word(&self, hash: u64) -> &WaitWord {
        &self.control().waits[(hash >> 32) as usize % WAIT_WORDS]
    }

    /// Follows the chain of a name, no further than there are entries.
    #[inline]
    fn walk(&self, key: &Key<'_>) -> Result<Option<Found>> {
        let head = self.bucket(key.hash).load(Acquire);
        let mut link = head as u32;
        if link != 0 {
            self.soon_hold(head, key);
        }
        let mut steps = self.control().names_used.load(Relaxed);
        while let Some(entry) = link.checked_sub(1) {
            let record = self.name(entry)?;
            if record.hash.load(Relaxed) == key.hash && record.is(key) {
                return Ok(Some(record.found(entry)));
            }
            link = record.next.load(Acquire);
            match steps.checked_sub(1) {
                Some(left) => steps = left,
                None => {
                    return Err(Error::Corrupt {
                        what: "has a chain without an end",
                        path: self.path("names.0"),
                    });
                }
            }
        }
        Ok(None)
    }
}

impl NameEntry {
    #[inline]
    fn is(&self, key: &Key<'_>) -> bool {
        self.live.load(Relaxed) != 0
            && self.length.load(Relaxed) as usize == key.text.len()
            && self.words.iter().zip(key.words()).all(|(mine, theirs)| mine.load(Relaxed) == theirs)
    }

    #[inline]
    pub(crate) fn found(&self, entry: u32) -> Found {
        Found {
            entry,
            publication: self.live.load(Relaxed),
            target: AllocationId {
                index: self.target.load(Relaxed),
                generation: self.target_generation.load(Relaxed),
            },
            metadata: AllocationId {
                index: self.metadata.load(Relaxed),
                generation: self.metadata_generation.load(Relaxed),
            },
        }
    }

    /// The name, if it is one.
    pub(crate) fn text(&self) -> Option<String> {
        let length = self.length.load(SeqCst) as usize;
        if length > NAME_LIMIT {
            return None;
        }
        let words = &self.words[..length.div_ceil(8)];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.load(SeqCst).to_le_bytes()).collect();
        bytes.truncate(length);
        String::from_utf8(bytes).ok()
    }

    /// Whether the hash is the one of the name.
    fn whole(&self) -> bool {
        self.text().is_some_and(|text| !text.is_empty() && hash(text.as_bytes()) == self.hash.load(SeqCst))
    }
}

/// While this lives, the chains change, and readers wait unless a name is only added. If it goes without `done`, after an error, the next holder
/// of the lock repairs the index.
pub(crate) struct Changing<'a> {
    store: &'a Store,
    /// Whether readers wait.
    odd: bool,
    done: bool,
}

impl Changing<'_> {
    pub(crate) fn done(mut self) {
        self.done = true;
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        if self.done {
            if self.odd {
                self.store.control().seq.version.fetch_add(1, SeqCst);
            }
        } else {
            self.store.control().lock.dirty.store(1, SeqCst);
        }
    }
}

impl<'a> Index<'a> {
    pub(crate) fn change_names(&self) -> Changing<'a> {
        self.store.control().seq.version.fetch_add(1, SeqCst);
        // No change is seen before the odd version.
        fence(SeqCst);
        Changing { store: self.store, odd: true, done: false }
    }

    /// The same for one who only adds a name. That is one store, before which nobody sees anything of it: readers need
    /// not look again.
    pub(crate) fn add_name(&self) -> Changing<'a> {
        Changing { store: self.store, odd: false, done: false }
    }

    /// What a name stands for, if that is published.
    pub(crate) fn find(&self, key: &Key<'_>) -> Result<Option<Found>> {
        Ok(match self.store.walk(key)? {
            Some(found) if self.published(found.target)? => Some(found),
            _ => None,
        })
    }

    /// Whether an allocation is published.
    pub(crate) fn published(&self, id: AllocationId) -> Result<bool> {
        if id.index >= self.store.segment_count() {
            return Ok(false);
        }
        let word = self.store.state(id.index)?;
        Ok(word.state == State::Published && word.generation == id.generation)
    }

    /// An entry that no chain has.
    pub(crate) fn new_entry(&self) -> Result<u32> {
        let control = self.store.control();
        if let Some(entry) = control.counts.free_name.load(Relaxed).checked_sub(1) {
            control.counts.free_name.store(self.store.name(entry)?.next.load(Relaxed), Release);
            return Ok(entry);
        }
        let entry = control.names_used.load(SeqCst);
        self.store.grow_names(entry)?;
        control.names_used.store(entry + 1, SeqCst);
        Ok(entry)
    }

    /// Fills an entry; it counts from here on, once its target is published.
    pub(crate) fn write_entry(
        &self,
        entry: u32,
        key: &Key<'_>,
        target: AllocationId,
        metadata: AllocationId,
    ) -> Result<()> {
        let record = self.store.name(entry)?;
        record.hash.store(key.hash, Relaxed);
        record.target.store(target.index, Relaxed);
        record.target_generation.store(target.generation, Relaxed);
        record.metadata.store(metadata.index, Relaxed);
        record.metadata_generation.store(metadata.generation, Relaxed);
        record.length.store(key.text.len() as u32, Relaxed);
        for (word, value) in record.words.iter().zip(key.words()) {
            word.store(value, Relaxed);
        }
        let publications = &self.store.control().counts.publications;
        // Garbage may stand there; 0 is no publication.
        let publication = publications.load(Relaxed).wrapping_add(1).max(1);
        publications.store(publication, Relaxed);
        // All of it before this: a killed process leaves a whole entry or none.
        record.live.store(publication, Release);
        Ok(())
    }

    /// Enters an entry into its chain and into the list of its target's names.
    pub(crate) fn link_entry(&self, entry: u32) -> Result<()> {
        let record = self.store.name(entry)?;
        let found = record.found(entry);
        let target = self.store.segment(found.target.index)?;
        let hash = record.hash.load(Relaxed);
        let bucket = self.store.bucket(hash);
        record.next.store(bucket.load(Relaxed) as u32, Relaxed);
        // From here on it is found; the rest is known under the lock only.
        bucket.store(head(entry, hash, found.target.index), Release);
        let first = &target.owners.first_name;
        let next = first.load(Relaxed);
        record.previous_of_target.store(0, Relaxed);
        record.next_of_target.store(next, Relaxed);
        if let Some(next) = next.checked_sub(1) {
            self.store.name(next)?.previous_of_target.store(entry + 1, Relaxed);
        }
        first.store(entry + 1, Relaxed);
        raise(&target.owners.names);
        raise(&self.store.control().counts.live_names);
        if found.metadata != found.target {
            raise(&self.store.segment(found.metadata.index)?.owners.parents);
        }
        Ok(())
    }

    /// Notes when an entry was published: after everything that somebody may be waiting for.
    pub(crate) fn date_entry(&self, entry: u32) -> Result<()> {
        let now = clock_gettime(ClockId::RealtimeCoarse);
        let nanoseconds = now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs();
        self.store.name(entry)?.published_at.store(nanoseconds, Relaxed);
        Ok(())
    }

    /// Takes a name away, within `change_names`. What it stood for may then have no name left.
    pub(crate) fn remove_entry(&self, entry: u32) -> Result<Found> {
        let store = self.store;
        let record = store.name(entry)?;
        let found = record.found(entry);
        record.live.store(0, SeqCst);
        crash_point!("after-unpublish-commit");
        self.unlink(entry)?;
        let target = store.segment(found.target.index)?;
        // One of very many names of its target is taken away as fast as the only one.
        let (previous, next) = (record.previous_of_target.load(Relaxed), record.next_of_target.load(Relaxed));
        let before = match previous.checked_sub(1) {
            Some(previous) => &store.name(previous)?.next_of_target,
            None => &target.owners.first_name,
        };
        if before.load(Relaxed) == entry + 1 {
            before.store(next, Relaxed);
        } else {
            self.spoiled();
        }
        if let Some(next) = next.checked_sub(1) {
            store.name(next)?.previous_of_target.store(previous, Relaxed);
        }
        lower(&target.owners.names);
        lower(&store.control().counts.live_names);
        self.push_entry(entry)?;
        if found.metadata != found.target {
            self.drop_parent(found.metadata)?;
        }
        Ok(found)
    }

    pub(crate) fn push_entry(&self, entry: u32) -> Result<()> {
        let free = &self.store.control().counts.free_name;
        let record = self.store.name(entry)?;
        record.live.store(0, SeqCst);
        record.next.store(free.load(SeqCst), SeqCst);
        free.store(entry + 1, SeqCst);
        Ok(())
    }

    /// Takes an entry out of its chain, if it is in there.
    fn unlink(&self, entry: u32) -> Result<()> {
        let store = self.store;
        let record = store.name(entry)?;
        let bucket = store.bucket(record.hash.load(SeqCst));
        let after = record.next.load(SeqCst);
        let mut link = bucket.load(SeqCst) as u32;
        if link == entry + 1 {
            let head = match after.checked_sub(1) {
                Some(first) => {
                    let record = store.name(first)?;
                    head(first, record.hash.load(SeqCst), record.target.load(SeqCst))
                }
                None => 0,
            };
            bucket.store(head, SeqCst);
            return Ok(());
        }
        for _ in 0..=store.control().names_used.load(SeqCst) {
            let Some(here) = link.checked_sub(1) else { break };
            let next = &store.name(here)?.next;
            link = next.load(SeqCst);
            if link == entry + 1 {
                next.store(after, SeqCst);
                break;
            }
        }
        Ok(())
    }

    /// Derives chains and counts of names from the entries. Of two entries of one name, which a killed `replace`
    /// leaves, the newer one stays.
    pub(crate) fn rebuild_names(&self) -> Result<()> {
        let store = self.store;
        let control = store.control();
        let version = &control.seq.version;
        version.store(version.load(SeqCst) | 1, SeqCst);
        control.buckets.iter().for_each(|bucket| bucket.store(0, SeqCst));
        control.counts.free_name.store(0, SeqCst);
        control.counts.live_names.store(0, SeqCst);
        for entry in 0..control.names_used.load(SeqCst) {
            let record = store.name(entry)?;
            let live = record.live.load(SeqCst);
            let found = record.found(entry);
            let described = found.metadata.index < store.segment_count();
            let counts = live != 0 && described && record.whole() && self.published(found.target)?;
            let Some(text) = record.text().filter(|_| counts) else {
                self.push_entry(entry)?;
                continue;
            };
            let key = match Key::stored(&text) {
                Ok(key) => key,
                Err(_) => {
                    self.push_entry(entry)?;
                    continue;
                }
            };
            match store.walk(&key)? {
                Some(other) if store.name(other.entry)?.live.load(SeqCst) > live => self.push_entry(entry)?,
                Some(other) => {
                    self.remove_entry(other.entry)?;
                    self.link_entry(entry)?;
                }
                None => self.link_entry(entry)?,
            }
        }
        version.fetch_add(1, SeqCst);
        Ok(())
    }
}
