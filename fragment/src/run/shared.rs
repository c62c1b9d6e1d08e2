//! What the threads of a run have in common: whether it is to stop, why, and what failed.
//!
//! Not here: waiting for the end, which `running` does. Invariant: it only gets later: running, stopping, aborted; each
//! step rings all bells.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{
            AtomicU8,
            Ordering::{Acquire, SeqCst},
        },
    },
    time::{Duration, Instant},
};

use podwire_fastio::Doorbell;

use super::{
    observer::Observer,
    report::{Ended, Failure},
};
use crate::{
    context::FastIo,
    lane::{OutLink, Waits},
};

const STOPPING: u8 = 1;
const ABORTED: u8 = 2;

/// Why a run is to stop before its operators have ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// An operator, by its full name, asked for it.
    Asked(String),
    /// A signal came.
    Signal(i32),
    /// Something failed, here or in another process.
    Failed,
}

/// What the threads of a run have in common.
pub(crate) struct Shared {
    level: AtomicU8,
    reason: Mutex<Option<StopReason>>,
    failures: Mutex<Vec<Failure>>,
    bells: Vec<Doorbell>,
    waits: Waits,
    started: OnceLock<Instant>,
    /// Operators that have not ended.
    left: Mutex<usize>,
    changed: Condvar,
    /// Links that their operators have closed, and whose messages may not have been received yet.
    closed_links: Mutex<Vec<OutLink>>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) fast_io: FastIo,
}

impl Shared {
    pub(crate) fn new(
        bells: Vec<Doorbell>,
        waits: Waits,
        observer: Arc<dyn Observer>,
        fast_io: FastIo,
    ) -> Self {
        Self {
            level: AtomicU8::new(0),
            reason: Mutex::default(),
            failures: Mutex::default(),
            left: Mutex::new(bells.len()),
            bells,
            waits,
            started: OnceLock::new(),
            changed: Condvar::new(),
            closed_links: Mutex::default(),
            observer,
            fast_io,
        }
    }

    /// When the run was started; now, if it was not.
    pub(crate) fn started(&self) -> Instant {
        *self.started.get_or_init(Instant::now)
    }

    /// Whether it is to stop.
    pub(crate) fn stopping(&self) -> bool {
        self.level.load(Acquire) >= STOPPING
    }

    /// Whether nothing is to be waited for any more.
    pub(crate) fn aborted(&self) -> bool {
        self.level.load(Acquire) >= ABORTED
    }

    /// Has the run stop: the sources end, and what they emitted is still computed. The first reason counts, except that
    /// a failure is more than a wish.
    pub(crate) fn request_stop(&self, reason: StopReason) {
        let mut known = lock(&self.reason);
        if known.is_none() || reason == StopReason::Failed {
            *known = Some(reason);
        }
        drop(known);
        self.raise(STOPPING);
    }

    /// Others wait for a process in the place of this one.
    #[cfg(feature = "distributed")]
    pub(crate) fn vanish(&self) {
        self.waits.vanish();
    }

    /// Has the run end at once, as far as its operators return.
    pub(crate) fn abort(&self) {
        self.raise(ABORTED);
    }

    /// Notes a failure, and has the run stop.
    pub(crate) fn fail(&self, failure: Failure) {
        tracing::error!(target: "podwire::fragment", operator = %failure.name, "{failure}");
        lock(&self.failures).push(failure.clone());
        self.request_stop(StopReason::Failed);
        self.observer.failed(&failure);
    }

    /// An operator has ended.
    pub(crate) fn operator_ended(&self) {
        *lock(&self.left) -= 1;
        self.changed.notify_all();
    }

    /// Waits until all operators have ended, or, once it is stopping, so long and no longer. Whether they have.
    pub(crate) fn wait_ended(&self, patience: Duration) -> bool {
        let mut left = lock(&self.left);
        let mut since = None;
        while *left > 0 {
            left = if self.stopping() {
                // Not by a time of the clock, which may have none that is so far away.
                let waited = since.get_or_insert_with(Instant::now).elapsed();
                let Some(time) = patience.checked_sub(waited).filter(|time| !time.is_zero()) else {
                    return false;
                };
                self.changed.wait_timeout(left, time).unwrap_or_else(PoisonError::into_inner).0
            } else {
                self.changed.wait(left).unwrap_or_else(PoisonError::into_inner)
            };
        }
        true
    }

    /// Keeps a link that its operator has closed.
    pub(crate) fn watch_links(&self, link: Option<OutLink>) {
        lock(&self.closed_links).extend(link);
    }

    /// Whether messages of a closed link wait for a receiver that is there, as far as is known.
    pub(crate) fn has_doubt(&self) -> bool {
        let in_doubt =
            |link: &OutLink| catch_unwind(AssertUnwindSafe(|| link.is_in_doubt())).unwrap_or(false);
        lock(&self.closed_links).iter().any(in_doubt)
    }

    /// Counts what has become of the messages of closed links by now.
    pub(crate) fn count_links(&self) {
        // What a transport that panics had counted before stands.
        let count = |link: &OutLink| catch_unwind(AssertUnwindSafe(|| link.count())).is_ok();
        lock(&self.closed_links).retain(count);
    }

    pub(crate) fn failures(&self) -> Vec<Failure> {
        lock(&self.failures).clone()
    }

    pub(crate) fn ended(&self) -> Ended {
        match &*lock(&self.reason) {
            None => Ended::Done,
            Some(StopReason::Asked(operator)) => Ended::Stopped { operator: operator.clone() },
            Some(StopReason::Signal(signal)) => Ended::Interrupted { signal: *signal },
            Some(StopReason::Failed) => Ended::Failed,
        }
    }

    fn raise(&self, level: u8) {
        if self.level.fetch_max(level, SeqCst) < level {
            self.waits.end();
            self.bells.iter().for_each(Doorbell::ring);
            // Whoever waits for the end has looked at the level before it sleeps, or is woken now.
            drop(lock(&self.left));
            self.changed.notify_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
