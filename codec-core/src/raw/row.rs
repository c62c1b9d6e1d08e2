//! A whole value: its head, then its tail.
//!
//! The derive and the codecs of this crate call these functions, and only these, for the parts of a value. The
//! invariant: a type whose layout is opaque is only ever touched through its own `encode` and `decode`, so that the
//! `unsafe` methods of the traits run only for types whose layout was promised.
//!
//! What is known at compile time is asked with `if const { .. }`, and of the condition's own form: then the branch that is
//! not taken is not compiled, nor is what it calls, which in a user's crate of many types is most of the work.
//!
//! What is called once per level of a deep value is inlined in optimised builds only: without optimisation, inlining
//! adds up what all calls need on the stack, and the depth limit should hold on a small one there, too.

use core::mem::MaybeUninit;

use super::head::{HeadReader, HeadWriter};
use super::place::Place;
use super::whole::{DecodeWhole as _, EncodeWhole as _};
use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::layout::TextRun;
use crate::reader::Reader;
use crate::writer::Writer;

/// Writes a value, head and tail.
///
/// # Errors
///
/// Those of the endpoint, and the depth limit.
#[inline(always)]
pub fn encode<T: Encode + ?Sized>(value: &T, writer: &mut Writer<'_>) -> Result<()> {
    value.encode_whole(writer)
}

/// Writes the part of a value that stands in the head of the row around it.
///
/// # Safety
///
/// `head` has room for as many bytes as the layout of `T` says.
#[inline(always)]
pub unsafe fn encode_head<T: Encode + ?Sized>(value: &T, head: &mut HeadWriter<'_>) {
    if const { !T::LAYOUT.facts().opaque && T::LAYOUT.facts().head > 0 } {
        // SAFETY: the caller's.
        unsafe { value.encode_head(head.part(const { T::LAYOUT.facts().head })) };
    }
}

/// Writes the part of a value that stands in the tail of the row around it.
///
/// # Errors
///
/// As [`encode`].
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn encode_tail<T: Encode + ?Sized>(value: &T, writer: &mut Writer<'_>) -> Result<()> {
    if const { T::LAYOUT.facts().opaque } {
        value.encode(writer)
    } else if const { T::LAYOUT.facts().tail } {
        value.encode_tail(writer)
    } else {
        Ok(())
    }
}

/// Reads a value, head and tail.
///
/// # Errors
///
/// Those of the type's own decoding.
#[inline(always)]
pub fn decode<'de, T: Decode<'de>>(reader: &mut Reader<'de>) -> Result<T> {
    T::decode_whole(reader)
}

/// Reads a value, head and tail, in place: `Ok` means that the slot is initialised.
///
/// # Errors
///
/// Those of the type's own decoding; then the slot holds nothing.
#[inline(always)]
pub fn decode_into<'de, T: Decode<'de>>(slot: &mut MaybeUninit<T>, reader: &mut Reader<'de>) -> Result<()> {
    T::decode_whole_into(slot, reader)
}

/// Reads a value of which nothing is known. A function of its own: without optimisation, its callers would have
/// room for a value on their stack, also where they never call it.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn decode_opaque<'de, T: Decode<'de>>(
    slot: &mut MaybeUninit<T>,
    reader: &mut Reader<'de>,
) -> Result<()> {
    match T::decode(reader) {
        Ok(value) => {
            slot.write(value);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Reads one part of a value in place: its bytes of the head, and its part of the tail.
///
/// # Errors
///
/// Those of the type's own decoding; then the slot holds nothing.
///
/// # Safety
///
/// `head` holds as many unread bytes as the layout of `T` says.
#[cfg_attr(not(debug_assertions), inline(always))]
pub unsafe fn decode_part<'de, T: Decode<'de>>(
    slot: &mut MaybeUninit<T>,
    head: &mut HeadReader<'_>,
    reader: &mut Reader<'de>,
) -> Result<()> {
    if const { T::LAYOUT.facts().opaque } {
        return decode_opaque(slot, reader);
    }
    // SAFETY: the caller's.
    unsafe { T::decode_row(slot, head.part(const { T::LAYOUT.facts().head }), reader) }
}

/// Reads one field of a struct in place.
///
/// The guard drops the field unless it is kept, so that a struct whose later field fails leaves
/// nothing behind.
///
/// # Errors
///
/// As [`decode_part`].
///
/// # Safety
///
/// As [`decode_part`], and `field` is writable, aligned, and not used by anybody else while the guard lives.
#[cfg_attr(not(debug_assertions), inline(always))]
pub unsafe fn decode_field<'de, T: Decode<'de>>(
    field: *mut T,
    head: &mut HeadReader<'_>,
    reader: &mut Reader<'de>,
) -> Result<Place<T>> {
    // SAFETY: writable and aligned, by the caller; `MaybeUninit<T>` has the layout of `T` and needs no value.
    let slot = unsafe { &mut *field.cast::<MaybeUninit<T>>() };
    let decoded = if const { T::LAYOUT.facts().opaque } {
        decode_opaque(slot, reader)
    } else {
        // SAFETY: the caller's.
        unsafe { T::decode_row(slot, head.part(const { T::LAYOUT.facts().head }), reader) }
    };
    match decoded {
        // SAFETY: the field was just initialised, and is the guard's from here on.
        Ok(()) => Ok(unsafe { Place::new(field) }),
        Err(error) => Err(error),
    }
}

/// Whether the texts of a run are there and are ASCII, all of them: one look instead of one for each.
///
/// # Safety
///
/// `head` is at the head of the row whose run this is.
#[cfg_attr(not(debug_assertions), inline(always))]
#[must_use]
pub unsafe fn ascii_run(run: TextRun, head: &HeadReader<'_>, reader: &Reader<'_>) -> bool {
    let mut total = 0_u64;
    for offset in &run.lengths[..run.count] {
        // SAFETY: the layout of the row has a length at this offset, four bytes.
        let length = unsafe { head.cursor().add(*offset) };
        // SAFETY: as above; an array of bytes has no alignment to keep.
        total += u64::from(u32::from_le_bytes(unsafe { length.cast::<[u8; 4]>().read() }));
    }
    // With a length in the long form the sum is at least its escape.
    run.count > 1 && total < u64::from(u32::MAX) && reader.source.ascii_ahead(total as usize)
}

/// [`decode_field`] of a field that may be text of a run.
///
/// # Errors
///
/// As [`decode_field`].
///
/// # Safety
///
/// As [`decode_field`]. If `ascii`, [`ascii_run`] said so of a run that the field belongs to if it is text, and of which
/// all before it was read, and nothing else.
#[cfg_attr(not(debug_assertions), inline(always))]
pub unsafe fn decode_text_field<'de, T: Decode<'de>>(
    field: *mut T,
    head: &mut HeadReader<'_>,
    reader: &mut Reader<'de>,
    ascii: bool,
) -> Result<Place<T>> {
    if !const { T::LAYOUT.facts().text } {
        // SAFETY: the caller's.
        return unsafe { decode_field(field, head, reader) };
    }
    if !ascii {
        // SAFETY: the caller's.
        return unsafe { decode_field_apart(field, head.part(T::LAYOUT.facts().head), reader) };
    }
    // SAFETY: as in `decode_field`.
    let slot = unsafe { &mut *field.cast::<MaybeUninit<T>>() };
    // SAFETY: the caller's.
    let decoded = unsafe { T::decode_ascii(slot, head.part(T::LAYOUT.facts().head), reader) };
    match decoded {
        // SAFETY: the field was just initialised, and is the guard's from here on.
        Ok(()) => Ok(unsafe { Place::new(field) }),
        Err(error) => Err(error),
    }
}

/// [`decode_field`], never inlined: the way of texts that have to be looked at one by one, which would cost the others
/// their registers.
///
/// # Errors
///
/// As [`decode_field`].
///
/// # Safety
///
/// As [`decode_field`].
#[inline(never)]
unsafe fn decode_field_apart<'de, T: Decode<'de>>(
    field: *mut T,
    mut head: HeadReader<'_>,
    reader: &mut Reader<'de>,
) -> Result<Place<T>> {
    // SAFETY: the caller's.
    unsafe { decode_field(field, &mut head, reader) }
}

/// Reads one part of a value by value, as enums and packed structs need it.
///
/// # Errors
///
/// As [`decode_part`].
///
/// # Safety
///
/// As [`decode_part`].
#[cfg_attr(not(debug_assertions), inline(always))]
pub unsafe fn decode_value<'de, T: Decode<'de>>(
    head: &mut HeadReader<'_>,
    reader: &mut Reader<'de>,
) -> Result<T> {
    let mut slot = MaybeUninit::uninit();
    // SAFETY: the caller's.
    let decoded = unsafe { decode_part(&mut slot, head, reader) };
    match decoded {
        // SAFETY: `decode_part` returned `Ok`, so the slot is initialised.
        Ok(()) => Ok(unsafe { slot.assume_init() }),
        Err(error) => Err(error),
    }
}
