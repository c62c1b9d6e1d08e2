//! The first difference between two schemas.

use podwire_codec_core::schema::{Disagreement, Schema};

/// What is said of two texts.
#[track_caller]
fn said(ours: &str, theirs: &str) -> String {
    let (ours, theirs): (Schema, Schema) = (ours.parse().unwrap(), theirs.parse().unwrap());
    assert!(ours.difference(&ours).is_none() && theirs.difference(&theirs).is_none());
    assert!(theirs.difference(&ours).is_some(), "a difference is one from both sides");
    ours.difference(&theirs).expect("they differ").to_string()
}

#[test]
fn a_difference_is_said_with_the_way_to_it() {
    for (ours, theirs, expected) in [
        ("u8", "u16", "expected u8, found u16"),
        ("text", "[u8]", "expected text, found [u8]"),
        ("struct{a:u8}", "u8", "expected a struct, found u8"),
        ("?u8", "*u8", "expected ?u8, found *u8"),
        ("struct{a:u8,b:u16}", "struct{a:u8,b:u32}", "b: expected u16, found u32"),
        ("struct{a:u8,gain:f32}", "struct{a:u8}", "field \"gain\" is missing"),
        ("struct{a:u8}", "struct{a:u8,gain:f32}", "field \"gain\" was not expected"),
        ("struct{a:u8,gain:f32,b:u8}", "struct{a:u8,b:u8}", "field \"gain\" is missing"),
        ("struct{a:u8,b:u8}", "struct{b:u8,a:u8}", "expected field \"a\", found field \"b\""),
        ("struct{a:u8}", "struct{b:u8}", "expected field \"a\", found field \"b\""),
        (
            "struct{frames:[struct{header:struct{stamp:u64}}]}",
            "struct{frames:[struct{header:struct{stamp:u32}}]}",
            "frames[].header.stamp: expected u64, found u32",
        ),
        (
            "struct{frames:[struct{header:struct{stamp:u64,gain:u8}}]}",
            "struct{frames:[struct{header:struct{stamp:u64}}]}",
            "frames[].header: field \"gain\" is missing",
        ),
        ("[u8;3]", "[u8;4]", "expected 3 elements, found 4"),
        ("struct{m:{u8:text}}", "struct{m:{u16:text}}", "m{key}: expected u8, found u16"),
        ("struct{m:{u8:text}}", "struct{m:{u8:u8}}", "m{value}: expected text, found u8"),
        ("bulk[u8]", "bulk[u16]", "[]: expected u8, found u16"),
        ("pod(3)", "pod(4)", "expected pod(3), found pod(4)"),
        ("opaque", "u8", "expected opaque, found u8"),
        ("enum8{A=0{}}", "enum16{A=0{}}", "expected a tag of 8 bits, found 16"),
        ("enum8{A=0{}}", "enum8{A=1{}}", "variant \"A\": expected tag 0, found 1"),
        ("enum8{A=0{},B=1{}}", "enum8{A=0{}}", "variant \"B\" is missing"),
        ("enum8{A=0{}}", "enum8{A=0{},B=1{}}", "variant \"B\" was not expected"),
        ("enum8{A=0{},B=1{}}", "enum8{B=0{},A=1{}}", "expected variant \"A\", found variant \"B\""),
        ("[enum8{A=0{x:u8}}]", "[enum8{A=0{x:i8}}]", "[].A.x: expected u8, found i8"),
        ("[enum8{A=0{x:u8}}]", "[enum8{A=0{}}]", "[].A: field \"x\" is missing"),
        // The first in the order of declaration.
        ("struct{a:u8,b:u8}", "struct{a:i8,b:i8}", "a: expected u8, found i8"),
        ("struct{a:struct{x:u8},b:u8}", "struct{a:struct{x:i8},b:i8}", "a.x: expected u8, found i8"),
        // Within a type that holds itself.
        ("struct{v:u8,n:?*^0}", "struct{v:u16,n:?*^0}", "v: expected u8, found u16"),
        ("struct{v:u8,n:?*^0,w:u8}", "struct{v:u8,n:?*^0,w:i8}", "w: expected u8, found i8"),
        ("struct{n:?*^0}", "struct{n:?*struct{n:?*^0}}", "the types repeat themselves at other levels"),
        ("struct{n:?*^0}", "struct{n:?*struct{n:?*^0,m:u8}}", "n: field \"m\" was not expected"),
    ] {
        assert_eq!(said(ours, theirs), expected, "{ours} and {theirs}");
    }
}

#[test]
fn a_difference_can_be_acted_on() {
    let (ours, theirs): (Schema, Schema) =
        ("struct{a:[u16]}".parse().unwrap(), "struct{a:[u32]}".parse().unwrap());
    let difference = ours.difference(&theirs).unwrap();
    assert_eq!(difference.path, "a[]");
    assert_eq!(difference.what, Disagreement::Type { expected: "u16".into(), found: "u32".into() });
}

#[test]
fn names_and_types_of_unknown_origin_are_shown_escaped_and_cut() {
    let name = format!("{}\n\u{1b}[2J", "x".repeat(100_000));
    let theirs = format!("struct{{\"{name}\":struct{{a:{}u8}}}}", "?".repeat(100));
    let said = said(&format!("struct{{\"{name}\":struct{{a:u8}}}}"), &theirs);
    assert!(said.len() < 300 && !said.contains(char::is_control), "{said}");
    let other = self::said("struct{a:u8}", &theirs);
    assert!(other.len() < 300 && !other.contains(char::is_control), "{other}");
}

/// Two types that repeat themselves at lengths without a common divisor: every pair of levels meets.
#[test]
fn comparing_types_that_repeat_themselves_has_an_end() {
    let ring = |levels: usize, end: &str| {
        let open = "struct{n:?".repeat(levels);
        format!("{open}struct{{n:?^{levels}{end}}}{}", "}".repeat(levels))
    };
    std::thread::Builder::new()
        .stack_size(256 * 1024 * if cfg!(debug_assertions) { 8 } else { 1 })
        .spawn(move || {
            assert_eq!(said(&ring(55, ""), &ring(58, "")), "the types repeat themselves at other levels");
            assert!(said(&ring(55, ""), &ring(58, ",m:u8")).ends_with("field \"m\" was not expected"));
        })
        .unwrap()
        .join()
        .unwrap();
}

/// Only what is shown of a type is written: written whole from somewhere within, it would have the types around it
/// in it, once for each reference, and so on for each of these.
#[test]
fn a_difference_deep_within_references_is_said_at_once() {
    let levels = 38;
    let (open, inner) = ("struct{n:?*".repeat(levels), ",a:*^1,b:*^1,c:*^1,d:*^1}".repeat(levels - 1));
    let theirs = format!("{open}[^0]{inner},a:*^0,b:*^0,c:*^0,d:*^0}}");
    let said = said("struct{n:?*^0,a:*^0,b:*^0,c:*^0,d:*^0}", &theirs);
    assert!(
        said.ends_with(
            ": expected a struct, found [struct{n:?*[^0],a:*struct{n:?*^1,a:*struct{n:?*^1,a:*struct{n:?…"
        ),
        "{said}"
    );
}
