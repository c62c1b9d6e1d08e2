//! Sleeping until a word in shared memory changes, and never for long.
//!
//! Not here: what the words mean. Invariant: every sleep ends after `PATIENCE` at the latest, because who should
//! wake us may have been killed.

use std::{
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::{Duration, Instant},
};

use rustix::{
    fs::Timespec,
    io::Errno,
    thread::futex::{self, Flags},
};

use crate::doorbell::{ASLEEP, Doorbell};

/// The longest sleep before looking again.
pub(crate) const PATIENCE: Duration = Duration::from_millis(5);

/// The words that the kernel can watch for one sleeper.
const MOST_WORDS: usize = 128;

/// When a caller's patience ends.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    start: Instant,
    wait: Option<Duration>,
}

impl Deadline {
    /// After this time, or never.
    pub(crate) fn after(wait: impl Into<Option<Duration>>) -> Self {
        let wait = wait.into();
        Self { start: Instant::now(), wait }
    }

    /// What is left, at most `PATIENCE`; `None` when nothing is.
    pub(crate) fn left(&self) -> Option<Duration> {
        let left = match self.wait {
            Some(wait) => wait.saturating_sub(self.start.elapsed()),
            None => PATIENCE,
        };
        (!left.is_zero()).then(|| left.min(PATIENCE))
    }

    /// What is left, at most `PATIENCE`; an error that says what was waited for when nothing is.
    pub(crate) fn slice(&self, what: impl FnOnce() -> String) -> crate::Result<Duration> {
        let waited = self.wait.unwrap_or_default();
        self.left().ok_or_else(|| crate::Error::Timeout { what: what(), waited })
    }
}

/// Sleeps while the word has this value; returns early for any reason. Whether all the time was slept.
pub(crate) fn sleep(word: &AtomicU32, value: u32, time: Duration) -> bool {
    let timeout = Timespec { tv_sec: time.as_secs() as _, tv_nsec: time.subsec_nanos().into() };
    futex::wait(word, Flags::empty(), value, Some(&timeout)) == Err(Errno::TIMEDOUT)
}

/// The same for a word of this process alone, for as long as it takes if no time is given.
pub(crate) fn sleep_here(word: &AtomicU32, value: u32, time: Option<Duration>) -> bool {
    // Times that the kernel cannot count to are no limit.
    let timeout = time
        .filter(|time| time.as_secs() < 1 << 32)
        .map(|time| Timespec { tv_sec: time.as_secs() as _, tv_nsec: time.subsec_nanos().into() });
    futex::wait(word, Flags::PRIVATE, value, timeout.as_ref()) == Err(Errno::TIMEDOUT)
}

/// Wakes all who sleep on a word of this process alone.
#[cold]
pub(crate) fn wake_here(word: &AtomicU32) {
    let _ = futex::wake(word, Flags::PRIVATE, i32::MAX as u32);
}

/// Wakes one sleeper.
pub(crate) fn wake_one(word: &AtomicU32) {
    let _ = futex::wake(word, Flags::empty(), 1);
}

/// Counts an event, and wakes everybody if anybody has announced to sleep.
#[inline]
pub(crate) fn notify(events: &AtomicU32, waiters: &AtomicU32) {
    if waiters.load(SeqCst) != 0 && waiters.swap(0, SeqCst) != 0 {
        events.fetch_add(1, SeqCst);
        let _ = futex::wake(events, Flags::empty(), i32::MAX as u32);
    }
}

/// Sleeps until an event, unless `ready` is so already. Whether all the time was slept.
///
/// The order matters: the count is read, then the wait announced, then `ready` asked again; an event after the
/// announcement changes the count.
pub(crate) fn wait(
    events: &AtomicU32,
    waiters: &AtomicU32,
    time: Duration,
    ready: impl FnOnce() -> crate::Result<bool>,
) -> crate::Result<bool> {
    let seen = events.load(SeqCst);
    waiters.store(1, SeqCst);
    if ready()? {
        return Ok(false);
    }
    Ok(sleep(events, seen, time))
}

/// The same for several counts, of which any may change, and for a bell of this process.
pub(crate) fn wait_any<'w>(
    bell: Option<&Doorbell>,
    counts: impl Iterator<Item = (&'w AtomicU32, &'w AtomicU32)> + Clone,
    time: Duration,
    ready: impl FnOnce() -> bool,
) {
    let mut waits: Vec<_> =
        bell.map(|bell| watch(bell.word(), ASLEEP, futex::WaitFlags::PRIVATE)).into_iter().collect();
    waits.extend(
        counts.clone().map(|(events, _)| watch(events, events.load(SeqCst), futex::WaitFlags::empty())),
    );
    counts.for_each(|(_, waiters)| waiters.store(1, SeqCst));
    if bell.is_none_or(Doorbell::announce) && !ready() {
        // It wakes for as many as the kernel can watch.
        waits.truncate(MOST_WORDS);
        sleep_any(&waits, time);
    }
}

/// A word that the kernel is to watch.
fn watch(word: &AtomicU32, value: u32, flags: futex::WaitFlags) -> futex::Wait {
    let mut wait = futex::Wait::new();
    wait.val = value.into();
    wait.uaddr = word.as_ptr().cast::<std::ffi::c_void>().into();
    wait.flags = futex::WaitFlags::SIZE_U32 | flags;
    wait
}

/// Sleeps while all words have their values.
fn sleep_any(waits: &[futex::Wait], time: Duration) {
    // Unlike a wait for one word, this one ends at a time, not after a time.
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let nanoseconds = now.tv_nsec + i64::from(time.subsec_nanos());
    let until = Timespec {
        tv_sec: now.tv_sec + time.as_secs() as i64 + nanoseconds / 1_000_000_000,
        tv_nsec: nanoseconds % 1_000_000_000,
    };
    let flags = futex::WaitvFlags::empty();
    // Linux before 5.16, or a sandbox: looking again every millisecond is as good.
    let slept = futex::waitv(waits, flags, Some(&until), rustix::time::ClockId::Monotonic);
    if matches!(slept, Err(Errno::NOSYS | Errno::PERM | Errno::INVAL)) {
        std::thread::sleep(time.min(Duration::from_millis(1)));
    }
}
