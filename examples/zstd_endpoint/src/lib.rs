//! Values through a compressed stream: a backend over the library zstd.
//!
//! Copy this file to begin a backend of your own. The questions that it answers are those of every backend:
//!
//! 1. *Which end is which?* Here one type is written to and another is read from, because a compressed stream goes one
//!    way. Each refuses the other's work with the error that [`Endpoint`] names for it, and never with a panic.
//! 2. *When is everything out?* A compressor keeps bytes back until it knows what follows. [`Compressed::finish`] is the
//!    moment; a writer that is dropped before has not written its end, which its reader finds out.
//! 3. *What is an error?* Whatever the library says goes out as it is, with [`Error::Io`] or [`Error::backend`]. Only the
//!    end of the input has an error of its own, [`Error::UnexpectedEnd`], with the bytes that were there: the codec adds
//!    where in the value that was.
//! 4. *What more can it do?* Nothing here can lend its memory, so no windows; nobody knows how much a compressed stream
//!    still holds, so no `remaining`; and a file cannot carry memory by reference, so no segments: what is not overridden
//!    is provided, and large buffers are written inline.
//!
//! The test beside it is the other half: `tests/conformance.rs` runs podwire's own suite over the two types.

use std::io::{self, ErrorKind, Read, Write};

use podwire::{Endpoint, Error, Result};
use zstd::stream::{read::Decoder, write::Encoder};

/// The end to write to: values go in, a zstd frame comes out.
pub struct Compressed<W: Write> {
    encoder: Encoder<'static, W>,
    taken: u64,
}

impl<W: Write> Compressed<W> {
    /// Compresses into `writer`, at a level of zstd: 1 is fast, 19 is small, 0 is its default.
    ///
    /// # Errors
    ///
    /// Those of zstd, for a level that it does not have.
    pub fn new(writer: W, level: i32) -> io::Result<Self> {
        Ok(Self { encoder: Encoder::new(writer, level)?, taken: 0 })
    }

    /// Bytes that were written to it so far, before compression.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.taken
    }

    /// Writes what is kept back, and the end of the frame, and gives the writer.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn finish(self) -> io::Result<W> {
        self.encoder.finish()
    }
}

impl<W: Write> Endpoint for Compressed<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.encoder.write_all(bytes)?;
        self.taken += bytes.len() as u64;
        Ok(())
    }

    /// The end to write to holds nothing to read.
    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        Err(Error::UnexpectedEnd { offset: 0, wanted: bytes.len() as u64, found: 0 })
    }
}

/// The end to read from: a zstd frame goes in, values come out.
pub struct Decompressed<R: Read> {
    decoder: Decoder<'static, io::BufReader<R>>,
}

impl<R: Read> Decompressed<R> {
    /// Decompresses what `reader` gives.
    ///
    /// zstd reads the compressed stream in blocks, which may reach beyond its end: give it a stream of its own. Of the
    /// values within, none is read beyond its end.
    ///
    /// # Errors
    ///
    /// Those of zstd, which allocates its window here.
    pub fn new(reader: R) -> io::Result<Self> {
        Ok(Self { decoder: Decoder::new(reader)? })
    }
}

impl<R: Read> Endpoint for Decompressed<R> {
    /// The end to read from takes nothing.
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        Err(Error::EndpointFull { wanted: bytes.len() as u64, found: 0 })
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        let mut found = 0;
        // Not `read_exact`: it does not say how many bytes there were.
        while found < bytes.len() {
            match self.decoder.read(&mut bytes[found..]) {
                Ok(0) => {
                    let (wanted, found) = (bytes.len() as u64, found as u64);
                    return Err(Error::UnexpectedEnd { offset: 0, wanted, found });
                }
                Ok(count) => found += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::Io(error)),
            }
        }
        Ok(())
    }
}
