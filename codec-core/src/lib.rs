//! The codec core of podwire: values to bytes and back.
//!
//! The way of a value, and the order of the files:
//! `value -> Encode -> Writer -> Endpoint`, and `Endpoint -> Reader -> Decode -> value`.
//! A codec never sees a backend; a backend never sees a type.
//!
//! Use it through the crate `podwire`, which adds the derive. This crate knows no operating system and no network;
//! without its feature `std` it needs only `alloc`.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

mod bulk;
mod codec;
#[cfg(feature = "conformance")]
pub mod conformance;
mod decode;
mod encode;
pub mod endpoint;
mod error;
mod layout;
mod limits;
pub mod message;
mod placed;
mod raw;
mod reader;
#[cfg(feature = "std")]
pub mod registry;
pub mod schema;
mod segment;
mod shared;
pub mod tensor;
mod trivial;
#[macro_use]
mod types;
mod interop;
mod writer;

#[doc(hidden)]
pub mod __private;

pub use bulk::{Bulk, Plain};
#[cfg(feature = "std")]
pub use codec::to_writer;
pub use codec::{
    Codec, deserialize, deserialize_with, encoded_len, from_prefix, from_prefix_with, from_slice,
    from_slice_with, serialize, to_vec,
};
pub use decode::Decode;
pub use encode::Encode;
pub use endpoint::{Buffer, Counter, Endpoint, EndpointExt, Gather, SliceReader, SliceWriter};
#[cfg(feature = "std")]
pub use endpoint::{IoReader, IoWriter};
pub use error::{Error, Result};
pub use limits::Limits;
pub use raw::address::DeviceAddress;
pub use reader::Reader;
#[cfg(feature = "std")]
pub use registry::CodecRegistry;
pub use segment::{MemoryKind, Owner, Segment};
pub use shared::{Blob, SharedStr};
pub use tensor::Tensor;
pub use trivial::{Trivial, deserialize_trivial_type, serialize_trivial_type};
pub use writer::Writer;
