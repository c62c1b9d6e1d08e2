//! A segment's file: its name, its header page, the metadata and the list of children in it.
//!
//! Not here: who may change them (only the owner of a private allocation, under the index lock for children).
//! Invariant: a mapped segment is the file of that index and epoch, as long as its class says.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::atomic::{
        AtomicU64,
        Ordering::{Relaxed, Release, SeqCst},
    },
};

use crate::{
    crash::{crash_point, may_fail},
    directory,
    error::{Error, Result},
    metadata::{METADATA_LIMIT, Metadata},
    pool,
    store::{AllocationId, Store},
    sys::{Held, SegmentHeader, SharedMap},
};

const MAGIC: u64 = u64::from_le_bytes(*b"podwireS");
const VERSION: u32 = 1;
/// The header page; payload never begins before its end.
pub(crate) const HEADER: usize = 4096;
/// Where the list of children begins; it goes on until the payload begins.
pub(crate) const CHILDREN: usize = 3072;
/// Bytes of one child in the list: index and generation.
pub(crate) const CHILD: usize = 16;
/// The most children that can be asked for.
pub(crate) const CHILDREN_LIMIT: usize = 1 << 16;

pub(crate) fn file_name(index: u32, epoch: u32) -> String {
    format!("segment.{index}.{epoch}")
}

/// Index and epoch of a segment file's name.
pub(crate) fn parse_file_name(name: &str) -> Option<(u32, u32)> {
    let (index, epoch) = name.strip_prefix("segment.")?.split_once('.')?;
    Some((index.parse().ok()?, epoch.parse().ok()?))
}

/// Where the payload begins when there is room for so many children.
pub(crate) fn payload_offset(children: usize) -> usize {
    (CHILDREN + children * CHILD).next_multiple_of(HEADER)
}

/// The children that fit before a payload that begins there.
pub(crate) fn children_capacity(payload: usize) -> usize {
    payload.saturating_sub(CHILDREN) / CHILD
}

impl Store {
    /// Creates the file of a segment in state `Making`.
    pub(crate) fn create_segment(&self, index: u32, epoch: u32, class: u32) -> Result<SharedMap> {
        let length = HEADER as u64 + pool::capacity(class);
        let map = self.directory.create(&file_name(index, epoch), length)?;
        crash_point!("after-map");
        if let Some(header) = map.record::<SegmentHeader>(0) {
            header.version.store(VERSION, SeqCst);
            header.index.store(index, SeqCst);
            header.epoch.store(epoch, SeqCst);
            header.class.store(class, SeqCst);
            header.file_length.store(length, SeqCst);
            header.magic.store(MAGIC, SeqCst);
        }
        crash_point!("after-header");
        Ok(map)
    }

    /// Opens the file of a segment, of which the length is checked.
    pub(crate) fn open_segment(&self, index: u32) -> Result<(File, u64, u32, PathBuf)> {
        let entry = self.segment(index)?;
        let (epoch, class) = (entry.epoch.load(SeqCst), entry.class.load(SeqCst));
        let name = file_name(index, epoch);
        let path = self.path(&name);
        let Some((file, length)) = self.directory.file(&name)? else {
            self.check()?;
            return Err(Error::Corrupt { what: "is missing", path });
        };
        if length != HEADER as u64 + pool::capacity(class) {
            return Err(Error::Corrupt { what: "has a wrong length", path });
        }
        Ok((file, length, epoch, path))
    }

    /// Maps the file of a segment.
    #[cold]
    pub(crate) fn map_segment(&self, index: u32) -> Result<(SharedMap, u32)> {
        let (file, length, epoch, path) = self.open_segment(index)?;
        let map = directory::map(&file, length, false, &path)?;
        let right = map.record::<SegmentHeader>(0).is_some_and(|header| {
            header.magic.load(SeqCst) == MAGIC
                && header.version.load(SeqCst) == VERSION
                && header.index.load(SeqCst) == index
                && header.epoch.load(SeqCst) == epoch
                && header.file_length.load(SeqCst) == length
        });
        if right {
            Ok((map, epoch))
        } else {
            Err(Error::Corrupt { what: "is not the segment that it should be", path })
        }
    }

    /// Reads from the file of a segment that the caller holds.
    pub(crate) fn read_file(&self, index: u32, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let (file, _, _, path) = self.open_segment(index)?;
        let read = may_fail().map_err(Into::into).and_then(|()| file.read_exact_at(buffer, offset));
        read.map_err(|source: std::io::Error| match source.kind() {
            std::io::ErrorKind::UnexpectedEof => Error::Corrupt { what: "is too short", path },
            _ => Error::io("pread", path, source),
        })?;
        self.copied.fetch_add(buffer.len() as u64, Relaxed);
        Ok(())
    }

    /// How many children an allocation lists, if there is room for so many.
    fn child_count(&self, index: u32) -> Result<usize> {
        let entry = self.segment(index)?;
        let count = entry.children.load(SeqCst) as usize;
        if count <= children_capacity(entry.payload.load(SeqCst) as usize) {
            return Ok(count);
        }
        let path = self.path(&file_name(index, entry.epoch.load(SeqCst)));
        Err(Error::Corrupt { what: "has no room for its children", path })
    }

    /// The children that an allocation lists, for one who holds it. Under the index lock until it is published.
    pub(crate) fn children_of(&self, index: u32, held: &Held) -> Result<Vec<AllocationId>> {
        let words = held.records::<AtomicU64>(CHILDREN, self.child_count(index)? * 2).unwrap_or_default();
        Ok(words.chunks_exact(2).map(child).collect())
    }

    /// The same without a system call, if the segment is still mapped here from when it was held.
    fn children_if_mapped(&self, index: u32, count: usize) -> Option<Vec<AllocationId>> {
        let epoch = self.segment(index).ok()?.epoch.load(SeqCst);
        let mut children = None;
        self.local(index).holding.if_unused(|place| {
            let words = place.map_of(epoch).and_then(|map| map.records::<AtomicU64>(CHILDREN, count * 2));
            children = words.map(|words| words.chunks_exact(2).map(child).collect());
        });
        children
    }

    /// The same for one who does not hold it, under the index lock; none where the list cannot be read any more.
    pub(crate) fn children_on_file(&self, index: u32) -> Result<Vec<AllocationId>> {
        let read = || {
            let count = self.child_count(index)?;
            if count == 0 {
                return Ok(Vec::new());
            }
            if let Some(children) = self.children_if_mapped(index, count) {
                return Ok(children);
            }
            let (file, _, _, path) = self.open_segment(index)?;
            let mut bytes = vec![0; count * CHILD];
            may_fail()
                .map_err(Into::into)
                .and_then(|()| file.read_exact_at(&mut bytes, CHILDREN as u64))
                .map_err(|source: std::io::Error| Error::io("pread", path, source))?;
            let word =
                |bytes: &[u8]| bytes.iter().rev().fold(0u64, |word, byte| (word << 8) | u64::from(*byte));
            let child = |bytes: &[u8]| AllocationId {
                index: word(&bytes[..4]) as u32,
                generation: word(&bytes[8..]),
            };
            Ok(bytes.chunks_exact(CHILD).map(child).collect())
        };
        match read() {
            Err(Error::Corrupt { .. } | Error::NotPrivate { .. } | Error::Removed) => Ok(Vec::new()),
            other => other,
        }
    }
}

/// A child as it stands in a list.
fn child(words: &[AtomicU64]) -> AllocationId {
    AllocationId { index: words[0].load(SeqCst) as u32, generation: words[1].load(SeqCst) }
}

/// Bytes as words, the last one filled with zeros.
fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.chunks(8).map(|bytes| {
        let mut whole = [0; 8];
        whole[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(whole)
    })
}

impl Held {
    /// Writes one child into the list; the caller has checked that there is room.
    pub(crate) fn set_child(&self, position: usize, child: AllocationId) {
        if let Some(words) = self.child(position as u32) {
            words[0].store(child.index.into(), SeqCst);
            words[1].store(child.generation, SeqCst);
        }
    }

    /// The two words of a place in the list: index, and generation.
    pub(crate) fn child(&self, position: u32) -> Option<&[AtomicU64]> {
        self.records(CHILDREN + position as usize * CHILD, 2)
    }

    /// Writes encoded metadata.
    pub(crate) fn set_metadata(&self, bytes: &[u8]) {
        let Some([header]) = self.records::<SegmentHeader>(0, 1) else { return };
        for (word, value) in header.metadata.iter().zip(words(bytes)) {
            word.store(value, Relaxed);
        }
        header.metadata_length.store(bytes.len() as u32, Release);
    }

    /// Whether this is the encoded metadata that was written.
    pub(crate) fn metadata_is(&self, bytes: &[u8]) -> bool {
        let Some([header]) = self.records::<SegmentHeader>(0, 1) else { return false };
        header.metadata_length.load(SeqCst) as usize == bytes.len()
            && header.metadata.iter().zip(words(bytes)).all(|(word, value)| word.load(Relaxed) == value)
    }

    /// The metadata; `None` where it is garbage.
    pub(crate) fn metadata(&self) -> Option<Metadata> {
        let [header] = self.records::<SegmentHeader>(0, 1)? else { return None };
        let length = header.metadata_length.load(SeqCst) as usize;
        if length > METADATA_LIMIT {
            return None;
        }
        let words = &header.metadata[..length.div_ceil(8)];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.load(Relaxed).to_le_bytes()).collect();
        bytes.truncate(length);
        Metadata::decode(&bytes)
    }
}
