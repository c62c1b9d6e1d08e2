//! The input as a model.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Fields, Generics, Ident, Index, Member, Path, Type};

use crate::attributes::{self, Attributes, Level, Said};
use crate::errors::Errors;
use crate::travel;

/// A type that wants a codec.
pub(crate) struct Model<'i> {
    /// The type's name, as the output writes it.
    pub(crate) ident: Ident,
    /// The type's name as the user wrote it.
    pub(crate) given: &'i Ident,
    pub(crate) generics: &'i Generics,
    pub(crate) attributes: Attributes,
    pub(crate) repr: Repr,
    pub(crate) body: Body<'i>,
    /// The user allows deprecated items somewhere in the type; then the output must, too.
    pub(crate) allows_deprecated: bool,
}

/// What `#[repr(...)]` says that matters here.
#[derive(Default)]
pub(crate) struct Repr {
    pub(crate) c: bool,
    pub(crate) transparent: bool,
    pub(crate) packed: bool,
}

/// What stands between the braces.
pub(crate) enum Body<'i> {
    Struct(Vec<Field<'i>>),
    Enum(Vec<Variant<'i>>),
    /// A union, which has no codec.
    Union(Span),
}

/// A variant of an enum.
pub(crate) struct Variant<'i> {
    pub(crate) ident: Ident,
    pub(crate) given: &'i Ident,
    pub(crate) attributes: Attributes,
    /// The tag, if it is a number that fits any tag; `check` sees whether it fits this one.
    pub(crate) tag: u32,
    /// The name in the schema.
    pub(crate) name: String,
    pub(crate) fields: Vec<Field<'i>>,
}

/// A field of a struct or a variant.
pub(crate) struct Field<'i> {
    pub(crate) member: Member,
    /// A local variable that stands for the field.
    pub(crate) local: Ident,
    pub(crate) ty: &'i Type,
    pub(crate) attributes: Attributes,
    pub(crate) travel: Travel,
    /// The name in the schema.
    pub(crate) name: String,
    /// The field, or the type around it, is deprecated.
    pub(crate) deprecated: bool,
}

/// How a field travels.
pub(crate) enum Travel {
    /// By the codec of its type, which is known to be there.
    Codec,
    /// As the type checker finds out; these tokens ask.
    Probe(TokenStream),
    /// By the functions of a module.
    With(Path),
    /// Not at all; a function that makes its value, or `Default`.
    Skip(Option<Path>),
}

impl Field<'_> {
    /// Whether the field stands in the message.
    pub(crate) fn travels(&self) -> bool {
        !matches!(self.travel, Travel::Skip(_))
    }

    /// The field's name, where errors point at its type.
    pub(crate) fn member_at_type(&self) -> Member {
        let mut member = self.member.clone();
        match &mut member {
            Member::Named(ident) => ident.set_span(self.span()),
            Member::Unnamed(index) => index.span = self.span(),
        }
        member
    }

    /// Where errors about the field's type point.
    pub(crate) fn span(&self) -> Span {
        self.ty.span().resolved_at(Span::call_site())
    }
}

/// Reads the input.
pub(crate) fn model<'i>(input: &'i DeriveInput, errors: &mut Errors) -> Model<'i> {
    let attributes = attributes::read(&input.attrs, Level::Type, errors);
    let mut allows_deprecated = allows_deprecated(&input.attrs);
    let body = match &input.data {
        Data::Struct(data) => {
            let mut fields = fields(&data.fields, &input.generics, errors);
            let deprecated = is_deprecated(&input.attrs);
            fields.iter_mut().for_each(|field| field.deprecated |= deprecated);
            Body::Struct(fields)
        }
        Data::Enum(data) => {
            let variants = data.variants.iter().enumerate().map(|(position, variant)| {
                allows_deprecated |= self::allows_deprecated(&variant.attrs);
                let attributes = attributes::read(&variant.attrs, Level::Variant, errors);
                Variant {
                    ident: respan(&variant.ident),
                    given: &variant.ident,
                    tag: tag(position, &attributes, errors),
                    name: name(&attributes, variant.ident.unraw().to_string()),
                    fields: fields(&variant.fields, &input.generics, errors),
                    attributes,
                }
            });
            Body::Enum(variants.collect())
        }
        Data::Union(data) => Body::Union(data.union_token.span),
    };
    for field in all_fields(&input.data) {
        allows_deprecated |= self::allows_deprecated(&field.attrs);
    }
    Model {
        ident: respan(&input.ident),
        given: &input.ident,
        generics: &input.generics,
        attributes,
        repr: repr(&input.attrs),
        body,
        allows_deprecated,
    }
}

fn all_fields(data: &Data) -> Vec<&syn::Field> {
    match data {
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Enum(data) => data.variants.iter().flat_map(|variant| &variant.fields).collect(),
        Data::Union(_) => Vec::new(),
    }
}

fn fields<'i>(fields: &'i Fields, generics: &Generics, errors: &mut Errors) -> Vec<Field<'i>> {
    let field = |(position, field): (usize, &'i syn::Field)| {
        let attributes = attributes::read(&field.attrs, Level::Field, errors);
        let (member, plain_name) = match &field.ident {
            Some(ident) => (Member::Named(respan(ident)), ident.unraw().to_string()),
            None => (Member::Unnamed(Index::from(position)), position.to_string()),
        };
        Field {
            member,
            local: Ident::new(&format!("__codec_{position}"), field.ty.span().resolved_at(Span::call_site())),
            ty: &field.ty,
            travel: travel(&attributes, &field.ty, generics),
            name: name(&attributes, plain_name),
            deprecated: is_deprecated(&field.attrs),
            attributes,
        }
    };
    fields.iter().enumerate().map(field).collect()
}

fn travel(attributes: &Attributes, ty: &Type, generics: &Generics) -> Travel {
    if attributes.skip.is_some() {
        let default = attributes.default.as_ref().and_then(|default| default.value.clone());
        Travel::Skip(default)
    } else if let Some(with) = &attributes.with {
        Travel::With(with.value.clone())
    } else if attributes.pod.is_none() && travel::has_codec(ty, generics) {
        Travel::Codec
    } else {
        Travel::Probe(travel::probe(ty, generics, attributes.pod.is_some()))
    }
}

fn tag(position: usize, attributes: &Attributes, errors: &mut Errors) -> u32 {
    let position = u32::try_from(position).unwrap_or(u32::MAX);
    match &attributes.tag {
        Some(Said { value, .. }) => errors.ok(value.base10_parse()).unwrap_or(position),
        None => position,
    }
}

fn name(attributes: &Attributes, plain: String) -> String {
    attributes.rename.as_ref().map_or(plain, |rename| rename.value.value())
}

/// The same place and the same name, but as the derive's own token: the compiler's lints about deprecated items do
/// not look at those.
fn respan(ident: &Ident) -> Ident {
    let mut ident = ident.clone();
    ident.set_span(ident.span().resolved_at(Span::call_site()));
    ident
}

/// Whether one of the words stands in an attribute.
fn mentions(attribute: &Attribute, word: &str) -> bool {
    fn within(tokens: TokenStream, word: &str) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == word,
            TokenTree::Group(group) => within(group.stream(), word),
            _ => false,
        })
    }
    within(attribute.meta.to_token_stream(), word)
}

fn is_deprecated(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("deprecated"))
}

fn allows_deprecated(attributes: &[Attribute]) -> bool {
    let lint =
        |attribute: &&Attribute| attribute.path().is_ident("allow") || attribute.path().is_ident("expect");
    attributes.iter().filter(lint).any(|attribute| mentions(attribute, "deprecated"))
}

fn repr(attributes: &[Attribute]) -> Repr {
    let mut repr = Repr::default();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("repr")) {
        repr.c |= mentions(attribute, "C");
        repr.transparent |= mentions(attribute, "transparent");
        repr.packed |= mentions(attribute, "packed");
    }
    repr
}
