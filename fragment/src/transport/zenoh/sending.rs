//! The sending end of a link over Zenoh.
//!
//! Not here: bytes. Invariant: every message that was sent and not received is kept here as the frames that it is, so
//! that a receiver that comes, or comes back, gets it; there are never more of them than the capacity.
//!
//! Two locks: `wire` is held while frames are put, so that they go in order, and the pieces of a message together; `state`
//! never is, so that what Zenoh calls never waits for the network.

use std::{
    collections::VecDeque,
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
    frame::{Header, Kind},
    keys::{Event, Keys},
};
use crate::{
    message::Message,
    transport::{Link, LinkError, Peer, SendEnd, Traffic},
};

/// What the end, what Zenoh calls, and the thread that sends again share.
pub(super) struct Shared {
    link: Link,
    keys: Keys,
    /// Number of this opening.
    me: u64,
    bell: Doorbell,
    publisher: Publisher<'static>,
    wire: Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The receiver that said hello last.
    receiver: u64,
    peer: Option<Peer>,
    /// The receiver gets what is sent; otherwise it is kept until the receiver was told where it begins.
    online: bool,
    /// Number of the next message.
    next: u64,
    /// Number of the first message that was not received: that of the first one here.
    taken: u64,
    /// The messages that were not received, in their frames.
    kept: VecDeque<Arc<[ZBytes]>>,
    /// What earlier receivers settled, and what this one did.
    settled: (u64, u64),
    copied: u64,
    closing: bool,
}

impl State {
    /// Lets go of what the receiver has. Whether that was news.
    fn take(&mut self, taken: u64, settled: u64) -> bool {
        let news = taken.wrapping_sub(self.taken);
        // Beyond what was sent: not from a receiver of ours.
        if news > self.kept.len() as u64 {
            return false;
        }
        self.kept.drain(..news as usize);
        self.taken = taken;
        let fresh = settled > self.settled.1;
        self.settled.1 = self.settled.1.max(settled.min(taken));
        news > 0 || fresh
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn header(&self, kind: Kind, to: u64, number: u64) -> Header {
        Header { kind, more: false, link: self.keys.link, from: self.me, to, number, amount: 0 }
    }

    /// Messages that were sent and not received.
    pub(super) fn kept(&self) -> usize {
        self.state().kept.len()
    }

    /// Tells a receiver where the messages begin, and sends again all that it does not have.
    pub(super) fn send_again(&self, receiver: u64) {
        let _wire = self.wire.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, kept) = {
            let mut state = self.state();
            if state.receiver != receiver || state.peer != Some(Peer::Attached) {
                return;
            }
            state.online = true;
            (state.taken, state.kept.clone())
        };
        let open = Arc::from([self.header(Kind::Open, receiver, first).to_bytes().into()]);
        // What cannot be sent is asked for again by a receiver that comes back.
        for frames in std::iter::once(open).chain(kept) {
            if !matches!(self.put(&frames), Ok(true)) {
                return;
            }
        }
        self.bell.ring();
    }

    /// Puts the frames of a message one after the other; whether it did so to the end. Only under the lock `wire`.
    fn put(&self, frames: &[ZBytes]) -> zenoh::Result<bool> {
        for frame in frames {
            // The receiver was away, or has asked again: it gets the whole message once more.
            if !self.state().online {
                return Ok(false);
            }
            self.publisher.put(frame.clone()).wait()?;
        }
        Ok(true)
    }

    /// A frame of the receiver arrived. Garbage is ignored: it changes nothing that was sent.
    fn hear(self: &Arc<Self>, sample: &Sample, inner: &Inner, jobs: &std::sync::mpsc::Sender<Job>) {
        let start = super::start_of(sample.payload());
        let header = match Header::parse(&start, self.keys.link) {
            Ok(header) => header,
            Err(why) => return inner.refuse(&self.link.name, &why),
        };
        if header.to != self.me {
            return;
        }
        let mut state = self.state();
        match header.kind {
            Kind::Hello => {
                if state.receiver != header.from {
                    state.settled = (state.settled.0 + state.settled.1, 0);
                    state.receiver = header.from;
                }
                let taken = header.number.max(state.taken);
                state.take(taken, header.amount);
                state.peer = Some(Peer::Attached);
                state.online = false;
                // Nobody hears that it could not be asked for: then the transport is closed.
                let _ = jobs.send(Job::SendAgain(Arc::clone(self), header.from));
            }
            Kind::Taken if header.from == state.receiver => {
                state.take(header.number, header.amount);
            }
            _ => return,
        }
        self.changed(state, jobs);
    }

    /// A receiver came, was closed, or went.
    fn see(&self, sample: &Sample, _: &Inner, jobs: &std::sync::mpsc::Sender<Job>) {
        let Some((receiver, event)) = self.keys.event(sample.key_expr().as_str()) else { return };
        let mut state = self.state();
        if receiver != state.receiver || state.peer.is_none() {
            return;
        }
        match (sample.kind(), event) {
            (SampleKind::Put, Event::Closed(taken, settled)) => {
                state.take(taken, settled);
                state.peer = Some(Peer::Closed);
            }
            (SampleKind::Delete, Event::There) if state.peer == Some(Peer::Attached) => {
                state.peer = Some(Peer::Died);
            }
            _ => return,
        }
        state.online = false;
        self.changed(state, jobs);
    }

    fn changed(&self, state: MutexGuard<'_, State>, jobs: &std::sync::mpsc::Sender<Job>) {
        let done = state.closing && state.kept.is_empty();
        drop(state);
        if done {
            let _ = jobs.send(Job::Reap);
        }
        self.bell.ring();
    }
}

/// What is declared for a sending end, as long as it is open or has messages that were not received.
pub(super) struct Declared {
    pub(super) shared: Arc<Shared>,
    _taken: Subscriber<()>,
    _receivers: Subscriber<()>,
    token: Option<LivelinessToken>,
    closed: Option<LivelinessToken>,
}

impl Drop for Declared {
    fn drop(&mut self) {
        // In this order: that it was closed is known before that it went.
        let tokens = [self.token.take(), self.closed.take()];
        tokens.into_iter().flatten().for_each(|token| drop(token.undeclare().wait()));
    }
}

/// The sending end.
pub(super) struct Sending {
    inner: Arc<Inner>,
    declared: Option<Declared>,
    shared: Arc<Shared>,
}

impl Sending {
    pub(super) fn open(inner: &Arc<Inner>, link: &Link, bell: &Doorbell) -> zenoh::Result<Self> {
        let keys = Keys::new(&inner.prefix, &link.name);
        let session = &inner.session;
        let me = super::opening();
        let publisher = super::publisher(session, keys.data.clone())?;
        let shared = Arc::new(Shared {
            link: link.clone(),
            keys,
            me,
            bell: bell.clone(),
            publisher,
            wire: Mutex::new(()),
            state: Mutex::default(),
        });
        let listen = |heard: fn(&Arc<Shared>, &Sample, &Inner, &std::sync::mpsc::Sender<Job>)| {
            let (shared, inner, jobs) = (Arc::downgrade(&shared), Arc::downgrade(inner), inner.jobs());
            move |sample: Sample| {
                if let Some((shared, inner)) = shared.upgrade().zip(inner.upgrade()) {
                    heard(&shared, &sample, &inner, &jobs);
                }
            }
        };
        let taken = session.declare_subscriber(shared.keys.taken.clone()).callback(listen(Shared::hear));
        let taken = taken.wait()?;
        let liveliness = session.liveliness();
        // With what is there already: of what was never told to be there, it would not be told that it went.
        let receivers = liveliness.declare_subscriber(shared.keys.every_receiver()).history(true);
        let receivers = receivers
            .callback(listen(|shared, sample, inner, jobs| shared.see(sample, inner, jobs)))
            .wait()?;
        // Last, so that whoever sees it can answer.
        let token = liveliness.declare_token(shared.keys.sender(me)).wait()?;
        let declared = Declared {
            shared: Arc::clone(&shared),
            _taken: taken,
            _receivers: receivers,
            token: Some(token),
            closed: None,
        };
        Ok(Self { inner: Arc::clone(inner), declared: Some(declared), shared })
    }
}

impl SendEnd for Sending {
    fn try_send(&mut self, message: &Message) -> Result<(), LinkError> {
        let link = &self.shared.link;
        let name = || link.name.clone();
        {
            let state = self.shared.state();
            match state.peer {
                _ if state.closing => return Err(LinkError::Closed { link: name() }),
                Some(Peer::Closed) => return Err(LinkError::Closed { link: name() }),
                Some(Peer::Died) => return Err(LinkError::PeerDied { link: name() }),
                _ if state.kept.len() >= link.capacity => {
                    return Err(LinkError::Full { link: name(), capacity: link.capacity });
                }
                _ => {}
            }
        }
        let body = body::Outgoing::of(message).map_err(|source| LinkError::Codec { link: name(), source })?;
        let bulk = body.bulk();
        let wire = self.shared.wire.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.shared.state();
        let frames: Arc<[_]> = body.into_frames(self.shared.header(Kind::Data, 0, state.next)).into();
        let online = state.online;
        if !online && self.inner.session.is_closed() {
            return Err(LinkError::transport(name(), "the Zenoh session is closed"));
        }
        state.kept.push_back(Arc::clone(&frames));
        state.next = state.next.wrapping_add(1);
        state.copied += bulk;
        drop(state);
        if online && let Err(error) = self.shared.put(&frames) {
            let mut state = self.shared.state();
            state.kept.pop_back();
            state.next = state.next.wrapping_sub(1);
            return Err(LinkError::transport(name(), error));
        }
        drop(wire);
        Ok(())
    }

    fn close(&mut self) -> bool {
        let Some(declared) = &mut self.declared else { return false };
        if declared.closed.is_some() {
            return true;
        }
        let next = {
            let mut state = self.shared.state();
            state.closing = true;
            state.next
        };
        let closed = self.shared.keys.closed_sender(self.shared.me, next);
        declared.closed = self.inner.session.liveliness().declare_token(closed).wait().ok();
        true
    }

    fn peer(&self) -> Peer {
        self.shared.state().peer.unwrap_or(Peer::Absent)
    }

    fn traffic(&self) -> Traffic {
        let state = self.shared.state();
        Traffic {
            sent: state.next,
            received: state.taken,
            settled: state.settled.0 + state.settled.1,
            dropped: 0,
            copied_bytes: state.copied,
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.close();
        let Some(declared) = self.declared.take() else { return };
        if declared.closed.is_some() && self.shared.kept() > 0 {
            self.inner.linger(declared);
        }
    }
}
