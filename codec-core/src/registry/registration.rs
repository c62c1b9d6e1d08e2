//! Registrations that stand in the program itself and are collected before they are needed.

use std::any::Any;

use super::Entry;
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
    pub const fn new<T: Codec + Any + Send + Sync>(
        name: &'static str,
        file: &'static str,
        line: u32,
    ) -> Self {
        Self { name, file, line, entry: Entry::of::<T> }
    }

    pub(super) fn entry(&self) -> Entry {
        (self.entry)(self.name).at(self.file, self.line)
    }
}

inventory::collect!(Registration);
