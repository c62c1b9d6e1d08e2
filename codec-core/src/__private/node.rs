//! Schemas from tables, so that the derive's output is data and not code.

use super::probe::Via;
use crate::encode::Encode;
use crate::schema::{FieldNode, Node, NodeId, SchemaBuilder, VariantNode};

/// Describes the type of a field.
pub type Describe = fn(&mut SchemaBuilder) -> NodeId;

/// The fields of a struct or a variant: names and types.
pub type Fields<'t> = &'t [(&'t str, Describe)];

/// The node of a type.
pub fn node<T: Encode>(types: &mut SchemaBuilder) -> NodeId {
    types.node::<T>()
}

/// The node of a field that travels as its probe found out.
pub fn node_via<V: Via>(types: &mut SchemaBuilder, _: V) -> NodeId {
    types.node::<V::As>()
}

/// The node of a field whose codec stands beside its type.
pub fn opaque_node(types: &mut SchemaBuilder) -> NodeId {
    types.anonymous(Node::Opaque)
}

fn fields(types: &mut SchemaBuilder, fields: Fields<'_>) -> alloc::vec::Vec<FieldNode> {
    fields.iter().map(|(name, describe)| FieldNode { name: (*name).into(), node: describe(types) }).collect()
}

/// The node of a struct.
#[must_use]
pub fn struct_node(types: &mut SchemaBuilder, table: Fields<'_>) -> Node {
    Node::Struct(fields(types, table))
}

/// The node of an enum whose tag has `bits` bits: names, tags and fields of its variants.
#[must_use]
pub fn enum_node(types: &mut SchemaBuilder, bits: u8, table: &[(&str, u32, Fields<'_>)]) -> Node {
    let variant = |(name, tag, table): &(&str, u32, Fields<'_>)| VariantNode {
        name: (*name).into(),
        tag: *tag,
        fields: fields(types, table),
    };
    Node::Enum { bits, variants: table.iter().map(variant).collect() }
}
