//! The number of elements, bytes or entries: the head of everything that varies in length.
//!
//! Four bytes in the head; from `u32::MAX` on these are all ones, and the number follows in eight bytes at the
//! start of the tail. The shorter form must be used where it can be.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use crate::error::{Error, Result};
use crate::layout::Facts;
use crate::raw::head::{HeadReader, HeadWriter};
use crate::reader::Reader;
use crate::writer::Writer;

/// A length in the head, the rest in the tail.
pub(crate) const FACTS: Facts = Facts::row(4, true);

/// The first length that is too long for the head.
const LONG: usize = u32::MAX as usize;

/// Writes the part of a length that stands in the head.
///
/// # Safety
///
/// Four bytes of the head are free.
#[inline(always)]
pub(crate) unsafe fn encode_head(length: usize, head: &mut HeadWriter<'_>) {
    let short = u32::try_from(length).unwrap_or(u32::MAX);
    // SAFETY: the caller's.
    unsafe { head.put(short.to_le_bytes()) };
}

/// Writes the part of a length that stands in the tail, which is nearly always nothing.
#[inline(always)]
pub(crate) fn encode_tail(length: usize, writer: &mut Writer<'_>) -> Result<()> {
    if length < LONG { Ok(()) } else { writer.write_trivial_type(&(length as u64)) }
}

/// Reads a length.
///
/// # Safety
///
/// Four bytes of the head are left.
#[inline(always)]
pub(crate) unsafe fn decode(head: &mut HeadReader<'_>, reader: &mut Reader<'_>) -> Result<usize> {
    // SAFETY: the caller's.
    let short = u32::from_le_bytes(unsafe { head.take() });
    if short != u32::MAX {
        return Ok(short as usize);
    }
    decode_long(reader)
}

/// Reads the length that follows four bytes of ones.
#[cold]
#[inline(never)]
pub(crate) fn decode_long(reader: &mut Reader<'_>) -> Result<usize> {
    let found = reader.read_trivial_type::<u64>()?;
    let length = usize::try_from(found).ok().filter(|length| (LONG..=isize::MAX as usize).contains(length));
    length.ok_or(Error::InvalidLength { offset: reader.offset(), found })
}
