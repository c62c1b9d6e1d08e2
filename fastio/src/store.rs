//! The shared state of one pipeline as this process sees it: control file, tables, and its own slot.
//!
//! Not here: any step of the protocol. Invariant: a `Store` exists only after the control file was seen to be
//! ours, whole, and of this version; whatever else the files hold is checked where it is used.

use std::{
    collections::HashSet,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::{
        RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
};

use crate::{
    crash::crash_point,
    directory::{self, Directory},
    error::{Error, Result},
    local::Local,
    membership::REMOVED,
    state::Word,
    sys::{Control, ForkSentinel, NameEntry, Records, SLOTS, SegmentEntry},
    table::{LocalTable, Place, Table},
};

const CONTROL: &str = "control";
const MAGIC: u64 = u64::from_le_bytes(*b"podwireF");
const VERSION: u32 = 2;

/// An allocation: its segment, and which of the allocations that the segment has held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AllocationId {
    /// The segment.
    pub index: u32,
    /// Counts the allocations that have lived in the segment; never 0.
    pub generation: u64,
}

/// One pipeline, open.
pub(crate) struct Store {
    pub(crate) directory: Directory,
    control: Records<Control>,
    segments: Table<SegmentEntry>,
    names: Table<NameEntry>,
    locals: LocalTable<Local>,
    fork: ForkSentinel,
    /// This process's slot.
    pub(crate) slot: u16,
    /// Segments that are mapped here, held or not.
    pub(crate) maps: AtomicUsize,
    /// Dead processes that were cleaned up after here, and that no sweep has told of.
    pub(crate) buried: AtomicUsize,
    /// Bytes that this crate has copied for the user.
    pub(crate) copied: AtomicU64,
    /// Fingerprints of the schemas that are known to lie in the directory.
    pub(crate) described: RwLock<HashSet<u64>>,
}

impl Store {
    /// Opens the files of a pipeline, or creates them. The slot is still to be claimed.
    pub(crate) fn open(directory: Directory) -> Result<Self> {
        let control = match open_control(&directory)? {
            Some(control) => control,
            None => {
                directory.create_whole(CONTROL, size_of::<Control>() as u64, |map| {
                    if let Some(control) = map.record::<Control>(0) {
                        control.magic.store(MAGIC, SeqCst);
                        control.version.store(VERSION, SeqCst);
                        control.size.store(size_of::<Control>() as u32, SeqCst);
                    }
                })?;
                crash_point!("after-control-link");
                open_control(&directory)?.ok_or(Error::Removed)?
            }
        };
        let fork = ForkSentinel::new().map_err(|source| Error::io("mmap", directory.path(), source))?;
        Ok(Self {
            directory,
            control,
            segments: Table::new("segments"),
            names: Table::new("names"),
            locals: LocalTable::new(),
            fork,
            slot: SLOTS as u16,
            maps: AtomicUsize::new(0),
            buried: AtomicUsize::new(0),
            copied: AtomicU64::new(0),
            described: RwLock::default(),
        })
    }

    #[inline]
    pub(crate) fn control(&self) -> &Control {
        self.control.get(0).expect("the length was checked when the file was opened")
    }

    #[inline]
    pub(crate) fn segment(&self, index: u32) -> Result<&SegmentEntry> {
        self.segments.get(&self.directory, Place::of(index))
    }

    #[inline]
    pub(crate) fn name(&self, index: u32) -> Result<&NameEntry> {
        self.names.get(&self.directory, Place::of(index))
    }

    pub(crate) fn grow_segments(&self, index: u32) -> Result<()> {
        self.segments.grow(&self.directory, index)
    }

    pub(crate) fn grow_names(&self, index: u32) -> Result<()> {
        self.names.grow(&self.directory, index)
    }

    /// What all processes, and what this one alone, know of a segment.
    #[inline]
    pub(crate) fn both(&self, index: u32) -> Result<(&SegmentEntry, &Local)> {
        let place = Place::of(index);
        Ok((self.segments.get(&self.directory, place)?, self.locals.get(place)))
    }

    /// What this process alone knows of a segment that the table has.
    pub(crate) fn local(&self, index: u32) -> &Local {
        self.locals.get(Place::of(index))
    }

    /// The state word of a segment.
    #[inline]
    pub(crate) fn state(&self, index: u32) -> Result<Word> {
        Ok(Word::unpack(self.segment(index)?.state.load(SeqCst)))
    }

    /// How many segments were ever made.
    pub(crate) fn segment_count(&self) -> u32 {
        self.control().segments_used.load(SeqCst)
    }

    /// Whether this process was forked from the one that opened the store.
    #[inline]
    pub(crate) fn forked(&self) -> bool {
        self.fork.forked()
    }

    /// Refuses what a forked child, or the user of a removed pipeline, may not do.
    #[inline]
    pub(crate) fn check(&self) -> Result<()> {
        if self.forked() {
            return Err(Error::Forked);
        }
        if self.control().removed.load(SeqCst) == REMOVED {
            return Err(Error::Removed);
        }
        Ok(())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// The control file of a directory, if it is there and as it should be.
pub(crate) fn open_control(directory: &Directory) -> Result<Option<Records<Control>>> {
    let path = directory.path().join(CONTROL);
    let Some((file, length)) = directory.file(CONTROL)? else { return Ok(None) };
    let corrupt = |what| Err(Error::Corrupt { what, path: path.clone() });
    // Another version may have another length.
    let mut head = [0; 12];
    if file.read_exact_at(&mut head, 0).is_ok()
        && head[..8] == MAGIC.to_le_bytes()
        && head[8..] != VERSION.to_le_bytes()
    {
        return corrupt("is of another version of podwire");
    }
    if length != size_of::<Control>() as u64 {
        return corrupt("has a wrong length");
    }
    let map = directory::map(&file, length, false, &path)?;
    let records = Records::new(map, 1).ok_or(Error::Removed)?;
    let control: &Control = records.get(0).ok_or(Error::Removed)?;
    if control.magic.load(SeqCst) != MAGIC {
        return corrupt("is not the control file of a pipeline");
    }
    if control.version.load(SeqCst) != VERSION {
        return corrupt("is of another version of podwire");
    }
    if control.size.load(SeqCst) as usize != size_of::<Control>() {
        return corrupt("has another layout");
    }
    Ok(Some(records))
}
