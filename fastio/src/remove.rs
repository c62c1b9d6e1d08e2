//! Removing a pipeline whole.
//!
//! Not here: removing single allocations. Invariant: the directory first gets a name that no pipeline has, in one step,
//! by whoever has the kernel's lock on it; what a killed remover leaves, the next remover or sweep takes away.

use std::{
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::{Duration, SystemTime},
};

use crate::{
    crash::crash_point,
    directory::Directory,
    error::{Error, Result},
    futex::{self, Deadline},
    membership,
    store::open_control,
};

const REMOVED: &str = ".removed-";

/// How long to wait for another remover of the same pipeline.
const PATIENCE: Duration = Duration::from_secs(1);

/// Removes a pipeline; whether there was one.
pub(crate) fn remove(base: &Directory, pipeline: &str) -> Result<bool> {
    let Some(directory) = base.directory(pipeline)? else {
        finish(base);
        return Ok(false);
    };
    // A damaged control file must not keep its pipeline from being removed.
    if let Ok(Some(control)) = open_control(&directory)
        && let Some(control) = control.get(0)
    {
        control.removed.store(membership::REMOVED, SeqCst);
        crash_point!("after-remove-flag");
        for wait in &control.waits {
            futex::notify(&wait.events, &wait.waiters);
        }
    }
    let deadline = Deadline::after(PATIENCE);
    while !directory.try_lock()? {
        let time =
            deadline.slice(|| format!("another process that removes {}", directory.path().display()))?;
        std::thread::sleep(time.min(Duration::from_millis(1)));
    }
    take_away(base, pipeline, &directory)
}

/// Removes the pipeline of which this is the directory, and which is marked as removed; unless somebody is at it.
pub(crate) fn go_on_removing(base: &Directory, pipeline: &str, identity: (u64, u64)) -> Result<()> {
    if let Some(directory) = base.directory(pipeline)?
        && directory.identity()? == identity
        && directory.try_lock()?
    {
        take_away(base, pipeline, &directory)?;
    }
    Ok(())
}

/// The rest, with the lock on the directory; whether it was still there.
fn take_away(base: &Directory, pipeline: &str, directory: &Directory) -> Result<bool> {
    // Who had the lock before may have removed it, and what has the name now may be new. Only who has the lock takes the
    // name away.
    let is_there = match base.directory(pipeline)? {
        Some(named) => named.identity()? == directory.identity()?,
        None => false,
    };
    if is_there {
        let name = loop {
            let name = unused_name();
            match base.rename(pipeline, &name) {
                Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists => {}
                renamed => break renamed.map(|_| name)?,
            }
        };
        crash_point!("after-remove-rename");
        directory.empty()?;
        crash_point!("after-remove-unlink");
        // If somebody who came too late makes a file there, the next remover takes that away.
        base.remove_directory(&name)?;
    }
    finish(base);
    Ok(is_there)
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
