//! What the fuzz targets share: a second reader of the wire format, types of every shape, and inputs that grow.
//!
//! `docs/testing.md` says how to run them.
#![allow(missing_docs, reason = "the fields of types that are only there to be decoded")]

pub mod agree;
pub mod grow;
pub mod pipeline;
pub mod slow;
pub mod types;
