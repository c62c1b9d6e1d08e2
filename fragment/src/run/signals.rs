//! Ctrl-C and SIGTERM while an application runs.
//!
//! Not here: what is done then. Invariant: before and after a run the signals do what they did without this library; and
//! a second signal during a run ends the process at once.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
    iterator::{Handle, Signals as Arriving},
    low_level,
};

/// Watches for signals until it is dropped.
pub(crate) struct Signals {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Signals {
    /// Calls a function with the first signal, on a thread of its own.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn watch(first: impl Fn(i32) + Send + 'static) -> io::Result<Self> {
        let unwatched = unwatched()?;
        let mut signals = Arriving::new([SIGINT, SIGTERM])?;
        let handle = signals.handle();
        let watch = move || {
            let mut signals = signals.forever();
            if let Some(signal) = signals.next() {
                first(signal);
            }
            if let Some(signal) = signals.next() {
                // It does not return for these two.
                let _ = low_level::emulate_default_handler(signal);
            }
        };
        let thread = Some(thread::Builder::new().name("signals".into()).spawn(watch)?);
        let mut watching = watching();
        *watching += 1;
        unwatched.store(false, SeqCst);
        Ok(Self { handle, thread })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        let mut watching = watching();
        *watching -= 1;
        if let (0, Ok(unwatched)) = (*watching, unwatched()) {
            unwatched.store(true, SeqCst);
        }
        drop(watching);
        self.handle.close();
        // It panics only if the function did, and then the panic was shown.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// How many runs of this process watch.
fn watching() -> MutexGuard<'static, usize> {
    static WATCHING: Mutex<usize> = Mutex::new(0);
    WATCHING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether nobody watches, so that a signal ends the process as it always does: a handler that was set once is never taken
/// away again.
fn unwatched() -> io::Result<&'static Arc<AtomicBool>> {
    static UNWATCHED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(flag) = UNWATCHED.get() {
        return Ok(flag);
    }
    let flag = Arc::new(AtomicBool::new(true));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_default(signal, Arc::clone(&flag))?;
    }
    Ok(UNWATCHED.get_or_init(|| flag))
}
