//! Codecs of types that are made at run time: those of other languages, and of tools.
//!
//! Rust knows such values as one type, [`Dynamic`]; which codec one has, it says itself. Invariant: the codec of a name
//! is given values of that name only.

use std::any::Any;
use std::sync::Arc;

use super::AnyValue;
use crate::error::Result;
use crate::reader::Reader;
use crate::schema::Schema;
use crate::writer::Writer;

/// What a codec does whose type Rust does not know.
///
/// ```
/// use podwire_codec_core::registry::{AnyValue, Dynamic, DynamicCodec};
/// use podwire_codec_core::schema::{Schema, Value};
/// use podwire_codec_core::{Buffer, CodecRegistry, Reader, Result, Writer};
/// use std::any::Any;
///
/// /// Values as their schema describes them.
/// struct Described(Schema);
///
/// impl DynamicCodec for Described {
///     fn schema(&self) -> Schema {
///         self.0.clone()
///     }
///
///     fn encode(&self, value: &(dyn Any + Send + Sync), writer: &mut Writer<'_>) -> Result<()> {
///         writer.write(value.downcast_ref::<Vec<u8>>().expect("the bytes of a value"))
///     }
///
///     fn decode(&self, reader: &mut Reader<'_>) -> Result<AnyValue> {
///         Ok(Box::new(self.0.decode(reader)?))
///     }
/// }
///
/// let registry = CodecRegistry::new();
/// registry.register_dynamic("gain", Described("struct{db:f32}".parse().unwrap()))?;
/// let mut endpoint = Buffer::new();
/// registry.serialize(&Dynamic::new("gain", Box::new(vec![0_u8, 0, 0, 63])), &mut endpoint)?;
///
/// let gain = registry.deserialize(&mut endpoint)?.downcast::<Dynamic>().expect("by the name in the message");
/// let value = gain.value().downcast_ref::<Value>().expect("as the codec made it");
/// assert_eq!((gain.codec(), value.get("db").and_then(Value::as_f64)), ("gain", Some(0.5)));
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
pub trait DynamicCodec: Send + Sync {
    /// The schema of the type.
    fn schema(&self) -> Schema;

    /// Writes a value, which is whatever was given to [`Dynamic::new`], as the schema says.
    ///
    /// # Errors
    ///
    /// Whatever keeps the value from being written.
    fn encode(&self, value: &(dyn Any + Send + Sync), writer: &mut Writer<'_>) -> Result<()>;

    /// Reads a value: what [`Dynamic::value`] will be.
    ///
    /// # Errors
    ///
    /// Whatever the bytes are that is no value.
    fn decode(&self, reader: &mut Reader<'_>) -> Result<AnyValue>;
}

/// A value of a type that Rust does not know, and the name of its codec.
#[derive(Debug)]
pub struct Dynamic {
    codec: Arc<str>,
    value: AnyValue,
}

impl Dynamic {
    /// A value that travels by the codec of this name.
    pub fn new(codec: impl Into<Arc<str>>, value: AnyValue) -> Self {
        Self { codec: codec.into(), value }
    }

    /// The name of its codec.
    #[must_use]
    pub fn codec(&self) -> &str {
        &self.codec
    }

    /// The value, of whatever type its codec makes and takes.
    #[must_use]
    pub fn value(&self) -> &(dyn Any + Send + Sync) {
        &*self.value
    }
}
