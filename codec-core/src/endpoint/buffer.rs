//! A growable buffer: written at its end, read from its front.

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use super::Endpoint;
use crate::error::{Error, Result};

/// A growable buffer in memory.
///
/// ```
/// use podwire_codec_core::{Buffer, Codec};
///
/// let mut buffer = Buffer::new();
/// Codec::serialize(&"one".to_owned(), &mut buffer)?;
/// Codec::serialize(&2_u32, &mut buffer)?;
/// assert_eq!(String::deserialize(&mut buffer)?, "one");
/// assert_eq!(u32::deserialize(&mut buffer)?, 2);
/// buffer.clear(); // keeps the memory for the next message
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    read: usize,
}

impl Buffer {
    /// An empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), read: 0 }
    }

    /// An empty buffer with room for `count` bytes.
    #[must_use]
    pub fn with_capacity(count: usize) -> Self {
        Vec::with_capacity(count).into()
    }

    /// The bytes that are not read yet.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[self.read..]
    }

    /// All bytes, also those that were read.
    pub(crate) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Bytes of memory that the buffer has.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Empties the buffer and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.read = 0;
    }

    /// The bytes that are not read yet, as a vector.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<u8> {
        if self.read > 0 {
            self.bytes.drain(..self.read);
        }
        self.bytes
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, read: 0 }
    }
}

impl Endpoint for Buffer {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes.write(bytes)
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        let mut rest = &self.bytes[self.read..];
        rest.read(bytes)?;
        Endpoint::consume(self, bytes.len());
        Ok(())
    }

    #[allow(unsafe_code, reason = "forwarded")]
    unsafe fn window(&mut self, count: usize) -> Result<&mut [MaybeUninit<u8>]> {
        // SAFETY: the caller's.
        unsafe { self.bytes.window(count) }
    }

    #[allow(unsafe_code, reason = "forwarded")]
    unsafe fn commit(&mut self, count: usize) {
        // SAFETY: the caller's.
        unsafe { self.bytes.commit(count) }
    }

    fn peek(&mut self, _count: usize) -> Result<&[u8]> {
        Ok(&self.bytes[self.read..])
    }

    fn consume(&mut self, count: usize) {
        self.read = (self.read + count).min(self.bytes.len());
        if self.read == self.bytes.len() {
            // All was read: the next value takes the same memory.
            self.clear();
        }
    }

    fn remaining(&self) -> Option<u64> {
        Some((self.bytes.len() - self.read) as u64)
    }
}

/// A vector is written at its end, and read from its front, which removes what was read: [`Buffer`] reads without
/// moving the rest.
impl Endpoint for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.try_reserve(bytes.len()).map_err(|_| Error::OutOfMemory { bytes: bytes.len() as u64 })?;
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        let mut rest = &self[..];
        rest.read(bytes)?;
        self.drain(..bytes.len());
        Ok(())
    }

    #[allow(unsafe_code, reason = "implements the trait")]
    unsafe fn window(&mut self, count: usize) -> Result<&mut [MaybeUninit<u8>]> {
        if self.capacity() - self.len() < count.max(1) {
            self.try_reserve(count.max(64)).map_err(|_| Error::OutOfMemory { bytes: count as u64 })?;
        }
        Ok(self.spare_capacity_mut())
    }

    #[allow(unsafe_code, reason = "the caller has initialised the bytes")]
    unsafe fn commit(&mut self, count: usize) {
        let length = self.len() + count;
        debug_assert!(length <= self.capacity());
        // SAFETY: the caller has written the `count` bytes behind the end, which the last window lent.
        unsafe { self.set_len(length) };
    }

    fn peek(&mut self, _count: usize) -> Result<&[u8]> {
        Ok(self)
    }

    fn consume(&mut self, count: usize) {
        self.drain(..count.min(self.len()));
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.len() as u64)
    }
}
