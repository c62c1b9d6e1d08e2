//! How the thread of an operator sleeps.
//!
//! Not here: what it sleeps for. Invariant: it sleeps on one bell, and on the channels from other processes that it
//! lacks something of, so that whatever happens first wakes it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use podwire_fastio::ChannelEnd;

use super::{
    counters::OperatorCounters,
    cycle::Fate,
    shared::Shared,
    snapshot::OperatorState,
    waker::{Membership, Waker},
};

/// How long an operator sleeps that waits for the return of a process, which rings no bell.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What the thread of an operator has to know before it sleeps.
#[derive(Clone)]
pub(crate) struct Sleeper {
    pub(crate) waker: Waker,
    pub(crate) shared: Arc<Shared>,
    pub(crate) counters: Arc<OperatorCounters>,
    /// Nothing is connected to its inputs: it ends first.
    pub(crate) is_root: bool,
}

impl Sleeper {
    /// Sleeps until something may have changed, no longer than until `deadline`.
    pub(crate) fn sleep<'e>(
        &self,
        state: OperatorState,
        channels: impl Iterator<Item = ChannelEnd<'e>> + Clone,
        deadline: Option<Instant>,
    ) {
        let timeout = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        self.counters.set_state(state);
        // What is wrong with a channel for good is said by the next attempt to use it.
        let _ = self.waker.bell().wait_with(channels, timeout);
        self.counters.set_state(OperatorState::Computing);
    }

    /// Whether the operator is to give up what it waits for.
    pub(crate) fn released(&self) -> bool {
        let shared = &self.shared;
        shared.aborted() || shared.stopping() && (self.is_root || self.isolated())
    }

    /// Whether the operator is a part of a cycle to which nothing comes from outside any more.
    pub(crate) fn isolated(&self) -> bool {
        self.waker.cycle().is_some_and(|it| it.cycle.isolated())
    }

    /// What has become of the cycle that the operator is a part of.
    pub(crate) fn fate(&self) -> Fate {
        self.waker.cycle().map_or(Fate::Open, |it| it.cycle.fate())
    }

    /// Says that nothing can come to the operator but from within its cycle, unless it is ready.
    pub(crate) fn idle(&self, ready: impl FnOnce() -> bool) {
        if let Some(Membership { cycle, member }) = self.waker.cycle() {
            cycle.idle(*member, ready);
        }
    }

    /// Says that the operator has ended.
    pub(crate) fn ended(&self) {
        if let Some(Membership { cycle, member }) = self.waker.cycle() {
            cycle.ended(*member);
        }
    }

    /// Says that the operator waits for room within its cycle, unless there is some.
    pub(crate) fn blocked(&self, ready: impl FnOnce() -> bool) {
        if let Some(Membership { cycle, member }) = self.waker.cycle() {
            cycle.blocked(*member, ready);
        }
    }
}
