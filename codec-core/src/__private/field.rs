//! What the derive writes about fields and tags, one call each.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::mem::MaybeUninit;

use super::demand::{HasDefault, IsCopied, IsTrivial};
use super::probe::Via;
use crate::encode::Encode;
use crate::error::Error;
use crate::layout::{Facts, Field, Layout};
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::place::Place;
use crate::reader::Reader;

/// A field that has a codec.
#[must_use]
pub const fn field<T: Encode>(offset: usize) -> Field {
    Field { offset, size: size_of::<T>(), facts: T::LAYOUT.facts() }
}

/// A field that travels as its probe found out. The function is never called: its type says all.
#[must_use]
pub const fn field_via<V: Via>(offset: usize, _: fn() -> V) -> Field {
    field::<V::As>(offset)
}

/// A field with a codec of its own beside its type: wholly in the tail.
#[must_use]
pub const fn field_with<T>(offset: usize) -> Field {
    Field { offset, size: size_of::<T>(), facts: Layout::<T>::OPAQUE.facts() }
}

/// A field that does not travel: no bytes, and no memory that may be copied over.
#[must_use]
pub const fn field_skipped() -> Field {
    Field { offset: 0, size: 0, facts: Facts::row(0, false) }
}

/// How far a field lies behind the start of its struct.
///
/// # Safety
///
/// `field` points into the struct at `base`.
#[must_use]
pub const unsafe fn offset<T, F>(base: *const T, field: *const F) -> usize {
    // SAFETY: both lie within one struct, by the caller, and the field not before its start.
    unsafe { field.byte_offset_from_unsigned(base) }
}

/// The value of a field that does not travel.
#[inline]
pub fn default<T: HasDefault>() -> T {
    T::default()
}

/// A field of a packed struct, of which there can be no reference.
#[inline(always)]
pub fn copied<T: IsCopied>(value: T) -> T {
    value
}

/// Asserts that a type is trivial.
pub const fn trivial<T: IsTrivial>() {}

/// The number of the first field before which there is padding; of a struct of `size` bytes that ends in padding, the
/// number of its fields. Nothing is found in a struct with a field whose memory is not its encoding: that is another
/// error.
#[must_use]
pub const fn gap(size: usize, fields: &[Field]) -> usize {
    let (mut end, mut at, mut gap) = (0, 0, usize::MAX);
    while at < fields.len() {
        let field = fields[at];
        if !field.facts.bulk {
            return usize::MAX;
        }
        if gap == usize::MAX && field.offset != end {
            gap = at;
        }
        end = field.offset + field.size;
        at += 1;
    }
    if gap == usize::MAX && end != size { at } else { gap }
}

/// Writes the whole head of a value as one copy, if its memory is its encoding.
///
/// # Safety
///
/// As `Encode::encode_head`.
#[cfg_attr(not(debug_assertions), inline(always))]
#[must_use]
pub unsafe fn encode_memory<T: Encode>(value: &T, head: &mut HeadWriter<'_>) -> bool {
    let bulk = const { T::LAYOUT.facts().bulk };
    if bulk {
        // SAFETY: the head has room for the layout's size, and the layout promises that this is the value's size
        // and that all its bytes are initialised.
        unsafe { head.put_memory(value) };
    }
    bulk
}

/// Reads a whole value as one copy, if every bit pattern is one.
///
/// # Safety
///
/// As `Decode::decode_row`.
#[cfg_attr(not(debug_assertions), inline(always))]
#[must_use]
pub unsafe fn decode_memory<T: Encode>(slot: &mut MaybeUninit<T>, head: &mut HeadReader<'_>) -> bool {
    let plain = const { T::LAYOUT.facts().plain };
    if plain {
        // SAFETY: the head holds as many bytes as the layout says, which promises that this is the value's size and
        // that these bytes, whatever they are, make a value.
        unsafe { head.take_memory(slot.as_mut_ptr()) };
    }
    plain
}

/// Puts a value that was made elsewhere into its field, and guards it.
///
/// # Safety
///
/// `field` is writable, aligned, and not used by anybody else while the guard lives.
#[cfg_attr(not(debug_assertions), inline(always))]
pub unsafe fn place<T>(field: *mut T, value: T) -> Place<T> {
    // SAFETY: writable and aligned, by the caller.
    unsafe { field.write(value) };
    // SAFETY: just initialised, and the guard's from here on.
    unsafe { Place::new(field) }
}

/// Reads the tag of a variant in `WIDTH` bytes.
///
/// # Safety
///
/// `WIDTH` bytes of the head are left.
#[cfg_attr(not(debug_assertions), inline(always))]
#[must_use]
pub unsafe fn take_tag<const WIDTH: usize>(head: &mut HeadReader<'_>) -> u32 {
    // SAFETY: the caller's.
    let bytes: [u8; WIDTH] = unsafe { head.take() };
    let mut tag = [0; 4];
    tag[..WIDTH].copy_from_slice(&bytes);
    u32::from_le_bytes(tag)
}

/// The error for a tag that was just read, in `width` bytes, and that no variant has.
#[cold]
#[must_use]
pub fn unknown_tag(
    name: &'static str,
    found: u32,
    width: usize,
    head: &HeadReader<'_>,
    reader: &Reader<'_>,
) -> Error {
    let address = head.cursor().wrapping_sub(width);
    Error::UnknownTag { offset: reader.source.offset_of(address), name, found: found.into() }
}
