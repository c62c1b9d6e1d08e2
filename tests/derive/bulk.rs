//! Types whose memory is their encoding are found at compile time.

use podwire::Codec;

use crate::support::{facts, golden, round};

#[derive(Debug, PartialEq, Clone, Codec)]
struct Triangle {
    normal: [f32; 3],
    a: [f32; 3],
    b: [f32; 3],
    c: [f32; 3],
}

const TRIANGLE: Triangle =
    Triangle { normal: [0.0, 0.0, 1.0], a: [1.0, 2.0, 3.0], b: [4.0, 5.0, 6.0], c: [7.0, 8.0, 9.0] };

#[test]
fn twelve_floats_are_plain_without_repr_c() {
    let found = facts::<Triangle>();
    assert!(found.bulk && found.plain && !found.tail);
    assert_eq!(found.head, 48);
    let numbers = [0.0, 0.0, 1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0_f32];
    let bytes: Vec<u8> = numbers.into_iter().flat_map(f32::to_le_bytes).collect();
    golden(&TRIANGLE, &bytes);
    round(&vec![TRIANGLE; 100]);
    round(&[TRIANGLE, TRIANGLE]);
}

#[derive(Debug, PartialEq, Clone, Copy, Codec)]
struct Pair<A, B> {
    a: A,
    b: B,
}

#[test]
fn a_generic_type_is_plain_where_its_parameters_leave_no_padding() {
    assert!(facts::<Pair<u32, u32>>().plain);
    assert!(facts::<Pair<Pair<u8, u8>, u16>>().plain);
    assert!(facts::<Pair<[u16; 4], ()>>().plain);
    assert!(!facts::<Pair<u8, u32>>().bulk, "padding");
    assert!(!facts::<Pair<u32, String>>().bulk, "a tail");
    assert!(!facts::<Pair<u32, Option<u8>>>().bulk, "a tail");
    round(&Pair { a: 1_u8, b: 2_u32 });
    round(&vec![Pair { a: 1_u8, b: 2_u32 }; 2_000]);
}

#[derive(Debug, PartialEq, Clone, Codec)]
struct Checked {
    flag: bool,
    number: u8,
}

#[test]
fn a_type_with_invalid_bit_patterns_goes_out_as_memory_and_is_checked_on_the_way_in() {
    let found = facts::<Checked>();
    assert!(found.bulk && !found.plain);
    golden(&vec![Checked { flag: true, number: 7 }], &[1, 0, 0, 0, 1, 7]);
    assert!(podwire::from_slice::<Vec<Checked>>(&[1, 0, 0, 0, 2, 7]).is_err());
}

#[derive(Debug, PartialEq, Clone, Codec)]
#[repr(C)]
struct OutOfOrder {
    small: u8,
    large: u32,
    word: u16,
}

#[derive(Debug, PartialEq, Clone, Codec)]
struct Reordered {
    small: u8,
    large: u64,
    other: u8,
}

#[test]
fn padding_and_another_order_in_memory_never_reach_the_wire() {
    assert!(!facts::<OutOfOrder>().bulk && !facts::<Reordered>().bulk);
    golden(&OutOfOrder { small: 1, large: 2, word: 3 }, &[1, 2, 0, 0, 0, 3, 0]);
    golden(&vec![Reordered { small: 1, large: 2, other: 3 }], &[1, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 3]);
}

#[derive(Debug, PartialEq, Clone, Copy, Codec)]
struct Token(());

#[derive(Debug, PartialEq, Codec)]
struct Skips {
    number: u32,
    #[codec(skip)]
    unit: (),
}

#[test]
fn a_skipped_field_makes_a_struct_no_memory_copy_even_if_it_has_no_size() {
    assert!(!facts::<Skips>().bulk);
    golden(&Skips { number: 1, unit: () }, &[1, 0, 0, 0]);
    assert!(facts::<Pair<u32, Token>>().plain);
}

#[derive(Debug, PartialEq, Clone, Copy, Codec)]
#[repr(C, packed)]
struct Packed {
    small: u8,
    large: u64,
}

#[test]
fn a_packed_struct_is_plain() {
    assert!(facts::<Packed>().plain);
    round(&vec![Packed { small: 1, large: 2 }; 3]);
}

#[derive(Debug, PartialEq, Codec)]
struct Mixed {
    id: u16,
    triangle: Triangle,
    name: String,
    flag: bool,
}

#[test]
fn plain_parts_of_another_struct_keep_their_bytes() {
    let value = Mixed { id: 1, triangle: TRIANGLE, name: "n".into(), flag: true };
    let found = facts::<Mixed>();
    assert!(!found.bulk && found.tail);
    assert_eq!(found.head, 2 + 48 + 4 + 1);
    round(&value);
}

#[derive(Debug, PartialEq, Codec)]
struct Large {
    numbers: [u64; 1_000],
    flags: [bool; 3],
}

#[test]
fn a_struct_with_a_large_head_comes_back() {
    let mut numbers = [0; 1_000];
    numbers.iter_mut().zip(1..).for_each(|(number, value)| *number = value);
    let value = Large { numbers, flags: [true, false, true] };
    let bytes = podwire::to_vec(&value).unwrap();
    assert_eq!(bytes.len(), 8_003);
    assert_eq!(podwire::from_slice::<Large>(&bytes).unwrap(), value);
    assert_eq!(Large::deserialize(&mut podwire::IoReader(&bytes[..])).unwrap(), value);
}
