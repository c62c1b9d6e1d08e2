//! Structs: the heads of the fields in declaration order, then their tails.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;

use super::{Parts, fields};
use crate::parse::{Field, Model};

pub(super) fn parts(model: &Model<'_>, all: &[Field<'_>]) -> Parts {
    // A reference to a field of a packed struct would not be aligned: its fields are copied out and in.
    let packed = model.repr.packed;
    let reference = |field: &Field<'_>| {
        let (member, span) = (field.member_at_type(), field.span());
        if packed {
            quote_spanned!(span=> &__codec::copied({ self.#member }))
        } else {
            quote_spanned!(span=> &self.#member)
        }
    };
    let head = quote!(&mut __codec_head);
    let facts = all.iter().map(|field| fields::facts(field, &fields::offset(field, &quote!(Self))));
    let facts = quote!(__codec::product(__codec::size_of::<Self>(), &[#(#facts),*]));

    let heads = all.iter().map(|field| fields::encode_head(field, &reference(field), &head));
    let heads: TokenStream = heads.collect();
    let heads = (!heads.is_empty()).then(|| {
        quote! {
            unsafe {
                if !__codec::encode_memory(self, &mut __codec_head) {
                    #heads
                }
            }
        }
    });
    let tails = fields::encode_tails(all.iter(), reference);

    let entries = all.iter().map(|field| fields::schema(field, model.generics));
    Parts {
        facts,
        head: heads,
        tail: tails,
        parts: None,
        row: if packed { by_value(all) } else { in_place(model, all) },
        schema: quote!(__codec::struct_node(__codec_types, &[#(#entries)*])),
    }
}

/// Reads each field where it belongs.
fn in_place(model: &Model<'_>, all: &[Field<'_>]) -> TokenStream {
    if all.is_empty() {
        // A struct without fields has no bytes to initialise.
        return quote!(__codec::Ok(()));
    }
    let locals = all.iter().map(|field| &field.local);
    let run = text_run(model, all);
    let places = all.iter().enumerate().map(|(position, field)| {
        let (local, member) = (&field.local, field.member_at_type());
        let place = quote_spanned!(field.span()=> &raw mut (*__codec_self).#member);
        let ascii = (run.is_some() && may_be_text(model, field))
            .then(|| quote!(__codec_ascii && #position < __codec_run.end));
        let read = fields::decode_place(field, &place, ascii.as_ref());
        quote!(let #local = #read;)
    });
    quote! {
        if unsafe { __codec::decode_memory(__codec_slot, &mut __codec_head) } {
            return __codec::Ok(());
        }
        let __codec_self = __codec::MaybeUninit::as_mut_ptr(__codec_slot);
        #run
        #(#places)*
        #(#locals.keep();)*
        __codec::Ok(())
    }
}

/// Looks at the texts at the front of the tail together, before the first is read: most are ASCII, all of them, and
/// then need no look each. Nothing, if there are not several.
fn text_run(model: &Model<'_>, all: &[Field<'_>]) -> Option<TokenStream> {
    if all.iter().filter(|field| may_be_text(model, field)).count() < 2 {
        return None;
    }
    let facts = all.iter().map(|field| fields::facts(field, &quote!(0)));
    Some(quote! {
        let __codec_run = const { __codec::text_run(&[#(#facts),*]) };
        let __codec_ascii = unsafe { __codec::row::ascii_run(__codec_run, &__codec_head, __codec_reader) };
    })
}

/// Whether a field may be borrowed text, as far as its tokens show. Whether it is, says its layout.
fn may_be_text(model: &Model<'_>, field: &Field<'_>) -> bool {
    match field.ty {
        Type::Reference(reference) => {
            matches!(&*reference.elem, Type::Path(path) if path.path.is_ident("str"))
        }
        Type::Path(path) => {
            model.generics.type_params().any(|parameter| path.path.is_ident(&parameter.ident))
        }
        _ => false,
    }
}

/// Reads all fields, then makes the struct.
fn by_value(all: &[Field<'_>]) -> TokenStream {
    let values = all.iter().map(|field| {
        let member = &field.member;
        let value = fields::decode_value(field, &quote!(&mut __codec_head));
        quote!(#member: #value)
    });
    quote! {
        if unsafe { __codec::decode_memory(__codec_slot, &mut __codec_head) } {
            return __codec::Ok(());
        }
        let __codec_self = Self { #(#values),* };
        __codec::MaybeUninit::write(__codec_slot, __codec_self);
        __codec::Ok(())
    }
}
