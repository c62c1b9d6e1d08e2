//! Counts bytes and keeps none.

use super::{Capabilities, Endpoint};
use crate::error::Result;
use crate::segment::Segment;

/// Counts what is written to it.
///
/// It carries segments, or not, as the endpoint whose size is to be known does.
#[derive(Debug, Clone)]
pub struct Counter {
    /// Packed bytes so far.
    pub packed: u64,
    /// Bytes in segments so far.
    pub attached: u64,
    segments: u32,
    capabilities: Capabilities,
}

impl Counter {
    /// A counter for an endpoint with these capabilities.
    #[must_use]
    pub const fn new(capabilities: Capabilities) -> Self {
        Self { packed: 0, attached: 0, segments: 0, capabilities }
    }
}

impl Endpoint for Counter {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.packed += bytes.len() as u64;
        Ok(())
    }

    /// A counter holds nothing to read.
    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        Endpoint::read(&mut &[][..], bytes)
    }

    /// What it can still take.
    fn capabilities(&self) -> Capabilities {
        let segments = self.capabilities.segments.saturating_sub(self.segments);
        Capabilities { segments, ..self.capabilities }
    }

    fn attach(&mut self, segment: &Segment) -> Result<Option<u32>> {
        if segment.length() < self.capabilities.threshold || self.segments >= self.capabilities.segments {
            return Ok(None);
        }
        self.attached += segment.length() as u64;
        self.segments += 1;
        Ok(Some(self.segments - 1))
    }
}
