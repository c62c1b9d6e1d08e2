//! The head of a message: magic, version, flags, name and lengths.

use super::{agreed, message_error, parse, whole, with};
use crate::common::{Random, hex};
use podwire_codec_core::message::{HEADER, Message, MessageError, Metadata};
use podwire_codec_core::{Buffer, Error, IoReader, Limits};

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
