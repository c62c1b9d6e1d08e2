//! Codecs of types that are made at run time: values that Rust knows by their schema alone.

use std::any::{Any, TypeId};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use podwire_codec_core::message::MessageError;
use podwire_codec_core::registry::{AnyValue, Dynamic, DynamicCodec, RegistryError};
use podwire_codec_core::schema::{Schema, Value};
use podwire_codec_core::{Buffer, CodecRegistry, Error, Reader, Result, Writer};

/// Values as their schema describes them, and their bytes on the way out.
struct Described(Schema);

fn described(schema: &str) -> Described {
    Described(schema.parse().unwrap())
}

impl DynamicCodec for Described {
    fn schema(&self) -> Schema {
        self.0.clone()
    }

    fn encode(&self, value: &(dyn Any + Send + Sync), writer: &mut Writer<'_>) -> Result<()> {
        match value.downcast_ref::<Vec<u8>>() {
            Some(bytes) => writer.write(bytes),
            None => Err(Error::backend("this is no row of bytes")),
        }
    }

    fn decode(&self, reader: &mut Reader<'_>) -> Result<AnyValue> {
        Ok(Box::new(self.0.decode(reader)?))
    }
}

fn bytes(codec: &str, bytes: &[u8]) -> Dynamic {
    Dynamic::new(codec, Box::new(bytes.to_vec()))
}

/// What a registry reads of what another one has written.
fn carried(from: &CodecRegistry, to: &CodecRegistry, value: &Dynamic) -> Result<Dynamic> {
    let mut endpoint = Buffer::new();
    from.serialize(value, &mut endpoint)?;
    Ok(*to.deserialize(&mut endpoint)?.downcast::<Dynamic>().expect("by the name in the message"))
}

#[test]
fn a_value_goes_out_by_the_name_that_it_has_and_comes_in_by_the_name_in_the_message() {
    let registry = CodecRegistry::new();
    registry.register_dynamic("gain", described("struct{db:f32}")).unwrap();
    registry.register_dynamic("word", described("text")).unwrap();
    let gain = carried(&registry, &registry, &bytes("gain", &0.5_f32.to_le_bytes())).unwrap();
    let word = carried(&registry, &registry, &bytes("word", b"\x02\0\0\0ok")).unwrap();
    let shown = |found: &Dynamic| found.value().downcast_ref::<Value>().unwrap().to_string();
    assert_eq!((gain.codec(), shown(&gain)), ("gain", "{db: 0.5}".to_owned()));
    assert_eq!((word.codec(), shown(&word)), ("word", "\"ok\"".to_owned()));
    let entry = registry.by_name("gain").unwrap();
    assert_eq!(entry.value_type(), TypeId::of::<Dynamic>());
    assert_eq!(entry.fingerprint(), described("struct{db:f32}").0.fingerprint());
    assert_eq!(entry.schema().text(), "struct{db:f32}");
}

#[test]
fn a_value_of_rust_is_read_where_only_its_schema_is_known() {
    let (knows, sees) = (CodecRegistry::preregistered(), CodecRegistry::new());
    let schema = knows.by_name("Vec<f32>").unwrap().schema();
    sees.register_dynamic("Vec<f32>", Described(schema)).unwrap();
    let mut endpoint = Buffer::new();
    knows.serialize(&vec![1.0_f32, 2.5], &mut endpoint).unwrap();
    let found = sees.deserialize(&mut endpoint).unwrap().downcast::<Dynamic>().unwrap();
    assert_eq!(found.value().downcast_ref::<Value>().unwrap().to_string(), "[1.0, 2.5]");

    // And the other way round: the bytes are those of Rust's type.
    let mut endpoint = Buffer::new();
    sees.serialize(&bytes("Vec<f32>", b"\x01\0\0\0\0\0\0\x3f"), &mut endpoint).unwrap();
    assert_eq!(*knows.deserialize(&mut endpoint).unwrap().downcast::<Vec<f32>>().unwrap(), [0.5]);
}

#[test]
fn a_dynamic_codec_takes_the_name_of_a_type_and_gives_it_back() {
    let registry = CodecRegistry::new();
    registry.register::<u32>("number").unwrap();
    registry.register_dynamic("number", described("u32")).unwrap();
    assert_eq!(registry.by_name("number").unwrap().value_type(), TypeId::of::<Dynamic>());
    // Nothing is sent under a name that belongs to another codec by now.
    assert!(registry.serialize(&7_u32, &mut Buffer::new()).is_err());
    registry.register::<u32>("number").unwrap();
    let mut endpoint = Buffer::new();
    registry.serialize(&7_u32, &mut endpoint).unwrap();
    assert_eq!(*registry.deserialize(&mut endpoint).unwrap().downcast::<u32>().unwrap(), 7);
    // And the dynamic value has no codec any more, rather than that of Rust's type.
    assert!(registry.serialize(&bytes("number", &[7, 0, 0, 0]), &mut Buffer::new()).is_err());
}

#[test]
fn a_codec_of_the_same_name_replaces_and_another_schema_is_told() {
    let (older, newer) = (CodecRegistry::new(), CodecRegistry::new());
    for registry in [&older, &newer] {
        registry.register_dynamic("pose", described("struct{x:f32}")).unwrap();
    }
    newer.register_dynamic("pose", described("struct{x:f64}")).unwrap();
    let told = carried(&older, &newer, &bytes("pose", &[0; 4])).unwrap_err();
    let Error::Message(told) = &told else { panic!("{told}") };
    assert!(matches!(**told, MessageError::SchemaMismatch { .. }), "{told}");
    assert_eq!(carried(&newer, &newer, &bytes("pose", &[0; 8])).unwrap().codec(), "pose");
}

#[test]
fn a_name_that_nobody_registered_is_an_error_and_so_is_one_that_cannot_be() {
    let registry = CodecRegistry::new();
    let unknown = registry.serialize(&bytes("nobody", &[]), &mut Buffer::new()).unwrap_err();
    let Error::Registry(error) = &unknown else { panic!("{unknown}") };
    assert!(matches!(&**error, RegistryError::UnknownName { name, .. } if &**name == "nobody"), "{error}");
    for name in ["", &"x".repeat(1 << 17)] {
        let refused = registry.register_dynamic(name, described("u8")).unwrap_err();
        assert!(
            matches!(&refused, Error::Registry(error) if matches!(**error, RegistryError::BadName { .. }))
        );
    }
    assert!(registry.names().is_empty());
}

#[test]
fn what_a_codec_says_comes_through_and_nothing_is_half_sent() {
    let registry = CodecRegistry::new();
    registry.register_dynamic("bytes", described("[u8;2]")).unwrap();
    let mut endpoint = Buffer::new();
    let value = Dynamic::new("bytes", Box::new("no bytes"));
    let refused = registry.serialize(&value, &mut endpoint).unwrap_err();
    assert!(refused.to_string().contains("no row of bytes"), "{refused}");
    assert!(endpoint.as_slice().is_empty());
    // Less than the schema says, and more: neither is a value.
    for wrong in [&[1][..], &[1, 2, 3]] {
        carried(&registry, &registry, &bytes("bytes", wrong)).unwrap_err();
    }
}

#[test]
fn threads_that_read_while_a_codec_is_replaced_see_the_one_or_the_other() {
    let registry = Arc::new(CodecRegistry::new());
    registry.register_dynamic("turn", described("u8")).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (registry, stop) = (Arc::clone(&registry), Arc::clone(&stop));
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let schema = registry.by_name("turn").unwrap().schema();
                    assert!(matches!(schema.text(), "u8" | "i8"));
                }
            })
        })
        .collect();
    for turn in 0..100 {
        registry.register_dynamic("turn", described(if turn % 2 == 0 { "i8" } else { "u8" })).unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    readers.into_iter().for_each(|reader| reader.join().unwrap());
}
