//! Memory of a fixed size: one to write into, one to read from.

use core::mem::MaybeUninit;

use super::Endpoint;
use crate::error::{Error, Result};

/// Writes into a slice; what does not fit is [`Error::EndpointFull`].
///
/// ```
/// use podwire_codec_core::{Codec, Error, SliceWriter};
///
/// let mut memory = [0_u8; 6];
/// let mut writer = SliceWriter::new(&mut memory);
/// Codec::serialize(&0x0102_u16, &mut writer)?;
/// assert_eq!(writer.written(), [2, 1]);
/// assert!(matches!(Codec::serialize(&0_u64, &mut writer), Err(Error::EndpointFull { wanted: 8, found: 4 })));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct SliceWriter<'m> {
    memory: &'m mut [u8],
    length: usize,
}

impl<'m> SliceWriter<'m> {
    /// A writer to the start of `memory`.
    pub fn new(memory: &'m mut [u8]) -> Self {
        Self { memory, length: 0 }
    }

    /// What was written so far.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        &self.memory[..self.length]
    }

    fn full(&self, wanted: usize) -> Error {
        Error::EndpointFull { wanted: wanted as u64, found: (self.memory.len() - self.length) as u64 }
    }
}

impl Endpoint for SliceWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let full = self.full(bytes.len());
        let Some(target) = self.memory[self.length..].get_mut(..bytes.len()) else { return Err(full) };
        target.copy_from_slice(bytes);
        self.length += bytes.len();
        Ok(())
    }

    /// A slice writer holds nothing to read.
    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        Endpoint::read(&mut &[][..], bytes)
    }

    #[allow(unsafe_code, reason = "lends initialised memory as a window")]
    unsafe fn window(&mut self, count: usize) -> Result<&mut [MaybeUninit<u8>]> {
        let full = self.full(count);
        let free = &mut self.memory[self.length..];
        if free.len() < count {
            return Err(full);
        }
        // SAFETY: the same memory, exclusive for the same time; the caller promises to write initialised bytes only, so
        // that it stays initialised.
        Ok(unsafe { &mut *(core::ptr::from_mut(free) as *mut [MaybeUninit<u8>]) })
    }

    #[allow(unsafe_code, reason = "implements the trait")]
    unsafe fn commit(&mut self, count: usize) {
        self.length += count;
        debug_assert!(self.length <= self.memory.len());
    }

    fn remaining(&self) -> Option<u64> {
        Some(0)
    }
}

/// Reads from a slice, as an endpoint.
///
/// To decode a slice, [`from_slice`](crate::from_slice) is simpler, and lets values borrow.
#[derive(Debug, Clone, Copy)]
pub struct SliceReader<'m> {
    rest: &'m [u8],
}

impl<'m> SliceReader<'m> {
    /// A reader from the start of `bytes`.
    #[must_use]
    pub fn new(bytes: &'m [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What is not read yet.
    #[must_use]
    pub fn rest(&self) -> &'m [u8] {
        self.rest
    }
}

impl Endpoint for SliceReader<'_> {
    /// A slice reader takes nothing.
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Err(Error::EndpointFull { wanted: bytes.len() as u64, found: 0 })
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.rest.read(bytes)
    }

    fn peek(&mut self, _count: usize) -> Result<&[u8]> {
        Ok(self.rest)
    }

    fn consume(&mut self, count: usize) {
        self.rest.consume(count);
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.rest.len() as u64)
    }
}

/// The one place where bytes of memory run out; the other endpoints over memory read through it.
impl Endpoint for &[u8] {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Err(Error::EndpointFull { wanted: bytes.len() as u64, found: 0 })
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        match self.split_at_checked(bytes.len()) {
            Some((taken, rest)) => {
                bytes.copy_from_slice(taken);
                *self = rest;
                Ok(())
            }
            None => {
                Err(Error::UnexpectedEnd { offset: 0, wanted: bytes.len() as u64, found: self.len() as u64 })
            }
        }
    }

    fn peek(&mut self, _count: usize) -> Result<&[u8]> {
        Ok(self)
    }

    fn consume(&mut self, count: usize) {
        *self = &self[count.min(self.len())..];
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.len() as u64)
    }
}
