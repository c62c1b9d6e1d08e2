//! The fixed part of a message.

use super::MessageError;
use crate::error::Result;
use crate::reader::Reader;

/// How every message begins.
pub const MAGIC: [u8; 4] = *b"PODW";
/// The version that this build writes, and the only one that it reads.
pub const VERSION: u8 = 1;
/// Bytes of the fixed part.
pub const HEADER: usize = 32;
/// Flag: a checksum stands at the end.
pub(super) const CHECKSUM: u8 = 1;
/// Flag: the schema's text stands behind the segment table.
pub(super) const SCHEMA: u8 = 2;
/// Flags that a reader must know, or else refuse the message. It ignores the others where it does not know them.
const BINDING: u8 = 0x0F;
/// The longest codec name in bytes.
const NAME: usize = 255;

/// The fixed part of a message, as `docs/wire-format.md` lays it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Which parts there are that not every message has.
    pub flags: u8,
    /// Length of the codec's name in bytes.
    pub name: u16,
    /// Fingerprint of the sender's schema.
    pub fingerprint: u64,
    /// Length of the packed bytes.
    pub packed: u64,
    /// Number of segments.
    pub segments: u32,
    /// Length of the metadata in bytes.
    pub metadata: u32,
}

impl Header {
    /// The header of a message with nothing in it yet.
    pub(super) fn new(name: &str, fingerprint: u64) -> Result<Self> {
        let length = name.len();
        match u16::try_from(length) {
            Ok(name) if (1..=NAME).contains(&length) => {
                Ok(Self { flags: 0, name, fingerprint, packed: 0, segments: 0, metadata: 0 })
            }
            _ => Err(MessageError::Length { what: "the codec name", found: length as u64 }.into()),
        }
    }

    /// A length that has to fit a field of four bytes.
    pub(super) fn fit(what: &'static str, length: usize) -> Result<u32> {
        u32::try_from(length).map_err(|_| MessageError::Length { what, found: length as u64 }.into())
    }

    /// The bytes of the header.
    #[must_use]
    pub fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = VERSION;
        bytes[5] = self.flags;
        bytes[6..8].copy_from_slice(&self.name.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.fingerprint.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.packed.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.segments.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.metadata.to_le_bytes());
        bytes
    }

    /// The header that these bytes are, if all that it speaks of are a name and packed bytes.
    pub(super) fn plain(bytes: &[u8; HEADER]) -> Option<Self> {
        let number = |at: usize| bytes[at..].first_chunk().map(|number| u64::from_le_bytes(*number));
        let (first, fingerprint, packed) = (number(0)?, number(8)?, number(16)?);
        let name = (first >> 48) as u16;
        let plain = first as u32 == u32::from_le_bytes(MAGIC)
            && (first >> 32) as u16 == VERSION.into()
            && (1..=NAME).contains(&name.into())
            && number(24)? == 0;
        plain.then_some(Self { flags: 0, name, fingerprint, packed, segments: 0, metadata: 0 })
    }

    /// Reads a header and checks what can be checked without the rest.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let found: [u8; 4] = reader.read_trivial_type()?;
        if found != MAGIC {
            return Err(MessageError::Magic { found }.into());
        }
        let found: u8 = reader.read_trivial_type()?;
        if found != VERSION {
            return Err(MessageError::Version { found, known: VERSION }.into());
        }
        let flags: u8 = reader.read_trivial_type()?;
        if flags & BINDING & !(CHECKSUM | SCHEMA) != 0 {
            return Err(MessageError::Flags { found: flags }.into());
        }
        let header = Self {
            flags,
            name: reader.read_trivial_type()?,
            fingerprint: reader.read_trivial_type()?,
            packed: reader.read_trivial_type()?,
            segments: reader.read_trivial_type()?,
            metadata: reader.read_trivial_type()?,
        };
        if !(1..=NAME).contains(&header.name_length()) {
            let found = header.name.into();
            return Err(MessageError::Length { what: "the codec name", found }.into());
        }
        Ok(header)
    }

    pub(super) fn name_length(&self) -> usize {
        self.name.into()
    }

    pub(super) fn metadata_length(&self) -> usize {
        self.metadata as usize
    }

    pub(super) fn packed_length(&self) -> Result<usize> {
        let length = usize::try_from(self.packed).ok().filter(|length| isize::try_from(*length).is_ok());
        length.ok_or_else(|| MessageError::Length { what: "the packed value", found: self.packed }.into())
    }
}
