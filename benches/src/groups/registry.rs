//! What it costs not to know the type: through the registry, beside the static call that makes the same bytes.

use std::any::{Any, TypeId};
use std::hint::black_box;

use podwire::message::{self, Message, Metadata};
use podwire::{Buffer, Codec, CodecRegistry, Limits, Reader, Result, Writer};

use crate::runner::{Group, Style};

const ENCODE: &str = "encode";
const DECODE: &str = "decode and drop";
const SEND: &str = "write a message";
const RECEIVE: &str = "read a message and drop";
const NAME: &str = "reading";

/// A small struct.
#[derive(Debug, Clone, PartialEq, Codec)]
struct Reading {
    sensor: u32,
    quality: u16,
    channel: u16,
    time: u64,
    value: f64,
}

const READING: Reading = Reading { sensor: 7, quality: 1, channel: 3, time: 1_700_000_000, value: 0.5 };

/// All of it.
pub(super) fn group(failures: &mut Vec<String>) -> Group {
    let title = "registry: a struct of 24 bytes by its type and by its name, over the static call";
    let mut group = Group::new("registry", Style::Ratios, title);
    if let Err(error) = fill(&mut group) {
        failures.push(format!("registry: {error}"));
    }
    group
}

fn fill(group: &mut Group) -> Result<()> {
    let registry: &'static CodecRegistry = Box::leak(Box::new(CodecRegistry::preregistered()));
    registry.register::<Reading>(NAME)?;
    let bytes: &'static [u8] = podwire::to_vec(&READING)?.leak();
    let mut sent = Buffer::new();
    registry.serialize(&READING, &mut sent)?;
    let sent: &'static [u8] = sent.into_vec().leak();
    let back = receive(registry, sent)?;
    assert!(back.downcast_ref() == Some(&READING), "what is sent is what is received");

    encode(group, "static", |writer| writer.encode(black_box(&READING)));
    encode(group, "by type", |writer| {
        let value: &dyn Any = black_box(&READING);
        registry.by_type(value.type_id())?.encode(value, writer)
    });

    group.add("static, boxed", DECODE, bytes.len(), move || {
        drop(black_box(podwire::from_slice::<Reading>(black_box(bytes)).map(Box::new).ok()));
    });
    group.add("by name", DECODE, bytes.len(), move || {
        let mut reader = Reader::from_slice(black_box(bytes));
        let entry = registry.by_name(black_box(NAME));
        drop(black_box(entry.and_then(|entry| entry.decode(&mut reader)).ok()));
    });
    group.add("an allocation", DECODE, 0, || drop(black_box(Box::new(black_box(READING)))));

    let fingerprint = registry.by_type(TypeId::of::<Reading>())?.fingerprint();
    let metadata = Metadata::new();
    let mut buffer = Buffer::new();
    group.add("static", SEND, sent.len(), move || {
        buffer.clear();
        let written = message::write(NAME, fingerprint, &metadata, &mut buffer, |writer| {
            writer.encode(black_box(&READING))
        });
        black_box(written.ok());
    });
    let mut buffer = Buffer::new();
    group.add("by type", SEND, sent.len(), move || {
        buffer.clear();
        black_box(registry.serialize(black_box(&READING), &mut buffer).ok());
    });

    group.add("static, boxed", RECEIVE, sent.len(), move || {
        let parsed = Message::parse(black_box(sent), Limits::DEFAULT);
        let value = parsed.and_then(|(message, _)| podwire::from_slice::<Reading>(message.packed()));
        drop(black_box(value.map(Box::new).ok()));
    });
    group.add("by name", RECEIVE, sent.len(), move || {
        drop(black_box(receive(registry, black_box(sent)).ok()));
    });
    Ok(())
}

/// Writes again and again into the same memory.
fn encode(group: &mut Group, subject: &str, mut encode: impl FnMut(&mut Writer<'_>) -> Result<()> + 'static) {
    let mut buffer = Buffer::new();
    group.add(subject, ENCODE, size_of::<Reading>(), move || {
        buffer.clear();
        let mut writer = Writer::new(&mut buffer);
        let encoded = encode(&mut writer).and_then(|()| writer.finish());
        black_box(encoded.ok());
    });
}

fn receive(registry: &CodecRegistry, bytes: &[u8]) -> Result<podwire::registry::AnyValue> {
    let (message, _) = Message::parse(bytes, Limits::DEFAULT)?;
    registry.decode(&message, &mut podwire::SliceReader::new(&[]))
}
