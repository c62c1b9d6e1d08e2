//! A segment's file: its name, its header page, the metadata and the list of children in it.
//!
//! Not here: who may change them (only the owner of a private allocation, under the index lock for children).
//! Invariant: a mapped segment is the file of that index and epoch, as long as its class says.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use crate::{
    crash::crash_point,
    directory,
    error::{Error, Result},
    metadata::{METADATA_LIMIT, Metadata},
    pool,
    store::{AllocationId, Store},
    sys::{SegmentHeader, SharedMap},
};

const MAGIC: u64 = u64::from_le_bytes(*b"podwireS");
const VERSION: u32 = 1;
/// The header page; payload never begins before its end.
pub(crate) const HEADER: usize = 4096;
/// Where the list of children begins; it goes on until the payload begins.
const CHILDREN: usize = 3072;
/// Bytes of one child in the list: index and generation.
const CHILD: usize = 16;
/// The most children that can be asked for.
pub(crate) const CHILDREN_LIMIT: usize = 1 << 16;

/// A mapped segment file.
pub(crate) struct SegmentMap {
    pub(crate) map: SharedMap,
    pub(crate) epoch: u32,
}

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
    pub(crate) fn create_segment(&self, index: u32, epoch: u32, class: u32) -> Result<SegmentMap> {
        let length = HEADER as u64 + pool::capacity(class);
        let map = self.directory.create(&file_name(index, epoch), length)?;
        crash_point!("after-map");
        let segment = SegmentMap { map, epoch };
        if let Some(header) = segment.map.record::<SegmentHeader>(0) {
            header.version.store(VERSION, SeqCst);
            header.index.store(index, SeqCst);
            header.epoch.store(epoch, SeqCst);
            header.class.store(class, SeqCst);
            header.file_length.store(length, SeqCst);
            header.magic.store(MAGIC, SeqCst);
        }
        crash_point!("after-header");
        Ok(segment)
    }

    /// Maps the file of a segment that this process holds.
    pub(crate) fn map_segment(&self, index: u32) -> Result<Arc<SegmentMap>> {
        let entry = self.segment(index)?;
        let (epoch, class) = (entry.epoch.load(SeqCst), entry.class.load(SeqCst));
        let name = file_name(index, epoch);
        let path = self.path(&name);
        let corrupt = |what| Error::Corrupt { what, path: path.clone() };
        let (file, length) = self.directory.file(&name)?.ok_or_else(|| match self.check() {
            Ok(()) => corrupt("is missing"),
            Err(error) => error,
        })?;
        if length < HEADER as u64 || length != HEADER as u64 + pool::capacity(class) {
            return Err(corrupt("has a wrong length"));
        }
        let segment = SegmentMap { map: directory::map(&file, length, false, &path)?, epoch };
        let header = segment.map.record::<SegmentHeader>(0).ok_or_else(|| corrupt("is too short"))?;
        let right = header.magic.load(SeqCst) == MAGIC
            && header.version.load(SeqCst) == VERSION
            && header.index.load(SeqCst) == index
            && header.epoch.load(SeqCst) == epoch
            && header.file_length.load(SeqCst) == length;
        if right { Ok(Arc::new(segment)) } else { Err(corrupt("is not the segment that it should be")) }
    }

    /// The children that an allocation lists. Under the index lock, or by a holder once it is published.
    pub(crate) fn children_of(&self, index: u32) -> Result<Vec<AllocationId>> {
        let entry = self.segment(index)?;
        let count = entry.children.load(SeqCst) as usize;
        if count == 0 {
            return Ok(Vec::new());
        }
        let epoch = entry.epoch.load(SeqCst);
        let cached = self.local(index).map.clone().filter(|map| map.epoch == epoch);
        let map = match cached {
            Some(map) => map,
            None => self.map_segment(index)?,
        };
        let payload = entry.payload.load(SeqCst) as usize;
        let words = if count <= children_capacity(payload) {
            map.map.records::<AtomicU64>(CHILDREN, count * 2)
        } else {
            None
        };
        let corrupt = || Error::Corrupt {
            what: "has no room for its children",
            path: self.path(&file_name(index, epoch)),
        };
        let words = words.ok_or_else(corrupt)?;
        Ok(words
            .chunks_exact(2)
            .map(|child| AllocationId {
                index: child[0].load(SeqCst) as u32,
                generation: child[1].load(SeqCst),
            })
            .collect())
    }
}

impl SegmentMap {
    /// Writes one child into the list; the caller has checked that there is room.
    pub(crate) fn set_child(&self, position: usize, child: AllocationId) {
        if let Some(words) = self.map.records::<AtomicU64>(CHILDREN + position * CHILD, 2) {
            words[0].store(child.index.into(), SeqCst);
            words[1].store(child.generation, SeqCst);
        }
    }

    /// Writes encoded metadata.
    pub(crate) fn set_metadata(&self, bytes: &[u8]) {
        let Some(header) = self.map.record::<SegmentHeader>(0) else { return };
        for (word, bytes) in header.metadata.iter().zip(bytes.chunks(8)) {
            let mut whole = [0; 8];
            whole[..bytes.len()].copy_from_slice(bytes);
            word.store(u64::from_le_bytes(whole), SeqCst);
        }
        header.metadata_length.store(bytes.len() as u32, SeqCst);
    }

    /// The metadata; `None` where it is garbage.
    pub(crate) fn metadata(&self) -> Option<Metadata> {
        let header = self.map.record::<SegmentHeader>(0)?;
        let length = header.metadata_length.load(SeqCst) as usize;
        if length > METADATA_LIMIT {
            return None;
        }
        let words = &header.metadata[..length.div_ceil(8)];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.load(SeqCst).to_le_bytes()).collect();
        bytes.truncate(length);
        Metadata::decode(&bytes)
    }
}
