//! A message as the frames that carry it, one for each piece, and back.
//!
//! Not here: who sends them. Invariant: the sender copies no segment; the receiver copies each once, to memory that is
//! aligned for vector instructions, and believes no length that the frame does not back.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use podwire_codec_core::{
    CodecRegistry, Endpoint, Error, Gather, Limits, Owner, Segment,
    message::{self, SegmentEntry},
};
use zenoh::bytes::ZBytes;

use super::frame::{FrameError, HEADER, Header};
use crate::message::Message;

type Result<T> = podwire_codec_core::Result<T>;

/// Bytes of a message that go with one frame, with the last one up to half as many again: so few that a frame which does not leave within the patience of
/// [`session`](super::session) says that nothing leaves any more, also over a slow network.
pub(super) const PIECE: usize = 1 << 20;

/// A message that is ready but for its headers.
pub(super) struct Outgoing {
    packed: Vec<u8>,
    segments: Vec<Segment>,
}

impl Outgoing {
    pub(super) fn of(message: &Message) -> Result<Self> {
        let codec = CodecRegistry::global().by_value(message.value())?;
        let mut gather = Gather::new();
        gather.write(&[0; HEADER])?;
        let metadata = message.metadata();
        message::write(codec.name(), codec.fingerprint(), metadata, &mut gather, |writer| {
            codec.encode(message.value(), writer)
        })?;
        let (packed, segments) = gather.into_parts();
        // What the host cannot read is sent as the copy that its owner makes, or not at all.
        let segments = segments.iter().map(Segment::to_host).collect::<Result<_>>()?;
        Ok(Self { packed, segments })
    }

    /// Bytes that the network copies.
    pub(super) fn bulk(&self) -> u64 {
        crate::transport::bulk(self.packed.len(), &self.segments)
    }

    /// The frames, with this header: what lies in one piece of memory is sent from there.
    pub(super) fn into_frames(mut self, header: Header) -> Vec<ZBytes> {
        let bulk: usize = self.segments.iter().map(Segment::length).sum();
        let body = self.packed.len() - HEADER + bulk;
        // No small one at the end, such as an envelope would make beside an array of 1 MiB.
        let pieces = ((body + PIECE / 2) / PIECE).max(1);
        let start = |piece: usize| {
            let more = piece + 1 < pieces;
            Header { more, amount: (piece * PIECE) as u64, ..header }.to_bytes()
        };
        self.packed[..HEADER].copy_from_slice(&start(0));
        if bulk == 0 && pieces == 1 {
            return vec![self.packed.into()];
        }
        let segments = self.segments.into_iter().filter(|segment| segment.length() > 0);
        let segments = segments.map(|segment| Bytes::from_owner(Shared(segment)));
        let mut parts: VecDeque<_> = std::iter::once(Bytes::from(self.packed)).chain(segments).collect();
        let frame = |piece: usize| {
            let mut frame = ZBytes::writer();
            let mut room = if piece + 1 < pieces { PIECE } else { body };
            if piece == 0 {
                room += HEADER;
            } else {
                frame.append(start(piece).into());
            }
            while room > 0
                && let Some(part) = parts.front_mut()
            {
                let part = part.split_to(room.min(part.len()));
                room -= part.len();
                frame.append(part.into());
                parts.pop_front_if(|rest| rest.is_empty());
            }
            frame.finish()
        };
        (0..pieces).map(frame).collect()
    }
}

/// A segment as an owner of bytes.
struct Shared(Segment);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        // That there are bytes was seen before.
        self.0.bytes().unwrap_or_default()
    }
}

/// The message that these frames carry behind their headers.
pub(super) fn decode(frames: &[ZBytes], limits: Limits) -> Result<Message> {
    let remaining = frames.iter().map(|frame| frame.len() - HEADER).sum();
    let mut body = Body { slices: frames.iter().flat_map(without_header), slice: &[], remaining };
    body.fill();
    if body.slice.len() == body.remaining {
        // In one piece, as what is small arrives.
        let (envelope, rest) = message::Message::parse(body.slice, limits)?;
        body.chunk(body.remaining - rest.len());
        return value(&envelope, body, limits);
    }
    let envelope = message::Message::read(&mut body, limits)?;
    value(&envelope, body, limits)
}

fn without_header(frame: &ZBytes) -> impl Iterator<Item = &[u8]> {
    let mut header = HEADER;
    frame.slices().map(move |slice| {
        let rest = &slice[header.min(slice.len())..];
        header -= slice.len() - rest.len();
        rest
    })
}

/// Places the segments, which are all that is left of the frame, and decodes the value.
fn value<'f>(
    envelope: &message::Message<'_>,
    mut rest: Body<'f, impl Iterator<Item = &'f [u8]>>,
    limits: Limits,
) -> Result<Message> {
    let numbered =
        |(at, entry): (usize, &SegmentEntry)| (u64::from(entry.number) == at as u64).then_some(entry.length);
    let mut lengths = envelope.segments().iter().enumerate().map(numbered);
    let expected = lengths.try_fold(0_u64, |sum, length| sum.checked_add(length?));
    let found = rest.remaining as u64;
    if expected != Some(found) {
        return Err(Error::backend(FrameError::Segments { expected: expected.unwrap_or(u64::MAX), found }));
    }
    if found > limits.bytes {
        return Err(Error::ByteLimit { offset: 0, wanted: found, left: limits.bytes });
    }
    let lengths = envelope.segments().iter().map(|entry| entry.length as usize);
    let segments = lengths.map(|length| rest.place(length)).collect::<Result<Vec<_>>>()?;
    let mut segments = Gather::from_parts(Vec::new(), segments);
    let value = CodecRegistry::global().decode_with(envelope, &mut segments, limits)?;
    Ok(Message::any(value).with_metadata(envelope.metadata().clone()))
}

/// What is left of the frames of a message.
struct Body<'f, S> {
    slices: S,
    slice: &'f [u8],
    remaining: usize,
}

impl<'f, S: Iterator<Item = &'f [u8]>> Body<'f, S> {
    /// Sees to it that there is something in `slice`, if there is anything left.
    fn fill(&mut self) {
        while self.slice.is_empty()
            && let Some(slice) = self.slices.next()
        {
            self.slice = slice;
        }
    }

    /// The next bytes that lie in one piece, at most so many; none at the end.
    fn chunk(&mut self, most: usize) -> &'f [u8] {
        self.fill();
        let (chunk, rest) = self.slice.split_at(most.min(self.slice.len()));
        self.slice = rest;
        self.remaining -= chunk.len();
        chunk
    }

    /// The next bytes as a segment of their own.
    fn place(&mut self, length: usize) -> Result<Segment> {
        let mut memory: Vec<u8> = Vec::new();
        let wanted = length + ALIGNMENT;
        memory.try_reserve_exact(wanted).map_err(|_| Error::OutOfMemory { bytes: wanted as u64 })?;
        let start = memory.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        memory.resize(start, 0);
        while memory.len() < start + length {
            match self.chunk(start + length - memory.len()) {
                [] => return Err(Error::UnexpectedEnd { offset: 0, wanted: length as u64, found: 0 }),
                chunk => memory.extend_from_slice(chunk),
            }
        }
        Ok(Segment::new(Arc::new(Placed { memory, start })))
    }
}

impl<'f, S: Iterator<Item = &'f [u8]>> Endpoint for Body<'f, S> {
    /// A frame that arrived takes nothing.
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Err(Error::EndpointFull { wanted: bytes.len() as u64, found: 0 })
    }

    fn read(&mut self, mut bytes: &mut [u8]) -> Result<()> {
        let (wanted, found) = (bytes.len(), self.remaining);
        if wanted > found {
            return Err(Error::UnexpectedEnd { offset: 0, wanted: wanted as u64, found: found as u64 });
        }
        while !bytes.is_empty() {
            let chunk = self.chunk(bytes.len());
            let (filled, rest) = bytes.split_at_mut(chunk.len());
            filled.copy_from_slice(chunk);
            bytes = rest;
        }
        Ok(())
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.remaining as u64)
    }
}

/// What the first byte of a segment is aligned to.
const ALIGNMENT: usize = 64;

/// Memory of a segment, from an aligned place on.
struct Placed {
    memory: Vec<u8>,
    start: usize,
}

impl Owner for Placed {
    fn bytes(&self) -> Option<&[u8]> {
        self.memory.get(self.start..)
    }
}
