//! What the derive's output calls. Not part of the public interface: it changes with the derive.
//!
//! The output is kept short by what stands here, since it is compiled anew for every type of every user: it names
//! what it needs through this module only, and calls `row` for each field. How a field travels is decided by the
//! type checker, in `probe`, and costs nothing at run time.
//!
//! - `demand`: what is demanded of types, and the errors;
//! - `field`: what the fields of a struct and the variants of an enum share;
//! - `node`: schemas from tables;
//! - `pod`: wrappers that give plain old data of other crates a codec;
//! - `probe`: chooses between the codec of a type and such a wrapper;
//! - `within`: the wrappers for containers of several parts, and for pointers.
#![allow(missing_docs, reason = "not public")]

pub mod demand;
pub mod field;
pub mod node;
pub mod pod;
pub mod probe;
pub mod within;

pub use core::default::Default;
pub use core::marker::Copy;
pub use core::mem::{MaybeUninit, offset_of, size_of};
pub use core::result::Result::{Err, Ok};
pub use core::{assert, file, line};

pub use bytemuck::Pod;
#[cfg(feature = "std")]
pub use inventory;

pub use self::demand::{copy, element, object};
pub use self::field::{
    copied, decode_memory, default, encode_memory, field, field_skipped, field_via, field_with, gap, offset,
    place, take_tag, trivial, unknown_tag,
};
pub use self::node::{enum_node, node, node_via, opaque_node, struct_node};
pub use self::probe::{Level0, Level1, Level2, Level3, Level4, Level5, Probe, same, unview, view, view_mut};
pub use crate::decode::Decode;
pub use crate::encode::Encode;
pub use crate::error::Result;
pub use crate::layout::{Facts, Layout, product, text_run};
pub use crate::raw::head::{HeadReader, HeadWriter};
pub use crate::raw::row;
pub use crate::raw::variant::{HeadBuffer, encode_alone, encode_tag, put_tag, variant_head};
pub use crate::reader::Reader;
#[cfg(feature = "std")]
pub use crate::registry::Registration;
pub use crate::schema::{Node, SchemaBuilder};
pub use crate::trivial::Trivial;
pub use crate::writer::Writer;
