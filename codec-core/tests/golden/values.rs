//! Section 1: one test for each row of the table of types, and for the paragraphs below it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use podwire_codec_core::{
    Blob, Bulk, Decode, Encode, Error, Limits, Reader, Result, SharedStr, Writer, encoded_len, from_slice,
    from_slice_with, to_vec,
};

use super::{golden, hex, refused};

/// Row 1.
#[test]
fn numbers_are_their_bytes_little_endian() {
    golden(&0x12_u8, "12");
    golden(&0x1234_u16, "3412");
    golden(&0x1234_5678_u32, "78563412");
    golden(&0x0102_0304_0506_0708_u64, "0807060504030201");
    golden(&0x0102_0304_0506_0708_090A_0B0C_0D0E_0F10_u128, "100F0E0D0C0B0A090807060504030201");
    golden(&-2_i8, "FE");
    golden(&-2_i16, "FEFF");
    golden(&-2_i32, "FEFFFFFF");
    golden(&-2_i64, "FEFFFFFFFFFFFFFF");
    golden(&-2_i128, "FEFFFFFF FFFFFFFF FFFFFFFF FFFFFFFF");
    golden(&1.0_f32, "0000803F");
    golden(&-2.0_f64, "00000000 000000C0");
    golden(&-0.0_f32, "00000080");
}

/// Row 1: "a float's bits as they are".
#[test]
fn a_nan_keeps_its_bits() {
    for bits in [0x7FC0_0000, 0x7F80_0001, 0xFFBF_FFFF, 0x7FFF_FFFF_u32] {
        let bytes = bits.to_le_bytes();
        assert_eq!(to_vec(&f32::from_bits(bits)).unwrap(), bytes);
        assert_eq!(from_slice::<f32>(&bytes).unwrap().to_bits(), bits);
        let many = to_vec(&vec![f32::from_bits(bits); 3]).unwrap();
        assert_eq!(many[4..], bytes.repeat(3));
        assert!(from_slice::<Vec<f32>>(&many).unwrap().iter().all(|value| value.to_bits() == bits));
    }
    for bits in [0x7FF0_0000_0000_0001, 0xFFF8_0000_0000_0123_u64] {
        let bytes = bits.to_le_bytes();
        assert_eq!(to_vec(&f64::from_bits(bits)).unwrap(), bytes);
        assert_eq!(from_slice::<(f64,)>(&bytes).unwrap().0.to_bits(), bits);
    }
}

/// Row 2.
#[test]
fn sizes_travel_as_64_bits() {
    golden(&7_usize, "0700000000000000");
    golden(&-7_isize, "F9FFFFFFFFFFFFFF");
    #[cfg(target_pointer_width = "32")]
    refused::<usize>("0000000001000000");
}

/// Row 3.
#[test]
fn a_bool_is_0_or_1() {
    golden(&false, "00");
    golden(&true, "01");
    refused::<bool>("02");
    refused::<bool>("FF");
}

/// Row 4.
#[test]
fn a_char_is_its_scalar_value_in_four_bytes() {
    golden(&'A', "41000000");
    golden(&'\u{10FFFF}', "FFFF1000");
    refused::<char>("00D80000");
    refused::<char>("00001100");
}

/// Row 5.
#[test]
fn nothing_takes_no_bytes() {
    golden(&(), "");
    golden(&PhantomData::<Vec<String>>, "");
    golden(&.., "");
    golden(&((), 1_u8, ()), "01");
}

/// Row 6.
#[test]
fn products_are_the_heads_of_their_fields_then_their_tails() {
    golden(&(1_u8, 2_u16, true, 'A'), "01 0200 01 41000000");
    golden(&[1_u16, 2, 3], "0100 0200 0300");
    golden(&[[1_u8; 2]; 2], "01 01 01 01");
    golden(&((Some(1_u8), 2_u8), Some(3_u8)), "01 02 01  01 03");
    golden(&[(String::from("a"), 1_u8), ("b".into(), 2)], "01000000 01 01000000 02  61 62");
    golden(&[vec![1_u8], vec![2, 3]], "01000000 02000000  01 0203");
}

/// Row 7.
#[test]
fn text_is_its_length_and_its_bytes() {
    let bytes = "05000000 6EC3A96565";
    golden(&String::from("néee"), bytes);
    golden::<Box<str>>(&"néee".into(), bytes);
    golden::<Rc<str>>(&"néee".into(), bytes);
    golden::<Arc<str>>(&"néee".into(), bytes);
    golden(&String::new(), "00000000");
    refused::<String>("01000000 FF");
}

/// Row 8.
#[test]
fn a_sequence_is_its_length_and_complete_elements() {
    golden::<Vec<u32>>(&vec![], "00000000");
    golden::<Box<[u16]>>(&vec![1, 2].into(), "02000000 0100 0200");
    golden::<Arc<[u16]>>(&vec![1, 2].into(), "02000000 0100 0200");
    golden::<Rc<[u16]>>(&vec![1, 2].into(), "02000000 0100 0200");
    assert_eq!(to_vec(&[1_u16, 2][..]).unwrap(), hex("02000000 0100 0200"));
    golden(&vec![Some(1_u8), None, Some(2)], "03000000  01 01  00  01 02");
    golden(&vec![(1_u8, String::from("a")), (2, "b".into())], "02000000  01 01000000 61  02 01000000 62");
    golden(&vec![[String::from("a"), "b".into()]], "01000000  01000000 01000000 61 62");
    golden(&vec![vec![1_u8], vec![]], "02000000  01000000 01  00000000");
    golden(&vec![Box::new(1_u8), Box::new(2)], "02000000 01 02");
    golden(&vec![(); 3], "03000000");
    golden(&BTreeSet::from([2_u8, 1]), "02000000 01 02");
    golden(&HashSet::from([9_u16]), "01000000 0900");
}

/// Row 9, and "a map or set in which one key stands twice is refused".
#[test]
fn a_map_is_its_length_and_its_entries_as_tuples() {
    golden(&BTreeMap::from([(1_u8, 0x0203_u16), (4, 5)]), "02000000  01 0302  04 0500");
    golden(
        &BTreeMap::from([(String::from("k"), vec![7_u8]), ("l".into(), vec![])]),
        "02000000  01000000 01000000 6B 07  01000000 00000000 6C",
    );
    golden(&HashMap::from([(1_u8, Some(2_u8))]), "01000000  01 01 02");
    refused::<BTreeMap<u8, u8>>("02000000 0101 0102");
    refused::<HashMap<u8, u8>>("02000000 0101 0102");
    refused::<BTreeSet<u8>>("02000000 01 01");
    refused::<HashSet<u8>>("02000000 01 01");
}

/// "The order of entries of hash maps is not specified; readers accept any."
#[test]
fn entries_are_accepted_in_any_order() {
    let bytes = hex("02000000  04 0500  01 0302");
    assert_eq!(from_slice::<BTreeMap<u8, u16>>(&bytes).unwrap(), BTreeMap::from([(1, 0x0203), (4, 5)]));
    assert_eq!(from_slice::<HashMap<u8, u16>>(&bytes).unwrap(), HashMap::from([(1, 0x0203), (4, 5)]));
    assert_eq!(from_slice::<BTreeSet<u8>>(&hex("02000000 02 01")).unwrap(), BTreeSet::from([1, 2]));
}

/// Row 10.
#[test]
fn an_option_is_a_tag_and_a_complete_value() {
    golden(&None::<u16>, "00");
    golden(&Some(String::from("x")), "01  01000000 78");
    golden(&Some(Some(1_u8)), "01  01  01");
    golden(&Some(None::<u8>), "01  00");
    golden(&Some(()), "01");
    refused::<Option<u8>>("02 00");
}

/// Row 12.
#[test]
fn pointers_stand_wholly_in_the_tail() {
    golden(&Box::new(5_u16), "0500");
    golden(&Rc::new(5_u16), "0500");
    golden(&Arc::new(5_u16), "0500");
    golden(&(Box::new((1_u8, String::from("a"))), 2_u8), "02  01 01000000 61");
    golden(&vec![Box::new(1_u16), Box::new(2)], "02000000 0100 0200");
}

/// Row 13.
#[test]
fn references_and_cows_are_what_they_refer_to() {
    assert_eq!(to_vec(&&5_u16).unwrap(), hex("0500"));
    assert_eq!(to_vec(&(&"a", &7_u8)).unwrap(), hex("01000000 07 61"));
    let text: Cow<'_, str> = Cow::Borrowed("a");
    assert_eq!(to_vec(&(text, 7_u8)).unwrap(), hex("01000000 07 61"));
    let numbers: Cow<'_, [u16]> = Cow::Owned(vec![1, 2]);
    assert_eq!(to_vec(&(numbers, 7_u8)).unwrap(), hex("02000000 07 0100 0200"));

    let bytes = hex("01000000 07 61");
    assert_eq!(from_slice::<(&str, u8)>(&bytes).unwrap(), ("a", 7));
    assert_eq!(from_slice::<(&[u8], u8)>(&bytes).unwrap(), (&b"a"[..], 7));
    assert_eq!(from_slice::<(Cow<'_, str>, u8)>(&bytes).unwrap(), (Cow::Borrowed("a"), 7));
}

/// Row 14 and "`Bulk<T>`".
#[test]
fn bulk_has_a_place_and_eight_bytes_of_length() {
    golden(&Bulk::from(vec![0.5_f32]), "00 0100000000000000 0000003F");
    golden(&Bulk::<u8>::default(), "00 0000000000000000");
    refused::<Bulk<u8>>("02 0000000000000000");
    refused::<Bulk<u8>>("01 0000000000000000 00000000");
}

/// The last row: "whatever it writes", wholly in the tail.
#[test]
fn a_hand_written_codec_has_no_head() {
    #[derive(Debug, PartialEq)]
    struct Pair(u8, u16);
    impl Encode for Pair {
        fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
            writer.encode(&self.1)?;
            writer.encode(&self.0)
        }
    }
    impl<'de> Decode<'de> for Pair {
        fn decode(reader: &mut Reader<'de>) -> Result<Self> {
            let second = reader.decode()?;
            Ok(Self(reader.decode()?, second))
        }
    }
    golden(&Pair(1, 2), "0200 01");
    golden(&(Pair(1, 2), 9_u8), "09 0200 01");
    golden(&[Pair(1, 2), Pair(3, 4)], "0200 01 0400 03");
    golden(&vec![Pair(1, 2), Pair(3, 4)], "02000000 0200 01 0400 03");
    golden(&Some(Pair(1, 2)), "01 0200 01");
}

/// "*Length*: a length of `u32::MAX` or more is written as `FF FF FF FF`, and its value follows in eight bytes at
/// the start of the type's tail."
#[test]
#[cfg(target_pointer_width = "64")]
fn a_long_length_follows_in_the_tail() {
    let longest = u32::MAX as usize;
    assert_eq!(to_vec(&vec![(); longest - 1]).unwrap(), hex("FEFFFFFF"));
    assert_eq!(to_vec(&vec![(); longest]).unwrap(), hex("FFFFFFFF FFFFFFFF 00000000"));
    assert_eq!(to_vec(&vec![(); longest + 1]).unwrap(), hex("FFFFFFFF 00000000 01000000"));
    assert_eq!(to_vec(&(vec![(); longest], 7_u8)).unwrap(), hex("FFFFFFFF 07  FFFFFFFF 00000000"));
    let two = (vec![(); 1 << 33], String::from("a"));
    assert_eq!(to_vec(&two).unwrap(), hex("FFFFFFFF 01000000  00000000 02000000  61"));
}

/// The same for lengths that are backed by bytes. The memory is never touched, except for the first bytes.
#[test]
#[cfg(target_pointer_width = "64")]
#[cfg_attr(miri, ignore = "reserves 4 GiB")]
fn a_long_slice_is_borrowed_from_behind_its_long_length() {
    let length = u32::MAX as usize;
    let mut bytes = vec![0_u8; 4 + 8 + length];
    bytes[..12].copy_from_slice(&hex("FFFFFFFF FFFFFFFF 00000000"));
    bytes[12] = 42;
    let slice = from_slice::<&[u8]>(&bytes).unwrap();
    assert_eq!((slice.len(), slice[0]), (length, 42));
    assert_eq!(encoded_len(&slice).unwrap(), 12 + length);
    assert_eq!(encoded_len(&&slice[1..]).unwrap(), 4 + length - 1);
}

/// "The short form must be used where it can be; a reader refuses the long one there."
#[test]
fn a_short_length_in_the_long_form_is_refused() {
    for length in [0, 1, 3, u64::from(u32::MAX) - 1, 1 << 63, u64::MAX] {
        let bytes = [&hex("FFFFFFFF")[..], &length.to_le_bytes(), b"abc"].concat();
        let limits = Limits { bytes: u64::MAX, items: u64::MAX, depth: 8 };
        macro_rules! refuse {
            ($($type:ty)+) => {$(
                let error = from_slice_with::<$type>(&bytes, limits).unwrap_err();
                assert!(
                    matches!(error, Error::InvalidLength { found, offset: 12 } if found == length),
                    "{}: {error:?}",
                    stringify!($type)
                );
            )+};
        }
        refuse!(String &str &[u8] Vec<u8> Vec<()> Vec<String> BTreeMap<u8, u8> HashSet<u8> Box<[u16]>);
    }
}

/// "`Wrapping<T>`, `Saturating<T>`, `Reverse<T>`: as `T`."
#[test]
fn wrappers_are_what_they_wrap() {
    use std::cmp::Reverse;
    use std::num::{Saturating, Wrapping};
    golden(&Wrapping(0x0102_u16), "0201");
    golden(&Saturating(-1_i8), "FF");
    golden(&(Reverse(String::from("a")), 7_u8), "01000000 07 61");
    golden(&vec![Wrapping(1_u8), Wrapping(2)], "02000000 01 02");
}

/// "`NonZero<T>`, atomics: as the number; zero is refused for `NonZero`." Hostile case 20.
#[test]
fn numbers_with_a_niche_and_atomics_are_numbers() {
    use std::num::NonZero;
    use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
    golden(&NonZero::new(7_u16).unwrap(), "0700");
    golden(&NonZero::new(-1_i64).unwrap(), "FFFFFFFFFFFFFFFF");
    golden(&Some(NonZero::new(7_u8).unwrap()), "01 07");
    golden(&vec![NonZero::new(7_u8).unwrap()], "01000000 07");
    refused::<NonZero<u8>>("00");
    refused::<NonZero<i128>>("00000000 00000000 00000000 00000000");
    refused::<NonZero<usize>>("00000000 00000000");
    refused::<Vec<NonZero<u8>>>("03000000 01 00 01");
    refused::<[NonZero<u16>; 2]>("0100 0000");
    assert_eq!(to_vec(&AtomicI32::new(-2)).unwrap(), hex("FEFFFFFF"));
    assert!(from_slice::<AtomicBool>(&[1]).unwrap().load(Ordering::SeqCst));
    refused::<AtomicBool>("02");
}

/// "`Ordering`: as `i8`: -1, 0, 1." Hostile case 20.
#[test]
fn an_ordering_is_minus_one_zero_or_one() {
    use std::cmp::Ordering;
    golden(&Ordering::Less, "FF");
    golden(&Ordering::Equal, "00");
    golden(&Ordering::Greater, "01");
    for byte in (2..=254_u8).map(|byte| format!("{byte:02X}")) {
        refused::<Ordering>(&byte);
    }
}

/// "`Duration`: seconds, and less than 10^9 nanoseconds"; "`SystemTime`: rounded down". Hostile case 20.
#[test]
fn time_is_seconds_and_nanoseconds() {
    use std::time::{Duration, SystemTime};
    golden(&Duration::new(2, 999_999_999), "0200000000000000 FFC99A3B");
    golden(&Duration::MAX, "FFFFFFFFFFFFFFFF FFC99A3B");
    refused::<Duration>("0200000000000000 00CA9A3B");
    refused::<Duration>("FFFFFFFFFFFFFFFF FFFFFFFF");
    golden(&SystemTime::UNIX_EPOCH, "0000000000000000 00000000");
    golden(&(SystemTime::UNIX_EPOCH + Duration::new(1, 5)), "0100000000000000 05000000");
    golden(&(SystemTime::UNIX_EPOCH - Duration::new(0, 1)), "FFFFFFFFFFFFFFFF FFC99A3B");
    golden(&(SystemTime::UNIX_EPOCH - Duration::new(3, 0)), "FDFFFFFFFFFFFFFF 00000000");
    refused::<SystemTime>("0000000000000000 00CA9A3B");
    // The extremes are times or errors, and no panic.
    for seconds in ["0000000000000080", "FFFFFFFFFFFFFF7F"] {
        for nanoseconds in ["00000000", "FFC99A3B"] {
            let bytes = hex(&format!("{seconds} {nanoseconds}"));
            if let Ok(time) = from_slice::<SystemTime>(&bytes) {
                assert_eq!(to_vec(&time).unwrap(), bytes);
            }
        }
    }
}

/// The rows of addresses.
#[test]
fn addresses_stand_in_network_order() {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
    let (four, six) = (Ipv4Addr::new(192, 168, 0, 1), Ipv6Addr::LOCALHOST);
    golden(&four, "C0A80001");
    golden(&six, "00000000 00000000 00000000 00000001");
    golden(&SocketAddrV4::new(four, 80), "C0A80001 5000");
    let socket = SocketAddrV6::new(six, 80, 1, 2);
    golden(&socket, "00000000 00000000 00000000 00000001 5000 01000000 02000000");
    golden(&(IpAddr::V4(four), 7_u8), "00 07 C0A80001");
    golden(&SocketAddr::V6(socket), "01 00000000 00000000 00000000 00000001 5000 01000000 02000000");
    refused::<IpAddr>("02 C0A80001");
}

/// The rows of ranges and of `Result`.
#[test]
fn ranges_are_structs_and_results_are_enums() {
    golden(&(1_u8..3), "01 03");
    golden(&(1_u8..=3), "01 03");
    golden(&(1_u16..), "0100");
    golden(&(..3_u16), "0300");
    golden(&(..=3_u16), "0300");
    golden(&(String::from("a")..String::from("b")), "01000000 01000000 61 62");
    golden(&(Ok::<u8, String>(5), 7_u8), "00 07 05");
    golden(&Err::<u8, _>(String::from("x")), "01 01000000 78");
    refused::<std::result::Result<u8, u8>>("02 00");
}

/// The row of paths: text, complete, in the tail.
#[test]
fn paths_are_text_in_the_tail() {
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};
    golden(&(PathBuf::from("/a"), 7_u8), "07 02000000 2F61");
    golden(&OsString::from("a"), "01000000 61");
    assert_eq!(to_vec(Path::new("/a")).unwrap(), hex("02000000 2F61"));
    refused::<PathBuf>("01000000 FF");
}

/// Queues and heaps are sequences.
#[test]
fn queues_and_heaps_are_sequences() {
    use std::collections::{BinaryHeap, VecDeque};
    golden(&VecDeque::from([1_u16, 2]), "02000000 0100 0200");
    let mut turned = VecDeque::from([2_u16, 3]);
    turned.push_front(1);
    golden(&turned, "03000000 0100 0200 0300");
    let heap = from_slice::<BinaryHeap<u8>>(&hex("03000000 01 03 02")).unwrap();
    assert_eq!(heap.into_sorted_vec(), [1, 2, 3]);
    assert_eq!(to_vec(&BinaryHeap::from([7_u8])).unwrap(), hex("01000000 07"));
}

#[test]
fn a_complex_number_is_its_real_and_its_imaginary_part() {
    golden(&num_complex::Complex::new(1.0_f32, -2.0), "0000803F 000000C0");
    golden(&num_complex::Complex::new(0.0_f64, 1.0), "0000000000000000 000000000000F03F");
    golden(&vec![num_complex::Complex::new(1.0_f32, -2.0)], "01000000 0000803F 000000C0");
}

#[test]
fn shared_text_is_text_and_a_blob_is_a_sequence_of_bytes() {
    golden(&SharedStr::from("pod"), "03000000 706F64");
    golden(&Blob::from(vec![1, 2]), "02000000 01 02");
}
