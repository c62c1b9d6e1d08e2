//! Codecs for the types of other crates, one file and one feature per crate.
//!
//! Each type is written as the obvious type of the standard library is, and has its schema, so that the two sides of a
//! connection need not use the same one.

#[cfg(feature = "bytes")]
mod bytes;
#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "glam")]
mod glam;
#[cfg(feature = "indexmap")]
mod indexmap;
#[cfg(feature = "ndarray")]
mod ndarray;
#[cfg(feature = "smallvec")]
mod smallvec;
#[cfg(feature = "uuid")]
mod uuid;
