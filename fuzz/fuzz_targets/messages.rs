//! Messages by the registry: any bytes, and any value under a name and a fingerprint that are right.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use podwire::message::{Message, Metadata, write};
use podwire::{CodecRegistry, Gather, IoReader, Reader, Segment};
use podwire_fuzz::agree::LIMITS;

static NAMES: LazyLock<Vec<Box<str>>> = LazyLock::new(|| CodecRegistry::global().names());

fuzz_target!(|input: &[u8]| {
    let [kind, number, bytes @ ..] = input else { return };
    if kind % 2 == 0 {
        return any(bytes);
    }
    // The value of a known codec, and what follows its first segments.
    let name = &NAMES[usize::from(*number) % NAMES.len()];
    let Ok(entry) = CodecRegistry::global().by_name(name) else { return };
    let mut gather = Gather::new();
    let put = |writer: &mut podwire::Writer<'_>| {
        if kind & 2 != 0 {
            writer.attach(&Segment::from(bytes.to_vec()))?;
        }
        writer.write(bytes)
    };
    write(name, entry.fingerprint(), &Metadata::new(), &mut gather, put).unwrap();
    if let Ok(value) = CodecRegistry::global().deserialize_with(&mut gather, LIMITS) {
        let mut out = Gather::new();
        let _ = CodecRegistry::global().serialize(&*value, &mut out);
    }
    by_schema(&entry.schema(), bytes);
});

/// Bytes that nobody prepared.
fn any(bytes: &[u8]) {
    let registry = CodecRegistry::new();
    let _ = registry.deserialize_with(&mut IoReader(bytes), LIMITS);
    let Ok((message, _)) = Message::parse(bytes, LIMITS) else { return };
    let streamed = Message::read(&mut IoReader(bytes), LIMITS);
    assert_eq!(streamed.ok().as_ref(), Some(&message));
    for (key, value) in message.metadata().iter() {
        assert_eq!(message.metadata().bytes(key), Some(value));
        let _ = message.metadata().get_any(key);
    }
    let _ = CodecRegistry::global().decode_with(&message, &mut Gather::new(), LIMITS);
    if let Ok(Some(schema)) = CodecRegistry::global().schema_of_message(&message) {
        registry.learn(schema.clone());
        by_schema(&schema, message.packed());
        let _ = registry.register::<(u8, String)>(message.name());
        let _ = registry.decode_with(&message, &mut Gather::new(), LIMITS).map_err(|error| error.to_string());
    }
}

/// What is read can be passed over and printed; and it ends where passing over ends.
fn by_schema(schema: &podwire::schema::Schema, bytes: &[u8]) {
    let mut reader = Reader::from_slice_with(bytes, LIMITS);
    let Ok(value) = schema.decode(&mut reader) else { return };
    let end = reader.offset();
    assert!(value.to_string().len() < 1 << 20 && format!("{value:#}").len() < 1 << 22);
    let mut reader = Reader::from_slice_with(bytes, LIMITS);
    schema.skip(&mut reader).expect("what is a value can be passed over");
    assert_eq!(reader.offset(), end);
}
