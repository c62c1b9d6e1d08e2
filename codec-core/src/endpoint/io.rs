//! Anything that `std::io` reads and writes.

use std::io::{ErrorKind, Read, Write};

use super::Endpoint;
use crate::error::{Error, Result};

/// Writes to any [`std::io::Write`].
///
/// Values are gathered into blocks of some KiB on their way, so `W` needs no buffer of its own; after each value
/// everything has been handed to `W`, which is not flushed.
#[derive(Debug)]
pub struct IoWriter<W>(pub W);

impl<W: Write> Endpoint for IoWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.0.write(rest) {
                Ok(0) => return Err(Error::Io(ErrorKind::WriteZero.into())),
                // A writer that claims more than it was given (`write_all` would panic) has taken no more than that.
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::Io(error)),
            }
        }
        Ok(())
    }

    /// A writer holds nothing to read.
    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        Endpoint::read(&mut &[][..], bytes)
    }
}

/// Reads from any [`std::io::Read`]: exactly the bytes of each value, never more.
///
/// Since it never reads ahead, give it a [`BufReader`](std::io::BufReader) if small reads are expensive.
#[derive(Debug)]
pub struct IoReader<R>(pub R);

impl<R: Read> Endpoint for IoReader<R> {
    /// A reader takes nothing.
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Err(Error::EndpointFull { wanted: bytes.len() as u64, found: 0 })
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        let mut found = 0;
        while found < bytes.len() {
            match self.0.read(&mut bytes[found..]) {
                Ok(0) => {
                    let wanted = bytes.len() as u64;
                    return Err(Error::UnexpectedEnd { offset: 0, wanted, found: found as u64 });
                }
                // A reader that claims more than it was asked for has filled no more than that.
                Ok(count) => found = bytes.len().min(found.saturating_add(count)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::Io(error)),
            }
        }
        Ok(())
    }
}
