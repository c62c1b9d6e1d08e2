//! Types that hold themselves, with codecs written by hand as a user would write them.

use podwire_codec_core::schema::{Node, SchemaBuilder};
use podwire_codec_core::{Decode, Encode, Reader, Result, Writer};

/// A list: each link is one level deeper.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct List {
    pub value: u8,
    pub next: Option<Box<List>>,
}

impl List {
    /// A list of so many links behind the first, built and dropped without recursion.
    pub(crate) fn of(links: usize) -> Self {
        (0..links).fold(Self::default(), |next, _| Self { value: 7, next: Some(Box::new(next)) })
    }

    /// The bytes of [`List::of`].
    pub(crate) fn bytes(links: usize) -> Vec<u8> {
        [7, 1].repeat(links).into_iter().chain([0, 0]).collect()
    }
}

impl Encode for List {
    fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
        writer.encode(&self.value)?;
        writer.encode(&self.next)
    }

    fn schema(types: &mut SchemaBuilder) -> Node {
        Node::Struct(vec![types.field::<u8>("value"), types.field::<Option<Box<List>>>("next")])
    }
}

impl<'de> Decode<'de> for List {
    fn decode(reader: &mut Reader<'de>) -> Result<Self> {
        Ok(Self { value: reader.decode()?, next: reader.decode()? })
    }
}

/// A tree: each generation is one level deeper.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Tree {
    pub name: String,
    pub children: Vec<Tree>,
}

impl Tree {
    /// The bytes of a tree of so many generations of one child below the root, all without names.
    pub(crate) fn bytes(generations: usize) -> Vec<u8> {
        [0, 0, 0, 0, 1, 0, 0, 0].repeat(generations).into_iter().chain([0; 8]).collect()
    }
}

impl Encode for Tree {
    fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
        writer.encode(&self.name)?;
        writer.encode(&self.children)
    }

    fn schema(types: &mut SchemaBuilder) -> Node {
        Node::Struct(vec![types.part::<String>("name"), types.part::<Vec<Tree>>("children")])
    }
}

impl<'de> Decode<'de> for Tree {
    fn decode(reader: &mut Reader<'de>) -> Result<Self> {
        Ok(Self { name: reader.decode()?, children: reader.decode()? })
    }
}
