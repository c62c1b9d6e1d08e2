//! How large the heads of a schema's types are: what a writer must know before it writes.
//!
//! Invariant: the sizes are those of `docs/wire-format.md`, section 1; a schema that was parsed has no endless ones.

use std::collections::{HashMap, HashSet};

use podwire_codec_core::schema::{FieldNode, Node, NodeId, Schema};

/// What is known of one type.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    /// Bytes of the head.
    pub(crate) size: usize,
    /// Whether anything can follow it.
    pub(crate) tail: bool,
}

/// The heads of all types of a schema.
pub(crate) struct Heads(HashMap<NodeId, Head>);

impl Heads {
    pub(crate) fn new(schema: &Schema) -> Self {
        let mut heads = Self(HashMap::new());
        let (mut seen, mut todo) = (HashSet::new(), vec![schema.root()]);
        while let Some(id) = todo.pop() {
            if seen.insert(id) {
                heads.visit(schema, id);
                todo.extend(parts(schema.node(id)));
            }
        }
        heads
    }

    pub(crate) fn of(&self, id: NodeId) -> Head {
        self.0.get(&id).copied().unwrap_or(Head { size: 0, tail: true })
    }

    /// Bytes of the heads of fields.
    pub(crate) fn row(&self, fields: &[FieldNode]) -> usize {
        fields.iter().fold(0, |size, field| size.saturating_add(self.of(field.node).size))
    }

    /// The head of one type. Only structs and arrays have the heads of others in their own, and these end.
    fn visit(&mut self, schema: &Schema, id: NodeId) -> Head {
        if let Some(known) = self.0.get(&id) {
            return *known;
        }
        let fixed = |size, tail| Head { size, tail };
        let head = match schema.node(id) {
            Node::Text | Node::Sequence(_) | Node::Map(..) => fixed(4, true),
            Node::Option(_) => fixed(1, true),
            Node::Enum { bits, variants } => {
                let tail = variants.iter().any(|variant| !variant.fields.is_empty());
                fixed(usize::from(bits / 8), tail)
            }
            Node::Scalar(name) => fixed(scalar(name), false),
            Node::Pod(size) => fixed(usize::try_from(*size).unwrap_or(usize::MAX), false),
            Node::Array(element, count) => {
                let element = self.visit(schema, *element);
                let count = usize::try_from(*count).unwrap_or(usize::MAX);
                fixed(element.size.saturating_mul(count), element.tail && count > 0)
            }
            Node::Struct(fields) => fields.iter().fold(fixed(0, false), |row, field| {
                let part = self.visit(schema, field.node);
                fixed(row.size.saturating_add(part.size), row.tail || part.tail)
            }),
            _ => fixed(0, true),
        };
        self.0.insert(id, head);
        head
    }
}

/// The types that a type is made of.
fn parts(node: &Node) -> Vec<NodeId> {
    let of = |fields: &[FieldNode]| fields.iter().map(|field| field.node).collect::<Vec<_>>();
    match node {
        Node::Sequence(inner) | Node::Option(inner) | Node::Pointer(inner) | Node::Bulk(inner) => {
            vec![*inner]
        }
        Node::Array(inner, _) => vec![*inner],
        Node::Map(key, value) => vec![*key, *value],
        Node::Struct(fields) => of(fields),
        Node::Enum { variants, .. } => variants.iter().flat_map(|variant| of(&variant.fields)).collect(),
        _ => Vec::new(),
    }
}

/// Bytes of a scalar.
pub(crate) fn scalar(name: &str) -> usize {
    match name {
        "u8" | "i8" | "bool" => 1,
        "u16" | "i16" | "f16" | "bf16" => 2,
        "u64" | "i64" | "f64" => 8,
        "u128" | "i128" => 16,
        _ => 4,
    }
}
