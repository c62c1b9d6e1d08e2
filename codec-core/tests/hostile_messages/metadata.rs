//! What travels with a message, and is read when it is asked for.

use super::{agreed, parse};
use podwire_codec_core::message::{Metadata, Options};
use podwire_codec_core::{CodecRegistry, Error};

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
    assert!(matches!(
        metadata.get_in::<u16>(&registry, "n"),
        Err(Error::TrailingBytes { offset: 35, count: 35 })
    ));
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
