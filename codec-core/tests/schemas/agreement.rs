//! A schema reads what the codec of its type writes, and refuses what that refuses.

use std::fmt::Debug;

use podwire_codec_core::schema::schema_of;
use podwire_codec_core::{Codec, Error, IoReader, Limits, Reader, from_slice, to_vec};

use crate::common::{Drip, Visitor, visit};

struct Agree;

impl Visitor for Agree {
    fn look<T: Codec + PartialEq + Debug>(&mut self, name: &str, value: T, _: bool) {
        let schema = schema_of::<T>();
        let bytes = to_vec(&value).unwrap();
        let read = schema.from_slice(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));

        let followed = [&bytes[..], &[0xFF; 9]].concat();
        let mut reader = Reader::from_slice(&followed);
        assert_eq!(schema.decode(&mut reader).unwrap(), read, "{name}");
        assert_eq!(reader.offset(), bytes.len() as u64, "{name}: it ends where the value ends");
        let mut reader = Reader::from_slice(&followed);
        schema.skip(&mut reader).unwrap();
        assert_eq!(reader.offset(), bytes.len() as u64, "{name}: skipped");

        let mut drip = IoReader(Drip::new(&followed));
        let mut reader = Reader::from_endpoint(&mut drip, Limits::default());
        assert_eq!(schema.decode(&mut reader).unwrap(), read, "{name}: from a stream");
        reader.finish();
        assert_eq!(drip.0.rest.len(), 9, "{name}");
        let mut stream = IoReader(&followed[..]);
        schema.skip(&mut Reader::from_endpoint(&mut stream, Limits::default())).unwrap();
        assert_eq!(stream.0.len(), 9, "{name}: skipped in a stream");

        for length in 0..bytes.len() {
            let error = schema.from_slice(&bytes[..length]).unwrap_err();
            assert!(matches!(error, Error::UnexpectedEnd { .. }), "{name}: {error:?}");
            assert!(schema.skip(&mut Reader::from_slice(&bytes[..length])).is_err(), "{name}");
            assert!(
                schema
                    .decode(&mut Reader::from_endpoint(&mut IoReader(&bytes[..length]), Limits::default()))
                    .is_err()
            );
        }
        // Every bit flipped: what the codec takes, the schema takes, and what it takes can be skipped and printed.
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let found = schema.from_slice(&bytes);
            if from_slice::<T>(&bytes).is_ok() {
                assert!(found.is_ok(), "{name}: bit {bit}: {found:?}");
            }
            if let Ok(found) = found {
                let mut reader = Reader::from_slice(&bytes);
                schema.skip(&mut reader).unwrap();
                assert_eq!(reader.offset(), bytes.len() as u64);
                assert!(found.to_string().len() < 10_000);
            }
        }
    }
}

#[test]
fn every_type_is_read_by_its_schema_as_by_its_codec() {
    visit(&mut Agree);
}
