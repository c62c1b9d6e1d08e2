//! What the tests of this folder share.

use std::fmt::Debug;

use podwire::{Codec, Decode, Encode, IoReader, SliceReader, SliceWriter, from_slice, serialize, to_vec};

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

/// As [`round`] for writing; what is read is for the caller to see.
#[track_caller]
pub(crate) fn borrowed<T: Encode>(value: &T) -> Vec<u8> {
    let bytes = to_vec(value).unwrap();
    assert_eq!(bytes.len(), podwire::encoded_len(value).unwrap());
    let mut memory = vec![0xAA; bytes.len()];
    serialize(value, &mut SliceWriter::new(&mut memory)).unwrap();
    assert_eq!(memory, bytes, "slice");
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
