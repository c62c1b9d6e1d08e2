//! `#[codec(register)]` and `#[codec(name = "...")]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use super::krate;
use crate::parse::Model;

/// The entry for the registry, which knows from the macro in which line it stands.
pub(super) fn output(model: &Model<'_>) -> TokenStream {
    let attributes = &model.attributes;
    let name = match (&attributes.name, &attributes.register) {
        (Some(name), _) => name.value.value(),
        (None, Some(_)) => model.given.unraw().to_string(),
        (None, None) => return TokenStream::new(),
    };
    let (krate, ident) = (krate(model), &model.ident);
    quote!(#krate::register_codec!(#ident, #name);)
}
