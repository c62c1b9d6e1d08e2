//! One envelope for Fast I/O and transports: which codec, which schema, the packed bytes, the segments.
//!
//! The bytes are specified in `docs/wire-format.md`. The invariant: a [`Message`] was checked as a whole; its parts
//! lie within the bytes that it was made from, and no claim of its header was believed before that.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::decode::Decode;
use crate::endpoint::Endpoint;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::raw::row;
use crate::reader::Reader;
use crate::schema::Schema;

mod checksum;
mod error;
mod header;
mod metadata;
mod segments;
mod write;

pub use error::MessageError;
pub use header::{HEADER, Header, MAGIC, VERSION};
pub use metadata::Metadata;
pub use segments::SegmentEntry;
pub use write::{Options, write, write_with};

use header::{CHECKSUM, SCHEMA};
use segments::Renumbered;

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
    schema: Option<Cow<'m, [u8]>>,
}

impl<'m> Message<'m> {
    /// The message at the front of `bytes`, which it borrows, and the rest of them.
    ///
    /// # Errors
    ///
    /// [`Error::Message`] and [`Error::UnexpectedEnd`].
    pub fn parse(bytes: &'m [u8], limits: Limits) -> Result<(Self, &'m [u8])> {
        if let Some(found) = Self::parse_short(bytes) {
            return Ok(found);
        }
        let mut reader = Reader::from_slice_with(bytes, limits);
        let parts = Parts::read(&mut reader, |count, reader| reader.borrow(count).map(Cow::Borrowed))?;
        let message = parts.check(reader.limits())?;
        let used = usize::try_from(reader.offset()).unwrap_or(usize::MAX);
        Ok((message, &bytes[used..]))
    }

    /// A message that is a name and packed bytes and nothing else, as short ones are, in few instructions; `None` for any other,
    /// and for what is none.
    fn parse_short(bytes: &'m [u8]) -> Option<(Self, &'m [u8])> {
        let (head, rest) = bytes.split_first_chunk::<HEADER>()?;
        let header = Header::plain(head)?;
        let (name, rest) = rest.split_at_checked(header.name_length())?;
        let (packed, rest) = rest.split_at_checked(header.packed_length().ok()?)?;
        let name = Cow::Borrowed(core::str::from_utf8(name).ok()?);
        let (packed, metadata) = (Cow::Borrowed(packed), Metadata::new());
        let fingerprint = header.fingerprint;
        Some((Self { name, fingerprint, metadata, packed, segments: Vec::new(), schema: None }, rest))
    }

    /// The next message of an endpoint, and no byte beyond it.
    ///
    /// # Errors
    ///
    /// [`Error::Message`], [`Error::UnexpectedEnd`], the limits, and those of the endpoint. After an error of a part
    /// whose length is known, such as a wrong [checksum](MessageError::Checksum), the message was taken whole; after
    /// any other the endpoint has lost its place.
    pub fn read<E: Endpoint + ?Sized>(mut endpoint: &mut E, limits: Limits) -> Result<Message<'static>> {
        let mut reader = Reader::from_endpoint(&mut endpoint, limits);
        let parts = Parts::read(&mut reader, |count, reader| {
            crate::raw::sequence::decode::<u8>(count, reader).map(Cow::Owned)
        })?;
        let limits = reader.limits();
        reader.finish();
        parts.check(limits)
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
            schema: self.schema.map(|schema| Cow::Owned(schema.into_owned())),
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

    /// The same, where nothing else is needed any more.
    #[must_use]
    pub fn into_metadata(self) -> Metadata {
        self.metadata
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

    /// The schema of the value, if the message has it in it.
    ///
    /// # Errors
    ///
    /// [`MessageError::WrongSchema`] if it is not the one of the [fingerprint](Self::fingerprint);
    /// [`Error::InvalidUtf8`], [`Error::Schema`]; [`Error::ByteLimit`] for a text of more than 4 MiB, which could come to
    /// more memory than the default limit.
    pub fn schema(&self) -> Result<Option<Schema>> {
        let Some(text) = &self.schema else { return Ok(None) };
        let length = text.len() as u64;
        let (wanted, left) = (length.saturating_mul(Schema::MEMORY as u64), Limits::DEFAULT.bytes);
        if wanted > left {
            return Err(Error::ByteLimit { offset: 0, wanted, left });
        }
        let text = core::str::from_utf8(text).map_err(|error| Error::InvalidUtf8 {
            offset: length,
            length,
            valid: error.valid_up_to() as u64,
        })?;
        let schema: Schema = text.parse()?;
        match schema.fingerprint() {
            found if found == self.fingerprint => Ok(Some(schema)),
            found => Err(MessageError::WrongSchema { expected: self.fingerprint, found }.into()),
        }
    }

    /// Bytes of the schema's text that is in it.
    #[cfg(feature = "std")]
    pub(crate) fn schema_length(&self) -> usize {
        self.schema.as_ref().map_or(0, |text| text.len())
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

/// What a message consists of, before any of it is believed.
struct Parts<'m> {
    header: Header,
    name: Cow<'m, [u8]>,
    metadata: Cow<'m, [u8]>,
    packed: Cow<'m, [u8]>,
    segments: Vec<SegmentEntry>,
    schema: Option<Cow<'m, [u8]>>,
    checksum: Option<u32>,
}

impl<'m> Parts<'m> {
    /// Reads all parts; `take` takes so many bytes.
    fn read<'r>(
        reader: &mut Reader<'r>,
        take: impl Fn(usize, &mut Reader<'r>) -> Result<Cow<'m, [u8]>>,
    ) -> Result<Self> {
        let header = Header::read(reader)?;
        let name = take(header.name_length(), reader)?;
        let metadata = take(header.metadata_length(), reader)?;
        let packed = take(header.packed_length()?, reader)?;
        let mut segments = Vec::new();
        for _ in 0..header.segments {
            reader.charge(size_of::<SegmentEntry>())?;
            let entry = SegmentEntry::read(reader)?;
            segments
                .try_reserve(1)
                .map_err(|_| Error::OutOfMemory { bytes: size_of::<SegmentEntry>() as u64 })?;
            segments.push(entry);
        }
        let schema = if header.flags & SCHEMA == 0 {
            None
        } else {
            let length: u32 = reader.read_trivial_type()?;
            Some(take(length as usize, reader)?)
        };
        let checksum = if header.flags & CHECKSUM == 0 { None } else { Some(reader.read_trivial_type()?) };
        Ok(Self { header, name, metadata, packed, segments, schema, checksum })
    }

    /// Checks the parts, the checksum first.
    fn check(self, limits: Limits) -> Result<Message<'m>> {
        if let Some(found) = self.checksum {
            let expected = self.sum()?;
            if expected != found {
                return Err(MessageError::Checksum { expected, found }.into());
            }
        }
        let name = match self.name {
            Cow::Borrowed(name) => core::str::from_utf8(name).map(Cow::Borrowed).ok(),
            Cow::Owned(name) => String::from_utf8(name).map(Cow::Owned).ok(),
        };
        Ok(Message {
            name: name.ok_or(MessageError::Name)?,
            fingerprint: self.header.fingerprint,
            metadata: Metadata::parse(&self.metadata, limits)?,
            packed: self.packed,
            segments: self.segments,
            schema: self.schema,
        })
    }

    /// The checksum that the message should have: of all its bytes, which its parts are written as.
    fn sum(&self) -> Result<u32> {
        let mut sum = 0;
        let mut add = |bytes: &[u8]| -> Result<()> {
            sum = checksum::append(sum, bytes)?;
            Ok(())
        };
        add(&self.header.to_bytes())?;
        add(&self.name)?;
        add(&self.metadata)?;
        add(&self.packed)?;
        let mut table = Vec::new();
        for segment in &self.segments {
            table.clear();
            segment.write(&mut table)?;
            add(&table)?;
        }
        if let Some(text) = &self.schema {
            add(&Header::fit("the schema", text.len())?.to_le_bytes())?;
            add(text)?;
        }
        Ok(sum)
    }
}

impl From<MessageError> for Error {
    fn from(error: MessageError) -> Self {
        Self::Message(Box::new(error))
    }
}
