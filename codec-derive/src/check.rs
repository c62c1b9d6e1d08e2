//! What the model cannot be.

use std::collections::HashMap;

use syn::ext::IdentExt;
use syn::{Type, TypeParamBound};

use crate::bounds::bounds;
use crate::errors::Errors;
use crate::parse::{Body, Field, Model, Travel, Variant};
use crate::travel;

/// Reports everything that is wrong with the model.
pub(crate) fn check(model: &Model<'_>, errors: &mut Errors) {
    let attributes = &model.attributes;
    match &model.body {
        Body::Union(span) => errors.add(syn::Error::new(
            *span,
            "a union has no codec, as nothing says which of its fields is valid: use an enum, or encode its bytes",
        )),
        Body::Struct(all) => {
            fields(all, errors);
            if let Some(width) = &attributes.width {
                errors.at(&width.name, "only an enum has a tag: remove this");
            }
        }
        Body::Enum(all) => {
            all.iter().for_each(|variant| fields(&variant.fields, errors));
            variants(model, all, errors);
        }
    }
    trivial(model, errors);
    register(model, errors);
}

/// What the attributes of a field say together, and what its type must not be.
fn fields(fields: &[Field<'_>], errors: &mut Errors) {
    for field in fields {
        let said = &field.attributes;
        let ways = [&said.skip, &said.pod].map(|way| way.as_ref().map(|said| &said.name));
        let mut ways: Vec<_> = ways.into_iter().flatten().collect();
        ways.extend(said.with.as_ref().map(|with| &with.name));
        for second in ways.iter().skip(1) {
            errors.at(second, format!("a field cannot be both `{}` and `{second}`: remove one", ways[0]));
        }
        if let Some(default) = &said.default
            && said.skip.is_none()
        {
            errors.at(
                &default.name,
                "`default` is the value of a skipped field, never of a missing one: add `skip`, or remove this",
            );
        }
        if let Some(skip) = &said.skip {
            for other in
                [said.rename.as_ref().map(|said| &said.name), said.borrow.as_ref().map(|said| &said.name)]
                    .into_iter()
                    .flatten()
            {
                errors.at(
                    other,
                    format!("`{other}` has no effect on a field with `{}`: remove one", skip.name),
                );
            }
        }
        if let Some(borrow) = &said.borrow
            && !mentions_lifetime(quote::ToTokens::to_token_stream(field.ty))
        {
            errors.at(&borrow.name, "`borrow` needs a lifetime in the field's type: remove this");
        }
        if let Type::TraitObject(_) = field.ty {
            errors.at(
                field.ty,
                "a trait object cannot be decoded: bytes do not say which type they are; hold an enum of the types that there are",
            );
        } else if is_unsized(field.ty) {
            errors.at(field.ty, "a value without a fixed size cannot be decoded: put it into a `Box`");
        } else if matches!(field.travel, Travel::Codec | Travel::Probe(_))
            && let Some((ty, reason)) = travel::undecodable(field.ty)
        {
            errors.at(ty, reason);
        }
    }
    names(
        fields.iter().filter(|field| field.travels()).map(|field| {
            let rename = field.attributes.rename.as_ref();
            (&*field.name, rename.map(|rename| &rename.value))
        }),
        "field",
        errors,
    );
}

/// No two names in one schema may be the same, which only `rename` can bring about.
fn names<'n>(
    names: impl Iterator<Item = (&'n str, Option<&'n syn::LitStr>)> + Clone,
    what: &str,
    errors: &mut Errors,
) {
    for (name, renamed) in names.clone() {
        if let Some(renamed) = renamed
            && names.clone().filter(|(other, _)| *other == name).count() > 1
        {
            errors.at(renamed, format!("another {what} is called `{name}` too: choose another name"));
        }
    }
}

fn mentions_lifetime(tokens: proc_macro2::TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Punct(punct) => punct.as_char() == '\'',
        proc_macro2::TokenTree::Group(group) => mentions_lifetime(group.stream()),
        _ => false,
    })
}

/// Whether the tokens show that values of the type have no fixed size.
pub(crate) fn is_unsized(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => is_unsized(&group.elem),
        Type::Paren(paren) => is_unsized(&paren.elem),
        Type::Slice(_) => true,
        Type::Path(path) => path.path.is_ident("str"),
        Type::TraitObject(object) => {
            object.dyn_token.is_some()
                || object.bounds.iter().any(|bound| matches!(bound, TypeParamBound::Lifetime(_)))
        }
        _ => false,
    }
}

/// Bytes that the tags of an enum take.
pub(crate) fn tag_width(model: &Model<'_>, variants: &[Variant<'_>]) -> u32 {
    match (&model.attributes.width, variants.len()) {
        (Some(width), _) => width.value,
        (None, 0..=0x100) => 1,
        (None, 0x101..=0x1_0000) => 2,
        (None, _) => 4,
    }
}

/// Every tag fits, and stands for one variant.
fn variants(model: &Model<'_>, variants: &[Variant<'_>], errors: &mut Errors) {
    let bits = 8 * tag_width(model, variants);
    let mut seen = HashMap::new();
    for variant in variants {
        let tag = variant.tag;
        let place = variant.attributes.tag.as_ref().map_or(variant.given, |tag| &tag.name);
        if u64::from(tag) >> bits != 0 {
            let wider = if tag < 0x1_0000 { "u16" } else { "u32" };
            errors.at(
                place,
                format!("tag {tag} does not fit u{bits}: add `#[codec(tag({wider}))]` to the enum"),
            );
        }
        if let Some(first) = seen.insert(tag, variant) {
            let (first, second) = (first.given.unraw(), variant.given.unraw());
            errors.at(
                place,
                format!("tag {tag} stands for `{first}` and for `{second}`; without `tag = ...` it is the position"),
            );
        }
    }
    names(
        variants.iter().map(|variant| {
            let rename = variant.attributes.rename.as_ref();
            (&*variant.name, rename.map(|rename| &rename.value))
        }),
        "variant",
        errors,
    );
}

/// `trivial` is a promise about memory, so it needs a layout that the language guarantees.
fn trivial(model: &Model<'_>, errors: &mut Errors) {
    let Some(trivial) = &model.attributes.trivial else { return };
    let Body::Struct(fields) = &model.body else {
        errors.at(&trivial.name, "only a struct can be trivial, as not every tag is a variant: remove this");
        return;
    };
    if !model.repr.c && !model.repr.transparent {
        errors.at(
            &trivial.name,
            "write `#[repr(C)]` or `#[repr(transparent)]` above the struct: without it the order of fields in memory is not guaranteed",
        );
    }
    if model.generics.lifetimes().next().is_some() {
        errors.at(
            &trivial.name,
            "a trivial type owns its bytes, so it has no lifetime: hold an array, or remove `trivial`",
        );
    } else if let Some(borrowed) = bounds(model).borrowed.first() {
        errors.at(
            borrowed,
            "a trivial type owns its bytes, so it cannot borrow: hold an array, or remove `trivial`",
        );
    }
    let parameters =
        model.generics.type_params().next().is_some() || model.generics.const_params().next().is_some();
    if parameters && !model.repr.transparent {
        errors.at(
            &trivial.name,
            "a generic struct may have padding for some of its parameters: write `#[repr(transparent)]`, or remove `trivial`",
        );
    }
    for field in fields {
        let (skip, with) = (&field.attributes.skip, &field.attributes.with);
        let names = [skip.as_ref().map(|said| &said.name), with.as_ref().map(|said| &said.name)];
        for name in names.into_iter().flatten() {
            let field = &field.name;
            errors.at(
                name,
                format!("the struct cannot be trivial: field `{field}` does not travel as its memory: remove `{name}` or `trivial`"),
            );
        }
    }
}

/// A registered type has one name and owns its parts.
fn register(model: &Model<'_>, errors: &mut Errors) {
    let attributes = &model.attributes;
    if let Some(name) = &attributes.name {
        let text = name.value.value();
        if text.is_empty() || text.len() > 255 || text.chars().any(char::is_control) {
            errors.at(&name.value, "a codec's name has 1 to 255 bytes and no control characters");
        }
    }
    let register = attributes.register.as_ref().map(|said| &said.name);
    let Some(register) = register.or(attributes.name.as_ref().map(|said| &said.name)) else { return };
    if model.generics.type_params().next().is_some() || model.generics.const_params().next().is_some() {
        let ident = model.given;
        errors.at(
            register,
            format!("a generic type has no codec of its own: register its instances, `register_codec!({ident}<...>, \"...\")`"),
        );
    } else if model.generics.lifetimes().next().is_some() {
        errors.at(
            register,
            "a type that borrows cannot be registered, as what the registry decodes owns its parts: hold `String`, `Vec<T>`, `Bulk<T>`",
        );
    } else if let Some(borrowed) = bounds(model).borrowed.iter().find(|lifetime| lifetime.ident == "static") {
        errors.at(
            borrowed,
            "a registered type cannot borrow for `'static`, as no message lives so long: hold `String`, `Vec<T>`, `Bulk<T>`",
        );
    }
}
