//! The three stages, each a process of its own: how one comes to its errand, and what they all work with.

pub(crate) mod load;
pub(crate) mod report;
pub(crate) mod segment;

use std::cell::Cell;
use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::process::parent_id;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use podwire::fastio::{ContentKind, FastIoAllocation, FastIoContext};
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::note::{Note, Object, now};

/// How long a stage waits for what another one publishes. The parent ends the waiting much earlier if that one dies.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// Whatever ends a stage is told to the parent in words, so that no stage needs error types of its own.
pub(crate) type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Load,
    Segment,
    Report,
}

impl Stage {
    pub(crate) const ALL: [Stage; 3] = [Stage::Load, Stage::Segment, Stage::Report];
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Stage::Load => "load",
            Stage::Segment => "segment",
            Stage::Report => "report",
        })
    }
}

/// What a process is to do, as it stands on its command line.
#[derive(Debug)]
pub(crate) struct Errand {
    pub(crate) stage: Stage,
    /// The process number of the parent.
    pub(crate) parent: u32,
    pub(crate) pipeline: String,
    pub(crate) volume: PathBuf,
    pub(crate) picture: PathBuf,
}

impl Errand {
    const MARK: &'static str = "--stage";

    /// The arguments of the process that is to run the errand.
    pub(crate) fn to_arguments(&self) -> [OsString; 6] {
        [
            Self::MARK.into(),
            self.stage.to_string().into(),
            self.parent.to_string().into(),
            self.pipeline.clone().into(),
            self.volume.clone().into(),
            self.picture.clone().into(),
        ]
    }

    /// The way back; `None` for the arguments that people write.
    pub(crate) fn from_arguments(arguments: &[OsString]) -> Option<Errand> {
        let [mark, stage, parent, pipeline, volume, picture] = arguments else { return None };
        let stage = Stage::ALL.into_iter().find(|known| known.to_string().as_str() == stage);
        (mark == Self::MARK).then_some(Errand {
            stage: stage?,
            parent: parent.to_str()?.parse().ok()?,
            pipeline: pipeline.to_str()?.to_owned(),
            volume: volume.into(),
            picture: picture.into(),
        })
    }

    /// Runs the stage in this process.
    pub(crate) fn run(self) -> ExitCode {
        let Err(error) = self.try_run() else { return ExitCode::SUCCESS };
        // If nobody hears it, the parent is gone, and whoever ended that knows why.
        let _ = Note::Failed { reason: error.to_string() }.send(std::io::stdout());
        ExitCode::FAILURE
    }

    fn try_run(&self) -> Result<()> {
        // No stage outlives the parent; the second line is for a parent that was gone before the first.
        set_parent_process_death_signal(Some(Signal::KILL))?;
        if parent_id() != self.parent {
            return Err("the parent is gone".into());
        }
        let desk = Desk::open(&self.pipeline)?;
        match self.stage {
            Stage::Load => load::run(&desk, &self.volume),
            Stage::Segment => segment::run(&desk),
            Stage::Report => report::run(&desk, &self.picture),
        }
    }
}

/// What a stage works with: the pipeline, and the way to tell the parent what was done.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) context: FastIoContext,
    /// Bytes that had been copied when the last object was noted.
    copied: Cell<u64>,
    /// When the last step was done, and the next one began.
    step: Cell<u64>,
    /// When the stage began to wait for an object.
    asked: Cell<u64>,
}

impl Desk {
    fn open(pipeline: &str) -> Result<Desk> {
        let (step, asked) = (Cell::new(now()), Cell::new(now()));
        Ok(Desk { context: FastIoContext::open(pipeline)?, copied: Cell::new(0), step, asked })
    }

    /// Tells of a step that is done; the next one begins.
    pub(crate) fn did(&self, step: impl Into<String>) -> Result<()> {
        let at = now();
        let took = at.saturating_sub(self.step.replace(at));
        Ok(Note::Did { step: step.into(), took, at }.send(std::io::stdout())?)
    }

    /// Tells of an object that was published; `at` was taken right before.
    pub(crate) fn published(&self, name: &str, allocation: &FastIoAllocation, at: u64) -> Result<()> {
        let metadata = allocation.metadata()?;
        let what = match (&metadata.dtype, &metadata.codec) {
            (Some(dtype), _) => format!("{dtype} {:?}", metadata.shape),
            (None, codec) => codec.clone().unwrap_or_default(),
        };
        let object = Object {
            name: name.to_owned(),
            what,
            is_array: metadata.kind == ContentKind::Array,
            bytes: allocation.len() as u64,
        };
        let copied = self.copied_since()?;
        Ok(Note::Published { object, copied, at }.send(std::io::stdout())?)
    }

    /// Begins to wait for an object; gives the context to wait with.
    pub(crate) fn ask(&self) -> &FastIoContext {
        self.asked.set(now());
        &self.context
    }

    /// Tells of the object asked for last, which was mapped this moment.
    pub(crate) fn mapped(&self, name: &str) -> Result<()> {
        let (asked, at) = (self.asked.get(), now());
        let copied = self.copied_since()?;
        Ok(Note::Mapped { name: name.to_owned(), copied, asked, at }.send(std::io::stdout())?)
    }

    /// What Fast I/O has copied in this process since the last object: nothing that it copies stays unsaid.
    fn copied_since(&self) -> Result<u64> {
        let copied = self.context.stats()?.bytes_copied;
        Ok(copied - self.copied.replace(copied))
    }
}
