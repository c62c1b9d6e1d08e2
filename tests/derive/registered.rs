//! `register_codec!` finds out how a type travels, as a field does.

use podwire::schema::schema_of;
use podwire::{Buffer, Codec, CodecRegistry, Error, register_codec, to_vec};

use crate::pod::foreign::{Axis, Sample};

register_codec!(glam::Vec3, "tests::Vec3");
register_codec!(Vec<glam::Vec3>, "tests::points");
register_codec!(Option<Sample>, "tests::maybe");
register_codec!([Axis; 2], "tests::axes",);
register_codec!(Axis, "tests::axis");
register_codec!(Vec<Vec<u8>>, "tests::lists");
register_codec!(Own, "tests::own");
register_codec!(Generic<u8>, "tests::generic");
register_codec!((u8, String), "tests::pair");

#[derive(Debug, PartialEq, Codec)]
struct Own {
    text: String,
}

#[derive(Debug, PartialEq, Codec)]
struct Generic<T> {
    value: T,
}

/// The value comes back by the name in its message.
#[track_caller]
fn travels<T: PartialEq + std::fmt::Debug + Send + Sync + 'static>(name: &str, value: T, packed: &[u8]) {
    let registry = CodecRegistry::global();
    let mut endpoint = Buffer::new();
    registry.serialize(&value, &mut endpoint).unwrap();
    assert!(endpoint.as_slice().ends_with(packed), "{:?}", endpoint.as_slice());
    assert_eq!(*registry.deserialize(&mut endpoint).unwrap().downcast::<T>().unwrap(), value);
    assert_eq!(registry.by_name(name).unwrap().value_type(), std::any::TypeId::of::<T>());
}

#[test]
fn a_registered_type_travels_by_its_codec_or_as_its_bytes() {
    let ones = [1.0_f32, 1.0, 1.0].map(f32::to_le_bytes).concat();
    travels("tests::Vec3", glam::Vec3::ONE, &ones);
    travels("tests::points", vec![glam::Vec3::ONE; 2], &[&[2, 0, 0, 0][..], &ones, &ones].concat());
    travels("tests::maybe", Some(Sample { time: 1, value: 0.0 }), &[1, 1, 0, 0, 0, 0, 0, 0, 0]);
    travels("tests::axes", [Axis::X, Axis::Y], &[1, 2]);
    travels("tests::axis", Axis::Y, &[2]);
    travels("tests::lists", vec![vec![7_u8]], &[1, 0, 0, 0, 1, 0, 0, 0, 7]);
    travels("tests::own", Own { text: "a".into() }, &[1, 0, 0, 0, b'a']);
    travels("tests::generic", Generic { value: 3_u8 }, &[3]);
    travels("tests::pair", (3_u8, "b".to_owned()), &[3, 1, 0, 0, 0, b'b']);
}

#[test]
fn its_schema_is_that_of_a_field() {
    let registry = CodecRegistry::global();
    let schema = |name| registry.by_name(name).unwrap().schema().to_string();
    assert_eq!(schema("tests::Vec3"), "pod(12)");
    assert_eq!(schema("tests::points"), "[pod(12)]");
    assert_eq!(schema("tests::own"), schema_of::<Own>().to_string());
    assert_eq!(to_vec(&Own { text: String::new() }).unwrap(), [0; 4]);
}

#[test]
fn a_registered_type_without_a_codec_is_checked_when_it_is_read() {
    let registry = CodecRegistry::global();
    let entry = registry.by_name("tests::axis").unwrap();
    let read = |byte| entry.decode(&mut podwire::Reader::from_slice(&[byte])).map(|_| ());
    assert!(read(1).is_ok());
    assert!(matches!(read(9), Err(Error::InvalidValue { found: 9, .. })));
}
