//! Registrations that stand in the program itself and are collected before they are needed.

use std::any::Any;

use super::Entry;
use crate::__private::demand::Shared;
use crate::__private::probe::Via;
use crate::codec::Codec;

/// A registration as `#[codec(register)]` and [`register_codec!`](crate::register_codec) write it: a constant.
#[derive(Debug)]
pub struct Registration {
    name: &'static str,
    file: &'static str,
    line: u32,
    entry: fn(&str) -> Entry,
}

impl Registration {
    /// The registration of `T` under `name`, at a place of the source.
    #[must_use]
    pub const fn new<T: Codec + Any + Shared>(name: &'static str, file: &'static str, line: u32) -> Self {
        Self { name, file, line, entry: Entry::of::<T> }
    }

    /// The registration of a type that travels as its probe found out. The function is never called: its type says all.
    #[doc(hidden)]
    #[must_use]
    pub const fn via<V: Via<As: Codec, Of: Any + Shared>>(
        name: &'static str,
        file: &'static str,
        line: u32,
        _: fn() -> V,
    ) -> Self {
        Self { name, file, line, entry: Entry::via::<V> }
    }

    pub(super) fn entry(&self) -> Entry {
        (self.entry)(self.name).at(self.file, self.line)
    }
}

inventory::collect!(Registration);
