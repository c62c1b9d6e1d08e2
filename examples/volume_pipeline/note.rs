//! What a stage tells the parent. A note travels as a message, with the name of its codec, through the pipe that is the
//! stage's standard output; the parent finds the codec by that name.
//!
//! Times are nanoseconds of `CLOCK_MONOTONIC`, which all processes of a host share.

use std::io::{BufRead, Write};
use std::time::Duration;

use podwire::{Codec, CodecRegistry, Error, IoReader, IoWriter};
use rustix::time::{ClockId, clock_gettime};

#[derive(Codec, Debug, PartialEq)]
#[codec(register)]
pub(crate) enum Note {
    /// A step is done, `at` this moment, which took so long.
    Did { step: String, took: u64, at: u64 },
    /// An object is about to get its name: `at` is right before.
    Published { object: Object, copied: u64, at: u64 },
    /// An object was mapped that had been asked for: `at` is right after.
    Mapped { name: String, copied: u64, asked: u64, at: u64 },
    /// The stage ends here.
    Failed { reason: String },
}

/// Something that has a name in the pipeline.
#[derive(Clone, Codec, Debug, PartialEq)]
pub(crate) struct Object {
    pub(crate) name: String,
    /// Element type and shape of an array; the codec of a value.
    pub(crate) what: String,
    pub(crate) is_array: bool,
    pub(crate) bytes: u64,
}

impl Note {
    /// Sends the note.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if nobody listens any more.
    pub(crate) fn send(&self, to: impl Write) -> Result<(), Error> {
        let mut endpoint = IoWriter(to);
        CodecRegistry::global().serialize(self, &mut endpoint)?;
        endpoint.0.flush().map_err(Error::Io)
    }

    /// The next note; `None` at the end.
    ///
    /// # Errors
    ///
    /// Those of the registry, if what came is no note.
    pub(crate) fn receive(from: &mut impl BufRead) -> Result<Option<Note>, Error> {
        if from.fill_buf().map_err(Error::Io)?.is_empty() {
            return Ok(None);
        }
        let value = CodecRegistry::global().deserialize(&mut IoReader(from))?;
        Ok(value.downcast().ok().map(|note| *note))
    }
}

/// The time now.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32).as_nanos() as u64
}
