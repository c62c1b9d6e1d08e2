//! What a type's encoding is made of, in a form that two builds can compare.
//!
//! A schema is a list of nodes; a node refers to others by number, so a recursive type is finite. Its text is
//! canonical: equal text means equal encoding, and the fingerprint is a hash of the text (`docs/wire-format.md`).

use alloc::string::String;
use alloc::vec::Vec;
use core::any::TypeId;
use core::fmt;

use crate::encode::Encode;

/// The number of a node within its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// A fixed-size scalar, by its name: `u8` to `i128`, `f32`, `f64`, `bool`, `char`.
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

/// Collects the nodes of a schema, each type once.
#[derive(Debug, Default)]
pub struct SchemaBuilder {
    types: Vec<(TypeId, NodeId)>,
    nodes: Vec<Node>,
}

impl SchemaBuilder {
    /// The node of `T`.
    pub fn node<T: Encode + ?Sized>(&mut self) -> NodeId {
        self.known_or(T::schema_key(), T::schema)
    }

    /// [`node_with`](Self::node_with) for a pointer: compiled once, and not for every type.
    #[inline(never)]
    fn known_or(&mut self, key: TypeId, describe: fn(&mut Self) -> Node) -> NodeId {
        self.node_with(key, describe)
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

    /// A field of type `T`.
    pub fn field<T: Encode + ?Sized>(&mut self, name: &str) -> FieldNode {
        FieldNode { name: name.into(), node: self.node::<T>() }
    }
}

/// The description of a type's encoding.
///
/// ```
/// use podwire_codec_core::schema::schema_of;
///
/// let schema = schema_of::<Vec<(u8, Option<String>)>>();
/// assert_eq!(schema.to_string(), "[struct{0:u8,1:?text}]");
/// assert_ne!(schema.fingerprint(), schema_of::<Vec<(u16, Option<String>)>>().fingerprint());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    nodes: Vec<Node>,
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
        Self { nodes: types.nodes, root }
    }

    /// The node from which the description starts.
    #[must_use]
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// The shape with this number.
    ///
    /// # Panics
    ///
    /// If the number belongs to another schema.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// A hash of the canonical text: 64-bit FNV-1a.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        /// Hashes what is written to it.
        struct Hash(u64);
        impl fmt::Write for Hash {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                for byte in text.bytes() {
                    self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
                }
                Ok(())
            }
        }
        let mut hash = Hash(0xcbf2_9ce4_8422_2325);
        let written = fmt::Write::write_fmt(&mut hash, format_args!("{self}"));
        debug_assert!(written.is_ok(), "hashing does not fail");
        hash.0
    }
}

/// Writes the canonical text.
struct Text<'s, 'f, 'b> {
    schema: &'s Schema,
    /// The structs and enums around the current node; one of them within itself is written as `^levels`.
    open: Vec<NodeId>,
    out: &'f mut fmt::Formatter<'b>,
}

impl Text<'_, '_, '_> {
    fn node(&mut self, id: NodeId) -> fmt::Result {
        match self.schema.node(id) {
            Node::Scalar(name) => self.out.write_str(name),
            Node::Text => self.out.write_str("text"),
            Node::Sequence(element) => self.around("[", *element, "]"),
            Node::Array(element, count) => {
                self.around("[", *element, "")?;
                write!(self.out, ";{count}]")
            }
            Node::Map(key, value) => {
                self.around("{", *key, ":")?;
                self.around("", *value, "}")
            }
            Node::Option(value) => self.around("?", *value, ""),
            Node::Pointer(value) => self.around("*", *value, ""),
            Node::Bulk(element) => self.around("bulk[", *element, "]"),
            Node::Pod(size) => write!(self.out, "pod({size})"),
            Node::Opaque => self.out.write_str("opaque"),
            Node::Struct(fields) => {
                if self.open(id)? {
                    self.out.write_str("struct")?;
                    self.fields(fields)?;
                    self.open.pop();
                }
                Ok(())
            }
            Node::Enum { bits, variants } => {
                if self.open(id)? {
                    write!(self.out, "enum{bits}{{")?;
                    for (number, variant) in variants.iter().enumerate() {
                        let comma = if number > 0 { "," } else { "" };
                        self.out.write_str(comma)?;
                        self.name(&variant.name)?;
                        write!(self.out, "={}", variant.tag)?;
                        self.fields(&variant.fields)?;
                    }
                    self.out.write_str("}")?;
                    self.open.pop();
                }
                Ok(())
            }
        }
    }

    /// Opens a struct or an enum, or refers to it if it is open: `^0` is the innermost one.
    fn open(&mut self, id: NodeId) -> Result<bool, fmt::Error> {
        if let Some(levels) = self.open.iter().rev().position(|open| *open == id) {
            write!(self.out, "^{levels}")?;
            return Ok(false);
        }
        self.open.push(id);
        Ok(true)
    }

    /// Writes the name of a field or a variant; one that is not a plain word, in quotes, so that no name can read as
    /// something else.
    fn name(&mut self, name: &str) -> fmt::Result {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
        if !name.is_empty() && name.bytes().all(word) {
            return self.out.write_str(name);
        }
        self.out.write_str("\"")?;
        for character in name.chars() {
            if matches!(character, '"' | '\\') {
                self.out.write_str("\\")?;
            }
            write!(self.out, "{character}")?;
        }
        self.out.write_str("\"")
    }

    fn around(&mut self, before: &str, node: NodeId, after: &str) -> fmt::Result {
        self.out.write_str(before)?;
        self.node(node)?;
        self.out.write_str(after)
    }

    fn fields(&mut self, fields: &[FieldNode]) -> fmt::Result {
        self.out.write_str("{")?;
        for (number, field) in fields.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            self.out.write_str(comma)?;
            self.name(&field.name)?;
            self.out.write_str(":")?;
            self.node(field.node)?;
        }
        self.out.write_str("}")
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Text { schema: self, open: Vec::new(), out }.node(self.root)
    }
}
