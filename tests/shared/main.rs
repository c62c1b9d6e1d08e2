//! Golden bytes that Rust and Python share: each value of `golden.txt` has the schema, the fingerprint and the bytes that
//! stand there, and they give the value back. `python/tests/test_golden.py` says the same of the Python classes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use num_complex::Complex;
use podwire::schema::schema_of;
use podwire::tensor::Tensor;
use podwire::{Bulk, Codec, from_slice, to_vec};

const GOLDEN: &str = include_str!("golden.txt");

#[derive(Codec, Debug, PartialEq, Clone, Copy)]
struct Point {
    x: f32,
    y: f32,
}

#[derive(Codec, Debug, PartialEq, Clone, Copy)]
struct Sample {
    id: u8,
    at: [f32; 3],
    ok: bool,
}

#[derive(Codec, Debug, PartialEq)]
struct Scalars {
    a: u8,
    b: i16,
    c: u32,
    d: i64,
    e: u128,
    f: i128,
    g: f32,
    h: f64,
    i: bool,
    j: char,
}

#[derive(Codec, Debug, PartialEq)]
struct Frame {
    sensor: String,
    gain: f32,
    pixels: Bulk<u16>,
}

#[derive(Codec, Debug, PartialEq)]
struct Deep {
    #[codec(rename = "type")]
    kind: Mode,
    at: Option<Point>,
    points: Vec<Point>,
    names: Vec<String>,
    raw: Vec<u8>,
    by_name: BTreeMap<String, Vec<u16>>,
    pair: (u8, String),
    four: [u16; 4],
    texts: [String; 2],
    ids: BTreeSet<u32>,
    z: Complex<f64>,
}

#[derive(Codec, Debug, PartialEq, Clone, Copy)]
enum Mode {
    Off,
    On,
}

#[derive(Codec, Debug, PartialEq)]
enum Shape {
    Nothing,
    Circle { radius: f32 },
    Polygon(Vec<Point>),
}

#[derive(Codec, Debug, PartialEq)]
struct Meters(f64);

#[derive(Codec, Debug, PartialEq)]
struct Node {
    value: u32,
    next: Option<Box<Node>>,
}

/// The line of a value: schema, fingerprint, bytes.
fn line(name: &str) -> [&'static str; 3] {
    let lines = GOLDEN.lines().filter(|line| !line.starts_with('#'));
    let mut rows = lines.map(|line| line.split(" | ").collect::<Vec<_>>());
    match rows.find(|row| row[0] == name).as_deref() {
        Some([_, schema, fingerprint, bytes]) => [schema, fingerprint, bytes],
        other => panic!("{name} is not in golden.txt: {other:?}"),
    }
}

#[track_caller]
fn golden<T: Codec + Debug + PartialEq>(name: &str, value: &T) {
    let [text, fingerprint, bytes] = line(name);
    let schema = schema_of::<T>();
    assert_eq!(schema.text(), text, "{name}");
    assert_eq!(format!("{:016x}", schema.fingerprint()), fingerprint, "{name}");
    let bytes: Vec<u8> =
        bytes.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect("two digits")).collect();
    assert_eq!(to_vec(value).unwrap(), bytes, "{name}");
    assert_eq!(from_slice::<T>(&bytes).unwrap(), *value, "{name}");
}

#[test]
fn numbers_and_plain_structs_have_their_golden_bytes() {
    golden(
        "scalars",
        &Scalars {
            a: 200,
            b: -2,
            c: 4_000_000_000,
            d: i64::MIN,
            e: u128::MAX - 1,
            f: -3,
            g: 0.5,
            h: -1e300,
            i: true,
            j: 'é',
        },
    );
    let samples =
        |count: u8| (0..count).map(|id| Sample { id, at: [1.0, 2.0, 3.5], ok: id % 2 == 0 }).collect();
    golden::<Vec<Sample>>("samples", &samples(3));
    golden("floats", &vec![1.5_f32, f32::INFINITY]);
    golden("complex", &vec![Complex::new(1.0_f32, -1.0)]);
    golden("meters", &Meters(2.5));
}

#[test]
fn text_containers_and_enums_have_their_golden_bytes() {
    golden(
        "deep",
        &Deep {
            kind: Mode::On,
            at: Some(Point { x: 1.0, y: -2.0 }),
            points: vec![Point { x: 0.0, y: 0.5 }; 2],
            names: vec!["a".into(), "bc".into()],
            raw: vec![0, 255],
            by_name: [("k".to_owned(), vec![1, 2]), ("l".to_owned(), vec![])].into(),
            pair: (7, "ü".into()),
            four: [1, 2, 3, 4],
            texts: ["x".into(), String::new()],
            ids: [5, 9].into(),
            z: Complex::new(0.0, 1.0),
        },
    );
    let polygon = Shape::Polygon(vec![Point { x: 1.0, y: 2.0 }]);
    golden("shapes", &vec![Shape::Nothing, Shape::Circle { radius: 2.0 }, polygon]);
    let last = Node { value: 2, next: None };
    golden("list", &Node { value: 1, next: Some(Box::new(last)) });
}

#[test]
fn arrays_have_their_golden_bytes() {
    let pixels = vec![1_u16, 2, 3].into();
    golden("frame", &Frame { sensor: "left".into(), gain: 0.25, pixels });
    golden("tensor", &Tensor::from_vec(vec![1_u16, 2, 3, 4], &[2, 2]).unwrap());
}

#[test]
fn each_line_of_the_file_is_checked_here() {
    let own = include_str!("main.rs");
    for line in GOLDEN.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(" | ").next().unwrap_or_default();
        assert!(own.contains(&format!("\"{name}\",")), "nobody checks {name}");
    }
}
