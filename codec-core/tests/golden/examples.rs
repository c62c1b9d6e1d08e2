//! Section 1, "Examples": the table, line by line.

use podwire_codec_core::{Bulk, Codec, Gather, endpoint::Capabilities, from_slice, serialize, to_vec};

use super::{golden, hex};

#[test]
fn numbers_and_tuples() {
    golden(&258_u16, "02 01");
    golden(&(1_u8, 2_u32), "01 02000000");
}

#[test]
fn text_and_vectors() {
    golden(&String::from("pod"), "03000000 706F64");
    assert_eq!(to_vec("pod").unwrap(), hex("03000000 706F64"));
    assert_eq!(from_slice::<&str>(&hex("03000000 706F64")).unwrap(), "pod");
    golden(&vec![1_u16, 2], "02000000 0100 0200");
}

#[test]
fn a_tuple_with_text_has_all_heads_before_all_tails() {
    let value = (String::from("a"), 7_u8, String::from("bc"));
    golden(&value, "01000000 07 02000000  61 6263");
    assert_eq!(to_vec(&("a", 7_u8, "bc")).unwrap(), hex("01000000 07 02000000  61 6263"));
}

#[test]
fn a_vector_of_text_has_complete_elements() {
    golden(&vec![String::from("a"), "bc".into()], "02000000  01000000 61  02000000 6263");
}

#[test]
fn an_array_of_text_has_heads_and_tails() {
    golden(&[String::from("a"), "bc".into()], "01000000 02000000  61 6263");
}

#[test]
fn options_stand_in_the_head_and_their_values_in_the_tail() {
    golden(&Some(5_u16), "01 0500");
    golden(&(Some(5_u16), 9_u8), "01 09 0500");
}

#[test]
fn a_box_stands_in_the_tail() {
    golden(&(Box::new(5_u16), 9_u8), "09 0500");
}

#[test]
fn bulk_elements_travel_inline_or_as_the_number_of_a_segment() {
    let value = Bulk::from(vec![1_u16, 2]);
    golden(&value, "00 0200000000000000 0100 0200");

    let every = Capabilities { segments: 8, threshold: 0 };
    let mut gather = Gather::with_capabilities(every);
    for other in 0..4_u16 {
        serialize(&Bulk::from(vec![other]), &mut gather).unwrap();
    }
    let before = gather.packed().len();
    serialize(&value, &mut gather).unwrap();
    assert_eq!(gather.packed()[before..], hex("01 0200000000000000 04000000"));
    for other in 0..4_u16 {
        assert_eq!(*Bulk::<u16>::deserialize(&mut gather).unwrap(), [other]);
    }
    assert_eq!(*Bulk::<u16>::deserialize(&mut gather).unwrap(), [1, 2]);
}
