//! Hostile messages: section C of the list of hostile cases, as far as it concerns the envelope.

mod boundaries;
#[path = "../common/mod.rs"]
mod common;
mod envelope;
mod metadata;
mod sealed;
mod segments;
mod writing;

use common::{Chunks, Drip, Queue, hex};
use podwire_codec_core::message::{Message, MessageError};
use podwire_codec_core::{Buffer, Error, IoReader, Limits, Result};

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
