//! Messages that cannot be written, or are written within one another.

use podwire_codec_core::message;
use podwire_codec_core::message::{Message, MessageError, Metadata};
use podwire_codec_core::{Buffer, Endpoint, Error, Limits, Result, to_vec};

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
