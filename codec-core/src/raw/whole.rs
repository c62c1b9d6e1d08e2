//! A whole value, by methods that every codec has and that no type can replace.
//!
//! They are methods, and not functions, for whoever builds: the compiler puts what it makes of a method beside the type
//! that it is called on, and what it makes of a generic function beside that function. Functions would stand in one
//! place for all types of a crate, and be compiled again, all of them, whenever one of these types is touched.
//!
//! The invariant is that of [`row`](super::row), whose functions stand before these.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem::MaybeUninit;

use super::head::HeadReader;
use super::place::{fresh, slot_bytes};
use super::row::decode_opaque;
use super::variant::HeadBuffer;
use crate::decode::Decode;
use crate::encode::Encode;
use crate::endpoint::Endpoint;
use crate::error::Result;
use crate::limits::Limits;
use crate::reader::Reader;
use crate::schema::{NodeId, SchemaBuilder};
use crate::writer::Writer;

/// Bulk values from this size on go to the endpoint in one piece.
pub(super) const LARGE: usize = 1024;

/// Writes whole values.
pub(crate) trait EncodeWhole: Encode {
    /// See [`row::encode`](super::row::encode).
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn encode_whole(&self, writer: &mut Writer<'_>) -> Result<()> {
        if const { Self::LAYOUT.facts().opaque } {
            return self.encode(writer);
        }
        match const { (Self::LAYOUT.facts().head > 0, Self::LAYOUT.facts().tail) } {
            (true, true) => self.encode_parts::<true>(writer),
            (true, false) => self.encode_own_head(writer),
            (false, true) => self.encode_tail(writer),
            (false, false) => Ok(()),
        }
    }

    /// Writes the head of a row. A function of its own: without optimisation, what it needs on the stack would stay
    /// there while the tail is written, at every level of a deep value.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn encode_own_head(&self, writer: &mut Writer<'_>) -> Result<()> {
        let size = const { Self::LAYOUT.facts().head };
        if const { Self::LAYOUT.facts().bulk && Self::LAYOUT.facts().head >= LARGE } {
            // SAFETY: the layout promises that all bytes of the value are initialised.
            let bytes = unsafe { core::slice::from_raw_parts(core::ptr::from_ref(self).cast::<u8>(), size) };
            return writer.sink.put(bytes);
        }
        // SAFETY: `encode_head` writes as many bytes as the layout says.
        match unsafe { writer.sink.head(size) } {
            Ok(head) => {
                // SAFETY: the head has the room that the layout asks for.
                unsafe { self.encode_head(head) };
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the value to an endpoint, and says how many bytes that took. Everything that writes one value calls this, so
    /// that it is compiled once, whatever the endpoint.
    fn write_whole(&self, endpoint: &mut dyn Endpoint) -> Result<usize> {
        let mut writer = Writer::new(endpoint);
        let encoded = self.encode_whole(&mut writer);
        writer.finish_after(encoded)
    }

    /// The bytes of the value.
    fn bytes_of_whole(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.write_whole(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(error),
        }
    }

    /// The node of the type.
    fn schema_node(types: &mut SchemaBuilder) -> NodeId {
        types.node_of(Self::schema_key(), Self::schema, const { Self::LAYOUT.facts().opaque })
    }
}

impl<T: Encode + ?Sized> EncodeWhole for T {}

/// Reads whole values.
pub(crate) trait DecodeWhole<'de>: Decode<'de> {
    /// See [`row::decode`](super::row::decode).
    #[inline]
    fn decode_whole(reader: &mut Reader<'de>) -> Result<Self> {
        if const { Self::LAYOUT.facts().opaque } {
            return Self::decode(reader);
        }
        let mut slot = MaybeUninit::uninit();
        match Self::decode_whole_into(&mut slot, reader) {
            // SAFETY: `Ok` says that the slot is initialised.
            Ok(()) => Ok(unsafe { slot.assume_init() }),
            Err(error) => Err(error),
        }
    }

    /// See [`row::decode_into`](super::row::decode_into).
    #[inline]
    fn decode_whole_into(slot: &mut MaybeUninit<Self>, reader: &mut Reader<'de>) -> Result<()> {
        if const { Self::LAYOUT.facts().opaque } {
            return decode_opaque(slot, reader);
        }
        if const { Self::LAYOUT.facts().plain && Self::LAYOUT.facts().head >= LARGE } {
            // Every byte that is copied there makes it a value.
            return reader.source.copy_to(slot_bytes(core::slice::from_mut(slot)));
        }
        // The head must stay readable while the tail is read. Where the input stays, it is read where it lies.
        let (size, tail) = const { (Self::LAYOUT.facts().head, Self::LAYOUT.facts().tail) };
        match take_head(size, tail, reader) {
            Some(start) => {
                // SAFETY: the bytes at `start` stay for the input's lifetime, or, if they do not, nothing is read
                // while they are used, as the type has no tail or there are none.
                let head = unsafe { HeadReader::new(start) };
                // SAFETY: the head holds as many bytes as the layout says.
                unsafe { Self::decode_row(slot, head, reader) }
            }
            None => Self::decode_gathered(slot, reader),
        }
    }

    /// Reads a row whose head does not lie in memory that stays: the head is copied first.
    #[cold]
    #[inline(never)]
    fn decode_gathered(slot: &mut MaybeUninit<Self>, reader: &mut Reader<'de>) -> Result<()> {
        let mut buffer = HeadBuffer::new();
        match buffer.gather(const { Self::LAYOUT.facts().head }, reader) {
            Ok(head) => {
                // SAFETY: the head holds as many bytes as the layout says.
                let decoded = unsafe { Self::decode_row(slot, head, reader) };
                buffer.leave(reader);
                decoded
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the value that `bytes` are.
    fn decode_all(bytes: &'de [u8], limits: Limits) -> Result<Self> {
        let mut reader = Reader::from_slice_with(bytes, limits);
        let decoded = Self::decode_whole(&mut reader);
        if decoded.is_ok() && reader.source.left() > 0 {
            return Err(reader.trailing());
        }
        decoded
    }

    /// Reads a value into a fresh box, in place.
    #[inline]
    fn decode_boxed(reader: &mut Reader<'de>) -> Result<Box<Self>> {
        match fresh::<Self>(reader) {
            Ok(mut slot) => match Self::decode_whole_into(&mut slot, reader) {
                // SAFETY: `Ok` says that the slot is initialised.
                Ok(()) => Ok(unsafe { slot.assume_init() }),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        }
    }
}

impl<'de, T: Decode<'de>> DecodeWhole<'de> for T {}

/// Takes a head that can be read where it lies.
#[cfg_attr(not(debug_assertions), inline(always))]
fn take_head(size: usize, tail: bool, reader: &mut Reader<'_>) -> Option<*const u8> {
    // Of no bytes, nothing is read: a pointer's row needs no second way in.
    if !tail || size == 0 || reader.source.stays() { reader.source.take(size) } else { None }
}
