//! Bytes that are cut, longer, flipped or random: an error or a value, for every type, and the same from every endpoint.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::mem::discriminant;

use super::MODEST;
use crate::common::{Chunks, Drip, Queue, Random, Visitor, visit};
use podwire_codec_core::{
    Buffer, Codec, Error, IoReader, Result, deserialize_with, encoded_len, from_prefix_with, from_slice,
    to_vec,
};

/// Bytes as a value of `T`, the way that all endpoints agree on: the value and how many bytes it took, or an error.
#[track_caller]
fn agreed<T: Codec>(bytes: &[u8]) -> Result<(T, usize)> {
    let found = from_prefix_with::<T>(bytes, MODEST).map(|(value, rest)| (value, bytes.len() - rest.len()));
    let used = found.as_ref().ok().map(|(_, used)| *used);
    let ended = matches!(found, Err(Error::UnexpectedEnd { .. }));
    let kind = found.as_ref().err().map(discriminant);
    // A slice sees at once that a claim is not backed. A stream cannot know that: it may meet another error before.
    let same = |error: Option<&Error>| error.map(discriminant) == kind || ended && error.is_some();

    let mut reader = IoReader(bytes);
    let streamed = deserialize_with::<T, _>(&mut reader, MODEST);
    assert!(same(streamed.as_ref().err()), "a stream says {:?}", streamed.err());
    if let Some(used) = used {
        assert_eq!(bytes.len() - reader.0.len(), used, "a stream takes as much as a slice");
    }
    let mut buffer = Buffer::from(bytes.to_vec());
    let buffered = deserialize_with::<T, _>(&mut buffer, MODEST);
    assert!(same(buffered.as_ref().err()), "a buffer says {:?}", buffered.err());
    if let Some(used) = used {
        assert_eq!(bytes.len() - buffer.as_slice().len(), used, "a buffer takes as much as a slice");
    }
    let mut chunks = Chunks { rest: bytes, window: 5 };
    let chunked = deserialize_with::<T, _>(&mut chunks, MODEST);
    assert!(same(chunked.as_ref().err()), "windows of 5 bytes say {:?}", chunked.err());
    found
}

/// What the bytes make must be an error, or a value that has exactly these bytes.
#[track_caller]
fn error_or_value<T: Codec>(bytes: &[u8], canonical: bool) {
    let Ok((value, used)) = agreed::<T>(bytes) else { return };
    let again = to_vec(&value).unwrap();
    assert_eq!(again.len(), used, "the value takes as many bytes as it was read from");
    if canonical {
        assert_eq!(again, bytes[..used], "the value has the bytes that it was read from");
    }
    // Whatever order a map had: from here on its bytes are stable, or it is a hash map.
    let (value, _) = agreed::<T>(&again).unwrap();
    assert_eq!(encoded_len(&value).unwrap(), used);
}

/// Runs a generic function over the zoo.
macro_rules! for_all_types {
    (|$bytes:ident, $name:ident, $canonical:ident, $type:ident| $body:block) => {{
        struct Look;
        impl Visitor for Look {
            fn look<$type: Codec + PartialEq + Debug>(
                &mut self,
                $name: &str,
                value: $type,
                $canonical: bool,
            ) {
                let $bytes = to_vec(&value).unwrap();
                $body
            }
        }
        visit(&mut Look);
    }};
}

#[test]
fn case_01_empty_input_is_an_error_at_byte_0() {
    for_all_types!(|bytes, name, _canonical, T| {
        match from_slice::<T>(&[]) {
            Ok(_) => assert!(bytes.is_empty(), "{name}"),
            Err(error) => {
                assert!(
                    matches!(error, Error::UnexpectedEnd { offset: 0, found: 0, .. }),
                    "{name}: {error:?}"
                );
            }
        }
    });
}

#[test]
fn case_02_every_proper_prefix_ends_unexpectedly_where_it_ends() {
    for_all_types!(|bytes, name, _canonical, T| {
        for length in 0..bytes.len() {
            let prefix = &bytes[..length];
            let error = from_slice::<T>(prefix).unwrap_err();
            let Error::UnexpectedEnd { offset, wanted, found } = error else {
                panic!("{name}, {length} bytes: {error:?}")
            };
            assert_eq!(offset + found, length as u64, "{name}, {length} bytes: {error:?}");
            assert!(wanted > found, "{name}, {length} bytes: {error:?}");
            agreed::<T>(prefix).err().unwrap();
            for error in [
                T::deserialize(&mut IoReader(Drip::new(prefix))).unwrap_err(),
                T::deserialize(&mut Queue::from(prefix)).unwrap_err(),
            ] {
                let Error::UnexpectedEnd { offset, wanted, found } = error else {
                    panic!("{name}, {length} bytes: {error:?}")
                };
                assert_eq!(offset + found, length as u64, "{name}, {length} bytes, stream: {error:?}");
                assert!(wanted > found, "{name}, {length} bytes, stream: {error:?}");
            }
        }
    });
}

#[test]
fn case_03_trailing_bytes_are_counted() {
    for_all_types!(|bytes, name, _canonical, T| {
        for count in [1, 2, 40] {
            let more = [&bytes[..], &vec![0; count]].concat();
            let error = from_slice::<T>(&more).unwrap_err();
            let (end, count) = (bytes.len() as u64, count as u64);
            let right = matches!(error, Error::TrailingBytes { offset, count: found } if (offset, found) == (end, count));
            assert!(right, "{name}: {error:?}");
        }
    });
}

#[test]
fn case_04_every_flipped_bit_gives_an_error_or_a_value() {
    for_all_types!(|bytes, _name, canonical, T| {
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            error_or_value::<T>(&bytes, canonical);
            bytes.extend([0, 1, 0xFF]);
            error_or_value::<T>(&bytes, canonical);
        }
    });
}

#[test]
fn case_05_every_byte_set_to_the_extremes_gives_an_error_or_a_value() {
    for_all_types!(|bytes, _name, canonical, T| {
        for at in 0..bytes.len() {
            for extreme in [0x00, 0x7F, 0x80, 0xFF] {
                let mut bytes = bytes.clone();
                bytes[at] = extreme;
                error_or_value::<T>(&bytes, canonical);
                bytes[at..].fill(extreme);
                error_or_value::<T>(&bytes, canonical);
            }
        }
    });
}

#[test]
fn case_04_random_bytes_give_an_error_or_a_value() {
    for_all_types!(|bytes, _name, canonical, T| {
        let mut random = Random(bytes.len() as u64 + 1);
        for _ in 0..if cfg!(miri) { 1 } else { 20 } {
            let length = random.below(40);
            let mut noise = random.bytes(length);
            error_or_value::<T>(&noise, canonical);
            // Mostly small numbers, so that lengths and tags are often right.
            noise.iter_mut().for_each(|byte| *byte %= 3);
            error_or_value::<T>(&noise, canonical);
        }
    });
}

#[test]
fn case_38_a_value_has_one_encoding() {
    for_all_types!(|bytes, name, canonical, T| {
        let again = to_vec(&from_slice::<T>(&bytes).unwrap()).unwrap();
        assert!(!canonical || again == bytes, "{name}");
        let stable = to_vec(&from_slice::<T>(&again).unwrap()).unwrap();
        assert!(!canonical || stable == again, "{name}");
    });
    // A sorted map puts in order what it was given.
    let unsorted = crate::common::hex("02000000  04 05  01 02");
    let sorted = to_vec(&from_slice::<BTreeMap<u8, u8>>(&unsorted).unwrap()).unwrap();
    assert_eq!(sorted, crate::common::hex("02000000  01 02  04 05"));
}
