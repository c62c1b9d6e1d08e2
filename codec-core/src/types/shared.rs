//! `Blob` and `SharedStr`: written as what they hold, read as parts of a copy that they share.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem::MaybeUninit;

use super::length;
use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::raw::head::HeadReader;
use crate::raw::place::allocate;
use crate::raw::sequence;
use crate::raw::utf8::Utf8;
use crate::reader::Reader;
use crate::shared::{Blob, SharedStr};

/// Bytes of the first copy that a reader makes for its blobs, if there are so many. Each further copy is twice as
/// large, up to `MOST`.
const FIRST: usize = 64 << 10;
const MOST: usize = 1 << 20;
/// What a copy takes besides its bytes: a vector, and its two counters.
const COUNTERS: usize = size_of::<Vec<u8>>() + 2 * size_of::<usize>();

/// The stretch of the input that a reader copied last for its blobs.
pub(crate) struct Ahead {
    copy: Blob,
    /// The offset in the input of its first byte.
    offset: u64,
}

impl Ahead {
    /// So many bytes at an offset of the input, if they were copied.
    fn part(&self, offset: u64, count: usize) -> Option<Blob> {
        let start = usize::try_from(offset.checked_sub(self.offset)?).ok()?;
        self.copy.part(start..start.checked_add(count)?)
    }
}

impl Reader<'_> {
    /// Takes `count` bytes as a [`Blob`], which shares a copy of the input with others where the input is in memory.
    ///
    /// # Errors
    ///
    /// [`Error::UnexpectedEnd`](crate::Error::UnexpectedEnd), [`Error::ByteLimit`](crate::Error::ByteLimit),
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory), and those of the endpoint.
    pub fn share(&mut self, count: usize) -> Result<Blob> {
        if count == 0 {
            return Ok(Blob::default());
        }
        let shown = self.source.show(count)?.len();
        if shown < count {
            // A stream, or an end: read step by step, as far as there is anything.
            let bytes = sequence::decode::<u8>(count, self)?;
            self.charge(COUNTERS)?;
            return Ok(bytes.into());
        }
        let offset = self.offset();
        let blob = match self.ahead.as_ref().and_then(|ahead| ahead.part(offset, count)) {
            Some(blob) => blob,
            None => self.copy_ahead(count, shown)?.part(0..count).unwrap_or_default(),
        };
        self.source.take(count);
        Ok(blob)
    }

    /// Copies `count` bytes of the `shown` ones, and as many more as are likely to be shared, too.
    #[cold]
    fn copy_ahead(&mut self, count: usize, shown: usize) -> Result<Blob> {
        let last = self.ahead.as_ref().map_or(0, |ahead| ahead.copy.len());
        let more = last.saturating_mul(2).clamp(FIRST, MOST);
        // A copy that nobody asked for leaves half of the limit to the rest of the value.
        let granted = usize::try_from(self.limits().bytes / 2).unwrap_or(usize::MAX);
        let size = more.min(shown).min(granted).max(count);
        self.charge(size.saturating_add(COUNTERS))?;
        let mut copy = allocate(size)?;
        copy.extend_from_slice(&self.source.show(size)?[..size]);
        let copy = Blob::from(copy);
        let ahead = Ahead { offset: self.offset(), copy: copy.clone() };
        match &mut self.ahead {
            Some(last) => **last = ahead,
            None => self.ahead = Some(Box::new(ahead)),
        }
        Ok(copy)
    }
}

macro_rules! shared {
    ($($shared:ty as $target:ty, $read:expr;)+) => {$(
        impl Encode for $shared {
            encode_as!($target);
        }

        impl<'de> Decode<'de> for $shared {
            decode_row!('de);

            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                mut head: HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                // SAFETY: the caller has the four bytes of the layout.
                let count = unsafe { length::decode(&mut head, reader) }?;
                let read: fn(Blob, &Reader<'de>) -> Result<Self> = $read;
                let bytes = reader.share(count)?;
                slot.write(read(bytes, reader)?);
                Ok(())
            }
        }
    )+};
}

shared! {
    Blob as [u8], |bytes, _| Ok(bytes);
    SharedStr as str, |bytes, reader| {
        let length = bytes.len();
        Utf8::check(bytes).map(SharedStr).map_err(|error| sequence::invalid_utf8(error, length, reader))
    };
}
