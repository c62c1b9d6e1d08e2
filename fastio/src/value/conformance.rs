//! The endpoints of a published value keep the contract of endpoints, as far as it is theirs: they carry the segments,
//! and the packed bytes travel in the message.

use podwire_codec_core::endpoint::conformance::{Outcome, Promise, Suite};
use podwire_codec_core::{Buffer, Error as CodecError};

use super::*;

/// An end to write to, and an end to read from: packed bytes in a buffer, segments in allocations.
struct Packed<E> {
    packed: Buffer,
    segments: E,
}

impl<E: Endpoint> Endpoint for Packed<E> {
    fn write(&mut self, bytes: &[u8]) -> CodecResult<()> {
        self.packed.write(bytes)
    }

    fn read(&mut self, bytes: &mut [u8]) -> CodecResult<()> {
        self.packed.read(bytes)
    }

    fn capabilities(&self) -> Capabilities {
        self.segments.capabilities()
    }

    fn attach(&mut self, segment: &Segment) -> CodecResult<Option<u32>> {
        self.segments.attach(segment)
    }

    fn take_segment(&mut self, placement: Placement<'_>) -> CodecResult<Segment> {
        self.segments.take_segment(placement)
    }
}

/// Puts the children into the message, and takes them out of it again.
fn turn(writer: Packed<Outgoing<'_>>) -> Result<Packed<Incoming>> {
    let Packed { packed, segments: Outgoing { context, children, .. } } = writer;
    let options = AllocationOptions::new(packed.as_slice().len().max(1)).room_for_children(children.len());
    let message = context.create_with(options)?;
    message.adopt(&children.iter().collect::<Vec<_>>())?;
    message.seal()?;
    drop(children);
    let children = message.children()?;
    Ok(Packed { packed, segments: Incoming { children } })
}

#[test]
fn the_endpoints_of_a_value_conform() {
    let pipeline = format!("conformance-{}", std::process::id());
    // The suite's endpoints live as long as its thread.
    let context: &FastIoContext = Box::leak(Box::new(FastIoContext::open(&pipeline).unwrap()));
    let open = move || {
        let segments = Outgoing::new(context);
        Ok(Packed { packed: Buffer::new(), segments })
    };
    let report = Suite::of_halves(open, |writer| turn(writer).map_err(CodecError::backend)).run();
    report.assert();
    let skipped = report.outcomes().filter(|(_, outcome)| matches!(outcome, Outcome::Skipped(_)));
    let bytes = [
        Promise::FullIsReported,
        Promise::Interleaved,
        Promise::WindowsAreWritten,
        Promise::LookAheadIsTrue,
        Promise::RemainingIsTrue,
    ];
    assert_eq!(skipped.map(|(promise, _)| promise).collect::<Vec<_>>(), bytes, "{report}");
    FastIoContext::remove(&pipeline).unwrap();
}
