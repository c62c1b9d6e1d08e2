//! Structs: the heads of the fields in declaration order, then their tails.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

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
    let head = quote!(__codec_head);
    let facts = all.iter().map(|field| fields::facts(field, &fields::offset(field, &quote!(Self))));
    let facts = quote!(__codec::product(__codec::size_of::<Self>(), &[#(#facts),*]));

    let heads = all.iter().map(|field| fields::encode_head(field, &reference(field), &head));
    let heads: TokenStream = heads.collect();
    let heads = (!heads.is_empty()).then(|| {
        quote! {
            unsafe {
                if !__codec::encode_memory(self, __codec_head) {
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
        row: if packed { by_value(all) } else { in_place(all) },
        schema: quote!(__codec::struct_node(__codec_types, &[#(#entries)*])),
    }
}

/// Reads each field where it belongs.
fn in_place(all: &[Field<'_>]) -> TokenStream {
    if all.is_empty() {
        // A struct without fields has no bytes to initialise.
        return quote!(__codec::Ok(()));
    }
    let locals = all.iter().map(|field| &field.local);
    let places = all.iter().map(|field| {
        let (local, member) = (&field.local, field.member_at_type());
        let place = quote_spanned!(field.span()=> &raw mut (*__codec_self).#member);
        let read = fields::decode_place(field, &place);
        quote!(let #local = #read;)
    });
    quote! {
        if unsafe { __codec::decode_memory(__codec_slot, __codec_head) } {
            return __codec::Ok(());
        }
        let __codec_self = __codec::MaybeUninit::as_mut_ptr(__codec_slot);
        #(#places)*
        #(#locals.keep();)*
        __codec::Ok(())
    }
}

/// Reads all fields, then makes the struct.
fn by_value(all: &[Field<'_>]) -> TokenStream {
    let values = all.iter().map(|field| {
        let member = &field.member;
        let value = fields::decode_value(field, &quote!(__codec_head));
        quote!(#member: #value)
    });
    quote! {
        if unsafe { __codec::decode_memory(__codec_slot, __codec_head) } {
            return __codec::Ok(());
        }
        let __codec_self = Self { #(#values),* };
        __codec::MaybeUninit::write(__codec_slot, __codec_self);
        __codec::Ok(())
    }
}
