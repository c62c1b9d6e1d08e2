//! Waiting for several channels at once: many senders, one who receives; or one thread that does everything.
//!
//! Not here: a queue with many senders. Each sender has a channel of its own, so that no sender ever waits for another
//! one, or for one that died in the middle. Invariant: the wait is announced on every channel, and on the bell, before
//! it is asked again whether there is anything.

use std::time::Duration;

use super::{
    ends::{End, ROUND},
    options::Wait,
    receiver::Receiver,
    sender::Sender,
};
use crate::{
    doorbell::Doorbell,
    error::{Error, Result},
    futex::{self, Deadline},
};

/// An end of a channel that [`Doorbell::wait_with`] waits for: a receiver for something to receive, a sender for room.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ChannelEnd<'e> {
    /// Ready when [`Receiver::is_ready`].
    Receiver(&'e Receiver),
    /// Ready when [`Sender::is_ready`].
    Sender(&'e Sender),
}

impl<'e> From<&'e Receiver> for ChannelEnd<'e> {
    fn from(receiver: &'e Receiver) -> Self {
        Self::Receiver(receiver)
    }
}

impl<'e> From<&&'e Receiver> for ChannelEnd<'e> {
    fn from(receiver: &&'e Receiver) -> Self {
        Self::Receiver(receiver)
    }
}

impl<'e> From<&'e Sender> for ChannelEnd<'e> {
    fn from(sender: &'e Sender) -> Self {
        Self::Sender(sender)
    }
}

impl<'e> ChannelEnd<'e> {
    fn is_ready(self) -> bool {
        match self {
            Self::Receiver(receiver) => receiver.is_ready(),
            Self::Sender(sender) => sender.is_ready(),
        }
    }

    fn end(self) -> &'e End {
        match self {
            Self::Receiver(receiver) => &receiver.end,
            Self::Sender(sender) => &sender.end,
        }
    }
}

impl Doorbell {
    /// Waits until the bell is rung, or an end of a channel is ready: a message, room, or no peer any more. Whether there
    /// may be something, as [`wait`](Self::wait) says it; which one, the caller finds out by `try_receive` and `try_send`.
    ///
    /// It sleeps in the kernel, or spins if one of the ends is to ([`Wait::Spin`]). With ends it looks again every 5
    /// ms, because who should wake us may have been killed; the death of a peer is noticed by that.
    ///
    /// ```
    /// # let pipeline = format!("doc-wait-with-{}", std::process::id());
    /// use podwire_fastio::{ChannelOptions, Doorbell, FastIoContext};
    ///
    /// let context = FastIoContext::open(&pipeline)?;
    /// let options = ChannelOptions::new();
    /// let mut receivers = [context.receiver("left", &options)?, context.receiver("right", &options)?];
    /// let bell = Doorbell::new(); // other threads of this process have clones
    /// context.sender("right", &options)?.send(b"hello")?;
    /// assert!(bell.wait_with(&receivers, None)?);
    /// assert!(receivers[0].try_receive()?.is_none());
    /// assert_eq!(receivers[1].try_receive()?.unwrap().bytes()?, b"hello");
    /// # drop((receivers, context));
    /// # FastIoContext::remove(&pipeline)?;
    /// # Ok::<(), podwire_fastio::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Forked`], [`Error::Removed`].
    pub fn wait_with<'e, E>(&self, ends: E, timeout: Option<Duration>) -> Result<bool>
    where
        E: IntoIterator<Item: Into<ChannelEnd<'e>>, IntoIter: Clone>,
    {
        let ends = ends.into_iter().map(Into::into);
        if ends.clone().next().is_none() {
            return Ok(self.wait(timeout));
        }
        let ready = || self.take() || ends.clone().any(ChannelEnd::is_ready);
        wait_until(Some(self), ends.clone(), &Deadline::after(timeout), ready)
    }
}

/// Sleeps, or spins, until `ready`, which is asked once at least; `false` when the time is over.
fn wait_until<'e>(
    bell: Option<&Doorbell>,
    ends: impl Iterator<Item = ChannelEnd<'e>> + Clone,
    deadline: &Deadline,
    ready: impl Fn() -> bool,
) -> Result<bool> {
    let ends = ends.map(ChannelEnd::end);
    let spin = ends.clone().any(|end| end.wait == Wait::Spin);
    loop {
        for _ in 0..if spin { ROUND } else { 1 } {
            if ready() {
                return Ok(true);
            }
            std::hint::spin_loop();
        }
        for end in ends.clone() {
            // What else is wrong with a channel is said when it is used.
            if let Err(error @ (Error::Forked | Error::Removed)) = end.look_after_peer_now_and_then() {
                return Err(error);
            }
        }
        let Some(time) = deadline.left() else { return Ok(false) };
        if !spin {
            futex::wait_any(bell, ends.clone().map(End::my_bell), time, &ready);
        }
    }
}

/// Waits until one of several receivers has something to receive, or has no sender any more; its position.
///
/// The search begins behind `after`, the position that was given last, so that a busy channel keeps no other waiting.
///
/// ```
/// # let pipeline = format!("doc-many-{}", std::process::id());
/// use std::time::Duration;
/// use podwire_fastio::{ChannelOptions, FastIoContext, wait_for_any};
///
/// let context = FastIoContext::open(&pipeline)?;
/// let options = ChannelOptions::new();
/// let mut receivers = [context.receiver("left", &options)?, context.receiver("right", &options)?];
/// context.sender("right", &options)?.send(b"hello")?;
/// let ready = wait_for_any(&receivers, 0, Duration::from_secs(1))?;
/// assert_eq!(ready, 1);
/// assert_eq!(receivers[ready].receive()?.bytes()?, b"hello");
/// # drop((receivers, context));
/// # FastIoContext::remove(&pipeline)?;
/// # Ok::<(), podwire_fastio::Error>(())
/// ```
///
/// # Errors
/// [`Error::Timeout`], [`Error::Forked`], [`Error::Removed`].
pub fn wait_for_any(receivers: &[Receiver], after: usize, timeout: Duration) -> Result<usize> {
    let count = receivers.len();
    let ready =
        || (1..=count).map(|step| (after % count.max(1) + step) % count).find(|at| receivers[*at].is_ready());
    let ends = receivers.iter().map(ChannelEnd::from);
    wait_until(None, ends, &Deadline::after(timeout), || ready().is_some())?;
    let what = || format!("a message of {count} channels");
    ready().ok_or_else(|| Error::Timeout { what: what(), waited: timeout })
}
