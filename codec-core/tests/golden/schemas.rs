//! Section 2: the text of every kind of type, and its hash.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use podwire_codec_core::schema::{Node, SchemaBuilder, VariantNode, schema_of};
use podwire_codec_core::{Bulk, CodecRegistry, Encode, Result, Writer};

use super::common::List;

/// FNV-1a as section 2 defines it.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[track_caller]
fn text<T: Encode + ?Sized>(expected: &str) {
    let schema = schema_of::<T>();
    assert_eq!(schema.to_string(), expected);
    assert_eq!(schema.fingerprint(), hash(expected), "fingerprint of {expected}");
}

#[test]
fn the_hash_is_fnv_1a() {
    // The published test vectors of 64-bit FNV-1a.
    assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
    assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    // The fingerprint in the example of section 3.
    assert_eq!(
        schema_of::<u16>().fingerprint().to_le_bytes(),
        [0xBF, 0xF3, 0x7E, 0x3E, 0x19, 0xD3, 0x24, 0x4D]
    );
}

#[test]
fn scalars_have_their_names() {
    text::<u8>("u8");
    text::<u16>("u16");
    text::<u32>("u32");
    text::<u64>("u64");
    text::<u128>("u128");
    text::<i8>("i8");
    text::<i16>("i16");
    text::<i32>("i32");
    text::<i64>("i64");
    text::<i128>("i128");
    text::<f32>("f32");
    text::<f64>("f64");
    text::<bool>("bool");
    text::<char>("char");
    text::<usize>("u64");
    text::<isize>("i64");
}

#[test]
fn text_is_text_whoever_owns_it() {
    text::<str>("text");
    text::<&str>("text");
    text::<String>("text");
    text::<Box<str>>("text");
    text::<Rc<str>>("text");
    text::<Arc<str>>("text");
    text::<Cow<'static, str>>("text");
}

#[test]
fn sequences_sets_arrays_and_maps() {
    text::<[u8]>("[u8]");
    text::<&[u8]>("[u8]");
    text::<Vec<Vec<String>>>("[[text]]");
    text::<Box<[f32]>>("[f32]");
    text::<Rc<[f32]>>("[f32]");
    text::<Arc<[f32]>>("[f32]");
    text::<Cow<'static, [u16]>>("[u16]");
    text::<BTreeSet<i8>>("[i8]");
    text::<HashSet<char>>("[char]");
    text::<[u8; 3]>("[u8;3]");
    text::<[[Option<u8>; 2]; 0]>("[[?u8;2];0]");
    text::<BTreeMap<u8, String>>("{u8:text}");
    text::<HashMap<String, Vec<u8>>>("{text:[u8]}");
}

#[test]
fn options_pointers_and_bulk() {
    text::<Option<Option<bool>>>("??bool");
    text::<Box<u8>>("*u8");
    text::<Rc<u8>>("*u8");
    text::<Arc<Option<u8>>>("*?u8");
    text::<Bulk<u16>>("bulk[u16]");
    text::<&u8>("u8");
}

#[test]
fn products_number_their_fields() {
    text::<()>("struct{}");
    text::<PhantomData<u8>>("struct{}");
    text::<std::ops::RangeFull>("struct{}");
    text::<(u8,)>("struct{0:u8}");
    text::<(u8, (String, ()))>("struct{0:u8,1:struct{0:text,1:struct{}}}");
    text::<Vec<(u8, Option<String>)>>("[struct{0:u8,1:?text}]");
}

/// Something that is only described.
macro_rules! described {
    ($name:ident, |$types:ident| $node:expr) => {
        struct $name;
        impl Encode for $name {
            fn encode(&self, _: &mut Writer<'_>) -> Result<()> {
                Ok(())
            }
            fn schema($types: &mut SchemaBuilder) -> Node {
                $node
            }
        }
    };
}

/// "A hand-written codec that describes itself: `*` and what it says." Here, all that is described is hand-written.
#[test]
fn enums_have_the_width_of_their_tag_and_their_variants() {
    described!(Shape, |types| Node::Enum {
        bits: 8,
        variants: vec![
            VariantNode { name: "Circle".into(), tag: 0, fields: vec![types.field::<f32>("radius")] },
            VariantNode { name: "Point".into(), tag: 7, fields: vec![] },
            VariantNode {
                name: "Pair".into(),
                tag: 9,
                fields: vec![types.field::<Shape>("0"), types.field::<u8>("1")]
            },
        ],
    });
    text::<Shape>("*enum8{Circle=0{radius:f32},Point=7{},Pair=9{0:*^0,1:u8}}");
    described!(Wide, |_types| Node::Enum { bits: 32, variants: vec![] });
    text::<Wide>("*enum32{}");
}

#[test]
fn a_codec_that_does_not_describe_itself_is_opaque() {
    struct Own;
    impl Encode for Own {
        fn encode(&self, _: &mut Writer<'_>) -> Result<()> {
            Ok(())
        }
    }
    text::<Own>("opaque");
    text::<Vec<Own>>("[opaque]");
}

#[test]
fn plain_data_without_a_codec_has_its_size() {
    let registry = CodecRegistry::new();
    registry.register_pod::<[f32; 3]>("Vec3").unwrap();
    let entry = registry.by_name("Vec3").unwrap();
    assert_eq!(entry.schema().to_string(), "pod(12)");
    assert_eq!(entry.fingerprint(), hash("pod(12)"));
}

/// "`^N`: the one that is `N` struct or enum levels further out than the innermost".
#[test]
fn a_type_within_itself_is_a_number_of_levels() {
    described!(Node0, |types| Node::Struct(vec![
        types.field::<u32>("value"),
        types.field::<Option<Box<Node0>>>("next")
    ]));
    impl<'de> podwire_codec_core::Decode<'de> for Node0 {
        fn decode(_: &mut podwire_codec_core::Reader<'de>) -> Result<Self> {
            Ok(Self)
        }
    }
    text::<Node0>("*struct{value:u32,next:?**^0}");
    text::<List>("*struct{value:u8,next:?**^0}");

    described!(Outer, |types| Node::Struct(vec![types.field::<Inner>("inner"), types.field::<Outer>("own")]));
    described!(Inner, |types| Node::Struct(vec![types.field::<Outer>("outer"), types.field::<Inner>("own")]));
    text::<Outer>("*struct{inner:*struct{outer:*^1,own:*^0},own:*^0}");
    text::<Inner>("*struct{outer:*struct{inner:*^1,own:*^0},own:*^0}");
    // A type that stands twice side by side is written twice: it is not within itself.
    text::<(List, List)>("struct{0:*struct{value:u8,next:?**^0},1:*struct{value:u8,next:?**^0}}");
}

/// "Adding, removing, renaming, reordering or widening a field changes the fingerprint." Hostile case 28.
#[test]
fn every_change_of_a_field_changes_the_fingerprint() {
    described!(Base, |types| Node::Struct(vec![types.field::<u8>("a"), types.field::<u16>("b")]));
    described!(Renamed, |types| Node::Struct(vec![types.field::<u8>("a"), types.field::<u16>("c")]));
    described!(Reordered, |types| Node::Struct(vec![types.field::<u16>("b"), types.field::<u8>("a")]));
    described!(Widened, |types| Node::Struct(vec![types.field::<u8>("a"), types.field::<u32>("b")]));
    described!(Removed, |types| Node::Struct(vec![types.field::<u8>("a")]));
    described!(Added, |types| Node::Struct(vec![
        types.field::<u8>("a"),
        types.field::<u16>("b"),
        types.field::<()>("c")
    ]));
    let mut all = [
        schema_of::<Base>(),
        schema_of::<Renamed>(),
        schema_of::<Reordered>(),
        schema_of::<Widened>(),
        schema_of::<Removed>(),
        schema_of::<Added>(),
    ]
    .map(|schema| schema.fingerprint())
    .to_vec();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 6);
}

/// "The type's own name is not part of the text."
#[test]
fn the_name_of_a_type_does_not_count() {
    described!(One, |types| Node::Struct(vec![types.field::<u8>("a")]));
    described!(Two, |types| Node::Struct(vec![types.field::<u8>("a")]));
    assert_eq!(schema_of::<One>().fingerprint(), schema_of::<Two>().fingerprint());
}

/// Section 2: a name that is no plain word stands in quotes, so that no name reads as another field.
#[test]
fn a_name_that_could_read_as_something_else_is_quoted() {
    struct Renamed;
    impl podwire_codec_core::Encode for Renamed {
        fn encode(&self, _: &mut podwire_codec_core::Writer<'_>) -> podwire_codec_core::Result<()> {
            Ok(())
        }
        fn schema(types: &mut podwire_codec_core::schema::SchemaBuilder) -> podwire_codec_core::schema::Node {
            let names = ["a:u8,b", "plain_2", "über", "with \"quotes\" and \\", ""];
            podwire_codec_core::schema::Node::Struct(names.map(|name| types.field::<u8>(name)).into())
        }
    }
    assert_eq!(
        podwire_codec_core::schema::schema_of::<Renamed>().to_string(),
        r#"*struct{"a:u8,b":u8,plain_2:u8,über:u8,"with \"quotes\" and \\":u8,"":u8}"#
    );
}
