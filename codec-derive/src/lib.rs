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
/// # Fields of other crates' types
///
/// A type that has no codec but is plain old data (`bytemuck::Pod`, or `NoUninit` and `CheckedBitPattern`) is its bytes
/// in memory, without a word, also within `Vec`, `Option` and arrays. These bytes are those of the machine that writes:
/// a big-endian one writes big-endian numbers here. Should the type gain a codec some day, it travels by that, and its
/// bytes may change.
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
/// This cannot be seen of a type parameter; there, [`pod`](#pod) says it.
///
/// # Attributes of a type
///
/// ### `register` and `name = "..."`
///
/// Registers the codec, under the type's name or under another one. A generic type has a codec for each of its
/// instances: register those with `register_codec!`.
///
/// ```
/// # use podwire::{Codec, CodecRegistry};
/// #[derive(Codec)]
/// #[codec(name = "scan::Info")]
/// struct Info {
///     slices: u32,
/// }
///
/// assert!(CodecRegistry::global().by_name("scan::Info").is_ok());
/// ```
///
/// ### `trivial`
///
/// Promises that the memory of a `repr(C)` or `repr(transparent)` struct is its encoding: it implements `Trivial`. If
/// it is not so, the error names the field in the way. The struct must be `Copy`, and generic only if it is
/// transparent.
///
/// ```
/// # use podwire::Codec;
/// #[derive(Codec, Clone, Copy)]
/// #[repr(C)]
/// #[codec(trivial)]
/// struct Coordinate {
///     x: f32,
///     y: f32,
///     z: f32,
/// }
///
/// let mut endpoint = podwire::Buffer::new();
/// podwire::serialize_trivial_type(&Coordinate { x: 0.0, y: 0.0, z: 1.0 }, &mut endpoint)?;
/// # Ok::<(), podwire::Error>(())
/// ```
///
/// ### `tag(u8)`, `tag(u16)`, `tag(u32)`
///
/// The width of an enum's tag: one byte if nothing is said and there are at most 256 variants, else two, else four.
///
/// ### `bound(...)`
///
/// Replaces the bounds of the impls. Without it, each type parameter that a field uses must have a codec itself, and
/// so must each associated type that a field is of; a parameter within `PhantomData` needs nothing.
///
/// ```
/// # use podwire::Codec;
/// # use std::collections::BTreeMap;
/// #[derive(Codec)]
/// #[codec(bound(K: Codec + Ord))]
/// struct Index<K> {
///     entries: BTreeMap<K, u64>,
/// }
/// # assert_eq!(podwire::to_vec(&Index::<u8> { entries: BTreeMap::new() }).unwrap(), [0; 4]);
/// ```
///
/// ### `crate = path`
///
/// Where podwire is, if not at `::podwire`: for macros that are exported, and for a crate that passes it on.
///
/// ```
/// mod passed_on {
///     pub use podwire;
/// }
///
/// #[derive(passed_on::podwire::Codec)]
/// #[codec(crate = self::passed_on::podwire)]
/// struct Number(u8);
/// # fn main() {}
/// ```
///
/// # Attributes of a variant
///
/// ### `tag = number`
///
/// The variant's tag. Without it, that is the position of the variant, counted from 0; Rust's discriminant plays no
/// part. A variant that `cfg` removes shifts those behind it: give such enums tags.
///
/// ```
/// # use podwire::Codec;
/// #[derive(Codec)]
/// enum Command {
///     #[codec(tag = 7)]
///     Start,
///     #[codec(tag = 9)]
///     Stop,
/// }
/// # assert_eq!(podwire::to_vec(&Command::Start).unwrap(), [7]);
/// # assert_eq!(podwire::to_vec(&Command::Stop).unwrap(), [9]);
/// ```
///
/// ### `rename = "..."`
///
/// The variant's name in the schema.
///
/// # Attributes of a field
///
/// ### `skip`, `default`, `default = function`
///
/// The field does not travel. Decoding makes its value by `Default`, or by the function. A field that travels has no
/// default: an input that is too short is always an error.
///
/// ```
/// # use podwire::Codec;
/// #[derive(Codec)]
/// struct Window {
///     title: String,
///     #[codec(skip)]
///     handle: Option<u64>,
///     #[codec(skip, default = scale)]
///     scale: f32,
/// }
///
/// fn scale() -> f32 {
///     1.0
/// }
/// # let window = Window { title: String::new(), handle: Some(1), scale: 2.0 };
/// # let window: Window = podwire::from_slice(&podwire::to_vec(&window).unwrap()).unwrap();
/// # assert_eq!((window.title.len(), window.handle, window.scale), (0, None, 1.0));
/// ```
///
/// ### `with = module`
///
/// The functions `encode` and `decode` of a module, or of a type, stand in for the codec of the field's type. The
/// field is wholly in the tail, and opaque in the schema.
///
/// ```
/// # use podwire::Codec;
/// #[derive(Codec)]
/// struct Event {
///     #[codec(with = milliseconds)]
///     after: std::time::Duration,
/// }
///
/// mod milliseconds {
///     use podwire::{Reader, Result, Writer};
///     use std::time::Duration;
///
///     pub fn encode(value: &Duration, writer: &mut Writer<'_>) -> Result<()> {
///         writer.encode(&(value.as_millis() as u64))
///     }
///
///     pub fn decode(reader: &mut Reader<'_>) -> Result<Duration> {
///         Ok(Duration::from_millis(reader.decode()?))
///     }
/// }
/// # let event = Event { after: std::time::Duration::from_millis(5) };
/// # assert_eq!(podwire::to_vec(&event).unwrap(), [5, 0, 0, 0, 0, 0, 0, 0]);
/// ```
///
/// ### `pod`
///
/// The field is plain old data, whether it has a codec or not; a type parameter gets the bound `bytemuck::Pod`.
///
/// ```
/// # use podwire::Codec;
/// #[derive(Codec)]
/// struct Sampled<T> {
///     #[codec(pod)]
///     samples: Vec<T>,
/// }
/// # let sampled = Sampled { samples: vec![glam::Vec2::ONE] };
/// # assert_eq!(podwire::to_vec(&sampled).unwrap().len(), 4 + 8);
/// ```
///
/// ### `borrow`
///
/// The input must outlive the lifetimes in the field's type. That is so without a word for every field that travels,
/// except within `PhantomData`.
///
/// ### `rename = "..."`
///
/// The field's name in the schema.
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
