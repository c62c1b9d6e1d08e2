//! A bell within a process, for a thread that waits for several things at once.
//!
//! Not here: waiting for channels as well, which `channel::many` does. Invariant: a ring stays in the bell until a wait
//! takes it, and the word says that somebody sleeps before that one looks again, so that no ring is lost.

use std::{
    sync::{
        Arc,
        atomic::{
            AtomicU32,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::Duration,
};

use crate::futex;

/// Nothing has happened.
const QUIET: u32 = 0;
/// It was rung, and nobody has taken that yet.
const RUNG: u32 = 1;
/// Somebody may be asleep.
pub(crate) const ASLEEP: u32 = 2;
/// Turns of a spin before sleeping: about two microseconds, so that whoever rings often seldom has to wake anybody. Loom tries
/// all orders without.
const SPINS: u32 = if cfg!(loom) { 0 } else { 50 };

/// Wakes a thread of this process that waits for it, and perhaps for [channels](Self::wait_with) at the same time.
///
/// A bell is rung *after* the change that the other thread is to see, and that thread looks at what it waits for
/// *after* each wait. A ring stays in the bell until a wait takes it; several rings are taken as one. Clones are the
/// same bell. It is meant for one waiting thread; of several, a ring wakes all that sleep, and one that comes later
/// may find the ring taken.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use podwire_fastio::Doorbell;
///
/// let (bell, done) = (Doorbell::new(), AtomicBool::new(false));
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         done.store(true, Ordering::Release);
///         bell.ring();
///     });
///     while !done.load(Ordering::Acquire) {
///         bell.wait(None);
///     }
/// });
/// ```
#[derive(Clone, Debug, Default)]
pub struct Doorbell(Arc<AtomicU32>);

impl Doorbell {
    /// A bell that was not rung.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the wait of the one who waits, or the next one. A single atomic step when nobody sleeps.
    #[inline]
    pub fn ring(&self) {
        if self.0.swap(RUNG, SeqCst) == ASLEEP {
            futex::wake_here(&self.0);
        }
    }

    /// Waits until the bell is rung; without a timeout, as long as it takes. Whether there may be something: `false` is
    /// said only after all the time, and `true` sometimes without a ring.
    pub fn wait(&self, timeout: Option<Duration>) -> bool {
        if self.take() {
            return true;
        }
        if timeout.is_some_and(|time| time.is_zero()) {
            return false;
        }
        for _ in 0..SPINS {
            if self.0.load(Relaxed) == RUNG && self.take() {
                return true;
            }
            std::hint::spin_loop();
        }
        let late = self.announce() && futex::sleep_here(&self.0, ASLEEP, timeout);
        self.take() || !late
    }

    /// Takes what was rung; whether anything was.
    #[inline]
    pub(crate) fn take(&self) -> bool {
        self.0.compare_exchange(RUNG, QUIET, SeqCst, SeqCst).is_ok()
    }

    /// Says that somebody will sleep while the word is `ASLEEP`; `false` if the bell was rung.
    pub(crate) fn announce(&self) -> bool {
        !matches!(self.0.compare_exchange(QUIET, ASLEEP, SeqCst, SeqCst), Err(RUNG))
    }

    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.0
    }
}
