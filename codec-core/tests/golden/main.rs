//! Golden bytes: every row and example of `docs/wire-format.md`, written from that page.
//!
//! Each test cites its section. A test that fails here means that messages of other builds are not understood any
//! more: the page is right and the code is wrong.

#[path = "../common/mod.rs"]
mod common;
mod examples;
mod messages;
mod schemas;
mod tensors;
mod values;

use std::fmt::Debug;

use common::{Chunks, Drip, Queue, hex};
use podwire_codec_core::{
    Buffer, Codec, Gather, IoReader, IoWriter, SliceReader, SliceWriter, encoded_len, from_prefix,
    from_slice, serialize, to_vec,
};

/// The value has these bytes, and these bytes are the value, on every endpoint of the crate.
#[track_caller]
fn golden<T: Codec + PartialEq + Debug>(value: &T, bytes: &str) {
    let bytes = &hex(bytes)[..];
    assert_eq!(to_vec(value).unwrap(), bytes, "to_vec of {value:?}");
    assert_eq!(encoded_len(value).unwrap(), bytes.len(), "encoded_len of {value:?}");
    assert_eq!(from_slice::<T>(bytes).unwrap(), *value, "from_slice");
    let more = [bytes, b"more"].concat();
    assert_eq!(from_prefix::<T>(&more).unwrap(), (from_slice(bytes).unwrap(), &b"more"[..]), "from_prefix");

    let mut buffer = Buffer::new();
    assert_eq!(serialize(value, &mut buffer).unwrap(), bytes.len());
    assert_eq!(buffer.as_slice(), bytes, "Buffer");
    assert_eq!(T::deserialize(&mut buffer).unwrap(), *value, "Buffer");

    let mut gather = Gather::new();
    serialize(value, &mut gather).unwrap();
    assert_eq!(gather.packed(), bytes, "Gather");
    assert_eq!(T::deserialize(&mut gather).unwrap(), *value, "Gather");

    let mut written = Vec::new();
    assert_eq!(serialize(value, &mut IoWriter(&mut written)).unwrap(), bytes.len());
    assert_eq!(written, bytes, "IoWriter");
    let mut reader = IoReader(&more[..]);
    assert_eq!(T::deserialize(&mut reader).unwrap(), *value, "IoReader");
    assert_eq!(reader.0, b"more", "nothing is read beyond the value");
    assert_eq!(T::deserialize(&mut IoReader(Drip::new(bytes))).unwrap(), *value, "one byte at a time");

    let mut memory = vec![0xAA; bytes.len() + 3];
    let mut writer = SliceWriter::new(&mut memory);
    serialize(value, &mut writer).unwrap();
    assert_eq!(writer.written(), bytes, "SliceWriter");
    assert_eq!(memory[bytes.len()..], [0xAA; 3], "nothing is written beyond the value");
    assert_eq!(T::deserialize(&mut SliceReader::new(bytes)).unwrap(), *value, "SliceReader");

    let mut queue = Queue::default();
    serialize(value, &mut queue).unwrap();
    assert!(queue.0.iter().eq(bytes), "an endpoint of two methods");
    assert_eq!(T::deserialize(&mut queue).unwrap(), *value, "an endpoint of two methods");
    for window in [1, 3, 8] {
        let mut chunks = Chunks { rest: &more, window };
        assert_eq!(T::deserialize(&mut chunks).unwrap(), *value, "windows of {window} bytes");
        assert_eq!(chunks.rest, b"more");
    }
}

/// These bytes are no value of the type, on a slice and on a stream.
#[track_caller]
fn refused<T: Codec + Debug>(bytes: &str) {
    let bytes = hex(bytes);
    from_slice::<T>(&bytes).unwrap_err();
    T::deserialize(&mut IoReader(&bytes[..])).unwrap_err();
    T::deserialize(&mut Buffer::from(bytes)).unwrap_err();
}
