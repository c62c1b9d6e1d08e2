//! `#[codec(trivial)]`: the promise, and what it rests on.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};

use super::{fields, predicates};
use crate::bounds::own_bounds;
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
        let unbound = |ty: &&syn::Type| {
            let own = own_bounds(&ty.to_token_stream(), model.generics);
            !own.iter().any(|name| name == "Trivial" || name == "Plain")
        };
        let types = all.iter().map(|field| field.ty).filter(unbound);
        let mut bounds: Vec<_> = types.map(|ty| quote!(#ty: __codec::Trivial)).collect();
        // A derived `Copy` asks it of each parameter, also of those that stand in `PhantomData` only.
        bounds.push(quote!(#ident #arguments: __codec::Copy));
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
    let offsets = all.iter().map(|field| fields::facts(field, &fields::offset(field, &quote!(#ident))));
    let numbers = 0..=all.len();
    let gaps = numbers.zip(all.iter().chain(all.last())).map(|(number, field)| {
        let before = if number < all.len() { "before" } else { "behind" };
        let message = format!(
            "`{}` cannot be trivial: there is padding {before} field `{}`; sort the fields by size, the largest first, \
             or fill the gap with a field of bytes, or remove `trivial`",
            model.given, field.name
        );
        quote_spanned!(field.span()=> __codec::assert!(__codec_gap != #number, #message);)
    });
    let gaps = (!model.repr.transparent).then(|| {
        quote! {
            #allow
            const _: () = {
                let __codec_gap = __codec::gap(__codec::size_of::<#ident>(), &[#(#offsets),*]);
                #(#gaps)*
            };
        }
    });
    // With `for`, the predicate is believed: that the struct is not `Copy` is said once, by `copy`.
    quote! {
        #[automatically_derived]
        unsafe impl __codec::Trivial for #ident where for<'__codec_any> #ident: __codec::Copy {}
        #allow
        const _: fn() = || { __codec::copy::<#ident>(); #(#demands)* };
        #gaps
    }
}
