//! Values of the standard library's types come back as they went.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::ffi::OsString;
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZero, Saturating, Wrapping};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, atomic::AtomicU32};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use podwire_codec_core::{
    Buffer, Codec, Endpoint, Error, IoReader, IoWriter, Limits, SliceReader, SliceWriter, Writer,
    deserialize_with, encoded_len, from_prefix, from_slice, serialize, to_vec, to_writer,
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

    // Under Miri a few prefixes stand for all.
    for length in (0..bytes.len()).step_by(if cfg!(miri) { 1 + bytes.len() / 4 } else { 1 }) {
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
    for length in (0..200).step_by(if cfg!(miri) { 31 } else { 1 }) {
        round(&"x".repeat(length));
        round(&format!("{}é", "y".repeat(length)));
    }
}

#[test]
fn sequences_come_back() {
    round(&vec![1_u16; 3_000]);
    round(&vec![true; 5_000]);
    round(&vec![(1_u8, 2_u32); 5_00]);
    round(&vec![[(1_u8, 2_u32); 1_000]; 3]); // each head is larger than what is checked at once
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
fn the_rest_of_the_standard_library_comes_back() {
    round(&Duration::new(5, 999_999_999));
    round(&UNIX_EPOCH);
    round(&(UNIX_EPOCH - Duration::from_nanos(1)));
    round(&(UNIX_EPOCH - Duration::from_secs(5)));
    round(&SystemTime::now());
    round(&NonZero::<u16>::MAX);
    round(&NonZero::<i128>::MIN);
    round(&[Ordering::Less, Ordering::Equal, Ordering::Greater]);
    round(&(Wrapping(3_u8), Saturating(4_i16), Reverse(String::from("r"))));
    round(&IpAddr::V4(Ipv4Addr::LOCALHOST));
    round(&SocketAddr::from(([1_u16; 8], 443)));
    round(&SocketAddr::from(([127, 0, 0, 1], 80)));
    round(&(1_u8..5, 2_i32..=7, 3_u64.., ..4_u8, ..=5_i8));
    round(&(String::from("a")..String::from("b")));
    round(&vec![Ok(1_u8), Err(String::from("no"))]);
    round(&PathBuf::from("/a/b"));
    round(&OsString::from("c"));
    round(&VecDeque::from([1_u32, 2, 3]));
    let heap = from_slice::<BinaryHeap<u8>>(&to_vec(&BinaryHeap::from([3_u8, 9, 1])).unwrap()).unwrap();
    assert_eq!(heap.into_sorted_vec(), [1, 3, 9]);
    let atomic = from_slice::<AtomicU32>(&to_vec(&AtomicU32::new(7)).unwrap()).unwrap();
    assert_eq!(atomic.into_inner(), 7);
}

#[test]
fn what_is_no_value_of_a_narrower_type_is_refused() {
    assert!(matches!(from_slice::<NonZero<u8>>(&[0]), Err(Error::OutOfRange { offset: 0, .. })));
    assert!(matches!(from_slice::<Ordering>(&[2]), Err(Error::OutOfRange { .. })));
    let nanos = to_vec(&(1_u64, 1_000_000_000_u32)).unwrap();
    assert!(matches!(from_slice::<Duration>(&nanos), Err(Error::OutOfRange { .. })));
    assert!(matches!(from_slice::<SystemTime>(&nanos), Err(Error::OutOfRange { .. })));
    for seconds in [i64::MAX, i64::MIN] {
        let far = to_vec(&(seconds, 999_999_999_u32)).unwrap();
        match from_slice::<SystemTime>(&far) {
            Ok(time) => assert_eq!(to_vec(&time).unwrap(), far),
            Err(error) => assert!(matches!(error, Error::OutOfRange { .. })),
        }
    }
    assert!(matches!(from_slice::<IpAddr>(&[2, 0, 0, 0, 0]), Err(Error::UnknownTag { found: 2, .. })));
    let not_text = PathBuf::from(<OsString as std::os::unix::ffi::OsStringExt>::from_vec(vec![0xFF]));
    assert!(matches!(to_vec(&not_text), Err(Error::NotText)));
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

#[test]
fn a_wrapper_is_in_a_schema_what_it_wraps_also_within_itself() {
    /// A tree whose children stand in wrappers, if `W` does that.
    struct Tree<W>(std::marker::PhantomData<W>);
    struct Plain;
    struct Wrapped;
    macro_rules! describe {
        ($kind:ident, $child:ty) => {
            impl podwire_codec_core::Encode for Tree<$kind> {
                fn encode(&self, _: &mut podwire_codec_core::Writer<'_>) -> podwire_codec_core::Result<()> {
                    Ok(())
                }
                fn schema(
                    types: &mut podwire_codec_core::schema::SchemaBuilder,
                ) -> podwire_codec_core::schema::Node {
                    podwire_codec_core::schema::Node::Struct(vec![types.field::<Vec<$child>>("kids")])
                }
            }
        };
    }
    describe!(Plain, Tree<Plain>);
    describe!(Wrapped, Reverse<&'static Tree<Wrapped>>);
    let text = podwire_codec_core::schema::schema_of::<&Tree<Plain>>().to_string();
    assert_eq!(text, "*struct{kids:[*^0]}");
    assert_eq!(podwire_codec_core::schema::schema_of::<Reverse<&Tree<Wrapped>>>().to_string(), text);
}

#[test]
fn a_boxed_endpoint_is_an_endpoint() {
    let mut endpoint: Box<dyn Endpoint> = Box::new(Buffer::new());
    let value = vec![String::from("boxed"); 3];
    value.serialize(&mut endpoint).unwrap();
    assert_eq!(endpoint.remaining(), Some(4 + 3 * 9));
    assert_eq!(Vec::<String>::deserialize(&mut endpoint).unwrap(), value);
    assert_eq!(endpoint.remaining(), Some(0));
}

#[test]
fn a_writer_counts_what_it_wrote_before_the_endpoint_has_it() {
    let mut buffer = Buffer::new();
    let mut stream = IoWriter(Vec::new());
    for endpoint in [&mut buffer as &mut dyn Endpoint, &mut stream] {
        let mut writer = Writer::new(endpoint);
        for (length, written) in [(3, 3), (20_000, 20_003), (2, 20_005)] {
            writer.write(&vec![7; length]).unwrap();
            assert_eq!(writer.written(), written);
        }
        assert_eq!(writer.finish().unwrap(), 20_005);
    }
}
