//! The registry's entries and what it remembers, with a table that has one name.

#[path = "../../../codec-core/src/registry/entries.rs"]
pub(crate) mod entries;
#[path = "../../../codec-core/src/registry/name.rs"]
mod name;
#[path = "../../../codec-core/src/registry/recent.rs"]
pub(crate) mod recent;

use std::any::TypeId;
use std::sync::RwLock;

use entries::Entries;
use name::Short;
use recent::Recent;

/// What is said of names that cannot be.
#[derive(Debug)]
pub(crate) enum RegistryError {
    BadName { name: Box<str>, reason: &'static str },
}

/// A codec: whose it is, and a word that says which.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) which: u32,
}

impl Entry {
    fn value_type(&self) -> TypeId {
        TypeId::of::<u32>()
    }

    fn is_named(&self, name: &str, _: Short) -> bool {
        self.name == name
    }
}

/// As `CodecRegistry`: the look-up without a lock, then the one with it, and changes.
#[derive(Debug)]
pub(crate) struct Registry {
    entries: Entries,
    recent: Recent,
    table: RwLock<u32>,
}

impl Registry {
    pub(crate) fn new() -> Self {
        let entries = Entries::default();
        let number = entries.add(Entry { name: "n", which: 0 });
        Self { entries, recent: Recent::default(), table: RwLock::new(number) }
    }

    pub(crate) fn by_name(&self) -> &Entry {
        self.recent.by_name(&self.entries, "n").unwrap_or_else(|| {
            let table = self.table.read().unwrap();
            self.recent.remember_name("n", *table);
            &self.entries[*table]
        })
    }

    pub(crate) fn replace(&self, which: u32) {
        let mut table = self.table.write().unwrap();
        self.recent.forget();
        *table = self.entries.add(Entry { name: "n", which });
    }
}
