//! The endpoint that hostile bytes come from: it shows as much of them as it is told to, and has their segments.

use podwire::endpoint::Placement;
use podwire::{Bulk, Endpoint, Error, Result, Segment};

/// Bytes and segments that are read.
pub(crate) struct Carrier<'c> {
    pub(crate) rest: &'c [u8],
    /// Bytes that it shows at once; with 0 it copies all of them.
    pub(crate) window: usize,
    /// Whether it says how much is left.
    pub(crate) known: bool,
    pub(crate) segments: &'c [Segment],
}

impl Endpoint for Carrier<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Err(Error::EndpointFull { wanted: bytes.len() as u64, found: 0 })
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        let Some((taken, rest)) = self.rest.split_at_checked(bytes.len()) else {
            let (wanted, found) = (bytes.len() as u64, self.rest.len() as u64);
            return Err(Error::UnexpectedEnd { offset: 0, wanted, found });
        };
        bytes.copy_from_slice(taken);
        self.rest = rest;
        Ok(())
    }

    fn peek(&mut self, _: usize) -> Result<&[u8]> {
        Ok(&self.rest[..self.window.min(self.rest.len())])
    }

    fn consume(&mut self, count: usize) {
        self.rest = &self.rest[count..];
    }

    fn remaining(&self) -> Option<u64> {
        self.known.then_some(self.rest.len() as u64)
    }

    fn take_segment(&mut self, placement: Placement<'_>) -> Result<Segment> {
        let found = self.segments.len() as u32;
        let segment = self.segments.get(placement.index as usize);
        segment.cloned().ok_or(Error::NoSegment { index: placement.index, found })
    }
}

/// A segment with a copy of these bytes, aligned for every element.
pub(crate) fn segment(bytes: &[u8]) -> Segment {
    let mut words = vec![0_u128; bytes.len().div_ceil(size_of::<u128>())];
    bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
    Bulk::from(words).segment().part(0..bytes.len()).expect("there are as many words as the bytes take")
}
