//! Which name leads to which entry, and from which type to which name.
//!
//! The invariant is the registry's: a name leads to the codec of exactly one type, or it is spoiled; and whatever leads from
//! a type to a name leads back.

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::HashMap;

use super::entries::Entries;
use super::{Entry, Registration, RegistryError};

#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) names: HashMap<Cow<'static, str>, Named>,
    /// For each type its names, the one to send with last.
    pub(super) types: HashMap<TypeId, Vec<Sent>>,
    /// Registrations that were collected already.
    pub(super) collected: usize,
    /// The newest of them, if any were asked for: `Some(None)` if there were none.
    pub(super) newest: Option<Option<&'static Registration>>,
    /// Entries that were replaced, by name, to be used again by whoever registers the same once more.
    replaced: HashMap<Cow<'static, str>, Vec<u32>>,
}

/// A name under which values of a type can be sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) name: Cow<'static, str>,
    rank: Rank,
}

/// Who gave a name; the highest decides. Of automatic names of one type the one that sorts first is sent: their order is
/// that of the linker, and where they stand in the source depends on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Preregistered,
    Automatic,
    Chosen,
}

/// What a name leads to, by the numbers of entries.
#[derive(Debug, Clone)]
pub(super) enum Named {
    /// One automatic registration.
    Codec(u32),
    /// What the program chose at run time; no automatic registration touches it.
    Chosen(u32),
    /// Automatic registrations of different types, at least two, in the order of their places, so that the message does
    /// not depend on the linker.
    Spoiled(Vec<u32>),
}

impl Named {
    pub(super) fn codec(&self, entries: &Entries) -> Result<u32, RegistryError> {
        match self {
            Self::Codec(number) | Self::Chosen(number) => Ok(*number),
            Self::Spoiled(numbers) => {
                let [first, second, ..] = &numbers[..] else {
                    unreachable!("a spoiled name has two entries")
                };
                Err(RegistryError::Ambiguous {
                    name: entries[*first].name().into(),
                    first: entries[*first].source(),
                    second: entries[*second].source(),
                })
            }
        }
    }

    /// All that have the name.
    fn numbers(&self) -> &[u32] {
        match self {
            Self::Codec(number) | Self::Chosen(number) => std::slice::from_ref(number),
            Self::Spoiled(numbers) => numbers,
        }
    }
}

/// A table that is about to change, and the entries that it speaks of.
pub(super) struct Change<'r> {
    pub(super) entries: &'r Entries,
    pub(super) table: &'r mut Table,
}

impl Change<'_> {
    /// Adds an entry, or finds the same one that was replaced.
    fn add(&mut self, entry: Entry) -> u32 {
        if let Some(replaced) = self.table.replaced.get_mut(entry.name())
            && let Some(same) = replaced.iter().position(|number| self.entries[*number].is_same(&entry))
        {
            return replaced.swap_remove(same);
        }
        self.entries.add(entry)
    }

    /// Puts an entry in, in the place of whatever has its name.
    pub(super) fn put(&mut self, entry: Entry, send: Option<Rank>, named: fn(u32) -> Named) {
        let name = entry.key();
        self.forget(&name);
        if let Some(rank) = send {
            self.table.send(entry.value_type(), name.clone(), rank);
        }
        let number = self.add(entry);
        self.table.names.insert(name, named(number));
    }

    /// Puts an automatic registration in, which replaces nothing.
    pub(super) fn collect(&mut self, registration: &Registration, rank: Rank) {
        for (entry, send) in registration.entries() {
            let send = send.then_some(rank);
            match self.table.names.get_mut(entry.name()) {
                None => self.put(entry, send, Named::Codec),
                // The same once more; what was understood only may be sent from now on.
                Some(Named::Codec(first)) if self.entries[*first].value_type() == entry.value_type() => {
                    if let Some(rank) = send {
                        self.table.send(entry.value_type(), entry.key(), rank);
                    }
                }
                Some(named @ Named::Codec(_)) => {
                    *named = Named::Spoiled(named.numbers().to_vec());
                    self.spoil(entry, send);
                }
                Some(Named::Spoiled(_)) => self.spoil(entry, send),
                Some(Named::Chosen(_)) => {}
            }
        }
    }

    /// Notes that one more automatic registration claims a name for a type of its own.
    fn spoil(&mut self, entry: Entry, send: Option<Rank>) {
        if let Some(rank) = send {
            self.table.send(entry.value_type(), entry.key(), rank);
        }
        if let Some(Named::Spoiled(numbers)) = self.table.names.get_mut(entry.name()) {
            let at = numbers.partition_point(|known| self.entries[*known].place() <= entry.place());
            numbers.insert(at, self.entries.add(entry));
        }
    }

    /// Removes a name from the names of its types.
    fn forget(&mut self, name: &str) {
        let Some(named) = self.table.names.remove(name) else { return };
        for number in named.numbers() {
            let of = self.entries[*number].value_type();
            if let Some(names) = self.table.types.get_mut(&of) {
                names.retain(|known| known.name != name);
                if names.is_empty() {
                    self.table.types.remove(&of);
                }
            }
            self.table.replaced.entry(self.entries[*number].key()).or_default().push(*number);
        }
    }
}

impl Table {
    /// Notes that values of a type can be sent under a name.
    fn send(&mut self, of: TypeId, name: Cow<'static, str>, rank: Rank) {
        let names = self.types.entry(of).or_default();
        if let Some(known) = names.iter().position(|known| known.name == name) {
            if names[known].rank >= rank {
                return;
            }
            names.remove(known);
        }
        // Of names that were chosen the newest comes last.
        let before = |known: &Sent| {
            known.rank < rank || known.rank == rank && (rank == Rank::Chosen || known.name > name)
        };
        let at = names.partition_point(before);
        names.insert(at, Sent { name, rank });
    }
}
