//! Which fields need no question, and how the others are asked.
//!
//! A field of a type that is known to have a codec is written directly. Any other type may be another crate's plain
//! old data, which the tokens do not show: there the output asks the type checker, with the probe of codec-core. A
//! probe costs compile time, and a direct call none, which is the reason for the list of known names. A user's type
//! of such a name is not wrong, it only has to have a codec.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{GenericArgument, Generics, Path, PathArguments, Type};

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
/// Of a container of one type, its elements are asked about first.
pub(crate) fn probe(ty: &Type, plain: bool) -> TokenStream {
    match element(ty) {
        Some(element) => {
            let inner = probe(element, plain);
            quote!((&&&&&&__codec::Probe::<#ty, _, #plain>::of(#inner.__codec_via())))
        }
        None => quote!((&&&&&&__codec::Probe::<#ty, (), #plain>::leaf())),
    }
}

/// What a vector, an option or an array is of.
pub(crate) fn element(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Group(group) => element(&group.elem),
        Type::Paren(paren) => element(&paren.elem),
        Type::Array(array) => Some(&array.elem),
        Type::Path(path) => match standard(path) {
            Some((name, arguments)) if name == "Vec" || name == "Option" => match arguments[..] {
                [element] => Some(element),
                _ => None,
            },
            _ => None,
        },
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
