//! Checksums and schemas within messages.

use super::{agreed, message_error};
use crate::common::hex;
use podwire_codec_core::endpoint::Capabilities;
use podwire_codec_core::message::{Header, Message, MessageError, Metadata, Options};
use podwire_codec_core::{Buffer, Bulk, CodecRegistry, Error, Gather, IoReader, Limits};

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
