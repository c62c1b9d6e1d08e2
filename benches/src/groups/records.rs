//! Records of text and numbers: podwire beside its peers.

use std::hint::black_box;

use super::{BORROWED, OWNED, SERIALIZE};
use crate::codecs::bitcode::Bitcode;
use crate::codecs::podwire::Podwire;
use crate::codecs::wincode::Wincode;
use crate::codecs::{Reads, Writes, check_borrowed, round_trip};
use crate::runner::{Group, Style};
use crate::shapes::log::Record;
use crate::shapes::players::Player;
use crate::shapes::{log, players};

/// Short strings between numbers.
pub(crate) fn log(failures: &mut Vec<String>) -> Group {
    let mut group = Group::new("log", Style::Codecs, "log: 10,000 web-server records");
    let mut shape = Shape::new(&mut group, failures, log::generate());
    shape.add::<Podwire, Vec<Record<&str>>>();
    shape.add::<Wincode, Vec<Record<&str>>>();
    shape.add::<Bitcode, Vec<Record<&str>>>();
    shape.add_floor();
    group
}

/// Nested records with options and enums.
pub(crate) fn players(failures: &mut Vec<String>) -> Group {
    let mut group =
        Group::new("players", Style::Codecs, "players: 2,000 nested records with options and enums");
    let mut shape = Shape::new(&mut group, failures, players::generate());
    shape.add::<Podwire, Vec<Player<&str>>>();
    shape.add::<Wincode, Vec<Player<&str>>>();
    shape.add::<Bitcode, Vec<Player<&str>>>();
    shape.add_floor();
    group
}

/// A value that all codecs get, and the group that their cells go to.
struct Shape<'g, T: 'static> {
    group: &'g mut Group,
    failures: &'g mut Vec<String>,
    value: &'static T,
}

impl<'g, T: Clone + PartialEq> Shape<'g, T> {
    fn new(group: &'g mut Group, failures: &'g mut Vec<String>, value: T) -> Self {
        Self { group, failures, value: Box::leak(Box::new(value)) }
    }

    /// A codec, if it gives back what it got, and the same bytes for the borrowed form `B`.
    fn add<S, B>(&mut self)
    where
        S: Writes<T> + Reads<'static, T> + Writes<B> + Reads<'static, B>,
        B: 'static,
    {
        let value = self.value;
        let bytes =
            match round_trip::<S, T>(value).and_then(|bytes| check_borrowed::<S, B>(bytes).map(|()| bytes)) {
                Ok(bytes) => bytes,
                Err(reason) => return self.failures.push(format!("{}: {reason}", self.group.title())),
            };
        let mut codec = S::default();
        self.group.add(S::NAME, SERIALIZE, bytes.len(), move || {
            black_box(codec.encode(black_box(value)).ok());
        });
        let mut codec = S::default();
        self.group.add(S::NAME, OWNED, bytes.len(), move || {
            drop(black_box(Reads::<T>::decode(&mut codec, black_box(bytes)).ok()));
        });
        let mut codec = S::default();
        self.group.add(S::NAME, BORROWED, bytes.len(), move || {
            drop(black_box(Reads::<B>::decode(&mut codec, black_box(bytes)).ok()));
        });
    }

    /// The floor under every owned decoding: the allocator's own work for such a value.
    fn add_floor(&mut self) {
        let value = self.value;
        self.group.add("clone, drop", OWNED, 0, move || drop(black_box(black_box(value).clone())));
    }
}
