//! Hostile messages: section C of the list of hostile cases, as far as it concerns the envelope.

mod common;

use std::ops::Range;

use common::{Chunks, Drip, Queue, Random, hex};
use podwire_codec_core::endpoint::Capabilities;
use podwire_codec_core::message::{self, HEADER, Header, Message, MessageError, Metadata, Options};
use podwire_codec_core::{
    Buffer, Bulk, CodecRegistry, Endpoint, Error, Gather, IoReader, Limits, MemoryKind, Result, Segment,
    to_vec,
};

/// A message with a name, metadata, a value and two segments, as `docs/wire-format.md` lays it out.
fn whole() -> Vec<u8> {
    hex("
        50 4F 44 57  01  00  02 00
        01 02 03 04 05 06 07 08
        02 00 00 00 00 00 00 00
        02 00 00 00  0E 00 00 00
        6E 6D
        01 00 00 00  01 00 00 00 01 00 00 00 6B 07
        07 00
        00 10 00 00 00 00 00 00  05 00 00 00  00 00  0C  02  AA BB
        01 00 00 00 00 00 00 00  06 00 00 00  02 00  00  00")
}

fn parse(bytes: &[u8]) -> Result<Message<'_>> {
    Message::parse(bytes, Limits::default()).map(|(message, _)| message)
}

/// What all endpoints agree on.
#[track_caller]
fn agreed(bytes: &[u8]) -> Result<Message<'static>> {
    let found = Message::parse(bytes, Limits::default());
    let used = found.as_ref().map(|(_, rest)| bytes.len() - rest.len()).ok();
    let found = found.map(|(message, _)| message.into_owned());
    let mut reader = IoReader(bytes);
    let mut buffer = Buffer::from(bytes.to_vec());
    let mut chunks = Chunks { rest: bytes, window: 7 };
    let streamed = [
        Message::read(&mut reader, Limits::default()),
        Message::read(&mut buffer, Limits::default()),
        Message::read(&mut chunks, Limits::default()),
        Message::read(&mut IoReader(Drip::new(bytes)), Limits::default()),
        Message::read(&mut Queue::from(bytes), Limits::default()),
    ];
    for other in streamed {
        match (&found, other) {
            (Ok(found), Ok(other)) => assert_eq!(*found, other),
            (Err(Error::Message(found)), Err(Error::Message(other))) => assert_eq!(*found, other),
            (
                Err(Error::UnexpectedEnd { .. }),
                Err(Error::UnexpectedEnd { .. } | Error::ByteLimit { .. }),
            )
            | (Err(Error::ByteLimit { .. }), Err(_)) => {}
            (Err(found), Err(other)) => {
                assert_eq!(
                    std::mem::discriminant(found),
                    std::mem::discriminant(&other),
                    "{found:?} {other:?}"
                );
            }
            (found, other) => panic!("{found:?} is not {other:?}"),
        }
    }
    if let Some(used) = used {
        assert_eq!(bytes.len() - reader.0.len(), used);
        assert_eq!(bytes.len() - buffer.as_slice().len(), used);
        assert_eq!(bytes.len() - chunks.rest.len(), used);
    }
    found
}

#[track_caller]
fn message_error(bytes: &[u8]) -> MessageError {
    match agreed(bytes) {
        Err(Error::Message(error)) => *error,
        other => panic!("{other:?}"),
    }
}

/// The whole message with other bytes at one place.
fn with(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut message = whole();
    message[at..at + bytes.len()].copy_from_slice(bytes);
    message
}

#[test]
fn the_message_that_is_broken_below_is_whole() {
    let message = agreed(&whole()).unwrap();
    assert_eq!(message.name(), "nm");
    assert_eq!(message.packed(), [7, 0]);
    assert_eq!(*message.metadata(), Metadata::from([("k".into(), vec![7])]));
    assert_eq!(message.segments().len(), 2);
    assert_eq!(message.value::<u16>(&mut Buffer::new(), Limits::default()).unwrap(), 7);
}

#[test]
fn case_49_any_other_magic_is_refused_with_what_was_found() {
    for at in 0..4 {
        for byte in 0..=255_u8 {
            if whole()[at] != byte {
                let bytes = with(at, &[byte]);
                let found = [bytes[0], bytes[1], bytes[2], bytes[3]];
                assert_eq!(message_error(&bytes), MessageError::Magic { found });
            }
        }
    }
}

#[test]
fn case_50_any_other_version_is_refused_with_both_versions() {
    for found in (0..=255).filter(|version| *version != 1) {
        assert_eq!(message_error(&with(4, &[found])), MessageError::Version { found, known: 1 });
    }
}

/// The same message, with its schema and a checksum.
fn sealed() -> Vec<u8> {
    let registry = CodecRegistry::new();
    registry.register::<(u16, Bulk<u8>)>("nm").unwrap();
    let metadata = Metadata::from([("k".into(), vec![7])]);
    let options = Options { metadata: Some(&metadata), checksum: true, schema: true };
    let mut gather = Gather::with_capabilities(Capabilities { segments: 8, threshold: 0 });
    registry.serialize_with(&(7_u16, Bulk::from(vec![1_u8; 9])), options, &mut gather).unwrap();
    gather.packed().to_vec()
}

#[test]
fn case_53_any_bit_that_flips_is_found_out_wherever_it_stands() {
    let bytes = sealed();
    agreed(&bytes).unwrap();
    let mut damaged = 0;
    for bit in 0..bytes.len() * 8 {
        // Without its flag there is no checksum, and what stands for it is not read.
        if bit == 5 * 8 {
            continue;
        }
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let error = agreed(&bytes).expect_err("a bit was flipped");
        damaged += usize::from(
            matches!(error, Error::Message(error) if matches!(*error, MessageError::Checksum { .. })),
        );
    }
    // All but those of the magic, the version, the flags, and the lengths, which lead astray before.
    assert!(damaged > bytes.len() * 8 - 8 * 32, "{damaged} of {}", bytes.len() * 8);
}

#[test]
fn case_53_a_wrong_checksum_says_both_and_the_message_was_taken_whole() {
    let mut bytes = sealed();
    let at = bytes.len() - 4;
    let expected = u32::from_le_bytes(bytes[at..].try_into().unwrap());
    bytes[at] ^= 0xFF;
    assert_eq!(message_error(&bytes), MessageError::Checksum { expected, found: expected ^ 0xFF });
    bytes.extend(b"next");
    let mut stream = IoReader(&bytes[..]);
    Message::read(&mut stream, Limits::default()).unwrap_err();
    assert_eq!(stream.0, b"next");
}

#[test]
fn case_53_a_checksum_that_ends_early_is_an_unexpected_end() {
    let bytes = sealed();
    for length in 0..bytes.len() {
        let error = agreed(&bytes[..length]).unwrap_err();
        assert!(matches!(error, Error::UnexpectedEnd { .. }), "{length}: {error:?}");
    }
}

#[test]
fn a_schema_in_a_message_that_is_none_or_another_is_refused_where_it_is_asked_for() {
    let bytes = |text: &[u8]| {
        let length = (text.len() as u32).to_le_bytes();
        let head = hex("504F4457 01 02 0100 BFF37E3E19D3244D 0200000000000000 0000000000000000 6E 0700");
        [&head[..], &length, text].concat()
    };
    let right = bytes(b"u16");
    assert_eq!(agreed(&right).unwrap().schema().unwrap().unwrap().text(), "u16");
    // The message is whole, and its value can be read.
    for (text, wrong) in
        [(&b"u32"[..], true), (b"u99", false), (b"", false), (b"\xFF", false), (b"struct{a:^0}", false)]
    {
        let bytes = bytes(text);
        let message = agreed(&bytes).unwrap();
        assert_eq!(message.value::<u16>(&mut Buffer::new(), Limits::default()).unwrap(), 7);
        match message.schema().unwrap_err() {
            Error::Message(error) => {
                assert!(wrong && matches!(*error, MessageError::WrongSchema { .. }), "{error}");
            }
            Error::Schema(_) | Error::InvalidUtf8 { .. } => assert!(!wrong),
            other => panic!("{other:?}"),
        }
        // A mismatch is one, whatever stands there for a schema.
        let registry = CodecRegistry::new();
        registry.register::<i16>("n").unwrap();
        let error = registry.deserialize(&mut Buffer::from(bytes)).unwrap_err().to_string();
        assert!(error.contains("this build has"), "{error}");
    }
    // A text that is longer than what follows.
    let mut long = right.clone();
    long[35..39].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(agreed(&long), Err(Error::UnexpectedEnd { .. })));
}

#[test]
fn messages_of_unknown_names_are_skipped_whole_whatever_is_in_them() {
    let (everyone, nobody) = (CodecRegistry::new(), CodecRegistry::new());
    everyone.register::<u16>("n").unwrap();
    nobody.register::<String>("last").unwrap();
    let metadata = Metadata::from([("k".into(), vec![7])]);
    let mut bytes = Vec::new();
    for number in 0..8 {
        let options = Options {
            metadata: (number & 1 != 0).then_some(&metadata),
            checksum: number & 2 != 0,
            schema: number & 4 != 0,
        };
        everyone.serialize_with(&7_u16, options, &mut bytes).unwrap();
    }
    nobody.serialize(&"end".to_owned(), &mut bytes).unwrap();
    let mut stream = IoReader(&bytes[..]);
    for _ in 0..8 {
        let error = nobody.deserialize(&mut stream).unwrap_err();
        assert!(matches!(error, Error::Registry(_)), "{error:?}");
    }
    assert_eq!(*nobody.deserialize(&mut stream).unwrap().downcast::<String>().unwrap(), "end");
}

#[test]
fn metadata_holds_any_registered_value_and_is_read_when_it_is_asked_for() {
    let registry = CodecRegistry::new();
    registry.register::<u16>("n").unwrap();
    registry.register::<Vec<String>>("words").unwrap();
    let mut metadata = Metadata::new();
    metadata.insert_in(&registry, "n", &7_u16).unwrap();
    metadata.insert_in(&registry, "words", &vec![String::from("a")]).unwrap();
    metadata.insert_in(&registry, "n", &8_u16).unwrap();
    assert_eq!(metadata.len(), 2);
    assert_eq!(metadata.get_in::<u16>(&registry, "n").unwrap(), Some(8));
    assert_eq!(metadata.get_in::<u16>(&registry, "nothing").unwrap(), None);
    let any = metadata.get_any_in(&registry, "words").unwrap().unwrap();
    assert_eq!(*any.downcast::<Vec<String>>().unwrap(), ["a"]);
    assert_eq!(metadata.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["n", "words"]);
    let error = metadata.get_in::<u16>(&registry, "words").unwrap_err();
    assert!(error.to_string().contains("not a \"n\""), "{error}");
    assert!(metadata.insert_in(&registry, "f", &0.5_f32).is_err(), "not registered");

    // What is no message is an error where it is asked for as one; so is one with more behind it.
    metadata.insert_bytes("n", [1, 2, 3]);
    metadata.get_in::<u16>(&registry, "n").unwrap_err();
    let mut two = Vec::new();
    registry.serialize(&1_u16, &mut two).unwrap();
    registry.serialize(&2_u16, &mut two).unwrap();
    metadata.insert_bytes("n", two);
    assert!(matches!(metadata.get_in::<u16>(&registry, "n"), Err(Error::TrailingBytes { count: 35, .. })));
    assert_eq!(metadata.remove("n").map(|bytes| bytes.len()), Some(70));
}

/// Metadata of metadata of metadata: only the outermost is read.
#[test]
fn metadata_within_metadata_is_not_read_with_its_message() {
    let registry = CodecRegistry::new();
    registry.register::<u16>("n").unwrap();
    let mut bytes = Vec::new();
    registry.serialize(&0_u16, &mut bytes).unwrap();
    for _ in 0..1_000 {
        let mut metadata = Metadata::new();
        metadata.insert_bytes("in", bytes);
        bytes = Vec::new();
        let options = Options { metadata: Some(&metadata), ..Options::default() };
        registry.serialize_with(&1_u16, options, &mut bytes).unwrap();
    }
    let mut levels = 0;
    while let Some(next) = agreed(&bytes).unwrap().metadata().bytes("in") {
        bytes = next.to_vec();
        levels += 1;
        if levels == 3 {
            break;
        }
    }
    assert_eq!(levels, 3);
    assert!(parse(&bytes).is_ok());
}

#[test]
fn case_54_flags_that_a_reader_must_know_are_refused_and_the_others_are_not() {
    for found in 0..=255_u8 {
        // The low bits 0 and 1 say that more follows, which here it does not.
        match found & 0x0F {
            0 => assert_eq!(agreed(&with(5, &[found])).unwrap(), agreed(&whole()).unwrap()),
            1..4 => assert!(matches!(agreed(&with(5, &[found])), Err(Error::UnexpectedEnd { .. }))),
            _ => assert_eq!(message_error(&with(5, &[found])), MessageError::Flags { found }),
        }
    }
}

#[test]
fn case_51_a_name_of_no_byte_or_of_more_than_255_is_refused() {
    for length in [0, 256, 257, 0x7FFF, 0x8000, 0xFFFF_u16] {
        let error = message_error(&with(6, &length.to_le_bytes()));
        assert!(
            matches!(error, MessageError::Length { found, .. } if found == u64::from(length)),
            "{error:?}"
        );
    }
    let long =
        [&hex("504F4457 01 00 FF00 0000000000000000 0000000000000000 0000000000000000")[..], &[b'x'; 255]];
    assert_eq!(agreed(&long.concat()).unwrap().name(), "x".repeat(255));
}

#[test]
fn case_51_lengths_beyond_the_end_are_an_unexpected_end() {
    for length in [3, 100, 255_u16] {
        let result = agreed(&with(6, &length.to_le_bytes()));
        // A longer name eats the metadata, which is then none, or the end.
        assert!(result.is_err(), "{result:?}");
    }
    for metadata in [1 << 10, 1 << 28, u32::MAX] {
        let error = agreed(&with(28, &metadata.to_le_bytes())).unwrap_err();
        assert!(matches!(error, Error::UnexpectedEnd { .. }), "{error:?}");
    }
}

#[test]
fn case_51_a_name_that_is_not_text_is_refused_and_the_message_taken() {
    let bytes = [with(33, &[0xFF]), b"next".to_vec()].concat();
    assert_eq!(message_error(&bytes), MessageError::Name);
    let mut stream = IoReader(&bytes[..]);
    Message::read(&mut stream, Limits::default()).unwrap_err();
    assert_eq!(stream.0, b"next");
    let mut buffer = Buffer::from(bytes.clone());
    Message::read(&mut buffer, Limits::default()).unwrap_err();
    assert_eq!(buffer.as_slice(), b"next");
}

#[test]
fn case_51_metadata_that_is_no_map_is_refused() {
    // Another count; a key that ends beyond; a value that leaves a byte; a key that is no text.
    for (at, byte) in [(34, 2), (34, 0), (38, 2), (42, 0), (46, 0xFF)] {
        let result = agreed(&with(at, &[byte]));
        assert!(result.is_err(), "{byte} at {at}: {result:?}");
    }
}

#[test]
fn case_52_payload_lengths() {
    let head = "504F4457 01 00 0100 0000000000000000";
    let empty = hex(&format!("{head} 0000000000000000 0000000000000000 6E"));
    let message = agreed(&empty).unwrap();
    assert!(message.packed().is_empty());
    message.value::<()>(&mut Buffer::new(), Limits::default()).unwrap();
    let error = message.value::<u8>(&mut Buffer::new(), Limits::default()).unwrap_err();
    assert!(matches!(error, Error::UnexpectedEnd { offset: 0, wanted: 1, found: 0 }), "{error:?}");

    let isize_max = isize::MAX as u64;
    for (length, known) in [(u64::MAX, false), (isize_max + 1, false), (isize_max, true), (1 << 40, true)] {
        let bytes = with(16, &length.to_le_bytes());
        match parse(&bytes).unwrap_err() {
            Error::UnexpectedEnd { .. } => assert!(known),
            Error::Message(error) => {
                assert!(!known);
                assert!(matches!(*error, MessageError::Length { found, .. } if found == length), "{error:?}");
            }
            other => panic!("{other:?}"),
        }
        agreed(&bytes).unwrap_err();
    }
    // One more or less than there is: the table is read from the wrong place.
    for length in [1, 3_u64] {
        let _ = agreed(&with(16, &length.to_le_bytes()));
    }
    // A payload over the limit.
    let limits = Limits { bytes: 100, ..Limits::default() };
    let large = hex(&format!("{head} 6500000000000000 0000000000000000 6E"));
    let large = [large, vec![0; 101]].concat();
    let error = Message::read(&mut IoReader(&large[..]), limits).unwrap_err();
    assert!(matches!(error, Error::ByteLimit { .. }), "{error:?}");
}

#[test]
fn case_52_packed_bytes_that_the_value_leaves_are_an_error() {
    let bytes = whole();
    let message = parse(&bytes).unwrap();
    let error = message.value::<u8>(&mut Buffer::new(), Limits::default()).unwrap_err();
    let Error::Message(error) = error else { panic!("{error:?}") };
    assert_eq!(*error, MessageError::Unread { name: "nm".into(), count: 1 });
}

#[test]
fn case_55_two_messages_glued_together_are_two_messages() {
    let registry = CodecRegistry::new();
    registry.register::<u16>("n").unwrap();
    registry.register::<String>("text").unwrap();
    let mut bytes = Vec::new();
    registry.serialize(&7_u16, &mut bytes).unwrap();
    let first = bytes.len();
    registry.serialize(&"two".to_owned(), &mut bytes).unwrap();

    let (message, rest) = Message::parse(&bytes, Limits::default()).unwrap();
    assert_eq!((message.name(), rest.len()), ("n", bytes.len() - first));
    let (message, rest) = Message::parse(rest, Limits::default()).unwrap();
    assert_eq!((message.name(), rest.len()), ("text", 0));

    let mut drip = IoReader(Drip::new(&bytes));
    assert_eq!(*registry.deserialize(&mut drip).unwrap().downcast::<u16>().unwrap(), 7);
    assert_eq!(*registry.deserialize(&mut drip).unwrap().downcast::<String>().unwrap(), "two");
    assert!(drip.0.rest.is_empty());
}

#[test]
fn case_55_a_message_that_is_split_anywhere_is_an_unexpected_end() {
    let bytes = whole();
    for length in 0..bytes.len() {
        let error = agreed(&bytes[..length]).unwrap_err();
        let Error::UnexpectedEnd { offset, found, .. } = error else { panic!("{length}: {error:?}") };
        assert_eq!(offset + found, length as u64, "{error:?}");
    }
}

#[test]
fn case_55_a_message_of_an_unknown_name_can_be_skipped() {
    let registry = CodecRegistry::new();
    registry.register::<u16>("n").unwrap();
    let mut bytes = whole();
    registry.serialize(&7_u16, &mut bytes).unwrap();
    let mut buffer = Buffer::from(bytes.clone());
    registry.deserialize(&mut buffer).unwrap_err();
    assert_eq!(*registry.deserialize(&mut buffer).unwrap().downcast::<u16>().unwrap(), 7);
    let mut stream = IoReader(&bytes[..]);
    registry.deserialize(&mut stream).unwrap_err();
    assert_eq!(*registry.deserialize(&mut stream).unwrap().downcast::<u16>().unwrap(), 7);
}

/// Hostile case 15: a value that nobody knows is skipped without a look at it, however deep it is.
#[test]
fn case_15_an_unknown_deep_value_is_skipped() {
    let deep = common::List::bytes(100_000);
    let mut buffer = Buffer::new();
    message::write("unknown", 0, &Metadata::new(), &mut buffer, |writer| writer.write(&deep)).unwrap();
    message::write("n", 0, &Metadata::new(), &mut buffer, |writer| writer.encode(&7_u16)).unwrap();
    assert!(CodecRegistry::new().deserialize(&mut buffer).is_err());
    assert_eq!(Message::read(&mut buffer, Limits::default()).unwrap().name(), "n");
}

#[test]
fn case_56_other_protocols_are_told_from_messages_by_their_first_bytes() {
    let others: [&[u8]; 6] = [
        b"GET / HTTP/1.1\r\nHost: example.org\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n",
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03................................................",
        b"SSH-2.0-OpenSSH_9.6\r\n..............................",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n...............................",
        &[0; 64],
    ];
    for other in others {
        let found = [other[0], other[1], other[2], other[3]];
        assert_eq!(message_error(other), MessageError::Magic { found });
    }
    let mut random = Random(56);
    for _ in 0..if cfg!(miri) { 10 } else { 1_000 } {
        let length = random.below(200);
        let mut noise = random.bytes(length);
        agreed(&noise).unwrap_err();
        // And noise that looks like a message at first.
        let head = &whole()[..length.min(HEADER)];
        let keep = random.below(head.len() + 1);
        noise[..keep].copy_from_slice(&head[..keep]);
        let _ = agreed(&noise);
    }
}

#[test]
fn case_56_every_flipped_bit_of_a_message_gives_an_error_or_a_message() {
    let bytes = whole();
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let _ = agreed(&bytes);
        bytes.extend(vec![0; 300]);
        let _ = agreed(&bytes);
    }
    for at in 0..bytes.len() {
        for extreme in [0x00, 0x7F, 0x80, 0xFF] {
            let _ = agreed(&with(at, &[extreme]));
        }
    }
}

#[test]
fn case_58_a_segment_count_beyond_the_table_is_an_unexpected_end() {
    for count in [3, 1 << 16, u32::MAX] {
        let error = agreed(&with(24, &count.to_le_bytes())).unwrap_err();
        assert!(matches!(error, Error::UnexpectedEnd { .. }), "{error:?}");
    }
    // A table that is there but larger than the limit.
    let limits = Limits { bytes: 64 * 1024, ..Limits::default() };
    let mut bytes = hex("504F4457 01 00 0100 0000000000000000 0000000000000000 10270000 00000000 6E");
    bytes.extend(vec![0; 16 * 10_000]);
    assert!(matches!(Message::parse(&bytes, limits), Err(Error::ByteLimit { .. })));
    assert_eq!(parse(&bytes).unwrap().segments().len(), 10_000);
}

#[test]
fn case_58_a_bad_alignment_or_descriptor_is_refused() {
    let table = whole().len() - 34;
    for alignment in 64..=255 {
        let error = message_error(&with(table + 14, &[alignment]));
        assert!(
            matches!(error, MessageError::Length { found, .. } if found == u64::from(alignment)),
            "{error:?}"
        );
    }
    for length in 129..=255 {
        let error = message_error(&with(table + 15, &[length]));
        assert!(
            matches!(error, MessageError::Length { found, .. } if found == u64::from(length)),
            "{error:?}"
        );
    }
    assert_eq!(agreed(&with(table + 14, &[63])).unwrap().segments()[0].alignment, 1 << 63);
}

/// A message whose value is a `Bulk<u16>` of `count` elements in segment `index`, with a table of one entry.
fn referring(index: u32, count: u64, length: u64, number: u32) -> Vec<u8> {
    let mut bytes = hex("504F4457 01 00 0100 0000000000000000 0D00000000000000 01000000 00000000 6E 01");
    bytes.extend(count.to_le_bytes());
    bytes.extend(index.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(number.to_le_bytes());
    bytes.extend([0; 4]);
    bytes
}

fn value(bytes: &[u8], segments: Vec<Segment>) -> Result<Bulk<u16>> {
    let mut carrier = Gather::from_parts(Vec::new(), segments);
    parse(bytes)?.value(&mut carrier, Limits::default())
}

#[test]
fn case_60_references_beyond_the_table_or_the_carrier_are_refused() {
    let four = || vec![Segment::from(vec![1, 0, 2, 0])];
    assert_eq!(*value(&referring(0, 2, 4, 0), four()).unwrap(), [1, 2]);
    for index in [1, 2, u32::MAX] {
        let error = value(&referring(index, 2, 4, 0), four()).unwrap_err();
        assert!(matches!(error, Error::NoSegment { index: found, found: 1 } if found == index), "{error:?}");
    }
    for number in [1, u32::MAX] {
        let error = value(&referring(0, 2, 4, number), four()).unwrap_err();
        assert!(matches!(error, Error::NoSegment { index, found: 1 } if index == number), "{error:?}");
    }
    let error = value(&referring(0, 2, 4, 0), vec![]).unwrap_err();
    assert!(matches!(error, Error::NoSegment { index: 0, found: 0 }), "{error:?}");
}

#[test]
fn case_60_lengths_that_disagree_are_refused() {
    let four = || vec![Segment::from(vec![1, 0, 2, 0])];
    // The value against the table.
    for count in [0, 1, 3, 1 << 40] {
        let error = value(&referring(0, count, 4, 0), four()).unwrap_err();
        assert!(matches!(error, Error::SegmentLength { index: 0, found: 4, .. }), "{error:?}");
    }
    for count in [1 << 63, u64::MAX] {
        let error = value(&referring(0, count, 4, 0), four()).unwrap_err();
        assert!(matches!(error, Error::InvalidLength { .. }), "{error:?}");
    }
    // The table and the value against the carrier.
    for length in [0, 2, 6, 1 << 40] {
        let error = value(&referring(0, length / 2, length, 0), four()).unwrap_err();
        assert!(matches!(error, Error::SegmentLength { found: 4, .. }), "{error:?}");
    }
}

#[test]
fn case_60_one_segment_may_be_referred_to_twice_and_is_shared() {
    let mut packed = Vec::new();
    for _ in 0..2 {
        packed.extend([1]);
        packed.extend(2_u64.to_le_bytes());
        packed.extend(0_u32.to_le_bytes());
    }
    let mut bytes = hex("504F4457 01 00 0100 0000000000000000 1A00000000000000 01000000 00000000 6E");
    bytes.extend(packed);
    bytes.extend(hex("0400000000000000 00000000 0000 01 00"));
    let mut carrier = Gather::from_parts(Vec::new(), vec![Segment::from(vec![1, 0, 2, 0])]);
    let (a, b) =
        parse(&bytes).unwrap().value::<(Bulk<u16>, Bulk<u16>)>(&mut carrier, Limits::default()).unwrap();
    assert_eq!((&*a, &*b), (&[1_u16, 2][..], &[1_u16, 2][..]));
    assert!(std::ptr::eq(&*a, &*b));
}

#[test]
fn case_60_segments_that_the_host_cannot_read_or_that_do_not_suit_are_refused() {
    struct Device;
    impl podwire_codec_core::Owner for Device {
        fn bytes(&self) -> Option<&[u8]> {
            None
        }
        fn length(&self) -> usize {
            4
        }
        fn kind(&self) -> MemoryKind {
            MemoryKind::CUDA
        }
    }
    let device = Segment::new(std::sync::Arc::new(Device));
    let error = value(&referring(0, 2, 4, 0), vec![device]).unwrap_err();
    assert!(matches!(error, Error::NotHostMemory { kind: 2 }), "{error:?}");
    let even = Segment::from(vec![0; 64]);
    let odd = even.part(1..5).unwrap();
    let results = [odd, even.part(2..6).unwrap()].map(|part| value(&referring(0, 2, 4, 0), vec![part]));
    let aligned = results.iter().filter(|result| result.is_ok()).count();
    let refused = results
        .iter()
        .filter(|result| matches!(result, Err(Error::SegmentAlignment { wanted: 2, found: 1 })))
        .count();
    assert_eq!((aligned, refused), (1, 1), "{results:?}");
}

/// A part that reaches beyond its segment does not exist.
#[test]
fn case_60_parts_that_reach_beyond_their_segment_do_not_exist() {
    let segment = Segment::from(vec![0_u8; 10]);
    let nothing = |start: usize, end: usize| segment.part(start..end).is_none();
    assert!(nothing(0, 11) && nothing(11, 11) && nothing(5, 4) && nothing(usize::MAX, usize::MAX));
    assert!(nothing(1, usize::MAX) && nothing(0, usize::MAX));
    let part = segment.part(4..8).unwrap();
    assert!(part.part(0..5).is_none());
    assert_eq!((part.part(1..4).unwrap().start(), part.part(4..4).unwrap().length()), (5, 0));
    let bulk = Bulk::from(vec![1_u64, 2, 3]);
    assert_eq!(*bulk.part(1..3).unwrap(), [2, 3]);
    assert!(
        bulk.part(0..4).is_none()
            && bulk.part(0..usize::MAX).is_none()
            && bulk.part(Range { start: 2, end: 1 }).is_none()
    );
}

/// What a carrier takes is asked of it for each message: one that is full of segments gets the rest inline.
#[test]
fn a_carrier_without_room_for_segments_gets_the_value_inline() {
    let mut gather = Gather::with_capabilities(Capabilities { segments: 1, threshold: 0 });
    for number in 0..3_u8 {
        message::write("n", 0, &Metadata::new(), &mut gather, |writer| {
            writer.encode(&Bulk::from(vec![number; 9]))
        })
        .unwrap();
    }
    assert_eq!(gather.segments().len(), 1);
    for number in 0..3_u8 {
        let message = Message::read(&mut gather, Limits::default()).unwrap();
        let value = message.value::<Bulk<u8>>(&mut gather, Limits::default()).unwrap();
        assert_eq!(*value, [number; 9]);
    }
}

#[test]
fn a_message_that_cannot_be_written_leaves_nothing_behind() {
    let mut buffer = Buffer::new();
    let none = Metadata::new();
    for name in [String::new(), "x".repeat(256), "x".repeat(70_000)] {
        let error = message::write(&name, 0, &none, &mut buffer, |_| Ok(())).unwrap_err();
        let Error::Message(error) = error else { panic!("{error:?}") };
        assert!(
            matches!(*error, MessageError::Length { found, .. } if found == name.len() as u64),
            "{error:?}"
        );
    }
    let error = message::write("n", 0, &none, &mut buffer, |writer| {
        writer.write(&[1; 100])?;
        Err(Error::OutOfMemory { bytes: 1 })
    });
    assert!(matches!(error, Err(Error::OutOfMemory { .. })));
    assert!(buffer.as_slice().is_empty());
    message::write("n", 0, &none, &mut buffer, |writer| writer.encode(&7_u16)).unwrap();
    let message = Message::read(&mut buffer, Limits::default()).unwrap();
    assert_eq!(message.packed(), to_vec(&7_u16).unwrap());
}

/// A codec that writes messages of its own while its own message is written.
#[test]
fn a_message_within_a_message_keeps_both_whole() {
    let mut outer = Buffer::new();
    message::write("outer", 1, &Metadata::new(), &mut outer, |writer| {
        writer.write(b"before ")?;
        let mut inner = Vec::new();
        message::write("inner", 2, &Metadata::new(), &mut inner, |writer| writer.write(b"inside"))?;
        writer.write(&inner)?;
        writer.write(b" behind")
    })
    .unwrap();
    let message = Message::read(&mut outer, Limits::default()).unwrap();
    let packed = message.packed();
    assert!(packed.starts_with(b"before PODW") && packed.ends_with(b"inside behind"));
    let (inner, rest) = Message::parse(&packed[7..], Limits::default()).unwrap();
    assert_eq!((inner.name(), inner.packed(), rest), ("inner", &b"inside"[..], &b" behind"[..]));
}

/// An endpoint that fails is handed its own error back, and sees all of a message or none.
#[test]
fn an_endpoint_that_fails_keeps_its_error() {
    struct Broken;
    impl Endpoint for Broken {
        fn write(&mut self, _: &[u8]) -> Result<()> {
            Err(Error::backend("the cable is out"))
        }
        fn read(&mut self, _: &mut [u8]) -> Result<()> {
            Err(Error::backend("the cable is out"))
        }
    }
    let error =
        message::write("n", 0, &Metadata::new(), &mut Broken, |writer| writer.encode(&7_u16)).unwrap_err();
    assert_eq!(error.to_string(), "endpoint: the cable is out");
    let error = Message::read(&mut Broken, Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "endpoint: the cable is out");
}

/// A byte of a schema's text can come to some hundred bytes of memory.
#[test]
fn case_12_a_schema_in_a_message_that_would_take_more_than_the_limit_is_refused_unparsed() {
    let text = "?".repeat((4 << 20) + 1);
    let header = Header { flags: 2, name: 1, fingerprint: 0, packed: 0, segments: 0, metadata: 0 };
    let mut bytes = header.to_bytes().to_vec();
    bytes.extend(b"n");
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.as_bytes());
    let (message, rest) = Message::parse(&bytes, Limits::default()).unwrap();
    assert!(rest.is_empty());
    assert!(matches!(message.schema(), Err(Error::ByteLimit { .. })));
}
