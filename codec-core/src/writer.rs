//! The cursor that values are written through.
//!
//! A writer fills the window that its endpoint gives it, and calls the endpoint only when the window is full. So a
//! codec is compiled once, for every endpoint, and pays no call per field.

use crate::encode::Encode;
use crate::endpoint::Endpoint;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::raw::row;
use crate::raw::sink::Sink;
use crate::segment::Segment;
use crate::trivial::Trivial;

/// Writes values to an [`Endpoint`].
///
/// ```
/// use podwire_codec_core::{Buffer, Writer};
///
/// let mut buffer = Buffer::new();
/// let mut writer = Writer::new(&mut buffer);
/// writer.write_trivial_type(&7_u16)?;
/// writer.write(b"ab")?;
/// assert_eq!(writer.finish()?, 4);
/// assert_eq!(buffer.as_slice(), [7, 0, b'a', b'b']);
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
///
/// Bytes that the endpoint does not have yet are lost with a writer that is dropped, and nobody hears of it: only
/// [`finish`](Self::finish) can report an error.
#[must_use = "what was written reaches the endpoint with `finish`, and not before"]
pub struct Writer<'e> {
    pub(crate) sink: Sink<'e>,
    depth: u32,
}

impl<'e> Writer<'e> {
    /// A writer to `endpoint`. Call [`finish`](Self::finish) at the end.
    #[inline]
    pub fn new(endpoint: &'e mut dyn Endpoint) -> Self {
        Self::with_limits(endpoint, Limits::DEFAULT)
    }

    /// A writer under the depth limit of `limits`.
    #[inline]
    pub fn with_limits(endpoint: &'e mut dyn Endpoint, limits: Limits) -> Self {
        Self { sink: Sink::new(endpoint), depth: limits.depth }
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    ///
    /// Those of the endpoint.
    #[inline]
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.sink.put(bytes)
    }

    /// Writes a number, or another [`Trivial`] value.
    ///
    /// # Errors
    ///
    /// Those of the endpoint.
    #[inline]
    pub fn write_trivial_type<T: Trivial>(&mut self, value: &T) -> Result<()> {
        row::encode(value, self)
    }

    /// Writes a value with its codec.
    ///
    /// # Errors
    ///
    /// Those of the endpoint, and [`Error::DepthLimit`].
    #[inline]
    pub fn encode<T: Encode + ?Sized>(&mut self, value: &T) -> Result<()> {
        row::encode(value, self)
    }

    /// Gives a segment to the endpoint, and says under which number the reader finds it; `None` if the endpoint
    /// carries none, or none that small: then the bytes are written inline.
    ///
    /// # Errors
    ///
    /// Those of the endpoint.
    pub fn attach(&mut self, segment: &Segment) -> Result<Option<u32>> {
        self.sink.flushed_endpoint()?.attach(segment)
    }

    /// Writes what lies one container deeper.
    ///
    /// # Errors
    ///
    /// [`Error::DepthLimit`], and what `write` returns.
    #[inline]
    pub fn nested<R>(&mut self, write: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        match self.enter() {
            Ok(()) => {
                let written = write(self);
                self.leave();
                written
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
            None => Err(Error::DepthLimit { offset: self.sink.written() }),
        }
    }

    /// Comes back from one container deeper.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn leave(&mut self) {
        self.depth += 1;
    }

    /// Bytes written so far.
    #[must_use]
    #[inline]
    pub fn written(&self) -> u64 {
        self.sink.written()
    }

    /// Hands everything to the endpoint, and says how many bytes were written in all.
    ///
    /// # Errors
    ///
    /// Those of the endpoint.
    #[inline]
    pub fn finish(mut self) -> Result<usize> {
        self.sink.flush()?;
        Ok(usize::try_from(self.sink.written()).unwrap_or(usize::MAX))
    }

    /// [`finish`](Self::finish), unless what was written last failed.
    #[inline]
    pub(crate) fn finish_after(self, encoded: Result<()>) -> Result<usize> {
        match encoded {
            Ok(()) => self.finish(),
            Err(error) => Err(error),
        }
    }
}

impl core::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Writer").field("written", &self.written()).field("depth", &self.depth).finish()
    }
}
