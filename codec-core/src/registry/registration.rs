//! Registrations that stand in the program itself and are collected before they are needed.

use std::any::Any;
use std::borrow::Cow;

use super::Entry;
use super::entry::Functions;
use crate::__private::demand::Shared;
use crate::__private::probe::Via;
use crate::codec::Codec;

/// A registration as `#[codec(register)]` and [`register_codec!`](crate::register_codec) write it: a constant.
pub struct Registration {
    name: &'static str,
    aliases: &'static [&'static str],
    file: &'static str,
    line: u32,
    codec: &'static Functions,
}

impl Registration {
    /// The registration of `T` under `name`, at a place of the source.
    #[must_use]
    pub const fn new<T: Codec + Any + Shared>(name: &'static str, file: &'static str, line: u32) -> Self {
        Self { name, aliases: &[], file, line, codec: Functions::of::<T>() }
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
        Self { name, aliases: &[], file, line, codec: Functions::via::<V>() }
    }

    /// The same, and names that are understood, but never sent.
    #[must_use]
    pub const fn with_aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// Where it stands, to be sorted by.
    pub(super) fn place(&self) -> (&'static str, u32) {
        (self.file, self.line)
    }

    /// The entry of each name, and whether values are sent under it.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Entry, bool)> {
        let names =
            std::iter::once((self.name, true)).chain(self.aliases.iter().map(|alias| (*alias, false)));
        names.map(|(name, send)| (Entry::at(Cow::Borrowed(name), self.codec, self.file, self.line), send))
    }
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration")
            .field("name", &self.name)
            .field("aliases", &self.aliases)
            .field("file", &self.file)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

inventory::collect!(Registration);
