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
    wire::{self, Head},
};
use crate::{
    message::Message,
    transport::{self, Link, LinkError, Peer, SendEnd, Traffic},
};

/// How many bytes go together at most: a message that is longer goes alone.
pub(super) const TOGETHER: u64 = 32 << 10;
/// How many arrays go together: so many parts have to be gathered.
const ARRAYS: usize = 64;
/// How many frames' memory is kept to be used again.
const SPARE: usize = 8;

/// Messages that go out as one, because they waited together: each has its head, its packed bytes, and its arrays where
/// they lie.
#[derive(Default)]
pub(super) struct Frame {
    /// The number of the first message.
    pub(super) first: u64,
    pub(super) count: u16,
    /// Bytes of the body: heads, packed bytes, and arrays, each from where [`wire::aligned`] says.
    pub(super) length: u64,
    /// Heads and packed bytes.
    packed: Vec<u8>,
    /// Arrays, and how many bytes of `packed` are before each.
    arrays: Vec<(usize, Segment)>,
}

impl Frame {
    /// The number after that of the last message.
    pub(super) fn end(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    /// Where a message that is added ends, if it can be described at all.
    fn end_with(&self, packed: usize, arrays: &[Segment]) -> Option<u64> {
        let end = self.length.checked_add((Head::LENGTH + packed) as u64)?;
        arrays.iter().try_fold(end, |end, array| wire::aligned(end)?.checked_add(array.length() as u64))
    }

    /// Adds a message that ends there.
    fn add(&mut self, packed: &[u8], arrays: &mut Vec<Segment>, end: u64) {
        let head = Head {
            packed: packed.len() as u64,
            rest: end - self.length - (Head::LENGTH + packed.len()) as u64,
        };
        self.packed.extend_from_slice(&head.to_bytes());
        self.packed.extend_from_slice(packed);
        let at = self.packed.len();
        self.arrays.extend(arrays.drain(..).map(|array| (at, array)));
        (self.count, self.length) = (self.count + 1, end);
    }

    /// What is left of it from this number on.
    fn after(&self, number: u64) -> Self {
        let mut left = Self { first: number, ..Self::default() };
        let (mut rest, mut arrays) = (&*self.packed, self.arrays.iter().peekable());
        for message in self.first..self.end() {
            let Some((head, behind)) = Head::split(rest) else { break };
            let (packed, behind) = behind.split_at(head.packed as usize);
            rest = behind;
            let here = |(at, _): &&(usize, Segment)| *at <= self.packed.len() - behind.len();
            let mut own = Vec::new();
            while let Some((_, array)) = arrays.next_if(here) {
                own.push(array.clone());
            }
            if message >= number
                && let Some(end) = left.end_with(packed.len(), &own)
            {
                left.add(packed, &mut own, end);
            }
        }
        left
    }
}

/// A frame that UCX reads, however long that takes.
pub(super) struct Shipped(pub(super) Arc<Frame>);

impl Parts for Shipped {
    fn parts<'p>(&'p self, each: &mut dyn FnMut(&'p [u8])) {
        static GAP: [u8; super::memory::ALIGNMENT] = [0; super::memory::ALIGNMENT];
        let (packed, mut from, mut end) = (&self.0.packed, 0, 0);
        for (at, array) in &self.0.arrays {
            each(&packed[from..*at]);
            end += at - from;
            from = *at;
            let gap = end.next_multiple_of(GAP.len()) - end;
            each(&GAP[..gap]);
            // Checked when the message was sent; should an owner think otherwise now, the receiver finds it too short.
            let bytes = array.bytes().unwrap_or_default();
            each(bytes);
            end += gap + bytes.len();
        }
        each(&packed[from..]);
    }
}

/// What a sending end and the thread share.
pub(super) struct Outbox {
    pub(super) id: u64,
    pub(super) link: Link,
    pub(super) bell: Doorbell,
    /// The thread was told that there is something to do.
    told: AtomicBool,
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
        let end = |frame: &Frame| {
            frame.end_with(packed.len(), arrays).ok_or(Error::OutOfMemory { bytes: u64::MAX })
        };
        let mut length = end(&self.open)?;
        if length > TOGETHER || self.open.arrays.len() + arrays.len() > ARRAYS || self.open.count == u16::MAX
        {
            self.complete();
            length = end(&self.open)?;
        }
        self.sent += 1;
        self.copied += transport::bulk(packed.len(), arrays);
        if self.open.count == 0 {
            self.open.first = self.sent;
        }
        self.open.add(packed, arrays, length);
        Ok(())
    }

    /// Nothing more is added to the last messages.
    fn complete(&mut self) {
        if self.open.count > 0 {
            let next = Frame { packed: self.spare.pop().unwrap_or_default(), ..Frame::default() };
            self.frames.push_back(Arc::new(std::mem::replace(&mut self.open, next)));
        }
    }

    /// The messages from this number on, which wait; nothing more is added to these frames.
    pub(super) fn frames(&mut self, from: u64) -> Vec<Arc<Frame>> {
        self.complete();
        let before = self.frames.partition_point(|frame| frame.end() <= from);
        // Another receiver has some of a frame's messages.
        if let Some(frame) = self.frames.get_mut(before).filter(|frame| frame.first < from) {
            *frame = Arc::new(frame.after(from));
        }
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
        let Frame { mut packed, .. } = frame;
        if self.spare.len() < SPARE && packed.capacity() as u64 <= 2 * TOGETHER {
            packed.clear();
            self.spare.push(packed);
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
        Self { id, link, bell, told: AtomicBool::new(false), state: Mutex::new(state) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, Out> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread looks from here on: who has something new tells it again.
    pub(super) fn looked_at(&self) {
        self.told.store(false, SeqCst);
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
        self.bell.ring();
    }

    /// The receiver does not take this end.
    pub(super) fn refuse(&self, why: UcxError) {
        self.state().refused = Some(why);
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
}

impl Sending {
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
        let link = &self.outbox.link;
        let name = || link.name.clone();
        {
            let state = self.outbox.state();
            if let Some(why) = &state.refused {
                return Err(match why {
                    UcxError::Replaced => LinkError::Closed { link: name() },
                    why => LinkError::transport(name(), why.clone()),
                });
            }
            match state.peer {
                _ if state.closing => return Err(LinkError::Closed { link: name() }),
                Peer::Closed => return Err(LinkError::Closed { link: name() }),
                Peer::Died => return Err(LinkError::PeerDied { link: name() }),
                _ => {}
            }
            if state.waiting() >= link.capacity as u64 {
                return Err(LinkError::Full { link: name(), capacity: link.capacity });
            }
        }
        self.encode(message).map_err(|source| LinkError::Codec { link: name(), source })?;
        self.tell();
        Ok(())
    }

    fn close(&mut self) -> bool {
        let mut state = self.outbox.state();
        if state.closing {
            return true;
        }
        state.closing = true;
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
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.close();
    }
}
