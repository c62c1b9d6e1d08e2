//! The end of a channel that receives.
//!
//! Not here: what a message is made of. Invariant: what a message refers to is held here before the channel lets go
//! of it, so that the memory of a message never is without an owner.

use std::{any::Any, time::Duration};

use podwire_codec_core::{Codec, registry::AnyValue};

use super::{
    ends::{End, Peer, Side},
    incoming::{Content, Incoming},
    options::ChannelOptions,
    payload::{ALLOCATION, BYTES, VALUE},
    ring::{BESIDE, Cursor, LENT, Message, REFERENCED, WRAPPED},
};
use crate::{
    access::Patience,
    allocation::FastIoAllocation,
    context::FastIoContext,
    crash::crash_point,
    error::{Error, Result},
    local::Wanted,
};

const LENT_REFERENCE: u32 = REFERENCED | LENT;
const WRAPPED_REFERENCE: u32 = REFERENCED | WRAPPED;
const BESIDE_REFERENCE: u32 = REFERENCED | BESIDE;

/// The receiving end of a channel; made by [`FastIoContext::receiver`]. Dropping it closes it: the sender gets
/// [`Error::Closed`].
pub struct Receiver {
    pub(super) end: End,
    pub(super) next: Cursor,
    /// The message that was taken and is not settled, and what it referred to.
    taken: Option<(Cursor, Option<Message>)>,
    content: Content,
}

impl Receiver {
    pub(super) fn open(context: &FastIoContext, name: &str, options: &ChannelOptions) -> Result<Self> {
        let end = End::open(context, name, options, Side::Receiver)?;
        let next = end.ring.cursor(end.ring.tail(&end.held));
        Ok(Self { end, next, taken: None, content: Content::default() })
    }

    /// Waits for the next message and takes it. What it lends is overwritten by the next call, and memory is used again
    /// from message to message.
    ///
    /// # Errors
    /// [`Error::Closed`] and [`Error::PeerDied`] when there is nothing left and no sender any more,
    /// [`Error::Forked`], [`Error::Removed`]; [`Error::Corrupt`] for a message that cannot be one, which is skipped;
    /// [`Error::Io`] if memory could not be mapped, after which the message is still there.
    pub fn receive(&mut self) -> Result<Incoming<'_>> {
        self.take(Patience::Forever)?;
        Ok(self.content.lend())
    }

    /// The same without waiting; `None` where there is nothing, and a sender may still come or go on.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn try_receive(&mut self) -> Result<Option<Incoming<'_>>> {
        match self.take(Patience::None) {
            Ok(()) => Ok(Some(self.content.lend())),
            Err(Error::Busy) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same, waiting no longer than `timeout`.
    ///
    /// # Errors
    /// As [`receive`](Self::receive), and [`Error::Timeout`].
    pub fn receive_timeout(&mut self, timeout: Duration) -> Result<Incoming<'_>> {
        self.take(Patience::For(timeout))?;
        Ok(self.content.lend())
    }

    /// Waits for the next message, which is to be a value of this type.
    ///
    /// # Errors
    /// As [`receive`](Self::receive), [`Error::WrongKind`] if it is no value, [`Error::Codec`] if it is of another type.
    pub fn receive_value<T: Codec + Any>(&mut self) -> Result<T> {
        self.receive()?.value()
    }

    /// Waits for the next message, which is to be a value of any registered type.
    ///
    /// # Errors
    /// As [`receive_value`](Self::receive_value).
    pub fn receive_any(&mut self) -> Result<AnyValue> {
        self.receive()?.any_value()
    }

    /// What is known about the sender. It is looked after at most every 5 ms: that is how long a death can be unknown.
    ///
    /// # Errors
    /// [`Error::Forked`], [`Error::Removed`], [`Error::Corrupt`].
    pub fn peer(&self) -> Result<Peer> {
        self.end.peer_looked_after()
    }

    /// The pipeline that this belongs to.
    pub fn context(&self) -> &FastIoContext {
        &self.end.context
    }

    /// The number of the message that was taken last, counted from 0 since the channel was made; `None` if it is settled,
    /// or there was none.
    pub fn number(&self) -> Option<u64> {
        self.taken.map(|(at, _)| at.number)
    }

    /// Is done with the message that was taken last: the channel lets go of what it referred to, so that memory without a
    /// name is private to those who have a handle, and the message counts in [`Sender::settled`](super::Sender::settled).
    ///
    /// The next `receive`, `try_receive` or `receive_timeout` does so first, and dropping the receiver does. A message
    /// counts as *received* before `receive` returns it, and its place is free for another one from then on; it counts as
    /// *settled* from one store at the end of this step. If this process is killed in between, it is received and not
    /// settled, even if the work on it was done already.
    ///
    /// # Errors
    /// [`Error::Forked`], [`Error::Removed`], [`Error::Corrupt`].
    pub fn settle(&mut self) -> Result<()> {
        self.end.store().check()?;
        self.content.clear();
        self.let_go()
    }

    /// Messages that were received through this channel since it was made, by this receiver and those before it.
    pub fn received(&self) -> u64 {
        self.next.number
    }

    /// Messages of these that receivers were [done with](Self::settle).
    pub fn settled(&self) -> u64 {
        self.end.ring.settled(&self.end.held)
    }

    /// Messages that wait to be received.
    pub fn waiting(&self) -> usize {
        let end = &self.end;
        let places = std::iter::successors(Some(self.next), |at| Some(end.ring.next(*at)));
        places.take(self.capacity()).take_while(|at| end.ring.is_sent(&end.held, *at)).count()
    }

    /// Whether [`receive`](Self::receive) would not have to wait.
    pub fn is_ready(&self) -> bool {
        self.end.ring.is_sent(&self.end.held, self.next) || self.end.refused().is_err()
    }

    /// The messages that the channel can hold.
    pub fn capacity(&self) -> usize {
        self.end.ring.shape.capacity as usize
    }

    fn take(&mut self, patience: Patience) -> Result<()> {
        self.settle()?;
        self.await_message(patience)?;
        let (end, at) = (&self.end, self.next);
        let message = end.ring.read(&end.held, at, &mut self.content.bytes);
        let found = match message {
            Some(message) => self.resolve(message),
            None => Err(end.corrupt("has a message that is longer than its place")),
        };
        if matches!(found, Err(Error::Io { .. } | Error::NoSpace { .. })) {
            return found;
        }
        crash_point!("channel-taken");
        let end = &self.end;
        end.ring.advance(&end.held, at);
        crash_point!("channel-received");
        end.ring_the_bell();
        self.next = end.ring.next(at);
        self.taken = Some((at, message));
        found
    }

    /// Holds what a message refers to.
    fn resolve(&mut self, Message { kind, target, length }: Message) -> Result<()> {
        let end = &self.end;
        let base = kind & !(REFERENCED | WRAPPED | LENT | BESIDE);
        let fits = match kind & (REFERENCED | WRAPPED | LENT | BESIDE) {
            0 | LENT_REFERENCE => base != ALLOCATION,
            REFERENCED => true,
            WRAPPED_REFERENCE => base == ALLOCATION,
            BESIDE_REFERENCE => base == VALUE,
            _ => false,
        };
        if !matches!(base, BYTES | ALLOCATION | VALUE) || !fits {
            return Err(end.corrupt("has a message of no known kind"));
        }
        self.content.kind = base;
        if kind & REFERENCED == 0 {
            return Ok(());
        }
        if kind & LENT != 0 {
            let place = self.content.lent.find(end, self.next, target, length)?;
            self.content.place = Some((place, length));
            return Ok(());
        }
        let held = match end.store().hold(target, Wanted::Published) {
            Ok(held) => held,
            Err(Error::Freed) => return Err(end.corrupt("has a message that refers to nothing")),
            Err(error) => return Err(error),
        };
        let allocation = FastIoAllocation::new(end.context.clone(), target, held)?;
        if kind & BESIDE != 0 {
            self.content.buffer = Some(allocation);
            Ok(())
        } else if kind & WRAPPED == 0 {
            self.content.hold(allocation)
        } else {
            let metadata = allocation.metadata()?.clone();
            let inner = allocation.children()?.pop();
            let inner = inner.ok_or_else(|| end.corrupt("has a message that refers to nothing"))?;
            self.content.hold(inner.with_metadata(metadata))
        }
    }

    fn let_go(&mut self) -> Result<()> {
        let Some((at, message)) = self.taken else { return Ok(()) };
        let (end, shape) = (&self.end, self.end.ring.shape);
        let place = match message {
            // A sender that is there goes on using what it lends.
            Some(Message { kind, .. }) if kind & LENT != 0 => {
                (!end.has_peer()?).then(|| shape.place_of_lent(shape.lent_place(at.number)))
            }
            Some(Message { kind, .. }) if kind & REFERENCED != 0 => Some(at.position),
            _ => None,
        };
        if let Some((place, message)) = place.zip(message) {
            end.store().lock()?.settle(&end.held, place, at.number, message.target)?;
            crash_point!("channel-settled");
        }
        self.end.ring.settle(&self.end.held);
        self.taken = None;
        Ok(())
    }

    #[inline]
    fn await_message(&self, patience: Patience) -> Result<()> {
        let end = &self.end;
        let ready = || end.ring.is_sent(&end.held, self.next);
        if ready() {
            return Ok(());
        }
        if !matches!(patience, Patience::None) {
            return end.wait_for(patience, "a message of", ready);
        }
        let refused = end.refused_now();
        match refused {
            _ if ready() => Ok(()),
            Ok(()) => Err(Error::Busy),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if !self.end.store().forked() {
            self.content.clear();
            // What cannot be done now is done by a sweep, or by whoever cleans this slot.
            let _ = self.let_go();
            self.content.lent.clear(self.end.store());
        }
    }
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Receiver");
        debug.field("channel", &self.end.name).field("received", &self.next.number).finish_non_exhaustive()
    }
}
