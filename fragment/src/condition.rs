//! When an operator runs, and what becomes of a message that finds no room.
//!
//! Not here: who looks whether a condition holds, which is `run`. Invariant: conditions are plain data, so that all
//! processes of an application can compare them.

use std::time::Duration;

use podwire_codec_derive::Codec;

/// What `emit` does when as many messages wait in a connection as the input's capacity allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Codec)]
#[codec(crate = podwire_codec_core)]
pub enum WhenFull {
    /// It waits until there is room.
    #[default]
    Block,
    /// The message that waits longest is dropped, and counted.
    DropOldest,
    /// It gives [`EmitError::Full`](crate::EmitError::Full), and nothing is sent on this connection.
    Refuse,
}

/// Which inputs must have messages before an operator runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Codec)]
#[codec(crate = podwire_codec_core)]
pub enum WhenInputs {
    /// Each of them. The operator ends when one is closed and has no messages left.
    #[default]
    All,
    /// One of them. The operator ends when all are closed and have no messages left.
    Any,
}

/// When an operator runs: all of this must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct Conditions {
    /// After so many runs it ends.
    pub count: Option<u64>,
    /// Runs begin at multiples of this time after the first one; those that are missed are left out.
    pub period: Option<Duration>,
    /// Its inputs have messages. Inputs that are optional are not asked.
    pub inputs: WhenInputs,
}

/// What becomes of an application when a process of it dies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Codec)]
#[codec(crate = podwire_codec_core)]
pub enum WorkerLost {
    /// It ends, in order, with the name of the process.
    #[default]
    End,
    /// Operators that need something from it wait until it is back.
    Wait,
}
