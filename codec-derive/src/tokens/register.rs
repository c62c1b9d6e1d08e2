//! `#[codec(register)]` and `#[codec(name = "...")]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use crate::parse::Model;

/// The entry for the registry, which knows from the macro in which line it stands. The type has a codec, so the
/// questions of `register_codec!` are not asked.
pub(super) fn output(model: &Model<'_>) -> TokenStream {
    let attributes = &model.attributes;
    let name = match (&attributes.name, &attributes.register) {
        (Some(name), _) => name.value.value(),
        (None, Some(_)) => model.given.unraw().to_string(),
        (None, None) => return TokenStream::new(),
    };
    let ident = &model.ident;
    quote! {
        __codec::inventory::submit! {
            __codec::Registration::new::<#ident>(#name, __codec::file!(), __codec::line!())
        }
    }
}
