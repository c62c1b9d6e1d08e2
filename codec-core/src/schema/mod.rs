//! What a type's encoding is made of, in a form that two builds can compare.
//!
//! A schema is a list of nodes; a node refers to others by number, so a recursive type is finite. The invariant: a
//! schema's text is canonical, and equal text means equal encoding; the fingerprint is a hash of the text
//! (`docs/wire-format.md`).
//!
//! A schema is enough to read a value whose Rust type nobody here has: [`Schema::decode`] gives a [`Value`].

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::encode::Encode;

mod build;
mod builder;
mod difference;
mod disagreement;
mod elements;
mod error;
mod head;
mod make;
mod parse;
mod print;
mod record;
mod shape;
mod skip;
mod text;
mod trail;
mod value;
mod walk;

pub use builder::SchemaBuilder;
pub use difference::Difference;
pub use disagreement::Disagreement;
pub use elements::Elements;
pub use error::SchemaError;
pub use print::{PrintLimits, Printed};
pub use record::Record;
pub use value::Value;

use shape::Shape;

/// The number of a node within its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(usize);

/// A field of a struct, a tuple or a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldNode {
    /// The field's name; its number where it has none.
    pub name: String,
    /// The field's type.
    pub node: NodeId,
}

/// A variant of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantNode {
    /// The variant's name.
    pub name: String,
    /// The tag that stands for it.
    pub tag: u32,
    /// Its fields.
    pub fields: Vec<FieldNode>,
}

/// The shape of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Node {
    /// A fixed-size scalar, by its name: `u8` to `i128`, `f16`, `bf16`, `f32`, `f64`, `bool`, `char`.
    Scalar(&'static str),
    /// Text in UTF-8.
    Text,
    /// A count and as many elements: vectors, slices, sets.
    Sequence(NodeId),
    /// A count and as many keys with values.
    Map(NodeId, NodeId),
    /// So many elements.
    Array(NodeId, u64),
    /// Nothing or a value.
    Option(NodeId),
    /// A value behind a pointer, which stands wholly in the tail.
    Pointer(NodeId),
    /// Elements that travel inline or in a segment.
    Bulk(NodeId),
    /// Fields in order.
    Struct(Vec<FieldNode>),
    /// A tag of so many bits, and the fields of its variant.
    Enum {
        /// Width of the tag: 8, 16 or 32.
        bits: u8,
        /// The variants, in declaration order.
        variants: Vec<VariantNode>,
    },
    /// Plain bytes of a type that has no codec: its size.
    Pod(u64),
    /// A hand-written codec that does not describe itself.
    Opaque,
}

/// The description of a type's encoding.
///
/// Its text is one line; `{:#}` writes it for readers. The text can be parsed again, and a schema can travel as a value:
/// as its text.
///
/// ```
/// use podwire_codec_core::schema::{Schema, schema_of};
///
/// let schema = schema_of::<Vec<(u8, Option<String>)>>();
/// assert_eq!(schema.to_string(), "[struct{0:u8,1:?text}]");
/// assert_eq!(schema.to_string().parse::<Schema>()?, schema);
/// assert_ne!(schema.fingerprint(), schema_of::<Vec<(u16, Option<String>)>>().fingerprint());
///
/// let readable = "\
/// [struct {
///     0: u8,
///     1: ?text,
/// }]";
/// assert_eq!(format!("{schema:#}"), readable);
/// # Ok::<(), podwire_codec_core::schema::SchemaError>(())
/// ```
#[derive(Clone)]
pub struct Schema {
    parts: Arc<Parts>,
}

struct Parts {
    text: String,
    fingerprint: u64,
    nodes: Vec<Node>,
    /// What is known of the encoding of each node.
    shapes: Vec<Shape>,
    /// For each enum its tags, sorted, each with the number of its variant; nothing for other nodes.
    tags: Vec<Vec<(u32, usize)>>,
    root: NodeId,
}

/// Describes `T`.
#[must_use]
pub fn schema_of<T: Encode + ?Sized>() -> Schema {
    Schema::of(SchemaBuilder::node::<T>)
}

impl Schema {
    /// The description that `describe` gives.
    pub fn of(describe: impl FnOnce(&mut SchemaBuilder) -> NodeId) -> Self {
        let mut types = SchemaBuilder::default();
        let root = describe(&mut types);
        let nodes = types.into_nodes();
        Self::new(nodes, root)
    }

    fn new(nodes: Vec<Node>, root: NodeId) -> Self {
        let text = text::canonical(&nodes, root);
        let shapes = shape::shapes(&nodes);
        let tags = nodes.iter().map(tags).collect();
        Self { parts: Arc::new(Parts { fingerprint: hash(&text), text, nodes, shapes, tags, root }) }
    }

    /// The node from which the description starts.
    #[must_use]
    pub fn root(&self) -> NodeId {
        self.parts.root
    }

    /// The shape with this number.
    ///
    /// # Panics
    ///
    /// If the number belongs to another schema.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.parts.nodes[id.0]
    }

    /// The canonical text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.parts.text
    }

    /// A hash of the canonical text: 64-bit FNV-1a.
    ///
    /// Names of fields and variants, their order, their types and widths count; the name of a type does not, nor how
    /// its owner holds it: `docs/wire-format.md` lists what changes a fingerprint and what does not.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.parts.fingerprint
    }

    fn shape(&self, id: NodeId) -> Shape {
        self.parts.shapes[id.0]
    }

    /// The fields of a struct, or of an enum's variant.
    fn fields(&self, id: NodeId, variant: Option<usize>) -> &[FieldNode] {
        match (self.node(id), variant) {
            (Node::Struct(fields), _) => fields,
            (Node::Enum { variants, .. }, Some(number)) => {
                variants.get(number).map_or(&[], |variant| &variant.fields)
            }
            _ => &[],
        }
    }

    /// The number of the variant that has this tag.
    fn variant(&self, id: NodeId, tag: u32) -> Option<usize> {
        let tags = &self.parts.tags[id.0];
        // In nearly all enums the variants count from 0.
        match tags.get(tag as usize) {
            Some((known, number)) if *known == tag => Some(*number),
            _ => tags.binary_search_by_key(&tag, |(tag, _)| *tag).ok().map(|at| tags[at].1),
        }
    }
}

fn tags(node: &Node) -> Vec<(u32, usize)> {
    let Node::Enum { variants, .. } = node else { return Vec::new() };
    let mut tags: Vec<_> =
        variants.iter().enumerate().map(|(number, variant)| (variant.tag, number)).collect();
    tags.sort_unstable();
    tags
}

/// 64-bit FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl PartialEq for Schema {
    /// Equal text is equal encoding.
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Schema {}

impl core::hash::Hash for Schema {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.parts.fingerprint.hash(state);
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if out.alternate() {
            text::readable(&self.parts.nodes, self.root(), out)
        } else {
            out.write_str(self.text())
        }
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Schema({self})")
    }
}
