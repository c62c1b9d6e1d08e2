//! The end of a link that receives: what it shares with the thread that drives UCX.
//!
//! The invariant: every message that can come has its place in a table of at most the link's capacity, by its number, so
//! that they are received in order, whichever arrives first.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use podwire_codec_core::{
    CodecRegistry, Endpoint, Error, Limits, Segment,
    endpoint::Capabilities,
    message::{Message as Envelope, Metadata},
    registry::AnyValue,
};
use podwire_fastio::Doorbell;

use super::{Running, error::UcxError, hub::Command, memory::Buffer, wire};
use crate::{
    message::Message,
    transport::{Link, LinkError, Peer, ReceiveEnd, Traffic},
};

/// A message that arrived: a part of a buffer.
#[derive(Clone)]
pub(super) struct Arrival {
    pub(super) buffer: Arc<Buffer>,
    /// Where its packed bytes begin and end; its segments follow.
    pub(super) packed: std::ops::Range<usize>,
}

/// What became of a message.
pub(super) type Outcome = Result<Arrival, Lost>;

/// Why a message that came is none.
#[derive(Clone)]
pub(super) enum Lost {
    /// It is not taken, or no message.
    Refused(UcxError),
    /// It is more than the link's limits allow.
    TooLarge { bytes: u64 },
    /// There is no memory for it.
    NoMemory { bytes: u64 },
    /// Its sender died while it was on its way.
    Broken,
}

/// The place of a message.
pub(super) enum Slot {
    /// It did not come.
    Empty,
    /// It is on its way.
    Coming(Arc<OnceLock<Outcome>>),
    Here(Outcome),
}

impl Slot {
    fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Empty => None,
            Self::Coming(cell) => cell.get(),
            Self::Here(outcome) => Some(outcome),
        }
    }

    /// It will not come any more.
    fn is_lost(&self) -> bool {
        matches!(self, Self::Empty) || matches!(self.outcome(), Some(Err(Lost::Broken)))
    }
}

/// What a receiving end and the thread share.
pub(super) struct Inbox {
    pub(super) id: u64,
    pub(super) link: Link,
    pub(super) bell: Doorbell,
    told: AtomicBool,
    /// What comes goes around UCX.
    pub(super) around: AtomicBool,
    state: Mutex<In>,
}

/// What came, and what is known of the sender.
pub(super) struct In {
    pub(super) slots: VecDeque<Slot>,
    /// The sender's number of the first slot: all before were received.
    pub(super) next: u64,
    pub(super) peer: Peer,
    /// The sender sends no number from this one on.
    pub(super) end: Option<u64>,
    /// A message of this sender was received and not settled.
    in_hand: bool,
    /// How many of this sender's messages were settled here.
    settled_of_it: u64,
    /// What the sender was told of what was received and settled.
    pub(super) told: (u64, u64),
    /// Of all senders.
    received: u64,
    settled: u64,
    /// An error that is to be told before anything else.
    pub(super) error: Option<UcxError>,
    /// That the sender is gone was said.
    said: bool,
}

impl In {
    /// The sender is gone as far as the receiver is concerned: everything that it sent was received.
    fn gone(&self) -> Option<Peer> {
        match self.peer {
            Peer::Closed if self.end.is_none_or(|end| self.next >= end) => Some(Peer::Closed),
            Peer::Died if self.slots.iter().all(Slot::is_lost) => Some(Peer::Died),
            _ => None,
        }
    }

    fn arrived(&self) -> u64 {
        self.slots.iter().filter(|slot| slot.outcome().is_some() && !slot.is_lost()).count() as u64
    }

    /// Messages that the sender sent before it was closed are on their way.
    fn is_coming(&self) -> bool {
        self.end.is_some_and(|end| self.next + self.arrived() < end)
    }

    /// The sender may have more, as far as it said.
    pub(super) fn wants_more(&self) -> bool {
        self.peer == Peer::Attached || self.is_coming()
    }

    /// Nothing is left of the last sender.
    pub(super) fn is_drained(&self) -> bool {
        self.slots.is_empty() || self.gone().is_some()
    }

    /// What the sender is told: all up to the one number were received, and so many of them settled here.
    pub(super) fn credit(&self) -> (u64, u64) {
        (self.next.saturating_sub(1), self.settled_of_it)
    }

    /// Whether the sender is to be told now, rather than when there is nothing else to do: a part of its room is free
    /// that it does not know of.
    pub(super) fn presses(&self, capacity: usize) -> bool {
        let part = (capacity / 4).max(1) as u64;
        self.credit().0.saturating_sub(self.told.0) >= part
    }

    /// Is done with the message that was received last.
    fn settle(&mut self) {
        self.settled_of_it += u64::from(std::mem::take(&mut self.in_hand));
        self.settled = self.received;
    }

    /// A new sender's first message has this number.
    pub(super) fn begin(&mut self, first: u64) {
        (self.next, self.end, self.in_hand, self.settled_of_it) = (first, None, false, 0);
        self.told = self.credit();
        self.slots.clear();
        self.attach();
    }

    /// The same sender is back: what it sent and did not come, it sends again from here on.
    pub(super) fn resume(&mut self) -> u64 {
        let came = self.slots.iter().take_while(|slot| slot.outcome().is_some() && !slot.is_lost()).count();
        self.slots.truncate(came);
        (self.end, self.told) = (None, (0, 0));
        self.attach();
        self.next + came as u64
    }

    fn attach(&mut self) {
        self.peer = Peer::Attached;
        self.said = false;
    }
}

impl Inbox {
    pub(super) fn new(id: u64, link: Link, bell: Doorbell) -> Self {
        let state = In {
            slots: VecDeque::new(),
            next: 1,
            peer: Peer::Absent,
            end: None,
            in_hand: false,
            settled_of_it: 0,
            told: (0, 0),
            received: 0,
            settled: 0,
            error: None,
            said: false,
        };
        let (told, around) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { id, link, bell, told, around, state: Mutex::new(state) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, In> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread looks from here on: who has something new tells it again.
    pub(super) fn looked_at(&self) {
        self.told.store(false, SeqCst);
    }

    /// Puts a message that comes in its place, if there is one for it.
    pub(super) fn put(&self, number: u64, slot: Slot) -> Result<(), UcxError> {
        let placed = self.place(&mut self.state(), number, slot);
        self.bell.ring();
        placed
    }

    /// The same without telling the receiver.
    pub(super) fn place(&self, state: &mut In, number: u64, slot: Slot) -> Result<(), UcxError> {
        let room = (self.link.capacity as u64).saturating_sub(1);
        let (first, last) = (state.next, state.next.saturating_add(room));
        let refused = UcxError::Number { number, first, last };
        if !(first..=last).contains(&number) {
            return Err(refused);
        }
        let at = (number - first) as usize;
        while state.slots.len() <= at {
            state.slots.push_back(Slot::Empty);
        }
        match &mut state.slots[at] {
            place @ Slot::Empty => *place = slot,
            _ => return Err(refused),
        }
        Ok(())
    }

    /// How many bytes a message may have that is not decoded yet.
    pub(super) fn most(&self) -> u64 {
        self.link.limits.bytes
    }

    pub(super) fn set_peer(&self, peer: Peer, end: Option<u64>) {
        let mut state = self.state();
        state.peer = peer;
        state.end = end.or(state.end);
        drop(state);
        self.bell.ring();
    }

    /// The sender cannot be reached any more.
    pub(super) fn sender_died(&self) {
        let mut state = self.state();
        let came = state.next + state.arrived();
        // One that said its last word, all of which is here, was closed in order.
        if state.peer != Peer::Closed || state.end.is_some_and(|end| came < end) {
            state.peer = Peer::Died;
        }
        drop(state);
        self.bell.ring();
    }

    /// Something came that is no message of the link.
    pub(super) fn refuse(&self, why: UcxError) {
        self.state().error = Some(why);
        self.bell.ring();
    }
}

/// The end itself.
pub(super) struct Receiving {
    pub(super) inbox: Arc<Inbox>,
    pub(super) running: Arc<Running>,
    /// What the directory has of it.
    pub(super) entry: Vec<u8>,
}

/// What there is for a call of `try_receive`.
enum Next {
    Nothing,
    Message(Arrival),
    Error(LinkError),
}

impl Receiving {
    /// Changes what is known, and has the thread tell the sender what that one does not know.
    fn with<R>(&self, change: impl FnOnce(&mut In) -> R) -> R {
        let mut state = self.inbox.state();
        let result = change(&mut state);
        let (news, presses) = (state.credit() != state.told, state.presses(self.inbox.link.capacity));
        drop(state);
        if news && !presses {
            self.running.hub.owe();
        } else if news && !self.inbox.told.swap(true, SeqCst) {
            self.running.hub.tell(Command::Look(self.inbox.id));
        }
        result
    }

    fn next(&self, state: &mut In) -> Next {
        let link = &self.inbox.link;
        let name = || link.name.clone();
        if let Some(error) = state.error.take() {
            return Next::Error(LinkError::transport(name(), error));
        }
        let outcome = match state.slots.front() {
            Some(slot) if !slot.is_lost() => match slot.outcome() {
                None => return Next::Nothing,
                Some(outcome) => outcome.clone(),
            },
            _ => match state.gone() {
                Some(gone) => {
                    state.said = true;
                    return Next::Error(match gone {
                        Peer::Closed => LinkError::Closed { link: name() },
                        _ => LinkError::PeerDied { link: name() },
                    });
                }
                None if state.peer == Peer::Died => {
                    // One that came waits behind others that never will.
                    let missing = state.slots.iter().take_while(|slot| slot.is_lost()).count();
                    state.slots.drain(..missing);
                    state.next += missing as u64;
                    let (missing, next) = (missing as u64, state.next);
                    return Next::Error(LinkError::Gap { link: name(), missing, next });
                }
                None => return Next::Nothing,
            },
        };
        state.slots.pop_front();
        state.next += 1;
        state.received += 1;
        state.in_hand = true;
        match outcome {
            Ok(arrival) => Next::Message(arrival),
            Err(lost) => Next::Error(match lost {
                Lost::Refused(why) => LinkError::transport(name(), why),
                Lost::TooLarge { bytes } => {
                    let left = self.inbox.most();
                    let source = Error::ByteLimit { offset: 0, wanted: bytes, left };
                    LinkError::Codec { link: name(), source }
                }
                Lost::NoMemory { bytes } => {
                    LinkError::Codec { link: name(), source: Error::OutOfMemory { bytes } }
                }
                Lost::Broken => LinkError::PeerDied { link: name() },
            }),
        }
    }
}

impl ReceiveEnd for Receiving {
    fn try_receive(&mut self) -> Result<Option<Message>, LinkError> {
        let next = self.with(|state| {
            state.settle();
            self.next(state)
        });
        match next {
            Next::Nothing => Ok(None),
            Next::Error(error) => Err(error),
            Next::Message(arrival) => match decode(&arrival, self.inbox.link.limits) {
                Ok((value, metadata)) => Ok(Some(Message::any(value).with_metadata(metadata))),
                Err(source) => Err(LinkError::Codec { link: self.inbox.link.name.clone(), source }),
            },
        }
    }

    fn settle(&mut self) {
        self.with(In::settle);
    }

    fn waiting(&self) -> usize {
        let state = self.inbox.state();
        let error = usize::from(state.error.is_some());
        let here = match state.peer {
            // What is between them will not come any more.
            Peer::Died => state.arrived() as usize,
            _ => state.slots.iter().take_while(|slot| slot.outcome().is_some() && !slot.is_lost()).count(),
        };
        match here + error {
            0 if state.gone().is_some() => usize::from(!state.said),
            count => count,
        }
    }

    fn peer(&self) -> Peer {
        let state = self.inbox.state();
        match state.peer {
            // Its last word overtakes large messages, and whoever hears that it is closed asks for nothing more.
            Peer::Closed if state.is_coming() => Peer::Attached,
            peer => peer,
        }
    }

    fn traffic(&self) -> Traffic {
        let state = self.inbox.state();
        Traffic {
            sent: state.received + state.arrived(),
            received: state.received,
            settled: state.settled,
            ..Traffic::default()
        }
    }

    fn detour(&self) -> Option<&'static str> {
        self.inbox.around.load(SeqCst).then_some("zenoh")
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.settle();
        self.running.directory.withdraw(&self.inbox.link.name, &self.entry);
        self.running.hub.tell(Command::Gone(self.inbox.id));
    }
}

/// The value of a message, and what travelled with it.
fn decode(arrival: &Arrival, limits: Limits) -> podwire_codec_core::Result<(AnyValue, Metadata)> {
    let packed = &arrival.buffer.bytes()[arrival.packed.clone()];
    let (envelope, rest) = Envelope::parse(packed, limits)?;
    if !rest.is_empty() {
        let (offset, count) = ((packed.len() - rest.len()) as u64, rest.len() as u64);
        return Err(Error::TrailingBytes { offset, count });
    }
    let mut arrays = Arrays::of(arrival, &envelope)?;
    let value = CodecRegistry::global().decode_with(&envelope, &mut arrays, limits)?;
    Ok((value, envelope.metadata().clone()))
}

/// The segments of a message: parts of the buffer that it came in.
struct Arrays(Vec<Segment>);

impl Arrays {
    fn of(arrival: &Arrival, envelope: &Envelope<'_>) -> podwire_codec_core::Result<Self> {
        if envelope.segments().is_empty() {
            return Ok(Self(Vec::new()));
        }
        let whole = Segment::new(Arc::clone(&arrival.buffer) as Arc<dyn podwire_codec_core::Owner>);
        let (mut end, mut segments) = (arrival.packed.end as u64, Vec::new());
        for (index, entry) in (0_u32..).zip(envelope.segments()) {
            if entry.number != index {
                return Err(Error::NoSegment { index: entry.number, found: index });
            }
            let found = whole.length() as u64 - end;
            let short = || Error::SegmentLength { index, wanted: entry.length, found };
            let start = wire::aligned(end).ok_or_else(short)?;
            end = start
                .checked_add(entry.length)
                .filter(|end| *end <= whole.length() as u64)
                .ok_or_else(short)?;
            segments.push(whole.part(start as usize..end as usize).ok_or_else(short)?);
        }
        Ok(Self(segments))
    }
}

impl Endpoint for Arrays {
    fn write(&mut self, bytes: &[u8]) -> podwire_codec_core::Result<()> {
        Err(Error::EndpointFull { wanted: bytes.len() as u64, found: 0 })
    }

    fn read(&mut self, bytes: &mut [u8]) -> podwire_codec_core::Result<()> {
        Err(Error::UnexpectedEnd { offset: 0, wanted: bytes.len() as u64, found: 0 })
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::INLINE
    }

    fn take_segment(
        &mut self,
        placement: podwire_codec_core::endpoint::Placement<'_>,
    ) -> podwire_codec_core::Result<Segment> {
        let found = self.0.len() as u32;
        let segment = self.0.get(placement.index as usize).cloned();
        segment.ok_or(Error::NoSegment { index: placement.index, found })
    }
}
