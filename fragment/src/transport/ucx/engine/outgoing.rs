//! The sending ends: finding the receiver, and shipping what waits.
//!
//! The invariant: a message is shipped to a receiver that said it may be, and once to each, unless that one says from where
//! on it is to come again.

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::{Duration, Instant},
};

use super::Engine;
use crate::transport::{
    Peer,
    ucx::{
        error::UcxError,
        ffi::Outgoing,
        sending::{Outbox, Shipped},
        wire::{self, Entry, Header, Kind},
    },
};

/// How long to wait before trying again to reach a receiver, at first and at most, if the directory says nothing new; and at
/// most before greeting it again, if it does not answer.
const AGAIN: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// Which part of the time after which a receiver counts as not reached it is tried by UCX alone, if there is a way around it.
const PART: u32 = 4;
/// Of how many senders that are done is known how they ended, for a receiver that did not hear of it.
const REMEMBERED: usize = 1024;
/// From how many messages on that are under way the next ones wait for company, which are many then; and how long.
const DENSE: (u64, Duration) = (16, Duration::from_micros(10));
/// The same where what is under way is half of what the receiver has room for: it has enough to do.
const ENOUGH: Duration = Duration::from_micros(20);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No receiver is known.
    Idle,
    /// One is, and has not answered yet.
    Greeting,
    /// One takes messages.
    Attached,
}

/// A sending end, as the thread sees it.
pub(super) struct Outlet {
    outbox: Arc<Outbox>,
    /// When it was opened, among those of this transport.
    order: u64,
    /// It was closed, and has messages left.
    closing: bool,
    stage: Stage,
    /// The receiver: what the directory said, its end and the way to it.
    target: Vec<u8>,
    to: u64,
    peer: Option<u64>,
    /// What the directory said of a receiver that is known to be gone.
    gone: Option<Vec<u8>>,
    /// Number of the next message to ship.
    next: u64,
    /// Until when messages wait for company.
    held: Option<Instant>,
    said_close: bool,
    again: Option<Instant>,
    pause: Duration,
    /// Since when a receiver that the directory has was not heard, and what UCX said of it last.
    silent: Option<(Instant, Option<UcxError>)>,
    /// The way to it goes around UCX, and when it was heard last if it was heard since.
    around: Option<Option<Instant>>,
    /// Until when its last word may come, which the directory overtook.
    going: Option<Instant>,
}

impl Outlet {
    pub(super) fn new(outbox: Arc<Outbox>, order: u64) -> Self {
        Self {
            outbox,
            order,
            closing: false,
            stage: Stage::Idle,
            target: Vec::new(),
            to: 0,
            peer: None,
            gone: None,
            next: 1,
            held: None,
            said_close: false,
            again: None,
            pause: AGAIN.0,
            silent: None,
            around: None,
            going: None,
        }
    }

    pub(super) fn is_over(&self, peer: u64) -> bool {
        self.peer == Some(peer)
    }

    /// When to try again to reach the receiver.
    pub(super) fn due(&self) -> Option<Instant> {
        self.again
    }

    fn detach(&mut self, peer: Option<Peer>) {
        (self.stage, self.peer, self.said_close) = (Stage::Idle, None, false);
        if let Some(peer) = peer {
            self.outbox.set_peer(peer);
        }
    }

    fn try_again(&mut self) {
        self.again = Some(Instant::now() + self.pause);
        self.pause = (self.pause * 2).min(AGAIN.1);
    }

    /// The receiver is to say where it is, and gets nothing before it does.
    fn begin_anew(&mut self, peer: u64) {
        (self.stage, self.peer, self.said_close) = (Stage::Greeting, Some(peer), false);
    }

    /// The receiver is gone: the directory says so, or has another one.
    fn lost(&mut self) {
        let was_there = self.outbox.state().peer == Peer::Attached;
        self.detach(was_there.then_some(Peer::Died));
        (self.silent, self.around, self.going) = (None, None, None);
    }

    /// Whether what was sent around UCX may have been lost: it waits, and the receiver says nothing.
    fn is_stuck(&self) -> bool {
        matches!(self.around, Some(Some(heard)) if heard.elapsed() >= AGAIN.1)
    }

    /// The receiver says what it has.
    fn speaks(&mut self) {
        self.around = self.around.map(|heard| heard.map(|_| Instant::now()));
    }

    /// The receiver is there.
    fn heard(&mut self) {
        self.around = self.around.map(|_| Some(Instant::now()));
        self.silent = None;
        self.outbox.state().refused.take_if(|why| matches!(why, UcxError::Unreachable { .. }));
    }

    /// UCX says why the receiver cannot be reached.
    fn cannot(&mut self, why: UcxError) {
        self.silent.get_or_insert_with(|| (Instant::now(), None)).1 = Some(why);
        self.try_again();
    }

    /// That the receiver was not heard for too long, if that is so and was not said.
    fn unreachable(&self, patience: Duration, from: &str) -> Option<UcxError> {
        let (since, last) = self.silent.as_ref()?;
        // Who was heard around UCX is there, however long a large message takes.
        let waited = Some(since.elapsed())
            .filter(|waited| *waited >= patience && !matches!(self.around, Some(Some(_))))?;
        let told = matches!(self.outbox.state().refused, Some(UcxError::Unreachable { .. }));
        let to = Entry::parse(&self.target).ok().filter(|_| !told)?.process;
        Some(UcxError::Unreachable { from: from.to_owned(), to, waited, last: last.clone().map(Box::new) })
    }
}

impl Engine {
    pub(super) fn look_up_all(&mut self) {
        let all: Vec<u64> = self.outlets.keys().copied().collect();
        for id in all {
            self.look_up(id);
        }
    }

    pub(super) fn retry(&mut self) -> bool {
        if self.outlets.values().all(|outlet| outlet.again.is_none()) {
            return false;
        }
        let now = Instant::now();
        let due = |outlet: &Outlet| outlet.again.is_some_and(|again| again <= now);
        let due: Vec<u64> = self.outlets.iter().filter(|(_, outlet)| due(outlet)).map(super::key).collect();
        for id in &due {
            let Some(outlet) = self.outlets.get_mut(id) else { continue };
            outlet.again = None;
            if let Some(why) = outlet.unreachable(self.patience, &self.process) {
                let link = &*outlet.outbox.link.name;
                tracing::error!(target: "podwire::fragment", link, %why, "a receiver is not reached");
                self.unreachable.tell(link, &why);
                outlet.outbox.refuse(why);
            }
            match outlet.stage {
                // It, or its answer, may have gone the way of a connection that broke.
                _ if outlet.going.is_some() => self.look_up(*id),
                Stage::Greeting => self.greet(*id),
                Stage::Attached => self.ask(*id),
                Stage::Idle => self.look_up(*id),
            }
            self.ship(*id);
        }
        !due.is_empty()
    }

    /// Greets the receiver that the directory knows, unless that was done.
    pub(super) fn look_up(&mut self, id: u64) {
        let Some(outlet) = self.outlets.get(&id) else { return };
        let name = &outlet.outbox.link.name;
        let before =
            |other: &Outlet| other.closing && other.order < outlet.order && other.outbox.link.name == *name;
        // What an earlier sender of the link left comes first.
        if self.outlets.values().any(before) {
            return;
        }
        let Some(outlet) = self.outlets.get_mut(&id) else { return };
        let Some(found) = self.directory.lookup(&outlet.outbox.link.name) else {
            // Of one that UCX reaches, UCX says when it is gone.
            if outlet.stage == Stage::Attached && outlet.around.is_none() {
                return;
            }
            let going = *outlet.going.get_or_insert_with(|| Instant::now() + AGAIN.1);
            if outlet.outbox.state().peer == Peer::Attached && Instant::now() < going {
                outlet.again = Some(going);
                return;
            }
            // Nobody will answer.
            outlet.lost();
            return self.ship(id);
        };
        outlet.going = None;
        if outlet.gone.as_ref() == Some(&found) || (outlet.stage != Stage::Idle && outlet.target == found) {
            return;
        }
        if outlet.stage != Stage::Idle {
            // Another receiver has taken the place of the one that is known.
            outlet.lost();
        }
        let entry = match Entry::parse(&found) {
            Ok(entry) => entry,
            Err(why) => {
                outlet.gone = Some(found);
                return outlet.outbox.refuse(why);
            }
        };
        outlet.target = found;
        let another = std::mem::replace(&mut outlet.to, entry.id) != entry.id;
        let mut state = outlet.outbox.state();
        if another {
            state.another_receiver();
            (outlet.silent, outlet.around) = (None, None);
        }
        // What an earlier receiver, or none, was refused for, may not be so for this one.
        state.refused.take_if(|why| match why {
            UcxError::Replaced => false,
            UcxError::Unreachable { .. } => another,
            _ => true,
        });
        drop(state);
        if !self.leave(id, false) {
            let connected = self.peers.connect(&self.worker, &entry.address);
            let Some(outlet) = self.outlets.get_mut(&id) else { return };
            match connected {
                Ok(peer) => outlet.begin_anew(peer),
                Err(why) => return outlet.cannot(why),
            }
        }
        self.greet(id);
    }

    /// Goes around UCX to a receiver that it does not reach, or that says so, if there is such a way.
    fn leave(&mut self, id: u64, asked: bool) -> bool {
        let Some(outlet) = self.outlets.get_mut(&id) else { return false };
        let late = |(since, _): &(Instant, _)| since.elapsed() >= self.patience / PART;
        let wanted = asked || outlet.around.is_some() || outlet.silent.as_ref().is_some_and(late);
        let entry = Entry::parse(&outlet.target).ok().filter(|_| wanted);
        let Some(peer) = entry.and_then(|entry| self.peers.around(&entry.address)) else { return false };
        if outlet.around.is_none() {
            outlet.around = Some(None);
            // Its time begins anew.
            outlet.silent = outlet.silent.take().map(|(_, last)| (Instant::now(), last));
        }
        outlet.begin_anew(peer);
        true
    }

    /// Greets a receiver again that has not said for a while that it has what went around UCX.
    fn ask(&mut self, id: u64) {
        if self.outlets.get(&id).is_some_and(Outlet::is_stuck) && self.leave(id, false) {
            self.greet(id);
        }
    }

    /// Greets the receiver, until it answers.
    fn greet(&mut self, id: u64) {
        self.leave(id, false);
        let Some(outlet) = self.outlets.get_mut(&id) else { return };
        outlet.silent.get_or_insert_with(|| (Instant::now(), None));
        outlet.again = Some(Instant::now() + AGAIN.1);
        let mut hello = Header::new(Kind::Hello, outlet.to, id);
        hello.number = outlet.outbox.state().received + 1;
        hello.extra = outlet.outbox.link.capacity as u64;
        let (peer, worker) = (outlet.peer.unwrap_or(0), self.me.to_le_bytes());
        self.peers.say(&self.worker, peer, hello, worker.to_vec());
    }

    /// Ships what has waited for company long enough; whether anything waits for it.
    pub(super) fn release(&mut self) -> bool {
        if !std::mem::take(&mut self.holding) {
            return false;
        }
        let now = Instant::now();
        let is_due = |outlet: &Outlet| outlet.held.is_some_and(|due| due <= now);
        self.holding = self.outlets.values().any(|outlet| outlet.held.is_some() && !is_due(outlet));
        let due: Vec<u64> =
            self.outlets.iter().filter(|(_, outlet)| is_due(outlet)).map(super::key).collect();
        due.into_iter().for_each(|id| self.ship(id));
        true
    }

    /// Ships what waits, and says that the end was closed when that is due.
    pub(super) fn ship(&mut self, id: u64) {
        let Some(outlet) = self.outlets.get_mut(&id) else { return };
        outlet.outbox.looked_at();
        let due = outlet.held.is_some_and(|due| due <= Instant::now());
        let mut state = outlet.outbox.state();
        let first = outlet.next.max(state.received + 1);
        let under_way = first - 1 - state.received;
        let dense = under_way >= DENSE.0 && !due && !state.closing;
        let ready = outlet.stage == Stage::Attached;
        let frames = if ready { state.frames(first, dense) } else { Vec::new() };
        let holds = ready && dense && state.is_open();
        let (closing, waiting) = (state.closing, state.waiting());
        drop(state);
        if holds {
            let enough = under_way >= outlet.outbox.link.capacity as u64 / 2;
            let time = if enough { ENOUGH } else { DENSE.1 };
            outlet.held.get_or_insert_with(|| Instant::now() + time);
            outlet.outbox.will_be_looked_at();
            self.holding = true;
        } else {
            outlet.held = None;
        }
        outlet.next = frames.last().map_or(first, |frame| frame.end());
        if outlet.around.is_some() && ready && waiting > 0 {
            outlet.again.get_or_insert_with(|| Instant::now() + AGAIN.1);
        }
        let (to, peer, next) = (outlet.to, outlet.peer.unwrap_or(0), outlet.next);
        for frame in frames {
            let ((number, count, extra), length) = (frame.since(first), frame.length);
            let header = Header { number, count, extra, length, ..Header::new(Kind::Data, to, id) };
            let rendezvous = length > self.eager;
            let body = Box::new(Shipped(frame));
            self.peers.send(&self.worker, peer, Outgoing { header: header.to_bytes(), body, rendezvous });
        }
        if !closing {
            return;
        }
        let Some(outlet) = self.outlets.get_mut(&id) else { return };
        if outlet.stage == Stage::Attached && !outlet.said_close {
            outlet.said_close = true;
            let close = Header { number: next, ..Header::new(Kind::Close, to, id) };
            self.peers.say(&self.worker, peer, close, Vec::new());
        }
        let state = outlet.outbox.state();
        let nobody = outlet.stage == Stage::Idle && matches!(state.peer, Peer::Closed | Peer::Died);
        let unwanted = state.refused.is_some();
        drop(state);
        if (waiting == 0 && (outlet.said_close || outlet.stage == Stage::Idle)) || nobody || unwanted {
            let gone = self.outlets.remove(&id);
            let target = gone.as_ref().and_then(|gone| Entry::parse(&gone.target).ok());
            if let Some(receiver) = target.filter(|_| waiting == 0 && self.peers.road.is_some()) {
                if self.done.len() == REMEMBERED {
                    self.done.pop_front();
                }
                self.done.push_back((id, next, receiver.address));
            }
            self.hub.is_gone(id, waiting);
            let is_next = |next: &Outlet| {
                gone.as_ref().is_some_and(|gone| gone.outbox.link.name == next.outbox.link.name)
            };
            let next =
                self.outlets.iter().filter(|(_, outlet)| is_next(outlet)).min_by_key(|(_, next)| next.order);
            if let Some(next) = next.map(super::key) {
                self.look_up(next);
            }
        } else {
            outlet.closing = true;
            self.hub.lingers(id, waiting);
        }
    }

    /// What the receiver of one of these ends says.
    pub(super) fn word_to_sender(&mut self, header: Header) {
        let Some(outlet) = self.outlets.get_mut(&header.to) else { return };
        // An earlier receiver of the link has nothing to say any more.
        if outlet.stage == Stage::Idle || outlet.to != header.from {
            return self.hub.refuse(UcxError::UnknownLink { id: header.to });
        }
        match header.kind {
            // Greeted twice, it answers twice.
            Kind::Welcome if outlet.stage == Stage::Attached => {}
            Kind::Later => outlet.heard(),
            Kind::Welcome => {
                let known = outlet.outbox.state().numbers();
                if !known.contains(&header.number) {
                    let (first, last) = known.into_inner();
                    return self.hub.refuse(UcxError::Number { number: header.number, first, last });
                }
                outlet.stage = Stage::Attached;
                outlet.next = header.number;
                (outlet.again, outlet.pause) = (None, AGAIN.0);
                let why = outlet.silent.as_ref().and_then(|(_, why)| why.as_ref().map(ToString::to_string));
                outlet.heard();
                let around = outlet.around.is_some();
                if !outlet.outbox.around.swap(around, SeqCst)
                    && around
                    && let Some(road) = &self.peers.road
                {
                    let why = why.unwrap_or_else(|| "the receiver does not answer".into());
                    road.taken(&outlet.outbox.link.name, &why);
                }
                outlet.outbox.set_peer(Peer::Attached);
            }
            Kind::Credit => {
                outlet.speaks();
                outlet.outbox.credit(header.number, header.extra);
                if header.count == super::GREET_AGAIN && self.leave(header.to, true) {
                    self.greet(header.to);
                }
            }
            Kind::Close => {
                outlet.outbox.credit(header.number, header.extra);
                outlet.gone = Some(std::mem::take(&mut outlet.target));
                outlet.going = None;
                outlet.detach(Some(Peer::Closed));
                // Another one may be there already.
                self.look_up(header.to);
            }
            _ => {
                outlet.gone = Some(std::mem::take(&mut outlet.target));
                outlet.detach(None);
                let known = outlet.outbox.link.capacity as u64;
                match header.count {
                    wire::OTHER_CAPACITY => {
                        outlet.outbox.refuse(UcxError::Capacity { found: header.extra, known });
                    }
                    wire::REPLACED => outlet.outbox.refuse(UcxError::Replaced),
                    // Nobody is there, and somebody may come.
                    _ => {}
                }
            }
        }
        self.ship(header.to);
    }

    /// The receiver of this end speaks another version.
    pub(super) fn receiver_differs(&mut self, id: u64, why: UcxError) {
        if let Some(outlet) = self.outlets.get_mut(&id) {
            outlet.gone = Some(std::mem::take(&mut outlet.target));
            outlet.detach(None);
            outlet.outbox.refuse(why);
        }
    }

    /// The receiver of this end cannot be reached any more.
    pub(super) fn receiver_failed(&mut self, id: u64, why: &UcxError) {
        let Some(outlet) = self.outlets.get_mut(&id) else { return };
        let attached = outlet.stage == Stage::Attached;
        let found = self.directory.lookup(&outlet.outbox.link.name).filter(|_| self.lasting);
        let lives = found.is_some_and(|found| found == outlet.target);
        outlet.detach((attached && !lives).then_some(Peer::Died));
        outlet.cannot(why.clone());
        self.ship(id);
    }

    /// A receiver asks for more of a sender that was closed, after all that it sent was received: it did not hear so.
    pub(super) fn was_done(&mut self, header: Header) {
        let Some((_, number, address)) = self.done.iter().find(|(id, ..)| *id == header.to) else {
            return self.hub.refuse(UcxError::UnknownLink { id: header.to });
        };
        if let Some(peer) = self.peers.around(address) {
            let close = Header { number: *number, ..Header::new(Kind::Close, header.from, header.to) };
            self.peers.say(&self.worker, peer, close, Vec::new());
        }
    }
}
