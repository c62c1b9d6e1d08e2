//! `#[codec(...)]`: what each word does.

use podwire::schema::schema_of;
use podwire::{Codec, Decode, Encode, Error, Reader, Result, Writer, from_slice, to_vec};

use crate::support::{golden, round};

#[derive(Debug, PartialEq, Codec)]
struct Skips {
    first: u8,
    #[codec(skip)]
    cache: Vec<NoCodec>,
    #[codec(skip, default = forty_two)]
    answer: u8,
    #[codec(skip, default = Self::text)]
    text: &'static str,
    #[codec(default, skip)]
    more: Option<NoCodec>,
    last: u8,
}

/// Has no codec.
#[derive(Debug, PartialEq)]
struct NoCodec;

fn forty_two() -> u8 {
    42
}

impl Skips {
    fn text() -> &'static str {
        "made"
    }
}

#[derive(Debug, PartialEq, Codec)]
enum SkipsInVariants {
    All(#[codec(skip)] u8),
    Some {
        first: u8,
        #[codec(skip, default = forty_two)]
        second: u8,
        third: u8,
    },
    One(#[codec(skip)] Option<NoCodec>, u8),
}

#[test]
fn a_skipped_field_does_not_travel_and_gets_its_default() {
    let value = Skips { first: 1, cache: vec![NoCodec], answer: 0, text: "", more: Some(NoCodec), last: 2 };
    let bytes = to_vec(&value).unwrap();
    assert_eq!(bytes, [1, 2]);
    let made = Skips { first: 1, cache: vec![], answer: 42, text: "made", more: None, last: 2 };
    assert_eq!(from_slice::<Skips>(&bytes).unwrap(), made);
    assert_eq!(schema_of::<Skips>().to_string(), "struct{first:u8,last:u8}");

    assert_eq!(to_vec(&SkipsInVariants::All(7)).unwrap(), [0]);
    assert_eq!(from_slice::<SkipsInVariants>(&[0]).unwrap(), SkipsInVariants::All(0));
    golden(&SkipsInVariants::Some { first: 1, second: 42, third: 3 }, &[1, 1, 3]);
    golden(&SkipsInVariants::One(None, 7), &[2, 7]);
}

#[test]
fn a_missing_field_is_an_error_and_never_its_default() {
    assert!(matches!(from_slice::<Skips>(&[1]), Err(Error::UnexpectedEnd { .. })));
}

/// Another crate's type, and the module that stands in for its codec.
#[derive(Debug, PartialEq, Clone)]
struct Celsius(f32);

mod kelvin {
    use super::{Celsius, Reader, Result, Writer};

    pub(super) fn encode(value: &Celsius, writer: &mut Writer<'_>) -> Result<()> {
        writer.write_trivial_type(&(value.0 + 273.0))
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Celsius> {
        Ok(Celsius(reader.read_trivial_type::<f32>()? - 273.0))
    }
}

/// A module that works for every type and may borrow.
mod twice {
    use super::{Decode, Encode, Reader, Result, Writer};

    pub(super) fn encode<T: Encode>(value: &T, writer: &mut Writer<'_>) -> Result<()> {
        writer.encode(value)?;
        writer.encode(value)
    }

    pub(super) fn decode<'de, T: Decode<'de>>(reader: &mut Reader<'de>) -> Result<T> {
        reader.decode::<T>()?;
        reader.decode()
    }
}

/// A type may serve as a module.
struct Inverted<const BY: u8>;

impl<const BY: u8> Inverted<BY> {
    fn encode(value: &u8, writer: &mut Writer<'_>) -> Result<()> {
        writer.write_trivial_type(&(value ^ BY))
    }

    fn decode(reader: &mut Reader<'_>) -> Result<u8> {
        Ok(reader.read_trivial_type::<u8>()? ^ BY)
    }
}

#[derive(Debug, PartialEq, Codec)]
struct With<'a, T: Codec> {
    #[codec(with = kelvin)]
    temperature: Celsius,
    number: u8,
    #[codec(with = self::twice)]
    text: &'a str,
    #[codec(with = twice)]
    value: T,
    #[codec(with = Inverted<255>)]
    inverted: u8,
}

#[derive(Debug, PartialEq, Codec)]
enum WithInVariants {
    One(#[codec(with = kelvin)] Celsius),
    Row(u8, #[codec(with = kelvin)] Celsius, String),
}

#[test]
fn a_field_with_a_module_stands_wholly_in_the_tail() {
    let value = With { temperature: Celsius(0.0), number: 1, text: "a", value: 7_u8, inverted: 1 };
    let mut bytes = vec![1];
    bytes.extend(273.0_f32.to_le_bytes());
    bytes.extend([1, 0, 0, 0, b'a', 1, 0, 0, 0, b'a', 7, 7, 254]);
    crate::support::round_borrowed(&value, &bytes);
    assert_eq!(
        schema_of::<With<'_, u8>>().to_string(),
        "struct{temperature:opaque,number:u8,text:opaque,value:opaque,inverted:opaque}"
    );
    let kelvin = 273.0_f32.to_le_bytes();
    golden(&WithInVariants::One(Celsius(0.0)), &[&[0], &kelvin[..]].concat());
    let row = WithInVariants::Row(5, Celsius(0.0), "x".into());
    golden(&row, &[&[1, 5, 1, 0, 0, 0], &kelvin[..], b"x"].concat());
}

#[derive(Debug, PartialEq, Codec)]
enum Tagged {
    #[codec(tag = 7)]
    Seven,
    One(u8),
    #[codec(tag = 0xFF)]
    Last,
    Three,
}

#[derive(Debug, PartialEq, Codec)]
#[codec(tag(u16))]
enum Wide {
    #[codec(tag = 0x1234)]
    A,
    B,
}

#[derive(Debug, PartialEq, Codec)]
#[codec(tag(u32))]
enum Wider {
    #[codec(tag = 4_294_967_295)]
    A(u8),
    B,
}

#[test]
fn a_tag_is_the_position_of_the_variant_or_what_is_said() {
    golden(&[Tagged::Seven, Tagged::Last, Tagged::Three], &[7, 255, 3]);
    golden(&Tagged::One(9), &[1, 9]);
    golden(&[Wide::A, Wide::B], &[0x34, 0x12, 1, 0]);
    golden(&Wider::A(1), &[255, 255, 255, 255, 1]);
    golden(&Wider::B, &[1, 0, 0, 0]);
    assert!(matches!(from_slice::<Tagged>(&[0]), Err(Error::UnknownTag { found: 0, .. })));
    assert!(matches!(from_slice::<Wide>(&[0x34, 0x13]), Err(Error::UnknownTag { found: 0x1334, .. })));
    assert_eq!(schema_of::<Wide>().to_string(), "enum16{A=4660{},B=1{}}");
}

#[derive(Debug, PartialEq, Codec)]
struct Renamed {
    #[codec(rename = "alt")]
    neu: u8,
    shape: RenamedVariants,
}

#[derive(Debug, PartialEq, Codec)]
enum RenamedVariants {
    #[codec(rename = "Old")]
    New(#[codec(rename = "value")] u8),
}

#[test]
fn a_rename_is_seen_in_the_schema_only() {
    golden(&Renamed { neu: 1, shape: RenamedVariants::New(2) }, &[1, 0, 2]);
    assert_eq!(schema_of::<Renamed>().to_string(), "struct{alt:u8,shape:enum8{Old=0{value:u8}}}");
}

mod inner {
    pub(super) use podwire as exported;
}

#[derive(Debug, PartialEq, Codec)]
#[codec(crate = self::inner::exported)]
struct ByPath(u8);

#[derive(Debug, PartialEq, Codec)]
#[codec(crate = podwire,)]
#[codec()]
#[codec(tag(u8))]
enum Several {
    #[codec(tag = 1)]
    #[codec(rename = "Eins")]
    A,
}

#[test]
fn attributes_may_stand_in_several_lists_and_end_in_commas() {
    golden(&ByPath(1), &[1]);
    golden(&Several::A, &[1]);
    assert_eq!(schema_of::<Several>().to_string(), "enum8{Eins=1{}}");
}

macro_rules! from_macro {
    ($ty:ty, $path:path, $function:path, $tag:literal, $name:literal, $krate:path, $lt:lifetime, $n:expr, $f:ident) => {
        #[derive(Debug, PartialEq, Codec)]
        #[codec(crate = $krate)]
        struct FromMacro {
            typed: $ty,
            many: Vec<$ty>,
            #[codec(with = $path)]
            with: Celsius,
            #[codec(skip, default = $function)]
            skipped: u8,
        }

        #[derive(Debug, PartialEq, Codec)]
        struct MoreFromMacro<$lt> {
            $f: &$lt str,
            array: [$ty; $n],
            nested: Option<Box<[($ty, u8); $n]>>,
        }

        #[derive(Debug, PartialEq, Codec)]
        enum TagFromMacro {
            #[codec(tag = $tag, rename = $name)]
            A($ty),
        }
    };
}

from_macro!(glam::Vec3, self::kelvin, forty_two, 9, "Neun", ::podwire, 'a, 1 + 1, r#type);

#[test]
fn types_and_values_may_come_out_of_a_macro() {
    round(&FromMacro { typed: glam::Vec3::X, many: vec![glam::Vec3::Y], with: Celsius(1.0), skipped: 42 });
    let more = MoreFromMacro {
        r#type: "x",
        array: [glam::Vec3::X; 2],
        nested: Some(Box::new([(glam::Vec3::Y, 1), (glam::Vec3::Z, 2)])),
    };
    crate::support::round_borrowed(&more, &to_vec(&more).unwrap());
    assert_eq!(to_vec(&TagFromMacro::A(glam::Vec3::ZERO)).unwrap()[0], 9);
    assert_eq!(schema_of::<TagFromMacro>().to_string(), "enum8{Neun=9{0:pod(12)}}");
}

#[derive(Debug, PartialEq, Codec)]
struct BorrowsPhantom<'a> {
    #[codec(borrow)]
    of: std::marker::PhantomData<&'a str>,
    number: u8,
}

#[test]
fn borrow_ties_a_lifetime_to_the_input() {
    crate::support::round_borrowed(&BorrowsPhantom { of: std::marker::PhantomData, number: 1 }, &[1]);
}

#[derive(Debug, PartialEq, Codec)]
#[codec(register)]
struct RegisteredByItsName {
    number: u8,
}

#[derive(Debug, PartialEq, Codec)]
#[codec(name = "tests::renamed")]
enum RegisteredByAnother {
    A,
}

mod elsewhere {
    #![no_implicit_prelude]

    use ::core::prelude::v1::derive;

    #[derive(::podwire::Codec)]
    #[codec(register, name = "tests::r#type")]
    pub(super) struct r#Type;
}

#[test]
fn a_registered_type_is_found_by_its_name() {
    let registry = podwire::CodecRegistry::global();
    for name in ["RegisteredByItsName", "tests::renamed", "tests::r#type"] {
        assert!(registry.by_name(name).is_ok(), "{name}");
    }
    assert!(registry.by_name("RegisteredByAnother").is_err());
    let _ = (RegisteredByItsName { number: 1 }, RegisteredByAnother::A, elsewhere::r#Type);
}
