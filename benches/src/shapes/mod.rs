//! What is encoded: data of the kinds that real programs have, from fixed seeds.
//!
//! A shape's types are written once, as a macro, and made twice: with text that is owned, and with text that is borrowed.
//! Both get the derives of all codecs that are built in and can do it. They have no type parameters: savefile's derive
//! does not manage those.

pub(crate) mod frame;
pub(crate) mod log;
pub(crate) mod mesh;
pub(crate) mod nested;
pub(crate) mod players;
pub(crate) mod telemetry;
pub(crate) mod tree;

/// Types with podwire's derive and, with the feature `peers`, the attributes in brackets.
macro_rules! define {
    (@one [$($peers:tt)*] $($type:tt)*) => {
        #[derive(Debug, Clone, PartialEq, podwire::Codec)]
        #[cfg_attr(feature = "peers", $($peers)*)]
        $($type)*
    };
    ($peers:tt $(
        $(#[$attribute:meta])*
        pub(crate) $kind:ident $name:ident $(<$life:lifetime>)? { $($body:tt)* }
    )*) => {
        $($crate::shapes::define! {
            @one $peers $(#[$attribute])* pub(crate) $kind $name $(<$life>)? { $($body)* }
        })*
    };
}
use define;

/// Types that own their parts, for all codecs; the brackets hold what only some of them want.
macro_rules! owned {
    ([$($more:tt)*] $($types:tt)*) => {
        $crate::shapes::define! {
            [
                derive(
                    borsh::BorshDeserialize,
                    borsh::BorshSerialize,
                    rkyv::Archive,
                    rkyv::Deserialize,
                    rkyv::Serialize,
                    savefile::prelude::Savefile,
                    serde::Deserialize,
                    serde::Serialize,
                    speedy::Readable,
                    speedy::Writable,
                ),
                $($more)*
            ]
            $($types)*
        }
    };
}
use owned;

/// Types that borrow their text, for the codecs that can; the brackets as above.
macro_rules! borrowed {
    ([$($more:tt)*] $($types:tt)*) => {
        $crate::shapes::define! {
            [
                derive(
                    serde::Deserialize,
                    serde::Serialize,
                    speedy::Readable,
                    speedy::Writable,
                ),
                $($more)*
            ]
            $($types)*
        }
    };
}
use borrowed;
