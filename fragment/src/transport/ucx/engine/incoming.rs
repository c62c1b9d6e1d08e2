//! The receiving ends: taking a sender, and finding a place for what it sends.
//!
//! The invariants: nothing is received that has no place in the table of its link, and no memory is taken for it before;
//! and UCX connects to no address that the directory did not give.

use std::sync::{Arc, OnceLock};

use super::Engine;
use crate::transport::{
    Peer,
    ucx::{
        error::UcxError,
        ffi::{Body, Rendezvous},
        memory::Buffer,
        receiving::{Inbox, Lost, Outcome, Place},
        wire::{self, Entry, HEADER, Head, Header, Kind},
    },
};

/// How many greetings of unknown workers are remembered: more than arrive before the directory knows who they are.
const UNKNOWN: usize = 256;

/// A sender that wants to come.
struct Greeting {
    peer: u64,
    from: u64,
    first: u64,
}

/// A receiving end, as the thread sees it.
pub(super) struct Inlet {
    inbox: Arc<Inbox>,
    /// The sender, and the way to it, while it can be reached.
    from: Option<u64>,
    peer: Option<u64>,
    /// The next sender, which waits until nothing is left of this one.
    greeting: Option<Greeting>,
}

/// Messages on their way in.
pub(super) struct Pending {
    inbox: Arc<Inbox>,
    cell: Arc<OnceLock<Outcome>>,
    peer: Option<u64>,
}

impl Inlet {
    pub(super) fn new(inbox: Arc<Inbox>) -> Self {
        Self { inbox, from: None, peer: None, greeting: None }
    }

    pub(super) fn is_from(&self, from: u64) -> bool {
        self.from == Some(from) && self.peer.is_some()
    }

    pub(super) fn is_over(&self, peer: u64) -> bool {
        self.peer == Some(peer) || self.greeting.as_ref().is_some_and(|greeting| greeting.peer == peer)
    }

    pub(super) fn sender_closed(&mut self, end: u64) {
        self.inbox.set_peer(Peer::Closed, Some(end));
    }

    pub(super) fn sender_failed(&mut self, peer: u64) {
        self.greeting.take_if(|greeting| greeting.peer == peer);
        if self.peer == Some(peer) {
            self.peer = None;
            self.inbox.sender_died();
        }
    }
}

impl Engine {
    /// A sender comes.
    pub(super) fn hello(&mut self, header: Header, body: Body) {
        let Body::Whole(body) = body else { return self.throw_away(body) };
        let Some(worker) = wire::worker_of(body.bytes()) else {
            let (promised, found) = (size_of::<u64>() as u64, body.length() as u64);
            return self.hub.refuse(UcxError::Length { promised, found });
        };
        let (number, first, last) = (header.number, 1, wire::LAST_NUMBER);
        if !(first..=last).contains(&number) {
            return self.hub.refuse(UcxError::Number { number, first, last });
        }
        self.greeted(header, worker);
    }

    /// A worker greets one of the ends here, if that is there: a sender that looks for another end hears from the directory
    /// that it is gone, and a stranger hears nothing.
    fn greeted(&mut self, header: Header, worker: u64) {
        if !self.inlets.contains_key(&header.to) {
            return self.hub.refuse(UcxError::UnknownLink { id: header.to });
        }
        let peer = match self.way_to(worker) {
            Ok(peer) => peer,
            Err(why @ UcxError::UnknownWorker { .. }) => {
                // The directory may be behind.
                self.unknown.retain(|(known, _)| known.from != header.from);
                self.unknown.push_back((header, worker));
                if self.unknown.len() > UNKNOWN {
                    self.unknown.pop_front();
                }
                return self.hub.refuse(why);
            }
            Err(why) => return self.hub.refuse(why),
        };
        let Some(inlet) = self.inlets.get_mut(&header.to) else { return };
        let capacity = inlet.inbox.link.capacity as u64;
        if header.extra != capacity {
            inlet.inbox.refuse(UcxError::Capacity { found: header.extra, known: capacity });
            return self.refuse(peer, header.from, header.to, wire::OTHER_CAPACITY, capacity);
        }
        if inlet.from == Some(header.from) {
            // The way broke, and nobody died.
            inlet.peer = Some(peer);
            let number = inlet.inbox.state().resume();
            let welcome = Header { number, ..Header::new(Kind::Welcome, header.from, header.to) };
            self.peers.say(&self.worker, peer, welcome, Vec::new());
            return self.answer(header.to);
        }
        let replaced = inlet.greeting.replace(Greeting { peer, from: header.from, first: header.number });
        let other = replaced.filter(|greeting| greeting.from != header.from);
        let mut gone = other.map(|greeting| (greeting.peer, greeting.from));
        if let (Some(peer), Some(from)) = (inlet.peer.take(), inlet.from.take()) {
            if inlet.inbox.state().peer == Peer::Attached {
                gone = Some((peer, from));
            }
            inlet.inbox.sender_died();
        }
        if let Some((peer, from)) = gone {
            self.refuse(peer, from, header.to, wire::REPLACED, 0);
        }
        self.answer(header.to);
        if self.inlets.get(&header.to).is_some_and(|inlet| inlet.greeting.is_some()) {
            let later = Header::new(Kind::Later, header.from, header.to);
            self.peers.say(&self.worker, peer, later, Vec::new());
        }
    }

    /// The directory has something new: perhaps workers that have greeted.
    pub(super) fn greeted_again(&mut self) {
        for (header, worker) in std::mem::take(&mut self.unknown) {
            self.greeted(header, worker);
        }
    }

    /// The way to a worker, by the address that the directory has of it.
    fn way_to(&mut self, worker: u64) -> Result<u64, UcxError> {
        let found = self.directory.lookup(&wire::worker_name(worker));
        let found = found.ok_or(UcxError::UnknownWorker { worker })?;
        let entry = Entry::of_any_version(&found)?;
        if entry.id != worker {
            return Err(UcxError::Address { found: found.len(), wrong: "are those of another worker" });
        }
        self.peers.connect(&self.worker, &entry.address)
    }

    fn refuse(&mut self, peer: u64, to: u64, from: u64, why: u16, extra: u64) {
        let refusal = Header { count: why, extra, ..Header::new(Kind::Refuse, to, from) };
        self.peers.say(&self.worker, peer, refusal, Vec::new());
    }

    /// Takes the next sender when nothing is left of the last one, and tells this one what was received.
    pub(super) fn answer(&mut self, id: u64) {
        let Some(inlet) = self.inlets.get_mut(&id) else { return };
        inlet.inbox.looked_at();
        let mut state = inlet.inbox.state();
        if let Some(greeting) = inlet.greeting.take_if(|_| state.is_drained()) {
            state.begin(greeting.first);
            (inlet.from, inlet.peer) = (Some(greeting.from), Some(greeting.peer));
            drop(state);
            inlet.inbox.bell.ring();
            let number = greeting.first;
            let welcome = Header { number, ..Header::new(Kind::Welcome, greeting.from, id) };
            return self.peers.say(&self.worker, greeting.peer, welcome, Vec::new());
        }
        let (number, extra) = state.credit();
        let news = std::mem::replace(&mut state.told, (number, extra)) != (number, extra);
        drop(state);
        if let (Some(from), Some(peer)) = (inlet.from, inlet.peer)
            && news
        {
            let credit = Header { number, extra, ..Header::new(Kind::Credit, from, id) };
            self.peers.say(&self.worker, peer, credit, Vec::new());
        }
    }

    /// Tells all senders what they do not know yet.
    pub(super) fn pay(&mut self) {
        self.hub.pays();
        let all: Vec<u64> = self.inlets.keys().copied().collect();
        all.into_iter().for_each(|id| self.answer(id));
    }

    /// A receiving end was closed.
    pub(super) fn gone(&mut self, id: u64) {
        let Some(inlet) = self.inlets.remove(&id) else { return };
        let (number, extra) = inlet.inbox.state().credit();
        if let (Some(from), Some(peer)) = (inlet.from, inlet.peer) {
            let close = Header { number, extra, ..Header::new(Kind::Close, from, id) };
            self.peers.say(&self.worker, peer, close, Vec::new());
        }
        if let Some(greeting) = inlet.greeting {
            self.refuse(greeting.peer, greeting.from, id, wire::NOBODY, 0);
        }
        if self.inlets.is_empty() {
            self.pool.clear();
        }
    }

    /// Messages of a link.
    pub(super) fn data(&mut self, header: Header, body: Body) {
        let Some(inlet) = self.inlets.get(&header.to).filter(|inlet| inlet.is_from(header.from)) else {
            self.hub.refuse(UcxError::UnknownLink { id: header.to });
            return self.throw_away(body);
        };
        let (inbox, peer) = (Arc::clone(&inlet.inbox), inlet.peer);
        let bytes = header.length;
        // One that is none is too large for any body.
        let at = usize::try_from(header.extra).unwrap_or(usize::MAX);
        let lost = |lost| (Place::Here(Err(lost)), None);
        // Short ones that came together are here, and each is held against the limits by itself.
        let short = header.count > 1 && matches!(body, Body::Whole(_));
        let (place, rendezvous) = match body {
            body if !short && bytes.saturating_sub(Head::LENGTH as u64) > inbox.most() => {
                self.throw_away(body);
                lost(Lost::TooLarge { bytes })
            }
            Body::Dropped(_) => lost(Lost::NoMemory { bytes }),
            Body::Whole(buffer) => (Place::Here(Ok(Arc::new(buffer))), None),
            Body::Rendezvous(rendezvous) => {
                let cell = Arc::new(OnceLock::new());
                (Place::Coming(Arc::clone(&cell)), Some((rendezvous, cell)))
            }
        };
        let placed = inbox.put(header.number, header.count, at, place);
        match (placed, rendezvous) {
            (Ok(()), Some((rendezvous, cell))) => {
                self.receive(Pending { inbox, cell, peer }, rendezvous, bytes);
            }
            (Ok(()), None) => {}
            (Err(why), rendezvous) => {
                self.hub.refuse(why);
                if let Some((rendezvous, _)) = rendezvous {
                    self.worker.refuse(rendezvous);
                }
            }
        }
    }

    fn receive(&mut self, pending: Pending, rendezvous: Rendezvous, bytes: u64) {
        let Some(buffer) = usize::try_from(bytes).ok().and_then(|length| self.pool.take(length)) else {
            self.worker.refuse(rendezvous);
            let _ = pending.cell.set(Err(Lost::NoMemory { bytes }));
            return pending.inbox.bell.ring();
        };
        self.tickets += 1;
        self.pending.insert(self.tickets, pending);
        self.worker.receive(rendezvous, buffer, self.tickets);
    }

    /// Messages are here, or will never be.
    pub(super) fn received(&mut self, ticket: u64, result: Result<Buffer, UcxError>) {
        let Some(Pending { inbox, cell, peer }) = self.pending.remove(&ticket) else { return };
        let outcome = match result {
            Ok(buffer) => Ok(Arc::new(buffer)),
            Err(error) => {
                // It is the way that failed; who is at its end is told first.
                if let Some(peer) = peer {
                    self.peers.has_failed(peer, error);
                }
                Err(Lost::Broken)
            }
        };
        let _ = cell.set(outcome);
        inbox.bell.ring();
    }

    /// What came is no message, or one of another version.
    pub(super) fn no_message(
        &mut self,
        why: UcxError,
        header: &[u8; HEADER],
        header_length: usize,
        body: Body,
    ) {
        let (to, from) = Header::ends(header);
        self.hub.refuse(why.clone());
        let differs = matches!(why, UcxError::Version { .. });
        if differs && self.outlets.contains_key(&to) {
            self.receiver_differs(to, why);
        } else if let Some(inlet) = self.inlets.get(&to) {
            inlet.inbox.refuse(why);
            // So that the other one knows, too.
            if differs
                && header_length >= HEADER
                && header[5] == Kind::Hello as u8
                && let Body::Whole(body) = &body
                && let Some(worker) = wire::worker_of(body.bytes())
                && let Ok(peer) = self.way_to(worker)
            {
                self.refuse(peer, from, to, wire::OTHER_VERSION, wire::VERSION.into());
            }
        }
        self.throw_away(body);
    }

    pub(super) fn throw_away(&self, body: Body) {
        if let Body::Rendezvous(rendezvous) = body {
            self.worker.refuse(rendezvous);
        }
    }
}
