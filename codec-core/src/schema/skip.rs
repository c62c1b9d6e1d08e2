//! Passing over a value by its schema.
//!
//! The invariant: nothing is kept, and nothing is looked at that does not say where the value ends.

use super::head;
use super::make::{Elements, Make};
use super::walk::walk;
use super::{NodeId, Schema};
use crate::error::Result;
use crate::reader::Reader;

impl Schema {
    /// Passes over a value of the type that this schema describes.
    ///
    /// Lengths and tags are followed, everything else is passed over unseen: text may not be UTF-8, a `bool` may be 2.
    ///
    /// # Errors
    ///
    /// [`Error::UnexpectedEnd`](crate::Error::UnexpectedEnd), [`Error::UnknownTag`](crate::Error::UnknownTag),
    /// [`Error::Undescribed`](crate::Error::Undescribed) where a codec does not describe itself, the limits on items and
    /// depth, and those of the endpoint.
    pub fn skip(&self, reader: &mut Reader<'_>) -> Result<()> {
        walk(self, self.root(), Skip, reader)
    }
}

/// Makes nothing.
struct Skip;

impl Make for Skip {
    type One = ();
    type Many = ();
    type Entries = ();

    fn scalar(&self, _: &'static str, _: &[u8], _: u64) -> Result<()> {
        Ok(())
    }

    fn text(&self, length: usize, reader: &mut Reader<'_>) -> Result<()> {
        head::pass(length, reader)
    }

    fn heads(&self, _: Elements<'_>, _: &[u8], _: &mut Reader<'_>) -> Result<()> {
        Ok(())
    }

    fn elements(&self, _: Elements<'_>, size: usize, reader: &mut Reader<'_>) -> Result<()> {
        head::pass(size, reader)
    }

    /// The segment stays where it is.
    fn segment(&self, _: Elements<'_>, _: usize, reader: &mut Reader<'_>) -> Result<()> {
        head::pass(size_of::<u32>(), reader)
    }

    fn pod(&self, _: &[u8], _: &mut Reader<'_>) -> Result<()> {
        Ok(())
    }

    fn add(&self, (): &mut (), (): (), _: usize, _: &mut Reader<'_>) -> Result<()> {
        Ok(())
    }

    fn entry(&self, (): &mut (), (): (), (): (), _: usize, _: &mut Reader<'_>) -> Result<()> {
        Ok(())
    }

    fn sequence(&self, (): ()) {}

    fn map(&self, (): ()) {}

    fn option(&self, _: Option<()>, _: &mut Reader<'_>) -> Result<()> {
        Ok(())
    }

    fn record(&self, _: &Schema, _: NodeId, _: Option<usize>, (): ()) {}

    fn passes(&self) -> Option<()> {
        Some(())
    }
}
