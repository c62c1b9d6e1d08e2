//! The ways from an output port to an input port: what a transport is.
//!
//! Not here: which way a connection takes, and what operators do with messages. Invariant: a link carries the messages
//! of one output port to one input port, each once, in order, and never more than its capacity on the way.

use std::{sync::Arc, time::Duration};

use podwire_codec_core::Limits;

use crate::message::Message;

/// What a link is to be: one connection of the graph.
#[derive(Clone, Debug)]
pub struct Link {
    /// Unique in the application, and the same at both ends: `fragment1.ping.out>fragment2.pong.in`.
    pub name: String,
    /// How many messages can have been sent and not be received.
    pub capacity: usize,
    /// What decoding a message may cost.
    pub limits: Limits,
}

/// How long an end waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Not at all.
    None,
    /// No longer than this.
    For(Duration),
}

/// What is known about the other end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Peer {
    /// It was not there yet.
    Absent,
    /// It is there.
    Attached,
    /// It was closed in order.
    Closed,
    /// Its process died, or cannot be reached.
    Died,
}

/// How many messages went over a link, as far as this end knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages for which `send` returned `Ok`.
    pub sent: u64,
    /// Of these, messages that the other end's operator has received.
    pub received: u64,
    /// Bytes of arrays and bulk data that had to be copied, because they did not lie where they could be shared.
    pub copied_bytes: u64,
}

/// Why a link does not carry a message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// There was no room, and no patience left; nothing was sent.
    #[error("{link}: full: {capacity} messages wait to be received")]
    Full {
        /// The link.
        link: String,
        /// Its capacity.
        capacity: usize,
    },
    /// The other end was closed in order, and everything that it sent was received.
    #[error("{link}: the other end was closed")]
    Closed {
        /// The link.
        link: String,
    },
    /// The process of the other end died, or cannot be reached, and everything that arrived was received.
    #[error("{link}: the process at the other end is gone")]
    PeerDied {
        /// The link.
        link: String,
    },
    /// A message cannot be written, or what arrived is no message. The link goes on with the next one.
    #[error("{link}: {source}")]
    Codec {
        /// The link.
        link: String,
        /// What is wrong.
        source: podwire_codec_core::Error,
    },
    /// Messages are missing: the link lost them, and says how many.
    #[error("{link}: {missing} messages were lost before number {next}")]
    Gap {
        /// The link.
        link: String,
        /// How many.
        missing: u64,
        /// The number of the next message that is there.
        next: u64,
    },
    /// The transport itself failed.
    #[error("{link}: {source}")]
    Transport {
        /// The link.
        link: String,
        /// What its engine says.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
}

/// A way for messages from one process to another, or within one.
///
/// The contract that an implementer keeps, and `conformance` tests:
/// - either end may be opened first; the other finds it by the link's name;
/// - messages arrive once and in the order of `send`, or a [`LinkError::Gap`] says how many are missing;
/// - never more than the link's capacity are sent and not received;
/// - a message for which `send` returned `Ok` is received although the sender's process dies at once;
/// - either end notices that the other was closed, or died, and after its return the link goes on;
/// - whatever arrives is a message or a typed error, in memory bounded by the link's limits.
pub trait Transport: Send + Sync {
    /// What it is called on the command line, in logs and in the monitor: `local`, `fastio`, `zenoh`.
    fn name(&self) -> &'static str;

    /// Opens the sending end of a link.
    ///
    /// # Errors
    /// [`LinkError::Transport`] if the engine refuses.
    fn sender(&self, link: &Link) -> Result<Box<dyn SendEnd>, LinkError>;

    /// Opens the receiving end of a link.
    ///
    /// # Errors
    /// [`LinkError::Transport`] if the engine refuses.
    fn receiver(&self, link: &Link) -> Result<Box<dyn ReceiveEnd>, LinkError>;
}

/// The end of a link that sends. Dropping it closes it in order.
pub trait SendEnd: Send {
    /// Sends a message, waiting for room no longer than `patience`.
    ///
    /// With an error nothing was sent.
    ///
    /// # Errors
    /// [`LinkError::Full`], [`LinkError::Closed`], [`LinkError::PeerDied`], [`LinkError::Codec`],
    /// [`LinkError::Transport`].
    fn send(&mut self, message: &Message, patience: Patience) -> Result<(), LinkError>;

    /// What is known about the receiver.
    fn peer(&self) -> Peer;

    /// What went over the link.
    fn traffic(&self) -> Traffic;
}

/// The end of a link that receives. Dropping it closes it in order.
pub trait ReceiveEnd: Send {
    /// The next message, if there is one.
    ///
    /// # Errors
    /// After the last message: [`LinkError::Closed`], [`LinkError::PeerDied`]; and [`LinkError::Gap`],
    /// [`LinkError::Codec`], [`LinkError::Transport`].
    fn try_receive(&mut self) -> Result<Option<Message>, LinkError>;

    /// What is known about the sender.
    fn peer(&self) -> Peer;

    /// What went over the link.
    fn traffic(&self) -> Traffic;
}
