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

/// Writes the codec of a struct or an enum.
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
