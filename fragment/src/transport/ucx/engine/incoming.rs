//! The receiving ends: taking a sender, and finding a place for what it sends.
//!
//! The invariant: nothing is received that has no place in the table of its link, and no memory is taken for it before.

use std::sync::{Arc, OnceLock};

use super::Engine;
use crate::transport::{
    Peer,
    ucx::{
        error::UcxError,
        ffi::{Body, Rendezvous},
        memory::Buffer,
        receiving::{Arrival, Inbox, Lost, Outcome, Slot},
        wire::{self, Entry, HEADER, Header, Kind},
    },
};

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
    /// What the sender was told of what was received and settled.
    told: (u64, u64),
}

/// A message on its way in.
pub(super) struct Pending {
    inbox: Arc<Inbox>,
    cell: Arc<OnceLock<Outcome>>,
    packed: usize,
    peer: Option<u64>,
}

impl Inlet {
    pub(super) fn new(inbox: Arc<Inbox>) -> Self {
        Self { inbox, from: None, peer: None, greeting: None, told: (0, 0) }
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
        let entry = match Entry::parse(body.bytes()) {
            Ok(entry) => entry,
            Err(why) => return self.hub.refuse(why),
        };
        // Also one who asks for a link that is not open here any more is answered.
        let peer = match self.peers.connect(&self.worker, &entry.address) {
            Ok(peer) => peer,
            Err(why) => return self.hub.refuse(why),
        };
        let Some(inlet) = self.inlets.get_mut(&header.to) else {
            self.hub.refuse(UcxError::UnknownLink { id: header.to });
            return self.refuse(peer, header.from, header.to, wire::NOBODY, 0);
        };
        let capacity = inlet.inbox.link.capacity as u64;
        if header.extra != capacity {
            inlet.inbox.refuse(UcxError::Capacity { found: header.extra, known: capacity });
            return self.refuse(peer, header.from, header.to, wire::OTHER_CAPACITY, capacity);
        }
        if inlet.from == Some(header.from) {
            // The way broke, and nobody died.
            inlet.peer = Some(peer);
            let number = inlet.inbox.state().resume();
            inlet.told = (0, 0);
            let welcome = Header { number, ..Header::new(Kind::Welcome, header.from, header.to) };
            self.peers.say(&self.worker, peer, welcome, Vec::new());
            return self.answer(header.to);
        }
        let replaced = inlet.greeting.replace(Greeting { peer, from: header.from, first: header.number });
        let mut gone = replaced.map(|greeting| (greeting.peer, greeting.from));
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
            inlet.told = state.credit();
            drop(state);
            inlet.inbox.bell.ring();
            let number = greeting.first;
            let welcome = Header { number, ..Header::new(Kind::Welcome, greeting.from, id) };
            return self.peers.say(&self.worker, greeting.peer, welcome, Vec::new());
        }
        let credit = state.credit();
        drop(state);
        if let (Some(from), Some(peer)) = (inlet.from, inlet.peer)
            && inlet.told != credit
        {
            inlet.told = credit;
            let (number, extra) = credit;
            let credit = Header { number, extra, ..Header::new(Kind::Credit, from, id) };
            self.peers.say(&self.worker, peer, credit, Vec::new());
        }
    }

    /// A receiving end was closed.
    pub(super) fn gone(&mut self, id: u64) {
        let Some(inlet) = self.inlets.remove(&id) else { return };
        let (number, extra) = inlet.inbox.state().credit();
        if let (Some(from), Some(peer)) = (inlet.from, inlet.peer) {
            let close = Header { number, extra: extra.max(number), ..Header::new(Kind::Close, from, id) };
            self.peers.say(&self.worker, peer, close, Vec::new());
        }
        if let Some(greeting) = inlet.greeting {
            self.refuse(greeting.peer, greeting.from, id, wire::NOBODY, 0);
        }
        if self.inlets.is_empty() {
            self.pool.clear();
        }
    }

    /// A message of a link.
    pub(super) fn data(&mut self, header: Header, body: Body) {
        let Some(inlet) = self.inlets.get(&header.to).filter(|inlet| inlet.is_from(header.from)) else {
            self.hub.refuse(UcxError::UnknownLink { id: header.to });
            return self.throw_away(body);
        };
        let (inbox, peer) = (Arc::clone(&inlet.inbox), inlet.peer);
        if header.count != 1 {
            return self.several(&inbox, header, body);
        }
        let lost = |lost| Slot::Here(Err(lost));
        let bytes = header.length;
        let wrong = if bytes > inbox.most() {
            Some(Lost::TooLarge { bytes })
        } else if header.extra > bytes {
            Some(Lost::Refused(UcxError::Length { promised: header.extra, found: bytes }))
        } else {
            None
        };
        let packed = header.extra as usize;
        let (slot, rendezvous) = match (wrong, body) {
            (Some(wrong), body) => {
                self.throw_away(body);
                (lost(wrong), None)
            }
            (None, Body::Dropped(_)) => (lost(Lost::NoMemory { bytes }), None),
            (None, Body::Whole(buffer)) => {
                (Slot::Here(Ok(Arrival { buffer: Arc::new(buffer), packed: 0..packed })), None)
            }
            (None, Body::Rendezvous(rendezvous)) => {
                let cell = Arc::new(OnceLock::new());
                (Slot::Coming(Arc::clone(&cell)), Some((rendezvous, cell)))
            }
        };
        let placed = inbox.put(header.number, slot);
        match (placed, rendezvous) {
            (Ok(()), Some((rendezvous, cell))) => {
                self.receive(Pending { inbox, cell, packed, peer }, rendezvous, bytes);
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

    /// A message is here, or will never be.
    pub(super) fn received(&mut self, ticket: u64, result: Result<Buffer, UcxError>) {
        let Some(Pending { inbox, cell, packed, peer }) = self.pending.remove(&ticket) else { return };
        let outcome = match result {
            Ok(buffer) => Ok(Arrival { buffer: Arc::new(buffer), packed: 0..packed }),
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

    /// Several short messages that came together: each with its length in four bytes before it.
    fn several(&mut self, inbox: &Arc<Inbox>, header: Header, body: Body) {
        let buffer = match body {
            Body::Whole(buffer) => Arc::new(buffer),
            other => {
                self.throw_away(other);
                let wrong = "says that several messages are in what is none";
                return inbox.refuse(UcxError::Header { found: HEADER, wrong });
            }
        };
        let (mut at, bytes) = (0, buffer.bytes());
        for number in (header.number..).take(header.count.into()) {
            let length =
                bytes.get(at..at + 4).and_then(|length| length.try_into().ok()).map(u32::from_le_bytes);
            let packed = length.map(|length| at + 4..at + 4 + length as usize);
            let Some(packed) = packed.filter(|packed| packed.end <= bytes.len()) else {
                let (promised, found) = (length.map_or(4, u64::from), (bytes.len() - at) as u64);
                return inbox.refuse(UcxError::Length { promised, found });
            };
            at = packed.end;
            let arrival = Arrival { buffer: Arc::clone(&buffer), packed };
            if let Err(why) = inbox.put(number, Slot::Here(Ok(arrival))) {
                self.hub.refuse(why);
            }
        }
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
                && let Ok(entry) = Entry::of_any_version(body.bytes())
                && let Ok(peer) = self.peers.connect(&self.worker, &entry.address)
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
