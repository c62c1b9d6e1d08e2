//! Removing a pipeline whole.
//!
//! Not here: removing single allocations. Invariant: the directory first gets a name that no pipeline has, in one
//! step; what a killed remover leaves, the next remover or sweep takes away.

use std::{
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::SystemTime,
};

use crate::{
    crash::crash_point,
    directory::Directory,
    error::{Error, Result},
    futex,
    store::open_control,
};

const REMOVED: &str = ".removed-";

/// Removes a pipeline; whether there was one.
pub(crate) fn remove(base: &Directory, pipeline: &str) -> Result<bool> {
    let Some(directory) = base.directory(pipeline)? else {
        finish(base);
        return Ok(false);
    };
    // A damaged control file must not keep its pipeline from being removed.
    if let Ok(Some(map)) = open_control(&directory)
        && let Some(control) = map.record::<crate::sys::Control>(0)
    {
        control.removed.store(1, SeqCst);
        crash_point!("after-remove-flag");
        for wait in &control.waits {
            futex::notify(&wait.events, &wait.waiters);
        }
    }
    let renamed = loop {
        let to = unused_name();
        match base.rename(pipeline, &to) {
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists => {}
            other => break other?.then_some(to),
        }
    };
    crash_point!("after-remove-rename");
    if let Some(name) = &renamed
        && let Some(taken) = base.directory(name)?
    {
        if taken.identity()? != directory.identity()? {
            // Another remover was faster, and this is a new pipeline of that name already: it stays.
            base.rename(name, pipeline)?;
            return Ok(false);
        }
        taken.empty()?;
        crash_point!("after-remove-unlink");
        base.remove_directory(name)?;
    }
    finish(base);
    Ok(renamed.is_some())
}

/// Takes away what killed removers left, and the base directory if nothing is in it.
pub(crate) fn finish(base: &Directory) {
    // The base itself may be gone by now.
    for entry in base.entries().unwrap_or_default() {
        if entry.starts_with(REMOVED) {
            // Another remover may be at the same work; what it is faster with is no error.
            let _ = base.directory(&entry).and_then(|left| left.map_or(Ok(()), |left| left.empty()));
            let _ = base.remove_directory(&entry);
        }
    }
    let _ = std::fs::remove_dir(base.path());
}

/// A name that is very likely not there; the rename finds out.
fn unused_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    let count = COUNT.fetch_add(1, SeqCst);
    format!("{REMOVED}{}-{time}-{count}", rustix::process::getpid().as_raw_nonzero())
}
