//! The driver of an application: who may join, who runs what, when it starts and how it ends.
//!
//! A pure machine: events in, actions out; `drive` connects it to Zenoh, and its tests to machines of workers in every
//! order of events. Invariants: a fragment has one owner or none; whoever was told to begin is told to end.
//!
//! | file | what is in it |
//! |---|---|
//! | `admit` | who may join |
//! | `assign` | who runs what, and over which transports |
//! | `end` | losses, stops, and the end |

mod admit;
mod assign;
mod end;

use std::{collections::BTreeMap, sync::Arc};

use super::{
    description::Description,
    notice::Notice,
    paths::{Offer, Place},
    words::{Answer, Hello, HostId, Order, Outcome, Resources, Wants, Word, WorkerId},
};

/// What does not change while the application runs.
#[derive(Debug)]
pub(crate) struct Setup {
    pub application: String,
    /// The run, which names its shared memory and its links.
    pub run: String,
    /// The fragments, each with the number of its operators.
    pub fragments: Vec<(String, usize)>,
    /// The connections between different fragments.
    pub crossings: Vec<Crossing>,
    /// How many connections the graph has.
    pub connections: usize,
    pub description: Description,
    pub digest: u64,
    /// Whether the return of a lost worker is waited for.
    pub waits: bool,
    /// The transport that is to be taken between processes.
    pub forced: Option<String>,
    /// Whether what goes over Zenoh is encrypted.
    pub encrypted: bool,
    /// The transports that the driver's own process has.
    pub transports: Vec<Offer>,
    /// Milliseconds from one picture of the driver's monitor to the next; 0 if it shows none.
    pub watched: u64,
    /// Workers that are waited for before `all` is shared out; 0 if that is not known.
    pub expected: usize,
}

/// A connection between different fragments, all by place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crossing {
    pub connection: usize,
    pub from: usize,
    pub to: usize,
}

/// What happens to the driver.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Hello(Box<Hello>),
    Said(WorkerId, Word),
    /// A worker's process is gone, or cannot be reached.
    Left(WorkerId),
    /// A signal came to the driver's process.
    Interrupted(i32),
    Alarm(Alarm),
}

/// What the driver waits for, no longer than a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Alarm {
    /// Workers for all fragments.
    Join,
    /// More workers that take what is left.
    Gather,
    /// The workers to end.
    Stop,
    /// The workers to leave.
    Close,
}

/// What the driver does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Answers the hello that is being handled.
    Answer(Answer),
    Order(WorkerId, Order),
    /// Rings an alarm after its while, which begins now.
    Alarm(Alarm),
    /// Rings it not.
    Silence(Alarm),
    Notice(Notice),
    /// The application is over.
    Over(Outcome),
}

/// The driver.
#[derive(Clone, Debug)]
pub(crate) struct Driver {
    setup: Arc<Setup>,
    pub(super) state: State,
}

/// What changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    phase: Phase,
    /// By fragment.
    slots: Vec<Slot>,
    /// By crossing, its transport, once one of its ends is to open it.
    ways: Vec<Option<String>>,
    members: BTreeMap<WorkerId, Member>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// Until each fragment has an owner.
    Gathering,
    /// `started` once all were ready.
    Running {
        started: bool,
    },
    /// Until all have ended.
    Stopping(Outcome),
    /// Until all have left.
    Ending(Outcome),
    Over,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Slot {
    owner: Option<WorkerId>,
    /// Its operators have ended.
    done: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Member {
    name: String,
    wants: Wants,
    host: HostId,
    resources: Resources,
    transports: Vec<Offer>,
    state: MemberState,
}

impl Member {
    fn place(&self) -> Place<'_> {
        Place { host: &self.host, offers: &self.transports }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum MemberState {
    /// It has no order yet.
    Joined,
    /// It prepares its fragments.
    Assigned,
    /// It waits for the start.
    Ready,
    Running,
    Finished,
}

impl MemberState {
    /// Whether it must end before the application has.
    fn busy(self) -> bool {
        matches!(self, Self::Assigned | Self::Ready | Self::Running)
    }
}

impl Driver {
    pub(crate) fn new(setup: Arc<Setup>) -> Self {
        let slots = vec![Slot::default(); setup.fragments.len()];
        let ways = vec![None; setup.crossings.len()];
        let state = State { phase: Phase::Gathering, slots, ways, members: BTreeMap::new() };
        Self { setup, state }
    }

    /// What is to be done now that this has happened, in this order.
    pub(crate) fn handle(&mut self, event: Event) -> Vec<Action> {
        let mut out = Vec::new();
        match event {
            Event::Hello(hello) => self.hello(&hello, &mut out),
            Event::Said(worker, word) => self.said(&worker, word, &mut out),
            Event::Left(worker) => self.left(&worker, &mut out),
            Event::Interrupted(signal) => self.interrupted(signal, &mut out),
            Event::Alarm(Alarm::Join) => self.unmanned(&mut out),
            Event::Alarm(Alarm::Gather) => self.gathered(&mut out),
            Event::Alarm(Alarm::Stop) => self.give_up(&mut out),
            Event::Alarm(Alarm::Close) => self.over(&mut out),
        }
        out
    }

    /// What is to be done before anything happens.
    pub(crate) fn begin(&self) -> Vec<Action> {
        vec![Action::Alarm(Alarm::Join), Action::Notice(self.waiting())]
    }

    /// Whether a worker has joined, and has not left.
    pub(crate) fn has(&self, worker: &WorkerId) -> bool {
        self.state.members.contains_key(worker)
    }

    fn waiting(&self) -> Notice {
        Notice::Waiting { fragments: self.names(&self.free()) }
    }

    fn said(&mut self, worker: &WorkerId, word: Word, out: &mut Vec<Action>) {
        let Some(member) = self.state.members.get_mut(worker) else { return };
        match word {
            Word::Ready => {
                if member.state == MemberState::Assigned {
                    member.state = MemberState::Ready;
                }
                self.settle(out);
            }
            Word::Failed(cause) => self.stop(Outcome::Failed(cause), out),
            Word::Stop { operator } => self.stop(Outcome::Stopped { operator }, out),
            // A Ctrl-C in a terminal goes to all processes at once: that is one wish, not several.
            Word::Interrupted { signal } => self.stop(Outcome::Interrupted { signal }, out),
            Word::Bye | Word::Doing => {}
            Word::Finished => {
                member.state = MemberState::Finished;
                self.state.slots.iter_mut().filter(|slot| slot.owner.as_ref() == Some(worker)).for_each(
                    |slot| {
                        slot.done = true;
                    },
                );
                self.settle(out);
                self.stopped(out);
            }
        }
    }

    fn name(&self, fragment: usize) -> String {
        self.setup.fragments[fragment].0.clone()
    }

    /// The fragments of a worker that have not ended.
    fn fragments_of(&self, worker: &WorkerId) -> Vec<usize> {
        let theirs = |slot: &Slot| slot.owner.as_ref() == Some(worker) && !slot.done;
        self.state.slots.iter().enumerate().filter(|(_, slot)| theirs(slot)).map(|(at, _)| at).collect()
    }

    fn names(&self, fragments: &[usize]) -> Vec<String> {
        fragments.iter().map(|at| self.name(*at)).collect()
    }
}
