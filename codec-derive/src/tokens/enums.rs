//! Enums: the tag in the head; in the tail, the fields of the variant as a row of their own.
//!
//! The facts of an enum never mention those of its fields, so a type may be recursive through an enum.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::{Parts, fields, number};
use crate::check::tag_width;
use crate::parse::{Field, Model, Travel, Variant};

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

    let arms = variants.iter().map(|variant| encode(variant, &width));
    let rows = variants.iter().map(decode);
    // One buffer for all variants: without optimisation, each would have its own on the stack.
    let buffered = variants.iter().any(|variant| match &travelling(variant)[..] {
        [] => false,
        [field] => matches!(field.travel, Travel::Codec | Travel::Probe(_)),
        _ => true,
    });
    let buffer = buffered.then(|| quote!(let mut __codec_buffer = __codec::HeadBuffer::new();));
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
            match unsafe { __codec::take_tag::<#width>(&mut __codec_head) } {
                #(#rows)*
                __codec_tag => return #unknown,
            }
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
        tail: tail.then(|| quote!(__codec::Encode::encode_parts::<false>(self, __codec_writer))),
        parts: tail.then(|| quote!(match self { #(#arms)* })),
        row,
        schema: quote!(__codec::enum_node(__codec_types, #bits, &[#(#entries)*])),
    }
}

/// The fields that travel.
fn travelling<'v, 'i>(variant: &'v Variant<'i>) -> Vec<&'v Field<'i>> {
    variant.fields.iter().filter(|field| field.travels()).collect()
}

/// The arm that writes the fields of a variant, and where the whole enum is written, the tag before them.
fn encode(variant: &Variant<'_>, width: &Literal) -> TokenStream {
    let (ident, tag) = (&variant.ident, number(variant.tag));
    let travelling = travelling(variant);
    let bindings = travelling.iter().map(|field| {
        let (member, local) = (&field.member, &field.local);
        quote!(#member: #local)
    });
    let pattern = quote!(Self::#ident { #(#bindings,)* .. });
    let tagged = quote!(<#width, __CODEC_WHOLE>);
    match travelling[..] {
        [] => return quote!(#pattern => __codec::encode_tag::#tagged(#tag, __codec_writer),),
        // A row of one field is that field.
        [field] => {
            let local = &field.local;
            let row = fields::encode_alone(field, &quote!(#local), width, &tag);
            return quote!(#pattern => #row,);
        }
        _ => {}
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
            match unsafe { __codec::variant_head::#tagged(#tag, __codec_facts.head, __codec_writer) } {
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
    let travelling = travelling(variant);
    let alone = travelling.len() == 1;
    let values = variant.fields.iter().map(|field| {
        let member = &field.member;
        let value = if alone {
            fields::decode_alone(field)
        } else {
            fields::decode_value(field, &quote!(&mut __codec_head))
        };
        quote!(#member: #value)
    });
    // Each variant is moved to its place by itself: no larger than it is.
    let made = quote!(__codec::MaybeUninit::write(__codec_slot, Self::#ident { #(#values),* }););
    if travelling.len() < 2 {
        return quote!(#tag => { #made });
    }
    let facts = travelling.iter().map(|field| fields::facts(field, &quote!(0)));
    quote! {
        #tag => {
            let __codec_facts = const { __codec::product(0, &[#(#facts),*]) };
            let mut __codec_head = match unsafe {
                __codec_buffer.read(__codec_facts.head, __codec_facts.tail, __codec_reader)
            } {
                __codec::Ok(__codec_head) => __codec_head,
                __codec::Err(__codec_error) => return __codec::Err(__codec_error),
            };
            #made
            __codec_buffer.leave(__codec_reader);
        }
    }
}
