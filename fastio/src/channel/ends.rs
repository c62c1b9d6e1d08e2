//! One end of a channel: opening it, knowing about the other, waiting for it, and leaving.
//!
//! Not here: messages. Invariant: an end belongs to one process slot, so that the kernel's lock on the slot says
//! whether it lives; whoever cleans a slot marks its ends.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Instant,
};

use super::{
    options::{ChannelOptions, Wait},
    ring::{Ring, Shape},
};
use crate::{
    access::Patience,
    context::FastIoContext,
    crash::crash_point,
    error::{Error, Result},
    futex::{self, Deadline, PATIENCE},
    local::Wanted,
    name::{self, Key},
    segment::file_name,
    state::State,
    store::{AllocationId, Store},
    sys::{Held, SLOTS, SegmentEntry},
};

/// In the word of an end: it was closed.
pub(crate) const CLOSED: u32 = u32::MAX;
/// In the word of an end: its process died.
pub(crate) const DIED: u32 = u32::MAX - 1;

/// The slot of the process that has an end open.
pub(crate) fn attached(word: u32) -> Option<u16> {
    (1..=SLOTS as u32).contains(&word).then(|| (word - 1) as u16)
}

/// What is known about the other end of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Peer {
    /// Nobody has opened it yet.
    Absent,
    /// A process has it open.
    Attached,
    /// It was closed, and nobody has opened it again.
    Closed,
    /// The process that had it died, and nobody has opened it again.
    Died,
}

impl Peer {
    pub(super) fn of(word: u32) -> Self {
        match word {
            0 => Self::Absent,
            CLOSED => Self::Closed,
            word if attached(word).is_some() => Self::Attached,
            _ => Self::Died,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Sender,
    Receiver,
}

impl Side {
    fn word(self, segment: &SegmentEntry) -> &AtomicU32 {
        match self {
            Self::Sender => &segment.sender,
            Self::Receiver => &segment.receiver,
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Sender => Self::Receiver,
            Self::Receiver => Self::Sender,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Receiver => "receiver",
        }
    }
}

/// One end, open.
pub(super) struct End {
    pub(super) context: FastIoContext,
    pub(super) held: Held,
    pub(super) ring: Ring,
    pub(super) name: Box<str>,
    pub(super) wait: Wait,
    /// Bytes that went into allocations of their own, because they lay in none.
    pub(super) copied: Cell<u64>,
    /// It was closed already, and is only looked at.
    left: Cell<bool>,
    id: AllocationId,
    side: Side,
    /// When it was last looked whether the other end lives.
    looked: Cell<Instant>,
}

/// How often `open` begins anew when others create and free the channel at the same time.
const ATTEMPTS: usize = 1000;
/// Turns of a spin before sleeping: about two microseconds.
const SPINS: u32 = 50;
/// Turns of a spin between two looks at the clock and at the other end.
pub(super) const ROUND: u32 = 1024;

impl End {
    pub(super) fn open(
        context: &FastIoContext,
        name: &str,
        options: &ChannelOptions,
        side: Side,
    ) -> Result<Self> {
        options.check()?;
        let stored = name::of_channel(name)?;
        let key = Key::stored(&stored)?;
        let store = context.store();
        for _ in 0..ATTEMPTS {
            store.check()?;
            let end = match store.find(&key)? {
                Some(found) => Self::attach(context, name, options, side, found.target)?,
                None => match Self::create(context, name, options, side, &key) {
                    Ok(end) => Some(end),
                    Err(Error::NameTaken { .. }) => None,
                    Err(error) => return Err(error),
                },
            };
            if let Some(end) = end {
                if options.kept {
                    end.ring.keep(&end.held);
                }
                crash_point!("channel-attached");
                return Ok(end);
            }
            std::thread::yield_now();
        }
        Err(Error::Corrupt {
            what: "is no channel, although it has the name of one",
            path: store.path("names.0"),
        })
    }

    fn create(
        context: &FastIoContext,
        name: &str,
        options: &ChannelOptions,
        side: Side,
        key: &Key<'_>,
    ) -> Result<Self> {
        let store = context.store();
        let shape = Shape::new(options.capacity, options.inline);
        let created = store.create(shape.length() as u64, shape.children() as usize)?;
        let (id, held) = (created.id, created.held);
        let segment = store.segment(id.index)?;
        let start = segment.payload.load(SeqCst) as usize;
        let Some(ring) = Ring::create(&held, start, shape) else {
            store.unhold(id, &held)?;
            return Err(Error::NoSpace { wanted: shape.length() as u64 });
        };
        held.set_metadata(&[]);
        side.other().word(segment).store(0, SeqCst);
        side.word(segment).store(u32::from(store.slot) + 1, SeqCst);
        segment.channel.store(id.generation, SeqCst);
        segment.children.store(shape.children(), SeqCst);
        crash_point!("channel-made");
        // From here on dropping it takes it away.
        let end = Self {
            context: context.clone(),
            held,
            ring,
            name: name.into(),
            wait: options.wait,
            copied: Cell::new(0),
            left: Cell::new(false),
            id,
            side,
            looked: Cell::new(Instant::now()),
        };
        store.lock()?.publish(key, id, id, false)?;
        Ok(end)
    }

    /// Takes an end of the channel that is there; `None` if it went in the meantime.
    fn attach(
        context: &FastIoContext,
        name: &str,
        options: &ChannelOptions,
        side: Side,
        id: AllocationId,
    ) -> Result<Option<Self>> {
        let store = context.store();
        let held = match store.hold(id, Wanted::Channel) {
            Ok(held) => held,
            Err(Error::Freed) => return Ok(None),
            Err(error) => return Err(error),
        };
        let taken = Self::take(store, &held, name, options, side, id);
        match taken {
            Ok(Some(ring)) => Ok(Some(Self {
                context: context.clone(),
                held,
                ring,
                name: name.into(),
                wait: options.wait,
                copied: Cell::new(0),
                left: Cell::new(false),
                id,
                side,
                looked: Cell::new(Instant::now()),
            })),
            other => {
                store.unhold(id, &held)?;
                other.map(|_| None)
            }
        }
    }

    fn take(
        store: &Store,
        held: &Held,
        name: &str,
        options: &ChannelOptions,
        side: Side,
        id: AllocationId,
    ) -> Result<Option<Ring>> {
        let segment = store.segment(id.index)?;
        let start = segment.payload.load(SeqCst) as usize;
        let length = segment.length.load(SeqCst) as usize;
        let ring = Ring::open(held, start, length, segment.children.load(SeqCst) as usize);
        let path = || store.path(&file_name(id.index, held.epoch));
        let ring = ring.ok_or_else(|| Error::Corrupt { what: "is no channel", path: path() })?;
        let wanted = Shape::new(options.capacity, options.inline);
        let differs =
            |what, wanted, found| Error::ChannelDiffers { channel: name::shown(name), what, wanted, found };
        if wanted.capacity != ring.shape.capacity {
            return Err(differs("capacity", options.capacity, ring.shape.capacity as usize));
        }
        if wanted.stride != ring.shape.stride {
            return Err(differs("inline bytes", options.inline, ring.shape.inline()));
        }
        let word = side.word(segment);
        loop {
            let slot = {
                let _lock = store.lock()?;
                let state = store.state(id.index)?;
                if state.state != State::Published || state.generation != id.generation {
                    return Ok(None);
                }
                let Some(slot) = attached(word.load(SeqCst)) else {
                    word.store(u32::from(store.slot) + 1, SeqCst);
                    return Ok(Some(ring));
                };
                slot
            };
            // Its process may be dead, and nobody has noticed so far.
            if slot == store.slot || !store.bury_if_dead(slot)? {
                return Err(Error::EndTaken { channel: name::shown(name), end: side.name() });
            }
        }
    }

    #[inline]
    pub(super) fn store(&self) -> &Store {
        self.context.store()
    }

    fn segment(&self) -> Result<&SegmentEntry> {
        self.store().segment(self.id.index)
    }

    #[inline]
    fn peer_word(&self) -> Result<u32> {
        Ok(self.side.other().word(self.segment()?).load(SeqCst))
    }

    /// Whether a process has the other end open.
    #[inline]
    pub(super) fn has_peer(&self) -> Result<bool> {
        Ok(attached(self.peer_word()?).is_some())
    }

    #[inline]
    pub(super) fn peer(&self) -> Result<Peer> {
        Ok(Peer::of(self.peer_word()?))
    }

    /// The name, for an error.
    pub(super) fn shown(&self) -> String {
        name::shown(&self.name)
    }

    pub(super) fn corrupt(&self, what: &'static str) -> Error {
        Error::Corrupt { what, path: self.store().path(&file_name(self.id.index, self.held.epoch)) }
    }

    /// Why the other end does not go on; nothing while it may.
    #[inline]
    pub(super) fn refused(&self) -> Result<()> {
        match self.peer()? {
            Peer::Closed => Err(Error::Closed { channel: self.shown() }),
            Peer::Died => Err(Error::PeerDied { channel: self.shown() }),
            Peer::Absent | Peer::Attached => Ok(()),
        }
    }

    /// Has the other end marked if its process is dead; what cannot be known for now stays as it was.
    #[cold]
    pub(super) fn look_after_peer(&self) -> Result<()> {
        self.looked.set(Instant::now());
        self.store().check()?;
        if let Some(slot) = attached(self.peer_word()?).filter(|slot| *slot != self.store().slot) {
            self.store().bury_if_known_dead(slot)?;
        }
        Ok(())
    }

    /// The words on which this end sleeps: a count of events, and whether it does.
    fn bell(&self, side: Side) -> (&AtomicU32, &AtomicU32) {
        let header = self.ring.header(&self.held);
        match side {
            Side::Sender => (&header.received.room, &header.received.waiters),
            Side::Receiver => (&header.sent.events, &header.sent.waiters),
        }
    }

    /// The words on which this end sleeps, for one who sleeps on several.
    pub(super) fn my_bell(&self) -> (&AtomicU32, &AtomicU32) {
        self.bell(self.side)
    }

    /// Wakes the other end if it sleeps.
    #[inline]
    pub(super) fn ring_the_bell(&self) {
        let (events, waiters) = self.bell(self.side.other());
        futex::notify(events, waiters);
    }

    /// Waits until `ready`, or until the other end will not go on.
    #[cold]
    pub(super) fn wait_for(&self, patience: Patience, what: &str, ready: impl Fn() -> bool) -> Result<()> {
        let mut deadline: Option<Deadline> = None;
        let (events, waiters) = self.bell(self.side);
        loop {
            let spins = if self.wait == Wait::Spin { ROUND } else { SPINS };
            for _ in 0..spins {
                if ready() {
                    return Ok(());
                }
                std::hint::spin_loop();
            }
            let refused = self.refused();
            if ready() {
                return Ok(());
            }
            refused?;
            let deadline = deadline.get_or_insert_with(|| patience.deadline());
            let time = deadline.slice(|| format!("{what} the channel \"{}\"", self.shown()))?;
            let late = match self.wait {
                Wait::Spin => self.looked.get().elapsed() > PATIENCE,
                Wait::Sleep => futex::wait(events, waiters, time, || Ok(ready()))?,
            };
            if late {
                self.look_after_peer()?;
            }
        }
    }

    /// Looks after the other end, if that was not done for some milliseconds.
    pub(super) fn look_after_peer_now_and_then(&self) -> Result<()> {
        if self.looked.get().elapsed() > PATIENCE { self.look_after_peer() } else { Ok(()) }
    }

    /// What is known about the other end, which is looked after first if it was not for some milliseconds.
    pub(super) fn peer_looked_after(&self) -> Result<Peer> {
        match self.look_after_peer_now_and_then() {
            // It could not be looked, as where no more files can be opened: what was known stays so.
            Ok(()) | Err(Error::Io { .. }) => self.peer(),
            Err(error) => Err(error),
        }
    }

    /// For callers who do not wait.
    pub(super) fn refused_now(&self) -> Result<()> {
        self.look_after_peer_now_and_then()?;
        self.refused()
    }

    /// Closes it, if it is not closed yet; what is known of the channel stays.
    pub(super) fn close(&self) {
        if !self.left.replace(true) {
            // What cannot be done now is done by a sweep, or by whoever cleans this slot.
            let _ = self.leave();
            self.ring_the_bell();
        }
    }

    /// Refuses what an end that was closed is asked for.
    pub(super) fn check_open(&self) -> Result<()> {
        if self.left.get() { Err(Error::Closed { channel: self.shown() }) } else { Ok(()) }
    }

    fn leave(&self) -> Result<()> {
        let lock = self.store().lock()?;
        self.side.word(self.segment()?).store(CLOSED, SeqCst);
        crash_point!("channel-closed");
        if self.side == Side::Sender {
            // Memory that it had lent and that no message needs any more.
            lock.reconcile(self.id.index)?;
        }
        lock.retire(self.id.index)?;
        Ok(())
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if !self.store().forked() {
            self.close();
            let _ = self.store().unhold(self.id, &self.held);
        }
    }
}
