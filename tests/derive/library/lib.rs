//! A user's library, as far as podwire is concerned: it depends on podwire under another name, its items are public, and
//! it denies what can be denied. That it compiles, and that clippy has nothing to say, is the test; a second one uses it.
#![deny(warnings, missing_docs, unused_qualifications, unreachable_pub, missing_debug_implementations)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery, clippy::undocumented_unsafe_blocks)]
#![deny(single_use_lifetimes, unused_lifetimes, unused_results, trivial_casts, elided_lifetimes_in_paths)]
#![deny(let_underscore_drop, meta_variable_misuse, non_ascii_idents, unit_bindings)]
#![forbid(unsafe_code, deprecated)]

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use carrier::Codec;

/// A struct with everything.
#[derive(Debug, PartialEq, Eq, Codec)]
#[codec(crate = carrier)]
pub struct Everything<'a, T: Clone, const N: usize> {
    /// A number.
    pub number: u32,
    /// An array of parameters.
    pub array: [T; N],
    /// Borrowed text.
    pub text: Cow<'a, str>,
    /// Borrowed bytes.
    pub bytes: &'a [u8],
    /// Not sent.
    #[codec(skip)]
    pub skipped: Vec<T>,
    /// Written by hand.
    #[codec(with = ByHand)]
    pub with: [u8; 9],
    /// Another one.
    pub nested: Option<Box<Self>>,
    /// A type that is asked how it travels.
    pub kind: Kind,
    /// The same within containers.
    pub kinds: BTreeMap<u8, Vec<(Kind, Option<Kind>)>>,
}

/// Several variants.
#[derive(Debug, PartialEq, Eq, Clone, Copy, Codec)]
#[codec(crate = carrier)]
#[non_exhaustive]
pub enum Kind {
    /// One.
    Unit,
    /// Another.
    Row(u8, bool, #[codec(skip)] u8),
    /// A third.
    Named {
        /// A number.
        number: i64,
        /// A position.
        position: Position,
    },
}

/// Registered and trivial.
#[derive(Debug, PartialEq, Eq, Clone, Copy, Default, Codec)]
#[repr(C)]
#[codec(crate = carrier, trivial, name = "users_library::Position")]
pub struct Position {
    /// In columns.
    pub x: i32,
    /// In rows.
    pub y: i32,
}

/// A generic type that is transparent and trivial.
#[derive(Debug, PartialEq, Eq, Clone, Copy, Codec)]
#[repr(transparent)]
#[codec(crate = carrier, trivial)]
pub struct Millimetres<T: carrier::Trivial>(pub T);

/// A generic type with the bound that the derive would add.
#[derive(Debug, PartialEq, Eq, Clone, Codec)]
#[codec(crate = carrier)]
pub struct Written<T: carrier::Encode, U>
where
    U: Codec,
{
    /// One.
    pub first: T,
    /// Another.
    pub second: Vec<U>,
}

/// Packed.
#[derive(Debug, PartialEq, Eq, Clone, Copy, Codec)]
#[repr(C, packed)]
#[codec(crate = carrier)]
pub struct Packed {
    /// Small.
    pub small: u8,
    /// Large.
    pub large: u64,
}

/// There is none.
#[derive(Debug, PartialEq, Eq, Codec)]
#[codec(crate = carrier)]
pub enum Nothing {}

/// Generic, with bounds of its own.
#[derive(Debug, Codec)]
#[codec(crate = carrier, bound(K: Codec + Eq + core::hash::Hash, V: Codec))]
pub struct Table<K, V> {
    /// Entries.
    pub entries: HashMap<K, V>,
}

carrier::register_codec!(Table<u8, String>, "users_library::Table");
carrier::register_codec!(Vec<Position>, "users_library::positions");

/// Nine bytes, without a length.
struct ByHand;

impl ByHand {
    fn encode(value: &[u8; 9], writer: &mut carrier::Writer<'_>) -> carrier::Result<()> {
        writer.write(value)
    }

    fn decode(reader: &mut carrier::Reader<'_>) -> carrier::Result<[u8; 9]> {
        reader.read_trivial_type()
    }
}
