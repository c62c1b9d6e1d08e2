//! Waking the thread of an operator.
//!
//! Not here: what it looks for. Invariant: an operator that is rung does not count as idle in its cycle any more, from
//! before its thread wakes up.

use std::sync::Arc;

use podwire_fastio::Doorbell;

use super::cycle::Cycle;

/// The bell of an operator, for all who change what it waits for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waker {
    bell: Doorbell,
    cycle: Option<Membership>,
}

/// The place of an operator in the cycle that it is a part of.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    pub(crate) cycle: Arc<Cycle>,
    pub(crate) member: usize,
}

impl Waker {
    pub(crate) fn new(bell: Doorbell, cycle: Option<Membership>) -> Self {
        Self { bell, cycle }
    }

    /// Something has changed.
    pub(crate) fn ring(&self) {
        if let Some(Membership { cycle, member }) = &self.cycle {
            cycle.wake(*member);
        }
        self.bell.ring();
    }

    pub(crate) fn bell(&self) -> &Doorbell {
        &self.bell
    }

    pub(crate) fn cycle(&self) -> Option<&Membership> {
        self.cycle.as_ref()
    }
}
