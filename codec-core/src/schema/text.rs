//! The text of a schema: canonical in one line, or readable in many.
//!
//! The invariant: the canonical text depends on the encoding alone, and no name can read as something else.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::{FieldNode, Node, NodeId};

/// The canonical text of a node.
pub(super) fn canonical(nodes: &[Node], root: NodeId) -> String {
    let mut text = String::new();
    // Nothing that is written to a string fails.
    let _ = Text { nodes, open: Vec::new(), levels: 0, indent: None, out: &mut text }.node(root);
    text
}

/// The beginning of the canonical text of a node: about `most` bytes. From somewhere within a recursive type the whole
/// text can be as long as two to the number of its levels, as it has the types around it in it.
pub(super) fn beginning(nodes: &[Node], root: NodeId, most: usize) -> String {
    /// Takes nothing more once there is enough.
    struct Enough(String, usize);
    impl Write for Enough {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.push_str(text);
            if self.0.len() > self.1 { Err(fmt::Error) } else { Ok(()) }
        }
    }
    let mut text = Enough(String::new(), most);
    // It ends in an error where there is more.
    let _ = Text { nodes, open: Vec::new(), levels: 0, indent: None, out: &mut text }.node(root);
    text.0
}

/// The text of a node with spaces, line breaks and indentation.
pub(super) fn readable(nodes: &[Node], root: NodeId, out: &mut dyn Write) -> fmt::Result {
    Text { nodes, open: Vec::new(), levels: 0, indent: Some(0), out }.node(root)
}

struct Text<'s> {
    nodes: &'s [Node],
    /// The structs and enums around the current node; one of them within itself is written as `^levels`.
    open: Vec<NodeId>,
    /// Levels since the innermost struct or enum.
    levels: usize,
    /// Levels of indentation, if the text is for readers.
    indent: Option<usize>,
    out: &'s mut dyn Write,
}

impl Text<'_> {
    fn node(&mut self, id: NodeId) -> fmt::Result {
        // A hand-written description can hold itself without a struct between: it says no more than nothing.
        if self.levels > self.nodes.len() {
            return self.out.write_str("opaque");
        }
        self.levels += 1;
        let written = self.shape(id);
        self.levels -= 1;
        written
    }

    fn shape(&mut self, id: NodeId) -> fmt::Result {
        let nodes = self.nodes;
        match &nodes[id.0] {
            Node::Scalar(name) => self.out.write_str(name),
            Node::Text => self.out.write_str("text"),
            Node::Sequence(element) => self.around("[", *element, "]"),
            Node::Array(element, count) => {
                self.around("[", *element, if self.indent.is_some() { "; " } else { ";" })?;
                write!(self.out, "{count}]")
            }
            Node::Map(key, value) => {
                self.around("{", *key, if self.indent.is_some() { ": " } else { ":" })?;
                self.around("", *value, "}")
            }
            Node::Option(value) => self.around("?", *value, ""),
            Node::Pointer(value) => self.around("*", *value, ""),
            Node::Bulk(element) => self.around("bulk[", *element, "]"),
            Node::Pod(size) => write!(self.out, "pod({size})"),
            Node::Opaque => self.out.write_str("opaque"),
            Node::Struct(fields) => self.open(id, |text| {
                text.out.write_str("struct")?;
                text.space()?;
                text.fields(fields)
            }),
            Node::Enum { bits, variants } => self.open(id, |text| {
                write!(text.out, "enum{bits}")?;
                text.space()?;
                text.list(variants, |text, variant| {
                    text.name(&variant.name)?;
                    let equals = if text.indent.is_some() { " = " } else { "=" };
                    write!(text.out, "{equals}{}", variant.tag)?;
                    if text.indent.is_some() && variant.fields.is_empty() {
                        return Ok(());
                    }
                    text.space()?;
                    text.fields(&variant.fields)
                })
            }),
        }
    }

    /// Writes a struct or an enum, or refers to it if it is open: `^0` is the innermost one.
    fn open(&mut self, id: NodeId, write: impl FnOnce(&mut Self) -> fmt::Result) -> fmt::Result {
        if let Some(levels) = self.open.iter().rev().position(|open| *open == id) {
            return write!(self.out, "^{levels}");
        }
        self.open.push(id);
        let levels = core::mem::take(&mut self.levels);
        let written = write(self);
        self.levels = levels;
        self.open.pop();
        written
    }

    fn fields(&mut self, fields: &[FieldNode]) -> fmt::Result {
        self.list(fields, |text, field| {
            text.name(&field.name)?;
            text.out.write_str(":")?;
            text.space()?;
            text.node(field.node)
        })
    }

    /// Writes `{a,b}`, or each item in a line of its own.
    fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T) -> fmt::Result) -> fmt::Result {
        self.out.write_str("{")?;
        let outer = self.indent;
        self.indent = outer.map(|indent| indent + 1);
        for (number, item) in items.iter().enumerate() {
            if outer.is_some() {
                self.line()?;
            } else if number > 0 {
                self.out.write_str(",")?;
            }
            write(self, item)?;
            if outer.is_some() {
                self.out.write_str(",")?;
            }
        }
        self.indent = outer;
        if outer.is_some() && !items.is_empty() {
            self.line()?;
        }
        self.out.write_str("}")
    }

    fn line(&mut self) -> fmt::Result {
        let indent = 4 * self.indent.unwrap_or(0);
        write!(self.out, "\n{:indent$}", "")
    }

    fn space(&mut self) -> fmt::Result {
        if self.indent.is_some() { self.out.write_str(" ") } else { Ok(()) }
    }

    fn around(&mut self, before: &str, node: NodeId, after: &str) -> fmt::Result {
        self.out.write_str(before)?;
        self.node(node)?;
        self.out.write_str(after)
    }

    fn name(&mut self, name: &str) -> fmt::Result {
        if is_word(name) {
            return self.out.write_str(name);
        }
        self.out.write_str("\"")?;
        for character in name.chars() {
            if matches!(character, '"' | '\\') {
                self.out.write_str("\\")?;
            }
            self.out.write_char(character)?;
        }
        self.out.write_str("\"")
    }
}

/// Whether a name stands without quotes.
pub(super) fn is_word(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_word_byte)
}

pub(super) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}
