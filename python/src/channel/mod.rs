//! Channels: `FastIOContext.sender` and `FastIOContext.receiver`.
//!
//! Not here: which codec an object has (`podwire/_codecs.py`). Invariant: an end is locked only by who does not hold the GIL, so
//! that nobody who waits keeps the others from going on; one thread at a time uses an end.

mod end;
mod receiver;
mod sender;

use podwire_fastio::{ChannelListing, ChannelOptions, Peer, Wait, WhenFull};
use pyo3::{exceptions::PyValueError, prelude::*};

pub(crate) use self::{
    receiver::{Receiver, wait_for_any},
    sender::Sender,
};

/// What is asked of a channel.
pub(crate) fn options(
    capacity: usize,
    inline: usize,
    wait: &str,
    when_full: &str,
    kept: bool,
) -> PyResult<ChannelOptions> {
    let wait = match wait {
        "sleep" => Wait::Sleep,
        "spin" => Wait::Spin,
        other => {
            return Err(PyValueError::new_err(format!("wait={other:?}: there are \"sleep\" and \"spin\"")));
        }
    };
    let when_full = match when_full {
        "block" => WhenFull::Block,
        "refuse" => WhenFull::Refuse,
        other => {
            let message = format!("when_full={other:?}: there are \"block\" and \"refuse\"");
            return Err(PyValueError::new_err(message));
        }
    };
    Ok(ChannelOptions::new().capacity(capacity).inline(inline).wait(wait).when_full(when_full).kept(kept))
}

fn peer(peer: Peer) -> &'static str {
    match peer {
        Peer::Absent => "absent",
        Peer::Attached => "attached",
        Peer::Closed => "closed",
        _ => "died",
    }
}
/// One channel of a list.
#[pyclass(frozen, get_all, module = "podwire")]
pub(crate) struct Channel {
    /// The name.
    name: String,
    /// Messages that it can hold.
    capacity: usize,
    /// Bytes of a message that lie in the channel itself.
    inline: usize,
    /// Messages that wait to be received.
    waiting: usize,
    /// What is known about the sender: `"absent"`, `"attached"`, `"closed"` or `"died"`.
    sender: &'static str,
    /// What is known about the receiver.
    receiver: &'static str,
}

impl From<ChannelListing> for Channel {
    fn from(listing: ChannelListing) -> Self {
        let (sender, receiver) = (peer(listing.sender), peer(listing.receiver));
        let ChannelListing { name, capacity, inline, waiting, .. } = listing;
        Self { name, capacity, inline, waiting, sender, receiver }
    }
}

#[pymethods]
impl Channel {
    fn __repr__(&self) -> String {
        format!("<podwire.Channel {:?} with {} of {} messages>", self.name, self.waiting, self.capacity)
    }
}
