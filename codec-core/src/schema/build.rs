//! Reading a value whose Rust type nobody here has.
//!
//! The invariant: what is kept is charged to the reader's limit on bytes before it is kept, and elements of a fixed size
//! are checked before they are kept as bytes.

use alloc::vec::Vec;

use super::elements::{self, Elements};
use super::make::{self, Make};
use super::walk::walk;
use super::{Node, NodeId, Record, Schema, Value};
use crate::endpoint::Placement;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::raw::place;
use crate::reader::Reader;
use crate::segment::{MemoryKind, Segment};

impl Schema {
    /// Reads a value of the type that this schema describes.
    ///
    /// ```
    /// use podwire_codec_core::schema::Schema;
    /// use podwire_codec_core::{Reader, to_vec};
    ///
    /// let schema: Schema = "struct{sensor:text,gain:?f32}".parse()?;
    /// let bytes = to_vec(&("left", Some(0.5_f32)))?; // a tuple has the encoding of a struct
    /// let value = schema.decode(&mut Reader::from_slice(&bytes))?;
    /// assert_eq!(value.get("sensor").unwrap().as_str(), Some("left"));
    /// assert_eq!(value.to_string(), r#"{sensor: "left", gain: 0.5}"#);
    /// # Ok::<(), podwire_codec_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those that the type's codec would give, but for values that only the type knows to be none, such as a
    /// `NonZero` of 0 or a map with one key twice; and [`Error::Undescribed`] where a codec does not describe itself.
    /// [`Error::DepthLimit`] also where a value has more than 64 levels, of any kind, beside three for each container
    /// that [`Limits::depth`] allows: options, boxes, enums and structs within one another are levels here.
    pub fn decode(&self, reader: &mut Reader<'_>) -> Result<Value> {
        walk(self, self.root(), Build { memory: None }, reader)
    }

    /// The same, but elements of a fixed size that the reader takes from `memory` stay there, and keep it: nothing of them is
    /// copied. There they need not be aligned; see [`Elements::as_slice`](super::Elements::as_slice).
    ///
    /// ```
    /// use podwire_codec_core::schema::schema_of;
    /// use podwire_codec_core::{Reader, Segment, to_vec};
    ///
    /// let memory = Segment::from(to_vec(&vec![0.5_f32; 1_000])?);
    /// let value = schema_of::<Vec<f32>>().decode_sharing(&memory, &mut Reader::from_slice(memory.bytes()?))?;
    /// let samples = value.as_elements().unwrap();
    /// assert!(core::ptr::eq(samples.bytes().unwrap(), &memory.bytes()?[4..]));
    /// # Ok::<(), podwire_codec_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode).
    pub fn decode_sharing(&self, memory: &Segment, reader: &mut Reader<'_>) -> Result<Value> {
        walk(self, self.root(), Build { memory: Some(memory) }, reader)
    }

    /// Reads a value that fills `bytes`, under the default limits.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode), and [`Error::TrailingBytes`].
    pub fn from_slice(&self, bytes: &[u8]) -> Result<Value> {
        self.from_slice_with(bytes, Limits::DEFAULT)
    }

    /// Reads a value that fills `bytes`.
    ///
    /// # Errors
    ///
    /// As [`from_slice`](Self::from_slice).
    #[allow(clippy::wrong_self_convention, reason = "named as the functions that read a value of a type")]
    pub fn from_slice_with(&self, bytes: &[u8], limits: Limits) -> Result<Value> {
        let mut reader = Reader::from_slice_with(bytes, limits);
        let value = self.decode(&mut reader)?;
        match reader.source.left() {
            0 => Ok(value),
            count => Err(Error::TrailingBytes { offset: reader.offset(), count: count as u64 }),
        }
    }
}

/// Makes values.
pub(super) struct Build<'m> {
    /// Where elements of a fixed size can stay, if they are read from there.
    pub(super) memory: Option<&'m Segment>,
}

impl Build<'_> {
    /// The next bytes: where they lie, or a copy of them.
    fn take(&self, size: usize, reader: &mut Reader<'_>) -> Result<Segment> {
        let Some(memory) = self.memory else { return elements::read(size, reader) };
        let Some(bytes) = reader.try_borrow(size)? else { return elements::read(size, reader) };
        let whole = memory.bytes()?;
        let start = bytes.as_ptr().addr().checked_sub(whole.as_ptr().addr());
        let part = start.and_then(|start| memory.part(start..start.checked_add(size)?));
        match part {
            Some(part) => Ok(part),
            None => {
                reader.charge(size.saturating_add(elements::OWNER))?;
                elements::read(size, &mut Reader::from_slice_with(bytes, reader.limits()))
            }
        }
    }
}

impl Make for Build<'_> {
    type One = Value;
    type Many = Vec<Value>;
    type Entries = Vec<(Value, Value)>;

    fn scalar(&self, name: &'static str, bytes: &[u8], offset: u64) -> Result<Value> {
        scalar(name, bytes, offset)
    }

    fn text(&self, length: usize, reader: &mut Reader<'_>) -> Result<Value> {
        crate::raw::sequence::decode_string(length, reader).map(Value::Text)
    }

    fn heads(&self, of: make::Elements<'_>, bytes: &[u8], reader: &mut Reader<'_>) -> Result<Value> {
        let limits = reader.limits();
        reader.charge(bytes.len().saturating_add(elements::OWNER))?;
        let offset = reader.offset();
        check_all(of, bytes, offset)?;
        let memory = elements::read(bytes.len(), &mut Reader::from_slice_with(bytes, limits))?;
        Ok(Value::Elements(Elements::new(of, memory)))
    }

    fn elements(&self, of: make::Elements<'_>, size: usize, reader: &mut Reader<'_>) -> Result<Value> {
        let offset = reader.offset();
        let memory = self.take(size, reader)?;
        check_all(of, memory.bytes()?, offset)?;
        Ok(Value::Elements(Elements::new(of, memory)))
    }

    fn segment(&self, of: make::Elements<'_>, size: usize, reader: &mut Reader<'_>) -> Result<Value> {
        let index = reader.read_trivial_type()?;
        let (length, kind) = (size as u64, MemoryKind::HOST);
        let memory = reader.take_segment(Placement { index, length, alignment: 1, kind, descriptor: &[] })?;
        if memory.length() != size {
            let found = memory.length() as u64;
            return Err(Error::SegmentLength { index, wanted: length, found });
        }
        if let Ok(bytes) = memory.bytes() {
            check_all(of, bytes, reader.offset())?;
        }
        Ok(Value::Elements(Elements::new(of, memory)))
    }

    fn pod(&self, bytes: &[u8], reader: &mut Reader<'_>) -> Result<Value> {
        reader.charge(bytes.len())?;
        let mut copy = Vec::new();
        copy.try_reserve_exact(bytes.len()).map_err(|_| Error::OutOfMemory { bytes: bytes.len() as u64 })?;
        copy.extend_from_slice(bytes);
        Ok(Value::Pod(copy))
    }

    fn add(&self, many: &mut Vec<Value>, one: Value, left: usize, reader: &mut Reader<'_>) -> Result<()> {
        grow(many, left, reader)?;
        many.push(one);
        Ok(())
    }

    fn entry(
        &self,
        entries: &mut Vec<(Value, Value)>,
        key: Value,
        value: Value,
        left: usize,
        reader: &mut Reader<'_>,
    ) -> Result<()> {
        grow(entries, left, reader)?;
        entries.push((key, value));
        Ok(())
    }

    fn sequence(&self, many: Vec<Value>) -> Value {
        Value::Sequence(many)
    }

    fn map(&self, entries: Vec<(Value, Value)>) -> Value {
        Value::Map(entries)
    }

    fn option(&self, value: Option<Value>, reader: &mut Reader<'_>) -> Result<Value> {
        Ok(Value::Option(value.map(|value| place::boxed_value(value, reader)).transpose()?))
    }

    fn record(&self, schema: &Schema, id: NodeId, variant: Option<usize>, fields: Vec<Value>) -> Value {
        let record = Record::new(schema, id, variant, fields);
        if variant.is_some() { Value::Variant(record) } else { Value::Struct(record) }
    }

    fn passes(&self) -> Option<Value> {
        None
    }
}

/// Sees to it that one more fits, of at most `left`: charged, and by doubling.
fn grow<T>(many: &mut Vec<T>, left: usize, reader: &mut Reader<'_>) -> Result<()> {
    if many.len() < many.capacity() {
        return Ok(());
    }
    let more = many.len().max(4).min(left.max(1));
    let bytes = more.saturating_mul(size_of::<T>());
    reader.charge(bytes)?;
    many.try_reserve_exact(more).map_err(|_| Error::OutOfMemory { bytes: bytes as u64 })
}

/// A scalar from as many bytes as it has.
fn scalar(name: &'static str, bytes: &[u8], offset: u64) -> Result<Value> {
    let mut padded = [0; 16];
    let width = bytes.len().min(padded.len());
    padded[..width].copy_from_slice(&bytes[..width]);
    let bits = u128::from_le_bytes(padded);
    // The sign stands in the highest bit of the scalar's own width.
    let unused = 128 - 8 * width as u32;
    Ok(match name {
        "bool" if bits < 2 => Value::Bool(bits == 1),
        "char" => match char::from_u32(bits as u32) {
            Some(character) => Value::Char(character),
            None => return Err(Error::InvalidValue { offset, expected: "char", found: bits as u64 }),
        },
        "bool" => return Err(Error::InvalidValue { offset, expected: "bool", found: bits as u64 }),
        "f16" => Value::F32(half(bits as u16)),
        "bf16" => Value::F32(f32::from_bits((bits as u32) << 16)),
        "f32" => Value::F32(f32::from_bits(bits as u32)),
        "f64" => Value::F64(f64::from_bits(bits as u64)),
        signed if signed.starts_with('i') => {
            Value::Signed((bits.checked_shl(unused).unwrap_or(0) as i128) >> unused.min(127))
        }
        _ => Value::Unsigned(bits),
    })
}

/// A number of sixteen bits: one sign, five of the exponent, ten of the fraction. Every one of them is an `f32`.
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (u32::from(bits >> 10 & 0x1F), u32::from(bits & 0x3FF));
    let size = match exponent {
        // Below the smallest normal number the fraction counts in steps of 2^-24.
        0 => fraction as f32 * f32::from_bits(103 << 23),
        0x1F => f32::from_bits(0x7F80_0000 | fraction << 13),
        _ => f32::from_bits((exponent + 112) << 23 | fraction << 13),
    };
    f32::from_bits(size.to_bits() | u32::from(bits >> 15) << 31)
}

/// Refuses elements that have a bit pattern which their type has not.
fn check_all(of: make::Elements<'_>, bytes: &[u8], offset: u64) -> Result<()> {
    let shape = of.schema.shape(of.node);
    let Ok(size @ 1..) = shape.head else { return Ok(()) };
    if shape.plain {
        return Ok(());
    }
    for (index, element) in bytes.chunks_exact(size).enumerate() {
        check(of.schema, of.node, element, offset + (index * size) as u64)?;
    }
    Ok(())
}

/// The same for the head of one.
fn check(schema: &Schema, id: NodeId, bytes: &[u8], offset: u64) -> Result<()> {
    if schema.shape(id).plain {
        return Ok(());
    }
    match schema.node(id) {
        Node::Scalar(name) => scalar(name, bytes, offset).map(drop),
        Node::Array(element, _) => {
            let count = bytes.len();
            check_all(make::Elements { schema, node: *element, count }, bytes, offset)
        }
        Node::Struct(fields) => {
            let mut at = 0;
            for field in fields {
                let size = schema.shape(field.node).head.unwrap_or(0);
                let Some(part) = bytes.get(at..at + size) else { break };
                check(schema, field.node, part, offset + at as u64)?;
                at += size;
            }
            Ok(())
        }
        Node::Enum { .. } => {
            let mut tag = [0; 4];
            let width = bytes.len().min(tag.len());
            tag[..width].copy_from_slice(&bytes[..width]);
            let found = u32::from_le_bytes(tag);
            let known = schema.variant(id, found);
            known.map(drop).ok_or(Error::UnknownTag { offset, name: "the enum", found: found.into() })
        }
        _ => Ok(()),
    }
}
