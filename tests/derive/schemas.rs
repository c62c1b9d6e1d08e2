//! Schemas of derived types: what is read by them, what differs, and what changes a fingerprint and what does not.
//!
//! That every type of this folder is read by its schema stands in `support::described`, through which all of them go.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use podwire::message::{Message, Options};
use podwire::schema::{Difference, Schema, Value, schema_of};
use podwire::{Buffer, Bulk, Codec, CodecRegistry, Encode, Limits, to_vec};

use crate::support::described;

#[derive(Codec, Clone, Copy)]
#[codec(crate = podwire)]
struct Point {
    x: f32,
    y: f32,
}

#[derive(Codec, Clone, Copy)]
enum Mode {
    Idle,
    Busy,
}

#[derive(Codec)]
enum Shape {
    Empty,
    Circle { centre: Point, radius: f32 },
    Polygon(Vec<Point>),
    Label(String, u8),
    Group(Vec<Shape>),
    Alone(Box<Shape>),
    Unit(()),
}

#[derive(Codec)]
struct Frame {
    sensor: String,
    mode: Mode,
    shapes: Vec<Shape>,
    modes: Vec<Mode>,
    grid: [[u8; 2]; 2],
    points: [Point; 2],
    pixels: Bulk<u16>,
    by: BTreeMap<String, Option<Point>>,
    next: Option<Box<Frame>>,
    #[codec(rename = "type")]
    kind: char,
    #[codec(skip, default)]
    cache: u64,
}

fn frame(next: Option<Box<Frame>>) -> Frame {
    let centre = Point { x: 1.0, y: -2.0 };
    Frame {
        sensor: "left".into(),
        mode: Mode::Busy,
        shapes: vec![
            Shape::Empty,
            Shape::Circle { centre, radius: 0.5 },
            Shape::Polygon(vec![centre; 2]),
            Shape::Label("a".into(), 7),
            Shape::Group(vec![Shape::Alone(Box::new(Shape::Unit(())))]),
        ],
        modes: vec![Mode::Idle, Mode::Busy],
        grid: [[1, 2], [3, 4]],
        points: [centre; 2],
        pixels: vec![7; 12].into(),
        by: BTreeMap::from([("k".into(), Some(centre)), ("none".into(), None)]),
        next,
        kind: 'é',
        cache: 9,
    }
}

fn read<T: Encode>(value: &T) -> Value {
    described::<T>(&to_vec(value).unwrap()).expect("all of it describes itself")
}

#[test]
fn a_derived_value_is_read_by_its_schema() {
    let value = read(&frame(Some(Box::new(frame(None)))));
    let one = |next: &str| {
        format!(
            "{{sensor: \"left\", mode: Busy, shapes: [Empty, Circle {{centre: {{x: 1.0, y: -2.0}}, radius: 0.5}}, \
             Polygon([{{x: 1.0, y: -2.0}}, {{x: 1.0, y: -2.0}}]), Label(\"a\", 7), Group([Alone(Unit(()))])], \
             modes: [Idle, Busy], grid: [[1, 2], [3, 4]], points: [{{x: 1.0, y: -2.0}}, {{x: 1.0, y: -2.0}}], \
             pixels: [7, 7, 7, 7, 7, 7, 7, 7, 7, 7, … 2 more], by: {{\"k\": {{x: 1.0, y: -2.0}}, \"none\": none}}, \
             next: {next}, type: 'é'}}"
        )
    };
    assert_eq!(value.to_string(), one(&one("none")));
    assert_eq!(
        value.get("next").unwrap().get("by").unwrap().get("k").unwrap().get("y").unwrap().as_f64(),
        Some(-2.0)
    );
    assert_eq!(value.get("type").unwrap().as_char(), Some('é'));
    assert!(value.get("cache").is_none());
    assert!(format!("{value:#}").contains("\n    next: {\n        sensor: \"left\","), "{value:#}");
}

#[test]
fn a_stand_alone_message_is_read_without_its_type() {
    let registry = CodecRegistry::new();
    registry.register::<Frame>("Frame").unwrap();
    let options = Options { checksum: true, schema: true, ..Options::default() };
    let mut file = Buffer::new();
    registry.serialize_with(&frame(None), options, &mut file).unwrap();

    let nobody = CodecRegistry::new();
    let message = Message::read(&mut file, Limits::default()).unwrap();
    let schema = nobody.schema_of_message(&message).unwrap().unwrap();
    assert_eq!(schema, schema_of::<Frame>());
    let value = message.decode(&mut file, Limits::default(), |reader| schema.decode(reader)).unwrap();
    assert_eq!(value.to_string(), read(&frame(None)).to_string());
}

fn difference<A: Encode, B: Encode>() -> Option<Difference> {
    let (ours, theirs) = (schema_of::<A>(), schema_of::<B>());
    assert_eq!(ours == theirs, ours.fingerprint() == theirs.fingerprint());
    ours.difference(&theirs)
}

macro_rules! types {
    ($($module:ident { $($item:item)+ })+) => {$(
        #[allow(dead_code)]
        mod $module {
            use podwire::Codec;
            $(#[derive(Codec)] $item)+
        }
    )+};
}

types! {
    base { pub(crate) struct Sample { stamp: u64, gain: f32, mode: Mode } pub(crate) enum Mode { Off, On { level: u8 } } }
    renamed_type { pub(crate) struct Reading { stamp: u64, gain: f32, mode: State } pub(crate) enum State { Off, On { level: u8 } } }
    renamed_field { pub(crate) struct Sample { time: u64, gain: f32, mode: Mode } pub(crate) enum Mode { Off, On { level: u8 } } }
    reordered { pub(crate) struct Sample { gain: f32, stamp: u64, mode: Mode } pub(crate) enum Mode { Off, On { level: u8 } } }
    widened { pub(crate) struct Sample { stamp: u64, gain: f64, mode: Mode } pub(crate) enum Mode { Off, On { level: u8 } } }
    added { pub(crate) struct Sample { stamp: u64, gain: f32, mode: Mode, more: () } pub(crate) enum Mode { Off, On { level: u8 } } }
    removed { pub(crate) struct Sample { stamp: u64, mode: Mode } pub(crate) enum Mode { Off, On { level: u8 } } }
    variant_added { pub(crate) struct Sample { stamp: u64, gain: f32, mode: Mode } pub(crate) enum Mode { Off, On { level: u8 }, Auto } }
    variant_renamed { pub(crate) struct Sample { stamp: u64, gain: f32, mode: Mode } pub(crate) enum Mode { None, On { level: u8 } } }
    variant_field { pub(crate) struct Sample { stamp: u64, gain: f32, mode: Mode } pub(crate) enum Mode { Off, On { level: u16 } } }
    cfg_off { pub(crate) struct Sample { stamp: u64, #[cfg(any())] gone: u8, gain: f32, mode: Mode } pub(crate) enum Mode { Off, #[cfg(any())] Gone, On { level: u8 } } }
    cfg_on { pub(crate) struct Sample { stamp: u64, #[cfg(all())] here: u8, gain: f32, mode: Mode } pub(crate) enum Mode { Off, On { level: u8 } } }
    skipped { pub(crate) struct Sample { stamp: u64, gain: f32, mode: Mode, #[codec(skip)] cache: u8 } pub(crate) enum Mode { Off, On { level: u8 } } }
    wide_tag { pub(crate) struct Sample { stamp: u64, gain: f32, mode: Mode } #[codec(tag(u16))] pub(crate) enum Mode { Off, On { level: u8 } } }
    other_tag { pub(crate) struct Sample { stamp: u64, gain: f32, mode: Mode } pub(crate) enum Mode { Off, #[codec(tag = 5)] On { level: u8 } } }
    renamed_back { pub(crate) struct Sample { #[codec(rename = "stamp")] time: u64, gain: f32, mode: Mode } pub(crate) enum Mode { #[codec(rename = "Off")] None, On { level: u8 } } }
    layout { #[repr(C)] pub(crate) struct Sample { stamp: u64, gain: f32, mode: Mode } #[repr(u32)] pub(crate) enum Mode { Off = 7, On { level: u8 } = 9 } }
}

/// `docs/wire-format.md`, section 2: "What changes a fingerprint".
#[test]
fn what_changes_a_fingerprint_and_is_named_as_the_first_difference() {
    macro_rules! differs {
        ($($other:ident: $said:literal;)+) => {$(
            assert_eq!(difference::<base::Sample, $other::Sample>().expect($said).to_string(), $said);
        )+};
    }
    differs! {
        renamed_field: "expected field \"stamp\", found field \"time\"";
        reordered: "expected field \"stamp\", found field \"gain\"";
        widened: "gain: expected f32, found f64";
        added: "field \"more\" was not expected";
        removed: "field \"gain\" is missing";
        variant_added: "mode: variant \"Auto\" was not expected";
        variant_renamed: "mode: expected variant \"Off\", found variant \"None\"";
        variant_field: "mode.On.level: expected u8, found u16";
        cfg_on: "field \"here\" was not expected";
        wide_tag: "mode: expected a tag of 8 bits, found 16";
        other_tag: "mode: variant \"On\": expected tag 1, found 5";
    }
    // Owners that change the place in the encoding.
    assert!(difference::<Option<u8>, u8>().is_some());
    assert!(difference::<Box<u8>, u8>().is_some());
    assert!(difference::<[u8; 3], Vec<u8>>().is_some());
    assert!(difference::<[u8; 3], [u8; 4]>().is_some());
    assert!(difference::<Bulk<u8>, Vec<u8>>().is_some());
    assert!(difference::<String, Vec<u8>>().is_some());
    assert!(difference::<Point, (f32, f32)>().is_some(), "names count");
    assert!(difference::<Point, [f32; 2]>().is_some());
    assert!(difference::<u32, i32>().is_some());
    assert!(difference::<u32, f32>().is_some());
}

/// `docs/wire-format.md`, section 2: "What does not".
#[test]
fn what_does_not_change_a_fingerprint() {
    macro_rules! same {
        ($($other:ident)+) => {$(
            assert_eq!(difference::<base::Sample, $other::Sample>(), None, stringify!($other));
        )+};
    }
    same!(cfg_off skipped renamed_back layout);
    assert_eq!(difference::<base::Sample, renamed_type::Reading>(), None);
    assert_eq!(difference::<usize, u64>(), None);
    assert_eq!(difference::<isize, i64>(), None);
    assert_eq!(difference::<String, &str>(), None);
    assert_eq!(difference::<String, Arc<str>>(), None);
    assert_eq!(difference::<Vec<u8>, Box<[u8]>>(), None);
    assert_eq!(difference::<Vec<u8>, std::collections::VecDeque<u8>>(), None);
    assert_eq!(difference::<Vec<u8>, std::collections::BTreeSet<u8>>(), None);
    assert_eq!(difference::<HashMap<u8, u16>, BTreeMap<u8, u16>>(), None);
    assert_eq!(difference::<Box<u8>, Rc<u8>>(), None);
    assert_eq!(difference::<&u8, u8>(), None);
    assert_eq!(difference::<std::num::Wrapping<u8>, u8>(), None);
    assert_eq!(difference::<std::num::NonZeroU8, u8>(), None);
    assert_eq!(difference::<std::time::Duration, (u64, u32)>(), None);
}

/// Two builds that disagree, and one of them has heard of the other's schema.
#[test]
fn a_mismatch_names_the_first_difference_where_the_other_schema_is_known() {
    let (here, there) = (CodecRegistry::new(), CodecRegistry::new());
    here.register::<base::Sample>("Sample").unwrap();
    there.register::<widened::Sample>("Sample").unwrap();
    let mut bytes = Vec::new();
    // What the fields hold does not matter: nothing of it is read.
    let fingerprint = there.by_name("Sample").unwrap().fingerprint();
    podwire::message::write("Sample", fingerprint, &Default::default(), &mut bytes, |_| Ok(())).unwrap();

    let error = here.deserialize(&mut &bytes[..]).unwrap_err().to_string();
    let own = schema_of::<base::Sample>().fingerprint();
    assert_eq!(
        error,
        format!("codec \"Sample\": the message has schema {fingerprint:016x}, this build has {own:016x}")
    );
    assert!(here.known_schema(fingerprint).is_none());

    assert!(here.learn(schema_of::<widened::Sample>()));
    let error = here.deserialize(&mut &bytes[..]).unwrap_err().to_string();
    assert_eq!(error, "codec \"Sample\": the message is of another build, gain: expected f32, found f64");
    assert_eq!(here.known_schema(fingerprint), Some(schema_of::<widened::Sample>()));
}

/// A schema that stands in the message need not be learned before.
#[test]
fn a_mismatch_names_the_first_difference_where_the_message_has_its_schema() {
    let (here, there) = (CodecRegistry::new(), CodecRegistry::new());
    here.register::<(u64, f32)>("sample").unwrap();
    there.register::<(u64, f64)>("sample").unwrap();
    let mut bytes = Vec::new();
    let options = Options { schema: true, ..Options::default() };
    there.serialize_with(&(1_u64, 2.0_f64), options, &mut bytes).unwrap();
    let error = here.deserialize(&mut &bytes[..]).unwrap_err().to_string();
    assert_eq!(error, "codec \"sample\": the message is of another build, 1: expected f32, found f64");
}

#[test]
fn the_readable_form_of_a_derived_type() {
    let expected = "\
struct {
    stamp: u64,
    gain: f32,
    mode: enum8 {
        Off = 0,
        On = 1 {
            level: u8,
        },
    },
}";
    assert_eq!(format!("{:#}", schema_of::<base::Sample>()), expected);
    let text: Schema = schema_of::<base::Sample>().to_string().parse().unwrap();
    assert_eq!(format!("{text:#}"), expected);
}
