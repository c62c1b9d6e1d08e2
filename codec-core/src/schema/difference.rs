//! The first difference between two schemas, by the way to it.
//!
//! The invariant: if the texts differ there is a difference; and finding it takes bounded time and stack, whoever wrote
//! the other schema.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::disagreement::Disagreement;
use super::text;
use super::trail::{self, Step};
use super::{FieldNode, Node, NodeId, Schema, VariantNode};

/// The first difference between what a build expects and what it found.
///
/// ```
/// use podwire_codec_core::schema::Schema;
///
/// let ours: Schema = "struct{frames:[struct{stamp:u64,gain:f32}]}".parse()?;
/// let theirs: Schema = "struct{frames:[struct{stamp:u32,gain:f32}]}".parse()?;
/// let difference = ours.difference(&theirs).unwrap();
/// assert_eq!(difference.path, "frames[].stamp");
/// assert_eq!(difference.to_string(), "frames[].stamp: expected u64, found u32");
/// # Ok::<(), podwire_codec_core::schema::SchemaError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The way to where they differ, such as `frames[].stamp`; empty for the type itself.
    pub path: String,
    /// What is different there.
    pub what: Disagreement,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(out, "{}: ", self.path)?;
        }
        write!(out, "{}", self.what)
    }
}

/// Pairs of types that are compared at most.
const PAIRS: usize = 100_000;

impl Schema {
    /// The first difference to `other`, in the order of declaration, and of a struct's or an enum's names before what
    /// is in them; this schema is what is expected. Nothing if they are equal.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<Difference> {
        if self == other {
            return None;
        }
        let mut search = Search { ours: self, theirs: other, ways: Vec::new(), todo: Vec::new() };
        let (way, what) = search.first();
        let path = trail::path(search.steps(way).into_iter());
        Some(Difference { path, what })
    }
}

/// Two types that are to be compared, and the way to them.
type Pair = (NodeId, NodeId, Option<usize>);

struct Search<'s> {
    ours: &'s Schema,
    theirs: &'s Schema,
    /// Steps, each with the one before it.
    ways: Vec<(Option<usize>, Step<'s>)>,
    /// What is not compared yet, the next one last.
    todo: Vec<Pair>,
}

impl<'s> Search<'s> {
    /// The first difference and the way to it.
    fn first(&mut self) -> (Option<usize>, Disagreement) {
        let mut seen = BTreeSet::new();
        self.todo.push((self.ours.root(), self.theirs.root(), None));
        while let Some((ours, theirs, way)) = self.todo.pop() {
            if seen.len() < PAIRS && seen.insert((ours, theirs)) {
                let before = self.todo.len();
                if let Some(found) = self.compare(ours, theirs, way) {
                    return found;
                }
                // The first part is to be compared first.
                self.todo[before..].reverse();
            }
        }
        (None, Disagreement::Recursion)
    }

    /// Compares two types, and leaves their parts to be compared.
    fn compare(
        &mut self,
        ours: NodeId,
        theirs: NodeId,
        way: Option<usize>,
    ) -> Option<(Option<usize>, Disagreement)> {
        let (expected, found) = (self.ours, self.theirs);
        match (expected.node(ours), found.node(theirs)) {
            (Node::Sequence(a), Node::Sequence(b)) | (Node::Bulk(a), Node::Bulk(b)) => {
                self.step(way, Step::Element, *a, *b);
            }
            (Node::Array(a, expected), Node::Array(b, found)) => {
                if expected != found {
                    return Some((way, Disagreement::Length { expected: *expected, found: *found }));
                }
                self.step(way, Step::Element, *a, *b);
            }
            (Node::Map(key, value), Node::Map(other_key, other_value)) => {
                self.step(way, Step::Key, *key, *other_key);
                self.step(way, Step::Value, *value, *other_value);
            }
            (Node::Option(a), Node::Option(b)) | (Node::Pointer(a), Node::Pointer(b)) => {
                self.todo.push((*a, *b, way));
            }
            (Node::Struct(a), Node::Struct(b)) => return self.fields(a, b, way),
            (Node::Enum { bits: a, variants }, Node::Enum { bits: b, variants: others }) => {
                if a != b {
                    return Some((way, Disagreement::TagWidth { expected: *a, found: *b }));
                }
                return self.variants(variants, others, way);
            }
            (a, b) if a == b && !matches!(a, Node::Struct(_) | Node::Enum { .. }) => {}
            _ => {
                let expected = brief(expected, ours);
                return Some((way, Disagreement::Type { expected, found: brief(found, theirs) }));
            }
        }
        None
    }

    /// Fields are compared by name first, and then one by one.
    fn fields(
        &mut self,
        ours: &'s [FieldNode],
        theirs: &'s [FieldNode],
        way: Option<usize>,
    ) -> Option<(Option<usize>, Disagreement)> {
        let odd = odd(ours.iter().map(|field| &*field.name), theirs.iter().map(|field| &*field.name));
        if let Some(odd) = odd {
            let what = match odd {
                Odd::Missing(name) => Disagreement::MissingField { name },
                Odd::Unexpected(name) => Disagreement::UnexpectedField { name },
                Odd::Other(expected, found) => Disagreement::FieldOrder { expected, found },
            };
            return Some((way, what));
        }
        for (a, b) in ours.iter().zip(theirs) {
            self.step(way, Step::Field(&a.name), a.node, b.node);
        }
        None
    }

    /// Variants are compared by name and tag first, and then one by one.
    fn variants(
        &mut self,
        ours: &'s [VariantNode],
        theirs: &'s [VariantNode],
        way: Option<usize>,
    ) -> Option<(Option<usize>, Disagreement)> {
        let odd = odd(ours.iter().map(|variant| &*variant.name), theirs.iter().map(|variant| &*variant.name));
        if let Some(odd) = odd {
            let what = match odd {
                Odd::Missing(name) => Disagreement::MissingVariant { name },
                Odd::Unexpected(name) => Disagreement::UnexpectedVariant { name },
                Odd::Other(expected, found) => Disagreement::VariantOrder { expected, found },
            };
            return Some((way, what));
        }
        if let Some((a, b)) = ours.iter().zip(theirs).find(|(a, b)| a.tag != b.tag) {
            let name = trail::shown(&a.name);
            return Some((way, Disagreement::Tag { name, expected: a.tag, found: b.tag }));
        }
        for (a, b) in ours.iter().zip(theirs) {
            let within = self.way(way, Step::Variant(&a.name));
            if let Some(found) = self.fields(&a.fields, &b.fields, within) {
                return Some(found);
            }
        }
        None
    }

    fn way(&mut self, before: Option<usize>, step: Step<'s>) -> Option<usize> {
        self.ways.push((before, step));
        Some(self.ways.len() - 1)
    }

    fn step(&mut self, before: Option<usize>, step: Step<'s>, ours: NodeId, theirs: NodeId) {
        let way = self.way(before, step);
        self.todo.push((ours, theirs, way));
    }

    /// The steps of a way, from the outside in.
    fn steps(&self, mut way: Option<usize>) -> Vec<Step<'s>> {
        let mut steps = Vec::new();
        while let Some((before, step)) = way.and_then(|at| self.ways.get(at)) {
            steps.push(*step);
            way = *before;
        }
        steps.reverse();
        steps
    }
}

/// How two lists of names differ first.
enum Odd {
    Missing(String),
    Unexpected(String),
    /// One stands where the other was expected.
    Other(String, String),
}

fn odd<'n>(
    ours: impl ExactSizeIterator<Item = &'n str> + Clone,
    theirs: impl ExactSizeIterator<Item = &'n str> + Clone,
) -> Option<Odd> {
    let as_many = ours.len() == theirs.len();
    let (mut a, mut b) = (ours.clone(), theirs.clone());
    loop {
        return match (a.next(), b.next()) {
            (None, None) => None,
            (Some(name), None) => Some(Odd::Missing(trail::shown(name))),
            (None, Some(name)) => Some(Odd::Unexpected(trail::shown(name))),
            (Some(a), Some(b)) if a == b => continue,
            (Some(a), Some(b)) => {
                let missing = !theirs.clone().any(|name| name == a);
                let unexpected = !ours.clone().any(|name| name == b);
                Some(match (missing, unexpected) {
                    (true, false) => Odd::Missing(trail::shown(a)),
                    (false, true) => Odd::Unexpected(trail::shown(b)),
                    (true, true) if !as_many => Odd::Missing(trail::shown(a)),
                    _ => Odd::Other(trail::shown(a), trail::shown(b)),
                })
            }
        };
    }
}

/// The text of a type, short enough for a line.
fn brief(schema: &Schema, id: NodeId) -> String {
    match schema.node(id) {
        Node::Struct(_) => "a struct".into(),
        Node::Enum { .. } => "an enum".into(),
        _ => trail::shown(&text::beginning(&schema.parts.nodes, id, trail::SHORT)),
    }
}
