//! The end of a link that sends: what it shares with the thread that drives UCX.
//!
//! The invariant: messages wait here from when they are sent until the receiver says that it has received them, never
//! more than the capacity, so that another receiver can get what the last one did not.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use podwire_codec_core::{
    CodecRegistry, Endpoint, Error, Gather, Result, Segment, endpoint::Capabilities, message,
};
use podwire_fastio::Doorbell;

use super::{
    Running,
    error::UcxError,
    ffi::Parts,
    hub::Command,
    memory::ALIGNMENT,
    wire::{self, Head, Opened},
};
use crate::{
    message::Message,
    transport::{self, Link, LinkError, Peer, SendEnd, Traffic},
};

/// How many bytes go together at most.
pub(super) const TOGETHER: usize = 32 << 10;
/// A longer message, in bytes, goes alone, and its arrays from where they lie.
const SHORT: u64 = 8 << 10;
/// How many frames' memory is kept to be used again.
const SPARE: usize = 8;

/// Messages that go out as one: short ones that waited together, or a long one.
#[derive(Default)]
pub(super) struct Frame {
    /// The number of the first message.
    first: u64,
    count: u16,
    /// Bytes of the body.
    pub(super) length: u64,
    /// The body, without the arrays of a long message.
    bytes: Vec<u8>,
    /// Those, behind it, each from where [`wire::aligned`] says.
    arrays: Vec<Segment>,
}

/// Where a message ends whose head begins there, if that can be said at all.
fn end_of(start: u64, packed: &[u8], arrays: &[Segment]) -> Option<u64> {
    let end = start.checked_add((Head::LENGTH + packed.len()) as u64)?;
    arrays.iter().try_fold(end, |end, array| wire::aligned(end)?.checked_add(array.length() as u64))
}

impl Frame {
    /// The number after that of the last message.
    pub(super) fn end(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    /// What a header says of the messages from this number on: their first number, their count, and where they begin.
    pub(super) fn since(&self, number: u64) -> (u64, u16, u64) {
        let first = number.max(self.first);
        let skipped = (first - self.first) as u16;
        let mut at = 0;
        for _ in 0..skipped {
            at = Opened::of(&self.bytes, at, false).map_or(at, |message| message.end);
        }
        (first, self.count - skipped, at as u64)
    }

    /// Adds a message that ends there.
    fn add(&mut self, packed: &[u8], arrays: &mut Vec<Segment>, end: u64) -> Result<()> {
        let (start, before) = (self.bytes.len(), self.length + (Head::LENGTH + packed.len()) as u64);
        let head = Head { packed: packed.len() as u64, rest: end - before };
        self.bytes.extend_from_slice(&head.to_bytes());
        self.bytes.extend_from_slice(packed);
        if end <= TOGETHER as u64 {
            for array in arrays.drain(..) {
                self.bytes.resize(self.bytes.len().next_multiple_of(ALIGNMENT), 0);
                self.bytes.extend_from_slice(array.bytes().unwrap_or_default());
            }
            // An owner that gives less than it said, or more, spoils no other message.
            let found = self.bytes.len() as u64;
            if found != end {
                self.bytes.truncate(start);
                return Err(Error::SegmentLength { index: 0, wanted: end, found });
            }
        }
        self.arrays.append(arrays);
        (self.count, self.length) = (self.count + 1, end);
        Ok(())
    }
}

/// A frame that UCX reads, however long that takes.
pub(super) struct Shipped(pub(super) Arc<Frame>);

impl Parts for Shipped {
    fn parts<'p>(&'p self, each: &mut dyn FnMut(&'p [u8])) {
        static GAP: [u8; ALIGNMENT] = [0; ALIGNMENT];
        each(&self.0.bytes);
        let mut end = self.0.bytes.len();
        for array in &self.0.arrays {
            let gap = end.next_multiple_of(ALIGNMENT) - end;
            each(&GAP[..gap]);
            // Checked when the message was sent; should an owner think otherwise now, the receiver finds it too short.
            let bytes = array.bytes().unwrap_or_default();
            each(bytes);
            end += gap + bytes.len();
        }
    }
}

/// What a sending end and the thread share.
pub(super) struct Outbox {
    pub(super) id: u64,
    pub(super) link: Link,
    pub(super) bell: Doorbell,
    /// The thread was told that there is something to do.
    told: AtomicBool,
    /// What is sent goes around UCX.
    pub(super) around: AtomicBool,
    /// The receiver came, went or refused: the end has to look before it sends.
    changed: AtomicBool,
    state: Mutex<Out>,
}

/// What is to be sent, and what is known of the receiver.
pub(super) struct Out {
    /// Messages that were not received, in frames that are complete.
    frames: VecDeque<Arc<Frame>>,
    /// The messages after those, and the next ones until the thread comes for them.
    open: Frame,
    /// Memory of frames that were received.
    spare: Vec<Vec<u8>>,
    sent: u64,
    pub(super) received: u64,
    /// What earlier receivers settled, and what this one did.
    settled: (u64, u64),
    /// Bytes of arrays and bulk data that were sent.
    copied: u64,
    pub(super) peer: Peer,
    /// The end was closed.
    pub(super) closing: bool,
    /// Why the receiver does not take this end.
    pub(super) refused: Option<UcxError>,
}

impl Out {
    /// How many messages were not received.
    pub(super) fn waiting(&self) -> u64 {
        self.sent - self.received
    }

    /// The numbers that a receiver can expect next: of the messages that wait, and of the one after them.
    pub(super) fn numbers(&self) -> std::ops::RangeInclusive<u64> {
        self.received + 1..=self.sent + 1
    }

    /// Another receiver has come: it counts from 0, and what the last one had in hand is not settled any more.
    pub(super) fn another_receiver(&mut self) {
        self.settled = (self.settled.0 + self.settled.1, 0);
    }

    /// Puts a message behind the others.
    fn push(&mut self, packed: &[u8], arrays: &mut Vec<Segment>) -> Result<()> {
        let too_long = || Error::OutOfMemory { bytes: u64::MAX };
        let alone = end_of(0, packed, arrays).ok_or_else(too_long)?;
        let mut end = end_of(self.open.length, packed, arrays).ok_or_else(too_long)?;
        if alone > SHORT || end > TOGETHER as u64 || self.open.count == u16::MAX {
            self.complete();
            end = alone;
        }
        let copied = transport::bulk(packed.len(), arrays);
        self.open.first = self.sent + 1 - u64::from(self.open.count);
        self.open.add(packed, arrays, end)?;
        (self.sent, self.copied) = (self.sent + 1, self.copied + copied);
        if alone > SHORT {
            self.complete();
        }
        Ok(())
    }

    /// Nothing more is added to the last messages.
    fn complete(&mut self) {
        if self.open.count > 0 {
            let next = Frame { bytes: self.spare.pop().unwrap_or_default(), ..Frame::default() };
            self.frames.push_back(Arc::new(std::mem::replace(&mut self.open, next)));
        }
    }

    /// Whether there are messages of a frame that is not complete.
    pub(super) fn is_open(&self) -> bool {
        self.open.count > 0
    }

    /// The messages from this number on, which wait, but for those of a frame that may still grow, if those are to be held;
    /// nothing more is added to these frames.
    pub(super) fn frames(&mut self, from: u64, hold: bool) -> Vec<Arc<Frame>> {
        if !hold {
            self.complete();
        }
        let before = self.frames.partition_point(|frame| frame.end() <= from);
        self.frames.range(before..).cloned().collect()
    }

    /// So many more messages were received; gives what is not needed any more.
    fn forget(&mut self, messages: u64) -> Vec<Arc<Frame>> {
        self.received += messages;
        if self.open.first <= self.received {
            self.complete();
        }
        let done = self.frames.partition_point(|frame| frame.end() <= self.received + 1);
        self.frames.drain(..done).collect()
    }

    /// Keeps the memory of a frame.
    fn keep(&mut self, frame: Frame) {
        let Frame { mut bytes, .. } = frame;
        if self.spare.len() < SPARE && bytes.capacity() <= 2 * TOGETHER {
            bytes.clear();
            self.spare.push(bytes);
        }
    }
}

impl Outbox {
    pub(super) fn new(id: u64, link: Link, bell: Doorbell) -> Self {
        let state = Out {
            frames: VecDeque::new(),
            open: Frame::default(),
            spare: Vec::new(),
            sent: 0,
            received: 0,
            settled: (0, 0),
            copied: 0,
            peer: Peer::Absent,
            closing: false,
            refused: None,
        };
        Self {
            id,
            link,
            bell,
            told: AtomicBool::new(false),
            around: AtomicBool::new(false),
            changed: AtomicBool::new(true),
            state: Mutex::new(state),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, Out> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread looks from here on: who has something new tells it again.
    pub(super) fn looked_at(&self) {
        self.told.store(false, SeqCst);
    }

    /// The thread will look again by itself: nobody has to tell it.
    pub(super) fn will_be_looked_at(&self) {
        self.told.store(true, SeqCst);
    }

    /// The receiver has received all up to this number, and settled so many.
    pub(super) fn credit(&self, received: u64, settled: u64) {
        let mut state = self.state();
        let news = received.saturating_sub(state.received).min(state.waiting());
        let done = state.forget(news);
        let most = state.received - state.settled.0;
        state.settled.1 = state.settled.1.max(settled.min(most));
        drop(state);
        self.bell.ring();
        // Arrays may take their time to go: not under the lock.
        for mut frame in done.into_iter().filter_map(Arc::into_inner) {
            frame.arrays.clear();
            self.state().keep(frame);
        }
    }

    pub(super) fn set_peer(&self, peer: Peer) {
        self.state().peer = peer;
        self.changed.store(true, SeqCst);
        self.bell.ring();
    }

    /// The receiver does not take this end.
    pub(super) fn refuse(&self, why: UcxError) {
        self.state().refused = Some(why);
        self.changed.store(true, SeqCst);
        self.bell.ring();
    }
}

/// Where a message is encoded to: it comes whole, and goes behind those that wait.
struct Entrance<'o> {
    outbox: &'o Outbox,
    arrays: Vec<Segment>,
}

impl Endpoint for Entrance<'_> {
    fn write(&mut self, packed: &[u8]) -> Result<()> {
        self.outbox.state().push(packed, &mut self.arrays)
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        Err(Error::UnexpectedEnd { offset: 0, wanted: bytes.len() as u64, found: 0 })
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { segments: Gather::SEGMENTS, threshold: Gather::THRESHOLD }
    }

    /// What the host cannot read is sent as the copy that its owner makes, or refused here, before it was sent.
    fn attach(&mut self, segment: &Segment) -> Result<Option<u32>> {
        let array = segment.to_host()?;
        array.bytes()?;
        self.arrays.push(array);
        Ok(Some(self.arrays.len() as u32 - 1))
    }
}

/// The end itself.
pub(super) struct Sending {
    pub(super) outbox: Arc<Outbox>,
    pub(super) running: Arc<Running>,
    /// How many messages there is room for, if nothing changes.
    pub(super) room: u64,
}

impl Sending {
    /// How many messages there is room for, or why none can be sent.
    fn look(&self) -> std::result::Result<u64, LinkError> {
        let link = &self.outbox.link;
        let name = || link.name.clone();
        // Before it looks: what changes from here on is looked for again.
        self.outbox.changed.store(false, SeqCst);
        let state = self.outbox.state();
        let refused = match (&state.refused, state.peer) {
            (Some(UcxError::Replaced), _) => LinkError::Closed { link: name() },
            (Some(why), _) => LinkError::transport(name(), why.clone()),
            (None, _) if state.closing => LinkError::Closed { link: name() },
            (None, Peer::Closed) => LinkError::Closed { link: name() },
            (None, Peer::Died) => LinkError::PeerDied { link: name() },
            _ => match (link.capacity as u64).saturating_sub(state.waiting()) {
                0 => return Err(LinkError::Full { link: name(), capacity: link.capacity }),
                room => return Ok(room),
            },
        };
        // Said again until it changes.
        self.outbox.changed.store(true, SeqCst);
        Err(refused)
    }

    fn encode(&self, message: &Message) -> Result<usize> {
        let codec = CodecRegistry::global().by_value(message.value())?;
        let mut entrance = Entrance { outbox: &self.outbox, arrays: Vec::new() };
        message::write(codec.name(), codec.fingerprint(), message.metadata(), &mut entrance, |writer| {
            codec.encode(message.value(), writer)
        })
    }

    fn tell(&self) {
        if !self.outbox.told.load(SeqCst) && !self.outbox.told.swap(true, SeqCst) {
            self.running.hub.tell(Command::Look(self.outbox.id));
        }
    }
}

impl SendEnd for Sending {
    fn try_send(&mut self, message: &Message) -> std::result::Result<(), LinkError> {
        if self.room == 0 || self.outbox.changed.load(SeqCst) {
            self.room = self.look()?;
        }
        let link = &self.outbox.link;
        let name = || link.name.clone();
        self.encode(message).map_err(|source| LinkError::Codec { link: name(), source })?;
        self.room -= 1;
        self.tell();
        Ok(())
    }

    fn close(&mut self) -> bool {
        let mut state = self.outbox.state();
        if state.closing {
            return true;
        }
        state.closing = true;
        self.room = 0;
        // Before the thread can see that it is closed, and be done with it.
        self.running.hub.lingers(self.outbox.id, state.waiting());
        drop(state);
        self.running.hub.tell(Command::Look(self.outbox.id));
        true
    }

    fn peer(&self) -> Peer {
        self.outbox.state().peer
    }

    fn traffic(&self) -> Traffic {
        let state = self.outbox.state();
        Traffic {
            sent: state.sent,
            received: state.received,
            settled: state.settled.0 + state.settled.1,
            dropped: 0,
            copied_bytes: state.copied,
        }
    }

    fn detour(&self) -> Option<&'static str> {
        self.outbox.around.load(SeqCst).then_some("zenoh")
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_received_of_a_frame_is_skipped_and_arrays_stay_aligned() {
        let outbox = Outbox::new(1, Link::new("a.out>b.in", 8), Doorbell::new());
        let mut state = outbox.state();
        let array = |length: usize| vec![Segment::from(vec![length as u8; length])];
        state.push(&[1; 5], &mut Vec::new()).unwrap();
        state.push(&[2; 70], &mut array(100)).unwrap();
        state.push(&[3; 9], &mut Vec::new()).unwrap();
        state.push(&[4; 9], &mut array(20_000)).unwrap();
        let frames = state.frames(1, false);
        assert_eq!(frames.iter().map(|frame| frame.since(1)).collect::<Vec<_>>(), [(1, 3, 0), (4, 1, 0)]);
        state.forget(1);
        let frames = state.frames(2, false);
        let (first, count, begins) = frames[0].since(2);
        assert_eq!((first, count), (2, 2));
        let mut body = Vec::new();
        Shipped(Arc::clone(&frames[0])).parts(&mut |part| body.extend_from_slice(part));
        assert_eq!(body.len() as u64, frames[0].length);
        let second = Opened::of(&body, begins as usize, false).unwrap();
        assert_eq!(body[second.packed.clone()], [2; 70]);
        assert_eq!(body[second.packed.end.next_multiple_of(ALIGNMENT)..second.end], [100; 100]);
        let third = Opened::of(&body, second.end, true).unwrap();
        assert_eq!(body[third.packed], [3; 9]);
        // All that the receiver says it has is gone, also what was never shipped.
        state.push(&[5; 9], &mut Vec::new()).unwrap();
        state.forget(4);
        assert_eq!((state.waiting(), state.frames(6, false).len()), (0, 0));
    }
}
