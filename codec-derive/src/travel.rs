//! Which fields need no question, and how the others are asked.
//!
//! A field of a type that is known to have a codec is written directly. Any other type may be another crate's plain
//! old data, which the tokens do not show: there the output asks the type checker, with the probe of codec-core. A
//! probe costs compile time, and a direct call none, which is the reason for the list of known names. A user's type
//! of such a name is not wrong, it only has to have a codec.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{GenericArgument, Generics, Path, PathArguments, Type};

use crate::check::is_unsized;

/// Types that have a codec.
const KNOWN: &[&str] = &[
    "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64",
    "bool", "char", "str", "String",
];

/// Types that have a codec if their arguments do.
const CONTAINERS: &[&str] =
    &["Vec", "Option", "Box", "Rc", "Arc", "Cow", "HashMap", "BTreeMap", "HashSet", "BTreeSet"];

/// Whether the type has a codec as far as its tokens show; what a parameter is, the bounds of the impl say.
pub(crate) fn has_codec(ty: &Type, generics: &Generics) -> bool {
    match ty {
        Type::Group(group) => has_codec(&group.elem, generics),
        Type::Paren(paren) => has_codec(&paren.elem, generics),
        Type::Array(array) => has_codec(&array.elem, generics),
        Type::Slice(slice) => has_codec(&slice.elem, generics),
        Type::Reference(reference) if reference.mutability.is_none() => has_codec(&reference.elem, generics),
        Type::Tuple(tuple) => tuple.elems.len() <= 12 && tuple.elems.iter().all(|ty| has_codec(ty, generics)),
        Type::Path(path) => {
            let is_parameter = |parameter: &syn::TypeParam| path.path.is_ident(&parameter.ident);
            match standard(path) {
                _ if generics.type_params().any(is_parameter) => true,
                Some((name, arguments)) if arguments.is_empty() => KNOWN.contains(&&*name),
                Some((name, _)) if name == "PhantomData" => true,
                Some((name, arguments)) => {
                    CONTAINERS.contains(&&*name) && arguments.iter().all(|ty| has_codec(ty, generics))
                }
                None => false,
            }
        }
        _ => false,
    }
}

/// The tokens that ask how a field of this type travels: an expression up to the method that is asked.
///
/// Of a container, its parts are asked about first.
pub(crate) fn probe(ty: &Type, generics: &Generics, plain: bool) -> TokenStream {
    let inner = match parts(ty, plain) {
        Some(Parts::One(part)) => answer(part, generics, plain),
        Some(Parts::Several(parts)) => {
            let parts = parts.into_iter().map(|(part, plain)| answer(part, generics, plain));
            quote!((#(#parts,)*))
        }
        None => return quote!((&&&&&&__codec::Probe::<#ty, (), #plain>::leaf())),
    };
    quote!((&&&&&&__codec::Probe::<#ty, _, #plain>::of(#inner)))
}

/// How a part travels; of what is known to have a codec, nothing is asked.
fn answer(ty: &Type, generics: &Generics, plain: bool) -> TokenStream {
    if !plain && has_codec(ty, generics) {
        return quote!(__codec::same::<#ty>());
    }
    let probe = probe(ty, generics, plain);
    quote!(#probe.__codec_via())
}

/// The tokens that ask how a field travels, and complain if it cannot; before them statements that complain of its
/// parts, the innermost first, so that the error is theirs.
pub(crate) fn demand(ty: &Type, generics: &Generics, plain: bool) -> (TokenStream, TokenStream) {
    let mut before = TokenStream::new();
    let parts = match parts(ty, plain) {
        Some(Parts::One(part)) => vec![(part, plain)],
        Some(Parts::Several(parts)) => parts,
        None => Vec::new(),
    };
    for (part, plain) in parts.into_iter().filter(|(part, plain)| *plain || !has_codec(part, generics)) {
        let (inner, own) = demand(part, generics, plain);
        before.extend(quote!(#inner #own;));
    }
    let probe = probe(ty, generics, plain);
    if holds_object(ty) && !plain {
        before.extend(quote!(__codec::object::<#ty>();));
        return (before, quote!(#probe.__codec_via()));
    }
    if let Some(element) = slice(ty)
        && !plain
    {
        before.extend(quote!(__codec::element::<#element>();));
        return (before, quote!(#probe.__codec_via()));
    }
    let method = if is_generic(ty) { quote!(__codec_demand_of) } else { quote!(__codec_demand) };
    (before, quote!(#probe.#method::<#ty>()))
}

/// What a pointer to a slice is of.
fn slice(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    match (&*standard(path)?.0, &standard(path)?.1[..]) {
        ("Box" | "Rc" | "Arc", [Type::Slice(slice)]) => Some(&slice.elem),
        _ => None,
    }
}

/// Whether the type is a pointer, or something else with one argument, to a trait object.
fn holds_object(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => holds_object(&group.elem),
        Type::Paren(paren) => holds_object(&paren.elem),
        Type::Reference(reference) => holds_object(&reference.elem),
        Type::TraitObject(_) => true,
        Type::Path(path) => path.path.segments.iter().any(|segment| match &segment.arguments {
            PathArguments::AngleBracketed(list) => list
                .args
                .iter()
                .any(|argument| matches!(argument, GenericArgument::Type(Type::TraitObject(_)))),
            _ => false,
        }),
        _ => false,
    }
}

/// Whether the type that lacks a codec may be one within this one.
fn is_generic(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => is_generic(&group.elem),
        Type::Paren(paren) => is_generic(&paren.elem),
        Type::Array(_) | Type::Slice(_) | Type::Tuple(_) | Type::Reference(_) => true,
        Type::Path(path) => {
            let generic = |segment: &syn::PathSegment| !matches!(segment.arguments, PathArguments::None);
            path.path.segments.iter().any(generic)
        }
        _ => false,
    }
}

/// What a container consists of.
enum Parts<'t> {
    /// Elements of one type.
    One(&'t Type),
    /// Parts of several types, and whether only plain old data will do for them.
    Several(Vec<(&'t Type, bool)>),
}

/// The parts of a container that can hold plain old data; the keys of a map have codecs, or are found to be plain.
fn parts(ty: &Type, plain: bool) -> Option<Parts<'_>> {
    match ty {
        Type::Group(group) => parts(&group.elem, plain),
        Type::Paren(paren) => parts(&paren.elem, plain),
        Type::Array(array) => Some(Parts::One(&array.elem)),
        Type::Tuple(tuple) if (1..=4).contains(&tuple.elems.len()) => {
            Some(Parts::Several(tuple.elems.iter().map(|part| (part, plain)).collect()))
        }
        Type::Path(path) => match standard(path) {
            Some((name, arguments)) => match (&*name, &arguments[..]) {
                ("Vec" | "Option", &[part]) => Some(Parts::One(part)),
                ("Box" | "Rc" | "Arc", &[part]) if !is_unsized(part) => Some(Parts::One(part)),
                _ => key(ty).map(|(key, value)| Parts::Several(vec![(key, false), (value, plain)])),
            },
            None => None,
        },
        _ => None,
    }
}

/// The type, or one that it holds, of which no value can be decoded, and what to do instead.
pub(crate) fn undecodable(ty: &Type) -> Option<(&Type, &'static str)> {
    let reason = match ty {
        Type::Group(group) => return undecodable(&group.elem),
        Type::Paren(paren) => return undecodable(&paren.elem),
        Type::Array(array) => return undecodable(&array.elem),
        Type::Tuple(tuple) => return tuple.elems.iter().find_map(undecodable),
        Type::Path(path) => {
            let (_, arguments) = standard(path).filter(|(name, _)| CONTAINERS.contains(&&**name))?;
            return arguments.into_iter().find_map(undecodable);
        }
        Type::Ptr(_) => {
            "an address means nothing to whoever reads it: hold the value, or write `#[codec(skip)]`"
        }
        Type::FnPtr(_) => "a function cannot travel: hold an enum that names it, or write `#[codec(skip)]`",
        Type::Reference(reference) if reference.mutability.is_some() => {
            "what is read from bytes is nobody else's to change: hold the value instead of `&mut`"
        }
        Type::Reference(reference) => {
            let Type::Path(path) = &*reference.elem else { return None };
            let (name, _) = standard(path)?;
            if name == "str" || !(KNOWN.contains(&&*name) || CONTAINERS.contains(&&*name)) {
                return None;
            }
            "only `&str` and `&[T]` of plain `T` can be borrowed from the input: hold the value itself"
        }
        _ => return None,
    };
    Some((ty, reason))
}

/// Key and value of a map.
pub(crate) fn key(ty: &Type) -> Option<(&Type, &Type)> {
    let Type::Path(path) = ty else { return None };
    match (&*standard(path)?.0, &standard(path)?.1[..]) {
        ("HashMap" | "BTreeMap", &[key, value, ..]) => Some((key, value)),
        _ => None,
    }
}

/// The last name of a path that can be the standard library's, and its type arguments.
fn standard(path: &syn::TypePath) -> Option<(String, Vec<&Type>)> {
    if path.qself.is_some() || !is_standard(&path.path) {
        return None;
    }
    let last = path.path.segments.last()?;
    let arguments = match &last.arguments {
        PathArguments::AngleBracketed(list) => list.args.iter().filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        }),
        PathArguments::None => return Some((last.ident.to_string(), Vec::new())),
        PathArguments::Parenthesized(_) => return None,
    };
    Some((last.ident.to_string(), arguments.collect()))
}

fn is_standard(path: &Path) -> bool {
    let first = path.segments.first().map(|segment| segment.ident.to_string());
    path.segments.len() == 1 || matches!(first.as_deref(), Some("std" | "core" | "alloc"))
}
