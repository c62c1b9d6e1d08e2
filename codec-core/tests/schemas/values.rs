//! Values that were read by their schema: what they are, and how they are asked.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use podwire_codec_core::schema::{Schema, Value, schema_of};
use podwire_codec_core::{
    Bulk, Encode, Error, Gather, Limits, Reader, Result, Segment, Writer, serialize, to_vec,
};

/// What a value reads as.
#[track_caller]
fn reads<T: Encode>(value: T, expected: &str) {
    let schema = schema_of::<T>();
    let read = schema.from_slice(&to_vec(&value).unwrap()).unwrap();
    assert_eq!(read.to_string(), expected, "{schema}");
}

#[test]
fn values_read_as_what_they_are() {
    reads(200_u8, "200");
    reads(u128::MAX, "340282366920938463463374607431768211455");
    reads(-3_i8, "-3");
    reads(i16::MIN, "-32768");
    reads(-7_i64, "-7");
    reads(i128::MIN, "-170141183460469231731687303715884105728");
    reads(7_usize, "7");
    reads(0.1_f32, "0.1");
    reads(1e300_f64, "1e300");
    reads(f32::NAN, "NaN");
    reads(f64::NEG_INFINITY, "-inf");
    reads(true, "true");
    reads('é', "'é'");
    reads('\n', "'\\n'");
    reads((), "()");
    reads("na\"ïve\n", r#""na\"ïve\n""#);
    reads(Some(5_u8), "5");
    reads(None::<u8>, "none");
    reads(Some(Some(5_u8)), "some(5)");
    reads(Some(None::<u8>), "some(none)");
    reads((1_u8, "x"), r#"(1, "x")"#);
    reads([1_u16, 2], "[1, 2]");
    reads([Some(1_u8), None], "[1, none]");
    reads(["a", "bc"], r#"["a", "bc"]"#);
    reads([[1_i8, -1], [2, -2]], "[[1, -1], [2, -2]]");
    reads([0_u8; 0], "[]");
    reads(vec![true, false], "[true, false]");
    reads(vec!['a', 'b'], "['a', 'b']");
    reads(vec![(1_u8, 2_u32)], "[(1, 2)]");
    reads(vec![(); 3], "[(), (), ()]");
    reads(vec![vec![1_u8], vec![]], "[[1], []]");
    reads(vec![String::from("x")], r#"["x"]"#);
    reads(Box::new((1_u8, String::from("x"))), r#"(1, "x")"#);
    reads(BTreeMap::from([(1_u8, "one"), (2, "two")]), r#"{1: "one", 2: "two"}"#);
    reads(BTreeMap::from([("k", vec![1_u8])]), r#"{"k": [1]}"#);
    reads(Bulk::from(vec![1_u16, 2]), "[1, 2]");
    reads(Duration::new(3, 4), "(3, 4)");
    reads(Ok::<u8, String>(1), "Ok(1)");
    reads(Err::<u8, String>("no".into()), r#"Err("no")"#);
    reads(IpAddr::V4(Ipv4Addr::LOCALHOST), "V4([127, 0, 0, 1])");
    reads(1..3_u8, "{start: 1, end: 3}");
    reads(std::path::PathBuf::from("/tmp"), r#""/tmp""#);
    reads((std::path::PathBuf::from("/tmp"), 7_u8), r#"("/tmp", 7)"#);
    reads((Box::new(5_u16), 9_u8), "(5, 9)");
}

/// Numbers of sixteen bits have no type here yet; their schema can be read all the same.
#[test]
fn halves_are_floats() {
    let half: Schema = "[f16]".parse().unwrap();
    let bits = [0x3C00_u16, 0xC000, 0x7BFF, 0x0001, 0x8000, 0x7C00, 0x7E00, 0x3555];
    let read = half.from_slice(&to_vec(&bits.to_vec()).unwrap()).unwrap();
    assert_eq!(read.to_string(), "[1.0, -2.0, 65504.0, 5.9604645e-8, -0.0, inf, NaN, 0.33325195]");
    let brain: Schema = "bf16".parse().unwrap();
    assert_eq!(brain.from_slice(&[0x80, 0x3F]).unwrap(), Value::F32(1.0));
}

#[test]
fn a_value_is_asked_by_name_and_by_number() {
    let schema: Schema =
        "struct{name:text,shape:enum8{Point=0{},Circle=1{radius:f64}},gain:?f32,marks:[?u8],samples:[i16],on:bool,by:{text:u64}}"
            .parse()
            .unwrap();
    type Row = (String, (u8, f64), Option<f32>, Vec<Option<u8>>, Vec<i16>, bool, BTreeMap<String, u64>);
    let row: Row = Default::default();
    drop(row);
    // The enum by hand: its tag stands in the head, its fields in the tail.
    let bytes = [
        &to_vec(&4_u32).unwrap()[..],
        &[1],
        &[1],
        &2_u32.to_le_bytes(),
        &3_u32.to_le_bytes(),
        &[1],
        &1_u32.to_le_bytes(),
        b"left",
        &2.5_f64.to_le_bytes(),
        &0.5_f32.to_le_bytes(),
        &[0, 1, 9],
        &[1, 0, 0xFE, 0xFF, 3, 0],
        &1_u32.to_le_bytes(),
        &7_u64.to_le_bytes(),
        b"k",
    ]
    .concat();
    let value = schema.from_slice(&bytes).unwrap();
    assert_eq!(value.get("name").unwrap().as_str(), Some("left"));
    let shape = value.get("shape").unwrap();
    assert_eq!(shape.as_record().unwrap().variant(), Some("Circle"));
    assert_eq!(shape.get("radius").unwrap().as_f64(), Some(2.5));
    assert_eq!(value.get("gain").unwrap().as_f64(), Some(0.5));
    assert!(value.get("marks").unwrap().at(0).unwrap().is_none());
    assert_eq!(value.get("marks").unwrap().at(1).unwrap().as_u64(), Some(9));
    let samples = value.get("samples").unwrap().as_elements().unwrap();
    assert_eq!(samples.as_slice::<i16>(), Some(&[1, -2, 3][..]));
    assert_eq!((samples.element().as_str(), samples.as_slice::<u16>()), ("i16", None));
    assert_eq!(samples.iter().map(|value| value.as_i64().unwrap()).sum::<i64>(), 2);
    assert_eq!(value.get("on").unwrap().as_bool(), Some(true));
    assert_eq!(value.get("by").unwrap().get("k").unwrap().as_u64(), Some(7));
    assert_eq!(value.get("by").unwrap().as_map().unwrap().len(), 1);
    assert!(value.get("nothing").is_none() && value.at(7).is_none());
    assert_eq!(value.len(), 7);
    assert_eq!(
        value.to_string(),
        r#"{name: "left", shape: Circle {radius: 2.5}, gain: 0.5, marks: [none, 9], samples: [1, -2, 3], on: true, by: {"k": 7}}"#
    );
}

#[test]
fn plain_data_without_a_codec_is_bytes() {
    let schema: Schema = "struct{at:pod(3),n:u8}".parse().unwrap();
    let value = schema.from_slice(&[1, 2, 255, 7]).unwrap();
    assert_eq!(value.get("at").unwrap().as_bytes(), Some(&[1, 2, 255][..]));
    assert_eq!(value.to_string(), "{at: pod(3) 01 02 FF, n: 7}");
}

#[test]
fn a_segment_is_referred_to_and_not_copied() {
    let samples = Bulk::from(vec![0.5_f32; 10_000]);
    let mut gather = Gather::new();
    serialize(&(7_u8, samples.clone()), &mut gather).unwrap();
    assert_eq!(gather.segments().len(), 1);
    let schema = schema_of::<(u8, Bulk<f32>)>();
    let packed = gather.packed().to_vec();
    let value = schema.decode(&mut Reader::from_parts(&packed, &mut gather, Limits::default())).unwrap();
    let read = value.at(1).unwrap();
    let elements = read.as_elements().unwrap();
    assert!(std::ptr::eq(elements.as_slice::<f32>().unwrap(), &*samples), "the same memory");
    // A segment need not be there to be passed over, but to be read.
    schema.skip(&mut Reader::from_slice(&packed)).unwrap();
    assert!(matches!(schema.from_slice(&packed), Err(Error::NoSegment { .. })));
}

#[test]
fn memory_that_the_host_cannot_read_is_said_to_be_there() {
    struct Device;
    impl podwire_codec_core::Owner for Device {
        fn bytes(&self) -> Option<&[u8]> {
            None
        }
        fn length(&self) -> usize {
            4_000_000
        }
        fn kind(&self) -> podwire_codec_core::MemoryKind {
            podwire_codec_core::MemoryKind::CUDA
        }
    }
    let packed = [&[1][..], &1_000_000_u64.to_le_bytes(), &[0; 4]].concat();
    let mut gather = Gather::from_parts(packed.clone(), vec![Segment::new(std::sync::Arc::new(Device))]);
    let schema: Schema = "bulk[f32]".parse().unwrap();
    let value = schema.decode(&mut Reader::from_parts(&packed, &mut gather, Limits::default())).unwrap();
    assert_eq!(value.to_string(), "<1,000,000 elements in memory kind 2>");
    assert!(value.at(0).is_none() && value.as_elements().unwrap().iter().next().is_none());
}

struct Own(u8);

impl Encode for Own {
    fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
        writer.encode(&self.0)
    }
}

#[test]
fn what_does_not_describe_itself_is_an_error_that_says_where() {
    let value = (1_u8, vec![(String::from("x"), Some(Own(7)))]);
    let schema = schema_of::<(u8, Vec<(String, Option<Own>)>)>();
    let bytes = to_vec(&value).unwrap();
    for found in [schema.from_slice(&bytes).map(drop), schema.skip(&mut Reader::from_slice(&bytes))] {
        let error = found.unwrap_err();
        let Error::Undescribed { offset, path } = &error else { panic!("{error:?}") };
        assert_eq!((*offset, &**path), (bytes.len() as u64 - 1, "1[0].1"));
        assert_eq!(
            error.to_string(),
            "1[0].1, at byte 11, was written by a codec that does not describe itself"
        );
    }
    // Where there is none, nothing is in the way.
    let none = to_vec(&(1_u8, vec![(String::from("x"), None::<Own>)])).unwrap();
    assert_eq!(schema.from_slice(&none).unwrap().to_string(), r#"(1, [("x", none)])"#);
    let error = schema_of::<Own>().from_slice(&[7]).unwrap_err();
    assert!(error.to_string().starts_with("the value, at byte 0"), "{error}");
}

/// A hand-written codec stands wholly in the tail of the row around it, also where it describes itself.
#[test]
fn a_hand_written_codec_is_read_within_a_row() {
    use podwire_codec_core::schema::{Node, SchemaBuilder};
    struct Coordinate(f32, f32);
    impl Encode for Coordinate {
        fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
            writer.write_trivial_type(&self.0)?;
            writer.write_trivial_type(&self.1)
        }
        fn schema(types: &mut SchemaBuilder) -> Node {
            Node::Struct(vec![types.field::<f32>("x"), types.field::<f32>("y")])
        }
    }
    reads((Coordinate(1.0, 2.0), 7_u8), "({x: 1.0, y: 2.0}, 7)");
    reads(vec![Coordinate(1.0, 2.0)], "[{x: 1.0, y: 2.0}]");
    assert_ne!(
        schema_of::<Coordinate>().text(),
        "struct{x:f32,y:f32}",
        "a derived one has another place in a row"
    );
}

#[test]
fn elements_stay_in_the_memory_that_is_read_and_are_copied_from_any_other() {
    let schema = schema_of::<(u8, Vec<u16>, Vec<bool>)>();
    let bytes = to_vec(&(1_u8, vec![2_u16, 3], vec![true])).unwrap();
    let memory = Segment::from(bytes.clone());
    let read = |from: &[u8]| schema.decode_sharing(&memory, &mut Reader::from_slice(from)).unwrap();
    let place = |value: &Value| value.at(1).unwrap().as_elements().unwrap().bytes().unwrap().as_ptr_range();
    let within = memory.bytes().unwrap().as_ptr_range();

    let shared = read(memory.bytes().unwrap());
    assert!(within.contains(&place(&shared).start) && place(&shared).end <= within.end);
    let copied = read(&bytes);
    assert!(!within.contains(&place(&copied).start));
    assert_eq!(shared, copied);
    assert_eq!(shared.to_string(), "(1, [2, 3], [true])");
}

#[test]
fn elements_that_stay_where_they_are_are_checked_all_the_same() {
    let schema = schema_of::<Vec<bool>>();
    let memory = Segment::from(vec![2, 0, 0, 0, 1, 2]);
    let read = |bytes| schema.decode_sharing(&memory, &mut Reader::from_slice(bytes));
    assert!(matches!(read(memory.bytes().unwrap()), Err(Error::InvalidValue { offset: 5, .. })));
    assert!(matches!(read(&memory.bytes().unwrap()[..5]), Err(Error::UnexpectedEnd { .. })));
}
