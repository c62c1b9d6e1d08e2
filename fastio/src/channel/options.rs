//! What is asked of a channel and of its ends.
//!
//! Not here: what is done with it. Invariant: the limits are checked in one place, whether a caller or a shared file
//! names the numbers.

use crate::error::{Error, Result};

/// How an end waits for the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    /// Spins for about two microseconds, then sleeps in the kernel: the right choice where nothing is known.
    #[default]
    Sleep,
    /// Spins for as long as it takes. It needs a processor of its own, and is several times as fast.
    Spin,
}

/// What `send` does when the channel is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// Waits until the receiver has taken a message.
    #[default]
    Block,
    /// Gives [`Error::Full`] at once.
    Refuse,
}

/// What a channel is to be like.
///
/// Capacity and inline bytes are the channel's: who opens it first decides, and others must ask for the same. The rest
/// is each end's own.
///
/// ```
/// use podwire_fastio::{ChannelOptions, Wait};
/// let options = ChannelOptions::new().capacity(4).inline(4096).wait(Wait::Spin);
/// # let _ = options;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct ChannelOptions {
    pub(super) capacity: usize,
    pub(super) inline: usize,
    pub(super) wait: Wait,
    pub(super) when_full: WhenFull,
    pub(super) kept: bool,
}

/// The most messages that a channel can hold.
pub(super) const MOST_MESSAGES: usize = (crate::segment::CHILDREN_LIMIT - 1) / 2;
/// The most bytes that a message can have inside a channel.
pub(super) const MOST_INLINE: usize = 1 << 16;

impl Default for ChannelOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl ChannelOptions {
    /// 16 messages, of which 480 bytes each lie in the channel itself; both ends sleep when they wait.
    pub const fn new() -> Self {
        Self { capacity: 16, inline: 480, wait: Wait::Sleep, when_full: WhenFull::Block, kept: false }
    }

    /// How many messages can have been sent and not be received: 1 to 32,767.
    pub const fn capacity(mut self, messages: usize) -> Self {
        self.capacity = messages;
        self
    }

    /// The bytes of a message that lie in the channel itself, 0 to 65,536; what is larger gets an allocation of its own.
    ///
    /// The room is there for every message that the channel can hold.
    pub const fn inline(mut self, bytes: usize) -> Self {
        self.inline = bytes;
        self
    }

    /// How this end waits for the other.
    pub const fn wait(mut self, wait: Wait) -> Self {
        self.wait = wait;
        self
    }

    /// What this end does when the channel is full.
    pub const fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// The channel stays, once an end asked for it, for as long as its pipeline, or until
    /// [`remove_channel`](crate::FastIoContext::remove_channel): then what it counts is true also after both ends were dead
    /// at one time. Else an empty channel goes with its last end.
    pub const fn kept(mut self, kept: bool) -> Self {
        self.kept = kept;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        let within = |what, found: usize, least, most| {
            let bad = Error::BadChannel { what, found, least, most };
            if (least..=most).contains(&found) { Ok(()) } else { Err(bad) }
        };
        within("capacity", self.capacity, 1, MOST_MESSAGES)?;
        within("inline bytes", self.inline, 0, MOST_INLINE)
    }
}
