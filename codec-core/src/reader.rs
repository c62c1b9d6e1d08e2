//! The cursor that values are read through.
//!
//! A reader takes from a window of memory, and calls its endpoint only when the window is empty. It never reads
//! beyond its value, and it keeps the accounts of the [`Limits`].

use alloc::boxed::Box;

use crate::decode::Decode;
use crate::endpoint::{Endpoint, Placement};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::raw::row;
use crate::raw::source::Source;
use crate::segment::Segment;
use crate::trivial::Trivial;
use crate::types::shared::Ahead;

/// Reads values from a slice or an [`Endpoint`].
///
/// ```
/// use podwire_codec_core::Reader;
///
/// let mut reader = Reader::from_slice(&[7, 0, b'a', b'b']);
/// assert_eq!(reader.read_trivial_type::<u16>()?, 7);
/// assert_eq!(reader.borrow(2)?, b"ab");
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
///
/// An endpoint that shows its bytes ([`Endpoint::peek`]) learns with [`finish`](Self::finish) how many were taken: after
/// a reader that is dropped, it may give some of them once more.
#[must_use = "the endpoint learns with `finish` what was taken"]
pub struct Reader<'de> {
    pub(crate) source: Source<'de>,
    bytes: u64,
    items: u64,
    depth: u32,
    /// Bytes of heads that memory was prepared for.
    prepared: u64,
    /// What was copied for shared values; nobody else looks at it, so that it is one word.
    pub(crate) ahead: Option<Box<Ahead>>,
}

impl<'de> Reader<'de> {
    #[inline]
    fn new(source: Source<'de>, limits: Limits) -> Self {
        let Limits { bytes, items, depth } = limits;
        Self { source, bytes, items, depth, prepared: 0, ahead: None }
    }

    /// A reader over bytes, under the default limits. Values may borrow from them.
    #[inline]
    pub fn from_slice(bytes: &'de [u8]) -> Self {
        Self::from_slice_with(bytes, Limits::DEFAULT)
    }

    /// A reader over bytes.
    #[inline]
    pub fn from_slice_with(bytes: &'de [u8], limits: Limits) -> Self {
        Self::new(Source::slice(bytes, None), limits)
    }

    /// A reader over bytes whose segments are with `segments`.
    pub fn from_parts(bytes: &'de [u8], segments: &'de mut dyn Endpoint, limits: Limits) -> Self {
        Self::new(Source::slice(bytes, Some(segments)), limits)
    }

    /// A reader over whatever the endpoint gives. Nothing can borrow from it. Call [`finish`](Self::finish) at the
    /// end.
    pub fn from_endpoint(endpoint: &'de mut dyn Endpoint, limits: Limits) -> Self {
        Self::new(Source::endpoint(endpoint), limits)
    }

    /// Fills `bytes`.
    ///
    /// # Errors
    ///
    /// [`Error::UnexpectedEnd`], and those of the endpoint.
    #[inline]
    pub fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.source.read_into(bytes)
    }

    /// Takes `count` bytes without copying them.
    ///
    /// # Errors
    ///
    /// [`Error::UnexpectedEnd`]; [`Error::CannotBorrow`] if the input does not stay.
    #[inline]
    pub fn borrow(&mut self, count: usize) -> Result<&'de [u8]> {
        self.source.take_slice(count).ok_or_else(|| self.source.refuse(count, "a slice"))
    }

    /// Takes `count` bytes without copying them, or nothing if the input does not stay.
    ///
    /// # Errors
    ///
    /// [`Error::UnexpectedEnd`].
    #[inline]
    pub fn try_borrow(&mut self, count: usize) -> Result<Option<&'de [u8]>> {
        match self.source.take_slice(count) {
            None if self.source.stays() => Err(self.source.end(count)),
            taken => Ok(taken),
        }
    }

    /// Reads a number, or another [`Trivial`] value.
    ///
    /// # Errors
    ///
    /// [`Error::UnexpectedEnd`], and [`Error::InvalidValue`] for bits that are no `T`.
    #[inline]
    pub fn read_trivial_type<T: Trivial>(&mut self) -> Result<T> {
        row::decode(self)
    }

    /// Reads a value with its codec.
    ///
    /// # Errors
    ///
    /// Those of the codec.
    #[inline]
    pub fn decode<T: Decode<'de>>(&mut self) -> Result<T> {
        row::decode(self)
    }

    /// Takes the segment that a value refers to.
    ///
    /// # Errors
    ///
    /// [`Error::NoSegment`], and those of the endpoint.
    pub fn take_segment(&mut self, placement: Placement<'_>) -> Result<Segment> {
        self.source.segment(placement)
    }

    /// Reads what lies one container deeper.
    ///
    /// # Errors
    ///
    /// [`Error::DepthLimit`], and what `read` returns.
    #[inline]
    pub fn nested<R>(&mut self, read: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        match self.enter() {
            Ok(()) => {
                let value = read(self);
                self.leave();
                value
            }
            Err(error) => Err(error),
        }
    }

    /// Goes one container deeper.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn enter(&mut self) -> Result<()> {
        match self.depth.checked_sub(1) {
            Some(depth) => {
                self.depth = depth;
                Ok(())
            }
            None => Err(Error::DepthLimit { offset: self.offset() }),
        }
    }

    /// Comes back from one container deeper.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn leave(&mut self) {
        self.depth += 1;
    }

    /// Charges memory that is about to be allocated to the byte limit.
    ///
    /// # Errors
    ///
    /// [`Error::ByteLimit`].
    #[inline(always)]
    pub fn charge(&mut self, bytes: usize) -> Result<()> {
        match self.bytes.checked_sub(bytes as u64) {
            Some(left) => {
                self.bytes = left;
                Ok(())
            }
            None => Err(self.over(bytes)),
        }
    }

    #[cold]
    #[inline(never)]
    fn over(&self, bytes: usize) -> Error {
        Error::ByteLimit { offset: self.offset(), wanted: bytes as u64, left: self.bytes }
    }

    /// Charges elements that take no bytes of input to the item limit.
    ///
    /// # Errors
    ///
    /// [`Error::ItemLimit`].
    pub fn charge_items(&mut self, count: usize) -> Result<()> {
        match self.items.checked_sub(count as u64) {
            Some(left) => {
                self.items = left;
                Ok(())
            }
            None => Err(Error::ItemLimit { offset: self.offset(), wanted: count as u64, left: self.items }),
        }
    }

    /// Whether the input is seen to hold so many bytes of heads, for which memory is about to be prepared, beside all those
    /// for which it was before. They are different bytes: of collections within collections that each claim the rest of
    /// the input, only one gets the memory for it.
    #[inline(always)]
    pub(crate) fn backs(&mut self, heads: usize) -> bool {
        let prepared = self.prepared.saturating_add(heads as u64);
        let backed = prepared <= self.source.offset() + self.source.left() as u64;
        if backed {
            self.prepared = prepared;
        }
        backed
    }

    /// That the input ends before the heads that all collections want to have, and of which these are the last.
    #[cold]
    pub(crate) fn unbacked(&self, heads: usize) -> Error {
        let all = self.prepared.saturating_sub(self.source.offset()).saturating_add(heads as u64);
        self.source.end(usize::try_from(all).unwrap_or(usize::MAX))
    }

    /// What is left of the limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits { bytes: self.bytes, items: self.items, depth: self.depth }
    }

    /// Bytes read so far.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.source.offset()
    }

    /// Bytes that are left, where the input knows.
    pub fn remaining(&mut self) -> Option<u64> {
        self.source.remaining()
    }

    /// The error for bytes behind the value.
    #[cold]
    #[inline(never)]
    pub(crate) fn trailing(&self) -> Error {
        Error::TrailingBytes { offset: self.offset(), count: self.source.left() as u64 }
    }

    /// Tells the endpoint what was read, and says how many bytes that is.
    pub fn finish(mut self) -> u64 {
        self.source.close();
        self.source.offset()
    }
}

impl core::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Reader").field("offset", &self.offset()).field("depth", &self.depth).finish()
    }
}
