//! Where a message ends: two in a row, one that is split, one that nobody knows and is skipped.

use super::{agreed, whole};
use crate::common::Drip;
use podwire_codec_core::message;
use podwire_codec_core::message::{Message, Metadata, Options};
use podwire_codec_core::{Buffer, CodecRegistry, Error, IoReader, Limits};

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
    let deep = crate::common::List::bytes(100_000);
    let mut buffer = Buffer::new();
    message::write("unknown", 0, &Metadata::new(), &mut buffer, |writer| writer.write(&deep)).unwrap();
    message::write("n", 0, &Metadata::new(), &mut buffer, |writer| writer.encode(&7_u16)).unwrap();
    assert!(CodecRegistry::new().deserialize(&mut buffer).is_err());
    assert_eq!(Message::read(&mut buffer, Limits::default()).unwrap().name(), "n");
}
