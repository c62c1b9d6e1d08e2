//! The rows within a row: the fields of an enum's variant, which stand in the tail of the enum.

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use super::head::{HeadReader, HeadWriter};
use super::place::slot_bytes;
use super::row::decode_value;
use super::source::Copied;
use super::whole::{DecodeWhole as _, EncodeWhole as _, LARGE};
use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::{Error, Result};
use crate::reader::Reader;
use crate::writer::Writer;

/// Reserves the head of a variant's row. If `WHOLE`, it follows the enum's own head, which is its tag: that is reserved
/// with it, and written.
///
/// # Errors
///
/// Those of the endpoint.
///
/// # Safety
///
/// The caller writes all `size` bytes, and drops what this returns, before it uses the writer for anything else.
#[cfg_attr(not(debug_assertions), inline(always))]
pub unsafe fn variant_head<'h, const WIDTH: usize, const WHOLE: bool>(
    tag: u32,
    size: usize,
    writer: &mut Writer<'_>,
) -> Result<HeadWriter<'h>> {
    let size = if WHOLE { WIDTH.saturating_add(size) } else { size };
    match writer.sink.ensure(size) {
        Ok(()) => {
            // SAFETY: so many bytes were just ensured; the tag is written here, and the rest by the caller.
            let start = unsafe { writer.sink.reserve(size) };
            // SAFETY: they are exclusive to this head until the writer is used, by this function's contract.
            let mut head = unsafe { HeadWriter::new(start) };
            if WHOLE {
                // SAFETY: the head has room for the tag, as its size was added.
                unsafe { put_tag::<WIDTH>(&mut head, tag) };
            }
            Ok(head)
        }
        Err(error) => Err(error),
    }
}

/// Writes a variant without fields: if `WHOLE`, its tag.
///
/// # Errors
///
/// Those of the endpoint.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn encode_tag<const WIDTH: usize, const WHOLE: bool>(tag: u32, writer: &mut Writer<'_>) -> Result<()> {
    if !WHOLE {
        return Ok(());
    }
    // SAFETY: of no further bytes, all are written.
    match unsafe { variant_head::<WIDTH, true>(tag, 0, writer) } {
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Writes a variant of one field, whose row is that field; if `WHOLE`, its tag before it.
///
/// # Errors
///
/// Those of the field, and of the endpoint.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn encode_alone<const WIDTH: usize, const WHOLE: bool, T: Encode + ?Sized>(
    tag: u32,
    value: &T,
    writer: &mut Writer<'_>,
) -> Result<()> {
    if !WHOLE {
        return value.encode_whole(writer);
    }
    let size = const { T::LAYOUT.facts().head };
    if const { T::LAYOUT.facts().opaque || T::LAYOUT.facts().head == 0 || T::LAYOUT.facts().head >= LARGE } {
        return match encode_tag::<WIDTH, true>(tag, writer) {
            Ok(()) => value.encode_whole(writer),
            Err(error) => Err(error),
        };
    }
    // SAFETY: the field writes as many bytes as its layout says.
    match unsafe { variant_head::<WIDTH, true>(tag, size, writer) } {
        // SAFETY: the head has the room that the layout asks for.
        Ok(head) => unsafe { value.encode_head(head) },
        Err(error) => return Err(error),
    }
    if const { T::LAYOUT.facts().tail } { value.encode_tail(writer) } else { Ok(()) }
}

/// Writes the tag of a variant in `WIDTH` bytes.
///
/// # Safety
///
/// `WIDTH` bytes of the head are free.
#[cfg_attr(not(debug_assertions), inline(always))]
pub unsafe fn put_tag<const WIDTH: usize>(head: &mut HeadWriter<'_>, tag: u32) {
    let mut bytes = [0; WIDTH];
    bytes.copy_from_slice(&tag.to_le_bytes()[..WIDTH]);
    // SAFETY: the caller's.
    unsafe { head.put(bytes) };
}

/// Where the head of a variant's row lies when it cannot be read where it is.
pub struct HeadBuffer {
    small: [MaybeUninit<u8>; 128],
    /// If the head was copied here: its bytes, where it is not small, and the head around this one. One word says that it
    /// was not, which is nearly always so.
    copied: Option<(Vec<u8>, Copied)>,
}

impl HeadBuffer {
    /// A buffer that holds nothing.
    #[must_use]
    #[inline(always)]
    pub fn new() -> Self {
        Self { small: [const { MaybeUninit::uninit() }; 128], copied: None }
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

    /// Reads the field of a variant that has no other: its row is that field.
    ///
    /// # Errors
    ///
    /// Those of the field.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn decode_alone<'de, T: Decode<'de>>(&mut self, reader: &mut Reader<'de>) -> Result<T> {
        if const {
            let facts = T::LAYOUT.facts();
            facts.opaque || facts.head == 0 || facts.head >= LARGE
        } {
            return T::decode_whole(reader);
        }
        // By value, as one field of several: what is made in a place of its own would be moved from there.
        // SAFETY: whether there is a tail is asked of the layout.
        match unsafe { self.read(T::LAYOUT.facts().head, T::LAYOUT.facts().tail, reader) } {
            Ok(mut head) => {
                // SAFETY: the head holds as many bytes as the layout says.
                let value = unsafe { decode_value(&mut head, reader) };
                self.leave(reader);
                value
            }
            Err(error) => Err(error),
        }
    }

    /// Copies the head here, as it does not lie in memory that stays.
    #[cold]
    #[inline(never)]
    pub(super) fn gather<'h>(&'h mut self, size: usize, reader: &mut Reader<'_>) -> Result<HeadReader<'h>> {
        let mut large = Vec::new();
        let bytes = if size <= self.small.len() {
            let bytes = &mut self.small[..size];
            reader.source.copy_to(slot_bytes(bytes))?;
            // SAFETY: `copy_to` filled them all.
            unsafe { bytes.assume_init_ref() }
        } else {
            large.try_reserve_exact(size).map_err(|_| Error::OutOfMemory { bytes: size as u64 })?;
            large.resize(size, 0);
            reader.read(&mut large)?;
            &large[..]
        };
        let (start, outer) = (bytes.as_ptr(), reader.source.copied(bytes));
        self.copied = Some((large, outer));
        // SAFETY: `size` bytes were just filled, in the buffer or in the vector's memory, which does not move with the vector;
        // both stay for as long as the buffer is borrowed.
        Ok(unsafe { HeadReader::new(start) })
    }

    /// Says that the row is complete: errors look at the head around it again.
    #[inline]
    pub fn leave(&mut self, reader: &mut Reader<'_>) {
        if let Some((_, outer)) = self.copied.take() {
            reader.source.restore(outer);
        }
    }
}

impl Default for HeadBuffer {
    fn default() -> Self {
        Self::new()
    }
}
