//! The text of a schema, read back.
//!
//! The invariant: only canonical text is taken, so that what was parsed writes the same text; and a schema that was
//! parsed has finite heads, at most one node for each byte of its text, and bounded nesting.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;

use super::shape::{self, Unfit};
use super::text::{is_word, is_word_byte};
use super::{FieldNode, Node, NodeId, Schema, SchemaError, VariantNode};

impl Schema {
    /// How deep types may be nested in a text that is parsed, one within another.
    pub const DEPTH: usize = 128;
    /// Bytes of memory that a byte of text can come to: `?` is a node, in lists that grow by doubling.
    pub(crate) const MEMORY: usize = 256;
}

impl FromStr for Schema {
    type Err = SchemaError;

    /// Reads the canonical text, and nothing but it.
    fn from_str(text: &str) -> Result<Self, SchemaError> {
        let mut parser =
            Parser { text, at: 0, depth: 0, open: Vec::new(), nodes: Vec::new(), starts: Vec::new() };
        let root = parser.node()?;
        if parser.at < text.len() {
            return Err(parser.wanted("its end"));
        }
        let Parser { nodes, starts, .. } = parser;
        let schema = Self::new(nodes, root);
        for (shape, offset) in schema.parts.shapes.iter().zip(starts) {
            match shape.head {
                Ok(_) => {}
                Err(Unfit::Endless) => return Err(SchemaError::Endless { offset }),
                Err(Unfit::TooLarge) => return Err(SchemaError::TooLarge { offset }),
            }
        }
        // A number has one spelling, and a name has one; should anything else have slipped through, it ends here.
        debug_assert_eq!(schema.text(), text, "parsing is the reverse of writing");
        Ok(schema)
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    /// The structs and enums around the current type.
    open: Vec<NodeId>,
    nodes: Vec<Node>,
    /// Where each node begins.
    starts: Vec<usize>,
}

impl Parser<'_> {
    fn node(&mut self) -> Result<NodeId, SchemaError> {
        if self.depth == Schema::DEPTH {
            return Err(SchemaError::Depth { offset: self.at });
        }
        self.depth += 1;
        let node = self.shape();
        self.depth -= 1;
        node
    }

    fn shape(&mut self) -> Result<NodeId, SchemaError> {
        if self.takes("^") {
            return self.reference();
        }
        let id = NodeId(self.nodes.len());
        self.starts.push(self.at);
        self.nodes.push(Node::Opaque);
        let node = if self.takes("?") {
            Node::Option(self.node()?)
        } else if self.takes("*") {
            Node::Pointer(self.node()?)
        } else if self.takes("[") {
            self.sequence()?
        } else if self.takes("{") {
            let key = self.node()?;
            self.want(":", "`:`")?;
            let value = self.node()?;
            self.want("}", "`}`")?;
            Node::Map(key, value)
        } else {
            self.word(id)?
        };
        self.nodes[id.0] = node;
        Ok(id)
    }

    fn reference(&mut self) -> Result<NodeId, SchemaError> {
        let offset = self.at - 1;
        let levels = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        let open = self.open.iter().rev().nth(levels);
        open.copied().ok_or(SchemaError::Reference { offset, levels })
    }

    /// What follows `[`.
    fn sequence(&mut self) -> Result<Node, SchemaError> {
        let element = self.node()?;
        if self.takes("]") {
            return Ok(Node::Sequence(element));
        }
        self.want(";", "`]` or `;`")?;
        let count = self.number()?;
        self.want("]", "`]`")?;
        Ok(Node::Array(element, count))
    }

    /// A type that begins with a word.
    fn word(&mut self, id: NodeId) -> Result<Node, SchemaError> {
        const EXPECTED: &str = "a type";
        let offset = self.at;
        let length = self.rest().bytes().take_while(u8::is_ascii_alphanumeric).count();
        let word = &self.text[self.at..self.at + length];
        self.at += length;
        if let Some(name) = shape::scalar(word) {
            return Ok(Node::Scalar(name));
        }
        match word {
            "text" => Ok(Node::Text),
            "opaque" => Ok(Node::Opaque),
            "bulk" => {
                self.want("[", "`[`")?;
                let element = self.node()?;
                self.want("]", "`]`")?;
                Ok(Node::Bulk(element))
            }
            "pod" => {
                self.want("(", "`(`")?;
                let size = self.number()?;
                self.want(")", "`)`")?;
                Ok(Node::Pod(size))
            }
            "struct" => self.within(id, |parser| Ok(Node::Struct(parser.fields()?))),
            "enum8" => self.within(id, |parser| parser.variants(8)),
            "enum16" => self.within(id, |parser| parser.variants(16)),
            "enum32" => self.within(id, |parser| parser.variants(32)),
            _ => Err(SchemaError::Syntax { offset, expected: EXPECTED }),
        }
    }

    fn within(
        &mut self,
        id: NodeId,
        read: impl FnOnce(&mut Self) -> Result<Node, SchemaError>,
    ) -> Result<Node, SchemaError> {
        self.open.push(id);
        let node = read(self);
        self.open.pop();
        node
    }

    fn variants(&mut self, bits: u8) -> Result<Node, SchemaError> {
        let mut tags = BTreeSet::new();
        let variants = self.list(|parser| {
            let offset = parser.at;
            let name = parser.name()?;
            parser.want("=", "`=`")?;
            let tag = u32::try_from(parser.number()?);
            let tag = tag.map_err(|_| SchemaError::Syntax { offset, expected: "a tag of 32 bits" })?;
            if u64::from(tag) >= 1 << bits || !tags.insert(tag) {
                return Err(SchemaError::Tag { offset, tag });
            }
            Ok(VariantNode { name, tag, fields: parser.fields()? })
        })?;
        Ok(Node::Enum { bits, variants })
    }

    fn fields(&mut self) -> Result<Vec<FieldNode>, SchemaError> {
        self.list(|parser| {
            let name = parser.name()?;
            parser.want(":", "`:`")?;
            Ok(FieldNode { name, node: parser.node()? })
        })
    }

    /// `{a,b}`.
    fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, SchemaError>,
    ) -> Result<Vec<T>, SchemaError> {
        let mut items = Vec::new();
        self.want("{", "`{`")?;
        if self.takes("}") {
            return Ok(items);
        }
        loop {
            items.push(read(self)?);
            if self.takes("}") {
                return Ok(items);
            }
            self.want(",", "`,` or `}`")?;
        }
    }

    fn name(&mut self) -> Result<String, SchemaError> {
        let offset = self.at;
        if !self.takes("\"") {
            let length = self.rest().bytes().take_while(|byte| is_word_byte(*byte)).count();
            if length == 0 {
                return Err(self.wanted("a name"));
            }
            self.at += length;
            return Ok(self.text[offset..self.at].into());
        }
        let mut name = String::new();
        let mut characters = self.text[self.at..].char_indices();
        while let Some((index, character)) = characters.next() {
            match character {
                '"' if is_word(&name) => {
                    return Err(SchemaError::Syntax { offset, expected: "a name without quotes" });
                }
                '"' => {
                    self.at += index + 1;
                    return Ok(name);
                }
                '\\' => match characters.next() {
                    Some((_, escaped @ ('"' | '\\'))) => name.push(escaped),
                    _ => {
                        let offset = self.at + index + 1;
                        return Err(SchemaError::Syntax { offset, expected: "`\"` or `\\`" });
                    }
                },
                plain => name.push(plain),
            }
        }
        Err(SchemaError::Syntax { offset: self.text.len(), expected: "the end of a name" })
    }

    /// A decimal number without zeros in front.
    fn number(&mut self) -> Result<u64, SchemaError> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let number = &self.text[self.at..self.at + digits];
        match number.parse() {
            Ok(value) if digits == 1 || !number.starts_with('0') => {
                self.at += digits;
                Ok(value)
            }
            _ => Err(self.wanted("a number of 64 bits without zeros in front")),
        }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn takes(&mut self, token: &str) -> bool {
        let there = self.rest().starts_with(token);
        if there {
            self.at += token.len();
        }
        there
    }

    fn want(&mut self, token: &str, expected: &'static str) -> Result<(), SchemaError> {
        if self.takes(token) { Ok(()) } else { Err(self.wanted(expected)) }
    }

    fn wanted(&self, expected: &'static str) -> SchemaError {
        SchemaError::Syntax { offset: self.at, expected }
    }
}
