//! The output is at home in every module: in one without a prelude, in one whose own items are called like the
//! standard library's, and in one that denies every lint.
#![deny(warnings, missing_docs, unused_qualifications, unreachable_pub, clippy::pedantic, clippy::nursery)]
#![forbid(unsafe_code, deprecated)]

use podwire::Codec;

use crate::support::round;

/// A struct and enums of every kind, for the lints to look at.
#[derive(Debug, PartialEq, Eq, Codec)]
struct Everything<'a, T: Clone, const N: usize> {
    number: u32,
    array: [T; N],
    text: std::borrow::Cow<'a, str>,
    #[codec(skip)]
    skipped: Vec<T>,
    #[codec(with = by_hand)]
    with: [u8; 9],
    nested: Option<Box<Self>>,
    kind: Kind,
    vector: Vec<glam::IVec3>,
    sample: glam::IVec2,
}

/// Several variants.
#[derive(Debug, PartialEq, Eq, Clone, Copy, Codec)]
#[non_exhaustive]
enum Kind {
    /// One.
    Unit,
    /// Another.
    Row(u8, bool, #[codec(skip)] u8),
    /// A third.
    Named { vector: glam::IVec3, number: i64 },
}

/// Holds a value that there is none of.
#[derive(Debug, PartialEq, Eq, Codec)]
enum Never {
    /// Impossible.
    Impossible(Nothing),
    /// Also.
    Both(u8, Nothing),
    /// Possible.
    Possible,
}

/// There is none.
#[derive(Debug, PartialEq, Eq, Codec)]
enum Nothing {}

/// Impossible, too.
#[derive(Debug, PartialEq, Eq, Codec)]
struct Holds(u8, Nothing);

mod by_hand {
    use podwire::{Reader, Result, Writer};

    pub(super) fn encode(value: &[u8; 9], writer: &mut Writer<'_>) -> Result<()> {
        writer.write(value)
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<[u8; 9]> {
        reader.read_trivial_type()
    }
}

#[test]
fn no_lint_complains_of_the_output() {
    let kind = Kind::Named { vector: glam::IVec3::ONE, number: -1 };
    let inner = |nested| Everything {
        number: 1,
        array: [1_u8, 2],
        text: "t".into(),
        skipped: vec![],
        with: [3; 9],
        nested,
        kind,
        vector: vec![glam::IVec3::X],
        sample: glam::IVec2::Y,
    };
    let value = inner(Some(Box::new(inner(None))));
    let bytes = podwire::to_vec(&value).unwrap();
    assert_eq!(podwire::from_slice::<Everything<'_, u8, 2>>(&bytes).unwrap(), value);
    round(&Never::Possible);
    round(&Kind::Row(1, true, 0));
    round(&Kind::Unit);
    podwire::from_slice::<Holds>(&[1, 2]).unwrap_err();
    podwire::from_slice::<Never>(&[1, 2]).unwrap_err();
}

/// What is deprecated here is declared and used nowhere else than in the output.
mod old {
    #[expect(dead_code, reason = "only the output may use it")]
    #[deprecated]
    #[derive(podwire::Codec)]
    pub(super) struct Type {
        pub(super) number: u8,
    }

    #[derive(Debug, Default, podwire::Codec)]
    pub(super) struct Field {
        #[deprecated]
        pub(super) gone: u8,
        pub(super) number: u8,
    }

    #[derive(podwire::Codec)]
    pub(super) enum Variant {
        #[deprecated]
        Gone(u8),
        #[deprecated]
        Row(u8, #[deprecated] String),
        Here,
    }
}

#[test]
fn deprecated_types_fields_and_variants_are_used_without_a_warning() {
    assert_eq!(podwire::to_vec(&old::Field::default()).unwrap(), [0, 0]);
    assert_eq!(podwire::to_vec(&old::Variant::Here).unwrap(), [2]);
    assert_eq!(podwire::from_slice::<old::Field>(&[0, 3]).unwrap().number, 3);
}

/// No prelude: nothing is in scope that is not named here.
mod bare {
    #![no_implicit_prelude]

    use ::core::prelude::v1::derive;

    #[derive(::core::fmt::Debug, ::core::cmp::PartialEq, ::core::cmp::Eq, ::podwire::Codec)]
    pub(super) struct Struct<T> {
        pub(super) value: T,
        pub(super) text: ::std::string::String,
        pub(super) other: ::std::option::Option<::std::boxed::Box<Enum>>,
        pub(super) vector: ::std::vec::Vec<::glam::IVec3>,
        #[codec(skip)]
        pub(super) skipped: u8,
    }

    #[derive(::core::fmt::Debug, ::core::cmp::PartialEq, ::core::cmp::Eq, ::podwire::Codec)]
    pub(super) enum Enum {
        A,
        B(u8, ::glam::IVec3),
    }

    #[derive(
        ::core::fmt::Debug,
        ::core::cmp::PartialEq,
        ::core::cmp::Eq,
        ::core::clone::Clone,
        ::core::marker::Copy,
        ::podwire::Codec,
    )]
    #[repr(C)]
    #[codec(trivial)]
    pub(super) struct Trivial(pub(super) u32, pub(super) ::glam::IVec2);
}

#[test]
fn the_output_needs_no_prelude() {
    let (text, other) = ("t".to_owned(), Some(Box::new(bare::Enum::B(1, glam::IVec3::ONE))));
    round(&bare::Struct { value: 1_u8, text, other, vector: vec![glam::IVec3::X], skipped: 0 });
    round(&bare::Enum::A);
    round(&bare::Trivial(1, glam::IVec2::ONE));
}

#[test]
fn a_library_that_renames_podwire_and_denies_every_lint_compiles() {
    use users_library::{Everything, Kind, Millimetres, Packed, Position, Table};
    let position = Position { x: 1, y: -1 };
    let kind = Kind::Named { number: 2, position };
    let value = Everything {
        number: 1,
        array: [1_u8, 2],
        text: "t".into(),
        bytes: b"b",
        skipped: vec![],
        with: [3; 9],
        nested: None,
        kind,
        kinds: [(4, vec![(Kind::Unit, Some(kind))])].into(),
    };
    let bytes = podwire::to_vec(&value).unwrap();
    assert_eq!(podwire::from_slice::<Everything<'_, u8, 2>>(&bytes).unwrap(), value);
    round(&Millimetres(position));
    round(&Packed { small: 1, large: 2 });
    let table = Table { entries: [(1_u8, 2_u16)].into() };
    assert_eq!(podwire::to_vec(&table).unwrap(), [1, 0, 0, 0, 1, 2, 0]);
    for name in ["users_library::Position", "users_library::Table", "users_library::positions"] {
        assert!(podwire::CodecRegistry::global().by_name(name).is_ok(), "{name}");
    }
}

/// Deprecated, and used where the user allows it.
mod allowed {
    #![allow(unused, reason = "only compiled")]

    mod elsewhere {
        #[derive(Debug, PartialEq, Eq, podwire::Codec)]
        pub(super) struct Number(pub(super) u8);
    }

    #[derive(Debug, PartialEq, Eq, podwire::Codec)]
    pub(super) struct Uses {
        number: elsewhere::Number,
    }
}

#[test]
fn serde_may_stand_beside() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize, Codec)]
    struct Both {
        #[serde(default)]
        #[codec(rename = "n")]
        number: u8,
        #[serde(rename = "text")]
        name: String,
    }
    round(&Both { number: 1, name: "n".into() });
}
