//! The codecs that are compared: one file each, each at its best documented settings.

pub(crate) mod bitcode;
pub(crate) mod podwire;
pub(crate) mod wincode;

use std::fmt::Display;

/// The codec that the others are compared with.
pub(crate) const OURS: &str = "podwire";

/// A codec, with what it keeps between calls.
pub(crate) trait Subject: Default + 'static {
    /// Its name in the report.
    const NAME: &'static str;
    /// What it says when it fails.
    type Error: Display;
}

/// Writes a `T`.
pub(crate) trait Writes<T: ?Sized>: Subject {
    /// Writes into memory that is used again by the next call.
    fn encode(&mut self, value: &T) -> Result<&[u8], Self::Error>;
}

/// Reads a `T`, which may borrow from the bytes. Whatever does not end with them is an error.
pub(crate) trait Reads<'de, T>: Subject {
    /// Reads a value.
    fn decode(&mut self, bytes: &'de [u8]) -> Result<T, Self::Error>;
}

/// The bytes of a value, kept for the rest of the run, if it comes back from them.
pub(crate) fn round_trip<S, T>(value: &T) -> Result<&'static [u8], String>
where
    S: Writes<T> + Reads<'static, T>,
    T: PartialEq,
{
    let mut codec = S::default();
    let bytes: &'static [u8] = codec.encode(value).map_err(describe::<S>)?.to_vec().leak();
    let back = codec.decode(bytes).map_err(describe::<S>)?;
    if back == *value { Ok(bytes) } else { Err(format!("{} gives back another value", S::NAME)) }
}

/// Whether the form of a value that borrows comes back from its bytes: it has to make the same bytes.
pub(crate) fn check_borrowed<S, B>(bytes: &'static [u8]) -> Result<(), String>
where
    S: Writes<B> + Reads<'static, B>,
{
    let mut codec = S::default();
    let borrowed = codec.decode(bytes).map_err(describe::<S>)?;
    let again = codec.encode(&borrowed).map_err(describe::<S>)?;
    if again == bytes { Ok(()) } else { Err(format!("{} borrows another value", S::NAME)) }
}

fn describe<S: Subject>(error: S::Error) -> String {
    format!("{}: {error}", S::NAME)
}
