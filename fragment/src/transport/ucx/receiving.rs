//! The end of a link that receives: what it shares with the thread that drives UCX.
//!
//! The invariant: every message that can come has its place among at most the link's capacity, by its number, so that they
//! are received in order, whichever arrives first.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use podwire_codec_core::{
    CodecRegistry, Endpoint, Error, Limits, Segment, endpoint::Capabilities, message::Message as Envelope,
};
use podwire_fastio::Doorbell;

use super::{
    Running,
    error::UcxError,
    hub::Command,
    memory::Buffer,
    wire::{self, Opened},
};
use crate::{
    message::Message,
    transport::{Link, LinkError, Peer, ReceiveEnd, Traffic},
};

/// What became of messages that came together.
pub(super) type Outcome = Result<Arc<Buffer>, Lost>;

/// Why messages that came are none.
#[derive(Clone)]
pub(super) enum Lost {
    /// They are more than the link's limits allow.
    TooLarge { bytes: u64 },
    /// There is no memory for them.
    NoMemory { bytes: u64 },
    /// Their sender died while they were on their way.
    Broken,
}

/// Where messages that came together are.
pub(super) enum Place {
    /// On their way.
    Coming(Arc<OnceLock<Outcome>>),
    Here(Outcome),
    /// With the end, which has received some of them.
    InHand,
}

/// Messages that came together, without those that were received.
struct Piece {
    /// The number of the first one.
    first: u64,
    count: u64,
    /// Where it begins.
    at: usize,
    place: Place,
}

impl Piece {
    fn end(&self) -> u64 {
        self.first + self.count
    }

    /// They came, whatever became of them.
    fn came(&self) -> bool {
        match &self.place {
            Place::Coming(cell) => cell.get().is_some(),
            Place::Here(_) | Place::InHand => true,
        }
    }

    /// They will not come any more.
    fn is_lost(&self) -> bool {
        let broken = |outcome: &Outcome| matches!(outcome, Err(Lost::Broken));
        match &self.place {
            Place::Coming(cell) => cell.get().is_some_and(broken),
            Place::Here(outcome) => broken(outcome),
            Place::InHand => false,
        }
    }

    fn arrived(&self) -> bool {
        self.came() && !self.is_lost()
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
    /// In the order of their numbers, of which some may be missing.
    pieces: VecDeque<Piece>,
    /// The sender's number of the next message: all before were received.
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
            Peer::Died if self.pieces.iter().all(Piece::is_lost) => Some(Peer::Died),
            _ => None,
        }
    }

    fn arrived(&self) -> u64 {
        self.pieces.iter().filter(|piece| piece.arrived()).map(|piece| piece.count).sum()
    }

    /// How many pieces have arrived with none missing before them, and the number after the last message of theirs.
    fn in_order(&self) -> (usize, u64) {
        let start = (0, self.next);
        let mut pieces = self.pieces.iter();
        let in_order = pieces.try_fold(start, |(count, next), piece| {
            if piece.arrived() && piece.first == next {
                Ok((count + 1, piece.end()))
            } else {
                Err((count, next))
            }
        });
        in_order.unwrap_or_else(|found| found)
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
        self.pieces.is_empty() || self.gone().is_some()
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
        self.pieces.clear();
        self.attach();
    }

    /// The same sender is back: what it sent and did not come, it sends again from here on.
    pub(super) fn resume(&mut self) -> u64 {
        let (came, next) = self.in_order();
        self.pieces.truncate(came);
        (self.end, self.told) = (None, (0, 0));
        self.attach();
        next
    }

    fn attach(&mut self) {
        self.peer = Peer::Attached;
        self.said = false;
    }
}

impl Inbox {
    pub(super) fn new(id: u64, link: Link, bell: Doorbell) -> Self {
        let state = In {
            pieces: VecDeque::new(),
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

    /// Puts messages that come in their place, if there is one for them; the first one begins there.
    pub(super) fn put(&self, first: u64, count: u16, at: usize, place: Place) -> Result<(), UcxError> {
        let room = (self.link.capacity as u64).saturating_sub(1);
        let mut state = self.state();
        let (next, last) = (state.next, state.next.saturating_add(room));
        let index = state.pieces.partition_point(|piece| piece.first < first);
        let behind = index.checked_sub(1).map_or(next, |before| state.pieces[before].end());
        let before = state.pieces.get(index).map_or(last.saturating_add(1), |piece| piece.first);
        let count = u64::from(count);
        let fits = first >= behind && first.checked_add(count).is_some_and(|end| end <= before);
        if count == 0 || !fits {
            return Err(UcxError::Number { number: first, first: next, last });
        }
        state.pieces.insert(index, Piece { first, count, at, place });
        drop(state);
        self.bell.ring();
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
    /// The messages of which some were received, and where the next one begins.
    pub(super) hand: Option<(Arc<Buffer>, usize)>,
}

/// What there is for a call of `try_receive`.
enum Next {
    Nothing,
    /// A message, after which so many are left of those that it came with. With the first one come all, and where it begins.
    Message {
        left: u64,
        came: Option<(Arc<Buffer>, usize)>,
    },
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
        let next = state.next;
        let Some(piece) = state.pieces.front_mut().filter(|piece| piece.first == next && !piece.is_lost())
        else {
            return match state.gone() {
                Some(gone) => {
                    state.said = true;
                    Next::Error(match gone {
                        Peer::Closed => LinkError::Closed { link: name() },
                        _ => LinkError::PeerDied { link: name() },
                    })
                }
                None if state.peer == Peer::Died => {
                    // Some that came wait behind others that never will.
                    let lost = state.pieces.iter().take_while(|piece| piece.is_lost()).count();
                    state.pieces.drain(..lost);
                    state.next = state.pieces.front().map_or(next, |piece| piece.first);
                    let (missing, next) = (state.next - next, state.next);
                    Next::Error(LinkError::Gap { link: name(), missing, next })
                }
                None => Next::Nothing,
            };
        };
        if !piece.came() {
            return Next::Nothing;
        }
        let outcome = match std::mem::replace(&mut piece.place, Place::InHand) {
            Place::InHand => Ok(None),
            Place::Here(outcome) => outcome.map(Some),
            Place::Coming(cell) => cell.get().cloned().unwrap_or(Err(Lost::Broken)).map(Some),
        };
        (piece.first, piece.count) = (piece.first + 1, piece.count - 1);
        let (left, at) = (piece.count, piece.at);
        if let Err(lost) = &outcome {
            piece.place = Place::Here(Err(lost.clone()));
        }
        if left == 0 {
            state.pieces.pop_front();
        }
        state.next += 1;
        state.received += 1;
        state.in_hand = true;
        match outcome {
            Ok(came) => Next::Message { left, came: came.map(|buffer| (buffer, at)) },
            Err(lost) => Next::Error(match lost {
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

    /// The next message of those in hand, after which so many are left.
    fn open(&mut self, left: u64, came: Option<(Arc<Buffer>, usize)>) -> Result<Message, LinkError> {
        let name = || self.inbox.link.name.clone();
        // Those in hand are there; were they not, nothing would be found where they are.
        let (buffer, at) = came.or_else(|| self.hand.take()).unwrap_or_default();
        let opened = Opened::of(buffer.bytes(), at, left == 0);
        let opened = match opened {
            Ok(opened) => opened,
            Err(why) => {
                self.hand = (left > 0).then_some((buffer, at));
                return Err(LinkError::transport(name(), why));
            }
        };
        let decoded = decode(&buffer, &opened, self.inbox.link.limits);
        self.hand = (left > 0).then_some((buffer, opened.end));
        decoded.map_err(|source| LinkError::Codec { link: name(), source })
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
            Next::Message { left, came } => self.open(left, came).map(Some),
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
            _ => (state.in_order().1 - state.next) as usize,
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

/// The message with its value, and what travelled with it.
fn decode(buffer: &Arc<Buffer>, message: &Opened, limits: Limits) -> podwire_codec_core::Result<Message> {
    let packed = &buffer.bytes()[message.packed.clone()];
    let (envelope, rest) = Envelope::parse(packed, limits)?;
    if !rest.is_empty() {
        let (offset, count) = ((packed.len() - rest.len()) as u64, rest.len() as u64);
        return Err(Error::TrailingBytes { offset, count });
    }
    let mut arrays = Arrays::of(buffer, message, &envelope)?;
    let value = CodecRegistry::global().decode_shared_with(&envelope, &mut arrays, limits)?;
    Ok(Message::any_shared(value).with_metadata(envelope.into_metadata()))
}

/// The segments of a message: parts of the buffer that it came in.
struct Arrays(Vec<Segment>);

impl Arrays {
    fn of(
        buffer: &Arc<Buffer>,
        message: &Opened,
        envelope: &Envelope<'_>,
    ) -> podwire_codec_core::Result<Self> {
        if envelope.segments().is_empty() {
            return Ok(Self(Vec::new()));
        }
        let (mut at, mut segments) = (message.packed.end, Vec::new());
        for (index, entry) in (0_u32..).zip(envelope.segments()) {
            if entry.number != index {
                return Err(Error::NoSegment { index: entry.number, found: index });
            }
            let found = (message.end - at) as u64;
            let short = || Error::SegmentLength { index, wanted: entry.length, found };
            let start = wire::aligned(at as u64).ok_or_else(short)?;
            let end = start.checked_add(entry.length).filter(|end| *end <= message.end as u64);
            at = end.ok_or_else(short)? as usize;
            segments.push(buffer.part(start as usize..at)?);
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
