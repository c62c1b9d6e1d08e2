//! Named steps of the protocol at which a test has this process killed, and system calls that a test has fail.
//!
//! Not in normal builds: without the feature `crash-points` the macro is empty, and no call fails here. Invariant: a
//! killed process runs nothing after its step, no destructor and no handler; a call that fails here was not made.

#[cfg(feature = "crash-points")]
use rustix::process::Signal;

/// Dies here, by SIGKILL, if `PODWIRE_CRASH_POINT` names this step; stops here if `PODWIRE_STOP_POINT` does.
macro_rules! crash_point {
    ($name:literal) => {
        #[cfg(feature = "crash-points")]
        $crate::crash::reach($name);
    };
}
pub(crate) use crash_point;

/// Every step, in the order of the protocol; tests go through all of them.
#[cfg(feature = "crash-points")]
pub const CRASH_POINTS: &[&str] = &[
    "after-mkdir",
    "after-control-fallocate",
    "after-control-link",
    "after-slot-file",
    "after-slot-lock",
    "after-slot-coming",
    "after-slot-used",
    "index-locked",
    "after-chunk-link",
    "after-epoch",
    "after-making",
    "after-create",
    "after-fallocate",
    "after-map",
    "after-header",
    "after-private",
    "pool-popped",
    "before-reuse",
    "after-reuse",
    "after-child-listed",
    "after-child-counted",
    "after-metadata",
    "after-children-shared",
    "after-schema-link",
    "after-name-written",
    "before-publish",
    "after-publish",
    "after-name-linked",
    "after-old-name-removed",
    "before-wake",
    "after-unpublish-commit",
    "after-unpublish",
    "after-freed",
    "after-names-removed",
    "after-pooled",
    "after-children-released",
    "after-holder-cleared",
    "write-locked",
    "channel-made",
    "channel-attached",
    "channel-listed",
    "channel-counted",
    "channel-shared",
    "lent-marked",
    "lent-tagged",
    "channel-written",
    "channel-sent",
    "channel-taken",
    "channel-received",
    "after-hand-over",
    "channel-struck",
    "channel-settled",
    "channel-closed",
    "channel-retiring",
    "after-trim-making",
    "after-trim-punch",
    "after-trim-unlink",
    "after-trim-empty",
    "clean-started",
    "clean-poisoned",
    "clean-channel-end",
    "clean-segments",
    "clean-slot-free",
    "after-slot-cleared",
    "after-claim",
    "after-remove-flag",
    "after-remove-rename",
    "after-remove-unlink",
];

#[cfg(feature = "crash-points")]
pub(crate) fn reach(name: &str) {
    debug_assert!(CRASH_POINTS.contains(&name), "{name} is not listed");
    let signals = [("PODWIRE_CRASH_POINT", Signal::KILL), ("PODWIRE_STOP_POINT", Signal::STOP)];
    for (variable, signal) in signals {
        if std::env::var_os(variable).is_some_and(|wanted| wanted == name) {
            let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
            // Another thread may be the one that takes the signal, and this one must not go on meanwhile.
            std::thread::sleep(std::time::Duration::from_secs(10));
        }
    }
}

/// Stands before every system call that can fail on files: fails where a test wants this one to.
#[inline(always)]
pub(crate) fn may_fail() -> Result<(), rustix::io::Errno> {
    #[cfg(feature = "crash-points")]
    if failing() {
        return Err(rustix::io::Errno::IO);
    }
    Ok(())
}

#[cfg(feature = "crash-points")]
thread_local! {
    /// System calls of this thread so far, and those that are to fail.
    static CALLS: std::cell::Cell<(u64, u64, u64)> = const { std::cell::Cell::new((0, 0, 0)) };
}

#[cfg(feature = "crash-points")]
fn failing() -> bool {
    let (count, first, last) = CALLS.get();
    CALLS.set((count + 1, first, last));
    (first..last).contains(&count)
}

/// Has system calls of this thread fail that `action` makes, by their numbers from 0; how many it made comes with its
/// result.
#[cfg(feature = "crash-points")]
pub fn with_failing_calls<R>(failing: std::ops::Range<u64>, action: impl FnOnce() -> R) -> (R, u64) {
    CALLS.set((0, failing.start, failing.end));
    let result = action();
    let (count, ..) = CALLS.replace((0, 0, 0));
    (result, count)
}
