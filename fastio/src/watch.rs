//! Watching all names of a pipeline come and go.
//!
//! Not here: waiting for one name (`context.rs`). There is no log in shared memory that a slow watcher could hold up or a
//! death could tear: a watcher compares what is there with what it saw last. Invariant: after all events are taken,
//! what a watcher knows is what was there at one moment.

use std::{
    collections::{HashMap, VecDeque},
    sync::atomic::Ordering::Acquire,
    time::Duration,
};

use crate::{
    context::FastIoContext,
    error::Result,
    futex::{self, Deadline},
    stats::Listing,
    store::Store,
};

/// Something that became of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// It stands for this allocation now.
    Published(Listing),
    /// It does not stand for that allocation any more: freed, unpublished, or replaced.
    Freed {
        /// The name.
        name: String,
        /// The number of the publication that is gone.
        publication: u64,
    },
    /// So many publications came and went before the watcher looked.
    Missed {
        /// How many.
        publications: u64,
    },
}

/// A stream of what becomes of the names of a pipeline; made by [`FastIoContext::watch`].
pub struct Watch {
    context: FastIoContext,
    /// The names that were there, and the numbers of their publications.
    known: HashMap<String, u64>,
    /// The version of the index, and the count of publications, when it was looked at last.
    seen: Option<(u64, u64)>,
    events: VecDeque<Event>,
}

impl FastIoContext {
    /// Watches the names of this pipeline. What is published already comes first.
    ///
    /// ```
    /// # let pipeline = format!("doc-watch-{}", std::process::id());
    /// use std::time::Duration;
    /// use podwire_fastio::{Event, FastIoContext};
    ///
    /// let context = FastIoContext::open(&pipeline)?;
    /// let mut watch = context.watch();
    /// context.create(100)?.publish("picture")?;
    /// match watch.next(Duration::from_secs(1))? {
    ///     Event::Published(listing) => assert_eq!((&*listing.name, listing.size), ("picture", 100)),
    ///     other => panic!("{other:?}"),
    /// }
    /// context.unpublish("picture")?;
    /// assert!(matches!(watch.next(Duration::from_secs(1))?, Event::Freed { name, .. } if name == "picture"));
    /// # drop((watch, context));
    /// # FastIoContext::remove(&pipeline)?;
    /// # Ok::<(), podwire_fastio::Error>(())
    /// ```
    pub fn watch(&self) -> Watch {
        Watch { context: self.clone(), known: HashMap::new(), seen: None, events: VecDeque::new() }
    }
}

impl Watch {
    /// The next event; waits for it in the kernel.
    ///
    /// # Errors
    /// [`Error::Timeout`](crate::Error::Timeout); otherwise as [`FastIoContext::list`].
    pub fn next(&mut self, timeout: Duration) -> Result<Event> {
        let deadline = Deadline::after(timeout);
        loop {
            if let Some(event) = self.try_next()? {
                return Ok(event);
            }
            let store = self.context.store();
            let time = deadline.slice(|| "any name to be published or freed".into())?;
            let line = &store.control().seq;
            futex::wait(
                &line.events,
                &line.waiters,
                time,
                || Ok(self.is_behind() || store.check().is_err()),
            )?;
        }
    }

    /// The next event, if something has happened.
    ///
    /// # Errors
    /// As [`FastIoContext::list`].
    pub fn try_next(&mut self) -> Result<Option<Event>> {
        self.context.store().check()?;
        if self.events.is_empty() && self.is_behind() {
            self.look()?;
        }
        Ok(self.events.pop_front())
    }

    fn is_behind(&self) -> bool {
        let control = self.context.store().control();
        // A name that is added changes only the one, a name that goes only the other.
        let now = (control.seq.version.load(Acquire), control.counts.publications.load(Acquire));
        self.seen != Some(now)
    }

    fn look(&mut self) -> Result<()> {
        let now = self.context.store().names_now()?;
        let mut known = HashMap::with_capacity(now.listings.len());
        let is_fresh = |publication: u64| self.seen.is_none_or(|(_, count)| publication > count);
        // A channel has a name too, and is none of the user's.
        let mut fresh = now.channels.iter().filter(|publication| is_fresh(**publication)).count() as u64;
        let mut published = Vec::new();
        for listing in now.listings {
            let before = self.known.remove(&listing.name);
            if before != Some(listing.publication) {
                fresh += u64::from(is_fresh(listing.publication));
                if let Some(publication) = before {
                    self.events.push_back(Event::Freed { name: listing.name.clone(), publication });
                }
                published.push(listing.clone());
            }
            known.insert(listing.name, listing.publication);
        }
        let gone = std::mem::replace(&mut self.known, known);
        self.events.extend(gone.into_iter().map(|(name, publication)| Event::Freed { name, publication }));
        if let Some((_, count)) = self.seen
            && let publications @ 1.. = now.publications.saturating_sub(count).saturating_sub(fresh)
        {
            self.events.push_back(Event::Missed { publications });
        }
        published.sort_by_key(|listing| listing.publication);
        self.events.extend(published.into_iter().map(Event::Published));
        self.seen = Some((now.version, now.publications));
        Ok(())
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch")
            .field("context", &self.context)
            .field("known", &self.known.len())
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Wakes those who watch all names.
    #[inline]
    pub(crate) fn tell_watchers(&self) {
        let line = &self.control().seq;
        futex::notify(&line.events, &line.waiters);
    }
}
