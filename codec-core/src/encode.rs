//! How a value becomes bytes.

use core::any::TypeId;

use crate::error::Result;
use crate::layout::Layout;
use crate::raw::head::HeadWriter;
use crate::raw::whole::EncodeWhole as _;
use crate::schema::{Node, SchemaBuilder};
use crate::writer::Writer;

/// A type that can be written as bytes.
///
/// ```
/// use podwire_codec_core::{Encode, Result, Writer, to_vec};
///
/// struct Coordinate { x: f32, y: f32, z: f32 }
///
/// impl Encode for Coordinate {
///     fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
///         writer.write_trivial_type(&self.x)?;
///         writer.write_trivial_type(&self.y)?;
///         writer.write_trivial_type(&self.z)
///     }
/// }
///
/// assert_eq!(to_vec(&Coordinate { x: 0.0, y: 0.0, z: 1.0 })?.len(), 12);
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
///
/// Usually derive it: `#[derive(Codec)]` writes this and [`Decode`](crate::Decode).
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no codec",
    label = "this type cannot be encoded",
    note = "if the type is yours, write `#[derive(podwire::Codec)]` above it",
    note = "if it is another crate's, hold it in a struct of yours, with `#[codec(with = module)]`, or with `#[codec(pod)]` if it is plain old data (`bytemuck::Pod`)"
)]
pub trait Encode {
    /// What is known of the encoding at compile time. Only the derive, and this crate, say anything here.
    #[doc(hidden)]
    const LAYOUT: Layout<Self> = Layout::OPAQUE;

    /// Writes the value.
    ///
    /// # Errors
    ///
    /// What the endpoint behind the writer reports, and [`Error::DepthLimit`](crate::Error::DepthLimit).
    fn encode(&self, writer: &mut Writer<'_>) -> Result<()>;

    /// Describes the type; `types.node::<F>()` describes the type of a part.
    ///
    /// A hand-written codec that leaves this out is opaque: two builds that disagree about it are not found out, and
    /// nobody can read what it writes without the type. What it says must be what it writes: fields that are written
    /// one after the other, each by `writer.encode(&self.field)`, are described by
    /// [`part`](SchemaBuilder::part), fields of one tuple by [`field`](SchemaBuilder::field).
    fn schema(types: &mut SchemaBuilder) -> Node {
        let _ = types;
        Node::Opaque
    }

    /// What stands for the type in a schema: itself, but for wrappers, which are what they wrap.
    #[doc(hidden)]
    fn schema_key() -> TypeId {
        typeid::of::<Self>()
    }

    /// Writes the head, for a type with a layout.
    ///
    /// # Safety
    ///
    /// `head` has room for as many bytes as the layout says.
    #[doc(hidden)]
    #[inline]
    #[allow(unsafe_code, reason = "called through raw::row, which knows the layout")]
    unsafe fn encode_head(&self, head: HeadWriter<'_>) {
        let _ = head;
    }

    /// Writes the tail, for a type with a layout.
    #[doc(hidden)]
    #[inline]
    fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
        let _ = writer;
        Ok(())
    }

    /// Writes the tail, and if `WHOLE` the head before it, for a type with a layout and a head: an enum looks at its variant
    /// once for both.
    #[doc(hidden)]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn encode_parts<const WHOLE: bool>(&self, writer: &mut Writer<'_>) -> Result<()> {
        if WHOLE && let Err(error) = self.encode_own_head(writer) {
            return Err(error);
        }
        self.encode_tail(writer)
    }
}
