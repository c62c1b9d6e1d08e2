//! Applications cut into fragments and operators that run on threads, in one process or in several.
//!
//! Not here: what a value is as bytes (`podwire-codec-core`), and shared memory (`podwire-fastio`). Invariant: a message
//! that was emitted is received once, in order, or it is counted as dropped or lost and said so.
//!
//! What a user composes, and what comes of it:
//!
//! | file | what is in it |
//! |---|---|
//! | `application`, `fragment` | what is added, and how it is run |
//! | `operator`, `spec`, `condition`, `context` | what a user writes, and what it can ask for |
//! | `elsewhere` | operators that another program runs |
//! | `graph` | the composition, checked, as plain data |
//! | `run` | one thread for each operator, and when it computes |
//!
//! The way of a value, from `emit` to `receive`: an operator gives it to an output, which makes it a message and puts that
//! into each of its connections; a connection is a queue of this process, or a link of a transport to another one; either
//! rings the bell of the operator at its end, whose thread finds that its conditions hold, and takes it from its input. The
//! files in that order:
//!
//! | file | what is in it |
//! |---|---|
//! | `output` | `emit`: one value to each of its connections |
//! | `message` | a value on its way, and what travels with it |
//! | `lane` | the two ends of one connection, and waiting for room in it |
//! | `transport::local` | the queue between two threads |
//! | `transport` | the links between processes |
//! | `run::waker`, `run::conditions` | the bell of an operator, and what it looks at when it is rung |
//! | `input` | `receive`: of several connections each has its turn |
//!
//! What is around it:
//!
//! | file | what is in it |
//! |---|---|
//! | `command` | the command line of every application |
//! | `config` | parameters from a file, settings from the environment |
//! | `control` | several processes: driver, workers, placement (feature `distributed`) |
//! | `picture`, `monitor` | the graph for those who look at it; what runs, while it runs |
#![deny(unsafe_code)]

mod application;
pub mod command;
mod condition;
pub mod config;
mod context;
#[cfg(feature = "distributed")]
pub mod control;
mod elsewhere;
mod error;
mod fragment;
pub mod graph;
mod input;
mod lane;
mod message;
pub mod monitor;
mod operator;
mod output;
pub mod picture;
pub mod run;
mod spec;
pub mod transport;

pub use application::Application;
pub use condition::{Conditions, WhenFull, WhenInputs, WorkerLost};
pub use context::Context;
pub use error::{EmitError, Error, ReceiveError, Result};
pub use fragment::{Fragment, Placed};
pub use input::Input;
pub use message::{Message, Received, Taken};
pub use operator::Operator;
pub use output::Output;
pub use run::{Ended, Report, Running, Snapshot};
pub use spec::{InputSpec, OperatorSpec};
