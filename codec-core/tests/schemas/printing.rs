//! Values as text, bounded.

use podwire_codec_core::schema::{PrintLimits, Schema, schema_of};
use podwire_codec_core::{Limits, Reader, to_vec};

#[test]
fn the_form_of_many_lines_has_a_line_for_each_field() {
    let value = (1_u8, vec![(String::from("a"), vec![1_u16, 2]), (String::from("b"), vec![])], Some(2.5_f32));
    let schema: Schema =
        "struct{id:u8,rows:[struct{name:text,marks:[u16]}],gain:?f32,none:struct{}}".parse().unwrap();
    let value = schema.from_slice(&to_vec(&value).unwrap()).unwrap();
    let expected = "\
{
    id: 1,
    rows: [
        {
            name: \"a\",
            marks: [1, 2],
        },
        {
            name: \"b\",
            marks: [],
        },
    ],
    gain: 2.5,
    none: (),
}";
    assert_eq!(format!("{value:#}"), expected);
}

#[test]
fn elements_of_a_fixed_size_have_lines_unless_they_are_scalars() {
    let schema: Schema = "[struct{x:u8,on:bool}]".parse().unwrap();
    let value = schema.from_slice(&to_vec(&vec![(1_u8, true)]).unwrap()).unwrap();
    assert!(value.as_elements().is_some());
    assert_eq!(format!("{value:#}"), "[\n    {\n        x: 1,\n        on: true,\n    },\n]");
    assert_eq!(value.to_string(), "[{x: 1, on: true}]");
}

#[test]
fn a_long_sequence_says_how_many_more_there_are() {
    let value = schema_of::<Vec<u8>>().from_slice(&to_vec(&vec![7_u8; 10_000]).unwrap()).unwrap();
    assert_eq!(value.to_string(), "[7, 7, 7, 7, 7, 7, 7, 7, 7, 7, … 9,990 more]");
    let none = PrintLimits { items: 0, ..PrintLimits::default() };
    assert_eq!(value.print(none).to_string(), "[… 10,000 more]");
    let rows = schema_of::<Vec<String>>().from_slice(&to_vec(&vec![""; 11]).unwrap()).unwrap();
    assert!(format!("{rows:#}").ends_with("\"\",\n    … 1 more\n]"), "{rows:#}");
}

#[test]
fn a_long_text_is_cut() {
    let text = "é".repeat(1_000);
    let value = schema_of::<String>().from_slice(&to_vec(&text).unwrap()).unwrap();
    assert_eq!(value.to_string(), format!("\"{}\" … 1,488 more bytes", "é".repeat(256)));
}

#[test]
fn a_wide_value_is_cut_as_a_whole() {
    let wide = vec![vec![vec![vec![String::from("x"); 20]; 20]; 20]; 20];
    let value = schema_of::<Vec<Vec<Vec<Vec<String>>>>>().from_slice(&to_vec(&wide).unwrap()).unwrap();
    for printed in [value.to_string(), format!("{value:#}")] {
        assert!(printed.len() < 60_000, "{}", printed.len());
    }
    let few = PrintLimits { values: 3, ..PrintLimits::default() };
    assert_eq!(value.print(few).to_string(), "[[[… 20 more], … 19 more], … 19 more]");
}

/// Hostile case 14: a deep message, printed from its schema.
#[test]
fn case_14_a_deep_value_is_printed_to_its_limit() {
    let schema: Schema = "struct{value:u8,next:?*^0}".parse().unwrap();
    let bytes = crate::common::List::bytes(128);
    let printed = std::thread::Builder::new()
        .stack_size(256 * 1024 * if cfg!(debug_assertions) { 8 } else { 1 })
        .spawn(move || {
            let value = schema.from_slice(&bytes).unwrap();
            let all = PrintLimits { depth: usize::MAX, values: usize::MAX, ..PrintLimits::default() };
            assert_eq!(value.print(all).to_string().matches("value").count(), 129);
            assert_eq!(value.clone(), value);
            (value.to_string(), format!("{value:#}"))
        })
        .unwrap()
        .join()
        .unwrap();
    assert!(printed.0.contains('…') && printed.0.matches("value").count() == 8, "{}", printed.0);
    assert!(printed.1.lines().count() < 40, "{}", printed.1);
}

#[test]
fn a_name_of_unknown_origin_is_escaped_and_cut() {
    let schema: Schema = format!("struct{{\"{}\":u8,\"a\u{1b}b\":u8}}", "x y".repeat(1_000)).parse().unwrap();
    let printed =
        schema.decode(&mut Reader::from_slice_with(&[1, 2], Limits::default())).unwrap().to_string();
    assert!(printed.len() < 400 && !printed.contains('\u{1b}'), "{printed}");
}
