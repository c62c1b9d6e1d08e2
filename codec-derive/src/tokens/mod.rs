//! The output.
//!
//! It stands in a `const _` block, where `__codec` is `podwire::__private`: all its names are found through that, so
//! that nothing a user has called `Result` or `core` is in the way. Locals are prefixed with `__codec_`. Types are
//! written with the user's own tokens, so that errors about them stay where the user wrote them.
//!
//! **Unsafe code in the output.** The methods of the traits that work on heads are unsafe, so is `Layout::promise`,
//! and so are the calls of `row` within. The proof is made here once, for every input:
//! - the promise: the facts are the sum of the facts of exactly the fields that `encode_head`, `encode_tail` and
//!   `decode_row` visit, in the same order, with the same way of travelling (all four are written from one list);
//!   that the memory is the encoding follows from where the fields lie, which `product` sees, and a skipped field
//!   says that it is not;
//! - the head: each method takes from it what its fields' facts say, hence what the promise says; `variant_head` reserves what
//!   the facts of the variant's fields say, and the next statement writes their heads;
//! - the slot: `&raw mut` of a field of the slot is writable and aligned (a packed struct is decoded by value), each
//!   field is written once, and is guarded until all are there; then the struct is initialised;
//! - nothing of the user's runs inside an `unsafe` block.

mod enums;
mod fields;
mod register;
mod structs;
mod trivial;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{GenericParam, Generics, Lifetime, LifetimeParam};

use crate::bounds::{self, bounds};
use crate::parse::{Body, Model, Travel};

/// The parts of the two impls in which structs and enums differ.
struct Parts {
    /// An expression of type `Facts`.
    facts: TokenStream,
    /// The body of `encode_head`, if anything stands there.
    head: Option<TokenStream>,
    /// The body of `encode_tail`, if anything can stand there.
    tail: Option<TokenStream>,
    /// The body of `encode_parts`, where head and tail are better written at once.
    parts: Option<TokenStream>,
    /// The body of `decode_row`.
    row: TokenStream,
    /// The body of `schema`.
    schema: TokenStream,
}

/// The codec of a model that was found without fault.
pub(crate) fn output(model: &Model<'_>) -> TokenStream {
    let krate = krate(model);
    let parts = match &model.body {
        Body::Struct(fields) => structs::parts(model, fields),
        Body::Enum(variants) => enums::parts(model, variants),
        Body::Union(_) => return TokenStream::new(),
    };
    let ident = &model.ident;
    let allow = model.allows_deprecated.then(|| quote!(#[allow(deprecated)]));
    let probes = bounds::fields(&model.body).iter().any(|field| matches!(field.travel, Travel::Probe(_)));
    let levels = probes.then(|| {
        quote!(
            use __codec::{Level0 as _, Level1 as _, Level2 as _, Level3 as _, Level4 as _, Level5 as _};
        )
    });

    let bounds = bounds(model);
    let input = &bounds.input;
    let (encode, arguments, _) = model.generics.split_for_impl();
    let encode_where = predicates(model.generics, &bounds.encode);
    let decode = with_input(model.generics, input, &bounds.borrowed);
    let (decode, _, _) = decode.split_for_impl();
    let decode_where = predicates(model.generics, &bounds.decode);

    let Parts { facts, head, tail, parts, row, schema } = parts;
    let head = head.map(|body| {
        quote! {
            #[inline(always)]
            unsafe fn encode_head(&self, mut __codec_head: __codec::HeadWriter<'_>) { #body }
        }
    });
    let tail = tail.map(|body| {
        quote! {
            #[inline]
            fn encode_tail(&self, __codec_writer: &mut __codec::Writer<'_>) -> __codec::Result<()> { #body }
        }
    });
    let parts = parts.map(|body| {
        quote! {
            #[inline]
            fn encode_parts<const __CODEC_WHOLE: bool>(
                &self,
                __codec_writer: &mut __codec::Writer<'_>,
            ) -> __codec::Result<()> { #body }
        }
    });
    let trivial = trivial::output(model);
    let register = register::output(model);

    quote! {
        const _: () = {
            use #krate::__private as __codec;
            #levels

            #[automatically_derived]
            #allow
            impl #encode __codec::Encode for #ident #arguments #encode_where {
                const LAYOUT: __codec::Layout<Self> = unsafe { __codec::Layout::promise(#facts) };
                #[inline]
                fn encode(&self, __codec_writer: &mut __codec::Writer<'_>) -> __codec::Result<()> {
                    __codec::row::encode(self, __codec_writer)
                }
                #head
                #tail
                #parts
                fn schema(__codec_types: &mut __codec::SchemaBuilder) -> __codec::Node { #schema }
            }

            #[automatically_derived]
            #allow
            impl #decode __codec::Decode<#input> for #ident #arguments #decode_where {
                #[inline]
                fn decode(__codec_reader: &mut __codec::Reader<#input>) -> __codec::Result<Self> {
                    __codec::row::decode(__codec_reader)
                }
                #[inline]
                unsafe fn decode_row(
                    __codec_slot: &mut __codec::MaybeUninit<Self>,
                    mut __codec_head: __codec::HeadReader<'_>,
                    __codec_reader: &mut __codec::Reader<#input>,
                ) -> __codec::Result<()> { #row }
            }

            #trivial
            #register
        };
    }
}

/// The path of podwire.
pub(crate) fn krate(model: &Model<'_>) -> TokenStream {
    match &model.attributes.krate {
        Some(path) => {
            let path = &path.value;
            quote!(#path)
        }
        None => quote!(::podwire),
    }
}

/// The generics with the lifetime of the input before them.
pub(crate) fn with_input(generics: &Generics, input: &Lifetime, borrowed: &[Lifetime]) -> Generics {
    let mut generics = generics.clone();
    let mut parameter = LifetimeParam::new(input.clone());
    parameter.bounds.extend(borrowed.iter().cloned());
    generics.params.insert(0, GenericParam::Lifetime(parameter));
    generics
}

/// The user's where-clause and further predicates.
fn predicates(generics: &Generics, further: &[TokenStream]) -> TokenStream {
    let own = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let own: Vec<_> = own.collect();
    if own.is_empty() && further.is_empty() {
        return TokenStream::new();
    }
    quote!(where #(#own,)* #(#further,)*)
}

/// A whole number as a literal without a type.
fn number(value: u32) -> proc_macro2::Literal {
    let mut literal = proc_macro2::Literal::u32_unsuffixed(value);
    literal.set_span(Span::call_site());
    literal
}
