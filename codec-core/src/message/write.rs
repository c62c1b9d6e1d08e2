//! Writing a message.
//!
//! The invariant: an endpoint gets a message whole, in one write, or not at all.

use super::header::{CHECKSUM, HEADER, Header, SCHEMA};
use super::{Metadata, SegmentEntry, checksum};
use crate::endpoint::{Endpoint, Gather};
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::writer::Writer;

/// What goes into a message beside its value.
///
/// ```
/// use podwire_codec_core::message::{self, Message, Options};
/// use podwire_codec_core::{Buffer, Limits, schema::schema_of};
///
/// let options = Options { checksum: true, schema: true, ..Options::default() };
/// let mut file = Buffer::new();
/// message::write_with("answer", &schema_of::<u32>(), options, &mut file, |writer| writer.encode(&42_u32))?;
///
/// // A reader that has never heard of the type:
/// let message = Message::read(&mut file, Limits::default())?; // the checksum is right
/// let schema = message.schema()?.expect("it was asked for");
/// let value = message.decode(&mut file, Limits::default(), |reader| schema.decode(reader))?;
/// assert_eq!(value.as_u64(), Some(42));
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'o> {
    /// What travels with the value.
    pub metadata: Option<&'o Metadata>,
    /// A checksum (CRC-32C) of the whole message at its end: for files and for networks without one of their own.
    pub checksum: bool,
    /// The schema's text, so that the message can be read by those who know nothing of it: for files that stand alone.
    pub schema: bool,
}

/// Writes a message and says how many bytes that took. Segments are attached to the endpoint, if it carries any.
///
/// # Errors
///
/// [`MessageError::Length`](super::MessageError::Length) for a name or metadata that do not fit the header; those of
/// `encode` and of the endpoint.
pub fn write<E: Endpoint + ?Sized>(
    name: &str,
    fingerprint: u64,
    metadata: &Metadata,
    endpoint: &mut E,
    encode: impl FnOnce(&mut Writer<'_>) -> Result<()>,
) -> Result<usize> {
    let options = Options { metadata: Some(metadata), ..Options::default() };
    write_message(name, fingerprint, None, options, endpoint, encode)
}

/// [`write()`], with what else is asked for.
///
/// # Errors
///
/// As [`write()`], and [`MessageError::NoChecksums`](super::MessageError::NoChecksums).
pub fn write_with<E: Endpoint + ?Sized>(
    name: &str,
    schema: &Schema,
    options: Options<'_>,
    endpoint: &mut E,
    encode: impl FnOnce(&mut Writer<'_>) -> Result<()>,
) -> Result<usize> {
    let text = options.schema.then(|| schema.text());
    write_message(name, schema.fingerprint(), text, options, endpoint, encode)
}

fn write_message<E: Endpoint + ?Sized>(
    name: &str,
    fingerprint: u64,
    schema: Option<&str>,
    options: Options<'_>,
    endpoint: &mut E,
    encode: impl FnOnce(&mut Writer<'_>) -> Result<()>,
) -> Result<usize> {
    scratch(|gather| {
        gather.begin(endpoint.capabilities());
        let mut header = Header::new(name, fingerprint)?;
        gather.write(&[0; HEADER])?;
        gather.write(name.as_bytes())?;
        if let Some(metadata) = options.metadata.filter(|metadata| !metadata.is_empty()) {
            header.metadata = Header::fit("metadata", crate::serialize(metadata.entries(), gather)?)?;
        }
        let mut writer = Writer::new(gather);
        encode(&mut writer)?;
        header.packed = writer.finish()? as u64;
        header.segments = Header::fit("the segment table", gather.segments().len())?;
        header.flags |= if schema.is_some() { SCHEMA } else { 0 };
        header.flags |= if options.checksum { CHECKSUM } else { 0 };
        let (bytes, segments) = gather.parts_mut();
        bytes[..HEADER].copy_from_slice(&header.to_bytes());
        for segment in segments {
            let number = endpoint.attach(segment)?.ok_or_else(|| Error::NoSegment { index: 0, found: 0 })?;
            SegmentEntry {
                length: segment.length() as u64,
                number,
                kind: segment.kind(),
                alignment: segment.alignment() as u64,
                descriptor: segment.descriptor(),
            }
            .write(bytes)?;
        }
        if let Some(text) = schema {
            bytes.extend(Header::fit("the schema", text.len())?.to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        if options.checksum {
            let sum = checksum::append(0, bytes)?;
            bytes.extend(sum.to_le_bytes());
        }
        endpoint.write(bytes)?;
        Ok(bytes.len())
    })
}

/// Lends the thread's scratch memory, which grows to what messages need, and is given back when it is large.
#[cfg(feature = "std")]
fn scratch<R>(work: impl FnOnce(&mut Gather) -> Result<R>) -> Result<R> {
    use core::cell::Cell;
    /// Scratch memory beyond this is not kept.
    const KEPT: usize = 1 << 20;
    std::thread_local! {
        /// In a box, which is quicker to take and to give back.
        static SCRATCH: Cell<Option<Box<Gather>>> = const { Cell::new(None) };
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
