//! Messages: section 3 of the page.

use super::schema::{self, Type};
use super::value::{self, Value};
use super::{Input, No, crc32c};

/// What a message consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'m> {
    /// The codec's name.
    pub name: &'m str,
    /// Of the value's schema.
    pub fingerprint: u64,
    /// Keys and values.
    pub metadata: Vec<(String, Vec<u8>)>,
    /// The encoding of the value.
    pub packed: &'m [u8],
    /// Length, number, kind, alignment and descriptor of each segment.
    pub segments: Vec<(u64, u64, u64, u64, &'m [u8])>,
    /// The text of the schema, which nobody has looked at.
    pub schema: Option<&'m [u8]>,
    /// What follows the message.
    pub rest: &'m [u8],
}

/// The message at the front of the bytes.
///
/// # Errors
/// Why there is none.
pub fn read(bytes: &[u8]) -> Result<Message<'_>, No> {
    let mut input = Input(bytes);
    if input.take(4)? != b"PODW" || input.number(1)? != 1 {
        return Err(No::Wrong);
    }
    let flags = input.number(1)?;
    if flags & 0b1100 != 0 {
        return Err(No::Wrong);
    }
    let name = input.number(2)?;
    if name == 0 || name > 255 {
        return Err(No::Wrong);
    }
    let fingerprint = input.number(8)?;
    let (packed, segments, metadata) = (input.number(8)?, input.number(4)?, input.number(4)?);
    let name = core::str::from_utf8(input.take(name)?).map_err(|_| No::Wrong);
    let metadata = input.take(metadata)?;
    let packed = input.take(packed)?;
    let mut table = Vec::new();
    for _ in 0..segments {
        let (length, number, kind) = (input.number(8)?, input.number(4)?, input.number(2)?);
        let (alignment, descriptor) = (input.number(1)?, input.number(1)?);
        if alignment > 63 || descriptor > 128 {
            return Err(No::Wrong);
        }
        table.push((length, number, kind, alignment, input.take(descriptor)?));
    }
    let schema = if flags & 2 == 0 {
        None
    } else {
        let length = input.number(4)?;
        Some(input.take(length)?)
    };
    if flags & 1 == 1 {
        let sum = crc32c(&bytes[..bytes.len() - input.0.len()]);
        if input.number(4)? != u64::from(sum) {
            return Err(No::Wrong);
        }
    }
    let metadata = entries(metadata)?;
    Ok(Message { name: name?, fingerprint, metadata, packed, segments: table, schema, rest: input.0 })
}

/// Nothing, or a map from text to byte sequences.
fn entries(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, No> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let bytes_of = Type::Sequence(Box::new(Type::Scalar("u8")));
    let (map, mut input) = (Type::Map(Box::new(Type::Text), Box::new(bytes_of)), Input(bytes));
    let value = value::read(&map, &mut input)?;
    let (Value::Map(entries), true) = (&value, input.0.is_empty()) else { return Err(No::Wrong) };
    if value::has_a_key_twice(&value) {
        return Err(No::Wrong);
    }
    let byte = |value: &Value| if let Value::Scalar(bits) = value { *bits as u8 } else { 0 };
    let entry = |(key, value): &(Value, Value)| match (key, value) {
        (Value::Text(key), Value::Many(bytes)) => (key.clone(), bytes.iter().map(byte).collect()),
        _ => unreachable!("the type says what they are"),
    };
    let mut entries: Vec<_> = entries.iter().map(entry).collect();
    entries.sort();
    Ok(entries)
}

/// Whether the schema in a message is the one that it names.
#[must_use]
pub fn has_its_schema(message: &Message<'_>) -> bool {
    let text = message.schema.and_then(|text| core::str::from_utf8(text).ok());
    text.is_some_and(|text| schema::parse(text).is_some() && schema::fingerprint(text) == message.fingerprint)
}
