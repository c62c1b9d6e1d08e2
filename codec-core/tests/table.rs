//! The types that are registered in advance: every name, every alias, large values, hostile bytes. The tests walk the
//! registry, so that no row can be left out.

mod common;

use std::collections::{BTreeSet, HashMap};
use std::panic::Location;
use std::sync::Arc;

use common::{Random, Row, samples};
use num_complex::Complex;
use podwire_codec_core::message::{self, Message, Metadata};
use podwire_codec_core::registry::{AnyValue, RegistryError, Value};
use podwire_codec_core::{
    Buffer, CodecRegistry, Error, IoReader, IoWriter, Limits, Reader, Result, Writer, register_codec,
};

// Names of the table that this program claims for types of its own, and an alias that it wants to send under.
register_codec!(Option<i32>, "std::string");
register_codec!(u16, "uint16_t");
/// The line of the next of them, which the errors name.
const CHAR: u32 = line!() + 1;
register_codec!(Option<i64>, "char");

fn message_of(registry: &CodecRegistry, value: &(impl Value + ?Sized)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let count = registry.serialize(value, &mut bytes).unwrap();
    assert_eq!(count, bytes.len());
    bytes
}

fn packed_of(registry: &CodecRegistry, value: &AnyValue) -> Vec<u8> {
    Message::parse(&message_of(registry, &**value), Limits::DEFAULT).unwrap().0.packed().to_vec()
}

#[test]
fn the_table_has_every_row_and_no_other() {
    let registry = CodecRegistry::preregistered();
    let rows = samples();
    let mut expected = BTreeSet::new();
    for name in rows.iter().flat_map(|row| row.aliases.iter().chain([&row.name])) {
        assert!(expected.insert(name.clone()), "{name} stands twice");
    }
    let found: BTreeSet<String> = registry.names().into_iter().map(String::from).collect();
    assert_eq!(found, expected);
    assert_eq!(rows.len(), 14 * 6 + 6 + 6);
    assert!(registry.check().is_empty());
    assert!(CodecRegistry::new().names().is_empty());
    // The global registry has all of them, but for what this program claims.
    let global: BTreeSet<String> = CodecRegistry::global().names().into_iter().map(String::from).collect();
    assert_eq!(expected.difference(&global).collect::<Vec<_>>(), ["char", "std::string"]);
}

#[test]
fn every_name_and_every_alias_of_the_table_brings_its_values_back() {
    let registry = CodecRegistry::preregistered();
    for Row { name, aliases, values, same } in samples() {
        for value in &values {
            let bytes = message_of(&registry, &**value);
            let (message, _) = Message::parse(&bytes, Limits::DEFAULT).unwrap();
            assert_eq!(message.name(), name, "the primary name is sent");
            let back = registry.deserialize(&mut IoReader(&bytes[..])).unwrap();
            assert!(same(&*back, &**value), "{name}");
            for alias in &aliases {
                let entry = registry.by_name(alias).unwrap();
                let mut buffer = Buffer::new();
                message::write(alias, entry.fingerprint(), &Metadata::new(), &mut buffer, |writer| {
                    entry.encode(&**value, writer)
                })
                .unwrap();
                let back = registry.deserialize(&mut buffer).unwrap();
                assert!(same(&*back, &**value), "{alias}");
                assert!(buffer.as_slice().is_empty());
            }
        }
        // All names mean one type, which is described in one way.
        let entry = registry.by_name(&name).unwrap();
        assert!(!entry.schema().to_string().contains("opaque"), "{name}");
        for alias in aliases {
            let other = registry.by_name(&alias).unwrap();
            assert_eq!((other.value_type(), other.fingerprint()), (entry.value_type(), entry.fingerprint()));
        }
    }
}

#[test]
fn a_complex_number_is_described_by_its_parts() {
    let registry = CodecRegistry::preregistered();
    let schema = registry.by_name("std::vector<std::complex<double>>").unwrap().schema();
    assert_eq!(schema.to_string(), "[struct{re:f64,im:f64}]");
}

#[test]
fn a_vector_behind_a_pointer_has_the_bytes_of_the_vector_and_a_schema_of_its_own() {
    let registry = CodecRegistry::preregistered();
    let rows: HashMap<String, Row> = samples().into_iter().map(|row| (row.name.clone(), row)).collect();
    let mut pairs = 0;
    for (name, row) in &rows {
        let Some(pointer) = rows.get(&format!("Arc<{name}>")) else { continue };
        pairs += 1;
        if !name.contains("Map") {
            for (value, shared) in row.values.iter().zip(&pointer.values) {
                assert_eq!(packed_of(&registry, value), packed_of(&registry, shared), "{name}");
            }
        }
        let schema = registry.by_name(name).unwrap().schema().to_string();
        assert_eq!(registry.by_name(&pointer.name).unwrap().schema().to_string(), format!("*{schema}"));
    }
    assert_eq!(pairs, 14 * 3 + 1);
}

#[track_caller]
fn comes_back<T: std::any::Any + Send + Sync + PartialEq>(value: T) -> usize {
    let registry = CodecRegistry::preregistered();
    let bytes = message_of(&registry, &value);
    let back = registry.deserialize(&mut IoReader(&bytes[..])).unwrap();
    assert!(back.downcast_ref::<T>() == Some(&value), "at {}", Location::caller());
    let mut buffer = Buffer::from(bytes);
    assert!(registry.deserialize(&mut buffer).unwrap().downcast_ref::<T>() == Some(&value));
    buffer.as_slice().len()
}

#[test]
fn a_million_elements_of_every_scalar_come_back_with_nothing_to_configure() {
    const MANY: usize = if cfg!(miri) { 1_000 } else { 1_000_000 };
    macro_rules! many {
        ($($type:ty: $element:expr;)+) => {$(
            let element: fn(usize) -> $type = $element;
            comes_back::<Vec<$type>>((0..MANY).map(element).collect());
        )+};
    }
    many! {
        bool: |at| at % 3 == 0;
        i8: |at| at as i8;
        i16: |at| at as i16;
        i32: |at| at as i32;
        i64: |at| -(at as i64);
        u8: |at| at as u8;
        u16: |at| at as u16;
        u32: |at| at as u32;
        u64: |at| (at as u64) << 40;
        f32: |at| at as f32;
        f64: |at| at as f64;
        Complex<f32>: |at| Complex::new(at as f32, 1.0);
        Complex<f64>: |at| Complex::new(at as f64, 1.0);
        String: |at| at.to_string();
    }
    comes_back::<Arc<Vec<f32>>>(Arc::new((0..MANY).map(|at| at as f32).collect()));
    comes_back::<Vec<Vec<u16>>>((0..MANY).map(|at| vec![at as u16; at % 3]).collect());
}

#[test]
fn messages_of_ten_mebibytes_and_long_strings_come_back() {
    const SIZE: usize = if cfg!(miri) { 10 << 10 } else { 10 << 20 };
    comes_back(vec![7_u8; SIZE]);
    comes_back(vec![0.5_f64; SIZE / 8]);
    comes_back(Arc::new(vec![Complex::new(1.0_f32, 2.0); SIZE / 8]));
    comes_back("x".repeat(SIZE));
    comes_back(Arc::new("é".repeat(SIZE / 2)));
    comes_back(vec!["long ".repeat(SIZE / 50); 10]);
    comes_back(vec![vec![1.5_f32; SIZE / 400]; 100]);
    comes_back(vec![vec!["y".repeat(256); 10]; SIZE / 2560]);
    comes_back(HashMap::from([("k".to_owned(), "v".repeat(SIZE)), ("w".repeat(1_000), String::new())]));
    // Longer than what a byte counts, and than what two count.
    for length in [255, 256, 65_535, 65_536, 100_000] {
        comes_back(vec!["é".repeat(length); 3]);
        comes_back(vec![vec![0_u8; length]; 3]);
    }
}

/// Limits under which a claim of a million elements costs no time.
const MODEST: Limits = Limits { bytes: 1 << 20, items: 1_000, depth: 128 };

/// Bytes as a value of an entry, from a slice and from a stream, which agree.
fn decode(registry: &CodecRegistry, name: &str, bytes: &[u8]) -> Result<AnyValue> {
    let entry = registry.by_name(name).unwrap();
    let mut input = IoReader(bytes);
    let mut reader = Reader::from_endpoint(&mut input, MODEST);
    let streamed = entry.decode(&mut reader);
    reader.finish();
    let found = entry.decode(&mut Reader::from_slice_with(bytes, MODEST));
    assert_eq!(found.is_ok(), streamed.is_ok(), "{name}: {bytes:02x?}");
    found
}

#[test]
fn case_02_every_prefix_of_every_registered_value_ends_unexpectedly() {
    let registry = CodecRegistry::preregistered();
    for Row { name, values, .. } in samples() {
        for value in &values {
            let bytes = packed_of(&registry, value);
            for length in (0..bytes.len()).step_by(if cfg!(miri) { 1 + bytes.len() / 3 } else { 1 }) {
                let error = decode(&registry, &name, &bytes[..length]).unwrap_err();
                assert!(matches!(error, Error::UnexpectedEnd { .. }), "{name}, {length} bytes: {error:?}");
            }
            let message = message_of(&registry, &**value);
            for length in (0..message.len()).step_by(if cfg!(miri) { 1 + message.len() / 3 } else { 1 }) {
                registry.deserialize(&mut IoReader(&message[..length])).unwrap_err();
            }
        }
    }
}

/// All bits of few bytes, and some of many.
fn bits(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let most = if cfg!(miri) { 4 } else { 200 };
    (0..bytes.len() * 8).step_by(1 + bytes.len() * 8 / most)
}

/// A value that was made of hostile bytes is one that can be sent.
fn is_a_value(registry: &CodecRegistry, row: &Row, bytes: &[u8]) {
    let Ok(value) = decode(registry, &row.name, bytes) else { return };
    let again = packed_of(registry, &value);
    let back = decode(registry, &row.name, &again).unwrap();
    assert_eq!(packed_of(registry, &back).len(), again.len());
    // A NaN is not equal to itself.
    assert!((row.same)(&*back, &*value) || row.name.contains('f'), "{}: {bytes:02x?}", row.name);
}

#[test]
fn case_04_flipped_bits_and_random_bytes_make_a_value_or_a_typed_error_of_every_registered_type() {
    let registry = CodecRegistry::preregistered();
    let mut random = Random(0x7AB1E);
    for row in samples() {
        for value in &row.values {
            let bytes = packed_of(&registry, value);
            for bit in bits(&bytes) {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                is_a_value(&registry, &row, &flipped);
            }
            for _ in 0..if cfg!(miri) { 1 } else { 20 } {
                let mut noise = bytes.clone();
                for _ in 0..1 + random.below(4) {
                    if let Some(at) = noise.len().checked_sub(1).map(|last| random.below(last + 1)) {
                        noise[at] = [0, 0x7F, 0x80, 0xFF, random.next() as u8][random.below(5)];
                    }
                }
                is_a_value(&registry, &row, &noise);
            }
        }
        for _ in 0..if cfg!(miri) { 2 } else { 100 } {
            let length = random.below(80);
            is_a_value(&registry, &row, &random.bytes(length));
        }
        // Whole messages, headers and all.
        let message = message_of(&registry, &**row.values.last().unwrap());
        for bit in bits(&message) {
            let mut flipped = message.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            drop(registry.deserialize_with(&mut IoReader(&flipped[..]), MODEST));
        }
    }
}

#[track_caller]
fn registry_error<T>(result: Result<T>) -> RegistryError {
    match result {
        Err(Error::Registry(error)) => *error,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("no error"),
    }
}

#[test]
fn case_39_a_registration_under_a_name_of_the_table_spoils_that_name_and_names_both_lines() {
    let registry = CodecRegistry::preregistered();
    registry.collect();
    let RegistryError::Ambiguous { name, first, second } = registry_error(registry.by_name("char")) else {
        panic!("not ambiguous")
    };
    assert_eq!(&*name, "char");
    let places = [&*first, &*second];
    assert!(places.contains(&&*format!("{}:{CHAR}", file!())), "{places:?}");
    assert!(places.iter().any(|place| place.contains("builtin.rs:")), "{places:?}");
    registry_error(registry.serialize(&'x', &mut Buffer::new()));
    // An alias as well; values of its type are sent under another name and do not notice.
    registry_error(registry.by_name("std::string"));
    assert_eq!(registry.by_type(std::any::TypeId::of::<String>()).unwrap().name(), "String");
    assert_eq!(registry.check().len(), 2);
    // The other names of the type stay, and so does everything else.
    assert!(registry.by_name("char32_t").is_ok());
    assert_eq!(registry.names().len(), CodecRegistry::preregistered().names().len() - 2);

    registry.register::<char>("char").unwrap();
    registry.register_alias::<String>("std::string").unwrap();
    assert!(registry.check().is_empty());
    let bytes = message_of(&registry, &'x');
    let back = registry.deserialize(&mut IoReader(&bytes[..])).unwrap();
    assert_eq!(*back.downcast::<char>().unwrap(), 'x');
}

#[test]
fn an_alias_that_a_program_registers_is_sent_from_then_on() {
    let registry = CodecRegistry::preregistered();
    registry.collect();
    assert_eq!(registry.by_type(std::any::TypeId::of::<u16>()).unwrap().name(), "uint16_t");
    assert_eq!(registry.by_name("u16").unwrap().value_type(), std::any::TypeId::of::<u16>());
}

#[test]
fn the_table_can_be_replaced_row_by_row_at_run_time() {
    let registry = CodecRegistry::preregistered();
    registry.register::<Option<u8>>("u32").unwrap();
    assert_eq!(registry.by_name("u32").unwrap().value_type(), std::any::TypeId::of::<Option<u8>>());
    let error = registry_error(registry.serialize(&7_u32, &mut Buffer::new()));
    assert_eq!(error, RegistryError::UnknownType { type_name: Some("u32") });
    // It is understood still, under the names that are left to it.
    assert!(registry.by_name("uint32_t").is_ok());
    let taken = RegistryError::Taken { name: "uint32_t".into() };
    assert_eq!(registry_error(registry.try_register::<u8>("uint32_t")), taken);
}

#[test]
fn the_table_goes_through_anything_that_std_io_can_write_to() {
    let registry = CodecRegistry::preregistered();
    let mut file = Vec::new();
    for row in samples() {
        for value in &row.values {
            registry.serialize(&**value, &mut IoWriter(&mut file)).unwrap();
        }
    }
    let mut reader = IoReader(&file[..]);
    for row in samples() {
        for value in &row.values {
            let back = registry.deserialize(&mut reader).unwrap();
            assert!((row.same)(&*back, &**value), "{}", row.name);
        }
    }
    assert!(reader.0.is_empty());
}

#[test]
fn a_writer_of_ones_own_takes_a_registered_value_without_its_envelope() {
    let registry = CodecRegistry::preregistered();
    let mut buffer = Buffer::new();
    let mut writer = Writer::new(&mut buffer);
    registry.by_name("std::vector<float>").unwrap().encode(&vec![1.0_f32], &mut writer).unwrap();
    writer.finish().unwrap();
    assert_eq!(buffer.as_slice(), [1, 0, 0, 0, 0, 0, 0x80, 0x3F]);
}
