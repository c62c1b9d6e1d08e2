//! Readers and writers that give little, lie, are full or fail; and what each kind of input can be asked for.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::common::{Chunks, Drip, List, Queue, Rogue, Stingy, Visitor, visit};
use podwire_codec_core::{
    Buffer, Bulk, Codec, Encode, Error, IoReader, IoWriter, Limits, Reader, Result, SliceWriter, from_slice,
    from_slice_with, serialize, to_vec,
};

/// The same errors name the same place on endpoints that show no memory, or only some of it.
#[test]
fn case_16_offsets_are_those_of_the_bytes_on_every_endpoint() {
    #[track_caller]
    fn at<T: Codec + Debug>(bytes: &[u8], expected: u64) {
        let check = |place: &str, result: Result<T>| match result.unwrap_err() {
            Error::InvalidValue { offset, .. } | Error::UnknownTag { offset, .. } => {
                assert_eq!(offset, expected, "{}, {place}", std::any::type_name::<T>());
            }
            other => panic!("{other:?}"),
        };
        check("slice", from_slice(bytes));
        check("buffer", T::deserialize(&mut Buffer::from(bytes.to_vec())));
        check("stream", T::deserialize(&mut IoReader(bytes)));
        check("drip", T::deserialize(&mut IoReader(Drip::new(bytes))));
        check("queue", T::deserialize(&mut Queue::from(bytes)));
        for window in [1, 2, 3, 5, 7, 64] {
            check("chunks", T::deserialize(&mut Chunks { rest: bytes, window }));
        }
    }
    at::<bool>(&[2], 0);
    at::<(u32, bool)>(&[0, 0, 0, 0, 2], 4);
    at::<(bool, u32)>(&[2, 0, 0, 0, 0], 0);
    at::<(String, bool, u8)>(&[1, 0, 0, 0, 9, 9, b'x'], 4);
    at::<(bool, String)>(&[9, 1, 0, 0, 0, b'x'], 0);
    at::<(Vec<(String, u8)>, bool, u8)>(&[1, 0, 0, 0, 9, 9, 1, 0, 0, 0, 5, b'x'], 4);
    at::<(Vec<bool>, char)>(&[2, 0, 0, 0, 0, 0xD8, 0, 0, 1, 0], 4);
    at::<Vec<bool>>(&[5, 0, 0, 0, 1, 0, 7, 1, 1], 6);
    at::<Vec<(u8, bool)>>(&[2, 0, 0, 0, 9, 1, 9, 3], 7);
    at::<Vec<Option<u8>>>(&[2, 0, 0, 0, 0, 2], 5);
    at::<Vec<(String, bool)>>(&[2, 0, 0, 0, 1, 0, 0, 0, 1, b'a', 1, 0, 0, 0, 2, b'b'], 14);
    at::<Option<Option<bool>>>(&[1, 1, 2], 2);
    at::<[Option<u8>; 3]>(&[1, 0, 3, 7], 2);
    at::<(Box<bool>, u8)>(&[7, 2], 1);
    at::<List>(&[7, 1, 7, 1, 7, 2], 5);
    at::<BTreeMap<u8, bool>>(&[2, 0, 0, 0, 1, 1, 2, 2], 7);
    at::<Bulk<u8>>(&[3, 0, 0, 0, 0, 0, 0, 0, 0], 0);
    let mut long = vec![1; 10_004];
    long[..4].copy_from_slice(&10_000_u32.to_le_bytes());
    long[9_999] = 2;
    at::<Vec<bool>>(&long, 9_999);
}

#[test]
fn case_33_a_reader_of_single_bytes_that_is_interrupted_gives_the_value() {
    struct Look;
    impl Visitor for Look {
        fn look<T: Codec + PartialEq + Debug>(&mut self, name: &str, value: T, _: bool) {
            let bytes = [&to_vec(&value).unwrap()[..], b"rest"].concat();
            let mut drip = IoReader(Drip::new(&bytes));
            assert_eq!(T::deserialize(&mut drip).unwrap(), value, "{name}");
            assert_eq!(drip.0.rest, b"rest", "{name}");
            for window in 1..=bytes.len() + 1 {
                let mut chunks = Chunks { rest: &bytes, window };
                assert_eq!(T::deserialize(&mut chunks).unwrap(), value, "{name}, windows of {window}");
                assert_eq!(chunks.rest, b"rest", "{name}, windows of {window}");
            }
        }
    }
    visit(&mut Look);
}

#[test]
fn case_33_a_reader_that_lies_about_its_count_is_survived() {
    for claim in [0, 1, 2, 9, 1 << 20, usize::MAX - 1, usize::MAX] {
        // Whatever values it makes: an error or a value, and never memory that was not written.
        let _ = u64::deserialize(&mut IoReader(Rogue::new(claim)));
        let _ = Vec::<u8>::deserialize(&mut IoReader(Rogue::new(claim)));
        let _ = <(u8, String, bool)>::deserialize(&mut IoReader(Rogue::new(claim)));
        let _ = Vec::<(bool, u16)>::deserialize(&mut IoReader(Rogue::new(claim)));
    }
}

#[test]
fn case_33_a_reader_that_fails_midway_hands_its_error_on() {
    struct Broken(usize);
    impl std::io::Read for Broken {
        fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
            if self.0 == 0 {
                return Err(std::io::ErrorKind::ConnectionReset.into());
            }
            self.0 -= 1;
            bytes[0] = 1;
            Ok(1)
        }
    }
    for after in 0..12 {
        let error = <(u64, [u16; 4])>::deserialize(&mut IoReader(Broken(after))).unwrap_err();
        let right = matches!(&error, Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionReset);
        assert!(right, "{error:?}");
    }
}

#[test]
fn case_34_a_writer_that_is_full_is_an_error_at_every_size() {
    struct Look;
    impl Visitor for Look {
        fn look<T: Codec + PartialEq + Debug>(&mut self, name: &str, value: T, _: bool) {
            let bytes = to_vec(&value).unwrap();
            for room in 0..bytes.len() {
                let mut memory = vec![0xAA; bytes.len() + 8];
                let mut writer = SliceWriter::new(&mut memory[..room]);
                let error = serialize(&value, &mut writer).unwrap_err();
                assert!(
                    matches!(error, Error::EndpointFull { wanted, found } if wanted > found && found <= room as u64),
                    "{name}: {error:?}"
                );
                assert!(memory[room..].iter().all(|byte| *byte == 0xAA), "{name}: nothing beyond the end");

                let mut stingy = Stingy { room, ..Stingy::default() };
                let error = serialize(&value, &mut IoWriter(&mut stingy)).unwrap_err();
                let right =
                    matches!(&error, Error::Io(error) if error.kind() == std::io::ErrorKind::WriteZero);
                assert!(right, "{name}: {error:?}");
                assert_eq!(stingy.taken, bytes[..room], "{name}");
            }
            let mut stingy = Stingy { room: bytes.len(), ..Stingy::default() };
            assert_eq!(serialize(&value, &mut IoWriter(&mut stingy)).unwrap(), bytes.len());
            assert_eq!(stingy.taken.len(), bytes.len(), "{name}");
        }
    }
    visit(&mut Look);
}

#[test]
fn case_34_a_writer_that_lies_about_its_count_is_survived() {
    for claim in [2, 9, 1 << 20, usize::MAX] {
        let _ = serialize(&1_u8, &mut IoWriter(Rogue::new(claim)));
        let _ = serialize(&vec![1_u8; 100_000], &mut IoWriter(Rogue::new(claim)));
    }
}

#[test]
fn borrowed_values_are_refused_by_inputs_that_do_not_stay() {
    // By way of a reader, since the calls on endpoints ask for values that own everything.
    let bytes = crate::common::hex("01000000 78");
    let mut stream = IoReader(&bytes[..]);
    let mut reader = Reader::from_endpoint(&mut stream, Limits::default());
    assert!(matches!(reader.decode::<&str>(), Err(Error::CannotBorrow { offset: 4, expected: "text" })));
    let mut stream = IoReader(&bytes[..]);
    let mut reader = Reader::from_endpoint(&mut stream, Limits::default());
    assert!(matches!(reader.decode::<&[u8]>(), Err(Error::CannotBorrow { offset: 4, .. })));
    let mut stream = IoReader(&bytes[..]);
    let mut reader = Reader::from_endpoint(&mut stream, Limits::default());
    assert_eq!(reader.decode::<Cow<'_, str>>().unwrap(), "x");
}

/// A `Cow` that has to copy is charged like any other copy.
#[test]
fn a_cow_that_copies_is_charged_to_the_byte_limit() {
    let bytes = to_vec(&vec![vec![1_u64; 64]; 64]).unwrap();
    let limits = Limits { bytes: 8 * 1024, ..Limits::default() };
    let mut memory = vec![0; bytes.len() + 8];
    let mut refused = 0;
    for shift in 0..8 {
        memory[shift..shift + bytes.len()].copy_from_slice(&bytes);
        let input = &memory[shift..shift + bytes.len()];
        match from_slice_with::<Vec<Cow<'_, [u64]>>>(input, limits) {
            Ok(cows) => {
                let owned: usize = cows
                    .iter()
                    .filter(|cow| matches!(cow, Cow::Owned(_)))
                    .map(|cow| size_of_val(&**cow))
                    .sum();
                assert!(owned <= 8 * 1024, "{owned} bytes copied under a limit of 8 KiB");
            }
            Err(error) => {
                assert!(matches!(error, Error::ByteLimit { .. }), "{error:?}");
                refused += 1;
            }
        }
    }
    assert!(refused >= 4, "half of the addresses do not suit a u64");
}

/// A codec that tries one thing, fails, and reads another is not one level deeper for it.
#[test]
fn a_failure_that_is_caught_does_not_use_up_the_depth() {
    let limits = Limits { depth: 2, ..Limits::default() };
    let mut reader = Reader::from_slice_with(&[1, 0, 0, 0, 7, 0, 0, 0, 9, 9, 9], limits);
    reader.decode::<Vec<String>>().unwrap_err();
    assert_eq!(reader.limits().depth, 2);
    let mut buffer = Buffer::new();
    let mut writer = podwire_codec_core::Writer::with_limits(&mut buffer, limits);
    for _ in 0..5 {
        let failed: Result<()> = writer.nested(|_| Err(Error::OutOfMemory { bytes: 0 }));
        assert!(matches!(failed, Err(Error::OutOfMemory { .. })), "{failed:?}");
    }
}

/// Unsized and borrowed values are written as their owned forms.
#[test]
fn endpoints_can_be_objects() {
    fn through(endpoint: &mut dyn podwire_codec_core::Endpoint, value: &(impl Encode + ?Sized)) -> usize {
        serialize(value, endpoint).unwrap()
    }
    let mut buffer = Buffer::new();
    assert_eq!(through(&mut buffer, "pod"), 7);
    assert_eq!(through(&mut Queue::default(), &[1_u16, 2][..]), 8);
    assert_eq!(String::deserialize(&mut buffer).unwrap(), "pod");
}
