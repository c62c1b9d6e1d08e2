//! The receiving end of a link over Zenoh.
//!
//! Not here: bytes. Invariant: frames are taken in the order of their numbers, each once; a number that was left out is
//! asked for, and reported as a gap where the sender has it no more; and never more messages are held than the capacity,
//! and a part of one, whatever the network brings.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use podwire_fastio::Doorbell;
use zenoh::{
    Wait,
    bytes::ZBytes,
    liveliness::LivelinessToken,
    pubsub::{Publisher, Subscriber},
    sample::{Sample, SampleKind},
};

use super::{
    Inner, Job, body,
    frame::{FrameError, HEADER, Header, Kind},
    keys::{Event, Keys},
};
use crate::{
    message::Message,
    transport::{Link, LinkError, Peer, ReceiveEnd, Traffic},
};

/// Bytes of a frame beside its value's memory: names, metadata, the segment table.
const ENVELOPE: u64 = 16 << 20;

/// What the end, what Zenoh calls, and the thread that says hello share.
pub(super) struct Shared {
    link: Link,
    keys: Keys,
    /// Number of this opening.
    me: u64,
    bell: Doorbell,
    publisher: Publisher<'static>,
    state: Mutex<State>,
}

/// What there is to be received.
enum Item {
    /// A message of the sender of this opening, with this number, in its frames.
    Whole(u64, u64, Vec<ZBytes>),
    /// A message that was too long to be kept.
    Refused(u64, u64, FrameError),
    /// So many messages are missing before this number.
    Gap(u64, u64),
}

/// What is known of a sender.
#[derive(Clone, Copy)]
struct Remote {
    /// The number of its opening.
    opening: u64,
    /// It has said where its messages begin; not so when its process was out of reach since.
    open: bool,
    /// It has never said so.
    fresh: bool,
    /// The number of the next frame.
    expected: u64,
    /// The number of the next message to be received.
    taken: u64,
    settled: u64,
    /// It was closed; the number behind its last message.
    closed: Option<u64>,
    /// Its process is gone.
    gone: bool,
    /// That there is no more from it was said.
    told: bool,
}

impl Remote {
    fn new(opening: u64, closed: Option<u64>) -> Self {
        let (open, fresh, gone, told) = (false, true, false, false);
        Self { opening, open, fresh, expected: 0, taken: 0, settled: 0, closed, gone, told }
    }

    /// Whether nothing more comes from it.
    fn is_over(&self) -> bool {
        self.gone || self.closed.is_some_and(|end| self.open && ahead(end, self.expected) <= 0)
    }
}

/// How far a number is ahead of another; less than 0 if it is behind.
fn ahead(number: u64, of: u64) -> i64 {
    number.wrapping_sub(of).cast_signed()
}

/// Pieces of a message whose last one has not come.
#[derive(Default)]
struct Partial {
    /// Of which sender, and the message's number.
    of: (u64, u64),
    frames: Vec<ZBytes>,
    /// Bytes of the message that the frames carry.
    bytes: u64,
}

/// A sender that is not heard.
#[derive(Clone, Copy, Default)]
struct Other {
    there: bool,
    closed: Option<u64>,
}

/// Other senders that are remembered: more than there can be, unless somebody means ill.
const OTHERS: usize = 64;

#[derive(Default)]
struct State {
    remote: Option<Remote>,
    /// Other senders, which are heard when this one is over; some may be gone already.
    others: BTreeMap<u64, Other>,
    items: VecDeque<Item>,
    partial: Partial,
    /// What the sender did last that no sender does.
    garbage: Option<FrameError>,
    arrived: u64,
    received: u64,
    settled: u64,
    /// Of which sender a message was received that is not settled.
    in_hand: Option<u64>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says hello to a sender for the `time`th time, from 0, unless it has opened. Whether it may have to be said again.
    pub(super) fn say_hello(
        self: &Arc<Self>,
        sender: u64,
        time: u32,
        jobs: &std::sync::mpsc::Sender<Job>,
    ) -> bool {
        let hello = {
            let mut state = self.state();
            let Some(remote) = state.remote.filter(|remote| remote.opening == sender && !remote.open) else {
                return false;
            };
            if time > 0 && remote.fresh {
                // What is known of it may be out of date: others have their turn.
                let other = Other { there: true, closed: remote.closed };
                state.others.insert(sender, other);
                state.remote = None;
                self.next_sender(&mut state, sender, jobs);
            }
            match state.remote {
                Some(same) if same.opening == sender => self.header(Kind::Hello, &remote),
                _ => return false,
            }
        };
        let _ = self.publisher.put(ZBytes::from(hello.to_bytes())).wait();
        true
    }

    fn header(&self, kind: Kind, remote: &Remote) -> Header {
        let Remote { opening: to, taken: number, settled: amount, .. } = *remote;
        Header { kind, more: false, link: self.keys.link, from: self.me, to, number, amount }
    }

    /// Has the thread say hello to the sender that is heard.
    fn greet(self: &Arc<Self>, state: &State, jobs: &std::sync::mpsc::Sender<Job>) {
        if let Some(remote) = state.remote.filter(|remote| !remote.open) {
            let _ = jobs.send(Job::Hello(Arc::downgrade(self), remote.opening));
        }
    }

    /// Listens to the next sender behind `after`, if this one is over and its last message was received: one after the
    /// other, so that they cannot bring more than the capacity together.
    fn next_sender(self: &Arc<Self>, state: &mut State, after: u64, jobs: &std::sync::mpsc::Sender<Job>) {
        let over = state.remote.is_none_or(|remote| remote.is_over());
        if over
            && state.items.is_empty()
            && let Some((next, closed)) = next_of(&state.others, after)
        {
            state.others.remove(&next);
            state.remote = Some(Remote::new(next, closed));
            if next != after {
                self.greet(state, jobs);
            }
        }
    }

    /// A frame arrived. What is none was not sent by the sender, and costs nothing.
    fn hear(self: &Arc<Self>, sample: &Sample, inner: &Inner, jobs: &std::sync::mpsc::Sender<Job>) {
        let frame = sample.payload();
        let header = match Header::parse(&super::start_of(frame), self.keys.link) {
            Ok(header) => header,
            Err(why) => return inner.refuse(&self.link.name, &why),
        };
        let mut state = self.state();
        if let Err(error) = self.take_up(&mut state, header, frame, jobs) {
            state.garbage = Some(error);
        }
        self.next_sender(&mut state, 0, jobs);
        drop(state);
        self.bell.ring();
    }

    fn take_up(
        self: &Arc<Self>,
        state: &mut State,
        header: Header,
        frame: &ZBytes,
        jobs: &std::sync::mpsc::Sender<Job>,
    ) -> Result<(), FrameError> {
        let capacity = self.link.capacity as u64;
        let held = state.items.iter().filter(|item| !matches!(item, Item::Gap(..))).count() as u64;
        let Some(remote) = state.remote.as_mut().filter(|remote| remote.opening == header.from) else {
            // Of a sender that is not heard yet, or not any more.
            return Ok(());
        };
        let number = header.number;
        match header.kind {
            Kind::Open if header.to == self.me => {
                if std::mem::take(&mut remote.fresh) {
                    (remote.expected, remote.taken) = (number, number);
                }
                (remote.open, remote.gone, remote.told) = (true, false, false);
                let missing = ahead(number, remote.expected);
                if missing > 0 {
                    remote.expected = number;
                    gap(&mut state.items, missing.cast_unsigned(), number);
                }
                Ok(())
            }
            // For the receiver before this one.
            Kind::Open => Ok(()),
            Kind::Data if !remote.open || (remote.gone && remote.told) => Ok(()),
            Kind::Data => {
                let missing = ahead(number, remote.expected);
                if missing < 0 {
                    // Sent again, and here already.
                    return Ok(());
                }
                // Honest senders wait for room.
                if held + missing.cast_unsigned() >= capacity {
                    return Err(FrameError::Ahead { number, expected: remote.expected, capacity });
                }
                let found = (frame.len() - HEADER) as u64;
                // So that what is held of a message is little more than its bytes.
                if header.more && found != body::PIECE as u64 {
                    return Err(FrameError::Piece { number, expected: body::PIECE as u64, found });
                }
                if missing > 0 {
                    // It went over a new connection before this end had said what it has: that is said now.
                    remote.open = false;
                    self.greet(state, jobs);
                    return Ok(());
                }
                let partial = &mut state.partial;
                if header.amount == 0 {
                    *partial = Partial { of: (header.from, number), ..Partial::default() };
                } else if partial.of != (header.from, number) || partial.bytes != header.amount {
                    // The piece before it did not come: the sender is away, and sends the whole again.
                    return Ok(());
                }
                partial.bytes += found;
                partial.frames.push(frame.clone());
                let (found, limit) = (partial.bytes, self.link.limits.bytes.saturating_add(ENVELOPE));
                if header.more && found <= limit {
                    return Ok(());
                }
                let frames = std::mem::take(partial).frames;
                let item = if found > limit {
                    Item::Refused(header.from, number, FrameError::TooLong { number, found, limit })
                } else {
                    Item::Whole(header.from, number, frames)
                };
                remote.expected = number.wrapping_add(1);
                state.arrived += 1;
                state.items.push_back(item);
                Ok(())
            }
            kind => Err(FrameError::Kind { kind: kind as u8, flags: 0 }),
        }
    }

    /// A sender came, was closed, or went.
    fn see(self: &Arc<Self>, sample: &Sample, _: &Inner, jobs: &std::sync::mpsc::Sender<Job>) {
        let Some((sender, event)) = self.keys.event(sample.key_expr().as_str()) else { return };
        let mut state = self.state();
        let state = &mut *state;
        let heard = state.remote.as_mut().filter(|remote| remote.opening == sender);
        match (sample.kind(), event, heard) {
            (SampleKind::Put, Event::There, Some(remote)) if remote.gone => {
                // It was out of reach for a while, and sends again what did not arrive; or this is old news, and it does
                // not answer.
                remote.open = false;
                self.greet(state, jobs);
            }
            (SampleKind::Put, Event::Closed(next, _), Some(remote)) => remote.closed = Some(next),
            (SampleKind::Put, event, None) => {
                if state.others.len() >= OTHERS {
                    state.others.pop_first();
                }
                let other = state.others.entry(sender).or_default();
                match event {
                    Event::There => other.there = true,
                    Event::Closed(next, _) => other.closed = Some(next),
                }
            }
            (SampleKind::Delete, Event::There, Some(remote)) => {
                remote.gone = true;
                let missing =
                    remote.closed.filter(|_| remote.open).map_or(0, |end| ahead(end, remote.expected));
                if missing > 0 {
                    remote.expected = remote.expected.wrapping_add(missing.cast_unsigned());
                    gap(&mut state.items, missing.cast_unsigned(), remote.expected);
                }
            }
            (SampleKind::Delete, _, None) => drop(state.others.remove(&sender)),
            _ => {}
        }
        self.next_sender(state, 0, jobs);
        self.bell.ring();
    }
}

/// The next sender that is there, behind this one or from the first on, and where it was closed.
fn next_of(others: &BTreeMap<u64, Other>, after: u64) -> Option<(u64, Option<u64>)> {
    let behind = others.range(after.saturating_add(1)..).chain(others.range(..=after));
    behind.filter(|(_, other)| other.there).map(|(next, other)| (*next, other.closed)).next()
}

/// Notes that messages are missing; gaps that nothing lies between are one.
fn gap(items: &mut VecDeque<Item>, missing: u64, next: u64) {
    if let Some(Item::Gap(before, last)) = items.back_mut() {
        (*before, *last) = (before.saturating_add(missing), next);
    } else {
        items.push_back(Item::Gap(missing, next));
    }
}

/// The receiving end.
pub(super) struct Receiving {
    inner: Arc<Inner>,
    shared: Arc<Shared>,
    jobs: std::sync::mpsc::Sender<Job>,
    _data: Subscriber<()>,
    _senders: Subscriber<()>,
    token: Option<LivelinessToken>,
}

impl Receiving {
    pub(super) fn open(inner: &Arc<Inner>, link: &Link, bell: &Doorbell) -> zenoh::Result<Self> {
        let keys = Keys::new(&inner.prefix, &link.name);
        let session = &inner.session;
        let me = super::opening();
        let publisher = super::publisher(session, keys.taken.clone())?;
        let (link, bell) = (link.clone(), bell.clone());
        let shared = Arc::new(Shared { link, keys, me, bell, publisher, state: Mutex::default() });
        let listen = |heard: fn(&Arc<Shared>, &Sample, &Inner, &std::sync::mpsc::Sender<Job>)| {
            let (shared, inner, jobs) = (Arc::downgrade(&shared), Arc::downgrade(inner), inner.jobs());
            move |sample: Sample| {
                if let Some((shared, inner)) = shared.upgrade().zip(inner.upgrade()) {
                    heard(&shared, &sample, &inner, &jobs);
                }
            }
        };
        let data = session.declare_subscriber(shared.keys.data.clone()).callback(listen(Shared::hear));
        let data = data.wait()?;
        let liveliness = session.liveliness();
        let token = liveliness.declare_token(shared.keys.receiver(me)).wait()?;
        // Last, so that the answers to the hello that follows are heard, and senders know of whom it is.
        let senders = liveliness.declare_subscriber(shared.keys.every_sender()).history(true);
        let senders = senders.callback(listen(Shared::see)).wait()?;
        let (inner, jobs) = (Arc::clone(inner), inner.jobs());
        Ok(Self { inner, shared, jobs, _data: data, _senders: senders, token: Some(token) })
    }

    /// Tells the sender what was received and settled of its messages.
    fn report(&self, remote: &Remote) {
        let header = self.shared.header(Kind::Taken, remote);
        // A sender that is not there needs to know nothing.
        let _ = self.shared.publisher.put(ZBytes::from(header.to_bytes())).wait();
    }

    /// What comes next, with the sender to report to if it counts as received.
    fn next(&self) -> Result<Option<(Item, Option<Remote>)>, LinkError> {
        let name = || self.shared.link.name.clone();
        let mut state = self.shared.state();
        let state = &mut *state;
        if let Some(error) = state.garbage.take() {
            return Err(LinkError::transport(name(), error));
        }
        let Some(item) = state.items.pop_front() else {
            self.shared.next_sender(state, 0, &self.jobs);
            let Some(remote) = state.remote.as_mut().filter(|remote| remote.is_over()) else {
                return Ok(None);
            };
            remote.told = true;
            return Err(match remote.closed {
                Some(_) => LinkError::Closed { link: name() },
                None => LinkError::PeerDied { link: name() },
            });
        };
        let (Item::Whole(opening, number, _) | Item::Refused(opening, number, _)) = item else {
            return Ok(Some((item, None)));
        };
        state.received += 1;
        state.in_hand = Some(opening);
        let remote = state.remote.as_mut().filter(|remote| remote.opening == opening);
        let report = remote.map(|remote| {
            remote.taken = number.wrapping_add(1);
            *remote
        });
        Ok(Some((item, report)))
    }

    /// Notes that the message in hand is done with; the sender to report that to, if there is one.
    fn done(&self) -> Option<Remote> {
        let mut state = self.shared.state();
        let opening = state.in_hand.take()?;
        state.settled += 1;
        let remote = state.remote.as_mut().filter(|remote| remote.opening == opening)?;
        remote.settled += 1;
        Some(*remote)
    }
}

impl ReceiveEnd for Receiving {
    fn try_receive(&mut self) -> Result<Option<Message>, LinkError> {
        let settled = self.done();
        let next = self.next();
        let report = match &next {
            Ok(Some((_, Some(taken)))) => Some(*taken),
            _ => settled,
        };
        if let Some(remote) = report {
            self.report(&remote);
        }
        let link = || self.shared.link.name.clone();
        match next? {
            None => Ok(None),
            Some((Item::Gap(missing, next), _)) => Err(LinkError::Gap { link: link(), missing, next }),
            Some((Item::Refused(.., error), _)) => {
                Err(LinkError::Codec { link: link(), source: podwire_codec_core::Error::backend(error) })
            }
            Some((Item::Whole(.., frames), _)) => {
                let message = body::decode(&frames, self.shared.link.limits);
                message.map(Some).map_err(|source| LinkError::Codec { link: link(), source })
            }
        }
    }

    fn settle(&mut self) {
        if let Some(remote) = self.done() {
            self.report(&remote);
        }
    }

    fn waiting(&self) -> usize {
        let state = self.shared.state();
        let ends = state.remote.is_some_and(|remote| remote.is_over() && !remote.told);
        let messages = state.items.iter().filter(|item| !matches!(item, Item::Gap(..))).count();
        messages + usize::from(state.garbage.is_some()) + usize::from(ends)
    }

    fn peer(&self) -> Peer {
        match self.shared.state().remote {
            None => Peer::Absent,
            Some(remote) if !remote.is_over() => Peer::Attached,
            Some(remote) if remote.closed.is_some() => Peer::Closed,
            Some(_) => Peer::Died,
        }
    }

    fn traffic(&self) -> Traffic {
        let state = self.shared.state();
        let (sent, received, settled) = (state.arrived, state.received, state.settled);
        Traffic { sent, received, settled, ..Traffic::default() }
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.settle();
        let Some(token) = self.token.take() else { return };
        let remote = self.shared.state().remote.map_or((0, 0), |remote| (remote.taken, remote.settled));
        let closed = self.shared.keys.closed_receiver(self.shared.me, remote.0, remote.1);
        let closed = self.inner.session.liveliness().declare_token(closed).wait();
        // In this order: that it was closed is known before that it went.
        let _ = token.undeclare().wait();
        if let Ok(closed) = closed {
            let _ = closed.undeclare().wait();
        }
    }
}
