//! What is written for one field, wherever it stands.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Path, PathArguments};

use crate::parse::{Field, Travel};
use crate::travel;

/// Where it lies within `ty`.
pub(super) fn offset(field: &Field<'_>, ty: &TokenStream) -> TokenStream {
    let member = &field.member;
    if !field.deprecated {
        return quote!(__codec::offset_of!(#ty, #member));
    }
    // The lint about deprecated items looks into macros like `offset_of`, though not into derives.
    quote!({
        let __codec_base = __codec::MaybeUninit::<#ty>::uninit();
        let __codec_base = __codec::MaybeUninit::as_ptr(&__codec_base);
        unsafe { __codec::offset(__codec_base, &raw const (*__codec_base).#member) }
    })
}

/// Its entry in the list that facts are made from.
pub(super) fn facts(field: &Field<'_>, offset: &TokenStream) -> TokenStream {
    let ty = field.ty;
    match &field.travel {
        Travel::Codec => quote!(__codec::field::<#ty>(#offset)),
        Travel::Probe(probe) => quote!(__codec::field_via(#offset, || #probe.__codec_via())),
        Travel::With(_) => quote!(__codec::field_with::<#ty>(#offset)),
        Travel::Skip(_) => quote!(__codec::field_skipped()),
    }
}

/// Writes its head; `reference` is an expression.
pub(super) fn encode_head(field: &Field<'_>, reference: &TokenStream, head: &TokenStream) -> TokenStream {
    match &field.travel {
        Travel::Codec => quote!(__codec::row::encode_head(#reference, #head);),
        Travel::Probe(probe) => {
            quote!(__codec::row::encode_head(__codec::view(#probe.__codec_via(), #reference), #head);)
        }
        Travel::With(_) | Travel::Skip(_) => TokenStream::new(),
    }
}

/// Writes the tails of fields, and is the result of that; nothing if no field travels.
pub(super) fn encode_tails<'f, 'i: 'f>(
    fields: impl Iterator<Item = &'f Field<'i>>,
    reference: impl Fn(&Field<'_>) -> TokenStream,
) -> Option<TokenStream> {
    let tail = |field: &Field<'_>| {
        let reference = reference(field);
        match &field.travel {
            Travel::Codec => Some(quote!(__codec::row::encode_tail(#reference, __codec_writer))),
            Travel::Probe(probe) => Some(quote! {
                __codec::row::encode_tail(__codec::view(#probe.__codec_via(), #reference), __codec_writer)
            }),
            Travel::With(module) => Some(call(module, "encode", &quote!(#reference, __codec_writer))),
            Travel::Skip(_) => None,
        }
    };
    let mut tails: Vec<_> = fields.filter_map(tail).collect();
    let last = tails.pop()?;
    Some(quote! {
        #(if let __codec::Err(__codec_error) = #tails {
            return __codec::Err(__codec_error);
        })*
        #last
    })
}

/// The value of a result, or a return. No `?`: that is more code, and without optimisation more stack.
fn or_return(result: &TokenStream) -> TokenStream {
    quote! {
        match #result {
            __codec::Ok(__codec_value) => __codec_value,
            __codec::Err(__codec_error) => return __codec::Err(__codec_error),
        }
    }
}

/// Writes it as the row of a variant that has no other field.
pub(super) fn encode_alone(
    field: &Field<'_>,
    reference: &TokenStream,
    width: &Literal,
    tag: &Literal,
) -> TokenStream {
    let tagged = quote!(#width, __CODEC_WHOLE);
    let alone = |value| quote!(__codec::encode_alone::<#tagged, _>(#tag, #value, __codec_writer));
    let tag_alone = quote!(__codec::encode_tag::<#tagged>(#tag, __codec_writer));
    match &field.travel {
        Travel::Codec => alone(quote!(#reference)),
        Travel::Probe(probe) => alone(quote!(__codec::view(#probe.__codec_via(), #reference))),
        Travel::With(module) => {
            let row = call(module, "encode", &quote!(#reference, __codec_writer));
            quote! {
                match #tag_alone {
                    __codec::Ok(()) => #row,
                    __codec::Err(__codec_error) => return __codec::Err(__codec_error),
                }
            }
        }
        Travel::Skip(_) => tag_alone,
    }
}

/// Reads it into its place within the slot, and guards it there. `ascii` is for a field that may be of a run of texts: an
/// expression that says whether the run is there and is ASCII.
pub(super) fn decode_place(
    field: &Field<'_>,
    place: &TokenStream,
    ascii: Option<&TokenStream>,
) -> TokenStream {
    let (ty, span) = (field.ty, field.span());
    match (&field.travel, ascii) {
        (Travel::Codec, Some(ascii)) => or_return(&quote_spanned! {span=>
            unsafe { __codec::row::decode_text_field::<#ty>(#place, &mut __codec_head, __codec_reader, #ascii) }
        }),
        (Travel::Codec, None) => or_return(&quote_spanned! {span=>
            unsafe { __codec::row::decode_field::<#ty>(#place, &mut __codec_head, __codec_reader) }
        }),
        (Travel::Probe(probe), _) => or_return(&quote_spanned! {span=>
            unsafe {
                __codec::row::decode_field(
                    __codec::view_mut(#probe.__codec_via(), #place),
                    &mut __codec_head,
                    __codec_reader,
                )
            }
        }),
        (Travel::With(_) | Travel::Skip(_), _) => {
            let value = made(field);
            quote!({
                let __codec_value = #value;
                unsafe { __codec::place(#place, __codec_value) }
            })
        }
    }
}

/// Reads it by value; `head` is where its head is read from.
pub(super) fn decode_value(field: &Field<'_>, head: &TokenStream) -> TokenStream {
    let value = or_return(&quote_spanned!(field.span()=> unsafe {
        __codec::row::decode_value(#head, __codec_reader)
    }));
    match &field.travel {
        Travel::Codec => value,
        Travel::Probe(probe) => quote!(__codec::unview(#probe.__codec_via(), #value)),
        Travel::With(_) | Travel::Skip(_) => made(field),
    }
}

/// Reads it as the row of a variant that has no other field.
pub(super) fn decode_alone(field: &Field<'_>) -> TokenStream {
    let value = or_return(&quote_spanned!(field.span()=> __codec_buffer.decode_alone(__codec_reader)));
    match &field.travel {
        Travel::Codec => value,
        Travel::Probe(probe) => quote!(__codec::unview(#probe.__codec_via(), #value)),
        Travel::With(_) | Travel::Skip(_) => made(field),
    }
}

/// The value of a field that has no part in the head. Its type stands there, so that errors are the function's.
fn made(field: &Field<'_>) -> TokenStream {
    let ty = field.ty;
    match &field.travel {
        Travel::With(module) => {
            let result = call(module, "decode", &quote!(__codec_reader));
            or_return(&quote!({
                let __codec_value: __codec::Result<#ty> = #result;
                __codec_value
            }))
        }
        Travel::Skip(Some(function)) => {
            let span = function.span().resolved_at(Span::call_site());
            let function = in_expression(function);
            let value = quote_spanned!(span=> #function());
            quote!({
                let __codec_value: #ty = #value;
                __codec_value
            })
        }
        _ => quote!(__codec::default::<#ty>()),
    }
}

/// Its entry in the table that a schema is made from. Here, and only here, a type without a codec is an error.
pub(super) fn schema(field: &Field<'_>, generics: &Generics) -> TokenStream {
    let (ty, name) = (field.ty, &field.name);
    let node = match &field.travel {
        Travel::Codec => quote!(__codec::node::<#ty>),
        Travel::Probe(_) => {
            let (parts, demand) = travel::demand(ty, generics, field.attributes.pod.is_some());
            quote!(|__codec_types| { #parts __codec::node_via(__codec_types, #demand) })
        }
        Travel::With(_) => quote!(__codec::opaque_node),
        Travel::Skip(_) => return TokenStream::new(),
    };
    quote!((#name, #node),)
}

/// A call of a function of the user's module; errors point at the module.
fn call(module: &Path, function: &str, arguments: &TokenStream) -> TokenStream {
    let span = module.span().resolved_at(Span::call_site());
    let (module, function) = (in_expression(module), syn::Ident::new(function, span));
    quote_spanned!(span=> #module::#function(#arguments))
}

/// A path with its arguments written as expressions need them.
fn in_expression(path: &Path) -> Path {
    let mut path = path.clone();
    for segment in &mut path.segments {
        if let PathArguments::AngleBracketed(list) = &mut segment.arguments {
            list.colon2_token.get_or_insert_default();
        }
    }
    path
}
