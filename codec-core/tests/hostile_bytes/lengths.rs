//! Lengths that no input can back.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::common::{List, Tree};
use podwire_codec_core::{
    Buffer, Bulk, Codec, Error, IoReader, Limits, Reader, deserialize_with, from_slice, from_slice_with,
    to_vec,
};

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
                assert!(matches!(error, Error::ItemLimit { left: 131_072, .. }), "{error:?}");
                let error = <$type>::deserialize(&mut IoReader(bytes)).unwrap_err();
                assert!(matches!(error, Error::ItemLimit { left: 131_072, .. }), "{error:?}");
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
