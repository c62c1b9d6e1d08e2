//! The codecs that are compared: one file each, each at its best documented settings.

#[cfg(feature = "peers")]
mod bincode;
#[cfg(feature = "peers")]
mod bitcode;
#[cfg(feature = "peers")]
mod borsh;
pub(crate) mod podwire;
#[cfg(feature = "peers")]
mod postcard;
#[cfg(feature = "peers")]
mod rkyv;
#[cfg(feature = "peers")]
mod savefile;
#[cfg(feature = "peers")]
mod speedy;
#[cfg(feature = "peers")]
mod wincode;

/// All but ours.
#[cfg(feature = "peers")]
pub(crate) mod peers {
    pub(crate) use super::bincode::Bincode;
    pub(crate) use super::bitcode::{Bitcode, BitcodeSerde};
    pub(crate) use super::borsh::Borsh;
    pub(crate) use super::postcard::Postcard;
    pub(crate) use super::rkyv::Rkyv;
    pub(crate) use super::savefile::Savefile;
    pub(crate) use super::speedy::Speedy;
    pub(crate) use super::wincode::Wincode;
}

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

/// Reads a `T`, which may borrow from the bytes.
pub(crate) trait Reads<'de, T>: Subject {
    /// Reads a value.
    fn decode(&mut self, bytes: &'de [u8]) -> Result<T, Self::Error>;
}

/// Reads a `T` where it lies.
#[cfg(feature = "peers")]
pub(crate) trait Accesses<T>: Subject {
    /// Checks that the bytes are a value; what it holds is then read without decoding.
    fn access(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;
}

/// A larger buffer, for a codec that writes into a slice and found it too small.
#[cfg(feature = "peers")]
fn grow(buffer: &mut Vec<u8>) {
    buffer.resize((2 * buffer.len()).max(1 << 16), 0);
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
