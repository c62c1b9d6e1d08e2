//! What can go wrong with an application.
//!
//! Not here: mistakes of the composition one by one (`graph::problem`), and links (`transport::error`). Invariant: a
//! variant is a situation that a caller can act on.

use std::{any::Any, error::Error as StdError, io};

use crate::{graph::Problems, run::Report, transport::LinkError};

/// What operators return: anything, or an error of any kind.
pub type Result<T = (), E = Box<dyn StdError + Send + Sync>> = std::result::Result<T, E>;

/// An error and its causes, outermost first. A cause that the one before it says already, as many do, is not said again.
pub(crate) fn causes(error: &(dyn StdError + 'static)) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    for cause in std::iter::successors(Some(error), |error| (*error).source()) {
        let text = cause.to_string();
        if !causes.last().is_some_and(|before| before.ends_with(&text)) {
            causes.push(text);
        }
    }
    causes
}

/// What a panic says.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "the panic has no message".into())
}

/// Why an application did not run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not composed as it must be; nothing was started.
    #[error(transparent)]
    Composition(#[from] Problems),
    /// The command line asks for a driver or a worker, and the application was built without them.
    #[error("--driver and --worker need the feature `distributed`, which this application was built without")]
    NotDistributed,
    /// Some fragments run in another program, and this one was to run all of them.
    #[error(
        "{} run{} in another program: start this one with --driver or --worker, and that one beside it",
        .fragments.join(", "),
        if .fragments.len() == 1 { "s" } else { "" }
    )]
    Elsewhere {
        /// The fragments that this program only declares.
        fragments: Vec<String>,
    },
    /// The processes of the application could not come together, or something failed in one of them.
    #[cfg(feature = "distributed")]
    #[error(transparent)]
    Control(#[from] crate::control::ControlError),
    /// Something failed while it ran; everything was ended in order.
    #[error("{}", first_failure(.0))]
    Failed(Box<Report>),
    /// A connection could not be opened; nothing was started.
    #[error("a connection could not be opened")]
    Link(#[from] LinkError),
    /// The system gave no thread, or no signal handler.
    #[error("the system refused {what}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What it said.
        source: io::Error,
    },
}

impl Error {
    /// What was done until then, where that is known.
    pub(crate) fn report(&self) -> Option<&Report> {
        #[cfg(feature = "distributed")]
        if let Self::Control(error) = self {
            return error.report();
        }
        if let Self::Failed(report) = self { Some(report) } else { None }
    }
}

fn first_failure(report: &Report) -> String {
    report.failures.first().map_or_else(|| "it failed".into(), ToString::to_string)
}

/// Why a message was not emitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The operator has no such output.
    #[error("{operator} has no output \"{port}\"{}", crate::graph::instead(port, known))]
    UnknownPort {
        /// The operator.
        operator: String,
        /// The name.
        port: String,
        /// Its outputs.
        known: Vec<String>,
    },
    /// The output is for messages of another type.
    #[error("output {port} is for {declared}, and the message is of type {given}")]
    WrongType {
        /// The output: `fragment1.ping.out`.
        port: String,
        /// Its type.
        declared: String,
        /// The type of the message.
        given: &'static str,
    },
    /// The policy of the input is `WhenFull::Refuse`, and there is no room. Other receivers of the output have the message.
    #[error("{connection} is full: {capacity} messages wait")]
    Full {
        /// The connection.
        connection: String,
        /// Its capacity.
        capacity: usize,
    },
    /// The application is being stopped, and nobody will make room. To be passed on: it does not count as a failure.
    #[error("{connection} is full, and the application is being stopped")]
    Stopping {
        /// The connection.
        connection: String,
    },
    /// The operators that could make room wait for others, and those for this one: some input needs more capacity, or
    /// another policy.
    #[error("{connection} is full, and those who could make room wait for this operator: nobody can go on")]
    Deadlock {
        /// The connection.
        connection: String,
    },
    /// The link to another process does not carry the message.
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// Why a message was not received.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The operator has no such input.
    #[error("{operator} has no input \"{port}\"{}", crate::graph::instead(port, known))]
    UnknownPort {
        /// The operator.
        operator: String,
        /// The name.
        port: String,
        /// Its inputs.
        known: Vec<String>,
    },
    /// No message waits at the input.
    #[error("no message waits at input {port}")]
    Empty {
        /// The input: `fragment1.pong.in`.
        port: String,
    },
    /// The message is of another type. It was taken from the input.
    #[error("the message at input {port} is no {wanted}")]
    WrongType {
        /// The input.
        port: String,
        /// The type that was asked for.
        wanted: &'static str,
        /// The message.
        message: crate::message::Message,
    },
    /// What came over the link from another process is no message, or the link failed.
    #[error(transparent)]
    Link(#[from] LinkError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_not_said_twice() {
        #[derive(Debug, thiserror::Error)]
        #[error("the lens is dirty")]
        struct Dirty;
        #[derive(Debug, thiserror::Error)]
        #[error("camera 3: {0}")]
        struct Camera(#[source] Dirty);
        #[derive(Debug, thiserror::Error)]
        #[error("no picture")]
        struct Picture(#[source] Camera);
        assert_eq!(causes(&Picture(Camera(Dirty))), ["no picture", "camera 3: the lens is dirty"]);
    }
}
