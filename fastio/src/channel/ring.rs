//! The ring of a channel, as it lies in shared memory (see `docs/fastio-layout.md`).
//!
//! Not here: waiting, and what messages own. Invariant: capacity and stride were seen to fit the mapping, and are not
//! read again; a message is visible from the store of its number on, and never before it is whole.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};

use super::options::{MOST_INLINE, MOST_MESSAGES};
use crate::{
    store::AllocationId,
    sys::{Held, RingHeader, RingSlot},
};

const MAGIC: u64 = u64::from_le_bytes(*b"podwireR");
const WORD: usize = size_of::<u64>();
const SLOT: usize = size_of::<RingSlot>();

/// A message lies in an allocation of its own.
pub(super) const REFERENCED: u32 = 1 << 8;
/// That allocation has the one that was sent as its only child: it carries other metadata.
pub(super) const WRAPPED: u32 = 1 << 9;
/// That allocation is lent by the sender, who goes on using it for later messages.
pub(super) const LENT: u32 = 1 << 10;
/// That allocation is the only buffer of a value, which lies in the slot.
pub(super) const BESIDE: u32 = 1 << 11;

/// The numbers that say where everything is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(super) capacity: u32,
    pub(super) stride: usize,
}

impl Shape {
    /// For that many messages with room for so many bytes: slots are whole cache lines.
    pub(super) fn new(capacity: usize, inline: usize) -> Self {
        Self { capacity: capacity as u32, stride: (SLOT + inline).next_multiple_of(64) }
    }

    /// What a header says, if that can be.
    pub(super) fn checked(capacity: u32, stride: u32) -> Option<Self> {
        let shape = Self { capacity, stride: stride as usize };
        let fits = (1..=MOST_MESSAGES).contains(&(capacity as usize))
            && shape.stride.is_multiple_of(64)
            && (SLOT..=SLOT + MOST_INLINE + 64).contains(&shape.stride);
        fits.then_some(shape)
    }

    pub(super) fn length(self) -> usize {
        size_of::<RingHeader>() + self.capacity as usize * self.stride
    }

    /// Bytes of a message that fit a slot.
    pub(super) fn inline(self) -> usize {
        self.stride - SLOT
    }

    /// Where the slot of a position begins.
    pub(super) fn slot(self, position: u32) -> usize {
        size_of::<RingHeader>() + position as usize * self.stride
    }

    /// The list of children has a place for each message that can wait, for what it refers to, and behind these one for
    /// each message that can wait or be in the receiver's hands, for memory that is lent.
    pub(super) fn children(self) -> u32 {
        2 * self.capacity + 1
    }

    /// Which of the lent places a message has.
    #[inline]
    pub(super) fn lent_place(self, number: u64) -> usize {
        (number % (u64::from(self.capacity) + 1)) as usize
    }

    /// Where a lent place is in the list of children.
    #[inline]
    pub(super) fn place_of_lent(self, place: usize) -> u32 {
        self.capacity + place as u32
    }

    pub(super) fn position(self, number: u64) -> u32 {
        (number % u64::from(self.capacity)) as u32
    }
}

/// The number of a message, and its place in the ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    pub(super) number: u64,
    pub(super) position: u32,
}

/// What stands in a slot besides inline bytes.
#[derive(Clone, Copy)]
pub(super) struct Message {
    pub(super) kind: u32,
    /// Bytes, inline or lent; 0 for other messages that lie elsewhere.
    pub(super) length: usize,
    pub(super) target: AllocationId,
}

/// A ring in this process's memory; what holds the mapping is borrowed for each use.
#[derive(Clone, Copy)]
pub(super) struct Ring {
    pub(super) shape: Shape,
    start: usize,
}

impl Ring {
    /// Writes an empty ring into memory that nobody else knows yet. `None` where it does not fit.
    pub(super) fn create(held: &Held, start: usize, shape: Shape) -> Option<Self> {
        let words = held.records::<AtomicU64>(start, shape.length() / WORD)?;
        words.iter().for_each(|word| word.store(0, Relaxed));
        (0..shape.children())
            .filter_map(|position| held.child(position))
            .flatten()
            .for_each(|word| word.store(0, Relaxed));
        let ring = Self { shape, start };
        let header = ring.header(held);
        header.capacity.store(shape.capacity, SeqCst);
        header.stride.store(shape.stride as u32, SeqCst);
        header.magic.store(MAGIC, SeqCst);
        Some(ring)
    }

    /// The ring that is there; `None` where there is none that could be one.
    pub(super) fn open(held: &Held, start: usize, length: usize, children: usize) -> Option<Self> {
        let [header] = held.records::<RingHeader>(start, 1)? else { return None };
        let shape = Shape::checked(header.capacity.load(SeqCst), header.stride.load(SeqCst))?;
        let inside = start.checked_add(shape.length()).is_some_and(|end| end <= held.length());
        let fits = shape.length() == length && shape.children() as usize == children;
        (header.magic.load(SeqCst) == MAGIC && inside && fits).then_some(Self { shape, start })
    }

    /// From now on the channel stays when nobody has it open.
    pub(super) fn keep(&self, held: &Held) {
        self.header(held).kept.store(1, SeqCst);
    }

    #[inline]
    pub(super) fn header<'h>(&self, held: &'h Held) -> &'h RingHeader {
        let header = held.records::<RingHeader>(self.start, 1).and_then(<[_]>::first);
        header.expect("the length was checked when the channel was opened")
    }

    #[inline]
    fn slot<'h>(&self, held: &'h Held, position: u32) -> (&'h RingSlot, &'h [AtomicU64]) {
        let offset = self.start + self.shape.slot(position);
        let slot = held.records::<RingSlot>(offset, 1).and_then(<[_]>::first);
        let words = held.records::<AtomicU64>(offset + SLOT, self.shape.inline() / WORD);
        slot.zip(words).expect("the length was checked when the channel was opened")
    }

    pub(super) fn cursor(&self, number: u64) -> Cursor {
        Cursor { number, position: self.shape.position(number) }
    }

    #[inline]
    pub(super) fn next(&self, cursor: Cursor) -> Cursor {
        let position = cursor.position + 1;
        let position = if position == self.shape.capacity { 0 } else { position };
        Cursor { number: cursor.number.wrapping_add(1), position }
    }

    /// Whether the message of this number is there.
    #[inline]
    pub(super) fn is_sent(&self, held: &Held, at: Cursor) -> bool {
        self.slot(held, at.position).0.number.load(SeqCst) == at.number.wrapping_add(1)
    }

    /// The number of the next message to be received.
    #[inline]
    pub(super) fn tail(&self, held: &Held) -> u64 {
        self.header(held).received.tail.load(SeqCst)
    }

    /// How many messages receivers were done with.
    pub(super) fn settled(&self, held: &Held) -> u64 {
        self.header(held).received.settled.load(Acquire)
    }

    /// Counts one message more that the receiver is done with. Only the receiver stores the count.
    #[inline]
    pub(super) fn settle(&self, held: &Held) {
        let settled = &self.header(held).received.settled;
        settled.store(settled.load(Relaxed).wrapping_add(1), Release);
    }

    /// The number of the next message to be sent, as the slots say.
    pub(super) fn head(&self, held: &Held) -> Cursor {
        let mut cursor = self.cursor(self.tail(held));
        for _ in 0..self.shape.capacity {
            if !self.is_sent(held, cursor) {
                break;
            }
            cursor = self.next(cursor);
        }
        cursor
    }

    /// Fills the slot of a message that nobody sees yet.
    #[inline]
    pub(super) fn write(&self, held: &Held, at: Cursor, message: Message, bytes: &[u8]) {
        let (slot, words) = self.slot(held, at.position);
        slot.length.store(message.length as u32, Relaxed);
        slot.length_high.store((message.length as u64 >> 32) as u32, Relaxed);
        slot.kind.store(message.kind, Relaxed);
        slot.generation.store(message.target.generation, Relaxed);
        slot.index.store(message.target.index, Relaxed);
        let (whole, rest) = bytes.as_chunks::<WORD>();
        for (word, bytes) in words.iter().zip(whole) {
            word.store(u64::from_le_bytes(*bytes), Relaxed);
        }
        if let Some(word) = words.get(whole.len()).filter(|_| !rest.is_empty()) {
            let mut padded = [0; WORD];
            padded[..rest.len()].copy_from_slice(rest);
            word.store(u64::from_le_bytes(padded), Relaxed);
        }
    }

    /// Makes the message of a filled slot visible, in one step.
    #[inline]
    pub(super) fn commit(&self, held: &Held, at: Cursor) {
        self.slot(held, at.position).0.number.store(at.number.wrapping_add(1), SeqCst);
    }

    /// What stands in the slot of a message that is there, and its inline bytes. `None` where it is garbage.
    #[inline]
    pub(super) fn read(&self, held: &Held, at: Cursor, buffer: &mut Vec<u8>) -> Option<Message> {
        let (slot, words) = self.slot(held, at.position);
        let length = u64::from(slot.length.load(Relaxed)) | u64::from(slot.length_high.load(Relaxed)) << 32;
        let length = usize::try_from(length).ok()?;
        let kind = slot.kind.load(Relaxed);
        buffer.clear();
        if kind & LENT == 0 {
            let words = words.get(..length.div_ceil(WORD)).filter(|_| length <= self.shape.inline())?;
            buffer.extend(words.iter().flat_map(|word| word.load(Relaxed).to_le_bytes()));
            buffer.truncate(length);
        }
        let target =
            AllocationId { index: slot.index.load(Relaxed), generation: slot.generation.load(Relaxed) };
        Some(Message { kind, length, target })
    }

    /// Gives the slot of a message that was taken back to the sender.
    #[inline]
    pub(super) fn advance(&self, held: &Held, at: Cursor) {
        self.header(held).received.tail.store(at.number.wrapping_add(1), SeqCst);
    }
}
