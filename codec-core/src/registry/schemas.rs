//! What the registry knows of other builds: their schemas, by fingerprint.
//!
//! The invariant: the book is bounded, whoever sends schemas; the oldest leave it first.

use std::collections::{HashMap, VecDeque};
use std::sync::PoisonError;

use super::{CodecRegistry, Entry, shown};
use crate::error::{Error, Result};
use crate::message::{Message, MessageError};
use crate::schema::Schema;

/// Bytes of text that the book holds. What is kept of a byte of text are some thirty bytes of memory, and never more than
/// about a hundred.
const TEXT: usize = 1 << 18;
/// Schemas that the book holds.
const SCHEMAS: usize = 4_096;

/// Schemas by fingerprint, and the order in which they came.
#[derive(Debug, Default)]
pub(super) struct SchemaBook {
    schemas: HashMap<u64, Schema>,
    order: VecDeque<u64>,
    text: usize,
}

impl SchemaBook {
    fn put(&mut self, schema: Schema) -> bool {
        let (fingerprint, length) = (schema.fingerprint(), schema.text().len());
        if length > TEXT {
            return false;
        }
        if self.schemas.contains_key(&fingerprint) {
            return true;
        }
        while self.text + length > TEXT || self.order.len() >= SCHEMAS {
            let Some(oldest) = self.order.pop_front() else { break };
            let gone = self.schemas.remove(&oldest);
            self.text -= gone.map_or(0, |schema| schema.text().len());
        }
        self.text += length;
        self.order.push_back(fingerprint);
        self.schemas.insert(fingerprint, schema);
        true
    }
}

impl CodecRegistry {
    /// Remembers the schema of another build, so that a mismatch can be told by its first difference, and messages of it
    /// can be read by their schema. The book keeps 256 KiB of text; the oldest schemas make room. False if this
    /// one alone is too large.
    ///
    /// ```
    /// use podwire_codec_core::message::{Metadata, write};
    /// use podwire_codec_core::{Buffer, CodecRegistry, schema::schema_of};
    ///
    /// let registry = CodecRegistry::new();
    /// registry.register::<(u64, f32)>("sample")?;
    /// let theirs = schema_of::<(u32, f32)>();
    /// registry.learn(theirs.clone());
    ///
    /// let mut endpoint = Buffer::new();
    /// let fingerprint = theirs.fingerprint();
    /// write("sample", fingerprint, &Metadata::new(), &mut endpoint, |writer| writer.encode(&(7_u32, 0.5_f32)))?;
    /// let error = registry.deserialize(&mut endpoint).unwrap_err().to_string();
    /// assert_eq!(error, "codec \"sample\": the message is of another build, 0: expected u64, found u32");
    /// # Ok::<(), podwire_codec_core::Error>(())
    /// ```
    pub fn learn(&self, schema: Schema) -> bool {
        self.schemas.write().unwrap_or_else(PoisonError::into_inner).put(schema)
    }

    /// A schema that was [learned](Self::learn).
    #[must_use]
    pub fn known_schema(&self, fingerprint: u64) -> Option<Schema> {
        let book = self.schemas.read().unwrap_or_else(PoisonError::into_inner);
        book.schemas.get(&fingerprint).cloned()
    }

    /// The schema of a message: the one in it, that of the codec of its name, or one that was [learned](Self::learn).
    ///
    /// # Errors
    ///
    /// As [`Message::schema`].
    pub fn schema_of_message(&self, message: &Message<'_>) -> Result<Option<Schema>> {
        if let Some(schema) = message.schema()? {
            return Ok(Some(schema));
        }
        let fingerprint = message.fingerprint();
        let own = self.by_name(message.name()).ok().filter(|entry| entry.fingerprint() == fingerprint);
        Ok(own.map(|entry| entry.schema()).or_else(|| self.known_schema(fingerprint)))
    }

    /// That a message is of another schema than the codec of its name.
    #[cold]
    pub(super) fn mismatch(&self, entry: &Entry, message: &Message<'_>) -> Error {
        let (expected, found) = (entry.fingerprint(), message.fingerprint());
        // A schema in the message that is none says nothing; the mismatch is the error. Nor does one that is larger than
        // any that is remembered: it is not worth its memory.
        let small = message.schema_length() <= TEXT;
        let theirs = small.then(|| message.schema().ok().flatten()).flatten();
        let theirs = theirs.or_else(|| self.known_schema(found));
        let difference = theirs.and_then(|theirs| entry.schema().difference(&theirs)).map(Box::new);
        MessageError::SchemaMismatch { name: shown(message.name()), expected, found, difference }.into()
    }
}
