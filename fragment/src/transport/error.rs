//! Why a link does not carry a message.
//!
//! The invariant: every variant names the link.

use std::sync::Arc;

/// Why a link does not carry a message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// There was no room; nothing was sent.
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
    /// Another process has this end of the link open.
    #[error("{link}: another process has this end open")]
    Taken {
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

impl LinkError {
    /// Wraps what a transport's engine says.
    pub fn transport(
        link: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Transport { link: link.into(), source: Arc::from(source.into()) }
    }
}
