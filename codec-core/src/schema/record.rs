//! The fields of a struct, a tuple, or an enum's variant, by name.
//!
//! The invariant: there are as many values as the schema names fields, in the same order.

use alloc::vec::Vec;

use super::{FieldNode, Node, NodeId, Schema, Value};

/// The fields of a struct, a tuple, or of an enum's variant.
#[derive(Clone)]
pub struct Record {
    schema: Schema,
    node: NodeId,
    variant: Option<usize>,
    values: Vec<Value>,
}

impl Record {
    pub(super) fn new(schema: &Schema, node: NodeId, variant: Option<usize>, values: Vec<Value>) -> Self {
        Self { schema: schema.clone(), node, variant, values }
    }

    fn described(&self) -> &[FieldNode] {
        self.schema.fields(self.node, self.variant)
    }

    /// Name of the variant, if this is one of an enum.
    #[must_use]
    pub fn variant(&self) -> Option<&str> {
        match self.schema.node(self.node) {
            Node::Enum { variants, .. } => variants.get(self.variant?).map(|variant| variant.name.as_str()),
            _ => None,
        }
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Names and values, in declaration order.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.described().iter().map(|field| field.name.as_str()).zip(&self.values)
    }

    /// The values, in declaration order.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// Whether the fields have numbers for names: a tuple's.
    pub(super) fn is_tuple(&self) -> bool {
        let numbered = |(number, field): (usize, &FieldNode)| field.name.parse() == Ok(number);
        self.described().iter().enumerate().all(numbered)
    }
}

impl PartialEq for Record {
    /// Names and values count.
    fn eq(&self, other: &Self) -> bool {
        self.variant() == other.variant() && self.fields().eq(other.fields())
    }
}

impl core::fmt::Debug for Record {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut shown = f.debug_struct(self.variant().unwrap_or("Record"));
        for (name, value) in self.fields() {
            shown.field(name, value);
        }
        shown.finish()
    }
}
