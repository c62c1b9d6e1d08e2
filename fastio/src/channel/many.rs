//! Waiting for several channels at once: many senders, one who receives.
//!
//! Not here: a queue with many senders. Each sender has a channel of its own, so that no sender ever waits for another
//! one, or for one that died in the middle. Invariant: the wait is announced on every channel before it is asked again
//! whether there is anything.

use std::time::{Duration, Instant};

use super::receiver::Receiver;
use crate::{
    access::Patience,
    error::{Error, Result},
    futex::{self, PATIENCE},
};

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
    let deadline = Patience::For(timeout).deadline();
    let mut looked = Instant::now();
    loop {
        if let Some(at) = ready() {
            return Ok(at);
        }
        let time = deadline.slice(|| format!("a message of {count} channels"))?;
        let bells: Vec<_> = receivers.iter().map(|receiver| receiver.end.my_bell()).collect();
        futex::wait_any(&bells, time, || ready().is_some());
        if looked.elapsed() > PATIENCE {
            for receiver in receivers {
                // What else is wrong with a channel is said when it is received from.
                if let Err(error @ (Error::Forked | Error::Removed)) = receiver.end.look_after_peer() {
                    return Err(error);
                }
            }
            looked = Instant::now();
        }
    }
}
