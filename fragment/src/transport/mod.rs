//! The ways from an output port to an input port: what a transport is.
//!
//! Not here: which way a connection takes, and what operators do with messages. Invariant: a link carries the messages
//! of one output port to one input port, each once, in order, and never more than its capacity on the way.

use std::time::{Duration, Instant};

use podwire_codec_core::Limits;
use podwire_fastio::{ChannelEnd, Doorbell};

use crate::message::Message;

mod added;
#[cfg(feature = "conformance")]
pub mod conformance;
mod directory;
mod error;
mod fastio;
pub(crate) mod local;
pub(crate) mod name;
mod newest;
#[cfg(feature = "ucx")]
mod ucx;
#[cfg(feature = "distributed")]
pub mod zenoh;

pub(crate) use added::Transports;
pub use added::{Added, Run};
pub use directory::Directory;
pub use error::LinkError;
pub use fastio::FastIoTransport;
pub use newest::newest;
/// What is known about the other end of a link; what is said of a channel holds for any link. `Died` also stands for a
/// process that cannot be reached.
pub use podwire_fastio::Peer;
#[cfg(all(feature = "ucx", feature = "conformance"))]
#[doc(hidden)]
pub use ucx::Stranger;
#[cfg(all(feature = "ucx", feature = "distributed"))]
pub(crate) use ucx::{Detour, Ear};
#[cfg(feature = "ucx")]
pub use ucx::{FolderDirectory, Refused, UcxError, UcxOptions, UcxTransport};
#[cfg(feature = "distributed")]
pub use zenoh::ZenohTransport;

/// What a link is to be: one connection of the graph.
#[derive(Clone, Debug)]
pub struct Link {
    /// Unique in the application, and the same at both ends: `fragment1.ping.out>fragment2.pong.in`.
    pub name: String,
    /// How many messages can have been sent and not be received: 1 to 32,767, which is what Fast I/O channels hold.
    pub capacity: usize,
    /// What decoding a message may cost.
    pub limits: Limits,
}

impl Link {
    /// A link with the default [`Limits`].
    #[must_use]
    pub fn new(name: impl Into<String>, capacity: usize) -> Self {
        Self { name: name.into(), capacity, limits: Limits::DEFAULT }
    }
}

/// What went over a link, as far as this end knows. Each end counts what it did and what the other told it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages for which `try_send` returned `Ok`; at the receiver, messages that arrived.
    pub sent: u64,
    /// Of these, messages that the receiver's `try_receive` returned, those that were no messages included.
    pub received: u64,
    /// Of these, messages that the receiver [was done with](ReceiveEnd::settle).
    pub settled: u64,
    /// Messages that were sent and given up for newer ones: see [`newest`].
    pub dropped: u64,
    /// Bytes of arrays and bulk data that had to be copied, by this end or by the network, because they did not lie where they
    /// could be shared; not what goes beside them: name, metadata, small fields.
    pub copied_bytes: u64,
}

impl Traffic {
    /// Messages that are on their way: that were sent, and neither received nor dropped. When the receiver is gone for
    /// good, they are lost.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.sent.saturating_sub(self.received.saturating_add(self.dropped))
    }

    /// Messages that were received, and that the receiver was not done with. When its process died, they went with it.
    #[must_use]
    pub fn in_hand(&self) -> u64 {
        self.received.saturating_sub(self.settled)
    }
}

/// A way for messages from one process to another, or within one.
///
/// The contract that an implementer keeps, and the suite in `transport::conformance` tests:
/// - either end may be opened first; the other finds it by the link's name;
/// - messages arrive once and in the order of `try_send`, or a [`LinkError::Gap`] says how many are missing;
/// - never more than the link's capacity are sent and not received;
/// - neither end waits: who has nothing to do sleeps on the [`Doorbell`] that it gave when it opened the end, which the
///   transport rings *after* each change that the end can see, or on the end's [`channel`](ReceiveEnd::channel);
/// - either end notices that the other was closed, or died, and after its return the link goes on;
/// - whatever arrives is a message or a typed error, in memory bounded by the link's limits.
///
/// What becomes of messages when a process dies is each transport's own; `docs/transports.md` has it in a table.
///
/// ```
/// use podwire_fragment::{Message, transport::{self, Link, Transport}};
/// use podwire_fastio::Doorbell;
/// use std::time::Duration;
///
/// fn once(transport: &dyn Transport) -> Result<(), transport::LinkError> {
///     let (link, bell) = (Link::new("left.out>right.in", 4), Doorbell::new());
///     let mut sender = transport.sender(&link, &bell)?;
///     let mut receiver = transport.receiver(&link, &bell)?;
///     sender.try_send(&Message::new(7_u32))?;
///     let message = transport::receive(&mut *receiver, &bell, Duration::from_secs(1))?;
///     assert_eq!(*message.expect("it was sent").received::<u32>().expect("it is one"), 7);
///     Ok(())
/// }
/// ```
pub trait Transport: Send + Sync {
    /// What it is called on the command line, in logs and in the monitor: `local`, `fastio`, `ucx`, `zenoh`, or one of the application's own.
    fn name(&self) -> &'static str;

    /// Opens the sending end of a link. The bell is rung when there may be room, or the receiver came or went.
    ///
    /// # Errors
    /// [`LinkError::Transport`] if the engine refuses.
    fn sender(&self, link: &Link, bell: &Doorbell) -> Result<Box<dyn SendEnd>, LinkError>;

    /// Opens the receiving end of a link. The bell is rung when there may be a message, or the sender came or went.
    ///
    /// # Errors
    /// [`LinkError::Transport`] if the engine refuses.
    fn receiver(&self, link: &Link, bell: &Doorbell) -> Result<Box<dyn ReceiveEnd>, LinkError>;

    /// Waits until what closed senders of this process had sent was received, no longer than `timeout`, and says how
    /// many messages were not. To be called before the process ends. Nothing to do where messages outlive it.
    fn flush(&self, timeout: Duration) -> u64 {
        let _ = timeout;
        0
    }
}

/// The end of a link that sends. Dropping it closes it in order.
pub trait SendEnd: Send {
    /// Sends a message, without waiting. With an error nothing was sent. (Over
    /// Zenoh it waits while the network takes the bytes, no longer than a minute.)
    ///
    /// # Errors
    /// [`LinkError::Full`], [`LinkError::Closed`], [`LinkError::PeerDied`], [`LinkError::Codec`],
    /// [`LinkError::Transport`].
    fn try_send(&mut self, message: &Message) -> Result<(), LinkError>;

    /// Closes it, as dropping it does: nothing more is sent. Until it is dropped, [`peer`](Self::peer) and
    /// [`traffic`](Self::traffic) tell what becomes of the messages that wait. `false` where only dropping closes.
    fn close(&mut self) -> bool {
        false
    }

    /// What is known about the receiver.
    fn peer(&self) -> Peer;

    /// What went over the link.
    fn traffic(&self) -> Traffic;

    /// What carries the link at this moment, where that is not what the transport is called: it goes another way, as its own does
    /// not lead there any more.
    fn detour(&self) -> Option<&'static str> {
        None
    }

    /// What to sleep on beside the bell, in [`Doorbell::wait_with`], until there is room or the receiver goes; nothing
    /// where the bell is enough, and nothing once the receiver is gone.
    fn channel(&self) -> Option<ChannelEnd<'_>> {
        None
    }
}

/// The end of a link that receives. Dropping it closes it in order.
pub trait ReceiveEnd: Send {
    /// The next message, if there is one.
    ///
    /// # Errors
    /// After the last message: [`LinkError::Closed`], [`LinkError::PeerDied`], as long as nobody comes back; and
    /// [`LinkError::Gap`], [`LinkError::Codec`], [`LinkError::Transport`].
    fn try_receive(&mut self) -> Result<Option<Message>, LinkError>;

    /// Is done with the message that was received last. The next `try_receive` does so first.
    fn settle(&mut self) {}

    /// For how many calls `try_receive` has something, an error included that it has not said yet; 1 where it is not
    /// known how many. A [`LinkError::Gap`] does not count: it is said before the message behind it, or the end.
    fn waiting(&self) -> usize;

    /// What is known about the sender.
    fn peer(&self) -> Peer;

    /// What went over the link.
    fn traffic(&self) -> Traffic;

    /// What carries the link at this moment, where that is not what the transport is called: it goes another way, as its own does
    /// not lead there any more.
    fn detour(&self) -> Option<&'static str> {
        None
    }

    /// What to sleep on beside the bell, in [`Doorbell::wait_with`], until there is something to receive; nothing where
    /// the bell is enough, and nothing once it was said that the sender is gone.
    fn channel(&self) -> Option<ChannelEnd<'_>> {
        None
    }
}

/// Bytes of a message that the network copies, beyond what goes beside arrays: name, metadata, small fields, which are as many
/// as a channel of Fast I/O takes into a slot.
#[cfg(any(feature = "distributed", feature = "ucx"))]
fn bulk(packed: usize, segments: &[podwire_codec_core::Segment]) -> u64 {
    let packed = if packed > 480 { packed as u64 } else { 0 };
    segments.iter().map(|segment| segment.length() as u64).sum::<u64>() + packed
}

/// Sends a message, and waits for room no longer than `timeout`.
///
/// # Errors
/// As [`SendEnd::try_send`]; [`LinkError::Full`] when the time is over.
pub fn send(
    end: &mut dyn SendEnd,
    message: &Message,
    bell: &Doorbell,
    timeout: Duration,
) -> Result<(), LinkError> {
    // Only who waits asks for the time.
    let mut begun = None;
    loop {
        match end.try_send(message) {
            Err(full @ LinkError::Full { .. }) => {
                let begun = begun.get_or_insert_with(Instant::now);
                let Some(left) = timeout.checked_sub(begun.elapsed()) else { return Err(full) };
                sleep(bell, end.channel(), left);
            }
            sent => return sent,
        }
    }
}

/// The next message; waits for it no longer than `timeout`, and gives `None` when the time is over.
///
/// # Errors
/// As [`ReceiveEnd::try_receive`].
pub fn receive(
    end: &mut dyn ReceiveEnd,
    bell: &Doorbell,
    timeout: Duration,
) -> Result<Option<Message>, LinkError> {
    let mut begun = None;
    loop {
        if let Some(message) = end.try_receive()? {
            return Ok(Some(message));
        }
        let begun = begun.get_or_insert_with(Instant::now);
        let Some(left) = timeout.checked_sub(begun.elapsed()) else { return Ok(None) };
        sleep(bell, end.channel(), left);
    }
}

/// Sleeps until the bell is rung or the end is ready, or the time is over.
fn sleep(bell: &Doorbell, channel: Option<ChannelEnd<'_>>, time: Duration) {
    // What is wrong with a channel for good is said by the next attempt to use it.
    let _ = bell.wait_with(channel, Some(time));
}
