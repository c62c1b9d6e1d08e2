//! The short calls that hand-written codecs make on an endpoint itself.

use super::Endpoint;
use crate::error::Result;
use crate::trivial::{self, Trivial};

/// Single values on any endpoint, also `dyn Endpoint`.
///
/// A codec that is written on [`Writer`](crate::Writer) and [`Reader`](crate::Reader) is faster, because these call
/// the endpoint once per value.
///
/// ```
/// use podwire_codec_core::{Buffer, Endpoint, EndpointExt};
///
/// let mut buffer = Buffer::new();
/// let endpoint: &mut dyn Endpoint = &mut buffer;
/// endpoint.write_trivial_type(&2.5_f64)?;
/// assert_eq!(endpoint.read_trivial_type::<f64>()?, 2.5);
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
pub trait EndpointExt: Endpoint {
    /// Writes one [`Trivial`] value.
    ///
    /// # Errors
    ///
    /// Those of the endpoint.
    fn write_trivial_type<T: Trivial>(&mut self, value: &T) -> Result<()> {
        trivial::write(value, |bytes| self.write(bytes))
    }

    /// Reads one [`Trivial`] value.
    ///
    /// # Errors
    ///
    /// Those of the endpoint, and [`Error::InvalidValue`](crate::Error::InvalidValue).
    fn read_trivial_type<T: Trivial>(&mut self) -> Result<T> {
        trivial::read(|bytes| self.read(bytes))
    }
}

impl<E: Endpoint + ?Sized> EndpointExt for E {}
