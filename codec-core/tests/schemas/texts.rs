//! The text of a schema, written and read back.

use podwire_codec_core::schema::{Schema, SchemaError, schema_of};
use podwire_codec_core::{Encode, from_slice, to_vec};
use proptest::prelude::*;

use crate::common::{Random, Visitor, visit};

/// The canonical text of a random schema whose heads are finite.
pub(crate) fn random_text(random: &mut Random) -> String {
    let mut text = String::new();
    write(random, &mut text, 0, 0, 0);
    text
}

/// `safe`: how many of the open structs and enums may be referred to, because something stands between.
fn write(random: &mut Random, text: &mut String, depth: usize, open: usize, safe: usize) {
    const LEAVES: [&str; 19] = [
        "u8", "u16", "u32", "u64", "u128", "i8", "i16", "i32", "i64", "i128", "f16", "bf16", "f32", "f64",
        "bool", "char", "text", "opaque", "pod(7)",
    ];
    const NAMES: [&str; 7] = ["a", "gain", "x_1", "über", "\"with space\"", "\"\"", "\"q\\\"uo\\\\te\""];
    let kind = if depth > 7 { 0 } else { random.below(12) };
    match kind {
        4 => wrapped(random, text, ["?", ""], depth, open, open),
        5 => wrapped(random, text, ["*", ""], depth, open, open),
        6 => wrapped(random, text, ["[", "]"], depth, open, open),
        7 => {
            let close = format!(";{}]", random.below(4));
            wrapped(random, text, ["[", &close], depth, open, safe);
        }
        8 => {
            wrapped(random, text, ["{", ":"], depth, open, open);
            wrapped(random, text, ["", "}"], depth, open, open);
        }
        9 | 10 => {
            text.push_str("struct");
            fields(random, text, depth, open + 1, safe, &NAMES);
        }
        11 => {
            let bits = [8, 16, 32][random.below(3)];
            text.push_str(&format!("enum{bits}{{"));
            for tag in 0..random.below(4) {
                let comma = if tag > 0 { "," } else { "" };
                text.push_str(&format!("{comma}{}={}", NAMES[random.below(NAMES.len())], tag * 3));
                fields(random, text, depth, open + 1, open + 1, &NAMES);
            }
            text.push('}');
        }
        // References to what is safe: the outer ones have the higher numbers.
        3 if safe > 0 => text.push_str(&format!("^{}", open - 1 - random.below(safe))),
        2 if depth < 7 => wrapped(random, text, ["bulk[", "]"], 8, open, 0),
        _ => text.push_str(LEAVES[random.below(LEAVES.len())]),
    }
}

fn wrapped(
    random: &mut Random,
    text: &mut String,
    [before, after]: [&str; 2],
    depth: usize,
    open: usize,
    safe: usize,
) {
    text.push_str(before);
    write(random, text, depth + 1, open, safe);
    text.push_str(after);
}

fn fields(random: &mut Random, text: &mut String, depth: usize, open: usize, safe: usize, names: &[&str]) {
    text.push('{');
    for number in 0..random.below(4) {
        let comma = if number > 0 { "," } else { "" };
        text.push_str(&format!("{comma}{}:", names[random.below(names.len())]));
        write(random, text, depth + 1, open, safe);
    }
    text.push('}');
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 512 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_parsed_writes_the_same_text(seed in 1..u64::MAX) {
        let text = random_text(&mut Random(seed));
        let schema: Schema = text.parse().unwrap_or_else(|error| panic!("{error}: {text}"));
        prop_assert_eq!(schema.to_string(), &text[..]);
        prop_assert_eq!(schema.to_string().parse::<Schema>().unwrap(), schema.clone());
        prop_assert!(schema.difference(&schema).is_none());
        // The readable form has the same words in the same order.
        let squeezed = |text: &str| text.replace([' ', '\n', ','], "").replace("{}", "");
        if !text.contains('"') {
            prop_assert_eq!(squeezed(&format!("{schema:#}")), squeezed(&text));
        }
    }

    /// Whatever the text: an error, or a schema that writes it.
    #[test]
    fn any_change_of_a_text_is_an_error_or_canonical(seed in 1..u64::MAX) {
        let mut random = Random(seed);
        let mut text = random_text(&mut random).into_bytes();
        for _ in 0..1 + random.below(3) {
            let at = random.below(text.len());
            match random.below(3) {
                0 => { text.remove(at); }
                1 => text.insert(at, b"{}[]?*^:;,=0129ab\" "[random.below(19)]),
                _ => text[at] = b"{}[]?*^:;,=0129ab\" "[random.below(19)],
            }
            if text.is_empty() { return Ok(()) }
        }
        if let Ok(text) = String::from_utf8(text)
            && let Ok(schema) = text.parse::<Schema>()
        {
            prop_assert_eq!(schema.to_string(), text);
        }
    }

    #[test]
    fn any_text_is_an_error_or_canonical(text in "[a-z0-9{}\\[\\]?*^:;,=\"]{0,40}") {
        if let Ok(schema) = text.parse::<Schema>() {
            prop_assert_eq!(schema.to_string(), text);
        }
    }
}

#[test]
fn the_schema_of_every_type_is_read_back() {
    struct Look;
    impl Visitor for Look {
        fn look<T: podwire_codec_core::Codec + PartialEq + std::fmt::Debug>(
            &mut self,
            name: &str,
            _: T,
            _: bool,
        ) {
            let schema = schema_of::<T>();
            let parsed: Schema = schema.to_string().parse().unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((&parsed, parsed.fingerprint()), (&schema, schema.fingerprint()), "{name}");
        }
    }
    visit(&mut Look);
}

#[track_caller]
fn refused(text: &str) -> SchemaError {
    text.parse::<Schema>().expect_err(text)
}

#[test]
fn what_is_not_canonical_is_refused_where_it_stands() {
    for (text, at) in [
        ("", 0),
        ("u9", 0),
        ("u8 ", 2),
        (" u8", 0),
        ("u8u8", 0),
        ("[u8", 3),
        ("[u8;]", 4),
        ("[u8;07]", 4),
        ("[u8;+7]", 4),
        ("[u8;18446744073709551616]", 4),
        ("{u8}", 3),
        ("{u8:u8", 6),
        ("struct", 6),
        ("struct{a}", 8),
        ("struct{a:u8,}", 12),
        ("struct{a:u8;b:u8}", 11),
        ("struct{:u8}", 7),
        ("struct{\"a\":u8}", 7),
        ("struct{\"a b:u8}", 15),
        ("struct{\"a\\nb\":u8}", 10),
        ("enum24{}", 0),
        ("enum8{A}", 7),
        ("enum8{A=0}", 9),
        ("enum8{A=4294967296{}}", 6),
        ("pod()", 4),
        ("pod(-1)", 4),
        ("bulk{u8}", 4),
        ("?", 1),
        ("*", 1),
    ] {
        match refused(text) {
            SchemaError::Syntax { offset, .. } => assert_eq!(offset, at, "{text}"),
            other => panic!("{text}: {other}"),
        }
    }
}

#[test]
fn a_reference_to_nothing_is_refused() {
    assert_eq!(refused("^0"), SchemaError::Reference { offset: 0, levels: 0 });
    assert_eq!(refused("struct{a:?^1}"), SchemaError::Reference { offset: 10, levels: 1 });
    assert!(matches!(refused("struct{a:?^99999999999999999999}"), SchemaError::Syntax { offset: 11, .. }));
    "struct{a:[struct{b:?^1}]}".parse::<Schema>().unwrap();
}

#[test]
fn a_tag_that_stands_twice_or_is_too_wide_is_refused() {
    assert_eq!(refused("enum8{A=1{},B=1{}}"), SchemaError::Tag { offset: 12, tag: 1 });
    assert_eq!(refused("enum8{A=256{}}"), SchemaError::Tag { offset: 6, tag: 256 });
    assert_eq!(refused("enum16{A=65536{}}"), SchemaError::Tag { offset: 7, tag: 65536 });
    "enum8{A=255{}}".parse::<Schema>().unwrap();
    "enum32{A=4294967295{}}".parse::<Schema>().unwrap();
}

#[test]
fn a_type_without_an_end_is_refused() {
    assert_eq!(refused("struct{a:^0}"), SchemaError::Endless { offset: 0 });
    assert!(matches!(refused("struct{a:[^0;2]}"), SchemaError::Endless { .. }));
    assert!(matches!(refused("struct{a:[^0;0]}"), SchemaError::Endless { .. }));
    assert!(matches!(refused("[struct{a:struct{b:^1}}]"), SchemaError::Endless { .. }));
    for finite in
        ["struct{a:?^0}", "struct{a:*^0}", "struct{a:[^0]}", "struct{a:{u8:^0}}", "enum8{A=0{a:^0}}"]
    {
        finite.parse::<Schema>().unwrap();
    }
}

#[test]
fn a_type_that_no_memory_holds_is_refused() {
    let huge = 1_u64 << 40;
    assert_eq!(refused(&format!("[[u8;{huge}];{huge}]")), SchemaError::TooLarge { offset: 0 });
    assert_eq!(refused("[pod(18446744073709551615)]"), SchemaError::TooLarge { offset: 1 });
    assert!(matches!(refused("struct{a:pod(9223372036854775807),b:u8}"), SchemaError::TooLarge { .. }));
    for large in
        ["pod(9223372036854775807)", "[struct{};18446744073709551615]", "[[u8;1099511627776];1048576]"]
    {
        large.parse::<Schema>().unwrap();
    }
    // Where it does not stand in one head, each alone is possible.
    "struct{a:?pod(9223372036854775807),b:?pod(9223372036854775807)}".parse::<Schema>().unwrap();
}

/// Hostile case 13, in a schema.
#[test]
fn case_13_a_schema_of_any_depth_is_an_error_on_a_small_stack() {
    let deep = |levels: usize| {
        ["?", "*", "[", "{u8:", "struct{a:", "enum8{A=0{a:", "bulk["].map(|open| open.repeat(levels))
    };
    std::thread::Builder::new()
        .stack_size(256 * 1024 * if cfg!(debug_assertions) { 8 } else { 1 })
        .spawn(move || {
            for text in deep(1_000_000) {
                assert!(matches!(refused(&text), SchemaError::Depth { .. }));
            }
            for (open, close) in [("?", ""), ("*", ""), ("[", "]"), ("struct{a:", "}")] {
                let text = |levels: usize| format!("{}u8{}", open.repeat(levels), close.repeat(levels));
                let schema: Schema = text(Schema::DEPTH - 1).parse().unwrap();
                assert_eq!(format!("{schema}"), text(Schema::DEPTH - 1));
                assert!(!format!("{schema:#}").is_empty());
                assert!(matches!(refused(&text(Schema::DEPTH)), SchemaError::Depth { .. }));
            }
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn a_schema_is_a_value_whose_own_schema_is_text() {
    let schema = schema_of::<Vec<(u8, Option<String>)>>();
    assert_eq!(schema_of::<Schema>().to_string(), "text");
    let bytes = to_vec(&schema).unwrap();
    assert_eq!(bytes, to_vec(schema.text()).unwrap());
    assert_eq!(from_slice::<Schema>(&bytes).unwrap(), schema);
    assert_eq!(from_slice::<(u8, Schema)>(&to_vec(&(7_u8, &schema)).unwrap()).unwrap(), (7, schema));
    let error = from_slice::<Schema>(&to_vec("struct{a:^0}").unwrap()).unwrap_err();
    assert!(
        matches!(error, podwire_codec_core::Error::Schema(SchemaError::Endless { offset: 0 })),
        "{error:?}"
    );
    let text = format!("[{}]", "u8,".repeat(10));
    assert!(from_slice::<Schema>(&to_vec(&text).unwrap()).is_err());
}

#[test]
fn the_memory_of_a_schema_is_charged() {
    let text = format!("struct{{{}z:u8}}", "a:u8,".repeat(10_000));
    let bytes = to_vec(&text).unwrap();
    let limits = podwire_codec_core::Limits { bytes: 1_000_000, ..Default::default() };
    let error = podwire_codec_core::from_slice_with::<Schema>(&bytes, limits).unwrap_err();
    assert!(matches!(error, podwire_codec_core::Error::ByteLimit { .. }), "{error:?}");
}

#[test]
fn the_readable_form_has_a_line_for_each_field() {
    let schema: Schema = "struct{sensor:text,kind:enum8{Point=0{},Circle=3{radius:f32}},next:?*^0,all:{u8:[f32;3]},none:struct{}}"
        .parse()
        .unwrap();
    let expected = "\
struct {
    sensor: text,
    kind: enum8 {
        Point = 0,
        Circle = 3 {
            radius: f32,
        },
    },
    next: ?*^0,
    all: {u8: [f32; 3]},
    none: struct {},
}";
    assert_eq!(format!("{schema:#}"), expected);
}

/// A hand-written codec that is a sequence of itself, with no struct between: there is no text for that.
#[test]
fn a_description_that_holds_itself_has_an_end() {
    struct Json;
    impl Encode for Json {
        fn encode(&self, _: &mut podwire_codec_core::Writer<'_>) -> podwire_codec_core::Result<()> {
            Ok(())
        }
        fn schema(types: &mut podwire_codec_core::schema::SchemaBuilder) -> podwire_codec_core::schema::Node {
            podwire_codec_core::schema::Node::Sequence(types.node::<Json>())
        }
    }
    let schema = schema_of::<Json>();
    assert!(schema.text().contains("opaque") && schema.text().len() < 100, "{schema}");
    schema.to_string().parse::<Schema>().unwrap();
}
