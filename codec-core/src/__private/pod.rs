//! Wrappers that give plain old data of other crates a codec: the bytes in memory are the bytes on the wire.
//!
//! That is true on every target. So the wire bytes of such data are those of the machine that wrote them: a
//! big-endian machine writes big-endian numbers here, and only here.
#![allow(unsafe_code, reason = "the head is accessed without checks; each type is transparent")]

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use bytemuck::{AnyBitPattern, CheckedBitPattern, NoUninit};

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::{Error, Result};
use crate::layout::Facts;
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::row;
use crate::raw::transparent::{
    Wrapper, unwrap, unwrap_vec, wrap_array, wrap_array_slot, wrap_ref, wrap_slice,
};
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::trivial::Trivial;
use crate::types::length;
use crate::writer::Writer;

macro_rules! wrappers {
    ($($(#[$doc:meta])+ $name:ident [$($generics:tt)*] [$($arguments:tt)*] $of:ty;)+) => {$(
        $(#[$doc])+
        #[repr(transparent)]
        pub struct $name<$($generics)*>($of);

        // SAFETY: `repr(transparent)` over the only field.
        unsafe impl<$($generics)*> Wrapper for $name<$($arguments)*> {
            type Of = $of;
        }
    )+};
}

wrappers! {
    /// Bytes of which every pattern is a value.
    Plain [T] [T] T;
    /// Bytes that are checked when they are read.
    Checked [T] [T] T;
    /// A vector of wrapped elements.
    InVec [W: Wrapper] [W] Vec<W::Of>;
    /// Nothing, or something wrapped.
    InOption [W: Wrapper] [W] Option<W::Of>;
    /// An array of wrapped elements.
    InArray [W: Wrapper, const N: usize] [W, N] [W::Of; N];
    /// Stands for a codec that is missing, in code that does not compile.
    Missing [T] [T] T;
}

impl<T: Copy> Copy for Plain<T> {}
impl<T: Copy> Clone for Plain<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Copy> Copy for Checked<T> {}
impl<T: Copy> Clone for Checked<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: NoUninit + AnyBitPattern> Encode for Plain<T> {
    layout!(
        /// Head: the bytes in memory. `NoUninit`: all are initialised. `AnyBitPattern`: all patterns are values.
        => Facts::bulk(size_of::<T>(), true)
    );

    encode_row!();

    #[inline(always)]
    unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
        // SAFETY: the caller has room for the layout's size, and all bytes are initialised.
        unsafe { head.put_memory(&self.0) };
    }

    fn schema(_: &mut SchemaBuilder) -> Node {
        Node::Pod(size_of::<T>() as u64)
    }
}

impl<'de, T: NoUninit + AnyBitPattern> Decode<'de> for Plain<T> {
    decode_row!('de);

    #[inline(always)]
    unsafe fn decode_row(
        slot: &mut MaybeUninit<Self>,
        mut head: HeadReader<'_>,
        _: &mut Reader<'de>,
    ) -> Result<()> {
        // SAFETY: the caller has the layout's size in bytes, and any bytes are a value.
        unsafe { head.take_memory(slot.as_mut_ptr()) };
        Ok(())
    }
}

impl<T: NoUninit + CheckedBitPattern> Encode for Checked<T> {
    layout!(
        /// Head: the bytes in memory. `NoUninit`: all are initialised. Not every pattern is a value.
        => Facts::bulk(size_of::<T>(), false)
    );

    encode_row!();

    #[inline(always)]
    unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
        // SAFETY: the caller has room for the layout's size, and all bytes are initialised.
        unsafe { head.put_memory(&self.0) };
    }

    fn schema(_: &mut SchemaBuilder) -> Node {
        Node::Pod(size_of::<T>() as u64)
    }
}

impl<'de, T: NoUninit + CheckedBitPattern> Decode<'de> for Checked<T> {
    decode_row!('de);

    #[inline]
    unsafe fn decode_row(
        slot: &mut MaybeUninit<Self>,
        mut head: HeadReader<'_>,
        reader: &mut Reader<'de>,
    ) -> Result<()> {
        const { assert!(size_of::<T::Bits>() == size_of::<T>(), "the bits of a type are as large as it is") };
        let address = head.cursor();
        let mut bits = MaybeUninit::<T::Bits>::uninit();
        // SAFETY: the caller has the layout's size in bytes, which is also that of the bits.
        unsafe { head.take_memory(bits.as_mut_ptr()) };
        // SAFETY: `Bits: AnyBitPattern`, so any bytes are a value.
        let bits = unsafe { bits.assume_init() };
        if !T::is_valid_bit_pattern(&bits) {
            // SAFETY: the head was just read there.
            return Err(unsafe { invalid::<T>(address, reader) });
        }
        // SAFETY: the head holds these bytes; `is_valid_bit_pattern` says that they are a value.
        unsafe { slot.as_mut_ptr().cast::<T::Bits>().write_unaligned(bits) };
        Ok(())
    }
}

/// The error for the bytes at `address`, which are no `T`; it shows the first eight.
///
/// # Safety
///
/// `size_of::<T>()` bytes are readable at `address`.
#[cold]
unsafe fn invalid<T>(address: *const u8, reader: &Reader<'_>) -> Error {
    let mut found = [0; 8];
    let count = size_of::<T>().min(found.len());
    // SAFETY: readable, by the caller; written into an array that is as large.
    unsafe { core::ptr::copy_nonoverlapping(address, found.as_mut_ptr(), count) };
    let offset = reader.source.offset_of(address);
    Error::InvalidValue { offset, expected: core::any::type_name::<T>(), found: u64::from_le_bytes(found) }
}

// SAFETY: the layout is bulk, and there is one field.
unsafe impl<T: NoUninit + AnyBitPattern> Trivial for Plain<T> {}
// SAFETY: the layout is bulk, and there is one field.
unsafe impl<T: NoUninit + CheckedBitPattern> Trivial for Checked<T> {}

impl<W: Wrapper + Encode> Encode for InVec<W> {
    layout!(
        /// That of the slice, which writes for it.
        => length::FACTS
    );

    encode_row!();

    #[inline(always)]
    unsafe fn encode_head(&self, head: HeadWriter<'_>) {
        // SAFETY: the caller's.
        unsafe { <[W] as Encode>::encode_head(wrap_slice(&self.0), head) };
    }

    #[inline]
    fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
        <[W] as Encode>::encode_tail(wrap_slice(&self.0), writer)
    }

    fn schema(types: &mut SchemaBuilder) -> Node {
        Node::Sequence(types.node::<W>())
    }
}

impl<'de, W: Wrapper + Decode<'de>> Decode<'de> for InVec<W> {
    decode_row!('de);

    #[inline]
    unsafe fn decode_row(
        slot: &mut MaybeUninit<Self>,
        mut head: HeadReader<'_>,
        reader: &mut Reader<'de>,
    ) -> Result<()> {
        // SAFETY: the caller has the head of a vector, which is the same for every element type.
        let values = unsafe { row::decode_value::<Vec<W>>(&mut head, reader) }?;
        slot.write(Self(unwrap_vec(values)));
        Ok(())
    }
}

impl<W: Wrapper + Encode> Encode for InOption<W> {
    layout!(
        /// As `Option`: the tag in the head, the value in the tail.
        => Facts::row(1, true)
    );

    encode_row!();

    #[inline(always)]
    unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
        // SAFETY: the caller has room for the layout's one byte.
        unsafe { head.put([u8::from(self.0.is_some())]) };
    }

    #[inline]
    fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
        match &self.0 {
            Some(value) => row::encode::<W>(wrap_ref(value), writer),
            None => Ok(()),
        }
    }

    fn schema(types: &mut SchemaBuilder) -> Node {
        Node::Option(types.node::<W>())
    }
}

impl<'de, W: Wrapper + Decode<'de>> Decode<'de> for InOption<W> {
    decode_row!('de);

    #[inline]
    unsafe fn decode_row(
        slot: &mut MaybeUninit<Self>,
        mut head: HeadReader<'_>,
        reader: &mut Reader<'de>,
    ) -> Result<()> {
        // SAFETY: the caller has the head of an option, which is the same for every value type.
        let value = unsafe { row::decode_value::<Option<W>>(&mut head, reader) }?;
        slot.write(Self(value.map(unwrap)));
        Ok(())
    }
}

impl<W: Wrapper + Encode, const N: usize> Encode for InArray<W, N> {
    layout!(
        /// That of the array of wrapped elements, which writes for it and has the same memory.
        => <[W; N] as Encode>::LAYOUT.facts()
    );

    encode_row!();

    #[inline(always)]
    unsafe fn encode_head(&self, head: HeadWriter<'_>) {
        // SAFETY: the caller's.
        unsafe { <[W; N]>::encode_head(wrap_array(&self.0), head) };
    }

    #[inline]
    fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
        <[W; N]>::encode_tail(wrap_array(&self.0), writer)
    }

    fn schema(types: &mut SchemaBuilder) -> Node {
        Node::Array(types.node::<W>(), N as u64)
    }
}

impl<'de, W: Wrapper + Decode<'de>, const N: usize> Decode<'de> for InArray<W, N> {
    decode_row!('de);

    #[inline(always)]
    unsafe fn decode_row(
        slot: &mut MaybeUninit<Self>,
        head: HeadReader<'_>,
        reader: &mut Reader<'de>,
    ) -> Result<()> {
        // SAFETY: the caller's; the layouts are the same.
        unsafe { <[W; N]>::decode_row(wrap_array_slot::<W, Self, N>(slot), head, reader) }
    }
}

impl<T> Missing<T> {
    /// An error wherever it is used. It asks something of `T`, because a constant that does not is evaluated where the
    /// function is compiled, by builds that are optimised and incremental.
    const ERROR: () = assert!(size_of::<T>() > isize::MAX as usize, "a type without a codec");
}

impl<T> Encode for Missing<T> {
    fn encode(&self, _: &mut Writer<'_>) -> Result<()> {
        let () = Self::ERROR;
        unreachable!("it does not compile")
    }
}

impl<'de, T> Decode<'de> for Missing<T> {
    fn decode(_: &mut Reader<'de>) -> Result<Self> {
        let () = Self::ERROR;
        unreachable!("it does not compile")
    }
}
