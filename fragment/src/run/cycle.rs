//! The end of a cycle: operators whose messages come back to them.
//!
//! Not here: which operators form one, which `graph::cycles` finds. Invariant: a cycle is over if and only if each of its
//! operators has ended, or lacks messages that could come from within only. What comes from within is announced to the
//! receiver's membership after it is in the queue, and an operator looks at its queues once more while it says that it
//! is idle; so an operator that counts as idle has looked after the last message came.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{
        AtomicBool, AtomicU8,
        Ordering::{Acquire, Release},
    },
};

use podwire_fastio::Doorbell;

/// What the operators of a cycle do.
#[derive(Debug)]
pub(crate) struct Cycle {
    members: Mutex<Members>,
    fate: AtomicU8,
    isolated: AtomicBool,
}

#[derive(Debug)]
struct Members {
    states: Vec<Member>,
    bells: Vec<Doorbell>,
    /// Operators that count as active.
    active: usize,
    /// Operators to which something can come from outside.
    open: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    /// It runs, or could be given something from outside.
    Active,
    /// It lacks messages from within.
    Idle,
    /// It waits for room within.
    Blocked,
    Ended,
}

/// What has become of a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Something may go on in it.
    Open,
    /// Nothing is on its way any more.
    Over,
    /// Operators wait for room, and nobody will make any.
    Stuck,
}

impl Cycle {
    /// A cycle of operators that wait at these bells.
    pub(crate) fn new(bells: Vec<Doorbell>) -> Self {
        let (active, open) = (bells.len(), bells.len());
        let states = vec![Member::Active; active];
        Self {
            members: Mutex::new(Members { states, bells, active, open }),
            fate: AtomicU8::new(0),
            isolated: AtomicBool::new(false),
        }
    }

    /// Something has changed for a member.
    pub(crate) fn wake(&self, member: usize) {
        let mut members = self.lock();
        if matches!(members.states[member], Member::Idle | Member::Blocked) {
            members.states[member] = Member::Active;
            members.active += 1;
        }
    }

    /// A member that nothing can come to from outside lacks messages, unless `ready`.
    pub(crate) fn idle(&self, member: usize, ready: impl FnOnce() -> bool) {
        self.rest(member, Member::Idle, ready);
    }

    /// A member waits for room in a connection within the cycle, unless `ready`.
    pub(crate) fn blocked(&self, member: usize, ready: impl FnOnce() -> bool) {
        self.rest(member, Member::Blocked, ready);
    }

    /// A member has ended, and has closed its connections.
    pub(crate) fn ended(&self, member: usize) {
        self.rest(member, Member::Ended, || false);
    }

    /// Nothing comes to a member from outside any more. To be said once.
    pub(crate) fn closed_outside(&self) {
        let mut members = self.lock();
        members.open -= 1;
        if members.open == 0 {
            self.isolated.store(true, Release);
            members.bells.iter().for_each(Doorbell::ring);
        }
    }

    /// Whether nothing comes to any member from outside any more.
    pub(crate) fn isolated(&self) -> bool {
        self.isolated.load(Acquire)
    }

    pub(crate) fn fate(&self) -> Fate {
        match self.fate.load(Acquire) {
            0 => Fate::Open,
            1 => Fate::Over,
            _ => Fate::Stuck,
        }
    }

    fn rest(&self, member: usize, state: Member, ready: impl FnOnce() -> bool) {
        let mut members = self.lock();
        if ready() {
            return;
        }
        if members.states[member] == Member::Active {
            members.active -= 1;
        }
        members.states[member] = state;
        if members.active == 0 && self.fate() == Fate::Open {
            let stuck = members.states.contains(&Member::Blocked);
            self.fate.store(if stuck { 2 } else { 1 }, Release);
            members.bells.iter().for_each(Doorbell::ring);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
