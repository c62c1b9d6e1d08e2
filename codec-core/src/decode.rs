//! How bytes become a value.

use core::mem::MaybeUninit;

use crate::encode::Encode;
use crate::error::Result;
use crate::raw::head::HeadReader;
use crate::reader::Reader;

/// A type that can be read from bytes which live for `'de`.
///
/// A type that borrows, such as `&'de str`, reads from a slice without a copy; from a stream it gets
/// [`Error::CannotBorrow`](crate::Error::CannotBorrow).
///
/// ```
/// use podwire_codec_core::{Decode, Encode, Reader, Result, Writer, from_slice};
///
/// #[derive(Debug, PartialEq)]
/// struct Celsius(f32);
///
/// impl Encode for Celsius {
///     fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
///         writer.write_trivial_type(&self.0)
///     }
/// }
///
/// impl<'de> Decode<'de> for Celsius {
///     fn decode(reader: &mut Reader<'de>) -> Result<Self> {
///         reader.read_trivial_type().map(Celsius)
///     }
/// }
///
/// assert_eq!(from_slice::<Celsius>(&20.0_f32.to_le_bytes())?, Celsius(20.0));
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
///
/// Usually derive it: `#[derive(Codec)]` writes this and [`Encode`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be decoded",
    label = "this type has no `Decode`",
    note = "if the type is yours, write `#[derive(podwire::Codec)]` above it, or `impl Decode` beside your `impl Encode`",
    note = "if it is another crate's, hold it in a struct of yours, with `#[codec(with = module)]`, or with `#[codec(pod)]` if it is plain old data (`bytemuck::Pod`)"
)]
pub trait Decode<'de>: Encode + Sized {
    /// Reads a value.
    ///
    /// # Errors
    ///
    /// Whatever in the input is not a value of this type, and the [`Limits`](crate::Limits) in force.
    fn decode(reader: &mut Reader<'de>) -> Result<Self>;

    /// Reads text that is known to be there and to be ASCII, for a type whose layout says that it is text.
    ///
    /// # Safety
    ///
    /// As [`decode_row`](Self::decode_row); and `raw::row::ascii_run` said of a run that this text belongs to, which is
    /// read from its beginning, that it is ASCII.
    #[doc(hidden)]
    #[inline(always)]
    #[allow(unsafe_code, reason = "called through raw::row, which knows the layout")]
    unsafe fn decode_ascii(
        slot: &mut MaybeUninit<Self>,
        head: HeadReader<'_>,
        reader: &mut Reader<'de>,
    ) -> Result<()> {
        // SAFETY: the caller's.
        unsafe { Self::decode_row(slot, head, reader) }
    }

    /// Reads a value in place, for a type with a layout.
    ///
    /// # Safety
    ///
    /// `head` holds as many bytes as the layout says.
    #[doc(hidden)]
    #[inline]
    #[allow(unsafe_code, reason = "called through raw::row, which knows the layout")]
    unsafe fn decode_row(
        slot: &mut MaybeUninit<Self>,
        head: HeadReader<'_>,
        reader: &mut Reader<'de>,
    ) -> Result<()> {
        // The layout stands in `Encode`: a type whose layout was promised there must read what it promises.
        const {
            assert!(
                Self::LAYOUT.facts().opaque,
                "a codec that is partly derived cannot be partly hand-written"
            );
        };
        let _ = head;
        slot.write(Self::decode(reader)?);
        Ok(())
    }
}
