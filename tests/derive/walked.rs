//! Every registered codec against hostile bytes, by walking the registry: a type that is registered anywhere in these
//! tests is covered without being named here.

use std::collections::{BTreeMap, HashMap};

use podwire::{Bulk, Codec, CodecRegistry, Limits, Reader, Writer, register_codec};

/// A struct of every kind of field.
#[derive(Codec)]
#[codec(register)]
struct EveryField {
    flag: bool,
    letter: char,
    number: u64,
    text: String,
    list: Vec<Option<(u16, String)>>,
    table: HashMap<String, Vec<u8>>,
    sorted: BTreeMap<u32, EveryVariant>,
    array: [EveryVariant; 2],
    point: glam::Vec3,
    points: Vec<glam::Vec3>,
    bulk: Bulk<f32>,
    inner: Box<Plain>,
}

#[derive(Codec)]
#[codec(register)]
enum EveryVariant {
    Unit,
    Newtype(String),
    Tuple(u8, bool, Option<String>),
    Struct { at: (i64, i64), name: Option<String> },
}

#[derive(Codec, Clone, Copy)]
#[codec(register)]
struct Plain {
    x: f32,
    y: u32,
}

#[derive(Codec)]
#[codec(register)]
struct Tree {
    name: String,
    children: Vec<Tree>,
    next: Option<Box<Tree>>,
}

#[derive(Codec)]
struct Page<T> {
    items: Vec<T>,
    more: bool,
}

register_codec!(Page<Plain>, "Page<Plain>");
register_codec!(Page<EveryVariant>, "Page<EveryVariant>");

const LIMITS: Limits = Limits { bytes: 1 << 20, items: 1_000, depth: 64 };

/// Pseudo-random bytes, most of them small, so that lengths and tags are often believable.
fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let byte = |bits: u64| if bits & 3 == 0 { (bits >> 8) as u8 } else { (bits >> 8) as u8 % 3 };
    (0..count).map(|_| byte(next())).collect()
}

#[test]
fn every_registered_codec_makes_an_error_or_a_value_of_any_bytes() {
    let registry = CodecRegistry::global();
    let names = registry.names();
    let ours = ["EveryField", "EveryVariant", "Plain", "Tree", "Page<Plain>", "Page<EveryVariant>"];
    for expected in ours {
        assert!(names.iter().any(|name| &**name == expected), "{expected}");
    }
    for name in names {
        // A name that two lines claim has no codec.
        let Ok(entry) = registry.by_name(&name) else { continue };
        let mut inputs: Vec<Vec<u8>> = (0..300).map(|seed| noise(seed + 1, seed as usize % 120)).collect();
        for fill in [0x00, 0x01, 0x7F, 0x80, 0xFF] {
            inputs.extend([1, 4, 12, 64, 4_096].map(|count| vec![fill; count]));
        }
        let mut values = 0;
        for input in inputs {
            let mut reader = Reader::from_slice_with(&input, LIMITS);
            let Ok(value) = entry.decode(&mut reader) else { continue };
            let used = usize::try_from(reader.offset()).unwrap();
            values += 1;
            // What became a value is one: it is written, in as many bytes, and read again.
            let mut again = Vec::new();
            let mut writer = Writer::with_limits(&mut again, LIMITS);
            entry.encode(&*value, &mut writer).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(writer.finish().unwrap(), used, "{name}: {input:02x?}");
            let second = entry.decode(&mut Reader::from_slice_with(&again, LIMITS));
            assert!(second.is_ok(), "{name}: {input:02x?}");
        }
        assert!(values > 0 || !ours.contains(&&*name), "{name}: zeros, at least, are a value of it");
    }
}
