//! Applications cut into fragments and operators that run on threads, in one process or in several.
//!
//! Not here: what a value is as bytes (`podwire-codec-core`), and shared memory (`podwire-fastio`). Invariant: a message
//! that was emitted is received once, in order, or it is counted as lost and said so.
//!
//! The way of a value, from `emit` to `receive`, and the files in that order:
//!
//! | file | what is in it |
//! |---|---|
//! | `message` | a value on its way, and what travels with it |
//! | `command` | the command line of every application |
//! | `config` | parameters from a file, settings from the environment |
//! | `transport` | the ways from an output port to an input port |

pub mod command;
pub mod config;
mod message;
pub mod transport;

pub use message::{Message, Received, Taken};
