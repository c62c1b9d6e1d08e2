//! The kernel's part of a bell: a word is compared and the thread put to sleep in one step.
//!
//! The invariant: nobody falls asleep on a word that has changed before; who sleeps on one that changes later sleeps on until
//! somebody wakes it, so that a wake that is forgotten is a deadlock, which loom finds.

use std::time::Duration;

use loom::sync::atomic::{AtomicU32, Ordering::SeqCst};
use loom::sync::{Condvar, Mutex};

loom::lazy_static! {
    static ref SLEEPERS: (Mutex<u32>, Condvar) = (Mutex::new(0), Condvar::new());
}

/// Sleeps while the word has this value, until it is woken. Never late: time does not pass here.
pub(crate) fn sleep_here(word: &AtomicU32, value: u32, _: Option<Duration>) -> bool {
    let (sleepers, woken) = &*SLEEPERS;
    let sleeping = sleepers.lock().unwrap();
    if word.load(SeqCst) == value {
        drop(woken.wait(sleeping));
    }
    false
}

/// Wakes all who sleep.
pub(crate) fn wake_here(_: &AtomicU32) {
    let (sleepers, woken) = &*SLEEPERS;
    drop(sleepers.lock());
    woken.notify_all();
}
