//! Reads NIfTI-1 and NIfTI-2 volumes, gzipped or not, straight into memory that the caller owns.
//!
//! The `nifti` crate parses the NIfTI-1 header. The voxels are read here, for three reasons: the crate's volumes
//! own their memory, so that a volume meant for shared memory would be copied once more; it chooses between
//! plain and gzipped by the file's name; and it knows no NIfTI-2.
//!
//! Invariant: once [`NiftiReader::open`] returns, every byte that the header promises has been seen to be there.
//! For a gzipped file this takes a pass over it, through a small window, that also proves its checksum. So nothing
//! is ever allocated on the word of a header alone, and no half of a series is published.

mod error;
mod header;
mod stream;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

pub(crate) use error::NiftiError;
use header::Header;
use stream::Stream;

use crate::scan::ScanInfo;

/// An open series, to be read volume by volume from the first.
#[derive(Debug)]
pub(crate) struct NiftiReader {
    info: ScanInfo,
    /// The file's byte order is not this machine's.
    swapped: bool,
    /// Stands at the first voxel of the next volume.
    stream: Stream,
    next: u64,
}

impl NiftiReader {
    /// Opens a file, reads its header, and makes sure that all its voxels are there.
    ///
    /// # Errors
    ///
    /// Every way in which a file can be wrong is a variant of [`NiftiError`].
    pub(crate) fn open(path: &Path) -> Result<Self, NiftiError> {
        // Asked before the file is opened: to open a pipe is to wait for its writer.
        if !std::fs::metadata(path).map_err(NiftiError::Open)?.is_file() {
            return Err(NiftiError::NotAFile);
        }
        let file = File::open(path).map_err(NiftiError::Open)?;
        let length = file.metadata().map_err(NiftiError::Open)?.len();

        let mut stream = Stream::of(file)?;
        let mut start = Vec::with_capacity(header::LONGEST);
        stream
            .by_ref()
            .take(header::LONGEST as u64)
            .read_to_end(&mut start)
            .map_err(|e| stream.failure(e))?;
        let Header { mut info, swapped, first_voxel } = header::parse(&start)?;
        info.file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();

        let wanted = (info.volume_bytes() as u64)
            .checked_mul(info.volumes)
            .and_then(|bytes| bytes.checked_add(first_voxel))
            .ok_or(NiftiError::TooLarge)?;
        let found = if stream.is_gzip() { stream.measure()? } else { length };
        if found < wanted {
            return Err(NiftiError::Truncated { part: "voxels", wanted, found });
        }
        stream.rewind_to(first_voxel)?;
        Ok(NiftiReader { info, swapped, stream, next: 0 })
    }

    /// What the header says.
    pub(crate) fn info(&self) -> &ScanInfo {
        &self.info
    }

    /// Reads the next volume into `voxels`, whose length is [`ScanInfo::volume_bytes`], in this machine's byte order.
    /// This is the only time that the bytes are written: a plain file's go from the page cache to `voxels`, a gzipped
    /// one's are inflated there, and another byte order is turned in place.
    ///
    /// # Errors
    ///
    /// [`NiftiError::BufferLength`] if `voxels` is not one volume long, [`NiftiError::NoMoreVolumes`] after the last, and
    /// [`NiftiError::Truncated`], [`NiftiError::Gzip`] or [`NiftiError::Read`] if the file has changed since it was opened.
    pub(crate) fn read_volume(&mut self, voxels: &mut [u8]) -> Result<(), NiftiError> {
        let wanted = self.info.volume_bytes();
        if voxels.len() != wanted {
            return Err(NiftiError::BufferLength { wanted, found: voxels.len() });
        }
        if self.next == self.info.volumes {
            return Err(NiftiError::NoMoreVolumes { volumes: self.info.volumes });
        }
        self.stream.read_exact(voxels).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => NiftiError::Shrunk,
            _ => self.stream.failure(e),
        })?;
        if self.swapped {
            swap_bytes(voxels, self.info.dtype.size());
        }
        self.next += 1;
        Ok(())
    }
}

/// Turns the byte order of every `size`-byte number in place.
fn swap_bytes(bytes: &mut [u8], size: usize) {
    fn turn<const N: usize>(bytes: &mut [u8]) {
        bytes.as_chunks_mut::<N>().0.iter_mut().for_each(|number| number.reverse());
    }
    match size {
        2 => turn::<2>(bytes),
        4 => turn::<4>(bytes),
        8 => turn::<8>(bytes),
        _ => {}
    }
}
