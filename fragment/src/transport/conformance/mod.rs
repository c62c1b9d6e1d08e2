//! What every transport promises, as a suite that runs over yours.
//!
//! The contract of [`Transport`] in cases that try to catch a transport breaking it; the [`Report`] names every promise
//! that was broken, and how. The transports of podwire pass it; so should one of your own.
//!
//! ```no_run
//! use podwire_fragment::transport::{Transport, conformance::{self, Pair, Suite}};
//! # fn transport() -> std::sync::Arc<dyn Transport> { unreachable!() }
//!
//! // #[test]
//! fn the_transport_keeps_its_contract() {
//!     let suite = Suite::over(Pair::of(transport()));
//!     suite.processes(|| conformance::test_process("play")).run().assert();
//! }
//!
//! // #[test]
//! fn play() {
//!     conformance::play(|| transport()); // the other end, in a process that is killed
//! }
//! ```
//!
//! Every case has links of its own, and everything runs on a thread of its own, so that a transport which panics, or
//! never comes back, is reported like any other.

use std::{cell::Cell, process::Command, sync::Arc, time::Duration};

use podwire_codec_core::conformance::{self, Stop, Tried};

use super::{Link, Transport};

mod bench;
mod flow;
mod lives;
mod promise;
mod puppet;
mod types;
mod values;

pub use podwire_codec_core::conformance::{Breach, Outcome};
pub use promise::Promise;
pub use puppet::{play, test_process};

use bench::Bench;

/// What became of each promise of a transport.
pub type Report = conformance::Report<Promise>;

/// The two sides of a link: each end is opened on its own side.
#[derive(Clone)]
pub struct Pair {
    /// Where the sending ends are opened.
    pub sending: Arc<dyn Transport>,
    /// Where the receiving ends are opened.
    pub receiving: Arc<dyn Transport>,
}

impl Pair {
    /// One transport for both sides.
    #[must_use]
    pub fn of(transport: Arc<dyn Transport>) -> Self {
        Self { sending: Arc::clone(&transport), receiving: transport }
    }
}

type Start = Box<dyn FnMut() -> Command + Send>;
type Garble = Box<dyn FnMut(&Link, &[u8]) + Send>;

/// The suite, over one kind of transport.
pub struct Suite {
    pair: Pair,
    largest: usize,
    patience: Duration,
    outlives: bool,
    in_process: bool,
    once: bool,
    start: Option<Start>,
    garble: Option<Garble>,
}

impl Suite {
    /// How long one promise may take, if nothing else was asked for.
    pub const PATIENCE: Duration = Duration::from_secs(120);

    /// The suite over these two sides.
    #[must_use]
    pub fn over(pair: Pair) -> Self {
        Self {
            pair,
            largest: 16 << 20,
            patience: Self::PATIENCE,
            outlives: true,
            in_process: false,
            once: false,
            start: None,
            garble: None,
        }
    }

    /// The largest value that is sent, in bytes. Default: 16 MiB. One of more than 16 MiB is sent only where five times as
    /// much memory is free; the report says if not.
    #[must_use]
    pub fn largest(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }

    /// How long one promise may take before the transport counts as hanging. Default: [`PATIENCE`](Self::PATIENCE).
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts processes that end in [`play`]; without them, nobody is killed.
    #[must_use]
    pub fn processes(mut self, start: impl FnMut() -> Command + Send + 'static) -> Self {
        self.start = Some(Box::new(start));
        self
    }

    /// Brings bytes that are no message to the receiver of a link, as a broken or hostile sender would; without it,
    /// nobody does. No sender is open then.
    #[must_use]
    pub fn garbage(mut self, send: impl FnMut(&Link, &[u8]) + Send + 'static) -> Self {
        self.garble = Some(Box::new(send));
        self
    }

    /// Messages that were sent and not received die with the process of their sender.
    #[must_use]
    pub fn messages_die_with_their_sender(mut self) -> Self {
        self.outlives = false;
        self
    }

    /// Messages move as pointers and are not encoded: what has no codec can be sent as well.
    #[must_use]
    pub fn messages_are_pointers(mut self) -> Self {
        self.in_process = true;
        self
    }

    /// Each end of a link is opened once.
    #[must_use]
    pub fn ends_open_once(mut self) -> Self {
        self.once = true;
        self
    }

    /// Tries every promise.
    pub fn run(mut self) -> Report {
        conformance::run(self.patience, move |promise| {
            let mut bench = Bench {
                pair: &self.pair,
                promise,
                largest: self.largest,
                outlives: self.outlives,
                in_process: self.in_process,
                once: self.once,
                start: &mut self.start,
                garble: &mut self.garble,
                links: Cell::new(0),
            };
            case(promise, &mut bench)
        })
    }
}

impl std::fmt::Debug for Suite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Suite").field("transport", &self.pair.sending.name()).finish_non_exhaustive()
    }
}

fn case(promise: Promise, bench: &mut Bench<'_>) -> Tried {
    match promise {
        Promise::EitherEndFirst => flow::either_end_first(bench),
        Promise::OrderIsKept => flow::order(bench),
        Promise::CapacityIsHonest => flow::capacity(bench),
        Promise::RoomWakes => flow::room_wakes(bench),
        Promise::MessagesWake => flow::messages_wake(bench),
        Promise::EverySize => values::every_size(bench),
        Promise::HugeValues => values::huge(bench),
        Promise::EveryType => types::every_type(bench),
        Promise::ArraysStay => values::arrays(bench),
        Promise::MetadataTravels => values::metadata(bench),
        Promise::BadValuesAreErrors => values::bad(bench),
        Promise::GarbageIsRefused => values::garbage(bench),
        Promise::FloodIsBounded => flow::flood(bench),
        Promise::TrafficIsCounted => flow::counted(bench),
        Promise::CloseIsSeen => lives::close(bench),
        Promise::LinksReopen => lives::reopen(bench),
        Promise::SenderMayDie => lives::sender_dies(bench),
        Promise::ReceiverMayDie => lives::receiver_dies(bench),
    }
}
