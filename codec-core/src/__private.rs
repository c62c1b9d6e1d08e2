//! What the derive's output calls. Not part of the public interface: it changes with the derive.

pub use alloc::vec::Vec;
pub use core::marker::PhantomData;
pub use core::mem::MaybeUninit;

pub use crate::layout::{Facts, Field, Layout, product};
pub use crate::raw::head::{HeadReader, HeadWriter};
pub use crate::raw::row;
#[cfg(feature = "std")]
pub use inventory;
