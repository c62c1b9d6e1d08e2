//! Channels: bounded queues between two processes, or two threads, of a pipeline.
//!
//! Not here: allocations and names, of which a channel is one. Invariant: one sender and one receiver; a message is
//! received whole or not at all, and owns what it refers to from before it is visible until it is received.
//!
//! | file | what is in it |
//! |---|---|
//! | `options` | what is asked for |
//! | `ring` | the memory: slots, numbers, who stores what |
//! | `references` | what the channel owns, and what becomes of it when somebody dies |
//! | `ends` | opening an end, the other end's life, waiting |
//! | `sender`, `payload` | sending: bytes, allocations, values |
//! | `lent` | memory that is used for one large message after the other |
//! | `receiver`, `incoming` | receiving the same |
//! | `many` | waiting for several channels at once |
//! | `listing` | which channels there are |

mod ends;
mod incoming;
mod lent;
mod listing;
mod many;
mod options;
mod payload;
mod receiver;
mod references;
mod ring;
mod sender;

pub use ends::Peer;
pub use incoming::{Incoming, ValueMessage};
pub use lent::Loan;
pub use listing::ChannelListing;
pub use many::{ChannelEnd, wait_for_any};
pub use options::{ChannelOptions, Wait, WhenFull};
pub use payload::Payload;
pub use receiver::Receiver;
pub use sender::Sender;

use crate::{context::FastIoContext, error::Result};

impl FastIoContext {
    /// Opens the sending end of a channel, and creates the channel if it is not there.
    ///
    /// A channel is there from the first opening until nobody has it open and nothing waits in it: what was sent
    /// outlives its sender, as a publication does. When a process that has an end dies, another one can open that end,
    /// and goes on where it was.
    ///
    /// ```
    /// # let pipeline = format!("doc-sender-{}", std::process::id());
    /// use podwire_fastio::{ChannelOptions, Error, FastIoContext};
    ///
    /// let context = FastIoContext::open(&pipeline)?;
    /// let options = ChannelOptions::new().capacity(4);
    /// let mut sender = context.sender("frames", &options)?;
    /// let frame = context.create_array::<u16>(&[480, 640])?;
    /// frame.map_mut()?.as_array_mut::<u16>()?.fill(7);
    /// sender.send(&frame)?; // 614,400 bytes, and nothing is copied
    /// drop((frame, sender));
    ///
    /// // In another process:
    /// let mut receiver = context.receiver("frames", &options)?;
    /// let frame = receiver.receive()?.allocation()?;
    /// assert_eq!(frame.map()?.as_array::<u16>()?[[479, 639]], 7);
    /// assert!(matches!(receiver.receive(), Err(Error::Closed { .. })));
    /// # drop((frame, receiver, context));
    /// # FastIoContext::remove(&pipeline)?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::EndTaken`](crate::Error::EndTaken) if a living process has it,
    /// [`Error::ChannelDiffers`](crate::Error::ChannelDiffers) if the channel is there with another capacity,
    /// [`Error::BadChannel`](crate::Error::BadChannel), [`Error::BadName`](crate::Error::BadName); otherwise as
    /// [`create`](Self::create).
    pub fn sender(&self, name: &str, options: &ChannelOptions) -> Result<Sender> {
        Sender::open(self, name, options)
    }

    /// Opens the receiving end of a channel, and creates the channel if it is not there.
    ///
    /// # Errors
    /// As [`sender`](Self::sender).
    pub fn receiver(&self, name: &str, options: &ChannelOptions) -> Result<Receiver> {
        Receiver::open(self, name, options)
    }

    /// Opens both ends of a channel, for two threads of this process.
    ///
    /// # Errors
    /// As [`sender`](Self::sender).
    pub fn channel(&self, name: &str, options: &ChannelOptions) -> Result<(Sender, Receiver)> {
        Ok((self.sender(name, options)?, self.receiver(name, options)?))
    }
}
