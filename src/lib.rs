#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

#[cfg(feature = "derive")]
pub mod holoviz;

pub use podwire_codec_core::*;
#[cfg(feature = "derive")]
pub use podwire_codec_derive::Codec;
#[cfg(feature = "cuda")]
pub use podwire_device as device;
#[cfg(feature = "fastio")]
pub use podwire_fastio as fastio;
#[cfg(feature = "fragment")]
pub use podwire_fragment as fragment;

#[doc(hidden)]
pub use podwire_codec_core::__private;

/// What the page shows is run as well.
#[cfg(all(doctest, feature = "fragment"))]
#[doc = include_str!("../docs/fragment.md")]
mod page_of_fragments {}

#[cfg(all(doctest, feature = "cuda"))]
#[doc = include_str!("../docs/device.md")]
mod page_of_devices {}
