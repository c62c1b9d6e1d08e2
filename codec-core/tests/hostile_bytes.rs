//! Hostile bytes for single values: section A of the list of hostile cases, except for memory (`allocation.rs`) and
//! panics (`panics.rs`). `docs/hostile-cases.md` maps each number to its tests.

mod common;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Debug;
use std::hash::{BuildHasherDefault, Hasher};
use std::mem::discriminant;

use common::{Chunks, Drip, List, Queue, Random, Rogue, Stingy, Tree, Visitor, visit};
use podwire_codec_core::{
    Buffer, Bulk, Codec, Encode, EndpointExt, Error, IoReader, IoWriter, Limits, Reader, Result, SliceWriter,
    deserialize_with, encoded_len, from_prefix_with, from_slice, from_slice_with, serialize, to_vec,
};

/// Limits under which a claim of a million elements costs no time.
const MODEST: Limits = Limits { bytes: 1 << 20, items: 1_000, depth: 128 };

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

/// The limits that let a length through to the check that is behind them.
const BOUNDLESS: Limits = Limits { bytes: u64::MAX, items: u64::MAX, depth: 128 };

#[test]
fn case_06_the_largest_length_in_a_short_input_is_an_error() {
    let bytes = [&[0xFF; 4][..], &[0xFF; 8]].concat();
    macro_rules! refuse {
        ($($type:ty)+) => {$(
            let error = from_slice::<$type>(&bytes).unwrap_err();
            assert!(
                matches!(error, Error::InvalidLength { offset: 12, found: u64::MAX }),
                "{}: {error:?}", stringify!($type)
            );
        )+};
    }
    refuse!(String &str Cow<'_, str> Box<str> Vec<u8> &[u8] &[u64] Cow<'_, [u32]> Vec<()> Vec<String> Vec<Vec<u8>>);
    refuse!(BTreeMap<u8, u8> HashMap<String, u8> BTreeSet<u8> HashSet<()> Box<[u64]>);
}

#[test]
fn case_06_the_largest_short_length_ends_unexpectedly() {
    let bytes = (u32::MAX - 1).to_le_bytes();
    macro_rules! refuse {
        ($($type:ty)+) => {$(
            let error = from_slice_with::<$type>(&bytes, BOUNDLESS).unwrap_err();
            assert!(
                matches!(error, Error::UnexpectedEnd { offset: 4, found: 0, .. }),
                "{}: {error:?}", stringify!($type)
            );
            // The default limits may speak first, for a type that grows while it is decoded.
            from_slice::<$type>(&bytes).unwrap_err();
        )+};
    }
    refuse!(String &str Cow<'_, str> Box<str> Vec<u8> &[u8] &[u64] Cow<'_, [u32]> Vec<u128> Vec<bool> Vec<String>);
    refuse!(Vec<Vec<u8>> BTreeMap<u8, u8> HashMap<String, u8> BTreeSet<u8> Box<[u64]> Vec<[u64; 1000]>);
}

#[test]
fn case_07_a_length_over_isize_max_is_invalid() {
    for length in [isize::MAX as u64 + 1, 1 << 63, u64::MAX - 1] {
        let bytes = [&[0xFF; 4][..], &length.to_le_bytes()].concat();
        for error in [
            from_slice_with::<Vec<u8>>(&bytes, BOUNDLESS).unwrap_err(),
            from_slice_with::<Vec<()>>(&bytes, BOUNDLESS).unwrap_err(),
            from_slice_with::<String>(&bytes, BOUNDLESS).unwrap_err(),
            from_slice_with::<HashMap<u8, ()>>(&bytes, BOUNDLESS).unwrap_err(),
            deserialize_with::<Vec<String>, _>(&mut IoReader(&bytes[..]), BOUNDLESS).unwrap_err(),
        ] {
            assert!(matches!(error, Error::InvalidLength { found, .. } if found == length), "{error:?}");
        }
    }
}

#[test]
fn case_08_a_length_times_a_size_that_wraps_is_an_error() {
    for length in [1 << 60, 1 << 61, (1 << 61) + 1, isize::MAX as u64 / 8 + 1, isize::MAX as u64] {
        let bytes = [&[0xFF; 4][..], &length.to_le_bytes(), &[0; 64]].concat();
        macro_rules! refuse {
            ($($type:ty)+) => {$(
                from_slice_with::<$type>(&bytes, BOUNDLESS).unwrap_err();
                from_slice::<$type>(&bytes).unwrap_err();
            )+};
        }
        macro_rules! refuse_streamed {
            ($($type:ty)+) => {$(
                deserialize_with::<$type, _>(&mut IoReader(&bytes[..]), BOUNDLESS).unwrap_err();
                deserialize_with::<$type, _>(&mut Buffer::from(bytes.clone()), BOUNDLESS).unwrap_err();
            )+};
        }
        refuse!(Vec<u64> &[u64] Cow<'_, [u64]> Vec<[u64; 8]> Vec<(u64, bool)> Vec<(String, u64)> Box<[u128]>);
        refuse!(HashMap<u64, u64> BTreeMap<[u64; 9], u8> HashSet<[u64; 100]>);
        refuse_streamed!(Vec<u64> Vec<[u64; 8]> Vec<(u64, bool)> Vec<(String, u64)> Box<[u128]>);

        let bulk = [&[0][..], &length.to_le_bytes(), &[0; 64]].concat();
        from_slice_with::<Bulk<u64>>(&bulk, BOUNDLESS).unwrap_err();
        from_slice::<Bulk<[u64; 4]>>(&bulk).unwrap_err();
        deserialize_with::<Bulk<u64>, _>(&mut IoReader(&bulk[..]), BOUNDLESS).unwrap_err();
    }
}

#[test]
fn case_09_an_offset_plus_a_length_that_wraps_is_an_error() {
    for length in [isize::MAX as usize, usize::MAX - 3, usize::MAX] {
        let mut reader = Reader::from_slice(&[1, 2, 3, 4, 5]);
        reader.borrow(4).unwrap();
        assert!(matches!(reader.borrow(length), Err(Error::UnexpectedEnd { offset: 4, found: 1, .. })));
        assert!(matches!(reader.try_borrow(length), Err(Error::UnexpectedEnd { offset: 4, found: 1, .. })));
        assert_eq!(reader.borrow(1).unwrap(), [5], "a refusal takes nothing");
    }
}

#[test]
fn case_10_a_vector_of_nothing_is_bounded_by_its_items() {
    let long = [&[0xFF; 4][..], &(1_u64 << 33).to_le_bytes()].concat();
    let short = (1_u32 << 31).to_le_bytes();
    for bytes in [&long[..], &short] {
        macro_rules! refuse {
            ($($type:ty)+) => {$(
                let error = from_slice::<$type>(bytes).unwrap_err();
                assert!(matches!(error, Error::ItemLimit { left: 1_048_576, .. }), "{error:?}");
                let error = <$type>::deserialize(&mut IoReader(bytes)).unwrap_err();
                assert!(matches!(error, Error::ItemLimit { left: 1_048_576, .. }), "{error:?}");
            )+};
        }
        refuse!(Vec<()> Vec<[u8; 0]> Vec<((), ())> Vec<[(); 9]> Box<[()]> HashSet<()> HashMap<(), ()> BTreeSet<()>);
    }
    // Many vectors share the limit.
    let many: Vec<u8> = [1_000_u32.to_le_bytes()].repeat(1_001).concat();
    let bytes = [&1_001_u32.to_le_bytes()[..], &many].concat();
    let limits = Limits { items: 1_000_000, ..Limits::default() };
    assert!(matches!(from_slice_with::<Vec<Vec<()>>>(&bytes, limits), Err(Error::ItemLimit { .. })));
    let limits = Limits { items: 1_001_000, ..limits };
    assert_eq!(from_slice_with::<Vec<Vec<()>>>(&bytes, limits).unwrap().len(), 1_001);
}

/// Only elements that take no bytes are counted: many of any other kind are a value like any other.
#[test]
fn case_10_elements_that_take_bytes_are_not_counted() {
    let limits = Limits { items: 0, ..Limits::default() };
    let boxes = to_vec(&vec![Box::new(1_u8), Box::new(2)]).unwrap();
    from_slice_with::<Vec<Box<u8>>>(&boxes, limits).unwrap();
    deserialize_with::<Vec<Box<u8>>, _>(&mut IoReader(&boxes[..]), limits).unwrap();
    let lists = to_vec(&vec![List::default(); 2]).unwrap();
    from_slice_with::<Vec<List>>(&lists, limits).unwrap();
    deserialize_with::<Box<[List]>, _>(&mut IoReader(&lists[..]), limits).unwrap();
    let map = to_vec(&BTreeMap::from([(Box::new(1_u8), Box::new(2_u8))])).unwrap();
    from_slice_with::<BTreeMap<Box<u8>, Box<u8>>>(&map, limits).unwrap();
    from_slice_with::<HashMap<Box<u8>, Box<u8>>>(&map, limits).unwrap();

    let empty = to_vec(&vec![((), Box::new(())); 3]).unwrap();
    assert!(matches!(from_slice_with::<Vec<((), Box<()>)>>(&empty, limits), Err(Error::ItemLimit { .. })));
    let limits = Limits { items: 3, ..limits };
    from_slice_with::<Vec<((), Box<()>)>>(&empty, limits).unwrap();
    let limits = Limits { items: 2, ..limits };
    assert!(matches!(from_slice_with::<Vec<((), Box<()>)>>(&empty, limits), Err(Error::ItemLimit { .. })));
    let one = to_vec(&vec![Box::new(())]).unwrap();
    let limits = Limits { items: 0, ..limits };
    assert!(matches!(from_slice_with::<BTreeSet<Box<()>>>(&one, limits), Err(Error::ItemLimit { .. })));
}

#[test]
fn case_11_nested_vectors_that_each_claim_the_maximum_end_unexpectedly() {
    let bytes = (u32::MAX - 1).to_le_bytes().repeat(5);
    assert!(from_slice::<Vec<Vec<Vec<Vec<Vec<u8>>>>>>(&bytes).is_err());
    assert!(from_slice_with::<Vec<Vec<Vec<Vec<Vec<u8>>>>>>(&bytes, BOUNDLESS).is_err());
    assert!(from_slice_with::<Vec<BTreeMap<Vec<u8>, Vec<String>>>>(&bytes, BOUNDLESS).is_err());
    assert!(
        deserialize_with::<Vec<Vec<Vec<Vec<Vec<u8>>>>>, _>(&mut IoReader(&bytes[..]), BOUNDLESS).is_err()
    );
    assert!(from_slice::<Tree>(&[[0; 4], [0xFE, 0xFF, 0xFF, 0xFF]].concat().repeat(20)).is_err());
}

#[test]
fn case_16_a_bool_of_2_to_255_is_refused_where_it_stands() {
    for byte in 2..=255_u8 {
        let is_bool = |error: Error, at: u64| {
            let right = matches!(
                error,
                Error::InvalidValue { offset, expected: "bool", found } if (offset, found) == (at, byte.into())
            );
            assert!(right, "expected offset {at}: {error:?}");
        };
        is_bool(from_slice::<bool>(&[byte]).unwrap_err(), 0);
        is_bool(from_slice::<(u32, bool)>(&[0, 0, 0, 0, byte]).unwrap_err(), 4);
        is_bool(from_slice::<[bool; 4]>(&[1, 0, byte, 1]).unwrap_err(), 2);
        is_bool(from_slice::<Vec<bool>>(&[3, 0, 0, 0, 1, byte, 0]).unwrap_err(), 5);
        is_bool(from_slice::<Option<bool>>(&[1, byte]).unwrap_err(), 1);
        is_bool(from_slice::<Box<bool>>(&[byte]).unwrap_err(), 0);
        // A head that is checked after a part of the tail was read: the offset is still the head's.
        is_bool(from_slice::<(String, bool)>(&[1, 0, 0, 0, byte, b'x']).unwrap_err(), 4);
        is_bool(from_slice::<Vec<(u8, bool)>>(&[2, 0, 0, 0, 9, 1, 9, byte]).unwrap_err(), 7);
    }
}

/// The same errors name the same place on endpoints that show no memory, or only some of it.
#[test]
fn case_16_offsets_are_those_of_the_bytes_on_every_endpoint() {
    #[track_caller]
    fn at<T: Codec + Debug>(bytes: &[u8], expected: u64) {
        let check = |place: &str, result: Result<T>| match result.unwrap_err() {
            Error::InvalidValue { offset, .. } | Error::UnknownTag { offset, .. } => {
                assert_eq!(offset, expected, "{}, {place}", std::any::type_name::<T>());
            }
            other => panic!("{other:?}"),
        };
        check("slice", from_slice(bytes));
        check("buffer", T::deserialize(&mut Buffer::from(bytes.to_vec())));
        check("stream", T::deserialize(&mut IoReader(bytes)));
        check("drip", T::deserialize(&mut IoReader(Drip::new(bytes))));
        check("queue", T::deserialize(&mut Queue::from(bytes)));
        for window in [1, 2, 3, 5, 7, 64] {
            check("chunks", T::deserialize(&mut Chunks { rest: bytes, window }));
        }
    }
    at::<bool>(&[2], 0);
    at::<(u32, bool)>(&[0, 0, 0, 0, 2], 4);
    at::<(bool, u32)>(&[2, 0, 0, 0, 0], 0);
    at::<(String, bool, u8)>(&[1, 0, 0, 0, 9, 9, b'x'], 4);
    at::<(bool, String)>(&[9, 1, 0, 0, 0, b'x'], 0);
    at::<(Vec<(String, u8)>, bool, u8)>(&[1, 0, 0, 0, 9, 9, 1, 0, 0, 0, 5, b'x'], 4);
    at::<(Vec<bool>, char)>(&[2, 0, 0, 0, 0, 0xD8, 0, 0, 1, 0], 4);
    at::<Vec<bool>>(&[5, 0, 0, 0, 1, 0, 7, 1, 1], 6);
    at::<Vec<(u8, bool)>>(&[2, 0, 0, 0, 9, 1, 9, 3], 7);
    at::<Vec<Option<u8>>>(&[2, 0, 0, 0, 0, 2], 5);
    at::<Vec<(String, bool)>>(&[2, 0, 0, 0, 1, 0, 0, 0, 1, b'a', 1, 0, 0, 0, 2, b'b'], 14);
    at::<Option<Option<bool>>>(&[1, 1, 2], 2);
    at::<[Option<u8>; 3]>(&[1, 0, 3, 7], 2);
    at::<(Box<bool>, u8)>(&[7, 2], 1);
    at::<List>(&[7, 1, 7, 1, 7, 2], 5);
    at::<BTreeMap<u8, bool>>(&[2, 0, 0, 0, 1, 1, 2, 2], 7);
    at::<Bulk<u8>>(&[3, 0, 0, 0, 0, 0, 0, 0, 0], 0);
    let mut long = vec![1; 10_004];
    long[..4].copy_from_slice(&10_000_u32.to_le_bytes());
    long[9_999] = 2;
    at::<Vec<bool>>(&long, 9_999);
}

#[test]
fn case_17_surrogates_and_numbers_beyond_unicode_are_no_char() {
    for code in [0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0x0011_0000, 0x7FFF_FFFF, 0x8000_0000, u32::MAX] {
        let bytes = [&[9][..], &code.to_le_bytes(), &[9]].concat();
        let error = from_slice::<(u8, char, u8)>(&bytes).unwrap_err();
        let right = matches!(
            error,
            Error::InvalidValue { offset: 1, expected: "char", found } if found == u64::from(code)
        );
        assert!(right, "{error:?}");
        let many = [&2_u32.to_le_bytes()[..], &65_u32.to_le_bytes(), &code.to_le_bytes()].concat();
        assert!(matches!(from_slice::<Vec<char>>(&many), Err(Error::InvalidValue { offset: 8, .. })));
    }
    for code in [0, 0xD7FF, 0xE000, 0x10_FFFF] {
        assert_eq!(from_slice::<char>(&u32::to_le_bytes(code)).unwrap() as u32, code);
    }
}

#[test]
fn case_18_an_unknown_place_of_bulk_is_refused() {
    for place in 2..=255_u8 {
        let bytes = [&[place][..], &[0; 12]].concat();
        let error = from_slice::<Bulk<u8>>(&bytes).unwrap_err();
        let right = matches!(error, Error::UnknownTag { offset: 0, name: "Bulk", found } if found == u64::from(place));
        assert!(right, "{error:?}");
    }
}

#[test]
fn case_19_an_option_tag_of_2_to_255_is_refused_where_it_stands() {
    for tag in 2..=255_u8 {
        let is_tag = |error: Error, at: u64| {
            let right = matches!(
                error,
                Error::UnknownTag { offset, name: "Option", found } if (offset, found) == (at, tag.into())
            );
            assert!(right, "{error:?}");
        };
        is_tag(from_slice::<Option<u8>>(&[tag, 1]).unwrap_err(), 0);
        is_tag(from_slice::<(u16, Option<()>)>(&[0, 0, tag]).unwrap_err(), 2);
        is_tag(from_slice::<(String, Option<String>)>(&[1, 0, 0, 0, tag, b'x']).unwrap_err(), 4);
        is_tag(from_slice::<Vec<Option<u8>>>(&[2, 0, 0, 0, 0, tag]).unwrap_err(), 5);
    }
}

/// Lengths around the sizes of the loads that short text is tested with.
const LENGTHS: [usize; 22] =
    [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 100, 129];

/// Text is refused, whoever reads it, with the length that it has and the length that is valid.
#[track_caller]
fn no_text(text: &[u8], valid: usize) {
    assert_eq!(std::str::from_utf8(text).unwrap_err().valid_up_to(), valid, "the test itself");
    let bytes = [&(text.len() as u32).to_le_bytes()[..], text].concat();
    let check = |how: &str, error: Error| {
        let right = matches!(
            error,
            Error::InvalidUtf8 { offset, length, valid: found }
                if (offset, length, found) == (bytes.len() as u64, text.len() as u64, valid as u64)
        );
        assert!(right, "{how}: {error:?} for {text:02x?}");
    };
    check("String", from_slice::<String>(&bytes).unwrap_err());
    check("str", from_slice::<&str>(&bytes).unwrap_err());
    check("Cow", from_slice::<Cow<'_, str>>(&bytes).unwrap_err());
    check("Box", from_slice::<Box<str>>(&bytes).unwrap_err());
    check("buffer", String::deserialize(&mut Buffer::from(bytes.clone())).unwrap_err());
    check("stream", String::deserialize(&mut IoReader(&bytes[..])).unwrap_err());
    check("drip", String::deserialize(&mut IoReader(Drip::new(&bytes))).unwrap_err());
    check("queue", String::deserialize(&mut Queue::from(&bytes[..])).unwrap_err());
    check("key", from_slice::<(&str, ())>(&bytes).unwrap_err());
}

#[test]
fn case_21_a_bad_byte_anywhere_in_text_of_any_length_is_found() {
    for length in LENGTHS {
        for at in if cfg!(miri) { vec![0, length / 2, length - 1] } else { (0..length).collect() } {
            for bad in [0x80, 0xBF, 0xC0, 0xC1, 0xF5, 0xFF] {
                let mut text = vec![b'a'; length];
                text[at] = bad;
                no_text(&text, at);
            }
        }
    }
}

#[test]
fn case_21_overlong_truncated_and_surrogate_sequences_are_found() {
    let bad: [&[u8]; 12] = [
        &[0xC0, 0x80],             // NUL in two bytes
        &[0xC1, 0xBF],             // DEL in two bytes
        &[0xE0, 0x9F, 0xBF],       // U+07FF in three bytes
        &[0xF0, 0x8F, 0xBF, 0xBF], // U+FFFF in four bytes
        &[0xED, 0xA0, 0x80],       // U+D800
        &[0xED, 0xBF, 0xBF],       // U+DFFF
        &[0xF4, 0x90, 0x80, 0x80], // U+110000
        &[0xC3],                   // the first of two
        &[0xE2, 0x82],             // two of three
        &[0xF0, 0x9F, 0x98],       // three of four
        &[0xC3, b'('],             // two that do not belong together
        &[0xFE],
    ];
    for length in LENGTHS {
        for bad in bad.iter().filter(|bad| bad.len() <= length) {
            for at in [0, 1, (length - bad.len()) / 2, length - bad.len()] {
                if at + bad.len() > length {
                    continue;
                }
                let mut text = vec![b'a'; length];
                text[at..at + bad.len()].copy_from_slice(bad);
                no_text(&text, at);
            }
        }
    }
}

#[test]
fn case_21_good_text_of_any_length_passes() {
    for length in LENGTHS {
        for sign in ["é", "€", "😀", "\u{10FFFF}", "\0"] {
            for at in 0..length {
                if at + sign.len() > length {
                    continue;
                }
                let text = ["a".repeat(at), sign.into(), "b".repeat(length - at - sign.len())].concat();
                let bytes = to_vec(&text).unwrap();
                assert_eq!(from_slice::<String>(&bytes).unwrap(), text);
                assert_eq!(from_slice::<&str>(&bytes).unwrap(), text);
                assert_eq!(String::deserialize(&mut IoReader(&bytes[..])).unwrap(), text);
            }
        }
    }
}

#[test]
fn case_22_a_signalling_nan_keeps_its_bits() {
    let quiet = 0x0008_0000_0000_0000_u64;
    for bits in [0x7FF0_0000_0000_0001, 0xFFF4_DEAD_BEEF_0001, 0x7FF7_FFFF_FFFF_FFFF] {
        assert_eq!(bits & quiet, 0, "signalling");
        let value = f64::from_bits(bits);
        let bytes = to_vec(&(value, [value; 2], vec![value], Some(value), Box::new(value))).unwrap();
        assert_eq!(bytes.len(), 8 + 16 + 4 + 1 + 8 + 8 + 8);
        let (a, b, c, d, e) = from_slice::<(f64, [f64; 2], Vec<f64>, Option<f64>, Box<f64>)>(&bytes).unwrap();
        assert!([a, b[0], b[1], c[0], d.unwrap(), *e].iter().all(|value| value.to_bits() == bits));
        let mut stream = IoReader(&bytes[..8]);
        assert_eq!(f64::deserialize(&mut stream).unwrap().to_bits(), bits);
        let mut buffer = Buffer::new();
        buffer.write_trivial_type(&value).unwrap();
        assert_eq!(buffer.read_trivial_type::<f64>().unwrap().to_bits(), bits);
    }
}

#[test]
fn case_23_the_widest_numbers_keep_their_bits() {
    for value in [u128::MAX, 1 << 127, 0x0123_4567_89AB_CDEF_0011_2233_4455_6677] {
        assert_eq!(from_slice::<u128>(&value.to_le_bytes()).unwrap(), value);
        assert_eq!(from_slice::<(u8, u128)>(&to_vec(&(1_u8, value)).unwrap()).unwrap(), (1, value));
    }
    for value in [i128::MIN, -1, i128::MAX] {
        assert_eq!(from_slice::<[i128; 1]>(&value.to_le_bytes()).unwrap(), [value]);
    }
    let wide = (u64::from(u32::MAX) + 1).to_le_bytes();
    match from_slice::<usize>(&wide) {
        Ok(value) => assert_eq!((value as u64, usize::BITS), (1 << 32, 64)),
        Err(error) => {
            assert!(matches!(error, Error::InvalidValue { expected: "usize", offset: 0, .. }), "{error:?}");
        }
    }
}

#[test]
fn case_24_every_trivial_type_is_read_from_and_written_to_any_address() {
    macro_rules! shifted {
        ($($type:ty = $value:expr;)+) => {$(
            let value: $type = $value;
            let bytes = to_vec(&value).unwrap();
            for shift in 0..16 {
                let mut memory = vec![0xAA_u8; shift + bytes.len()];
                memory[shift..].copy_from_slice(&bytes);
                assert_eq!(from_slice::<$type>(&memory[shift..]).unwrap(), value);
                assert_eq!(Reader::from_slice(&memory[shift..]).read_trivial_type::<$type>().unwrap(), value);
                let many = [&bytes[..], &bytes].concat();
                let counted = [&2_u32.to_le_bytes()[..], &many].concat();
                let mut memory = vec![0xAA_u8; shift + counted.len()];
                memory[shift..].copy_from_slice(&counted);
                assert_eq!(from_slice::<Vec<$type>>(&memory[shift..]).unwrap(), [value, value]);
                let mut target = vec![0_u8; shift + many.len()];
                serialize(&[value, value], &mut SliceWriter::new(&mut target[shift..])).unwrap();
                assert_eq!(target[shift..], many);
            }
        )+};
    }
    shifted! {
        u8 = 1; u16 = 2; u32 = 3; u64 = 4; u128 = 5; i8 = -1; i16 = -2; i32 = -3; i64 = -4; i128 = -5;
        f32 = 0.5; f64 = 0.25; bool = true; char = 'ß';
        [u64; 3] = [1, 2, 3]; [[u16; 3]; 2] = [[1, 2, 3], [4, 5, 6]]; [bool; 2] = [true, false];
    }
    let plain = to_vec(&vec![1_u64, 2]).unwrap();
    for shift in 0..16 {
        let mut memory = vec![0_u8; shift + plain.len()];
        memory[shift..].copy_from_slice(&plain);
        assert_eq!(*from_slice::<Cow<'_, [u64]>>(&memory[shift..]).unwrap(), [1, 2]);
        match from_slice::<&[u64]>(&memory[shift..]) {
            Ok(slice) => assert_eq!(slice, [1, 2]),
            Err(error) => {
                assert!(matches!(error, Error::Unaligned { offset: 4, alignment: 8 }), "{error:?}");
            }
        }
    }
}

#[test]
fn case_26_padding_never_reaches_the_wire() {
    #![allow(unsafe_code, clippy::undocumented_unsafe_blocks, reason = "poisons the padding of a value")]
    use std::mem::MaybeUninit;
    type Padded = (u8, u32, u16, Option<u64>, (u8, u16), [(u8, u32); 2]);
    let encoded = |poison: u8| {
        let mut slot = MaybeUninit::<Padded>::uninit();
        let at = slot.as_mut_ptr();
        /// Writes one field, and nothing beside it.
        macro_rules! write {
            ($($field:tt)+) => {{
                let (place, value) = $($field)+;
                // SAFETY: a field of the slot, which is writable and aligned.
                unsafe { place.write(value) };
            }};
        }
        // SAFETY: the slot is this many bytes, and bytes may be written to it.
        unsafe { at.cast::<u8>().write_bytes(poison, size_of::<Padded>()) };
        // SAFETY (each): a field of the slot.
        write!((unsafe { &raw mut (*at).0 }, 1));
        write!((unsafe { &raw mut (*at).1 }, 2));
        write!((unsafe { &raw mut (*at).2 }, 3));
        write!((unsafe { &raw mut (*at).3 }, None));
        write!((unsafe { &raw mut (*at).4.0 }, 4));
        write!((unsafe { &raw mut (*at).4.1 }, 5));
        write!((unsafe { &raw mut (*at).5[0].0 }, 6));
        write!((unsafe { &raw mut (*at).5[0].1 }, 7));
        write!((unsafe { &raw mut (*at).5[1].0 }, 6));
        write!((unsafe { &raw mut (*at).5[1].1 }, 7));
        // SAFETY: every field was written.
        let value = unsafe { &*at };
        assert!(to_vec(&std::slice::from_ref(value)).unwrap()[4..] == to_vec(value).unwrap());
        to_vec(value).unwrap()
    };
    assert_eq!(encoded(0xAA), encoded(0x55));
    assert_eq!(encoded(0xAA).len(), 1 + 4 + 2 + 1 + 3 + 10);
}

#[test]
fn case_29_a_key_that_stands_twice_is_refused() {
    let twice = common::hex("03000000 01 02 01");
    let maps = common::hex("03000000 01FF 02FF 0100");
    assert!(matches!(from_slice::<BTreeSet<u8>>(&twice), Err(Error::DuplicateKey { offset: 7 })));
    assert!(matches!(from_slice::<HashSet<u8>>(&twice), Err(Error::DuplicateKey { offset: 7 })));
    assert!(matches!(from_slice::<BTreeMap<u8, u8>>(&maps), Err(Error::DuplicateKey { offset: 10 })));
    assert!(matches!(from_slice::<HashMap<u8, u8>>(&maps), Err(Error::DuplicateKey { offset: 10 })));
    let nothing = 2_u32.to_le_bytes();
    assert!(matches!(from_slice::<BTreeSet<()>>(&nothing), Err(Error::DuplicateKey { .. })));
    assert!(matches!(HashSet::<u8>::deserialize(&mut IoReader(&twice[..])), Err(Error::DuplicateKey { .. })));
}

#[test]
fn case_30_a_length_has_one_form_only() {
    for length in [0_u64, 1, 2, 255, 1 << 31, u64::from(u32::MAX) - 1] {
        let bytes = [&[0xFF; 4][..], &length.to_le_bytes(), &[0; 8]].concat();
        for error in [
            from_slice::<String>(&bytes).unwrap_err(),
            from_slice::<Vec<u8>>(&bytes).unwrap_err(),
            from_slice::<Vec<()>>(&bytes).unwrap_err(),
            from_slice::<BTreeMap<(), ()>>(&bytes).unwrap_err(),
        ] {
            assert!(matches!(error, Error::InvalidLength { found, .. } if found == length), "{error:?}");
        }
    }
}

#[test]
fn case_33_a_reader_of_single_bytes_that_is_interrupted_gives_the_value() {
    struct Look;
    impl Visitor for Look {
        fn look<T: Codec + PartialEq + Debug>(&mut self, name: &str, value: T, _: bool) {
            let bytes = [&to_vec(&value).unwrap()[..], b"rest"].concat();
            let mut drip = IoReader(Drip::new(&bytes));
            assert_eq!(T::deserialize(&mut drip).unwrap(), value, "{name}");
            assert_eq!(drip.0.rest, b"rest", "{name}");
            for window in 1..=bytes.len() + 1 {
                let mut chunks = Chunks { rest: &bytes, window };
                assert_eq!(T::deserialize(&mut chunks).unwrap(), value, "{name}, windows of {window}");
                assert_eq!(chunks.rest, b"rest", "{name}, windows of {window}");
            }
        }
    }
    visit(&mut Look);
}

#[test]
fn case_33_a_reader_that_lies_about_its_count_is_survived() {
    for claim in [0, 1, 2, 9, 1 << 20, usize::MAX - 1, usize::MAX] {
        // Whatever values it makes: an error or a value, and never memory that was not written.
        let _ = u64::deserialize(&mut IoReader(Rogue::new(claim)));
        let _ = Vec::<u8>::deserialize(&mut IoReader(Rogue::new(claim)));
        let _ = <(u8, String, bool)>::deserialize(&mut IoReader(Rogue::new(claim)));
        let _ = Vec::<(bool, u16)>::deserialize(&mut IoReader(Rogue::new(claim)));
    }
}

#[test]
fn case_33_a_reader_that_fails_midway_hands_its_error_on() {
    struct Broken(usize);
    impl std::io::Read for Broken {
        fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
            if self.0 == 0 {
                return Err(std::io::ErrorKind::ConnectionReset.into());
            }
            self.0 -= 1;
            bytes[0] = 1;
            Ok(1)
        }
    }
    for after in 0..12 {
        let error = <(u64, [u16; 4])>::deserialize(&mut IoReader(Broken(after))).unwrap_err();
        let right = matches!(&error, Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionReset);
        assert!(right, "{error:?}");
    }
}

#[test]
fn case_34_a_writer_that_is_full_is_an_error_at_every_size() {
    struct Look;
    impl Visitor for Look {
        fn look<T: Codec + PartialEq + Debug>(&mut self, name: &str, value: T, _: bool) {
            let bytes = to_vec(&value).unwrap();
            for room in 0..bytes.len() {
                let mut memory = vec![0xAA; bytes.len() + 8];
                let mut writer = SliceWriter::new(&mut memory[..room]);
                let error = serialize(&value, &mut writer).unwrap_err();
                assert!(
                    matches!(error, Error::EndpointFull { wanted, found } if wanted > found && found <= room as u64),
                    "{name}: {error:?}"
                );
                assert!(memory[room..].iter().all(|byte| *byte == 0xAA), "{name}: nothing beyond the end");

                let mut stingy = Stingy { room, ..Stingy::default() };
                let error = serialize(&value, &mut IoWriter(&mut stingy)).unwrap_err();
                let right =
                    matches!(&error, Error::Io(error) if error.kind() == std::io::ErrorKind::WriteZero);
                assert!(right, "{name}: {error:?}");
                assert_eq!(stingy.taken, bytes[..room], "{name}");
            }
            let mut stingy = Stingy { room: bytes.len(), ..Stingy::default() };
            assert_eq!(serialize(&value, &mut IoWriter(&mut stingy)).unwrap(), bytes.len());
            assert_eq!(stingy.taken.len(), bytes.len(), "{name}");
        }
    }
    visit(&mut Look);
}

#[test]
fn case_34_a_writer_that_lies_about_its_count_is_survived() {
    for claim in [2, 9, 1 << 20, usize::MAX] {
        let _ = serialize(&1_u8, &mut IoWriter(Rogue::new(claim)));
        let _ = serialize(&vec![1_u8; 100_000], &mut IoWriter(Rogue::new(claim)));
    }
}

#[test]
fn case_37_keys_that_collide_are_kept_apart() {
    /// All keys have one hash.
    #[derive(Default)]
    struct Same;
    impl Hasher for Same {
        fn finish(&self) -> u64 {
            0
        }
        fn write(&mut self, _: &[u8]) {}
    }
    type Collided = HashMap<u32, u32, BuildHasherDefault<Same>>;
    let count = if cfg!(miri) { 20 } else { 1_000 };
    let map: Collided = (0..count).map(|key| (key, key * 2)).collect();
    let bytes = to_vec(&map).unwrap();
    assert!(from_slice::<Collided>(&bytes).unwrap() == map);
    let mut twice = bytes;
    let (first, last) = (4, twice.len() - 8);
    twice.copy_within(first..first + 4, last);
    assert!(matches!(from_slice::<Collided>(&twice), Err(Error::DuplicateKey { .. })));
}

/// Keys that an attacker makes collide under one hasher do not collide under another: the standard one is seeded.
#[test]
#[cfg_attr(miri, ignore = "measures time")]
fn case_37_the_standard_hasher_is_seeded() {
    use std::hash::BuildHasher;
    let map: HashMap<u64, ()> = from_slice(&to_vec(&BTreeMap::from([(1_u64, ())])).unwrap()).unwrap();
    let other: HashMap<u64, ()> = from_slice(&to_vec(&BTreeMap::from([(1_u64, ())])).unwrap()).unwrap();
    assert_ne!(map.hasher().hash_one(7), other.hasher().hash_one(7), "two maps, two seeds");
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
    let unsorted = common::hex("02000000  04 05  01 02");
    let sorted = to_vec(&from_slice::<BTreeMap<u8, u8>>(&unsorted).unwrap()).unwrap();
    assert_eq!(sorted, common::hex("02000000  01 02  04 05"));
}

#[test]
fn borrowed_values_are_refused_by_inputs_that_do_not_stay() {
    // By way of a reader, since the calls on endpoints ask for values that own everything.
    let bytes = common::hex("01000000 78");
    let mut stream = IoReader(&bytes[..]);
    let mut reader = Reader::from_endpoint(&mut stream, Limits::default());
    assert!(matches!(reader.decode::<&str>(), Err(Error::CannotBorrow { offset: 4, expected: "text" })));
    let mut stream = IoReader(&bytes[..]);
    let mut reader = Reader::from_endpoint(&mut stream, Limits::default());
    assert!(matches!(reader.decode::<&[u8]>(), Err(Error::CannotBorrow { offset: 4, .. })));
    let mut stream = IoReader(&bytes[..]);
    let mut reader = Reader::from_endpoint(&mut stream, Limits::default());
    assert_eq!(reader.decode::<Cow<'_, str>>().unwrap(), "x");
}

/// A `Cow` that has to copy is charged like any other copy.
#[test]
fn a_cow_that_copies_is_charged_to_the_byte_limit() {
    let bytes = to_vec(&vec![vec![1_u64; 64]; 64]).unwrap();
    let limits = Limits { bytes: 8 * 1024, ..Limits::default() };
    let mut memory = vec![0; bytes.len() + 8];
    let mut refused = 0;
    for shift in 0..8 {
        memory[shift..shift + bytes.len()].copy_from_slice(&bytes);
        let input = &memory[shift..shift + bytes.len()];
        match from_slice_with::<Vec<Cow<'_, [u64]>>>(input, limits) {
            Ok(cows) => {
                let owned: usize = cows
                    .iter()
                    .filter(|cow| matches!(cow, Cow::Owned(_)))
                    .map(|cow| size_of_val(&**cow))
                    .sum();
                assert!(owned <= 8 * 1024, "{owned} bytes copied under a limit of 8 KiB");
            }
            Err(error) => {
                assert!(matches!(error, Error::ByteLimit { .. }), "{error:?}");
                refused += 1;
            }
        }
    }
    assert!(refused >= 4, "half of the addresses do not suit a u64");
}

/// A codec that tries one thing, fails, and reads another is not one level deeper for it.
#[test]
fn a_failure_that_is_caught_does_not_use_up_the_depth() {
    let limits = Limits { depth: 2, ..Limits::default() };
    let mut reader = Reader::from_slice_with(&[1, 0, 0, 0, 7, 0, 0, 0, 9, 9, 9], limits);
    reader.decode::<Vec<String>>().unwrap_err();
    assert_eq!(reader.limits().depth, 2);
    let mut buffer = Buffer::new();
    let mut writer = podwire_codec_core::Writer::with_limits(&mut buffer, limits);
    for _ in 0..5 {
        let failed: Result<()> = writer.nested(|_| Err(Error::OutOfMemory { bytes: 0 }));
        assert!(matches!(failed, Err(Error::OutOfMemory { .. })), "{failed:?}");
    }
}

/// Unsized and borrowed values are written as their owned forms.
#[test]
fn endpoints_can_be_objects() {
    fn through(endpoint: &mut dyn podwire_codec_core::Endpoint, value: &(impl Encode + ?Sized)) -> usize {
        serialize(value, endpoint).unwrap()
    }
    let mut buffer = Buffer::new();
    assert_eq!(through(&mut buffer, "pod"), 7);
    assert_eq!(through(&mut Queue::default(), &[1_u16, 2][..]), 8);
    assert_eq!(String::deserialize(&mut buffer).unwrap(), "pod");
}
