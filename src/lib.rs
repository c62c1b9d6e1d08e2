//! podwire.
pub use podwire_codec_core::*;
#[cfg(feature = "derive")]
pub use podwire_codec_derive::Codec;

#[doc(hidden)]
pub use podwire_codec_core::__private;
