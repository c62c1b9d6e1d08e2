//! Memory that a sender lends to its channel again and again, so that a large message costs no lock and no bookkeeping.
//!
//! Not here: when a message may be sent. Invariant: the memory of a place belongs to the messages of that place alone,
//! and there is one place more than messages can wait: when the sender may fill it again, the receiver has taken a later
//! message, and is done with this one. Nobody else can get at it; see `docs/fastio-layout.md`.

use std::{
    ops::{Deref, DerefMut},
    sync::atomic::Ordering::SeqCst,
};

use super::{ends::End, ring::Cursor, sender::Sender};
use crate::{
    access::{ReadProof, WriteProof},
    crash::crash_point,
    error::{Error, Result},
    local::Wanted,
    pool,
    segment::HEADER,
    store::{AllocationId, Store},
    sys::{self, Held},
};

const CHECKED: &str = "the place was filled and its length checked";

/// The memory of one place, held by this process.
struct Lent {
    id: AllocationId,
    held: Held,
    offset: usize,
    length: usize,
    proof: ReadProof,
}

impl Lent {
    /// Takes over what is held; `None`, and it is held no more, where its payload is not inside the mapping.
    fn of(store: &Store, id: AllocationId, held: Held) -> Result<Option<Self>> {
        let segment = store.segment(id.index)?;
        let offset = segment.payload.load(SeqCst) as usize;
        let length = usize::try_from(segment.length.load(SeqCst)).unwrap_or(usize::MAX);
        let inside = offset.checked_add(length).is_some_and(|end| end <= held.length());
        match store.read_lent(id) {
            Ok(proof) if inside && offset >= HEADER => Ok(Some(Self { id, held, offset, length, proof })),
            _ => {
                store.unhold(id, &held)?;
                Ok(None)
            }
        }
    }
}

/// The places of a channel, as far as this end knows their memory.
#[derive(Default)]
pub(super) struct Places(Vec<Option<Lent>>);

impl Places {
    /// The sender's side: sees to it that the place of a message holds so many bytes.
    #[inline]
    pub(super) fn prepare(&mut self, end: &End, at: Cursor, size: usize) -> Result<usize> {
        let place = end.ring.shape.lent_place(at.number);
        match self.0.get(place) {
            Some(Some(lent)) if lent.length >= size => Ok(place),
            _ => self.provide(end, at, place, size),
        }
    }

    #[cold]
    fn provide(&mut self, end: &End, at: Cursor, place: usize, size: usize) -> Result<usize> {
        let store = end.store();
        let no_space = || Error::NoSpace { wanted: size as u64 };
        let class = pool::class_of(size as u64).ok_or_else(no_space)?;
        let created = store.create(pool::capacity(class), 0)?;
        let (id, held) = (created.id, created.held);
        let marked = store.segment(id.index).map(|segment| segment.lent.store(id.generation, SeqCst));
        crash_point!("lent-marked");
        let listed = marked.and_then(|()| {
            let place = end.ring.shape.place_of_lent(place);
            store.lock()?.enlist(&end.held, place, at.number, id)
        });
        if let Err(error) = listed {
            store.unhold(id, &held)?;
            return Err(error);
        }
        let lent = Lent::of(store, id, held)?.ok_or_else(|| end.corrupt("has memory without payload"))?;
        self.put(store, place, lent)?;
        Ok(place)
    }

    /// The receiver's side: sees to it that the place of a message is the memory that it names, of so many bytes.
    #[inline]
    pub(super) fn find(&mut self, end: &End, at: Cursor, id: AllocationId, size: usize) -> Result<usize> {
        let place = end.ring.shape.lent_place(at.number);
        match self.0.get(place) {
            Some(Some(lent)) if lent.id == id && lent.length >= size => Ok(place),
            _ => self.hold(end, place, id, size),
        }
    }

    #[cold]
    fn hold(&mut self, end: &End, place: usize, id: AllocationId, size: usize) -> Result<usize> {
        let store = end.store();
        let held = match store.hold(id, Wanted::Lent) {
            Err(Error::Freed) => return Err(end.corrupt("has a message that refers to nothing")),
            other => other?,
        };
        let lent = Lent::of(store, id, held)?.ok_or_else(|| end.corrupt("has memory without payload"))?;
        let fits = lent.length >= size;
        self.put(store, place, lent)?;
        if fits { Ok(place) } else { Err(end.corrupt("has a message that is longer than its place")) }
    }

    fn put(&mut self, store: &Store, place: usize, lent: Lent) -> Result<()> {
        if self.0.len() <= place {
            self.0.resize_with(place + 1, || None);
        }
        match self.0[place].replace(lent) {
            Some(old) => store.unhold(old.id, &old.held),
            None => Ok(()),
        }
    }

    /// What a message in a place refers to.
    pub(super) fn id(&self, place: usize) -> Option<AllocationId> {
        Some(self.0.get(place)?.as_ref()?.id)
    }

    /// The bytes of the message in a place that was prepared, or found, for so many.
    #[inline]
    pub(super) fn bytes(&self, place: usize, size: usize) -> &[u8] {
        let lent = self.0.get(place).and_then(Option::as_ref);
        lent.and_then(|lent| sys::bytes(&lent.held, lent.offset, size, &lent.proof)).expect(CHECKED)
    }

    /// The same for the sender, before it sends them.
    #[inline]
    pub(super) fn bytes_mut<'p>(
        &'p mut self,
        place: usize,
        size: usize,
        proof: &'p mut WriteProof,
    ) -> &'p mut [u8] {
        let lent = self.0.get(place).and_then(Option::as_ref);
        lent.and_then(|lent| sys::bytes_mut(&lent.held, lent.offset, size, proof)).expect(CHECKED)
    }

    /// Holds nothing any more.
    pub(super) fn clear(&mut self, store: &Store) {
        for lent in self.0.drain(..).flatten() {
            // What cannot be done now is done by a sweep, or by whoever cleans this slot.
            let _ = store.unhold(lent.id, &lent.held);
        }
    }
}

/// Memory for the next message of a [`Sender`], to be filled where it will be read; made by [`Sender::loan`].
///
/// It holds whatever bytes an earlier message left. Dropped without [`send`](Self::send), nothing is sent.
pub struct Loan<'s> {
    pub(super) sender: &'s mut Sender,
    pub(super) place: usize,
    pub(super) size: usize,
    pub(super) proof: WriteProof,
}

impl Loan<'_> {
    /// Sends the bytes. It does not wait: there is room since the loan was made.
    ///
    /// # Errors
    /// [`Error::Forked`], [`Error::Removed`], [`Error::Corrupt`]; nothing was sent then. A receiver that has gone is
    /// noticed by the next loan.
    pub fn send(self) -> Result<()> {
        self.sender.send_lent(self.place, self.size)
    }
}

impl Deref for Loan<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.sender.lent.bytes(self.place, self.size)
    }
}

impl DerefMut for Loan<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        self.sender.lent.bytes_mut(self.place, self.size, &mut self.proof)
    }
}

impl std::fmt::Debug for Loan<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loan").field("bytes", &self.size).finish_non_exhaustive()
    }
}
