//! What the tests of this folder share.

use std::fmt::Debug;

use podwire::schema::{Schema, Value, schema_of};
use podwire::{
    Codec, Decode, Encode, Error, IoReader, Limits, Reader, SliceReader, SliceWriter, from_slice, serialize,
    to_vec,
};

/// What is known of a type at compile time.
pub(crate) fn facts<T: Encode>() -> podwire::__private::Facts {
    T::LAYOUT.facts()
}

/// The value has these bytes, comes back from them through every kind of input, and from no part of them.
#[track_caller]
pub(crate) fn golden<T: Codec + PartialEq + Debug>(value: &T, bytes: &[u8]) {
    assert_eq!(to_vec(value).unwrap(), bytes);
    round(value);
}

/// The value comes back through every kind of input, and from no part of its bytes.
#[track_caller]
pub(crate) fn round<T: Codec + PartialEq + Debug>(value: &T) {
    let bytes = borrowed::<T>(value);
    assert_eq!(from_slice::<T>(&bytes).unwrap(), *value);
    assert_eq!(T::deserialize(&mut SliceReader::new(&bytes)).unwrap(), *value, "endpoint");
    assert_eq!(T::deserialize(&mut IoReader(&bytes[..])).unwrap(), *value, "stream");
    for length in 0..bytes.len() {
        assert!(from_slice::<T>(&bytes[..length]).is_err(), "a prefix of {length} bytes is no value");
        assert!(T::deserialize(&mut IoReader(&bytes[..length])).is_err(), "{length} bytes of a stream");
    }
}

/// The schema of the type can be read back, and is enough to read the bytes of a value, from every kind of input, unless a
/// codec in it does not describe itself.
#[track_caller]
pub(crate) fn described<T: Encode>(bytes: &[u8]) -> Option<Value> {
    let schema = schema_of::<T>();
    assert_eq!(schema.to_string().parse::<Schema>().unwrap(), schema);
    let mut stream = IoReader(bytes);
    let mut stream = Reader::from_endpoint(&mut stream, Limits::default());
    let streamed = schema.decode(&mut stream);
    let mut skipped = Reader::from_slice(bytes);
    let skip = schema.skip(&mut skipped);
    match schema.from_slice(bytes) {
        Ok(value) => {
            assert_eq!(streamed.unwrap().to_string(), value.to_string(), "from a stream, {schema}");
            skip.unwrap();
            assert_eq!(skipped.offset(), bytes.len() as u64, "skipped, {schema}");
            Some(value)
        }
        Err(Error::Undescribed { .. }) => {
            assert!(schema.text().contains("opaque"), "{schema}");
            assert!(matches!(streamed, Err(Error::Undescribed { .. })));
            assert!(matches!(skip, Err(Error::Undescribed { .. })));
            None
        }
        Err(error) => panic!("{schema}: {error}"),
    }
}

/// As [`round`] for writing; what is read is for the caller to see.
#[track_caller]
pub(crate) fn borrowed<T: Encode>(value: &T) -> Vec<u8> {
    let bytes = to_vec(value).unwrap();
    assert_eq!(bytes.len(), podwire::encoded_len(value).unwrap());
    let mut memory = vec![0xAA; bytes.len()];
    serialize(value, &mut SliceWriter::new(&mut memory)).unwrap();
    assert_eq!(memory, bytes, "slice");
    described::<T>(&bytes);
    for length in 0..bytes.len() {
        assert!(serialize(value, &mut SliceWriter::new(&mut memory[..length])).is_err(), "room for {length}");
    }
    bytes
}

/// The value comes back from a slice, which it may borrow from.
#[track_caller]
pub(crate) fn round_borrowed<'de, T: Decode<'de> + PartialEq + Debug>(value: &T, bytes: &'de [u8]) {
    assert_eq!(borrowed(value), bytes);
    assert_eq!(from_slice::<T>(bytes).unwrap(), *value);
    for length in 0..bytes.len() {
        assert!(from_slice::<T>(&bytes[..length]).is_err(), "a prefix of {length} bytes is no value");
    }
}
