//! Section 3: the header, the order of the parts, and the segment table, byte by byte.

use std::sync::Arc;

use podwire_codec_core::endpoint::Capabilities;
use podwire_codec_core::message::{self, Message, Metadata, Options};
use podwire_codec_core::{
    Buffer, Bulk, CodecRegistry, Gather, IoReader, IoWriter, Limits, MemoryKind, Owner, Segment,
};

use super::common::Drip;
use super::hex;

const EXAMPLE: &str = "
    50 4F 44 57  01  00  01 00
    BF F3 7E 3E 19 D3 24 4D
    02 00 00 00 00 00 00 00
    00 00 00 00  00 00 00 00
    6E
    07 00";

fn registry() -> CodecRegistry {
    let registry = CodecRegistry::new();
    registry.register::<u16>("n").unwrap();
    registry
}

#[test]
fn the_example_message() {
    let bytes = hex(EXAMPLE);
    let registry = registry();

    let mut buffer = Buffer::new();
    assert_eq!(registry.serialize(&7_u16, &mut buffer).unwrap(), bytes.len());
    assert_eq!(buffer.as_slice(), bytes, "Buffer");
    assert_eq!(*registry.deserialize(&mut buffer).unwrap().downcast::<u16>().unwrap(), 7);

    let mut gather = Gather::new();
    registry.serialize(&7_u16, &mut gather).unwrap();
    assert_eq!(gather.packed(), bytes, "Gather");

    let mut written = Vec::new();
    registry.serialize(&7_u16, &mut IoWriter(&mut written)).unwrap();
    assert_eq!(written, bytes, "IoWriter");
    let mut reader = IoReader(&bytes[..]);
    assert_eq!(*registry.deserialize(&mut reader).unwrap().downcast::<u16>().unwrap(), 7);
    assert!(reader.0.is_empty());
    let mut reader = IoReader(Drip::new(&bytes));
    assert_eq!(*registry.deserialize(&mut reader).unwrap().downcast::<u16>().unwrap(), 7);

    let (message, rest) = Message::parse(&bytes, Limits::default()).unwrap();
    assert!(rest.is_empty());
    assert_eq!(message.name(), "n");
    assert_eq!(message.fingerprint(), u64::from_le_bytes(*b"\xBF\xF3\x7E\x3E\x19\xD3\x24\x4D"));
    assert_eq!(message.packed(), [7, 0]);
    assert!(message.metadata().is_empty());
    assert!(message.segments().is_empty());
}

#[test]
fn metadata_stands_between_the_name_and_the_value() {
    let metadata = Metadata::from([("k".into(), vec![1, 2]), ("l".into(), vec![])]);
    let mut buffer = Buffer::new();
    let options = Options { metadata: Some(&metadata), ..Options::default() };
    registry().serialize_with(&7_u16, options, &mut buffer).unwrap();
    // The encoding of the map: a length, then each entry as a tuple, heads before tails.
    let map = "02000000  01000000 02000000 6B 0102  01000000 00000000 6C";
    let expected = format!(
        "504F4457 01 00 0100  BFF37E3E19D3244D  0200000000000000  00000000 {:02X}000000  6E {map} 0700",
        hex(map).len()
    );
    assert_eq!(buffer.as_slice(), hex(&expected));
    let message = Message::read(&mut buffer, Limits::default()).unwrap();
    assert_eq!(*message.metadata(), metadata);
    assert_eq!(message.value::<u16>(&mut buffer, Limits::default()).unwrap(), 7);
}

/// Memory with an alignment, for the table to tell; the words are so that it is aligned at all, also in Miri.
struct Aligned(Vec<u64>, MemoryKind);

impl Owner for Aligned {
    fn bytes(&self) -> Option<&[u8]> {
        Some(bytemuck::cast_slice(&self.0))
    }

    fn alignment(&self) -> usize {
        64
    }

    fn kind(&self) -> MemoryKind {
        self.1
    }
}

#[test]
fn the_segment_table_stands_behind_the_value() {
    let mut gather = Gather::with_capabilities(Capabilities { segments: 8, threshold: 0 });
    let whole = Segment::new(Arc::new(Aligned(vec![0x0101_0101_0101_0101; 3], MemoryKind(300))));
    let part = Bulk::<u8>::from_segment(whole.part(4..20).unwrap()).unwrap();
    let whole = Bulk::<u8>::from_segment(whole).unwrap();
    message::write("n", 0x0807_0605_0403_0201, &Metadata::new(), &mut gather, |writer| {
        writer.encode(&(whole, part))
    })
    .unwrap();
    let expected = hex("
        50 4F 44 57  01  00  01 00
        01 02 03 04 05 06 07 08
        1A 00 00 00 00 00 00 00
        02 00 00 00  00 00 00 00
        6E
        01  18 00 00 00 00 00 00 00  00 00 00 00
        01  10 00 00 00 00 00 00 00  01 00 00 00
        18 00 00 00 00 00 00 00  00 00 00 00  2C 01  06  00
        10 00 00 00 00 00 00 00  01 00 00 00  2C 01  02  00");
    assert_eq!(gather.packed(), expected);

    let message = Message::read(&mut gather, Limits::default()).unwrap();
    let [first, second] = message.segments() else { panic!("two segments") };
    assert_eq!((first.length, first.number, first.kind, first.alignment), (24, 0, MemoryKind(300), 64));
    assert_eq!((second.length, second.number, second.kind, second.alignment), (16, 1, MemoryKind(300), 4));
    let (all, some) = message.value::<(Bulk<u8>, Bulk<u8>)>(&mut gather, Limits::default()).unwrap();
    assert_eq!((all.len(), some.len()), (24, 16));
    assert!(std::ptr::eq(&all[4], &some[0]), "the same memory");
}

/// "The value refers to its segments by their place in this table, from 0", whatever the carrier calls them.
#[test]
fn a_value_counts_its_segments_from_0_whatever_the_carrier_calls_them() {
    let mut gather = Gather::with_capabilities(Capabilities { segments: 8, threshold: 0 });
    let mut sizes = Vec::new();
    for number in 0..3_u8 {
        let before = gather.packed().len();
        message::write("n", 0, &Metadata::new(), &mut gather, |writer| {
            writer.encode(&Bulk::from(vec![number; 5]))
        })
        .unwrap();
        let bytes = &gather.packed()[before..];
        sizes.push(bytes.len());
        assert_eq!(bytes[33..46], hex("01 0500000000000000 00000000"), "place 0 in its own table");
        assert_eq!(bytes[46..58], [5, 0, 0, 0, 0, 0, 0, 0, number, 0, 0, 0], "the carrier's number");
    }
    for number in 0..3_u8 {
        let message = Message::read(&mut gather, Limits::default()).unwrap();
        let value = message.value::<Bulk<u8>>(&mut gather, Limits::default()).unwrap();
        assert_eq!(*value, [number; 5]);
    }
}

#[test]
fn an_entry_of_the_table_has_a_descriptor() {
    let bytes = hex("
        50 4F 44 57  01  00  01 00
        00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00
        03 00 00 00  00 00 00 00
        6E
        00 00 00 00 00 01 00 00  05 00 00 00  01 00  0C  03  AA BB CC
        01 00 00 00 00 00 00 00  FF FF FF FF  02 00  00  00
        02 00 00 00 00 00 00 00  06 00 00 00  00 01  3F  01  DD");
    let (message, rest) = Message::parse(&bytes, Limits::default()).unwrap();
    assert!(rest.is_empty());
    let [fastio, cuda, own] = message.segments() else { panic!("three segments") };
    assert_eq!((fastio.length, fastio.number, fastio.alignment), (1 << 40, 5, 4096));
    assert_eq!((fastio.kind, &fastio.descriptor[..]), (MemoryKind::FASTIO, &[0xAA, 0xBB, 0xCC][..]));
    assert_eq!((cuda.length, cuda.number, cuda.alignment), (1, u32::MAX, 1));
    assert_eq!((cuda.kind, &cuda.descriptor[..]), (MemoryKind::CUDA, &[][..]));
    assert_eq!((own.kind, own.alignment, &own.descriptor[..]), (MemoryKind(256), 1 << 63, &[0xDD][..]));
}

#[test]
fn the_longest_descriptor_has_128_bytes() {
    let head = hex("504F4457 01 00 0100 0000000000000000 0000000000000000 01000000 00000000 6E");
    for length in [127, 128, 129, 255_u8] {
        let entry = hex("0000000000000000 00000000 0000 00");
        let bytes = [&head[..], &entry, &[length], &vec![7; length.into()]].concat();
        let parsed = Message::parse(&bytes, Limits::default());
        assert_eq!(parsed.is_ok(), length <= 128, "{length}: {parsed:?}");
    }
}

/// The page itself, so that its examples are what is tested.
const PAGE: &str = include_str!("../../../docs/wire-format.md");

/// The bytes of the example of section 3 whose first line this is: what stands before three blanks.
fn example(first: &str) -> Vec<u8> {
    let start = PAGE.find(first).expect("the example stands on the page");
    let block = PAGE[start..].split("```").next().expect("and has an end");
    block.lines().flat_map(|line| hex(line.split("   ").next().unwrap_or_default())).collect()
}

#[test]
fn the_examples_are_those_of_the_page() {
    assert_eq!(example("50 4F 44 57  01  00  01 00                      \""), hex(EXAMPLE));
}

fn full() -> Vec<u8> {
    example("50 4F 44 57  01  03  05 00                      \"")
}

#[test]
fn a_message_with_everything_is_the_example_of_the_page() {
    let registry = registry();
    registry.register::<(u8, Bulk<u16>)>("frame").unwrap();
    let mut metadata = Metadata::new();
    metadata.insert_in(&registry, "n", &7_u16).unwrap();
    metadata.insert_bytes("id", [1, 2]);
    let numbers = Segment::new(Arc::new(Aligned(vec![0x0004_0003_0002_0001], MemoryKind::HOST)));
    let value = (7_u8, Bulk::<u16>::from_segment(numbers).unwrap());
    let options = Options { metadata: Some(&metadata), checksum: true, schema: true };
    let mut gather = Gather::with_capabilities(Capabilities { segments: 8, threshold: 0 });
    assert_eq!(registry.serialize_with(&value, options, &mut gather).unwrap(), full().len());
    assert_eq!(gather.packed(), full());

    let message = Message::read(&mut gather, Limits::default()).unwrap();
    assert_eq!(message.schema().unwrap().unwrap().text(), "struct{0:u8,1:bulk[u16]}");
    assert_eq!(*message.metadata(), metadata);
    assert_eq!(message.metadata().get_in::<u16>(&registry, "n").unwrap(), Some(7));
    assert_eq!(message.metadata().bytes("id"), Some(&[1, 2][..]));
    let back = registry.decode(&message, &mut gather).unwrap().downcast::<(u8, Bulk<u16>)>().unwrap();
    assert_eq!(*back, value);
}

#[test]
fn a_checksum_stands_at_the_end_and_the_schema_before_it() {
    let registry = registry();
    let written = |options: Options<'_>| {
        let mut buffer = Buffer::new();
        registry.serialize_with(&7_u16, options, &mut buffer).unwrap();
        buffer.into_vec()
    };
    let none = Options::default();
    assert_eq!(written(none), hex(EXAMPLE));
    let head = "504F4457 01 FLAGS 0100 BFF37E3E19D3244D 0200000000000000 0000000000000000 6E 0700";
    let expected = |flags: &str, rest: &str| hex(&format!("{}{rest}", head.replace("FLAGS", flags)));
    assert_eq!(written(Options { checksum: true, ..none }), expected("01", "9888C747"));
    assert_eq!(written(Options { schema: true, ..none }), expected("02", "03000000 753136"));
    let both = Options { checksum: true, schema: true, ..none };
    assert_eq!(written(both), expected("03", "03000000 753136 5D6E9AC8"));
}

/// "Flags of bits 4 to 7 it ignores where it does not know them", and the checksum counts them.
#[test]
fn flags_that_may_be_ignored_are_ignored() {
    for flags in [0x10, 0x20, 0x40, 0x80, 0xF0_u8] {
        let mut bytes = hex(EXAMPLE);
        bytes[5] |= flags;
        let (message, rest) = Message::parse(&bytes, Limits::default()).unwrap();
        assert!(rest.is_empty());
        assert_eq!(message.value::<u16>(&mut Buffer::new(), Limits::default()).unwrap(), 7);
        bytes[5] |= 1;
        let sum = crc32c(&bytes);
        bytes.extend(sum.to_le_bytes());
        Message::parse(&bytes, Limits::default()).unwrap();
        Message::read(&mut IoReader(&bytes[..]), Limits::default()).unwrap();
    }
}

/// CRC-32C as the page defines it, one bit after the other.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| sum >> 1 ^ if sum & 1 == 0 { 0 } else { 0x82F6_3B78 })
    })
}

#[test]
fn the_checksum_is_crc_32c() {
    // The published check value.
    assert_eq!(crc32c(b"123456789"), 0xE306_9283);
    assert_eq!(0x82F6_3B78_u32.reverse_bits(), 0x1EDC_6F41);
    let full = full();
    let (message, sum) = full.split_at(full.len() - 4);
    assert_eq!(crc32c(message).to_le_bytes(), sum);
}
