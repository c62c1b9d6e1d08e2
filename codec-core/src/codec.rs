//! Whole values: the calls that most programs make.

use alloc::vec::Vec;

use crate::decode::Decode;
use crate::encode::Encode;
use crate::endpoint::{Capabilities, Counter, Endpoint};
use crate::error::Result;
use crate::limits::Limits;
use crate::raw::row;
use crate::raw::whole::{DecodeWhole as _, EncodeWhole as _};
use crate::reader::Reader;

/// A type that can be encoded, and decoded into a value that owns all its parts.
///
/// A type that borrows, such as one with a `&'a str`, is not a `Codec`: the compiler says of it that the
/// "implementation of `Decode` is not general enough". Read it with [`from_slice`], or own its parts.
///
/// ```
/// use podwire_codec_core::{Buffer, Codec};
///
/// let mut endpoint = Buffer::new();
/// let written = Codec::serialize(&(1_u8, String::from("two")), &mut endpoint)?;
/// assert_eq!(written, 1 + 4 + 3);
/// assert_eq!(<(u8, String)>::deserialize(&mut endpoint)?, (1, "two".to_owned()));
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no codec",
    label = "this type cannot be encoded and decoded",
    note = "if the type is yours, write `#[derive(podwire::Codec)]` above it; if it is generic, what it holds must have codecs, too",
    note = "if it is another crate's, hold it in a struct of yours, with `#[codec(with = module)]`, or with `#[codec(pod)]` if it is plain old data (`bytemuck::Pod`)"
)]
pub trait Codec: Encode + for<'de> Decode<'de> {
    /// Writes the value and says how many bytes that took.
    ///
    /// # Errors
    ///
    /// Those of the endpoint, and [`Error::DepthLimit`](crate::Error::DepthLimit).
    fn serialize<E: Endpoint + ?Sized>(&self, endpoint: &mut E) -> Result<usize> {
        serialize(self, endpoint)
    }

    /// Reads a value, and no byte beyond it.
    ///
    /// # Errors
    ///
    /// Whatever in the input is not a value of this type, and the default [`Limits`].
    fn deserialize<E: Endpoint + ?Sized>(endpoint: &mut E) -> Result<Self> {
        deserialize(endpoint)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Encode + for<'de> Decode<'de>> Codec for T {}

/// Writes a value, also of a type that only borrows, and says how many bytes that took.
///
/// # Errors
///
/// Those of the endpoint, and [`Error::DepthLimit`](crate::Error::DepthLimit).
pub fn serialize<T, E>(value: &T, mut endpoint: &mut E) -> Result<usize>
where
    T: Encode + ?Sized,
    E: Endpoint + ?Sized,
{
    value.write_whole(&mut endpoint)
}

/// Reads a value, and no byte beyond it.
///
/// # Errors
///
/// Whatever in the input is not a value of this type, and the default [`Limits`].
pub fn deserialize<T: Codec, E: Endpoint + ?Sized>(endpoint: &mut E) -> Result<T> {
    deserialize_with(endpoint, Limits::DEFAULT)
}

/// Reads a value under other [`Limits`].
///
/// # Errors
///
/// Whatever in the input is not a value of this type, and the limits.
pub fn deserialize_with<T: Codec, E: Endpoint + ?Sized>(mut endpoint: &mut E, limits: Limits) -> Result<T> {
    let mut reader = Reader::from_endpoint(&mut endpoint, limits);
    let value = row::decode(&mut reader);
    reader.finish();
    value
}

/// The bytes of a value, and nothing else: a reader of another type is not found out, as it is in a
/// [message](crate::message), which carries the schema's fingerprint.
///
/// ```
/// assert_eq!(podwire_codec_core::to_vec("pod")?, [3, 0, 0, 0, b'p', b'o', b'd']);
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::OutOfMemory`](crate::Error::OutOfMemory) and [`Error::DepthLimit`](crate::Error::DepthLimit).
pub fn to_vec<T: Encode + ?Sized>(value: &T) -> Result<Vec<u8>> {
    value.bytes_of_whole()
}

/// Writes a value to anything that `std::io` can write to, and says how many bytes that took.
///
/// # Errors
///
/// [`Error::Io`](crate::Error::Io) and [`Error::DepthLimit`](crate::Error::DepthLimit).
#[cfg(feature = "std")]
pub fn to_writer<T: Encode + ?Sized>(value: &T, writer: impl std::io::Write) -> Result<usize> {
    serialize(value, &mut crate::endpoint::IoWriter(writer))
}

/// Reads the value that `bytes` are, which may borrow from them.
///
/// ```
/// use podwire_codec_core::{Error, from_slice};
///
/// let bytes = [3, 0, 0, 0, b'p', b'o', b'd'];
/// assert_eq!(from_slice::<&str>(&bytes)?, "pod");
/// assert!(matches!(from_slice::<u32>(&bytes), Err(Error::TrailingBytes { offset: 4, count: 3 })));
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
///
/// Whatever in the input is not a value of this type; [`Error::TrailingBytes`](crate::Error::TrailingBytes); the default [`Limits`].
pub fn from_slice<'de, T: Decode<'de>>(bytes: &'de [u8]) -> Result<T> {
    T::decode_all(bytes, Limits::DEFAULT)
}

/// [`from_slice`] under other [`Limits`].
///
/// # Errors
///
/// As [`from_slice`].
pub fn from_slice_with<'de, T: Decode<'de>>(bytes: &'de [u8], limits: Limits) -> Result<T> {
    T::decode_all(bytes, limits)
}

/// Reads a value from the front of `bytes`, and gives the rest.
///
/// # Errors
///
/// Whatever in the input is not a value of this type, and the default [`Limits`].
pub fn from_prefix<'de, T: Decode<'de>>(bytes: &'de [u8]) -> Result<(T, &'de [u8])> {
    from_prefix_with(bytes, Limits::DEFAULT)
}

/// [`from_prefix`] under other [`Limits`].
///
/// # Errors
///
/// As [`from_prefix`].
pub fn from_prefix_with<'de, T: Decode<'de>>(bytes: &'de [u8], limits: Limits) -> Result<(T, &'de [u8])> {
    let mut reader = Reader::from_slice_with(bytes, limits);
    let value = row::decode(&mut reader)?;
    // A hand-written codec could have put another reader in the place of this one.
    let rest = bytes.len().checked_sub(reader.source.left()).map(|start| &bytes[start..]);
    Ok((value, rest.unwrap_or_default()))
}

/// How many bytes a value takes on an endpoint that carries no segments.
///
/// # Errors
///
/// [`Error::DepthLimit`](crate::Error::DepthLimit).
pub fn encoded_len<T: Encode + ?Sized>(value: &T) -> Result<usize> {
    serialize(value, &mut Counter::new(Capabilities::INLINE))
}
