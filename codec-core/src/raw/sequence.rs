//! Many values of one type: as one copy, as heads, or as rows.
//!
//! - *Plain* elements, whose memory is their encoding, move as one copy.
//! - Elements without a tail are heads one behind the other: their room is checked once per [`CHUNK`].
//! - Elements with a tail are rows: each is checked by itself, and nesting is counted.
//!
//! The invariant: the vector that is filled owns exactly the elements that are complete, at every instant; and
//! what it allocates is charged before, and backed by bytes of the input, or by [`Limits::items`].
//!
//! [`Limits::items`]: crate::Limits::items

use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::MaybeUninit;

use super::head::HeadReader;
use super::place::{allocate, slot_bytes};
use super::row;
use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::{Error, Result};
use crate::reader::Reader;
use crate::writer::Writer;

/// Bytes of heads that are checked at once.
const CHUNK: usize = 4 * 1024;
/// Bytes by which a plain vector grows while nobody knows how much its stream still holds.
const STEP: usize = 32 * 1024;
/// Bytes of memory that other elements get at first, while nobody knows how many there will be.
const FIRST: usize = 256;

/// The memory of bulk elements.
pub(crate) fn memory<T: Encode>(elements: &[T]) -> &[u8] {
    const { assert!(T::LAYOUT.facts().bulk, "only bulk types are their memory") };
    // SAFETY: the layout promises that all bytes of a `T` are initialised.
    unsafe { core::slice::from_raw_parts(elements.as_ptr().cast(), size_of_val(elements)) }
}

/// Writes the elements, without their number.
#[inline]
pub(crate) fn encode<T: Encode>(elements: &[T], writer: &mut Writer<'_>) -> Result<()> {
    if const { T::LAYOUT.facts().bulk } {
        // SAFETY: the layout promises that all bytes of a `T` are initialised.
        let bytes =
            unsafe { core::slice::from_raw_parts(elements.as_ptr().cast::<u8>(), size_of_val(elements)) };
        writer.sink.put(bytes)
    } else if const { !T::LAYOUT.facts().tail } {
        for chunk in elements.chunks(const { chunk_length(T::LAYOUT.facts().head) }) {
            // SAFETY: the loop writes a head for each element of the chunk.
            let mut head = unsafe { writer.sink.head(chunk.len() * const { T::LAYOUT.facts().head }) }?;
            for element in chunk {
                // SAFETY: the head has room for every element of the chunk.
                unsafe { element.encode_head(head.part(const { T::LAYOUT.facts().head })) };
            }
        }
        Ok(())
    } else if elements.is_empty() {
        // No level, as for the reader: what can be read can be written.
        Ok(())
    } else {
        writer.nested(|writer| {
            for element in elements {
                row::encode(element, writer)?;
            }
            Ok(())
        })
    }
}

/// Writes elements that do not lie side by side, without their number.
pub(crate) fn encode_each<'t, T: Encode + 't>(
    elements: impl ExactSizeIterator<Item = &'t T>,
    writer: &mut Writer<'_>,
) -> Result<()> {
    if elements.len() == 0 {
        return Ok(());
    }
    let write = |writer: &mut Writer<'_>| {
        for element in elements {
            row::encode(element, writer)?;
        }
        Ok(())
    };
    if const { T::LAYOUT.facts().tail } { writer.nested(write) } else { write(writer) }
}

/// Reads `count` elements.
#[inline]
pub(crate) fn decode<'de, T: Decode<'de>>(count: usize, reader: &mut Reader<'de>) -> Result<Vec<T>> {
    if count == 0 {
        Ok(Vec::new())
    } else if const { T::LAYOUT.facts().plain && size_of::<T>() > 0 } {
        decode_plain(count, reader)
    } else if const { !T::LAYOUT.facts().tail } {
        decode_heads(count, reader)
    } else {
        match reader.enter() {
            Ok(()) => {
                let elements = decode_rows(count, reader);
                reader.leave();
                elements
            }
            Err(error) => Err(error),
        }
    }
}

/// Reads elements that every byte pattern makes, as one copy.
#[inline]
fn decode_plain<'de, T: Decode<'de>>(count: usize, reader: &mut Reader<'de>) -> Result<Vec<T>> {
    let size = byte_size::<T>(count, reader)?;
    if size > reader.source.left() {
        return decode_plain_stream(count, reader);
    }
    reader.charge(size)?;
    let mut elements = allocate::<T>(count)?;
    let slots = &mut elements.spare_capacity_mut()[..count];
    reader.source.copy_to(slot_bytes(slots))?;
    // SAFETY: the first `count` elements were just filled, and every byte pattern is a `T`.
    unsafe { elements.set_len(count) };
    Ok(elements)
}

/// Reads plain elements that the window does not hold whole: at once where the endpoint says that it has them, and
/// else in steps, so that a length that lies costs little.
#[cold]
#[inline(never)]
fn decode_plain_stream<'de, T: Decode<'de>>(count: usize, reader: &mut Reader<'de>) -> Result<Vec<T>> {
    let size = byte_size::<T>(count, reader)?;
    let remaining = reader.source.remaining();
    if let Some(remaining) = remaining
        && remaining < size as u64
    {
        return Err(Error::UnexpectedEnd { offset: reader.offset(), wanted: size as u64, found: remaining });
    }
    let step = if remaining.is_some() { count } else { (STEP / size_of::<T>()).max(1) };
    let mut elements = Vec::new();
    while elements.len() < count {
        let more = step.max(elements.len()).min(count - elements.len());
        reader.charge(more * size_of::<T>())?;
        elements
            .try_reserve_exact(more)
            .map_err(|_| Error::OutOfMemory { bytes: (more * size_of::<T>()) as u64 })?;
        let slots = &mut elements.spare_capacity_mut()[..more];
        reader.source.copy_to(slot_bytes(slots))?;
        // SAFETY: `more` elements were just filled, and every byte pattern is a `T`.
        unsafe { elements.set_len(elements.len() + more) };
    }
    Ok(elements)
}

/// Reads `count` elements into shared memory: in place where they move as one copy and lie before the reader, and else
/// through a vector, whose memory is there at the same time and is charged as well.
macro_rules! shared {
    ($name:ident, $pointer:ident) => {
        pub(crate) fn $name<'de, T: Decode<'de>>(
            count: usize,
            reader: &mut Reader<'de>,
        ) -> Result<$pointer<[T]>> {
            // With the two counters.
            let size = byte_size::<T>(count, reader)?.saturating_add(2 * size_of::<usize>());
            if const { T::LAYOUT.facts().plain && size_of::<T>() > 0 }
                && count <= reader.source.left() / size_of::<T>().max(1)
            {
                reader.charge(size)?;
                let mut elements = $pointer::<[T]>::new_uninit_slice(count);
                let Some(slots) = $pointer::get_mut(&mut elements) else {
                    unreachable!("a fresh pointer is not shared");
                };
                reader.source.copy_to(slot_bytes(slots))?;
                // SAFETY: all elements were just filled, and every byte pattern is a `T`.
                return Ok(unsafe { elements.assume_init() });
            }
            let elements = decode::<T>(count, reader)?;
            reader.charge(size)?;
            Ok(elements.into())
        }
    };
}

shared!(decode_rc, Rc);
shared!(decode_arc, Arc);

/// Reads elements without a tail: their heads stand one behind the other.
#[inline]
fn decode_heads<'de, T: Decode<'de>>(count: usize, reader: &mut Reader<'de>) -> Result<Vec<T>> {
    let head = const { T::LAYOUT.facts().head };
    let mut elements = reserve::<T>(count, reader)?;
    while elements.len() < count {
        let chunk = (count - elements.len()).min(const { chunk_length(T::LAYOUT.facts().head) });
        let start = match reader.source.take(chunk * head) {
            Some(start) => start,
            None => reader.source.gather(chunk * head)?,
        };
        grow(&mut elements, chunk, count, reader)?;
        // SAFETY: `chunk` heads are readable at `start` until the reader is used, which elements without a tail do
        // not do.
        let mut heads = unsafe { HeadReader::new(start) };
        for _ in 0..chunk {
            // SAFETY: there are as many heads as elements in the chunk.
            push(&mut elements, |slot| unsafe {
                T::decode_row(slot, heads.part(const { T::LAYOUT.facts().head }), reader)
            })?;
        }
    }
    Ok(elements)
}

/// Reads elements with a tail.
#[inline]
fn decode_rows<'de, T: Decode<'de>>(count: usize, reader: &mut Reader<'de>) -> Result<Vec<T>> {
    let mut elements = reserve::<T>(count, reader)?;
    while elements.len() < count {
        grow(&mut elements, 1, count, reader)?;
        // As many as there is room for, which is nearly always all of them.
        let room = count.min(elements.capacity());
        while elements.len() < room {
            decode_next(&mut elements, reader)?;
        }
    }
    Ok(elements)
}

/// Reads the next element with a tail, for which there is room.
#[cfg_attr(not(debug_assertions), inline(always))]
fn decode_next<'de, T: Decode<'de>>(elements: &mut Vec<T>, reader: &mut Reader<'de>) -> Result<()> {
    counted::<T, _>(reader, |reader| push(elements, |slot| row::decode_into(slot, reader)))
}

/// Fills the next slot, for which there is room.
#[cfg_attr(not(debug_assertions), inline(always))]
fn push<T>(elements: &mut Vec<T>, fill: impl FnOnce(&mut MaybeUninit<T>) -> Result<()>) -> Result<()> {
    let length = elements.len();
    debug_assert!(length < elements.capacity());
    // SAFETY: the callers have grown the vector beyond its length.
    let slot = unsafe { elements.as_mut_ptr().add(length) };
    // SAFETY: within the vector's memory and aligned, and `MaybeUninit` needs no value there.
    let filled = fill(unsafe { &mut *slot.cast::<MaybeUninit<T>>() });
    if filled.is_ok() {
        // SAFETY: `fill` returned `Ok`, by which every decoder promises an initialised slot.
        unsafe { elements.set_len(length + 1) };
    }
    filled
}

/// A vector for `count` elements: with all its room if the window shows that the input can hold so many, besides what
/// is around it, and without any if not.
#[cfg_attr(not(debug_assertions), inline(always))]
fn reserve<'de, T: Decode<'de>>(count: usize, reader: &mut Reader<'de>) -> Result<Vec<T>> {
    let head = const { T::LAYOUT.facts().head };
    if const { T::LAYOUT.facts().head == 0 } {
        if const { !T::LAYOUT.facts().tail } {
            reader.charge_items(count)?;
        }
        return Ok(Vec::new());
    }
    let heads = count.saturating_mul(head);
    if reader.backs(heads) {
        reader.charge(count.saturating_mul(size_of::<T>()))?;
        return allocate(count);
    }
    if reader.source.stays() {
        return Err(reader.unbacked(heads));
    }
    Ok(Vec::new())
}

/// Reads an element which, if it turns out to take no bytes of input, is charged to the item limit. Elements without
/// a tail are charged together, before.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn counted<'de, T: Decode<'de>, R>(
    reader: &mut Reader<'de>,
    read: impl FnOnce(&mut Reader<'de>) -> Result<R>,
) -> Result<R> {
    if const { T::LAYOUT.facts().head > 0 || !T::LAYOUT.facts().tail } {
        return read(reader);
    }
    let before = reader.offset();
    let element = read(reader);
    if element.is_ok()
        && reader.offset() == before
        && let Err(error) = reader.charge_items(1)
    {
        return Err(error);
    }
    element
}

/// Sees to it that `more` elements fit. Grows by doubling, never beyond `count`, and charges what it adds.
#[inline(always)]
fn grow<'de, T>(elements: &mut Vec<T>, more: usize, count: usize, reader: &mut Reader<'de>) -> Result<()> {
    if elements.capacity() - elements.len() >= more {
        Ok(())
    } else {
        grow_now(elements, more, count, reader)
    }
}

#[cold]
#[inline(never)]
fn grow_now<'de, T>(
    elements: &mut Vec<T>,
    more: usize,
    count: usize,
    reader: &mut Reader<'de>,
) -> Result<()> {
    // Little at first: there may be as many levels of this as the depth allows.
    let few = (FIRST / size_of::<T>().max(1)).clamp(1, 64);
    let more = more.max(elements.len()).max(few).min(count - elements.len());
    let bytes = more.saturating_mul(size_of::<T>());
    reader.charge(bytes)?;
    elements.try_reserve_exact(more).map_err(|_| Error::OutOfMemory { bytes: bytes as u64 })
}

/// How many heads are checked at once.
const fn chunk_length(head: usize) -> usize {
    if head == 0 || head > CHUNK { 1 } else { CHUNK / head }
}

/// The size of `count` elements in bytes.
#[inline(always)]
fn byte_size<T>(count: usize, reader: &Reader<'_>) -> Result<usize> {
    match count.checked_mul(size_of::<T>()) {
        Some(size) if size <= isize::MAX as usize => Ok(size),
        _ => Err(Error::InvalidLength { offset: reader.offset(), found: count as u64 }),
    }
}

/// Reads the elements of an array in place.
///
/// # Safety
///
/// `head` holds the heads of `N` elements.
#[inline(always)]
pub(crate) unsafe fn decode_array<'de, T: Decode<'de>, const N: usize>(
    slot: &mut MaybeUninit<[T; N]>,
    head: &mut HeadReader<'_>,
    reader: &mut Reader<'de>,
) -> Result<()> {
    /// Drops the elements that are complete when a later one fails.
    struct Complete<T> {
        first: *mut T,
        count: usize,
    }
    impl<T> Drop for Complete<T> {
        fn drop(&mut self) {
            // SAFETY: the first `count` elements are initialised and this guard is their only owner.
            unsafe { core::ptr::slice_from_raw_parts_mut(self.first, self.count).drop_in_place() };
        }
    }
    if const { T::LAYOUT.facts().plain } {
        // SAFETY: the head holds the memory of `N` elements, and every byte pattern is one.
        unsafe { head.take_memory(slot.as_mut_ptr()) };
        return Ok(());
    }
    let mut complete = Complete { first: slot.as_mut_ptr().cast::<T>(), count: 0 };
    while complete.count < N {
        // SAFETY: `count < N`, so this element lies within the array.
        let element = unsafe { complete.first.add(complete.count) };
        // SAFETY: writable and aligned, as the slot is.
        let element = unsafe { &mut *element.cast::<MaybeUninit<T>>() };
        // SAFETY: the head holds one head for each element.
        unsafe { row::decode_part(element, head, reader) }?;
        complete.count += 1;
    }
    core::mem::forget(complete);
    Ok(())
}

/// Reads text: one copy, and one test for ASCII on the way.
#[inline(always)]
pub(crate) fn decode_text(length: usize, reader: &mut Reader<'_>) -> Result<Vec<u8>> {
    let Some(start) = reader.source.take(length) else { return decode_text_stream(length, reader) };
    reader.charge(length)?;
    let mut text = allocate::<u8>(length)?;
    // SAFETY: `length` bytes are readable at `start`, as `take` saw, and writable in the fresh vector.
    let ascii = unsafe { super::text::copy_text(start, text.as_mut_ptr(), length) };
    // SAFETY: so many bytes were just written.
    unsafe { text.set_len(length) };
    if !ascii {
        check_other(&text, reader)?;
    }
    Ok(text)
}

/// Reads text that the window does not hold whole.
#[cold]
#[inline(never)]
fn decode_text_stream(length: usize, reader: &mut Reader<'_>) -> Result<Vec<u8>> {
    let text = decode_plain::<u8>(length, reader)?;
    check_other(&text, reader)?;
    Ok(text)
}

/// Text that stays: nothing if it does not, or if there are fewer bytes.
#[inline(always)]
pub(crate) fn take_text<'de>(length: usize, reader: &mut Reader<'de>) -> Result<Option<&'de str>> {
    match reader.source.take_text(length) {
        // SAFETY: ASCII is UTF-8.
        Some((text, true)) => Ok(Some(unsafe { core::str::from_utf8_unchecked(text) })),
        Some((text, false)) => check_other(text, reader).map(Some),
        None => Ok(None),
    }
}

/// Checks text that is not ASCII.
#[inline(never)]
fn check_other<'t>(text: &'t [u8], reader: &Reader<'_>) -> Result<&'t str> {
    core::str::from_utf8(text).map_err(|error| invalid_utf8(error, text.len(), reader))
}

/// That the text of so many bytes that was just read is none.
#[cold]
pub(crate) fn invalid_utf8(error: core::str::Utf8Error, length: usize, reader: &Reader<'_>) -> Error {
    let valid = error.valid_up_to() as u64;
    Error::InvalidUtf8 { offset: reader.offset(), length: length as u64, valid }
}

/// A string of bytes that [`decode_text`] has checked.
#[inline(always)]
pub(crate) fn decode_string(length: usize, reader: &mut Reader<'_>) -> Result<alloc::string::String> {
    let text = decode_text(length, reader)?;
    // SAFETY: `decode_text` returns only UTF-8.
    Ok(unsafe { alloc::string::String::from_utf8_unchecked(text) })
}
