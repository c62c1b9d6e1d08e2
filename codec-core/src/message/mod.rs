//! One envelope for Fast I/O and transports: which codec, which schema, the packed bytes, the segments.
//!
//! The bytes are specified in `docs/wire-format.md`. The invariant: a [`Message`] was checked as a whole; its parts
//! lie within the bytes that it was made from, and no claim of its header was believed before that.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::decode::Decode;
use crate::endpoint::{Endpoint, Gather, Placement};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::raw::row;
use crate::reader::Reader;
use crate::segment::{MemoryKind, Segment};
use crate::writer::Writer;

mod error;
mod header;

pub use error::MessageError;
pub use header::{HEADER, Header, MAGIC, VERSION};

/// What travels with a value: names, each with the bytes of a value, which are a message of their own or whatever
/// both sides agree on.
pub type Metadata = BTreeMap<String, Vec<u8>>;

/// What a message says of one of its segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentEntry {
    /// Length in bytes.
    pub length: u64,
    /// The number under which the message's endpoint has it.
    pub number: u32,
    /// Which memory it lies in.
    pub kind: MemoryKind,
    /// Alignment of its first byte: a power of two.
    pub alignment: u64,
    /// What the endpoint of its kind needs to find it.
    pub descriptor: Vec<u8>,
}

impl SegmentEntry {
    fn write(&self, bytes: &mut Vec<u8>) -> Result<()> {
        let length = self.descriptor.len();
        let Some(count) = u8::try_from(length).ok().filter(|_| length <= Segment::DESCRIPTOR) else {
            return Err(MessageError::Length { what: "a segment's descriptor", found: length as u64 }.into());
        };
        bytes.extend(self.length.to_le_bytes());
        bytes.extend(self.number.to_le_bytes());
        bytes.extend(self.kind.0.to_le_bytes());
        // An owner that says it has no alignment has that of a byte.
        bytes.push(if self.alignment == 0 { 0 } else { self.alignment.trailing_zeros() as u8 });
        bytes.push(count);
        bytes.extend(&self.descriptor);
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let length = reader.read_trivial_type()?;
        let number = reader.read_trivial_type()?;
        let kind = MemoryKind(reader.read_trivial_type()?);
        let alignment: u8 = reader.read_trivial_type()?;
        let count = usize::from(reader.read_trivial_type::<u8>()?);
        if alignment >= 64 || count > Segment::DESCRIPTOR {
            let found = u64::from(alignment.max(count as u8));
            return Err(MessageError::Length { what: "a segment's alignment or descriptor", found }.into());
        }
        reader.charge(count)?;
        let mut descriptor = alloc::vec![0; count];
        reader.read(&mut descriptor)?;
        Ok(Self { length, number, kind, alignment: 1 << alignment, descriptor })
    }
}

/// A message, checked, but not decoded.
///
/// ```
/// use podwire_codec_core::message::{Message, write};
/// use podwire_codec_core::{Gather, Limits, schema::schema_of};
///
/// let mut gather = Gather::new();
/// let fingerprint = schema_of::<u32>().fingerprint();
/// write("answer", fingerprint, &Default::default(), &mut gather, |writer| writer.encode(&42_u32))?;
///
/// let message = Message::read(&mut gather, Limits::default())?;
/// assert_eq!(message.name(), "answer");
/// assert_eq!(message.value::<u32>(&mut gather, Limits::default())?, 42);
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'m> {
    name: Cow<'m, str>,
    fingerprint: u64,
    metadata: Metadata,
    packed: Cow<'m, [u8]>,
    segments: Vec<SegmentEntry>,
}

impl<'m> Message<'m> {
    /// The message at the front of `bytes`, which it borrows, and the rest of them.
    ///
    /// # Errors
    ///
    /// [`Error::Message`] and [`Error::UnexpectedEnd`].
    pub fn parse(bytes: &'m [u8], limits: Limits) -> Result<(Self, &'m [u8])> {
        let mut reader = Reader::from_slice_with(bytes, limits);
        let header = Header::read(&mut reader)?;
        let name = reader.borrow(header.name_length())?;
        let metadata = reader.borrow(header.metadata_length())?;
        let packed = reader.borrow(header.packed_length()?)?;
        let message = Self::check(&header, name, metadata, Cow::Borrowed(packed), &mut reader)?;
        let used = usize::try_from(reader.offset()).unwrap_or(usize::MAX);
        Ok((message, &bytes[used..]))
    }

    /// The next message of an endpoint, and no byte beyond it.
    ///
    /// # Errors
    ///
    /// [`Error::Message`], [`Error::UnexpectedEnd`], the limits, and those of the endpoint. After an error the endpoint
    /// has lost its place.
    pub fn read<E: Endpoint + ?Sized>(mut endpoint: &mut E, limits: Limits) -> Result<Message<'static>> {
        let mut reader = Reader::from_endpoint(&mut endpoint, limits);
        let header = Header::read(&mut reader)?;
        let name = read_bytes(header.name_length(), &mut reader)?;
        let metadata = read_bytes(header.metadata_length(), &mut reader)?;
        let packed = read_bytes(header.packed_length()?, &mut reader)?;
        let message = Self::check(&header, &name, &metadata, Cow::Owned(packed), &mut reader);
        reader.finish();
        message.map(Message::into_owned)
    }

    /// Reads what stands behind the packed bytes, and checks the parts.
    fn check<'n>(
        header: &Header,
        name: &'n [u8],
        metadata: &[u8],
        packed: Cow<'n, [u8]>,
        reader: &mut Reader<'_>,
    ) -> Result<Message<'n>> {
        let mut segments = Vec::new();
        for _ in 0..header.segments {
            reader.charge(size_of::<SegmentEntry>())?;
            let entry = SegmentEntry::read(reader)?;
            segments
                .try_reserve(1)
                .map_err(|_| Error::OutOfMemory { bytes: size_of::<SegmentEntry>() as u64 })?;
            segments.push(entry);
        }
        let name = core::str::from_utf8(name).map_err(|_| MessageError::Name)?;
        let metadata = if metadata.is_empty() {
            Metadata::new()
        } else {
            crate::from_slice_with(metadata, reader.limits())?
        };
        Ok(Message { name: Cow::Borrowed(name), fingerprint: header.fingerprint, metadata, packed, segments })
    }

    /// The same message with memory of its own.
    #[must_use]
    pub fn into_owned(self) -> Message<'static> {
        Message {
            name: Cow::Owned(self.name.into_owned()),
            fingerprint: self.fingerprint,
            metadata: self.metadata,
            packed: Cow::Owned(self.packed.into_owned()),
            segments: self.segments,
        }
    }

    /// Name of the codec.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Fingerprint of the sender's schema.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// What travels with the value.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The packed bytes of the value.
    #[must_use]
    pub fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// What is said of the segments.
    #[must_use]
    pub fn segments(&self) -> &[SegmentEntry] {
        &self.segments
    }

    /// Decodes the value; its segments are with `endpoint`.
    ///
    /// # Errors
    ///
    /// Those of the codec, and [`MessageError::Unread`] if it leaves bytes.
    pub fn value<T: for<'de> Decode<'de>>(&self, endpoint: &mut dyn Endpoint, limits: Limits) -> Result<T> {
        self.decode(endpoint, limits, |reader| row::decode(reader))
    }

    /// Decodes the value with `decode`; its segments are with `endpoint`.
    ///
    /// # Errors
    ///
    /// Those of `decode`, and [`MessageError::Unread`] if it leaves bytes.
    pub fn decode<R>(
        &self,
        endpoint: &mut dyn Endpoint,
        limits: Limits,
        decode: impl FnOnce(&mut Reader<'_>) -> Result<R>,
    ) -> Result<R> {
        let mut segments = Renumbered { entries: &self.segments, endpoint };
        let mut reader = Reader::from_parts(&self.packed, &mut segments, limits);
        let value = decode(&mut reader)?;
        match reader.source.left() {
            0 => Ok(value),
            count => Err(MessageError::Unread { name: Box::from(&*self.name), count: count as u64 }.into()),
        }
    }
}

/// Finds the segments of a message among those of its endpoint.
struct Renumbered<'m> {
    entries: &'m [SegmentEntry],
    endpoint: &'m mut dyn Endpoint,
}

impl Endpoint for Renumbered<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.endpoint.write(bytes)
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.endpoint.read(bytes)
    }

    fn take_segment(&mut self, placement: Placement<'_>) -> Result<Segment> {
        let found = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let index = placement.index;
        let entry = self.entries.get(index as usize).ok_or(Error::NoSegment { index, found })?;
        if entry.length != placement.length {
            return Err(Error::SegmentLength { index, wanted: placement.length, found: entry.length });
        }
        let Placement { length, alignment, .. } = placement;
        let SegmentEntry { number, kind, ref descriptor, .. } = *entry;
        self.endpoint.take_segment(Placement { index: number, length, alignment, kind, descriptor })
    }
}

/// Writes a message and says how many bytes that took. Segments are attached to the endpoint, if it carries any.
///
/// # Errors
///
/// [`MessageError::Length`] for a name or metadata that do not fit the header; those of `encode` and of the
/// endpoint.
pub fn write<E: Endpoint + ?Sized>(
    name: &str,
    fingerprint: u64,
    metadata: &Metadata,
    endpoint: &mut E,
    encode: impl FnOnce(&mut Writer<'_>) -> Result<()>,
) -> Result<usize> {
    scratch(|gather| {
        *gather = Gather::with_capabilities(endpoint.capabilities()).with_memory_of(core::mem::take(gather));
        let mut header = Header::new(name, fingerprint)?;
        gather.write(&[0; HEADER])?;
        gather.write(name.as_bytes())?;
        if !metadata.is_empty() {
            header.metadata = Header::fit("metadata", crate::serialize(metadata, gather)?)?;
        }
        let mut writer = Writer::new(gather);
        encode(&mut writer)?;
        header.packed = writer.finish()? as u64;
        header.segments = Header::fit("the segment table", gather.segments().len())?;
        let (bytes, segments) = gather.parts_mut();
        bytes[..HEADER].copy_from_slice(&header.to_bytes());
        for segment in segments {
            let number = endpoint.attach(segment)?.ok_or(Error::NoSegment { index: 0, found: 0 })?;
            SegmentEntry {
                length: segment.length() as u64,
                number,
                kind: segment.kind(),
                alignment: segment.alignment() as u64,
                descriptor: segment.descriptor(),
            }
            .write(bytes)?;
        }
        endpoint.write(bytes)?;
        Ok(bytes.len())
    })
}

/// Reads bytes whose number the header claims.
fn read_bytes(count: usize, reader: &mut Reader<'_>) -> Result<Vec<u8>> {
    crate::raw::sequence::decode::<u8>(count, reader)
}

/// Lends the thread's scratch memory, which grows to what messages need, and is given back when it is large.
#[cfg(feature = "std")]
fn scratch<R>(work: impl FnOnce(&mut Gather) -> Result<R>) -> Result<R> {
    use core::cell::Cell;
    /// Scratch memory beyond this is not kept.
    const KEPT: usize = 1 << 20;
    std::thread_local! {
        static SCRATCH: Cell<Option<Gather>> = const { Cell::new(None) };
    }
    // A codec that writes a message of its own within this one finds the cell empty and takes fresh memory; so does
    // a thread whose locals are gone.
    let mut gather = SCRATCH.try_with(Cell::take).ok().flatten().unwrap_or_default();
    let result = work(&mut gather);
    gather.clear();
    if gather.capacity() <= KEPT {
        let _ = SCRATCH.try_with(|cell| cell.set(Some(gather)));
    }
    result
}

#[cfg(not(feature = "std"))]
fn scratch<R>(work: impl FnOnce(&mut Gather) -> Result<R>) -> Result<R> {
    work(&mut Gather::new())
}

impl From<MessageError> for Error {
    fn from(error: MessageError) -> Self {
        Self::Message(Box::new(error))
    }
}
