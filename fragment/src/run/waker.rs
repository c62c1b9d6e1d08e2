//! Waking the thread of an operator.
//!
//! Not here: what it looks for. Invariant: an operator that is rung does not count as resting any more, from before its
//! thread wakes up.

use std::sync::Arc;

use podwire_fastio::Doorbell;

use super::standstill::Island;

/// The bell of an operator, for all who change what it waits for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waker {
    bell: Doorbell,
    place: Option<Place>,
}

/// The place of an operator among those that it is connected with in this process.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) island: Arc<Island>,
    pub(crate) member: usize,
    /// The cycle of the island that it is a part of.
    pub(crate) cycle: Option<usize>,
}

impl Waker {
    pub(crate) fn new(bell: Doorbell, place: Option<Place>) -> Self {
        Self { bell, place }
    }

    /// Something has changed.
    pub(crate) fn ring(&self) {
        if let Some(place) = &self.place {
            place.island.wake(place.member);
        }
        self.bell.ring();
    }

    pub(crate) fn bell(&self) -> &Doorbell {
        &self.bell
    }

    pub(crate) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }
}
