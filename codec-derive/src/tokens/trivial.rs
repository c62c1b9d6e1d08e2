//! `#[codec(trivial)]`: the promise, and what it rests on.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{fields, predicates};
use crate::parse::{Body, Model, Travel};

/// The impl of `Trivial`, and assertions that name the field in the way.
///
/// The proof for the impl: every field is trivial, so its memory is its encoding; `repr(C)` guarantees their order;
/// the assertions see that nothing lies between them or behind. `repr(transparent)` has the memory of its only field
/// that has any.
pub(super) fn output(model: &Model<'_>) -> TokenStream {
    let (Some(_), Body::Struct(all)) = (&model.attributes.trivial, &model.body) else {
        return TokenStream::new();
    };
    let ident = &model.ident;
    let (generics, arguments, _) = model.generics.split_for_impl();
    if !model.generics.params.is_empty() {
        let bounds: Vec<_> =
            all.iter().map(|field| field.ty).map(|ty| quote!(#ty: __codec::Trivial)).collect();
        let bounds = predicates(model.generics, &bounds);
        return quote! {
            #[automatically_derived]
            unsafe impl #generics __codec::Trivial for #ident #arguments #bounds {}
        };
    }
    let allow = model.allows_deprecated.then(|| quote!(#[allow(deprecated)]));
    let demands = all.iter().map(|field| {
        let ty = field.ty;
        match &field.travel {
            Travel::Probe(probe) => quote!(#probe.__codec_trivial::<#ty>();),
            _ => quote!(__codec::trivial::<#ty>();),
        }
    });
    let mut end = quote!(0);
    let mut gaps = Vec::new();
    for field in all.iter().filter(|_| !model.repr.transparent) {
        let (ty, name) = (field.ty, &field.name);
        let message = format!("`{}` cannot be trivial: there is padding before field `{name}`", model.given);
        let offset = fields::offset(field, &quote!(#ident));
        gaps.push(quote_spanned!(field.span()=> __codec::assert!(#offset == #end, #message);));
        end = quote!(#offset + __codec::size_of::<#ty>());
    }
    if let Some(last) = all.last().filter(|_| !model.repr.transparent) {
        let message =
            format!("`{}` cannot be trivial: there is padding behind field `{}`", model.given, last.name);
        let span = last.span();
        gaps.push(quote_spanned!(span=> __codec::assert!(__codec::size_of::<#ident>() == #end, #message);));
    }
    quote! {
        #[automatically_derived]
        unsafe impl __codec::Trivial for #ident {}
        #allow
        const _: fn() = || { #(#demands)* };
        #allow
        const _: () = { #(#gaps)* };
    }
}
