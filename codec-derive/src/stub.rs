//! The output when there are errors: they, and impls that do nothing, so that code which uses the type has no
//! errors of its own.

use proc_macro2::TokenStream;
use quote::quote;

use crate::bounds;
use crate::check;
use crate::parse::Model;
use crate::tokens;

/// Errors and empty impls.
pub(crate) fn output(model: &Model<'_>, errors: &TokenStream) -> TokenStream {
    let krate = tokens::krate(model);
    let ident = &model.ident;
    let bounds = bounds::bounds(model);
    let input = &bounds.input;
    let (encode, arguments, predicates) = model.generics.split_for_impl();
    let decode = tokens::with_input(model.generics, input, &[]);
    let (decode, _, _) = decode.split_for_impl();
    let sized = !bounds::fields(&model.body).iter().any(|field| check::is_unsized(field.ty));
    let decode = sized.then(|| {
        quote! {
            #[automatically_derived]
            impl #decode __codec::Decode<#input> for #ident #arguments #predicates {
                fn decode(_: &mut __codec::Reader<#input>) -> __codec::Result<Self> {
                    loop {}
                }
            }
        }
    });
    quote! {
        #errors
        const _: () = {
            use #krate::__private as __codec;
            #[automatically_derived]
            impl #encode __codec::Encode for #ident #arguments #predicates {
                fn encode(&self, _: &mut __codec::Writer<'_>) -> __codec::Result<()> {
                    loop {}
                }
            }
            #decode
        };
    }
}
