//! The end of a channel that sends.
//!
//! Not here: what a message is made of. Invariant: a message is owned by the channel before it is visible, and is
//! visible from one store on.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use podwire_codec_core::Codec;

use super::{
    ends::{End, Peer, Side},
    lent::{Loan, Places},
    options::{ChannelOptions, WhenFull},
    payload::{self, BYTES, Payload, Ready},
    references::retag,
    ring::{Cursor, LENT, Message, REFERENCED},
};
use crate::{
    access::Patience,
    allocation::FastIoAllocation,
    context::FastIoContext,
    crash::crash_point,
    error::{Error, Result},
    store::AllocationId,
    sys::soon_written,
};

/// Memory for encoding that is kept between messages, in bytes.
const KEPT: usize = 1 << 20;

/// The sending end of a channel; made by [`FastIoContext::sender`]. Dropping it closes it: the receiver gets what is
/// still there, and then [`Error::Closed`].
pub struct Sender {
    pub(super) end: End,
    next: Cursor,
    /// The receiver's number when it was last looked at.
    tail: u64,
    when_full: WhenFull,
    scratch: Vec<u8>,
    pub(super) lent: Places,
}

impl Sender {
    pub(super) fn open(context: &FastIoContext, name: &str, options: &ChannelOptions) -> Result<Self> {
        let end = End::open(context, name, options, Side::Sender)?;
        let tail = end.ring.tail(&end.held);
        let next = end.ring.head(&end.held);
        Ok(Self {
            end,
            next,
            tail,
            when_full: options.when_full,
            scratch: Vec::new(),
            lent: Places::default(),
        })
    }

    /// Sends a message; waits for room, unless the options say [`WhenFull::Refuse`].
    ///
    /// With an error nothing was sent. What the message refers to belongs to the channel until it is received, whatever
    /// becomes of this process.
    ///
    /// # Errors
    /// [`Error::Closed`] and [`Error::PeerDied`] if there is no receiver any more, [`Error::Full`],
    /// [`Error::Freed`] if an allocation was freed, [`Error::Codec`] for a value, [`Error::NoSpace`],
    /// [`Error::Forked`], [`Error::Removed`], [`Error::Corrupt`].
    pub fn send<'p>(&mut self, message: impl Into<Payload<'p>>) -> Result<()> {
        self.put(message.into(), self.patience())
    }

    /// The same without waiting.
    ///
    /// # Errors
    /// As [`send`](Self::send), and always [`Error::Full`] where there is no room.
    pub fn try_send<'p>(&mut self, message: impl Into<Payload<'p>>) -> Result<()> {
        self.put(message.into(), Patience::None)
    }

    /// The same, waiting no longer than `timeout`.
    ///
    /// # Errors
    /// As [`send`](Self::send), but [`Error::Timeout`] instead of [`Error::Full`].
    pub fn send_timeout<'p>(&mut self, message: impl Into<Payload<'p>>, timeout: Duration) -> Result<()> {
        self.put(message.into(), Patience::For(timeout))
    }

    /// Memory for a message of so many bytes, to be filled where the receiver will read it; waits for room as
    /// [`send`](Self::send) does.
    ///
    /// The channel keeps the memory and uses it again, one piece for each message that it can hold and one more: so a
    /// message costs no lock and no fresh page, whatever its size, and nothing is copied. The receiver gets it as
    /// [`Incoming::Bytes`](super::Incoming::Bytes). The memory goes when the sender is dropped, and when what was sent
    /// is received.
    ///
    /// ```
    /// # let pipeline = format!("doc-loan-{}", std::process::id());
    /// use podwire_fastio::{ChannelOptions, FastIoContext};
    /// let context = FastIoContext::open(&pipeline)?;
    /// let (mut sender, mut receiver) = context.channel("frames", &ChannelOptions::new().capacity(2))?;
    /// for number in 0..5 {
    ///     let mut frame = sender.loan(1 << 20)?;
    ///     frame.fill(number); // where it will be read
    ///     frame.send()?;
    ///     assert_eq!(receiver.receive()?.bytes()?[1_048_575], number);
    /// }
    /// # drop((sender, receiver, context));
    /// # FastIoContext::remove(&pipeline)?;
    /// # Ok::<(), podwire_fastio::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn loan(&mut self, bytes: usize) -> Result<Loan<'_>> {
        self.lend(bytes, self.patience())
    }

    /// The same without waiting.
    ///
    /// # Errors
    /// As [`try_send`](Self::try_send).
    pub fn try_loan(&mut self, bytes: usize) -> Result<Loan<'_>> {
        self.lend(bytes, Patience::None)
    }

    /// The same, waiting no longer than `timeout`.
    ///
    /// # Errors
    /// As [`send_timeout`](Self::send_timeout).
    pub fn loan_timeout(&mut self, bytes: usize, timeout: Duration) -> Result<Loan<'_>> {
        self.lend(bytes, Patience::For(timeout))
    }

    /// Sends a value of a registered type: [`send`](Self::send) of [`Payload::value`]. The first time, the schema of the
    /// type is left in the pipeline; see [`FastIoContext::schema`].
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_value<T: Codec + std::any::Any + Send + Sync>(&mut self, value: &T) -> Result<()> {
        self.send(Payload::value(value))
    }

    /// Closes it, as dropping it does: the receiver gets what is still there, and then [`Error::Closed`]; another sender can
    /// be opened. What becomes of the messages can still be asked: [`received`](Self::received),
    /// [`settled`](Self::settled), [`peer`](Self::peer).
    pub fn close(&mut self) {
        if !self.end.store().forked() {
            self.end.close();
        }
    }

    /// What is known about the receiver. It is looked after at most every 5 ms: that is how long a death can be unknown.
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

    /// Whether [`send`](Self::send) would not have to wait.
    pub fn is_ready(&self) -> bool {
        self.waiting() < self.capacity() || self.end.refused().is_err()
    }

    /// Messages that were sent through this channel since it was made, by this sender and those before it.
    pub fn sent(&self) -> u64 {
        self.next.number
    }

    /// Messages of these that receivers have taken; the others wait in the channel, and are there for the next receiver.
    pub fn received(&self) -> u64 {
        self.end.ring.tail(&self.end.held)
    }

    /// Messages of these that receivers were done with: [`Receiver::settle`](super::Receiver::settle) says when that is.
    ///
    /// All three numbers stay when a receiver dies or leaves. When [`peer`](Self::peer) is [`Peer::Died`],
    /// `received() - settled()` messages were in the hands of receivers that died, one at most of each, and went with
    /// them; `sent() - received()` wait for another receiver, and go with the channel if none comes.
    pub fn settled(&self) -> u64 {
        self.end.ring.settled(&self.end.held)
    }

    /// Bytes of this sender's messages that were copied into allocations of their own: packed bytes that do not fit the
    /// channel, and buffers that lay in no allocation of the pipeline.
    pub fn copied_bytes(&self) -> u64 {
        self.end.copied.get()
    }

    /// Messages that were sent and not received: `sent() - received()`.
    pub fn waiting(&self) -> usize {
        self.sent().wrapping_sub(self.received()) as usize
    }

    /// The messages that the channel can hold.
    pub fn capacity(&self) -> usize {
        self.end.ring.shape.capacity as usize
    }

    fn patience(&self) -> Patience {
        match self.when_full {
            WhenFull::Block => Patience::Forever,
            WhenFull::Refuse => Patience::None,
        }
    }

    fn lend(&mut self, size: usize, patience: Patience) -> Result<Loan<'_>> {
        self.end.store().check()?;
        self.end.check_open()?;
        self.await_room(patience)?;
        let place = self.lent.prepare(&self.end, self.next, size)?;
        let proof = self.end.store().write_lent();
        Ok(Loan { sender: self, place, size, proof })
    }

    /// Sends what was filled.
    pub(super) fn send_lent(&mut self, place: usize, size: usize) -> Result<()> {
        self.end.store().check()?;
        self.refer_to_lent(BYTES, place, size)?;
        self.show();
        Ok(())
    }

    fn put(&mut self, payload: Payload<'_>, patience: Patience) -> Result<()> {
        self.end.store().check()?;
        self.end.check_open()?;
        self.await_room(patience)?;
        let result = self.fill(payload);
        if self.scratch.capacity() > KEPT {
            self.scratch = Vec::new();
        }
        result
    }

    fn fill(&mut self, payload: Payload<'_>) -> Result<()> {
        let Self { end, next, scratch, lent, .. } = self;
        let nothing = AllocationId { index: 0, generation: 0 };
        let refer = |kind, allocation: &FastIoAllocation, bytes: &[u8]| -> Result<()> {
            let target = allocation.id();
            if let Some([index, _]) = end.held.child(next.position) {
                soon_written(index);
            }
            end.store().lock()?.enlist(&end.held, next.position, next.number, target)?;
            end.ring.write(&end.held, *next, Message { kind, length: bytes.len(), target }, bytes);
            Ok(())
        };
        match payload::prepare(end, payload, scratch)? {
            Ready::Inline(kind, bytes) => {
                let message = Message { kind, length: bytes.len(), target: nothing };
                end.ring.write(&end.held, *next, message, bytes);
            }
            Ready::Copied(kind, bytes) => {
                let place = lent.prepare(end, *next, bytes.len())?;
                lent.bytes_mut(place, bytes.len(), &mut end.store().write_lent()).copy_from_slice(bytes);
                end.store().copied.fetch_add(bytes.len() as u64, Relaxed);
                end.copied.update(|copied| copied + bytes.len() as u64);
                let size = bytes.len();
                self.refer_to_lent(kind, place, size)?;
            }
            Ready::Known(kind, allocation) => refer(kind, allocation, &[])?,
            Ready::Made(kind, allocation) => refer(kind, &allocation, &[])?,
            Ready::Beside(kind, buffer, bytes) => refer(kind, &buffer, bytes)?,
        }
        self.show();
        Ok(())
    }

    /// Fills the slot of a message that lies in lent memory.
    #[inline]
    fn refer_to_lent(&mut self, kind: u32, place: usize, length: usize) -> Result<()> {
        let (end, at) = (&self.end, self.next);
        let target = self.lent.id(place).ok_or(Error::Freed)?;
        // Whoever cleans up after us must know which message needs it, before there is one.
        retag(&end.held, end.ring.shape.place_of_lent(place), at.number, target);
        crash_point!("lent-tagged");
        let kind = kind | REFERENCED | LENT;
        end.ring.write(&end.held, at, Message { kind, length, target }, &[]);
        Ok(())
    }

    /// Makes the message of the filled slot visible.
    #[inline]
    fn show(&mut self) {
        let (end, next) = (&self.end, &mut self.next);
        crash_point!("channel-written");
        end.ring.commit(&end.held, *next);
        crash_point!("channel-sent");
        end.ring_the_bell();
        *next = end.ring.next(*next);
    }

    #[inline]
    fn await_room(&mut self, patience: Patience) -> Result<()> {
        self.end.refused()?;
        let capacity = u64::from(self.end.ring.shape.capacity);
        if self.next.number.wrapping_sub(self.tail) < capacity {
            return Ok(());
        }
        let (end, next) = (&self.end, self.next.number);
        let used = || next.wrapping_sub(end.ring.tail(&end.held));
        if used() > capacity {
            return Err(end.corrupt("has received what was never sent"));
        }
        if used() == capacity {
            if matches!(patience, Patience::None) {
                end.refused_now()?;
                if used() == capacity {
                    return Err(Error::Full { channel: end.shown() });
                }
            } else {
                end.wait_for(patience, "room in", || used() != capacity)?;
            }
        }
        self.tail = end.ring.tail(&end.held);
        if next.wrapping_sub(self.tail) < capacity { Ok(()) } else { Err(end.corrupt("has lost its count")) }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if !self.end.store().forked() {
            self.lent.clear(self.end.store());
        }
    }
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender")
            .field("channel", &self.end.name)
            .field("sent", &self.next.number)
            .finish_non_exhaustive()
    }
}
