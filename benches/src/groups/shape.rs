//! One value for all codecs: their cells, each added only if the codec gives back what it got.

use std::hint::black_box;

use podwire::{Decode, Encode};

#[cfg(feature = "peers")]
use super::IN_PLACE;
use super::{BORROWED, OWNED, SERIALIZE};
#[cfg(feature = "peers")]
use crate::codecs::Accesses;
use crate::codecs::podwire::Podwire;
use crate::codecs::{Reads, Subject, Writes, check_borrowed, round_trip};
use crate::runner::Group;

/// A value that all codecs get, and the group that their cells go to.
pub(super) struct Shape<'g, T: 'static> {
    group: &'g mut Group,
    failures: &'g mut Vec<String>,
    pub(super) value: &'static T,
}

impl<'g, T: PartialEq> Shape<'g, T> {
    /// No cells yet.
    pub(super) fn new(group: &'g mut Group, failures: &'g mut Vec<String>, value: T) -> Self {
        Self { group, failures, value: Box::leak(Box::new(value)) }
    }

    /// Writing, and reading to own.
    pub(super) fn add<S: Writes<T> + Reads<'static, T>>(&mut self) {
        let value = self.value;
        let Some(bytes) = self.check::<S>(round_trip::<S, T>(value)) else { return };
        let mut codec = S::default();
        self.group.add(S::NAME, SERIALIZE, bytes.len(), move || {
            black_box(codec.encode(black_box(value)).ok());
        });
        let mut codec = S::default();
        self.group.add(S::NAME, OWNED, bytes.len(), move || {
            drop(black_box(Reads::<T>::decode(&mut codec, black_box(bytes)).ok()));
        });
    }

    /// Reading a form `B` of the same bytes that borrows from them.
    pub(super) fn borrow<S, B>(&mut self)
    where
        S: Writes<T> + Reads<'static, T> + Writes<B> + Reads<'static, B>,
        B: 'static,
    {
        let bytes = round_trip::<S, T>(self.value);
        let bytes = bytes.and_then(|bytes| check_borrowed::<S, B>(bytes).map(|()| bytes));
        let Some(bytes) = self.check::<S>(bytes) else { return };
        let mut codec = S::default();
        self.group.add(S::NAME, BORROWED, bytes.len(), move || {
            drop(black_box(Reads::<B>::decode(&mut codec, black_box(bytes)).ok()));
        });
    }

    /// Checking the bytes, to read them where they lie.
    #[cfg(feature = "peers")]
    pub(super) fn access<S: Writes<T> + Reads<'static, T> + Accesses<T>>(&mut self) {
        let bytes = round_trip::<S, T>(self.value);
        let bytes = bytes.and_then(|bytes| match S::default().access(bytes) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(format!("{}: {error}", S::NAME)),
        });
        let Some(bytes) = self.check::<S>(bytes) else { return };
        let mut codec = S::default();
        self.group.add(S::NAME, IN_PLACE, bytes.len(), move || {
            black_box(codec.access(black_box(bytes)).is_ok());
        });
    }

    fn check<S: Subject>(&mut self, bytes: Result<&'static [u8], String>) -> Option<&'static [u8]> {
        bytes.map_err(|reason| self.failures.push(format!("{}: {reason}", self.group.title()))).ok()
    }
}

impl<T: Encode + for<'de> Decode<'de> + PartialEq> Shape<'_, T> {
    /// The floor under every encoding: our bytes, copied into memory that is used again.
    pub(super) fn add_copy(&mut self) {
        let Some(bytes) = self.check::<Podwire>(round_trip::<Podwire, T>(self.value)) else { return };
        let mut buffer: Vec<u8> = Vec::new();
        self.group.add("memcpy", SERIALIZE, bytes.len(), move || {
            buffer.clear();
            buffer.extend_from_slice(black_box(bytes));
            black_box(&mut buffer);
        });
    }
}

impl<T: Clone> Shape<'_, T> {
    /// The floor under every owned decoding: the allocator's own work for such a value.
    pub(super) fn add_floor(&mut self) {
        let value = self.value;
        self.group.add("clone, drop", OWNED, 0, move || drop(black_box(black_box(value).clone())));
    }
}

/// The cells of all codecs that know the shape's types; the brackets hold those that not all shapes have. With a form of
/// the value that borrows, also the cells of those that can.
macro_rules! add_all {
    ($shape:expr, [$($more:ident),*]) => {{
        let shape = &mut $shape;
        shape.add::<$crate::codecs::podwire::Podwire>();
        #[cfg(feature = "peers")]
        {
            use $crate::codecs::peers::*;
            $(shape.add::<$more>();)*
            shape.add::<Rkyv>();
            shape.add::<Savefile>();
            shape.add::<Speedy>();
            shape.add::<Borsh>();
            shape.add::<Postcard>();
            shape.add::<Bincode>();
            shape.access::<Rkyv>();
        }
    }};
    ($shape:expr, [$($more:ident),*], $borrowed:ty) => {{
        let mut shape = $shape;
        $crate::groups::shape::add_all!(shape, [$($more),*]);
        shape.borrow::<$crate::codecs::podwire::Podwire, $borrowed>();
        #[cfg(feature = "peers")]
        {
            use $crate::codecs::peers::*;
            $(shape.borrow::<$more, $borrowed>();)*
            shape.borrow::<Speedy, $borrowed>();
            shape.borrow::<Postcard, $borrowed>();
            shape.borrow::<Bincode, $borrowed>();
        }
        shape.add_floor();
    }};
}
pub(super) use add_all;
