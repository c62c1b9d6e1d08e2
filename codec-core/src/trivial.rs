//! Types whose memory is their encoding, as a promise: numbers, `bool`, `char`, arrays of them, and structs with
//! `#[codec(trivial)]`.

use crate::codec::Codec;
use crate::endpoint::{Endpoint, EndpointExt};
use crate::error::Result;
use crate::limits::Limits;
use crate::reader::Reader;

/// A fixed-size type whose memory is its encoding (on a little-endian machine).
///
/// `#[codec(trivial)]` on a `repr(C)` or `repr(transparent)` struct implements it, or says which field is in the way.
///
/// # Safety
///
/// - `T::LAYOUT` is bulk wherever the target is little-endian;
/// - the order of its fields in memory is guaranteed by the language.
#[allow(unsafe_code, reason = "declares the promise")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a trivial type",
    label = "its memory is not guaranteed to be its encoding",
    note = "if it is a struct of yours whose fields are all trivial, write `#[derive(Clone, Copy, Codec)] #[repr(C)] #[codec(trivial)]` above it",
    note = "to write a value of any type, use `serialize`, or `write` on a `Writer`"
)]
pub unsafe trait Trivial: Codec + Copy + 'static {}

/// Writes a trivial value with one call of `write`.
pub(crate) fn write<T: Trivial>(value: &T, write: impl FnOnce(&[u8]) -> Result<()>) -> Result<()> {
    if cfg!(target_endian = "little") {
        write(crate::raw::sequence::memory(core::slice::from_ref(value)))
    } else {
        write(&crate::to_vec(value)?)
    }
}

/// Reads a trivial value with one call of `read`, if it is not exceptionally large.
pub(crate) fn read<T: Trivial>(read: impl FnOnce(&mut [u8]) -> Result<()>) -> Result<T> {
    let mut small = [0_u8; 64];
    let mut large = alloc::vec::Vec::new();
    let bytes = match small.get_mut(..size_of::<T>()) {
        Some(bytes) => bytes,
        None => {
            large.resize(size_of::<T>(), 0);
            &mut large[..]
        }
    };
    read(bytes)?;
    crate::raw::row::decode(&mut Reader::from_slice_with(bytes, Limits::DEFAULT))
}

/// Writes one trivial value to an endpoint, and says how many bytes that took.
///
/// # Errors
///
/// Those of the endpoint.
pub fn serialize_trivial_type<T: Trivial>(
    value: &T,
    endpoint: &mut (impl Endpoint + ?Sized),
) -> Result<usize> {
    endpoint.write_trivial_type(value)?;
    Ok(size_of::<T>())
}

/// Reads one trivial value from an endpoint.
///
/// # Errors
///
/// Those of the endpoint, and [`Error::InvalidValue`](crate::Error::InvalidValue).
pub fn deserialize_trivial_type<T: Trivial>(endpoint: &mut (impl Endpoint + ?Sized)) -> Result<T> {
    endpoint.read_trivial_type()
}
