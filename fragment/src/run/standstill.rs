//! Operators that only wait for each other: the end of cycles, and the discovery that nobody can go on.
//!
//! Not here: which operators are connected, which `graph::cycles` finds. Invariant: an operator counts as resting only
//! while it lacks something that another operator of this process would have to do. What others do for it is announced
//! here after it is done and before its bell is rung, and an operator looks once more while it says that it rests; so one
//! that counts as resting has seen all that was done by then.
//!
//! An *island* is all operators that are connected, in whatever direction. When all of an island rest and some wait for
//! room, they wait for each other for ever. A *cycle* is a part of an island whose operators feed each other. When all of a
//! cycle rest and nothing can come to them from outside of it, it is over, whatever others of the island do.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{
        AtomicBool,
        Ordering::{Acquire, Relaxed, Release, SeqCst},
        fence,
    },
};

use podwire_fastio::Doorbell;

/// What the operators of an island do.
#[derive(Debug)]
pub(crate) struct Island {
    state: Mutex<State>,
    /// What can be read without the lock.
    members: Vec<Signals>,
    cycles: Vec<CycleSignals>,
}

#[derive(Debug, Default)]
struct Signals {
    /// It rests, or is about to say so.
    rests: AtomicBool,
    /// It waits for room that nobody will make.
    stuck: AtomicBool,
}

#[derive(Debug, Default)]
struct CycleSignals {
    over: AtomicBool,
    isolated: AtomicBool,
}

#[derive(Debug)]
struct State {
    members: Vec<Member>,
    /// Members that do not rest.
    active: usize,
    cycles: Vec<Cycle>,
}

#[derive(Debug)]
struct Member {
    bell: Doorbell,
    /// Which cycle it is a part of.
    cycle: Option<usize>,
    rest: Option<Rest>,
}

#[derive(Clone, Debug, Default)]
struct Cycle {
    /// Members that do not rest, or that something from outside could wake.
    active: usize,
    /// Members to which something can come from outside.
    open: usize,
}

/// Why an operator rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// It lacks messages from operators of this process.
    Idle,
    /// It lacks messages, and only its cycle can bring any.
    IdleWithin,
    /// It waits for room in a queue of this process.
    Blocked,
    /// It waits for room in a queue of its cycle.
    BlockedWithin,
    /// It has ended.
    Ended,
}

impl Rest {
    fn is_within(self) -> bool {
        matches!(self, Self::IdleWithin | Self::BlockedWithin | Self::Ended)
    }

    fn waits_for_room(self) -> bool {
        matches!(self, Self::Blocked | Self::BlockedWithin)
    }
}

impl Island {
    /// An island of operators that wait at these bells, each with the cycle that it is a part of.
    pub(crate) fn new(members: Vec<(Doorbell, Option<usize>)>) -> Self {
        let cycle_count = members.iter().filter_map(|(_, cycle)| *cycle).max().map_or(0, |last| last + 1);
        let mut cycles = vec![Cycle::default(); cycle_count];
        for at in members.iter().filter_map(|(_, cycle)| *cycle) {
            cycles[at].active += 1;
            cycles[at].open += 1;
        }
        let active = members.len();
        let members = members.into_iter().map(|(bell, cycle)| Member { bell, cycle, rest: None });
        Self {
            members: (0..active).map(|_| Signals::default()).collect(),
            cycles: (0..cycle_count).map(|_| CycleSignals::default()).collect(),
            state: Mutex::new(State { members: members.collect(), active, cycles }),
        }
    }

    /// Something was done that a member may have waited for.
    pub(crate) fn wake(&self, member: usize) {
        // Either this sees that the member rests, or that one, looking once more, sees what was done.
        fence(SeqCst);
        if self.members[member].rests.load(Relaxed) {
            self.lock().set(member, None);
        }
    }

    /// A member rests, unless it is `ready`, which looks once more.
    pub(crate) fn rest(&self, member: usize, rest: Rest, ready: impl FnOnce() -> bool) {
        let mut state = self.lock();
        self.members[member].rests.store(rest != Rest::Ended, Relaxed);
        fence(SeqCst);
        if ready() {
            self.members[member].rests.store(false, Relaxed);
            state.set(member, None);
        } else {
            state.set(member, Some(rest));
            self.judge(&mut state, member);
        }
    }

    /// A member goes on.
    pub(crate) fn resume(&self, member: usize) {
        if self.members[member].rests.load(Relaxed) {
            let mut state = self.lock();
            self.members[member].rests.store(false, Relaxed);
            state.set(member, None);
        }
    }

    /// Nothing comes to a member from outside of its cycle any more. To be said once.
    pub(crate) fn close_outside(&self, member: usize) {
        let mut state = self.lock();
        let Some(at) = state.members[member].cycle else { return };
        state.cycles[at].open -= 1;
        if state.cycles[at].open == 0 {
            self.cycles[at].isolated.store(true, Release);
            state.wake_all(|it| it.cycle == Some(at));
        }
    }

    /// Whether nothing comes to any member of a cycle from outside any more.
    pub(crate) fn is_isolated(&self, cycle: usize) -> bool {
        self.cycles[cycle].isolated.load(Acquire)
    }

    /// Whether nothing is on its way in a cycle any more, and nothing can come.
    pub(crate) fn is_over(&self, cycle: usize) -> bool {
        self.cycles[cycle].over.load(Acquire)
    }

    /// Whether a member waits for room that nobody will make; it is told so once.
    pub(crate) fn take_stuck(&self, member: usize) -> bool {
        self.members[member].stuck.swap(false, Acquire)
    }

    /// What follows from the rest of a member.
    fn judge(&self, state: &mut State, member: usize) {
        if let Some(at) = state.members[member].cycle
            && state.cycles[at].active == 0
        {
            let members = |it: &Member| it.cycle == Some(at);
            if !self.tell_stuck(state, members) && !self.cycles[at].over.swap(true, Release) {
                state.wake_all(members);
            }
        }
        if state.active == 0 {
            self.tell_stuck(state, |_| true);
        }
    }

    /// Tells those of these members that wait for room that there will be none; whether there were such.
    fn tell_stuck(&self, state: &mut State, these: impl Fn(&Member) -> bool) -> bool {
        let is_stuck = |it: &Member| these(it) && it.rest.is_some_and(Rest::waits_for_room);
        let stuck = state.members.iter().zip(&self.members).filter(|(member, _)| is_stuck(member));
        let count = stuck.map(|(_, signals)| signals.stuck.store(true, Release)).count();
        state.wake_all(is_stuck);
        count > 0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Changes what a member does, and the counts with it. Who has ended stays so.
    fn set(&mut self, member: usize, rest: Option<Rest>) {
        let Member { cycle, rest: now, .. } = &mut self.members[member];
        let before = *now;
        if before == Some(Rest::Ended) {
            return;
        }
        *now = rest;
        let changed = |was: bool, is: bool| usize::from(is).wrapping_sub(usize::from(was));
        self.active = self.active.wrapping_add(changed(before.is_none(), rest.is_none()));
        if let Some(cycle) = cycle.map(|at| &mut self.cycles[at]) {
            let is_active = |rest: Option<Rest>| !rest.is_some_and(Rest::is_within);
            cycle.active = cycle.active.wrapping_add(changed(is_active(before), is_active(rest)));
        }
    }

    fn wake_all(&mut self, these: impl Fn(&Member) -> bool) {
        for member in 0..self.members.len() {
            if these(&self.members[member]) {
                self.set(member, None);
                self.members[member].bell.ring();
            }
        }
    }
}
