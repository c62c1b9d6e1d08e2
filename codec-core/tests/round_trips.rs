//! Values of the standard library's types come back as they went.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::Arc;

use podwire_codec_core::{
    Buffer, Codec, Error, IoReader, Limits, SliceReader, SliceWriter, deserialize_with, encoded_len,
    from_prefix, from_slice, serialize, to_vec, to_writer,
};

/// Every way in and out gives the same bytes and the same value.
#[track_caller]
fn round<T: Codec + PartialEq + Debug>(value: &T) {
    let bytes = to_vec(value).unwrap();
    assert_eq!(bytes.len(), encoded_len(value).unwrap());
    assert_eq!(from_slice::<T>(&bytes).unwrap(), *value, "from_slice");
    let (back, rest) = from_prefix::<T>(&bytes).unwrap();
    assert_eq!((&back, rest.len()), (value, 0), "from_prefix");

    let mut buffer = Buffer::new();
    assert_eq!(value.serialize(&mut buffer).unwrap(), bytes.len());
    assert_eq!(buffer.as_slice(), bytes);
    assert_eq!(T::deserialize(&mut buffer).unwrap(), *value, "buffer");
    assert!(buffer.as_slice().is_empty());

    let mut written = Vec::new();
    to_writer(value, &mut written).unwrap();
    assert_eq!(written, bytes, "to_writer");
    let mut reader = IoReader(&bytes[..]);
    assert_eq!(T::deserialize(&mut reader).unwrap(), *value, "io");
    assert!(reader.0.is_empty(), "a reader takes its value whole");

    let mut memory = vec![0xAA; bytes.len()];
    let mut writer = SliceWriter::new(&mut memory);
    serialize(value, &mut writer).unwrap();
    assert_eq!(memory, bytes, "slice");
    assert_eq!(T::deserialize(&mut SliceReader::new(&bytes)).unwrap(), *value);

    for length in 0..bytes.len() {
        assert!(from_slice::<T>(&bytes[..length]).is_err(), "a prefix of {length} bytes is no value");
        assert!(T::deserialize(&mut IoReader(&bytes[..length])).is_err());
        assert!(serialize(value, &mut SliceWriter::new(&mut memory[..length])).is_err());
    }
}

#[test]
fn scalars_come_back() {
    round(&u8::MAX);
    round(&i128::MIN);
    round(&-1_i16);
    round(&usize::MAX);
    round(&isize::MIN);
    round(&f32::MIN_POSITIVE);
    round(&true);
    round(&'\u{10FFFF}');
    round(&());
}

#[test]
fn text_of_every_short_length_comes_back() {
    for length in 0..200 {
        round(&"x".repeat(length));
        round(&format!("{}é", "y".repeat(length)));
    }
}

#[test]
fn sequences_come_back() {
    round(&vec![1_u16; 3_000]);
    round(&vec![true; 5_000]);
    round(&vec![(1_u8, 2_u32); 5_00]);
    round(&vec![String::from("a"); 300]);
    round(&vec![vec![vec![1.5_f32; 3]; 4]; 5]);
    round(&[1_u8, 2, 3]);
    round(&[String::from("a"), String::from("bc")]);
    round(&[[1_i64; 4]; 4]);
    round(&Vec::<String>::new());
    round(&vec![(); 1_000]);
    round(&vec![None, Some(1_u8)]);
    round(&Some(Some(String::from("deep"))));
    round::<Box<[u32]>>(&vec![1, 2].into());
    round::<Arc<[String]>>(&vec![String::from("s")].into());
    round::<Arc<str>>(&"shared".into());
    round(&Box::new(7_u8));
    round(&Rc::new(vec![Box::new(1_u32)]));
    round(&Arc::new([1.0_f32; 16]));
    round(&(1_u8, String::from("two"), [3_u16; 3], Some(4_u64)));
    round(&Cow::<'static, str>::Owned("cow".into()).into_owned());
}

#[test]
fn maps_and_sets_come_back() {
    round(&HashMap::from([(String::from("a"), 1_u8), (String::from("b"), 2)]));
    round(&BTreeMap::from([(1_u32, vec![1_u8]), (2, vec![])]));
    round(&HashSet::from([1_u8, 2, 3]));
    round(&BTreeSet::from([String::from("x")]));
    round(&HashMap::<String, String>::new());
}

#[test]
fn values_borrow_from_a_slice() {
    let bytes = to_vec(&("text", [1_u8, 2, 3].as_slice())).unwrap();
    let (text, tail) = from_slice::<(&str, &[u8])>(&bytes).unwrap();
    assert_eq!((text, tail), ("text", &[1_u8, 2, 3][..]));
    assert!(bytes.as_ptr_range().contains(&text.as_ptr()));
    let (cow, numbers) = from_slice::<(Cow<'_, str>, Cow<'_, [u8]>)>(&bytes).unwrap();
    assert!(matches!((cow, numbers), (Cow::Borrowed("text"), Cow::Borrowed([1, 2, 3]))));
}

#[test]
fn a_slice_borrows_where_it_is_aligned_and_a_cow_copies_where_it_is_not() {
    let bytes = to_vec(&[1_u32, 2, 3].as_slice()).unwrap();
    let mut memory = vec![0_u8; bytes.len() + 16];
    let (mut borrowed, mut refused) = (0, 0);
    for shift in 0..16 {
        memory[shift..shift + bytes.len()].copy_from_slice(&bytes);
        let bytes = &memory[shift..shift + bytes.len()];
        match from_slice::<&[u32]>(bytes) {
            Ok(values) => {
                assert_eq!(values, [1, 2, 3]);
                borrowed += 1;
            }
            Err(Error::Unaligned { alignment: 4, .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
        assert_eq!(*from_slice::<Cow<'_, [u32]>>(bytes).unwrap(), [1, 2, 3]);
    }
    assert_eq!((borrowed, refused), (4, 12));
}

#[test]
fn a_long_length_that_lies_costs_little() {
    for claim in [u32::MAX - 1, 1 << 30, 1 << 20] {
        let bytes = claim.to_le_bytes();
        assert!(matches!(from_slice::<Vec<u64>>(&bytes), Err(Error::UnexpectedEnd { .. })));
        assert!(matches!(from_slice::<String>(&bytes), Err(Error::UnexpectedEnd { .. })));
        assert!(from_slice::<Vec<String>>(&bytes).is_err());
        assert!(from_slice::<HashMap<u8, u8>>(&bytes).is_err());
        let limits = Limits { bytes: 1 << 20, ..Limits::default() };
        assert!(deserialize_with::<Vec<u64>, _>(&mut IoReader(&bytes[..]), limits).is_err());
        assert!(deserialize_with::<Vec<String>, _>(&mut IoReader(&bytes[..]), limits).is_err());
    }
    assert!(matches!(from_slice::<Vec<()>>(&[255, 255, 255, 254]), Err(Error::ItemLimit { .. })));
}
