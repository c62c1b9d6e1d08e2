//! What every endpoint promises, as a suite that runs over yours.
//!
//! The contract of [`Endpoint`] in words that can be checked: each [`Promise`] has cases that try to catch the endpoint
//! breaking it, and the [`Report`] names every promise that was broken, and how. The endpoints of podwire pass it; so
//! should a backend of your own, before values go through it.
//!
//! An endpoint that is written to and read from is one line in a test:
//!
//! ```
//! use podwire_codec_core::Buffer;
//! use podwire_codec_core::endpoint::conformance::Suite;
//!
//! Suite::of_endpoint(Buffer::new).run().assert();
//! ```
//!
//! Where one end is written to and another is read from, say how the one becomes the other, when all is written:
//!
//! ```
//! use podwire_codec_core::endpoint::conformance::{Promise, Room, Suite};
//! use podwire_codec_core::{SliceReader, SliceWriter};
//!
//! let memory = || SliceWriter::new(vec![0; 4096].leak());
//! let report = Suite::of_halves(
//!     move || Ok(memory()),
//!     |writer| Ok(SliceReader::new(writer.written().to_vec().leak())),
//! )
//! .room(Room::Fixed(4096))
//! .run();
//! println!("{report}"); // a line for each promise
//! assert!(report.kept(Promise::BytesInOrder));
//! report.assert();
//! ```
//!
//! Every case has a fresh endpoint, and everything runs on a thread of its own, so that an endpoint which panics, or
//! never comes back, is reported like any other.

use std::boxed::Box;
use std::time::Duration;

use super::Endpoint;
use crate::conformance::{self, Stop, Tried};
use crate::error::Result;

mod bytes;
mod connection;
mod promise;
mod segments;
mod values;
mod windows;

pub use crate::conformance::{Breach, Outcome};
pub use connection::Room;
pub use promise::Promise;
pub use values::Values;

use connection::{Backend, Bench, Both, Halves};

/// What became of each promise of an endpoint.
pub type Report = conformance::Report<Promise>;

/// What a user adds to the values.
type Further = Box<dyn FnMut(&mut Values<'_>) -> Result<(), Breach> + Send>;

/// The suite, over one kind of endpoint.
pub struct Suite {
    backend: Box<dyn Backend + Send>,
    room: Room,
    patience: Duration,
    further: Option<Further>,
}

impl Suite {
    /// How long one promise may take, if nothing else was asked for.
    pub const PATIENCE: Duration = Duration::from_secs(120);

    /// The suite over an endpoint that is both written to and read from; `make` gives a new, empty one.
    pub fn of_endpoint<E: Endpoint + 'static>(make: impl FnMut() -> E + Send + 'static) -> Self {
        Self::over(Both(make))
    }

    /// The suite over a pair: `open` gives an end to write to, and `turn` takes it when everything is written and
    /// gives the end to read from, at which the input ends behind the last byte that was written.
    pub fn of_halves<W: Endpoint + 'static, R: Endpoint + 'static>(
        open: impl FnMut() -> Result<W> + Send + 'static,
        turn: impl FnMut(W) -> Result<R> + Send + 'static,
    ) -> Self {
        Self::over(Halves { open, turn })
    }

    fn over(backend: impl Backend + Send + 'static) -> Self {
        Self { backend: Box::new(backend), room: Room::Ample, patience: Self::PATIENCE, further: None }
    }

    /// How much the endpoint takes before something is read. Default: [`Room::Ample`].
    #[must_use]
    pub fn room(mut self, room: Room) -> Self {
        self.room = room;
        self
    }

    /// How long one promise may take before the endpoint counts as hanging. Default: [`PATIENCE`](Self::PATIENCE).
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sends further values over the endpoint, such as those that your program sends.
    ///
    /// ```
    /// use podwire_codec_core::Buffer;
    /// use podwire_codec_core::endpoint::conformance::Suite;
    ///
    /// let suite = Suite::of_endpoint(Buffer::new);
    /// suite.values(|values| values.look("a pair", &(1_u8, "two".to_owned()))).run().assert();
    /// ```
    #[must_use]
    pub fn values(
        mut self,
        send: impl FnMut(&mut Values<'_>) -> Result<(), Breach> + Send + 'static,
    ) -> Self {
        self.further = Some(Box::new(send));
        self
    }

    /// Tries every promise.
    pub fn run(self) -> Report {
        let Self { mut backend, room, patience, mut further } = self;
        conformance::run(patience, move |promise| {
            case(promise, &mut Bench::new(&mut *backend, room), &mut further)
        })
    }
}

impl core::fmt::Debug for Suite {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Suite")
            .field("room", &self.room)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

fn case(promise: Promise, bench: &mut Bench<'_>, further: &mut Option<Further>) -> Tried {
    match promise {
        Promise::BytesInOrder => bytes::in_order(bench),
        Promise::NothingIsNothing => bytes::nothing(bench),
        Promise::LargeTransfers => bytes::large(bench),
        Promise::EndIsReported => bytes::end(bench),
        Promise::FullIsReported => bytes::full(bench),
        Promise::Interleaved => bytes::interleaved(bench),
        Promise::WindowsAreWritten => windows::written(bench),
        Promise::LookAheadIsTrue => windows::look_ahead(bench),
        Promise::RemainingIsTrue => windows::remaining(bench),
        Promise::ValuesComeBack => values::come_back(bench, further),
        Promise::NothingBeyond => values::nothing_beyond(bench),
        Promise::WrittenIsCounted => values::counted(bench),
        Promise::TruncationIsFound => values::truncated(bench),
        Promise::CapabilitiesHold => segments::capabilities(bench),
        Promise::SegmentsComeBack => segments::come_back(bench),
        Promise::SegmentsAreAligned => segments::aligned(bench),
        Promise::SegmentsAreReadable => segments::readable(bench),
        Promise::UnknownSegments => segments::unknown(bench),
        Promise::SegmentsStay => segments::stay(bench),
    }
}
