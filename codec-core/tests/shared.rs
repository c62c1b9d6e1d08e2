//! `Blob` and `SharedStr`: what they are on the wire, whom they share memory with, and that they behave like what they
//! hold. How many allocations they take is in `allocation.rs`.

mod common;

use std::collections::{BTreeSet, HashMap};

use common::{Chunks, Queue};
use podwire_codec_core::schema::schema_of;
use podwire_codec_core::{
    Blob, Buffer, Codec, Error, IoReader, Reader, SharedStr, SliceReader, from_slice, to_vec,
};

#[test]
fn they_have_the_bytes_and_the_schema_of_what_they_hold() {
    assert_eq!(to_vec(&SharedStr::from("pod")).unwrap(), to_vec("pod").unwrap());
    assert_eq!(to_vec(&Blob::from(vec![1, 2])).unwrap(), to_vec(&vec![1_u8, 2]).unwrap());
    assert_eq!(schema_of::<SharedStr>().to_string(), "text");
    assert_eq!(schema_of::<Blob>().to_string(), "[u8]");
    assert_eq!(schema_of::<HashMap<SharedStr, Blob>>().to_string(), "{text:[u8]}");
    // Either side may use either.
    assert_eq!(from_slice::<String>(&to_vec(&SharedStr::from("naïve")).unwrap()).unwrap(), "naïve");
    assert_eq!(from_slice::<SharedStr>(&to_vec("naïve").unwrap()).unwrap(), "naïve");
}

/// Whether the bytes of the second lie in the memory of the first, so far behind its start.
fn distance(one: &[u8], other: &[u8]) -> usize {
    other.as_ptr() as usize - one.as_ptr() as usize
}

#[test]
fn neighbours_in_memory_share_one_copy_and_values_of_a_stream_have_their_own() {
    let bytes = to_vec(&[("ab", 7_u64), ("cde", 8)]).unwrap();
    let value: [(SharedStr, u64); 2] = from_slice(&bytes).unwrap();
    assert_eq!(distance(value[0].0.as_bytes(), value[1].0.as_bytes()), 2);
    let bytes = to_vec(&vec![("ab", 7_u64), ("cde", 8)]).unwrap();
    type Pairs = Vec<(SharedStr, u64)>;
    let mut endpoints = [
        from_slice::<Pairs>(&bytes).unwrap(),
        Pairs::deserialize(&mut Buffer::from(bytes.clone())).unwrap(),
        Pairs::deserialize(&mut SliceReader::new(&bytes)).unwrap(),
    ];
    for value in &mut endpoints {
        // 2 bytes of text, and the head of the second: a length and a number.
        assert_eq!(distance(value[0].0.as_bytes(), value[1].0.as_bytes()), 2 + 4 + 8);
        assert_eq!((&*value[0].0, &*value[1].0), ("ab", "cde"));
    }
    for value in [
        Pairs::deserialize(&mut IoReader(&bytes[..])).unwrap(),
        Pairs::deserialize(&mut Queue::from(&bytes[..])).unwrap(),
        Pairs::deserialize(&mut Chunks { rest: &bytes, window: 2 }).unwrap(),
        Pairs::deserialize(&mut Chunks { rest: &bytes, window: 9 }).unwrap(),
    ] {
        assert_eq!(value, [("ab".into(), 7), ("cde".into(), 8)]);
    }
}

#[test]
fn values_larger_than_a_copy_and_across_its_end_come_back() {
    for length in [1_000, 65_535, 65_536, 65_537, 200_000] {
        let texts: Vec<String> = (0..20).map(|number| "é".repeat(length / 40 * (number % 3))).collect();
        let bytes = to_vec(&texts).unwrap();
        assert_eq!(from_slice::<Vec<SharedStr>>(&bytes).unwrap(), texts);
        assert_eq!(Vec::<SharedStr>::deserialize(&mut Buffer::from(bytes)).unwrap(), texts);
        let blobs = vec![Blob::from(vec![7; length]), Blob::default(), Blob::from(vec![8; 3 * length])];
        assert_eq!(from_slice::<Vec<Blob>>(&to_vec(&blobs).unwrap()).unwrap(), blobs);
    }
}

#[test]
fn text_that_is_not_utf8_is_refused_where_it_stands() {
    let mut bytes = to_vec(&("ok", "abc")).unwrap();
    bytes[12] = 0xFF;
    let error = from_slice::<(SharedStr, SharedStr)>(&bytes).unwrap_err();
    assert!(matches!(error, Error::InvalidUtf8 { offset: 13, length: 3, valid: 2 }), "{error:?}");
    let error = <(SharedStr, SharedStr)>::deserialize(&mut IoReader(&bytes[..])).unwrap_err();
    assert!(matches!(error, Error::InvalidUtf8 { offset: 13, length: 3, valid: 2 }), "{error:?}");
    assert!(SharedStr::try_from(Blob::from(vec![0xFF])).is_err());
    // A length that lies: what is there, and what is wanted.
    let error = from_slice::<SharedStr>(&[9, 0, 0, 0, b'x']).unwrap_err();
    assert!(matches!(error, Error::UnexpectedEnd { offset: 4, wanted: 9, found: 1 }), "{error:?}");
}

#[test]
fn they_compare_hash_and_print_as_what_they_hold() {
    let text = SharedStr::from("b");
    assert_eq!(text, "b");
    assert_eq!(text, *"b");
    assert_eq!(text, String::from("b"));
    assert_eq!(text.clone(), text);
    let before = SharedStr::from("a");
    assert!(before < text && text.starts_with('b'));
    assert_eq!(
        (format!("{text}"), format!("{text:?}"), format!("{text:>3}")),
        ("b".into(), "\"b\"".into(), "  b".into())
    );
    let map = HashMap::from([(SharedStr::from("key"), 1)]);
    assert_eq!(map["key"], 1);
    let set = BTreeSet::from([Blob::from(vec![1, 2]), Blob::default()]);
    assert!(set.contains(&[1, 2][..]));
    let blob: Blob = [1, 2, 3].into_iter().collect();
    assert_eq!(blob, [1, 2, 3]);
    assert_eq!(blob, vec![1, 2, 3]);
    assert_eq!(format!("{blob:?}"), "[1, 2, 3]");
    assert_eq!(SharedStr::default(), "");
    assert_eq!(Blob::from(Box::from([4_u8])), [4]);
    fn shared_between_threads<T: Send + Sync + 'static>() {}
    shared_between_threads::<(Blob, SharedStr)>();
}

#[test]
fn a_part_lies_in_the_memory_of_the_whole() {
    let blob = Blob::from(vec![1, 2, 3, 4]);
    let part = blob.part(1..3).unwrap();
    assert_eq!((&*part, distance(&blob, &part)), (&[2, 3][..], 1));
    assert_eq!(part.part(1..2).unwrap(), [3]);
    assert_eq!(blob.part(4..4).unwrap(), []);
    #[allow(clippy::reversed_empty_ranges, reason = "no part")]
    let beyond = [3..5, 5..5, 3..2, 0..usize::MAX, usize::MAX..usize::MAX];
    assert!(beyond.into_iter().all(|range| blob.part(range).is_none()));
    assert!(part.part(0..3).is_none(), "not beyond the part");

    let text = SharedStr::from("naïve".to_owned());
    assert_eq!(text.part(0..2).unwrap(), "na");
    assert!(text.part(0..3).is_none(), "within a character");
    assert_eq!(distance(text.as_bytes(), text.part(4..6).unwrap().blob()), 4);
    assert_eq!(text.blob().len(), 6);
}

#[test]
fn a_hand_written_codec_takes_blobs_from_its_reader() {
    let mut reader = Reader::from_slice(&[1, 2, 3, 4]);
    let first = reader.share(1).unwrap();
    reader.borrow(1).unwrap();
    let second = reader.share(2).unwrap();
    assert_eq!((&*first, &*second), (&[1][..], &[3, 4][..]));
    assert_eq!(distance(&first, &second), 2);
    assert!(matches!(reader.share(1), Err(Error::UnexpectedEnd { offset: 4, wanted: 1, found: 0 })));
    assert_eq!(reader.share(0).unwrap(), []);
}
