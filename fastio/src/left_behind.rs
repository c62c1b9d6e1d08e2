//! Pipelines that were to go with their last member, and are still there because that one was killed.
//!
//! Not here: removing them, which opening one does. Invariant: a pipeline that a living process has open, is about to open,
//! or that is to stay, is not touched; and what is looked at is never created.

use std::sync::atomic::Ordering::SeqCst;

use crate::{
    context::FastIoContext,
    directory::Directory,
    error::{Error, Result},
    name, remove,
    slot::SlotLock,
    store::open_control,
};

impl FastIoContext {
    /// Removes the pipelines of this user that are [ephemeral](crate::PipelineOptions::ephemeral) and whose members were all
    /// killed; how many.
    ///
    /// Whether a process lives is what the kernel's locks say. One pipeline that cannot be looked at keeps no other from
    /// going.
    ///
    /// # Errors
    /// [`Error::NotPrivate`], [`Error::Io`] if the pipelines cannot be listed.
    pub fn remove_left_behind() -> Result<usize> {
        let Some(base) = Directory::base_if_there()? else { return Ok(0) };
        let mut pipelines = base.entries()?;
        pipelines.retain(|entry| name::check_pipeline(entry).is_ok());
        let removed = pipelines.iter().filter(|it| remove_one(&base, it).unwrap_or(false)).count();
        remove::finish(&base);
        Ok(removed)
    }
}

/// Removes a pipeline if it was left behind; whether it was.
fn remove_one(base: &Directory, pipeline: &str) -> Result<bool> {
    let Some(directory) = base.directory(pipeline)? else { return Ok(false) };
    if !is_left_behind(&directory)? {
        return Ok(false);
    }
    // Who opens it asks again, with a slot of its own, and removes it. If another process was faster, it is in use now, and
    // this one leaves it again.
    match FastIoContext::open_once(base, pipeline, usize::MAX) {
        Err(Error::Removed) => Ok(true),
        other => other.map(|_| false),
    }
}

/// Whether it is ephemeral, and whoever was in it is dead.
fn is_left_behind(directory: &Directory) -> Result<bool> {
    let control = open_control(directory)?;
    let Some(control) = control.as_ref().and_then(|control| control.get(0)) else { return Ok(false) };
    if control.ephemeral.load(SeqCst) == 0 {
        return Ok(false);
    }
    let mut dead = false;
    for (slot, used) in control.slots.iter().enumerate() {
        if used.load(SeqCst) != 0 {
            if SlotLock::try_take(directory, slot as u16)?.is_none() {
                return Ok(false);
            }
            dead = true;
        }
    }
    Ok(dead)
}
