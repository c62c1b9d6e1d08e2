//! What a channel owns: the allocations of messages that are sent and not received.
//!
//! Not here: the messages. Invariant: a channel is an allocation, and the place of a message in the ring is also its
//! place in the channel's list of children, with the low half of its number beside the index; the list changes under
//! the index lock only. So a message owns what it refers to before it is visible, whoever dies.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    sync::atomic::{
        AtomicU64,
        Ordering::{Relaxed, Release, SeqCst},
    },
};

use super::{
    ends::{CLOSED, DIED, attached},
    ring::Shape,
};
use crate::{
    crash::{crash_point, may_fail},
    error::{Error, Result},
    index::{Index, raise},
    segment::{CHILD, CHILDREN},
    state::State,
    store::{AllocationId, Store},
    sys::{Held, RingHeader},
};

impl Store {
    /// Whether the allocation in a segment is a channel.
    pub(crate) fn is_channel(&self, index: u32) -> Result<bool> {
        Ok(self.segment(index)?.channel.load(SeqCst) == self.state(index)?.generation)
    }

    /// All channels that can be found.
    pub(crate) fn channels(&self) -> impl Iterator<Item = Result<u32>> {
        (0..self.segment_count()).filter_map(|index| {
            let published = self.state(index).map(|word| word.state == State::Published);
            match published.and_then(|published| Ok(published && self.is_channel(index)?)) {
                Ok(true) => Some(Ok(index)),
                Ok(false) => None,
                Err(error) => Some(Err(error)),
            }
        })
    }
}

impl Index<'_> {
    /// Enters what the message of this number refers to in a place of the list, before the message is visible; everybody
    /// can hold it from then on.
    pub(super) fn enlist(&self, channel: &Held, place: u32, number: u64, child: AllocationId) -> Result<()> {
        let store = self.store;
        let Some([index, generation]) = channel.child(place) else { return Err(Error::Freed) };
        // The receiver of the message that was here has not come back to it yet.
        self.strike(entry(index, generation).1, || {
            generation.store(0, SeqCst);
            Ok(())
        })?;
        // Not before: what was struck may be this child, and private now.
        let word = store.state(child.index)?;
        if word.generation != child.generation || !matches!(word.state, State::Private | State::Published) {
            return Err(Error::Freed);
        }
        // Others look at the list under the lock only.
        index.store(u64::from(child.index) | (number << 32), Relaxed);
        generation.store(child.generation, Release);
        crash_point!("channel-listed");
        raise(&store.segment(child.index)?.owners.parents);
        crash_point!("channel-counted");
        if word.state == State::Private {
            self.share(child)?;
            self.set_state(child.index, State::Published)?;
        }
        crash_point!("channel-shared");
        Ok(())
    }

    /// Lets go of what a message referred to, if it is still the one in its place.
    pub(super) fn settle(&self, channel: &Held, place: u32, number: u64, child: AllocationId) -> Result<()> {
        let Some([index, generation]) = channel.child(place) else { return Ok(()) };
        if entry(index, generation) != (number as u32, child) {
            return Ok(());
        }
        self.strike(child, || {
            generation.store(0, SeqCst);
            Ok(())
        })
    }

    /// Takes a child away from a channel: private again to one of those who hold it, or recycled.
    fn strike(&self, child: AllocationId, clear: impl FnOnce() -> Result<()>) -> Result<()> {
        if child.generation == 0 {
            return Ok(());
        }
        self.hand_over(child, 1)?;
        clear()?;
        crash_point!("channel-struck");
        self.drop_parent(child)
    }

    /// Marks the ends that a dead process had, and lets go of what only it could have gone on with.
    pub(crate) fn clean_channels(&self, slot: u16) -> Result<()> {
        for index in self.store.channels() {
            let index = index?;
            let segment = self.store.segment(index)?;
            for end in [&segment.sender, &segment.receiver] {
                if attached(end.load(SeqCst)) == Some(slot) {
                    end.store(DIED, SeqCst);
                    crash_point!("clean-channel-end");
                }
            }
            self.reconcile(index)?;
            self.retire(index)?;
        }
        Ok(())
    }

    /// Lets go of what no message refers to: received already, or never visible because its sender died.
    pub(crate) fn reconcile(&self, index: u32) -> Result<()> {
        let segment = self.store.segment(index)?;
        let listed = self.store.children_on_file(index)?;
        if listed.iter().all(|child| child.generation == 0) {
            return Ok(());
        }
        let Some(ring) = self.ring_on_file(index)? else { return Ok(()) };
        let sending = attached(segment.sender.load(SeqCst)).is_some();
        let tail = ring.tail()?;
        for (position, child) in (0..).zip(listed).filter(|(_, child)| child.generation != 0) {
            let place = (CHILDREN + position as usize * CHILD) as u64;
            let tag = ring.word(place)? >> 32;
            // The number has its low half here; it is hardly more than a capacity away from the tail.
            let ahead = (tag as u32).wrapping_sub(tail as u32) as i32;
            let number = tail.wrapping_add_signed(ahead.into());
            let wanted = ahead >= 0 && (sending || ring.is_sent(number)?);
            // What is lent is the sender's to use again.
            let lent = position >= ring.shape.capacity;
            if !(wanted || (lent && sending)) {
                self.strike(child, || ring.write(place + 8, 0))?;
            }
        }
        Ok(())
    }

    /// Frees a channel that nobody has open and in which nothing waits to be received, unless it is to be kept.
    pub(crate) fn retire(&self, index: u32) -> Result<bool> {
        let segment = self.store.segment(index)?;
        let ends = [&segment.sender, &segment.receiver];
        if ends.iter().any(|end| attached(end.load(SeqCst)).is_some()) {
            return Ok(false);
        }
        let unread = match self.ring_on_file(index)? {
            // Nobody will come back for what a closed receiver left.
            Some(ring) if ring.is_kept()? => true,
            Some(ring) if segment.receiver.load(SeqCst) != CLOSED => ring.unread()? != 0,
            _ => false,
        };
        if !unread {
            let generation = self.store.state(index)?.generation;
            crash_point!("channel-retiring");
            self.free(AllocationId { index, generation })?;
        }
        Ok(!unread)
    }

    /// The ring of a channel that is not mapped here; `None` where there is none that could be one.
    pub(super) fn ring_on_file(&self, index: u32) -> Result<Option<RingFile>> {
        let start = u64::from(self.store.segment(index)?.payload.load(SeqCst));
        let file = match self.store.open_segment(index) {
            Ok((file, ..)) => file,
            Err(Error::Corrupt { .. } | Error::NotPrivate { .. } | Error::Removed) => return Ok(None),
            Err(error) => return Err(error),
        };
        let ring = RingFile { file, start, shape: Shape { capacity: 1, stride: 64 } };
        let Ok(word) = ring.word(start + std::mem::offset_of!(RingHeader, capacity) as u64) else {
            return Ok(None);
        };
        Ok(Shape::checked(word as u32, (word >> 32) as u32).map(|shape| RingFile { shape, ..ring }))
    }
}

/// Says that what is in a place belongs to the message of this number now. Only its sender does, of what it lends.
#[inline]
pub(super) fn retag(channel: &Held, place: u32, number: u64, child: AllocationId) {
    if let Some([index, _]) = channel.child(place) {
        index.store(u64::from(child.index) | (number << 32), Relaxed);
    }
}

/// Number and target of a place in the list of children.
fn entry(index: &AtomicU64, generation: &AtomicU64) -> (u32, AllocationId) {
    let word = index.load(SeqCst);
    ((word >> 32) as u32, AllocationId { index: word as u32, generation: generation.load(SeqCst) })
}

/// A ring that is read by `pread`, under the index lock.
pub(super) struct RingFile {
    file: File,
    start: u64,
    pub(super) shape: Shape,
}

impl RingFile {
    fn word(&self, offset: u64) -> Result<u64> {
        let mut bytes = [0; 8];
        let read = may_fail().map_err(Into::into).and_then(|()| self.file.read_exact_at(&mut bytes, offset));
        read.map_err(|source: std::io::Error| Error::io("pread", "segment", source))?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn write(&self, offset: u64, word: u64) -> Result<()> {
        let word = word.to_le_bytes();
        let written = may_fail().map_err(Into::into).and_then(|()| self.file.write_all_at(&word, offset));
        written.map_err(|source: std::io::Error| Error::io("pwrite", "segment", source))
    }

    fn is_kept(&self) -> Result<bool> {
        let word = self.word(self.start + std::mem::offset_of!(RingHeader, kept) as u64)?;
        Ok(word as u32 != 0)
    }

    fn tail(&self) -> Result<u64> {
        self.word(self.start + std::mem::offset_of!(RingHeader, received) as u64)
    }

    /// Whether the message of this number is there.
    fn is_sent(&self, number: u64) -> Result<bool> {
        let slot = self.shape.slot(self.shape.position(number)) as u64;
        Ok(self.word(self.start + slot)? == number.wrapping_add(1))
    }

    /// Messages that wait to be received.
    pub(super) fn unread(&self) -> Result<u32> {
        let tail = self.tail()?;
        for ahead in 0..self.shape.capacity {
            if !self.is_sent(tail.wrapping_add(ahead.into()))? {
                return Ok(ahead);
            }
        }
        Ok(self.shape.capacity)
    }
}
