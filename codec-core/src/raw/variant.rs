//! The rows within a row: the fields of an enum's variant, which stand in the tail of the enum.

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use super::head::{HeadReader, HeadWriter};
use super::place::slot_bytes;
use super::source::Copied;
use crate::error::{Error, Result};
use crate::reader::Reader;
use crate::writer::Writer;

/// Reserves the head of a variant's row.
///
/// # Errors
///
/// Those of the endpoint.
///
/// # Safety
///
/// The caller writes all `size` bytes, and drops what this returns, before it uses the writer for anything else.
#[inline]
pub unsafe fn variant_head<'h>(size: usize, writer: &mut Writer<'_>) -> Result<HeadWriter<'h>> {
    writer.sink.ensure(size)?;
    // SAFETY: so many bytes were just ensured, and the caller writes them all.
    let start = unsafe { writer.sink.reserve(size) };
    // SAFETY: they are exclusive to this head until the writer is used, by this function's contract.
    Ok(unsafe { HeadWriter::new(start) })
}

/// Where the head of a variant's row lies when it cannot be read where it is.
pub struct HeadBuffer {
    small: [MaybeUninit<u8>; 128],
    large: Vec<u8>,
    /// The head around this one, if this one was copied here.
    outer: Option<Copied>,
}

impl HeadBuffer {
    /// A buffer that holds nothing.
    #[must_use]
    #[inline(always)]
    pub fn new() -> Self {
        Self { small: [const { MaybeUninit::uninit() }; 128], large: Vec::new(), outer: None }
    }

    /// Reads `size` bytes of head, to which a tail belongs if `tail`.
    ///
    /// # Errors
    ///
    /// Those of the input.
    ///
    /// # Safety
    ///
    /// If `tail` is false, the reader is not used for anything but offsets while the head is.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub unsafe fn read<'h>(
        &'h mut self,
        size: usize,
        tail: bool,
        reader: &mut Reader<'_>,
    ) -> Result<HeadReader<'h>> {
        if (!tail || reader.source.stays())
            && let Some(start) = reader.source.take(size)
        {
            // SAFETY: the bytes at `start` stay for the input's lifetime, or, if they do not, nothing is read while
            // they are used, as there is no tail.
            return Ok(unsafe { HeadReader::new(start) });
        }
        self.gather(size, reader)
    }

    /// Copies the head here, as it does not lie in memory that stays.
    #[cold]
    #[inline(never)]
    pub(super) fn gather<'h>(&'h mut self, size: usize, reader: &mut Reader<'_>) -> Result<HeadReader<'h>> {
        let bytes = if size <= self.small.len() {
            let bytes = &mut self.small[..size];
            reader.source.copy_to(slot_bytes(bytes))?;
            // SAFETY: `copy_to` filled them all.
            unsafe { bytes.assume_init_ref() }
        } else {
            self.large.try_reserve_exact(size).map_err(|_| Error::OutOfMemory { bytes: size as u64 })?;
            self.large.resize(size, 0);
            reader.read(&mut self.large)?;
            &self.large
        };
        self.outer = Some(reader.source.copied(bytes));
        // SAFETY: `size` bytes were just filled, and stay for as long as the buffer is borrowed.
        Ok(unsafe { HeadReader::new(bytes.as_ptr()) })
    }

    /// Says that the row is complete: errors look at the head around it again.
    #[inline]
    pub fn leave(&mut self, reader: &mut Reader<'_>) {
        if let Some(outer) = self.outer.take() {
            reader.source.restore(outer);
        }
    }
}

impl Default for HeadBuffer {
    fn default() -> Self {
        Self::new()
    }
}
