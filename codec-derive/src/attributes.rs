//! What `#[codec(...)]` can say, and where.
//!
//! Every name stands once, in [`NAMES`]. A list is read entry by entry: a bad entry is an error, and the next one is
//! read all the same.

use proc_macro2::TokenTree;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, LitInt, LitStr, Meta, Path, Token, WherePredicate, parenthesized};

use crate::errors::Errors;

/// Where an attribute stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Type,
    Variant,
    Field,
}

/// The names, the levels they belong to, and how they are written.
const NAMES: &[(&str, Level, &str)] = &[
    ("register", Level::Type, "register"),
    ("name", Level::Type, "name = \"...\""),
    ("trivial", Level::Type, "trivial"),
    ("bound", Level::Type, "bound(T: Bound, ...)"),
    ("crate", Level::Type, "crate = path"),
    ("tag", Level::Type, "tag(u8 | u16 | u32)"),
    ("tag", Level::Variant, "tag = number"),
    ("rename", Level::Variant, "rename = \"...\""),
    ("pod", Level::Field, "pod"),
    ("with", Level::Field, "with = module"),
    ("skip", Level::Field, "skip"),
    ("default", Level::Field, "default = function"),
    ("borrow", Level::Field, "borrow"),
    ("rename", Level::Field, "rename = \"...\""),
];

/// A value with the name before it, which is where errors about it point.
pub(crate) struct Said<T> {
    pub(crate) name: Ident,
    pub(crate) value: T,
}

/// What is said, at whatever level; [`read`] admits only what belongs there.
#[derive(Default)]
pub(crate) struct Attributes {
    pub(crate) register: Option<Said<()>>,
    pub(crate) name: Option<Said<LitStr>>,
    pub(crate) trivial: Option<Said<()>>,
    pub(crate) bound: Option<Said<Punctuated<WherePredicate, Token![,]>>>,
    pub(crate) krate: Option<Said<Path>>,
    /// Width of the tag in bytes.
    pub(crate) width: Option<Said<u32>>,
    pub(crate) tag: Option<Said<LitInt>>,
    pub(crate) rename: Option<Said<LitStr>>,
    pub(crate) pod: Option<Said<()>>,
    pub(crate) with: Option<Said<Path>>,
    pub(crate) skip: Option<Said<()>>,
    pub(crate) default: Option<Said<Option<Path>>>,
    pub(crate) borrow: Option<Said<()>>,
}

/// Reads all `#[codec(...)]` of a type, a variant or a field.
pub(crate) fn read(attributes: &[Attribute], level: Level, errors: &mut Errors) -> Attributes {
    let mut all = Attributes::default();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("codec")) {
        match &attribute.meta {
            Meta::List(list) => {
                let read = |input: ParseStream<'_>| {
                    entries(input, level, &mut all, errors);
                    Ok(())
                };
                let read = read.parse2(list.tokens.clone());
                errors.ok(read);
            }
            meta => errors.at(meta, format!("write `#[codec(...)]`; {}", valid(level))),
        }
    }
    all
}

/// Reads entries until the end of the list.
fn entries(input: ParseStream<'_>, level: Level, all: &mut Attributes, errors: &mut Errors) {
    while !input.is_empty() {
        let entry = entry(input, level, all);
        let failed = errors.ok(entry).is_none();
        if failed {
            skip_to_comma(input);
        } else if !input.is_empty() && !input.peek(Token![,]) {
            errors.add(input.error("write `,` between two attributes"));
            skip_to_comma(input);
        }
        let _ = input.parse::<Option<Token![,]>>();
    }
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _ = input.parse::<TokenTree>();
    }
}

/// Reads one entry.
fn entry(input: ParseStream<'_>, level: Level, all: &mut Attributes) -> syn::Result<()> {
    let name = input.call(Ident::parse_any);
    let name =
        name.map_err(|error| syn::Error::new(error.span(), format!("expected a name; {}", valid(level))))?;
    let text = name.to_string();
    if !NAMES.iter().any(|known| (known.0, known.1) == (&*text, level)) {
        return Err(syn::Error::new(name.span(), unknown(&text, level)));
    }
    match &*text {
        "register" => flag(&mut all.register, name, input),
        "trivial" => flag(&mut all.trivial, name, input),
        "pod" => flag(&mut all.pod, name, input),
        "skip" => flag(&mut all.skip, name, input),
        "borrow" => flag(&mut all.borrow, name, input),
        "name" => value(&mut all.name, name, input, literal),
        "rename" => value(&mut all.rename, name, input, literal),
        "crate" => {
            value(&mut all.krate, name, input, |input| path(input, "the path of podwire: `crate = path`"))
        }
        "with" => {
            value(&mut all.with, name, input, |input| path(input, "the path of a module: `with = module`"))
        }
        "default" if !input.peek(Token![=]) => set(&mut all.default, name, None),
        "default" => value(&mut all.default, name, input, |input| {
            path(input, "the path of a function that makes the value: `default = function`").map(Some)
        }),
        "bound" => {
            if !input.peek(syn::token::Paren) {
                let message = "write the bounds in parentheses: `bound(T: Bound, ...)`";
                return Err(syn::Error::new(name.span(), message));
            }
            let predicates;
            parenthesized!(predicates in input);
            set(&mut all.bound, name, predicates.parse_terminated(WherePredicate::parse, Token![,])?)
        }
        "tag" if level == Level::Variant => value(&mut all.tag, name, input, number),
        "tag" => {
            if !input.peek(syn::token::Paren) {
                return Err(syn::Error::new(name.span(), "write the width in parentheses: `tag(u16)`"));
            }
            let width;
            parenthesized!(width in input);
            let bits: Ident = width.parse()?;
            let bytes = match &*bits.to_string() {
                "u8" => 1,
                "u16" => 2,
                "u32" => 4,
                _ => return Err(syn::Error::new(bits.span(), "write `u8`, `u16` or `u32`")),
            };
            set(&mut all.width, name, bytes)
        }
        _ => unreachable!("every name of the list is read"),
    }
}

fn set<T>(slot: &mut Option<Said<T>>, name: Ident, value: T) -> syn::Result<()> {
    if slot.is_some() {
        return Err(syn::Error::new(name.span(), format!("`{name}` is said twice")));
    }
    *slot = Some(Said { name, value });
    Ok(())
}

fn flag(slot: &mut Option<Said<()>>, name: Ident, input: ParseStream<'_>) -> syn::Result<()> {
    if !input.is_empty() && !input.peek(Token![,]) {
        let instead = if name == "register" { "; to give a name, write `name = \"...\"`" } else { "" };
        return Err(syn::Error::new(name.span(), format!("`{name}` takes no value{instead}")));
    }
    set(slot, name, ())
}

fn value<T>(
    slot: &mut Option<Said<T>>,
    name: Ident,
    input: ParseStream<'_>,
    read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<()> {
    if !input.peek(Token![=]) {
        let text = name.to_string();
        let known = NAMES.iter().find(|known| known.0 == text && known.2.contains('='));
        let how = known.map_or(&*text, |known| known.2);
        return Err(syn::Error::new(name.span(), format!("`{name}` needs a value: `{how}`")));
    }
    input.parse::<Token![=]>()?;
    let value = read(input)?;
    set(slot, name, value)
}

fn literal(input: ParseStream<'_>) -> syn::Result<LitStr> {
    input.parse().map_err(|error| syn::Error::new(error.span(), "write a text in quotes: `\"...\"`"))
}

fn number(input: ParseStream<'_>) -> syn::Result<LitInt> {
    const WANTED: &str = "write a whole number from 0 to 4294967295";
    let literal: LitInt = input.parse().map_err(|error| syn::Error::new(error.span(), WANTED))?;
    literal.base10_parse::<u32>().map_err(|_| syn::Error::new(literal.span(), WANTED))?;
    Ok(literal)
}

fn path(input: ParseStream<'_>, wanted: &str) -> syn::Result<Path> {
    if let Ok(text) = input.fork().parse::<LitStr>() {
        let _ = input.parse::<LitStr>();
        let message = format!("write the path without quotes: `{}`", text.value());
        return Err(syn::Error::new(text.span(), message));
    }
    let span = input.span();
    let path = Path::parse(input).ok().filter(|_| input.is_empty() || input.peek(Token![,]));
    path.ok_or_else(|| syn::Error::new(span, format!("write {wanted}")))
}

/// The message for a name that does not belong here.
fn unknown(name: &str, level: Level) -> String {
    let places: Vec<_> = NAMES.iter().filter(|known| known.0 == name).map(|known| noun(known.1)).collect();
    if !places.is_empty() {
        let places = places.join(" or a ");
        return format!("`{name}` belongs on a {places}, not on a {}; {}", noun(level), valid(level));
    }
    let nearest = NAMES.iter().filter(|known| known.1 == level).min_by_key(|known| distance(name, known.0));
    match nearest.filter(|known| distance(name, known.0) <= 2.max(known.0.len() / 3)) {
        Some(known) => format!("unknown attribute `{name}`: did you mean `{}`? {}", known.0, valid(level)),
        None => format!("unknown attribute `{name}`; {}", valid(level)),
    }
}

fn noun(level: Level) -> &'static str {
    match level {
        Level::Type => "type",
        Level::Variant => "variant",
        Level::Field => "field",
    }
}

/// The list of what may stand here.
fn valid(level: Level) -> String {
    let names = NAMES.iter().filter(|known| known.1 == level).map(|known| format!("`{}`", known.2));
    format!("on a {} there can be {}", noun(level), names.collect::<Vec<_>>().join(", "))
}

/// How many letters have to be changed, added or taken away: Levenshtein's distance.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (number, letter) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = number + 1;
        for (at, other) in to.bytes().enumerate() {
            let change = diagonal + usize::from(letter != other);
            diagonal = row[at + 1];
            row[at + 1] = change.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}
