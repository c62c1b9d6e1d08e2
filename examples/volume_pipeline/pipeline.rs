//! A pipeline for one run: of a name that no other run has, and gone when the run is over.
//!
//! Only if the parent itself is killed by force does one stay behind. The next run takes it away: every process that
//! has a pipeline open is one of its `processes` for Fast I/O, so that one without others is nobody's any more.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use podwire::fastio::{Error, FastIoContext, Result};

const PREFIX: &str = "volume-pipeline-";

#[derive(Debug)]
pub(crate) struct Pipeline {
    name: String,
    /// Says that the pipeline is in use, also before the first stage has opened it.
    context: FastIoContext,
}

impl Pipeline {
    /// Creates a pipeline.
    ///
    /// # Errors
    ///
    /// Those of [`FastIoContext::open`].
    pub(crate) fn create() -> Result<Pipeline> {
        loop {
            let random = RandomState::new().build_hasher().finish() as u32;
            let name = format!("{PREFIX}{}-{random:08x}", std::process::id());
            let context = FastIoContext::open(&name)?;
            let pipeline = Pipeline { name, context };
            pipeline.remove_leftovers();
            match pipeline.context.stats() {
                // Another run looked for leftovers while this one was about to open: it looked like one.
                Err(Error::Removed) => {}
                other => return other.map(|_| pipeline),
            }
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Removes the pipelines of runs that were killed, as far as that is possible.
    fn remove_leftovers(&self) {
        let entries = self.context.path().parent().and_then(|base| base.read_dir().ok());
        for entry in entries.into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.starts_with(PREFIX) && name != self.name && is_abandoned(&name).unwrap_or(false) {
                let _ = FastIoContext::remove(&name);
            }
        }
    }
}

/// Whether no living process but this one has the pipeline open.
fn is_abandoned(name: &str) -> Result<bool> {
    let context = FastIoContext::open(name)?;
    context.sweep()?;
    Ok(context.stats()?.processes == 1)
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        if let Err(error) = FastIoContext::remove(&self.name) {
            eprintln!("volume_pipeline: the pipeline {} stays behind: {error}", self.name);
        }
    }
}
