//! Users' own items that are called like the standard library's, like podwire's, or like the output's locals.
#![allow(
    dead_code,
    unused_macros,
    non_camel_case_types,
    non_upper_case_globals,
    reason = "the names are the point"
)]

/// Everything that a macro might call by its short name.
mod shadowed {
    use ::core::fmt::Debug;

    #[derive(Debug)]
    pub(crate) struct Result;
    pub(crate) struct Option;
    pub(crate) struct Ok;
    pub(crate) struct Err;
    pub(crate) struct Some;
    pub(crate) struct None;
    pub(crate) struct Vec;
    pub(crate) struct String;
    pub(crate) struct Box;
    pub(crate) struct Default;
    pub(crate) struct MaybeUninit;
    pub(crate) struct Encode;
    pub(crate) struct Decode;
    pub(crate) struct Reader;
    pub(crate) struct Writer;
    pub(crate) struct Error;
    pub(crate) mod core {}
    pub(crate) mod std {}
    pub(crate) mod alloc {}
    pub(crate) mod podwire {}
    pub(crate) struct out;
    pub(crate) struct head;
    pub(crate) const reader: u8 = 1;
    pub(crate) const tag: u8 = 1;
    pub(crate) static writer: u8 = 1;
    macro_rules! offset_of {
        ($($tokens:tt)*) => {
            compile_error!("the wrong macro")
        };
    }
    macro_rules! assert {
        ($($tokens:tt)*) => {
            compile_error!("the wrong macro")
        };
    }

    #[derive(Debug, PartialEq, ::podwire::Codec)]
    pub(crate) struct Struct<T> {
        pub(crate) out: T,
        pub(crate) input: ::std::vec::Vec<u8>,
        pub(crate) self_: ::std::option::Option<u8>,
        pub(crate) vector: ::glam::IVec3,
        #[codec(skip)]
        pub(crate) head: u8,
    }

    #[derive(Debug, PartialEq, ::podwire::Codec)]
    pub(crate) enum Enum {
        Ok,
        Err(u8),
        Some { tag: u8, reader: u8 },
        None,
        Self_(::std::string::String, u8),
    }

    #[derive(Debug, PartialEq, Clone, Copy, ::podwire::Codec)]
    #[repr(C)]
    #[codec(trivial)]
    pub(crate) struct Trivial {
        pub(crate) offset_of: u32,
    }
}

#[test]
fn items_called_like_the_standard_librarys_are_not_in_the_way() {
    use shadowed::{Enum, Struct};
    let vector = glam::IVec3::ONE;
    crate::support::round(&Struct { out: 1_u8, input: vec![1], self_: Some(2), vector, head: 0 });
    for value in
        [Enum::Ok, Enum::Err(1), Enum::Some { tag: 1, reader: 2 }, Enum::None, Enum::Self_("x".into(), 1)]
    {
        crate::support::round(&value);
    }
    crate::support::round(&shadowed::Trivial { offset_of: 1 });
}

/// Own containers with the standard library's names, and codecs of their own.
mod own {
    #[derive(Debug, PartialEq, podwire::Codec)]
    pub(crate) struct Vec<T>(pub(crate) T);

    #[derive(Debug, PartialEq, podwire::Codec)]
    pub(crate) struct Option<T>(pub(crate) T);

    #[derive(Debug, PartialEq, podwire::Codec)]
    pub(crate) struct u8(pub(crate) bool);

    #[derive(Debug, PartialEq, podwire::Codec)]
    pub(crate) struct Uses {
        pub(crate) vec: Vec<Option<u8>>,
        pub(crate) pod: ::std::vec::Vec<::glam::IVec2>,
    }
}

#[test]
fn containers_called_like_the_standard_librarys_keep_their_codecs() {
    let vec = own::Vec(own::Option(own::u8(true)));
    crate::support::golden(&own::Uses { vec, pod: vec![] }, &[1, 0, 0, 0, 0]);
}

/// A type with methods that look like the traits'.
#[derive(Debug, PartialEq, podwire::Codec)]
pub(crate) struct Methods {
    number: u8,
}

impl Methods {
    fn encode(&self) -> ! {
        unreachable!("inherent")
    }

    fn decode() -> ! {
        unreachable!("inherent")
    }

    fn encode_head(&self) {}

    fn schema() {}

    fn keep(self) {}

    fn clone(&self) {}
}

#[derive(Debug, PartialEq, podwire::Codec)]
struct UsesMethods {
    direct: Methods,
    vector: Vec<Methods>,
}

/// A blanket trait whose methods are called like the probe's.
trait Everywhere {
    fn via(&self) {}
    fn encode(&self) {}
    fn keep(&self) {}
}

impl<T> Everywhere for T {}

#[test]
fn methods_called_like_the_traits_are_not_called() {
    let methods = |number| Methods { number };
    crate::support::golden(
        &UsesMethods { direct: methods(1), vector: vec![methods(2)] },
        &[1, 1, 0, 0, 0, 2],
    );
}

/// A macro of the user's that makes types, and names its own crate.
mod exported {
    pub(crate) use podwire as inner;

    macro_rules! make {
        ($name:ident, $field:ident: $ty:ty) => {
            #[derive(Debug, PartialEq, podwire::Codec)]
            #[codec(crate = $crate::names::exported::inner)]
            pub(crate) struct $name {
                pub(crate) $field: $ty,
                pub(crate) inner: $crate::names::Methods,
                pub(crate) list: Vec<$ty>,
            }
        };
    }

    pub(crate) use make;
}

exported::make!(Made, number: u16);

#[test]
fn a_macro_may_name_podwire_by_its_own_path() {
    let value = Made { number: 1, inner: Methods { number: 2 }, list: vec![3] };
    crate::support::golden(&value, &[1, 0, 2, 1, 0, 0, 0, 3, 0]);
}
