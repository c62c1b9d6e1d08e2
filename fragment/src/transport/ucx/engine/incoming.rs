//! The receiving ends: taking a sender, and finding a place for what it sends.
//!
//! The invariants: nothing is received that has no place in the table of its link, and no memory is taken for it before;
//! and UCX connects to no address that the directory did not give. A sender whose connection breaks is asked again, until the
//! directory says that it is gone.

use std::{
    sync::{Arc, OnceLock, atomic::Ordering::SeqCst},
    time::{Duration, Instant},
};

use super::Engine;
use crate::transport::{
    Peer,
    ucx::{
        closed,
        error::UcxError,
        ffi::{Body, Rendezvous},
        memory::Buffer,
        receiving::{Inbox, Lost, Outcome, Place},
        sending::TOGETHER,
        wire::{self, Entry, HEADER, Head, Header, Kind},
    },
};

/// How many greetings of unknown workers are remembered: more than arrive before the directory knows who they are.
const UNKNOWN: usize = 256;

/// How often a sender that is not reached is asked to greet again.
const ASKING: Duration = Duration::from_secs(1);

/// A sender that wants to come.
struct Greeting {
    worker: u64,
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
    /// Its worker.
    worker: u64,
    /// Since when it is not reached, though the directory has it, and when to ask it to greet again.
    silent: Option<(Instant, Instant)>,
    /// Until when its last word may come, which the directory overtook.
    gone: Option<Instant>,
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
        Self { inbox, from: None, peer: None, worker: 0, silent: None, gone: None, greeting: None }
    }

    pub(super) fn is_from(&self, from: u64) -> bool {
        self.from == Some(from) && (self.peer.is_some() || self.silent.is_some())
    }

    pub(super) fn is_over(&self, peer: u64) -> bool {
        self.peer == Some(peer) || self.greeting.as_ref().is_some_and(|greeting| greeting.peer == peer)
    }

    pub(super) fn sender_closed(&mut self, end: u64) {
        self.inbox.set_peer(Peer::Closed, Some(end));
        self.silent.take_if(|_| !self.inbox.state().wants_more());
    }

    /// When to ask the sender to greet again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.gone.or(self.silent.map(|(_, due)| due))
    }

    /// How many bytes a body may have.
    pub(super) fn most(&self) -> u64 {
        self.inbox.most().saturating_add(Head::LENGTH as u64)
    }

    /// The sender comes by this way.
    fn comes(&mut self, worker: u64, peer: u64, around: bool) {
        (self.worker, self.peer, self.silent, self.gone) = (worker, Some(peer), None, None);
        self.inbox.around.store(around, SeqCst);
    }

    fn sender_is_gone(&mut self) {
        (self.peer, self.silent, self.gone) = (None, None, None);
        self.inbox.sender_died();
    }
}

impl Engine {
    /// The way of a receiving end's sender is of no use any more.
    pub(super) fn sender_failed(&mut self, id: u64, peer: u64) {
        let Some(inlet) = self.inlets.get_mut(&id) else { return };
        inlet.greeting.take_if(|greeting| greeting.peer == peer);
        if inlet.peer != Some(peer) {
            return;
        }
        let lives = self.lasting
            && inlet.inbox.state().wants_more()
            && self.directory.lookup(&wire::worker_name(inlet.worker)).is_some();
        if !lives {
            return inlet.sender_is_gone();
        }
        let now = Instant::now();
        (inlet.peer, inlet.silent) = (None, Some((now, now + ASKING)));
    }

    /// Receivers that nobody has greeted learn from the directory that nobody will.
    pub(super) fn find_closed(&self) {
        self.inlets.values().for_each(|inlet| self.find_whether_closed(inlet));
    }

    fn find_whether_closed(&self, inlet: &Inlet) {
        let inbox = &inlet.inbox;
        if inlet.from.is_none()
            && inlet.greeting.is_none()
            && inbox.state().peer == Peer::Absent
            && closed::is_closed(&*self.directory, &inbox.link.name)
        {
            inbox.set_peer(Peer::Closed, None);
        }
    }

    pub(super) fn comes(&mut self, inbox: Arc<Inbox>) {
        let (id, inlet) = (inbox.id, Inlet::new(inbox));
        self.find_whether_closed(&inlet);
        self.inlets.insert(id, inlet);
    }

    /// Senders that the directory does not have any more are going, if UCX does not reach them.
    pub(super) fn miss_senders(&mut self) {
        for inlet in self.inlets.values_mut() {
            let around = inlet.peer.is_some_and(|peer| self.peers.is_around(peer));
            if around || inlet.silent.is_some() {
                let missing = self.directory.lookup(&wire::worker_name(inlet.worker)).is_none();
                inlet.gone = missing.then(|| inlet.gone.unwrap_or_else(|| Instant::now() + ASKING));
            }
        }
    }

    /// Asks senders that are not reached, and not gone, to greet again; whether there were any.
    pub(super) fn ask_again(&mut self) -> bool {
        if self.inlets.values().all(|inlet| inlet.due().is_none()) {
            return false;
        }
        let now = Instant::now();
        let due = |inlet: &Inlet| inlet.due().is_some_and(|due| due <= now);
        let due: Vec<u64> = self.inlets.iter().filter(|(_, inlet)| due(inlet)).map(super::key).collect();
        for id in &due {
            let Some(inlet) = self.inlets.get_mut(id) else { continue };
            let found = self.directory.lookup(&wire::worker_name(inlet.worker));
            let entry = found.and_then(|found| Entry::of_any_version(&found).ok());
            let (Some((since, _)), Some(entry), None) = (inlet.silent, entry, inlet.gone) else {
                inlet.sender_is_gone();
                continue;
            };
            let waited = since.elapsed();
            if waited >= self.patience {
                let (from, to) = (entry.process, self.process.clone());
                let why = UcxError::Unreachable { from, to, waited, last: None };
                let link = &*inlet.inbox.link.name;
                tracing::error!(target: "podwire::fragment", link, %why, "a sender is not reached");
                self.unreachable.tell(link, &why);
                inlet.sender_is_gone();
                continue;
            }
            inlet.silent = Some((since, now + ASKING));
            if let (Some(from), Some(peer)) = (inlet.from, self.peers.around(&entry.address)) {
                let (number, extra) = inlet.inbox.state().credit();
                let count = super::GREET_AGAIN;
                let credit = Header { count, number, extra, ..Header::new(Kind::Credit, from, *id) };
                self.peers.say(&self.worker, peer, credit, Vec::new());
            }
        }
        !due.is_empty()
    }

    /// A sender comes, by UCX or around it.
    pub(super) fn hello(&mut self, header: Header, body: Body, around: bool) {
        let Body::Whole(body) = body else { return self.throw_away(body) };
        let Some(worker) = wire::worker_of(body.bytes()) else {
            let (promised, found) = (size_of::<u64>() as u64, body.length() as u64);
            return self.hub.refuse(UcxError::Length { promised, found });
        };
        let (number, first, last) = (header.number, 1, wire::LAST_NUMBER);
        if !(first..=last).contains(&number) {
            return self.hub.refuse(UcxError::Number { number, first, last });
        }
        self.greeted(header, worker, around);
    }

    /// A worker greets one of the ends here, if that is there: a sender that looks for another end hears from the directory
    /// that it is gone, and a stranger hears nothing.
    fn greeted(&mut self, header: Header, worker: u64, around: bool) {
        if !self.inlets.contains_key(&header.to) {
            return self.hub.refuse(UcxError::UnknownLink { id: header.to });
        }
        let peer = match self.way_to(worker, around) {
            Ok(peer) => peer,
            Err(why @ UcxError::UnknownWorker { .. }) => {
                // The directory may be behind.
                self.unknown.retain(|(known, ..)| known.from != header.from);
                self.unknown.push_back((header, worker, around));
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
            // What was said over UCX before, and comes only now.
            if !around && inlet.peer.is_some_and(|peer| self.peers.is_around(peer)) {
                return;
            }
            // The way broke, and nobody died.
            inlet.comes(worker, peer, around);
            let number = inlet.inbox.state().resume();
            let welcome = Header { number, ..Header::new(Kind::Welcome, header.from, header.to) };
            self.peers.say(&self.worker, peer, welcome, Vec::new());
            return self.answer(header.to);
        }
        let replaced =
            inlet.greeting.replace(Greeting { worker, peer, from: header.from, first: header.number });
        let other = replaced.filter(|greeting| greeting.from != header.from);
        let mut gone = other.map(|greeting| (greeting.peer, greeting.from));
        if let Some(from) = inlet.from.take() {
            if let Some(peer) = inlet.peer.filter(|_| inlet.inbox.state().peer == Peer::Attached) {
                gone = Some((peer, from));
            }
            inlet.sender_is_gone();
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
        for (header, worker, around) in std::mem::take(&mut self.unknown) {
            self.greeted(header, worker, around);
        }
    }

    /// The way to a worker, by UCX or around it, by the address that the directory has of it.
    fn way_to(&mut self, worker: u64, around: bool) -> Result<u64, UcxError> {
        let found = self.directory.lookup(&wire::worker_name(worker));
        let found = found.ok_or(UcxError::UnknownWorker { worker })?;
        let entry = Entry::of_any_version(&found)?;
        if entry.id != worker {
            return Err(UcxError::Address { found: found.len(), wrong: "are those of another worker" });
        }
        if around && let Some(peer) = self.peers.around(&entry.address) {
            return Ok(peer);
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
            drop(state);
            inlet.from = Some(greeting.from);
            inlet.comes(greeting.worker, greeting.peer, self.peers.is_around(greeting.peer));
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
        self.partial.forget(id);
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
        // Of those that came together each is held against the limits by itself.
        let short =
            (header.count > 1 || at > 0) && bytes <= TOGETHER as u64 && !matches!(body, Body::Dropped(_));
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
                && let Ok(peer) = self.way_to(worker, false)
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
