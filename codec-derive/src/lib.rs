//! `#[derive(Codec)]`.
//!
//! The way of an input, and the order of the files:
//! - `attributes`: what `#[codec(...)]` can say, parsed;
//! - `parse`: the input as a model: a struct or an enum, and how each field travels;
//! - `check`: what the model cannot be;
//! - `travel`: which fields need no question, and how the others are asked;
//! - `bounds`: the generics of the two impls;
//! - `tokens`: the output;
//! - `stub`: the output when there are errors, so that one mistake stays one error.
//!
//! The invariant: every error is collected, and points at what the user wrote.

mod attributes;
mod bounds;
mod check;
mod errors;
mod parse;
mod stub;
mod tokens;
mod travel;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

use crate::errors::Errors;

/// Writes the codec of a struct or an enum: `Encode`, `Decode` and its schema.
///
/// ```
/// use podwire::Codec;
///
/// #[derive(Codec, Debug, PartialEq)]
/// struct Reading {
///     sensor: String,
///     samples: Vec<f32>,
///     state: State,
/// }
///
/// #[derive(Codec, Debug, PartialEq)]
/// enum State {
///     Idle,
///     Running { since: u64 },
/// }
///
/// let reading = Reading { sensor: "a".into(), samples: vec![0.5], state: State::Running { since: 7 } };
/// let bytes = podwire::to_vec(&reading)?;
/// assert_eq!(podwire::from_slice::<Reading>(&bytes)?, reading);
/// # Ok::<(), podwire::Error>(())
/// ```
///
/// A struct is the heads of its fields in declaration order, then their tails; an enum is its tag, then the row of
/// its variant. Parameters, lifetimes, where-clauses and recursion are all fine; a union is not. Where the memory of a
/// struct is its encoding, which the compiler finds out, it moves as one copy, also in a `Vec` or an array; `repr(C)`
/// is not needed for that.
///
/// # Attributes
///
/// | on a type | |
/// |---|---|
/// | `register` | Registers the codec under the type's name. |
/// | `name = "..."` | Registers it under another one. |
/// | `trivial` | Promises that the memory is the encoding; needs `repr(C)` or `repr(transparent)`, and `Copy`. |
/// | `tag(u8)`, `tag(u16)`, `tag(u32)` | The width of an enum's tag. Without it: the smallest in which all positions fit. |
/// | `bound(T: Bound, ...)` | Replaces the bounds of both impls. |
/// | `crate = path` | Where podwire is, if not at `::podwire`. |
///
/// | on a variant | |
/// |---|---|
/// | `tag = number` | Its tag. Without it: its position, counted from 0. Discriminants play no part. |
/// | `rename = "..."` | Its name in the schema. |
///
/// | on a field | |
/// |---|---|
/// | `skip` | It does not travel; decoding makes it by `Default`. |
/// | `skip, default = function` | The same, made by the function. |
/// | `with = module` | `module::encode(&T, &mut Writer) -> Result<()>` and `module::decode(&mut Reader) -> Result<T>` are its codec. |
/// | `pod` | It is plain old data: its bytes. |
/// | `borrow` | The input must outlive its lifetimes. |
/// | `rename = "..."` | Its name in the schema. |
///
/// A field of another crate's type that has no codec but is plain old data (`bytemuck::Pod`, or `NoUninit` and
/// `CheckedBitPattern`) is its bytes in memory, without a word, also within `Vec`, `Option`, arrays, `Box`, maps and small
/// tuples:
///
/// ```
/// # use podwire::Codec;
/// #[derive(Codec)]
/// struct Particle {
///     position: glam::Vec3,
///     trail: Vec<glam::Vec3>,
/// }
/// # let particle = Particle { position: glam::Vec3::ONE, trail: vec![] };
/// # assert_eq!(podwire::to_vec(&particle).unwrap().len(), 12 + 4);
/// ```
///
/// `docs/derive.md` has an example of each attribute, and the limits with their errors.
#[proc_macro_derive(Codec, attributes(codec))]
pub fn codec(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let mut errors = Errors::default();
    let model = parse::model(&input, &mut errors);
    check::check(&model, &mut errors);
    match errors.into_tokens() {
        None => tokens::output(&model).into(),
        Some(errors) => stub::output(&model, &errors).into(),
    }
}

/// The examples of the reference are run here.
#[cfg(doctest)]
#[doc = include_str!("../../docs/derive.md")]
mod reference {}
