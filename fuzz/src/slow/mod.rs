//! A second, slow and obvious reader of the wire format, written from `docs/wire-format.md` alone.
//!
//! Not here: speed, limits that are asked for, Rust types. The invariant: nothing here calls podwire, so that what both
//! say is said twice.

mod checksum;
pub mod message;
pub mod schema;
pub mod value;
pub mod write;

pub use checksum::crc32c;

/// Bytes that are taken from the front.
#[derive(Clone, Copy)]
pub struct Input<'i>(pub &'i [u8]);

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum No {
    /// The bytes are none of this type.
    Wrong,
    /// A codec that does not describe itself: nobody can tell.
    Opaque,
    /// A segment is meant, and there are none here.
    Segment,
    /// Perhaps it is one, but it would be too much work here to find out.
    TooMuch,
}

impl<'i> Input<'i> {
    /// The next bytes.
    ///
    /// # Errors
    /// [`No::Wrong`] if there are fewer.
    pub fn take(&mut self, count: u64) -> Result<&'i [u8], No> {
        let count = usize::try_from(count).map_err(|_| No::Wrong)?;
        let (taken, rest) = self.0.split_at_checked(count).ok_or(No::Wrong)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next number of so many bytes.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn number(&mut self, bytes: u64) -> Result<u64, No> {
        let taken = self.take(bytes)?;
        Ok(taken.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}
