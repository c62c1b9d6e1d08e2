//! The generics of the two impls.
//!
//! Bounds stand on the type parameters that fields use, and on their associated types: a bound on every field's
//! type would make recursive types overflow, and would move errors from the field to the derive.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    GenericArgument, Generics, Ident, Lifetime, PathArguments, ReturnType, Type, TypeParamBound,
    WherePredicate,
};

use crate::parse::{Body, Field, Model, Travel};
use crate::travel;

/// What one of the impls needs besides the user's own bounds.
pub(crate) struct Bounds {
    /// Predicates for `Encode`.
    pub(crate) encode: Vec<TokenStream>,
    /// Predicates for `Decode`.
    pub(crate) decode: Vec<TokenStream>,
    /// Lifetimes of the type that the input must outlive.
    pub(crate) borrowed: Vec<Lifetime>,
    /// The lifetime of the input.
    pub(crate) input: Lifetime,
}

/// Finds the bounds.
pub(crate) fn bounds(model: &Model<'_>) -> Bounds {
    let input = input_lifetime(model.generics);
    let (mut encode, mut decode, mut borrowed) = (Vec::new(), Vec::new(), Vec::new());
    let mut used = Used { generics: model.generics, types: Vec::new(), lifetimes: Vec::new() };
    let mut plain = Used { generics: model.generics, types: Vec::new(), lifetimes: Vec::new() };
    for field in fields(&model.body) {
        match &field.travel {
            Travel::Codec => used.visit(field.ty),
            Travel::Probe(_) if field.attributes.pod.is_some() => match travel::key(field.ty) {
                Some((key, value)) => {
                    used.visit(key);
                    plain.visit(value);
                }
                None => plain.visit(field.ty),
            },
            Travel::Probe(_) => used.visit(field.ty),
            // The functions of the module have bounds of their own; but what they read may borrow. What is `'static`
            // they make themselves: no input lives so long.
            Travel::With(_) => {
                let mut types = Used { generics: model.generics, types: Vec::new(), lifetimes: Vec::new() };
                types.visit(field.ty);
                types.lifetimes.retain(|lifetime| lifetime.ident != "static");
                used.lifetimes.append(&mut types.lifetimes);
            }
            Travel::Skip(None) if mentions_parameter(field.ty, model.generics) => {
                let ty = field.ty;
                decode.push(quote!(#ty: __codec::Default));
            }
            Travel::Skip(_) => {}
        }
        if field.attributes.borrow.is_some() {
            lifetimes_in(field.ty.to_token_stream(), &mut used.lifetimes);
        }
    }
    if let Some(bound) = &model.attributes.bound {
        encode.extend(bound.value.iter().map(ToTokens::to_token_stream));
        decode = encode.clone();
    } else {
        for ty in &used.types {
            // Two ways to prove one bound are one too many for the compiler.
            let own = own_bounds(ty, model.generics);
            if !own.iter().any(|name| IMPLY_CODEC.contains(&&**name)) {
                if !own.iter().any(|name| name == "Encode") {
                    encode.push(quote!(#ty: __codec::Encode));
                }
                decode.push(quote!(#ty: __codec::Decode<#input>));
            }
        }
        for ty in &plain.types {
            encode.push(quote!(#ty: __codec::Pod));
            decode.push(quote!(#ty: __codec::Pod));
        }
    }
    let declared = |lifetime: &Lifetime| {
        lifetime.ident == "static" || model.generics.lifetimes().any(|known| known.lifetime == *lifetime)
    };
    borrowed.extend(used.lifetimes.into_iter().filter(declared));
    Bounds { encode, decode, borrowed, input }
}

/// Traits of podwire by which a parameter has a codec already.
const IMPLY_CODEC: &[&str] = &["Codec", "Trivial", "Plain"];

/// The last names of the traits by which the user has bound a type.
pub(crate) fn own_bounds(ty: &TokenStream, generics: &Generics) -> Vec<String> {
    let ty = ty.to_string();
    let parameters = generics.type_params().filter(|parameter| parameter.ident == ty);
    let inline = parameters.flat_map(|parameter| &parameter.bounds);
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let clauses = predicates.filter_map(|predicate| match predicate {
        WherePredicate::Type(bound) if bound.bounded_ty.to_token_stream().to_string() == ty => {
            Some(&bound.bounds)
        }
        _ => None,
    });
    let names = inline.chain(clauses.flatten()).filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().map(|last| last.ident.to_string()),
        _ => None,
    });
    names.collect()
}

/// A name for the input's lifetime that no parameter of the type has.
fn input_lifetime(generics: &Generics) -> Lifetime {
    let mut name = String::from("'__codec_input");
    while generics.lifetimes().any(|parameter| parameter.lifetime.to_string() == name) {
        name.push('_');
    }
    Lifetime::new(&name, Span::call_site())
}

/// All fields of the type.
pub(crate) fn fields<'m, 'i>(body: &'m Body<'i>) -> Vec<&'m Field<'i>> {
    match body {
        Body::Struct(fields) => fields.iter().collect(),
        Body::Enum(variants) => variants.iter().flat_map(|variant| &variant.fields).collect(),
        Body::Union(_) => Vec::new(),
    }
}

/// Whether a type mentions a type parameter.
pub(crate) fn mentions_parameter(ty: &Type, generics: &Generics) -> bool {
    fn within(tokens: TokenStream, names: &[&Ident]) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => names.contains(&&ident),
            TokenTree::Group(group) => within(group.stream(), names),
            _ => false,
        })
    }
    let names: Vec<&Ident> = generics.type_params().map(|parameter| &parameter.ident).collect();
    !names.is_empty() && within(ty.to_token_stream(), &names)
}

/// Collects the lifetimes in some tokens.
fn lifetimes_in(tokens: TokenStream, found: &mut Vec<Lifetime>) {
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(quote) if quote.as_char() == '\'' => {
                if let Some(TokenTree::Ident(name)) = tokens.next() {
                    add_lifetime(&Lifetime { apostrophe: quote.span(), ident: name }, found);
                }
            }
            TokenTree::Group(group) => lifetimes_in(group.stream(), found),
            _ => {}
        }
    }
}

fn add_lifetime(lifetime: &Lifetime, found: &mut Vec<Lifetime>) {
    if lifetime.ident != "_" && !found.contains(lifetime) {
        found.push(lifetime.clone());
    }
}

/// The parameters that types use.
struct Used<'g> {
    generics: &'g Generics,
    types: Vec<TokenStream>,
    lifetimes: Vec<Lifetime>,
}

impl Used<'_> {
    fn is_parameter(&self, ident: &Ident) -> bool {
        self.generics.type_params().any(|parameter| parameter.ident == *ident)
    }

    fn add(&mut self, ty: TokenStream) {
        if !self.types.iter().any(|known| known.to_string() == ty.to_string()) {
            self.types.push(ty);
        }
    }

    fn visit(&mut self, ty: &Type) {
        match ty {
            Type::Group(group) => self.visit(&group.elem),
            Type::Paren(paren) => self.visit(&paren.elem),
            Type::Array(array) => self.visit(&array.elem),
            Type::Slice(slice) => self.visit(&slice.elem),
            Type::Ptr(pointer) => self.visit(&pointer.elem),
            Type::Tuple(tuple) => tuple.elems.iter().for_each(|ty| self.visit(ty)),
            Type::Reference(reference) => {
                if let Some(lifetime) = &reference.lifetime {
                    add_lifetime(lifetime, &mut self.lifetimes);
                }
                self.visit(&reference.elem);
            }
            Type::FnPtr(function) => {
                function.inputs.iter().for_each(|input| self.visit(&input.ty));
                if let ReturnType::Type(_, ty) = &function.output {
                    self.visit(ty);
                }
            }
            Type::TraitObject(object) => {
                for bound in &object.bounds {
                    if let TypeParamBound::Lifetime(lifetime) = bound {
                        add_lifetime(lifetime, &mut self.lifetimes);
                    }
                }
            }
            Type::Path(path) => self.visit_path(path),
            // What a macro makes of its tokens is not known: whatever they name is taken for used.
            Type::Macro(called) => {
                lifetimes_in(called.mac.tokens.clone(), &mut self.lifetimes);
                let parameters: Vec<&Ident> = self.generics.type_params().map(|p| &p.ident).collect();
                for parameter in parameters {
                    let only = Generics {
                        params: std::iter::once(syn::GenericParam::Type(parameter.clone().into())).collect(),
                        ..Generics::default()
                    };
                    if mentions_parameter(ty, &only) {
                        self.add(parameter.to_token_stream());
                    }
                }
            }
            _ => {}
        }
    }

    fn visit_path(&mut self, ty: &syn::TypePath) {
        let path = &ty.path;
        if path.segments.last().is_some_and(|last| last.ident == "PhantomData") {
            return;
        }
        if let Some(qself) = &ty.qself {
            // `<T as Trait>::Assoc`
            if mentions_parameter(&qself.ty, self.generics) {
                self.add(ty.to_token_stream());
            }
            return;
        }
        if let Some(first) = path.segments.first()
            && path.leading_colon.is_none()
            && self.is_parameter(&first.ident)
        {
            // `T`, or `T::Assoc`
            self.add(ty.to_token_stream());
        }
        for segment in &path.segments {
            match &segment.arguments {
                PathArguments::None => {}
                PathArguments::AngleBracketed(list) => {
                    for argument in &list.args {
                        match argument {
                            GenericArgument::Type(ty) => self.visit(ty),
                            GenericArgument::AssocType(associated) => self.visit(&associated.ty),
                            GenericArgument::Lifetime(lifetime) => {
                                add_lifetime(lifetime, &mut self.lifetimes);
                            }
                            _ => {}
                        }
                    }
                }
                PathArguments::Parenthesized(function) => {
                    function.inputs.iter().for_each(|input| self.visit(&input.ty));
                    if let ReturnType::Type(_, ty) = &function.output {
                        self.visit(ty);
                    }
                }
            }
        }
    }
}
