//! Which channels a pipeline has, and taking one away.
//!
//! Not here: the ends. Invariant: a list is taken under the index lock, so that it is true of one moment, but for
//! messages that come and go meanwhile.

use std::sync::atomic::Ordering::SeqCst;

use super::{
    ends::{Peer, attached},
    ring::Shape,
};
use crate::{
    context::FastIoContext,
    error::{Error, Result},
    name::{self, Key},
    store::Store,
};

/// One channel of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelListing {
    /// The name.
    pub name: String,
    /// The messages that it can hold.
    pub capacity: usize,
    /// The bytes of a message that lie in the channel itself.
    pub inline: usize,
    /// Messages that were sent and not received.
    pub waiting: usize,
    /// What is known about the sender.
    pub sender: Peer,
    /// What is known about the receiver.
    pub receiver: Peer,
}

impl FastIoContext {
    /// All channels, sorted by name.
    ///
    /// # Errors
    /// [`Error::Forked`], [`Error::Removed`], [`Error::Corrupt`], [`Error::Io`].
    pub fn channels(&self) -> Result<Vec<ChannelListing>> {
        self.store().check()?;
        self.store().list_channels()
    }

    /// Takes a channel away with what waits in it; whether there was one.
    ///
    /// # Errors
    /// [`Error::EndTaken`] if a living process has an end of it open; otherwise as [`unpublish`](Self::unpublish).
    pub fn remove_channel(&self, name: &str) -> Result<bool> {
        let store = self.store();
        store.check()?;
        let stored = name::of_channel(name)?;
        let key = Key::stored(&stored)?;
        loop {
            let (end, slot) = {
                let lock = store.lock()?;
                let Some(found) = lock.find(&key)? else { return Ok(false) };
                let segment = store.segment(found.target.index)?;
                let ends = [("sender", &segment.sender), ("receiver", &segment.receiver)];
                match ends.iter().find_map(|(end, word)| Some((*end, attached(word.load(SeqCst))?))) {
                    Some(taken) => taken,
                    None => return lock.free(found.target).map(|()| true),
                }
            };
            if slot == store.slot || !store.bury_if_dead(slot)? {
                return Err(Error::EndTaken { channel: name::shown(name), end });
            }
        }
    }
}

impl Store {
    fn list_channels(&self) -> Result<Vec<ChannelListing>> {
        let lock = self.lock()?;
        let mut list = Vec::new();
        for entry in 0..self.control().names_used.load(SeqCst) {
            let record = self.name(entry)?;
            let index = record.found(entry).target.index;
            if record.live.load(SeqCst) == 0 || !lock.published(record.found(entry).target)? {
                continue;
            }
            let Some(text) = record.text() else { continue };
            let Some(name) = text.strip_prefix(name::CHANNEL) else { continue };
            let Some(ring) = lock.ring_on_file(index)? else { continue };
            let segment = self.segment(index)?;
            let Shape { capacity, .. } = ring.shape;
            list.push(ChannelListing {
                name: name.to_owned(),
                capacity: capacity as usize,
                inline: ring.shape.inline(),
                waiting: ring.unread()? as usize,
                sender: Peer::of(segment.sender.load(SeqCst)),
                receiver: Peer::of(segment.receiver.load(SeqCst)),
            });
        }
        drop(lock);
        list.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(list)
    }
}
