//! Hostile schemas with hostile bytes: a typed error or a value, in bounded memory, time and stack.

use podwire_codec_core::schema::Schema;
use podwire_codec_core::{Error, IoReader, Limits, Reader};
use proptest::prelude::*;

use crate::common::{Drip, List, Random};
use crate::texts::random_text;

const SMALL: Limits = Limits { bytes: 1 << 20, items: 4_096, depth: 32 };

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 1_000 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn case_04_any_bytes_under_any_schema_are_an_error_or_a_value(seed in 1..u64::MAX) {
        let mut random = Random(seed);
        let text = random_text(&mut random);
        let schema: Schema = text.parse().unwrap();
        for _ in 0..8 {
            // Small numbers as often as any, so that lengths and tags are sometimes right.
            let length = random.below(80);
            let mut bytes = random.bytes(length);
            for byte in &mut bytes {
                if random.below(2) == 0 {
                    *byte = random.below(3) as u8;
                }
            }
            let mut reader = Reader::from_slice_with(&bytes, SMALL);
            let found = schema.decode(&mut reader);
            let end = reader.offset();
            if let Ok(value) = &found {
                prop_assert!(value.to_string().len() < 400_000);
                let lines = format!("{value:#}");
                prop_assert!(lines.len() < 1_000_000);
                let mut reader = Reader::from_slice_with(&bytes, SMALL);
                schema.skip(&mut reader).unwrap();
                prop_assert_eq!(reader.offset(), end, "{}", text);
                let mut stream = IoReader(Drip::new(&bytes));
                let streamed = schema.decode(&mut Reader::from_endpoint(&mut stream, SMALL)).unwrap();
                // Not by equality: a NaN is not equal to itself.
                prop_assert_eq!(streamed.to_string(), value.to_string());
            } else {
                let mut stream = IoReader(&bytes[..]);
                prop_assert!(schema.decode(&mut Reader::from_endpoint(&mut stream, SMALL)).is_err());
            }
        }
    }
}

#[track_caller]
fn refused(schema: &str, bytes: &[u8]) -> Error {
    let schema: Schema = schema.parse().unwrap();
    let mut stream = IoReader(bytes);
    schema.decode(&mut Reader::from_endpoint(&mut stream, SMALL)).unwrap_err();
    schema.decode(&mut Reader::from_slice_with(bytes, SMALL)).unwrap_err()
}

#[test]
fn case_06_lengths_that_lie_are_an_unexpected_end() {
    let long = [&[0xFF; 4][..], &u64::MAX.to_le_bytes()].concat();
    for schema in
        ["text", "[u8]", "[u128]", "[text]", "{u8:text}", "[?u8]", "bulk[f32]", "[struct{a:text,b:u8}]"]
    {
        refused(schema, &long);
        refused(schema, &[0xFE, 0xFF, 0xFF, 0xFF]);
        refused(schema, &[&[0xFF; 4][..], &(1_u64 << 40).to_le_bytes()].concat());
    }
    assert!(matches!(refused("[[u8;1099511627776];1048576]", &[0; 100]), Error::UnexpectedEnd { .. }));
    assert!(matches!(refused("[[u8;1099511627776]]", &[255, 255, 255, 0, 0]), Error::InvalidLength { .. }));
    assert!(matches!(refused("pod(9223372036854775807)", &[0; 100]), Error::UnexpectedEnd { .. }));
    refused("bulk[[u8;9223372036854775807]]", &[&[0][..], &u64::MAX.to_le_bytes()].concat());
    refused("bulk[[u8;9223372036854775807]]", &[&[1][..], &u64::MAX.to_le_bytes(), &[0; 4]].concat());
    refused("bulk[text]", &[&[0][..], &1_u64.to_le_bytes(), &[0; 4]].concat());
}

/// The elements of a bulk are heads alone: where there can be a tail there is no value, not even an empty one.
#[test]
fn a_bulk_of_elements_that_can_have_a_tail_has_no_value() {
    for element in [
        "[u8]",
        "text",
        "?u8",
        "*u8",
        "{u8:u8}",
        "bulk[u8]",
        "[text;2]",
        "struct{a:u8,b:[u8]}",
        "enum8{A=0{a:u8}}",
    ] {
        for (place, count) in [(0, 0_u64), (0, 1), (1, 0), (1, 1)] {
            let bytes = [&[place][..], &count.to_le_bytes(), &[0; 16]].concat();
            let schema = format!("bulk[{element}]");
            let error = refused(&schema, &bytes);
            assert!(
                matches!(error, Error::InvalidLength { offset: 9, found } if found == count),
                "{schema}: {error:?}"
            );
            schema.parse::<Schema>().unwrap().skip(&mut Reader::from_slice(&bytes)).unwrap_err();
        }
    }
    for (element, bytes, value) in
        [("[u8;2]", &[1, 2][..], "[[1, 2]]"), ("enum8{A=7{}}", &[7], "[A]"), ("[text;0]", &[], "[[]]")]
    {
        let bytes = [&[0][..], &1_u64.to_le_bytes(), bytes].concat();
        let schema: Schema = format!("bulk[{element}]").parse().unwrap();
        assert_eq!(schema.from_slice(&bytes).unwrap().to_string(), value, "{schema}");
    }
}

#[test]
fn case_10_elements_without_bytes_count() {
    let many = [0xFF, 0xFF, 0xFF, 0x7F];
    for schema in ["[struct{}]", "[*struct{}]", "[[*struct{};3]]", "{struct{}:*struct{}}", "[[u8;0]]"] {
        assert!(matches!(refused(schema, &many), Error::ItemLimit { .. }), "{schema}");
    }
    for schema in ["[struct{};1152921504606846976]", "[*struct{};1152921504606846976]"] {
        assert!(matches!(refused(schema, &[]), Error::ItemLimit { .. }), "{schema}");
    }
    let nothings = "a:*struct{},".repeat(5_000);
    let schema = format!("struct{{{nothings}z:u8}}");
    assert!(matches!(refused(&schema, &[1]), Error::ItemLimit { .. }));
    let nothings = "a:struct{},".repeat(100);
    let schema = format!("[struct{{{nothings}z:bool}}]");
    let bools = [&1_000_u32.to_le_bytes()[..], &[1; 1_000]].concat();
    assert!(
        matches!(refused(&schema, &bools), Error::ItemLimit { .. }),
        "what nothing backs is not looked at for ever"
    );
}

#[test]
fn case_12_a_value_is_charged_for_the_memory_that_it_takes() {
    // Each `none` of one byte is a whole value in memory.
    let bytes = [&100_000_u32.to_le_bytes()[..], &vec![0; 100_000]].concat();
    assert!(matches!(refused("[?u8]", &bytes), Error::ByteLimit { .. }));
    let entries = [&50_000_u32.to_le_bytes()[..], &vec![0; 100_000]].concat();
    assert!(matches!(refused("{u8:?u8}", &entries), Error::ByteLimit { .. }));
    let large = vec![7; 2 << 20];
    assert!(matches!(refused(&format!("[u8;{}]", 2 << 20), &large), Error::ByteLimit { .. }));
}

/// A schema may hold itself where no container stands between, which no Rust type can: it is counted all the same.
#[test]
fn case_13_any_depth_is_an_error_on_a_small_stack() {
    let frames = if cfg!(debug_assertions) { 8 } else { 1 };
    let deep = |schema: &str, bytes: Vec<u8>| {
        let schema: Schema = schema.parse().unwrap();
        std::thread::Builder::new()
            .stack_size(256 * frames * 1024)
            .spawn(move || {
                let limits = Limits::default();
                let errors = [
                    schema.decode(&mut Reader::from_slice_with(&bytes, limits)).map(drop),
                    schema.decode(&mut Reader::from_endpoint(&mut IoReader(&bytes[..]), limits)).map(drop),
                    schema.skip(&mut Reader::from_slice_with(&bytes, limits)),
                    schema.skip(&mut Reader::from_endpoint(&mut IoReader(&bytes[..]), limits)),
                ];
                for error in errors {
                    assert!(matches!(error, Err(Error::DepthLimit { .. })), "{error:?}");
                }
            })
            .unwrap()
            .join()
            .unwrap();
    };
    deep("struct{value:u8,next:?*^0}", List::bytes(100_000));
    deep("struct{next:?^0}", vec![1; 100_000]);
    deep("struct{next:*^0}", vec![]);
    deep("enum8{A=1{a:^0}}", vec![1; 100_000]);
    deep("struct{next:[^0]}", [1, 0, 0, 0].repeat(100_000));
    deep("struct{next:{u8:^0}}", [1, 0, 0, 0, 7].repeat(100_000));
    deep("struct{next:[?^0;1]}", vec![1; 100_000]);
    // Every level of the schema within every level of the value.
    let wide = format!("{}?*^99{}", "struct{a:".repeat(100), "}".repeat(100));
    deep(&wide, vec![1; 100_000]);
    let wide = format!("{}[^59]{}", "struct{a:?".repeat(60), "}".repeat(60));
    deep(&wide, [&[1; 60][..], &[1, 0, 0, 0]].concat().repeat(1_000));
}

#[test]
fn case_13_the_full_default_depth_can_be_read() {
    let frames = if cfg!(debug_assertions) { 8 } else { 1 };
    std::thread::Builder::new()
        .stack_size(256 * frames * 1024)
        .spawn(|| {
            let schema: Schema = "struct{value:u8,next:?*^0}".parse().unwrap();
            schema.from_slice(&List::bytes(128)).unwrap();
            assert!(matches!(schema.from_slice(&List::bytes(129)), Err(Error::DepthLimit { .. })));
            let schema: Schema = "struct{kids:[^0]}".parse().unwrap();
            let bytes = [&[1, 0, 0, 0].repeat(128)[..], &[0; 4]].concat();
            schema.from_slice(&bytes).unwrap();
        })
        .unwrap()
        .join()
        .unwrap();
}

/// Hostile case 15: an unknown deep value within another value is passed over.
#[test]
fn case_15_a_deep_value_within_a_value_is_skipped() {
    let schema: Schema = "struct{value:u8,next:?*^0}".parse().unwrap();
    let bytes = [&List::bytes(100)[..], b"next"].concat();
    let mut reader = Reader::from_slice(&bytes);
    schema.skip(&mut reader).unwrap();
    assert_eq!(reader.borrow(4).unwrap(), b"next");
    let mut stream = IoReader(&bytes[..]);
    schema.skip(&mut Reader::from_endpoint(&mut stream, Limits::default())).unwrap();
    assert_eq!(stream.0, b"next");
}

#[test]
fn case_16_to_21_what_is_no_value_is_refused_where_it_stands() {
    for (schema, bytes, at) in [
        ("bool", &[2][..], 0),
        ("[bool]", &[2, 0, 0, 0, 1, 2], 5),
        ("[struct{a:u8,b:bool}]", &[2, 0, 0, 0, 9, 1, 9, 7], 7),
        ("[[bool;2]]", &[1, 0, 0, 0, 1, 9], 5),
        ("char", &[0, 0xD8, 0, 0], 0),
        ("[char]", &[1, 0, 0, 0, 0, 0, 0x11, 0], 4),
    ] {
        let error = refused(schema, bytes);
        let Error::InvalidValue { offset, .. } = error else { panic!("{schema}: {error:?}") };
        assert_eq!(offset, at, "{schema}");
    }
    for (schema, bytes, at) in [
        ("enum8{A=0{}}", &[1][..], 0),
        ("enum16{A=300{}}", &[0x2D, 1], 0),
        ("[enum8{A=0{}}]", &[2, 0, 0, 0, 0, 1], 5),
        ("struct{a:u8,b:enum8{A=1{x:text}}}", &[1, 2], 1),
        ("?u8", &[2], 0),
    ] {
        let error = refused(schema, bytes);
        let Error::UnknownTag { offset, .. } = error else { panic!("{schema}: {error:?}") };
        assert_eq!(offset, at, "{schema}");
    }
    assert!(matches!(refused("text", &[1, 0, 0, 0, 0xFF]), Error::InvalidUtf8 { .. }));
    assert!(matches!(refused("bulk[u8]", &[2, 0, 0, 0, 0, 0, 0, 0, 0]), Error::UnknownTag { offset: 0, .. }));
}

/// An empty array has a fixed size, whatever it would be of; written whole from within, it would have the types around
/// it in it, once for each reference, and so on for each of these.
#[test]
fn elements_of_empty_arrays_of_the_types_around_them_say_at_once_what_they_are() {
    let levels = 38;
    let (open, inner) = ("struct{n:?*".repeat(levels), ",a:?*^1,b:?*^1,c:?*^1}".repeat(levels - 1));
    let schema: Schema = format!("{open}[[?*^0;0]]{inner},a:?*^0,b:?*^0,c:?*^0}}").parse().unwrap();
    // The heads of the rows are read before what is behind their pointers: the innermost row ends in a length.
    let mut input = Vec::new();
    for _ in 0..levels {
        input.extend([1, 0, 0, 0]);
    }
    input.extend(3_u32.to_le_bytes());
    let value = schema.from_slice(&input).unwrap();
    let mut at = &value;
    while let Some(inner) = at.get("n") {
        at = inner;
    }
    let elements = at.as_elements().unwrap();
    assert_eq!(elements.len(), 3);
    assert!(elements.element().len() < 2 * schema.text().len());
    assert!(elements == elements && at.as_bytes().is_none());
    assert!(format!("{at:?}").len() < 4 * schema.text().len());
}
