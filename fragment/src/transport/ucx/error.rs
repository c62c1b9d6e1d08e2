//! Why UCX, or what came over it, is refused.
//!
//! The invariant: a variant says what was found, and where a program can compare, also what was expected.

use std::time::Duration;

/// Why the UCX transport does not do something, or why it refused what arrived.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum UcxError {
    /// UCX said no.
    #[error("{step}: UCX says: {says} ({code})")]
    Engine {
        /// What was tried.
        step: &'static str,
        /// UCX's words.
        says: &'static str,
        /// UCX's number, negative.
        code: i8,
    },
    /// UCX does not know a setting, or not this value of it.
    #[error("the setting {name}={value}: UCX says: {says}")]
    Setting {
        /// The name, without `UCX_`.
        name: String,
        /// The value.
        value: String,
        /// UCX's words.
        says: &'static str,
    },
    /// The thread that drives UCX cannot be started, or cannot sleep.
    #[error("the thread that drives UCX: {0}")]
    Thread(std::io::ErrorKind),
    /// The directory did not do what it was asked.
    #[error("the directory: {0}")]
    Directory(String),
    /// The directory has something for a link or a worker that is no address.
    #[error("the directory has no address, but {found} bytes that {wrong}")]
    Address {
        /// Its length in bytes.
        found: usize,
        /// What is wrong with it.
        wrong: &'static str,
    },
    /// The other end speaks another version of this transport.
    #[error("the other end speaks version {found}, this one {known}")]
    Version {
        /// Its version.
        found: u8,
        /// The version of this build.
        known: u8,
    },
    /// A message whose header is no header of this transport.
    #[error("a message came with {found} bytes of header, which {wrong}")]
    Header {
        /// Length of the header in bytes.
        found: usize,
        /// What is wrong with it.
        wrong: &'static str,
    },
    /// A message that is shorter or longer than its header says.
    #[error("a message of {promised} bytes came with {found}")]
    Length {
        /// Bytes that the header promises.
        promised: u64,
        /// Bytes that came.
        found: u64,
    },
    /// A message for a link that is not open here, or not with its sender.
    #[error("a message came for a link that is not open here: {id:#018x}")]
    UnknownLink {
        /// What the message calls it.
        id: u64,
    },
    /// A message whose number is not one of those that there is room for.
    #[error("message {number} came, where {first} to {last} can come")]
    Number {
        /// Its number.
        number: u64,
        /// The next one that is to be received.
        first: u64,
        /// The last one that there is room for.
        last: u64,
    },
    /// The two ends of a link do not agree on its capacity.
    #[error("the other end was opened with a capacity of {found}, this one with {known}")]
    Capacity {
        /// That of the other end.
        found: u64,
        /// That of this end.
        known: u64,
    },
    /// Somebody greets a link whose address the directory does not have.
    #[error("worker {worker:#018x} is not in the directory")]
    UnknownWorker {
        /// What it calls itself.
        worker: u64,
    },
    /// The directory has a receiver, which does not answer: UCX does not lead there, or not back.
    #[error(
        "UCX does not lead from {from} to {to}, or not back: no answer for {waited:.0?}{}; PODWIRE_TRANSPORT=zenoh takes \
         another way, and UCX_NET_DEVICES and UCX_TLS say by which network and how UCX is to go",
        .last.as_ref().map(|why| format!(" ({why})")).unwrap_or_default()
    )]
    Unreachable {
        /// The process of the sender, as [`UcxOptions::process`](super::UcxOptions::process) calls it.
        from: String,
        /// That of the receiver.
        to: String,
        /// How long it was tried.
        waited: Duration,
        /// What UCX said last, if it said anything.
        last: Option<Box<UcxError>>,
    },
    /// Another sender has taken this one's place.
    #[error("another sender has the link")]
    Replaced,
}
