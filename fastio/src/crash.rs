//! Named steps of the protocol at which a test has this process killed.
//!
//! Not in normal builds: without the feature `crash-points` the macro is empty. Invariant: a killed process runs
//! nothing after its step, no destructor and no handler.

/// Dies here, by SIGKILL, if `PODWIRE_CRASH_POINT` names this step.
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
    "after-remove-flag",
    "after-remove-rename",
    "after-remove-unlink",
];

#[cfg(feature = "crash-points")]
pub(crate) fn reach(name: &str) {
    debug_assert!(CRASH_POINTS.contains(&name), "{name} is not listed");
    if std::env::var_os("PODWIRE_CRASH_POINT").is_some_and(|wanted| wanted == name) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}
