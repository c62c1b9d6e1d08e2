//! Collects the nodes of a schema, each type once.
//!
//! The invariant: a type whose codec is hand-written stands behind a pointer, because all that it writes stands in the
//! tail of the row around it; so that equal text is equal encoding, whoever wrote the codec.

use alloc::vec::Vec;
use core::any::TypeId;

use super::{FieldNode, Node, NodeId};
use crate::encode::Encode;
use crate::raw::whole::EncodeWhole as _;

/// Collects the nodes of a schema, each type once.
#[derive(Debug, Default)]
pub struct SchemaBuilder {
    types: Vec<(TypeId, NodeId)>,
    nodes: Vec<Node>,
}

impl SchemaBuilder {
    /// The node of `T`.
    pub fn node<T: Encode + ?Sized>(&mut self) -> NodeId {
        T::schema_node(self)
    }

    /// [`node`](Self::node) for pointers: compiled once, and not for every type.
    #[inline(never)]
    pub(crate) fn node_of(&mut self, key: TypeId, describe: fn(&mut Self) -> Node, by_hand: bool) -> NodeId {
        self.node_with(key, |types| match describe(types) {
            node @ (Node::Opaque | Node::Bulk(_) | Node::Pointer(_)) => node,
            node if by_hand => Node::Pointer(types.anonymous(node)),
            node => node,
        })
    }

    /// The node of a type that is described by `describe`, for codecs that stand beside their type.
    pub fn node_with(&mut self, key: TypeId, describe: impl FnOnce(&mut Self) -> Node) -> NodeId {
        if let Some((_, known)) = self.types.iter().find(|(known, _)| *known == key) {
            return *known;
        }
        let id = NodeId(self.nodes.len());
        self.types.push((key, id));
        self.nodes.push(Node::Opaque);
        let node = describe(self);
        self.nodes[id.0] = node;
        id
    }

    /// A node without a type of its own.
    pub fn anonymous(&mut self, node: Node) -> NodeId {
        let id = NodeId(self.nodes.len());
        self.nodes.push(node);
        id
    }

    /// A field of type `T`, whose head stands among the heads of the fields beside it.
    pub fn field<T: Encode + ?Sized>(&mut self, name: &str) -> FieldNode {
        FieldNode { name: name.into(), node: self.node::<T>() }
    }

    /// A field of type `T` that stands complete where the field before it ends: what a hand-written codec writes by
    /// `writer.encode(&self.field)`.
    ///
    /// ```
    /// use podwire_codec_core::schema::{Node, SchemaBuilder, schema_of};
    /// use podwire_codec_core::{Encode, Result, Writer, to_vec};
    ///
    /// struct Label { text: String, size: u8 }
    ///
    /// impl Encode for Label {
    ///     fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
    ///         writer.encode(&self.text)?;
    ///         writer.encode(&self.size)
    ///     }
    ///
    ///     fn schema(types: &mut SchemaBuilder) -> Node {
    ///         Node::Struct(vec![types.part::<String>("text"), types.part::<u8>("size")])
    ///     }
    /// }
    ///
    /// let schema = schema_of::<Label>();
    /// assert_eq!(schema.to_string(), "*struct{text:*text,size:*u8}");
    /// let value = schema.from_slice(&to_vec(&Label { text: "door".into(), size: 12 })?)?;
    /// assert_eq!(value.to_string(), r#"{text: "door", size: 12}"#);
    /// # Ok::<(), podwire_codec_core::Error>(())
    /// ```
    pub fn part<T: Encode + ?Sized>(&mut self, name: &str) -> FieldNode {
        let node = self.node::<T>();
        FieldNode { name: name.into(), node: self.anonymous(Node::Pointer(node)) }
    }

    pub(super) fn into_nodes(self) -> Vec<Node> {
        self.nodes
    }
}
