//! What the driver and the workers say to each other.
//!
//! A worker asks to join with a [`Hello`], which the driver answers; from then on the driver gives [`Order`]s and the
//! worker says [`Word`]s. Invariant: all of it is plain data with derived codecs, and travels in an `envelope`.

use std::fmt;

use podwire_codec_derive::Codec;

use super::{description::Description, paths::Offer, refusal::Refusal};
use crate::run::{Report, Snapshot};

/// A process of the application, unique for as long as it lives and after.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) struct WorkerId(pub String);

/// What a worker wants to run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) enum Wants {
    /// Whatever is left.
    All,
    /// These fragments.
    Fragments(Vec<String>),
}

/// Which processes can share memory: those for which all of this is equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) struct HostId {
    /// The kernel, and when it was booted.
    pub boot: String,
    /// The directory of the shared memory: device and inode, as containers of one host have their own.
    pub memory: (u64, u64),
    /// The user, who owns it.
    pub user: u32,
}

/// What a worker has to give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) struct Resources {
    /// Processors that it may use.
    pub cores: u32,
    /// Bytes of memory that are free.
    pub memory: u64,
}

/// How a worker asks to join.
#[derive(Clone, Debug, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) struct Hello {
    pub worker: WorkerId,
    pub application: String,
    /// For people: the host and the process.
    pub name: String,
    pub wants: Wants,
    pub host: HostId,
    pub resources: Resources,
    /// The transports that it can take, best first.
    pub transports: Vec<Offer>,
    /// Of its [`Description`].
    pub digest: u64,
    /// The description itself, if the driver asked for it.
    pub description: Option<Description>,
}

/// What the driver answers to a [`Hello`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) enum Answer {
    /// What a worker asked to be heard was heard.
    Noted,
    /// The worker has joined, and waits for orders.
    Welcome,
    /// The digests differ: say hello again with the description.
    Describe,
    /// The worker cannot join now, but perhaps soon: who is there may be dead, and has not been missed yet.
    Later(Refusal),
    /// The worker cannot join.
    Refused(Refusal),
}

/// An answer, and who gives it: a worker goes when this driver does, and not when any other is gone.
#[derive(Clone, Debug, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) struct Answered {
    pub driver: WorkerId,
    pub answer: Answer,
}

/// A fragment, and who runs it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) struct Placed {
    pub fragment: String,
    pub worker: WorkerId,
    /// For people.
    pub name: String,
}

/// Who runs what, and which transport carries each connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) struct Plan {
    /// The run of the application: the same for all of its processes, and never the same again.
    pub run: String,
    /// The fragments of the worker that gets the plan, by place in the graph.
    pub yours: Vec<u32>,
    /// All fragments that are placed so far.
    pub placed: Vec<Placed>,
    /// By connection of the graph, the name of its transport; empty where the plan's reader does not take part.
    pub transports: Vec<String>,
    /// Whether one transport was asked for, so that connections take no other one.
    pub forced: bool,
    /// Whether the receiver waits for a lost worker's return, instead of ending.
    pub waits: bool,
    /// Milliseconds from one snapshot that the driver wants to the next; 0 if it wants none.
    pub watched: u64,
}

/// What a worker is told to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) enum Order {
    /// Prepare these fragments.
    Assign(Plan),
    /// Run them.
    Start,
    /// End them in order.
    Stop(Outcome),
    /// The application is over; leave.
    End(Outcome),
}

/// What a worker says once it has joined.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) enum Word {
    /// Its fragments are prepared.
    Ready,
    /// An operator failed, and the fragments are ending.
    Failed(Cause),
    /// An operator asked that the application stops.
    Stop {
        /// Its full name.
        operator: String,
    },
    /// The process got a signal.
    Interrupted {
        /// The signal's number.
        signal: i32,
    },
    /// Its fragments have ended; the report travels with this word.
    Finished,
    /// It leaves; its last report travels with this word.
    Bye,
    /// What it does at this moment, which travels with this word, for the driver's monitor.
    Doing,
}

/// A word, and what goes with it.
#[derive(Clone, Debug, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) struct Said {
    pub word: Word,
    /// With [`Word::Finished`] and [`Word::Bye`]: what the worker's fragments did.
    pub report: Option<Report>,
    /// With [`Word::Doing`]; and with the two above what the driver's monitor shows last.
    pub snapshot: Option<Snapshot>,
}

/// What failed, and where.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct Cause {
    /// Full name of the operator: `fragment1.ping`. Empty if it was none.
    pub operator: String,
    /// The fragments that it concerns.
    pub fragments: Vec<String>,
    /// The worker's host and process.
    pub worker: String,
    /// The error and its causes, in one line.
    pub what: String,
}

/// How the application ended, or is ending.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) enum Outcome {
    /// All operators had done what they had to do.
    Done,
    /// An operator asked for it.
    Stopped { operator: String },
    /// A signal came to one of the processes.
    Interrupted { signal: i32 },
    /// An operator, or a worker, failed.
    Failed(Cause),
    /// A worker was lost.
    WorkerLost { worker: String, fragments: Vec<String> },
    /// Nobody came to run these.
    Unmanned { fragments: Vec<String> },
    /// These did not end when they were told to.
    Stuck { workers: Vec<String>, fragments: Vec<String> },
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = format!("fragment {}, worker {}", self.fragments.join(", "), self.worker);
        match &*self.operator {
            "" => write!(f, "{place}: {}", self.what),
            operator => write!(f, "operator {operator} ({place}): {}", self.what),
        }
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
