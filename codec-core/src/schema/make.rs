//! What can be made of the parts of a value that is read by its schema.
//!
//! The invariant: whoever makes something of a part that stands in the reader reads exactly that part.

use super::{NodeId, Schema};
use crate::error::Result;
use crate::reader::Reader;

/// What comes of the parts of a value.
pub(super) trait Make {
    /// One value.
    type One;
    /// Values in a row.
    type Many: Default;
    /// Keys with values.
    type Entries: Default;

    fn scalar(&self, name: &'static str, bytes: &[u8], offset: u64) -> Result<Self::One>;
    fn text(&self, length: usize, reader: &mut Reader<'_>) -> Result<Self::One>;
    /// Elements of a fixed size, in bytes that were read already.
    fn heads(&self, elements: Elements<'_>, bytes: &[u8], reader: &mut Reader<'_>) -> Result<Self::One>;
    /// Elements of a fixed size, which are read next.
    fn elements(&self, elements: Elements<'_>, size: usize, reader: &mut Reader<'_>) -> Result<Self::One>;
    /// Elements of a fixed size, in a segment.
    fn segment(&self, elements: Elements<'_>, size: usize, reader: &mut Reader<'_>) -> Result<Self::One>;
    fn pod(&self, bytes: &[u8], reader: &mut Reader<'_>) -> Result<Self::One>;
    /// Adds a value to a row; at most `left` more will come.
    fn add(&self, many: &mut Self::Many, one: Self::One, left: usize, reader: &mut Reader<'_>) -> Result<()>;
    fn entry(
        &self,
        entries: &mut Self::Entries,
        key: Self::One,
        value: Self::One,
        left: usize,
        reader: &mut Reader<'_>,
    ) -> Result<()>;
    fn sequence(&self, many: Self::Many) -> Self::One;
    fn map(&self, entries: Self::Entries) -> Self::One;
    fn option(&self, value: Option<Self::One>, reader: &mut Reader<'_>) -> Result<Self::One>;
    fn record(&self, schema: &Schema, id: NodeId, variant: Option<usize>, fields: Self::Many) -> Self::One;
    /// Whether a value of a fixed size can be passed over without a look.
    fn passes(&self) -> Option<Self::One>;
}

/// Elements of a fixed size: which, and how many.
#[derive(Clone, Copy)]
pub(super) struct Elements<'s> {
    pub(super) schema: &'s Schema,
    pub(super) node: NodeId,
    pub(super) count: usize,
}
