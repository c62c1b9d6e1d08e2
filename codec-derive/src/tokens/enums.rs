//! Enums: the tag in the head; in the tail, the fields of the variant as a row of their own.
//!
//! The facts of an enum never mention those of its fields, so a type may be recursive through an enum.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Parts, fields, number};
use crate::check::tag_width;
use crate::parse::{Field, Model, Variant};

pub(super) fn parts(model: &Model<'_>, variants: &[Variant<'_>]) -> Parts {
    let width = number(tag_width(model, variants));
    let bits = number(8 * tag_width(model, variants));
    let name = model.given.to_string();
    let name = name.trim_start_matches("r#");
    let tail = variants.iter().any(|variant| variant.fields.iter().any(Field::travels));

    let tags = variants.iter().map(|variant| {
        let (ident, tag) = (&variant.ident, number(variant.tag));
        quote!(Self::#ident { .. } => #tag,)
    });
    let head = if variants.is_empty() {
        quote!(match *self {})
    } else {
        quote! {
            let __codec_tag = match self { #(#tags)* };
            unsafe { __codec::put_tag::<#width>(&mut __codec_head, __codec_tag) }
        }
    };

    let (with_tail, without): (Vec<_>, Vec<_>) =
        variants.iter().partition(|variant| variant.fields.iter().any(Field::travels));
    let tails = with_tail.iter().map(|variant| encode(variant));
    let rest = (!without.is_empty()).then(|| quote!(_ => __codec::Ok(()),));

    let rows = variants.iter().map(decode);
    // One buffer for all variants: without optimisation, each would have its own on the stack.
    let rowed =
        variants.iter().any(|variant| variant.fields.iter().filter(|field| field.travels()).count() > 1);
    let buffer = rowed.then(|| quote!(let mut __codec_buffer = __codec::HeadBuffer::new();));
    let unknown = quote! {
        __codec::Err(__codec::unknown_tag(#name, __codec_tag, #width, &__codec_head, __codec_reader))
    };
    let row = if variants.is_empty() {
        quote! {
            let __codec_tag = unsafe { __codec::take_tag::<#width>(&mut __codec_head) };
            #unknown
        }
    } else {
        quote! {
            #buffer
            let __codec_self = match unsafe { __codec::take_tag::<#width>(&mut __codec_head) } {
                #(#rows)*
                __codec_tag => return #unknown,
            };
            __codec::MaybeUninit::write(__codec_slot, __codec_self);
            __codec::Ok(())
        }
    };
    let entries = variants.iter().map(|variant| {
        let (name, tag) = (&variant.name, number(variant.tag));
        let entries = variant.fields.iter().map(|field| fields::schema(field, model.generics));
        quote!((#name, #tag, &[#(#entries)*]),)
    });
    Parts {
        facts: quote!(__codec::Facts::row(#width, #tail)),
        head: Some(head),
        tail: tail.then(|| quote!(match self { #(#tails)* #rest })),
        row,
        schema: quote!(__codec::enum_node(__codec_types, #bits, &[#(#entries)*])),
    }
}

/// The arm that writes the fields of a variant.
fn encode(variant: &Variant<'_>) -> TokenStream {
    let ident = &variant.ident;
    let travelling: Vec<_> = variant.fields.iter().filter(|field| field.travels()).collect();
    let bindings = travelling.iter().map(|field| {
        let (member, local) = (&field.member, &field.local);
        quote!(#member: #local)
    });
    let pattern = quote!(Self::#ident { #(#bindings,)* .. });
    // A row of one field is that field.
    if let [field] = travelling[..] {
        let local = &field.local;
        let row = fields::encode_row(field, &quote!(#local));
        return quote!(#pattern => #row,);
    }
    let facts = travelling.iter().map(|field| fields::facts(field, &quote!(0)));
    let heads = travelling.iter().map(|field| {
        let local = &field.local;
        fields::encode_head(field, &quote!(#local), &quote!(&mut __codec_head))
    });
    let tails = fields::encode_tails(travelling.iter().copied(), |field| {
        let local = &field.local;
        quote!(#local)
    });
    quote! {
        #pattern => {
            let __codec_facts = const { __codec::product(0, &[#(#facts),*]) };
            match unsafe { __codec::variant_head(__codec_facts.head, __codec_writer) } {
                __codec::Ok(mut __codec_head) => unsafe { #(#heads)* },
                __codec::Err(__codec_error) => return __codec::Err(__codec_error),
            }
            #tails
        }
    }
}

/// The arm that reads the fields of a variant.
fn decode(variant: &Variant<'_>) -> TokenStream {
    let (ident, tag) = (&variant.ident, number(variant.tag));
    let travelling = variant.fields.iter().filter(|field| field.travels());
    let alone = travelling.clone().count() == 1;
    let values = variant.fields.iter().map(|field| {
        let member = &field.member;
        let value = if alone {
            fields::decode_row(field)
        } else {
            fields::decode_value(field, &quote!(&mut __codec_head))
        };
        quote!(#member: #value)
    });
    let made = quote!(Self::#ident { #(#values),* });
    if travelling.clone().count() < 2 {
        return quote!(#tag => #made,);
    }
    let facts = travelling.map(|field| fields::facts(field, &quote!(0)));
    quote! {
        #tag => {
            let __codec_facts = const { __codec::product(0, &[#(#facts),*]) };
            let mut __codec_head = match unsafe {
                __codec_buffer.read(__codec_facts.head, __codec_facts.tail, __codec_reader)
            } {
                __codec::Ok(__codec_head) => __codec_head,
                __codec::Err(__codec_error) => return __codec::Err(__codec_error),
            };
            let __codec_self = #made;
            __codec_buffer.leave(__codec_reader);
            __codec_self
        }
    }
}
