//! Endpoints and `std::io` readers that do the least, or the worst, that their contracts allow.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};

use podwire_codec_core::{Endpoint, Error, Result};

/// The two required methods and nothing else: no windows, no look-ahead, no count of what is left.
#[derive(Debug, Default, Clone)]
pub(crate) struct Queue(pub VecDeque<u8>);

impl From<&[u8]> for Queue {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.iter().copied().collect())
    }
}

impl Endpoint for Queue {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.extend(bytes);
        Ok(())
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        if self.0.len() < bytes.len() {
            let (wanted, found) = (bytes.len() as u64, self.0.len() as u64);
            return Err(Error::UnexpectedEnd { offset: 0, wanted, found });
        }
        bytes.fill_with(|| self.0.pop_front().expect("counted"));
        Ok(())
    }
}

/// Shows at most `window` bytes at once, and does not say how much it holds.
#[derive(Debug, Clone)]
pub(crate) struct Chunks<'b> {
    pub rest: &'b [u8],
    pub window: usize,
}

impl Endpoint for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Err(Error::EndpointFull { wanted: bytes.len() as u64, found: 0 })
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        Endpoint::read(&mut self.rest, bytes)
    }

    fn peek(&mut self, _count: usize) -> Result<&[u8]> {
        Ok(&self.rest[..self.window.min(self.rest.len())])
    }

    fn consume(&mut self, count: usize) {
        self.rest = &self.rest[count..];
    }
}

/// A reader that gives one byte at a time, and is interrupted before each.
#[derive(Debug, Clone)]
pub(crate) struct Drip<'b> {
    pub rest: &'b [u8],
    interrupted: bool,
}

impl<'b> Drip<'b> {
    pub(crate) fn new(rest: &'b [u8]) -> Self {
        Self { rest, interrupted: false }
    }
}

impl Read for Drip<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(ErrorKind::Interrupted.into());
        }
        let count = bytes.len().min(1);
        Read::read(&mut self.rest, &mut bytes[..count])
    }
}

/// A reader and writer that moves one byte the first time, then claims a thousand times to have moved `claim` bytes,
/// whatever it was asked for, and then ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rogue {
    pub claim: usize,
    calls: u32,
}

impl Rogue {
    pub(crate) fn new(claim: usize) -> Self {
        Self { claim, calls: 0 }
    }

    fn count(&mut self) -> usize {
        self.calls += 1;
        match self.calls {
            1 => 1,
            2..1_000 => self.claim,
            _ => 0,
        }
    }
}

impl Read for Rogue {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if let Some(first) = bytes.first_mut() {
            *first = 1;
        }
        Ok(self.count())
    }
}

impl Write for Rogue {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Ok(self.count())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A writer that takes one byte at a time, is interrupted before each, and after `room` bytes takes none.
#[derive(Debug, Default)]
pub(crate) struct Stingy {
    pub taken: Vec<u8>,
    pub room: usize,
    pub interrupted: bool,
}

impl Write for Stingy {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(ErrorKind::Interrupted.into());
        }
        let count = bytes.len().min(1).min(self.room - self.taken.len());
        self.taken.extend(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
