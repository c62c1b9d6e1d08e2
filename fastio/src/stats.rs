//! What a pipeline holds, in numbers and as a list.
//!
//! Not here: any change. Invariant: a list is taken under the index lock, so that it is true of one moment.

use std::{
    sync::atomic::Ordering::{Relaxed, SeqCst},
    time::{Duration, SystemTime},
};

use crate::{
    error::Result,
    name, pool,
    segment::HEADER,
    slot::bits,
    state::State,
    store::{AllocationId, Store},
};

/// What a pipeline holds, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Processes that have the pipeline open, dead ones that nobody has noticed yet included.
    pub processes: usize,
    /// Names.
    pub names: usize,
    /// Published allocations.
    pub published: usize,
    /// Channels.
    pub channels: usize,
    /// Allocations that only their process knows.
    pub private: usize,
    /// Allocations that are freed, and kept by a holder.
    pub freed: usize,
    /// Bytes of shared memory in these four, header pages included.
    pub bytes: u64,
    /// Bytes of shared memory that wait to be used again, header pages not included.
    pub pooled_bytes: u64,
    /// Bytes that podwire has copied through this context, and the others of its process and pipeline.
    pub bytes_copied: u64,
    /// Bytes of shared memory that the pipeline's quota is about: all files of allocations and channels, those that wait to
    /// be used again included.
    pub file_bytes: u64,
    /// The pipeline's quota of these bytes; see [`PipelineOptions::quota_bytes`](crate::PipelineOptions::quota_bytes).
    pub quota_bytes: Option<u64>,
    /// The pipeline's quota of names, those of channels included.
    pub quota_names: Option<u32>,
    /// Whether the pipeline goes with its last member.
    pub ephemeral: bool,
}

/// One name of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing {
    /// The name.
    pub name: String,
    /// What it stands for.
    pub id: AllocationId,
    /// The size in bytes.
    pub size: u64,
    /// Whether the bytes are immutable.
    pub sealed: bool,
    /// Whether a writer died in the middle of writing.
    pub poisoned: bool,
    /// Processes that have a handle.
    pub holders: usize,
    /// Counts the publications of the pipeline: a later one has a higher number.
    pub publication: u64,
    /// When it was published, by the system's clock.
    pub published: SystemTime,
}

/// All names of one moment.
pub(crate) struct Names {
    /// The version of the index.
    pub(crate) version: u64,
    /// The publications that there have been.
    pub(crate) publications: u64,
    pub(crate) listings: Vec<Listing>,
    /// The numbers of the publications that are channels.
    pub(crate) channels: Vec<u64>,
}

impl Store {
    pub(crate) fn stats(&self) -> Result<Stats> {
        let _lock = self.lock()?;
        let control = self.control();
        let mut stats = Stats {
            processes: control.slots.iter().filter(|slot| slot.load(SeqCst) != 0).count(),
            pooled_bytes: control.counts.pooled_bytes.load(SeqCst),
            bytes_copied: self.copied.load(Relaxed),
            file_bytes: control.file_bytes.load(SeqCst),
            quota_bytes: Some(control.quota_bytes.load(SeqCst)).filter(|quota| *quota != 0),
            quota_names: Some(control.quota_names.load(SeqCst)).filter(|quota| *quota != 0),
            ephemeral: control.ephemeral.load(SeqCst) != 0,
            ..Stats::default()
        };
        for index in 0..self.segment_count() {
            let segment = self.segment(index)?;
            let count = match self.state(index)?.state {
                State::Published if self.is_channel(index)? => &mut stats.channels,
                State::Published => &mut stats.published,
                State::Private => &mut stats.private,
                State::Freed => &mut stats.freed,
                _ => continue,
            };
            *count += 1;
            if !self.is_channel(index)? {
                stats.names += segment.owners.names.load(SeqCst) as usize;
            }
            stats.bytes += HEADER as u64 + pool::capacity(segment.class.load(SeqCst));
        }
        Ok(stats)
    }

    pub(crate) fn list(&self) -> Result<Vec<Listing>> {
        let mut list = self.names_now()?.listings;
        list.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(list)
    }

    /// All names of one moment.
    pub(crate) fn names_now(&self) -> Result<Names> {
        let lock = self.lock()?;
        let control = self.control();
        let mut names = Names {
            version: control.seq.version.load(SeqCst),
            publications: control.counts.publications.load(SeqCst),
            listings: Vec::new(),
            channels: Vec::new(),
        };
        for entry in 0..control.names_used.load(SeqCst) {
            let record = self.name(entry)?;
            let publication = record.live.load(SeqCst);
            let id = record.found(entry).target;
            if publication == 0 || !lock.published(id)? {
                continue;
            }
            let Some(name) = record.text() else { continue };
            if name.starts_with(name::CHANNEL) {
                names.channels.push(publication);
                continue;
            }
            let segment = self.segment(id.index)?;
            names.listings.push(Listing {
                name,
                id,
                size: segment.length.load(SeqCst),
                sealed: segment.sealed.load(SeqCst) == id.generation,
                poisoned: segment.poisoned.load(SeqCst) == id.generation,
                holders: bits(&segment.holders).count(),
                publication,
                published: SystemTime::UNIX_EPOCH + Duration::from_nanos(record.published_at.load(SeqCst)),
            });
        }
        Ok(names)
    }
}
