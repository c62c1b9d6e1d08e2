//! Heads, lengths and accounts of what is read by its schema.
//!
//! The invariant: nothing is believed that the input, or a limit, does not back.

use alloc::borrow::Cow;

use super::SchemaError;
use super::shape::{Shape, Unfit};
use crate::error::{Error, Result};
use crate::reader::Reader;

/// The part of a head that is not read yet, and where it stands in the input.
pub(super) struct Head<'h> {
    pub(super) bytes: &'h [u8],
    pub(super) offset: u64,
}

impl<'h> Head<'h> {
    pub(super) fn take(&mut self, count: usize) -> Result<&'h [u8]> {
        let Some((taken, rest)) = self.bytes.split_at_checked(count) else {
            let found = self.bytes.len() as u64;
            return Err(Error::UnexpectedEnd { offset: self.offset, wanted: count as u64, found });
        };
        self.bytes = rest;
        self.offset += count as u64;
        Ok(taken)
    }

    /// A number of up to four bytes.
    pub(super) fn number(&mut self, width: usize) -> Result<u32> {
        let mut number = [0; 4];
        number[..width].copy_from_slice(self.take(width)?);
        Ok(u32::from_le_bytes(number))
    }
}

/// That a type has no head.
#[cold]
pub(super) fn unfit(why: Unfit) -> Error {
    Error::Schema(match why {
        Unfit::Endless => SchemaError::Endless { offset: 0 },
        Unfit::TooLarge => SchemaError::TooLarge { offset: 0 },
    })
}

/// The next bytes: where they lie, or a copy of them.
pub(super) fn read_head<'de>(size: usize, reader: &mut Reader<'de>) -> Result<Cow<'de, [u8]>> {
    if size == 0 {
        return Ok(Cow::Borrowed(&[]));
    }
    if reader.source.stays() {
        return reader.borrow(size).map(Cow::Borrowed);
    }
    crate::raw::sequence::decode::<u8>(size, reader).map(Cow::Owned)
}

/// Passes over bytes.
pub(super) fn pass(mut size: usize, reader: &mut Reader<'_>) -> Result<()> {
    if reader.source.stays() {
        return reader.borrow(size).map(drop);
    }
    let mut passed = [0; 256];
    while size > 0 {
        let step = size.min(passed.len());
        reader.read(&mut passed[..step])?;
        size -= step;
    }
    Ok(())
}

/// A length: four bytes of the head, and eight of the tail where these are all ones.
pub(super) fn length(head: &mut Head<'_>, reader: &mut Reader<'_>) -> Result<usize> {
    let short = head.number(4)?;
    if short == u32::MAX { crate::types::length::decode_long(reader) } else { Ok(short as usize) }
}

/// Refuses a number of elements whose heads the input cannot hold.
pub(super) fn backed(count: usize, shape: Shape, reader: &mut Reader<'_>) -> Result<()> {
    let head = shape.head.map_err(unfit)?;
    if head == 0 && !shape.tail {
        return reader.charge_items(count);
    }
    let wanted = count.saturating_mul(head);
    if reader.source.stays() && wanted > reader.source.left() {
        return Err(reader.source.end(wanted));
    }
    Ok(())
}

/// Charges what elements of a fixed size have in them that takes no bytes.
pub(super) fn charge(count: usize, shape: Shape, reader: &mut Reader<'_>) -> Result<()> {
    if shape.head == Ok(0) {
        reader.charge_items(count)
    } else if shape.plain {
        Ok(())
    } else {
        reader.charge_items(count.saturating_mul(shape.empty))
    }
}

/// Charges a part that took no bytes to the item limit.
pub(super) fn counted(shape: Shape, before: u64, reader: &mut Reader<'_>) -> Result<()> {
    if shape.head == Ok(0) && reader.offset() == before { reader.charge_items(1) } else { Ok(()) }
}
