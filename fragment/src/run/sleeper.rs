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
    shared::Shared,
    snapshot::OperatorState,
    standstill::Rest,
    waker::{Place, Waker},
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
        if let Some(place) = self.waker.place() {
            place.island.resume(place.member);
        }
        self.counters.set_state(OperatorState::Computing);
    }

    /// Whether the operator is to give up what it waits for.
    pub(crate) fn released(&self) -> bool {
        let shared = &self.shared;
        shared.aborted() || shared.stopping() && (self.is_root || self.isolated())
    }

    /// Whether the operator is a part of a cycle.
    pub(crate) fn in_cycle(&self) -> bool {
        self.cycle().is_some()
    }

    /// Whether nothing comes to its cycle from outside any more.
    pub(crate) fn isolated(&self) -> bool {
        self.cycle().is_some_and(|(place, cycle)| place.island.is_isolated(cycle))
    }

    /// Whether its cycle has nothing left to do.
    pub(crate) fn cycle_is_over(&self) -> bool {
        self.cycle().is_some_and(|(place, cycle)| place.island.is_over(cycle))
    }

    /// Says that nothing comes to the operator from outside of its cycle any more. To be said once.
    pub(crate) fn close_outside(&self) {
        if let Some(place) = self.waker.place() {
            place.island.close_outside(place.member);
        }
    }

    /// Says that the operator waits for what others in this process would have to do, unless it is `ready`.
    pub(crate) fn rest(&self, rest: Rest, ready: impl FnOnce() -> bool) {
        if let Some(place) = self.waker.place() {
            place.island.rest(place.member, rest, ready);
        }
    }

    /// Whether the operator waits for room that nobody will make; it is told so once.
    pub(crate) fn take_stuck(&self) -> bool {
        self.waker.place().is_some_and(|place| place.island.take_stuck(place.member))
    }

    fn cycle(&self) -> Option<(&Place, usize)> {
        self.waker.place().and_then(|place| place.cycle.map(|cycle| (place, cycle)))
    }
}
