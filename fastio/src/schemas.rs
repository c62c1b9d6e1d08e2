//! The schemas of published and sent values, each left once in the pipeline's directory.
//!
//! Not here: what a schema says. Invariant: a file of a schema is there whole or not at all, and is believed only if its
//! text has the fingerprint that is its name.

use std::{io::Read, sync::PoisonError};

use podwire_codec_core::{
    CodecRegistry, Error as CodecError,
    message::{Message, MessageError},
    schema::Schema,
};

use crate::{
    context::FastIoContext,
    crash::crash_point,
    error::{Error, Result},
    store::Store,
};

/// The longest text that is left, in bytes: values of larger types are published without.
const LONGEST: u64 = 1 << 20;

fn file_name(fingerprint: u64) -> String {
    format!("schema.{fingerprint:016x}")
}

/// The fingerprint in the name of a file.
fn parse_file_name(name: &str) -> Option<u64> {
    let fingerprint = u64::from_str_radix(name.strip_prefix("schema.")?, 16).ok()?;
    (file_name(fingerprint) == name).then_some(fingerprint)
}

impl Store {
    /// Leaves a schema in the directory, unless it is known to be there.
    pub(crate) fn describe(&self, schema: impl FnOnce() -> Schema, fingerprint: u64) -> Result<()> {
        if self.described.read().unwrap_or_else(PoisonError::into_inner).contains(&fingerprint) {
            return Ok(());
        }
        let schema = schema();
        let name = file_name(fingerprint);
        if schema.text().len() as u64 <= LONGEST && self.directory.file(&name)?.is_none() {
            self.directory.create_filled(&name, schema.text().as_bytes())?;
            crash_point!("after-schema-link");
        }
        self.described.write().unwrap_or_else(PoisonError::into_inner).insert(fingerprint);
        Ok(())
    }

    /// A schema of the directory, if it is there.
    fn schema(&self, fingerprint: u64) -> Result<Option<Schema>> {
        let name = file_name(fingerprint);
        let Some((file, length)) = self.directory.file(&name)? else { return Ok(None) };
        let corrupt = |what| Error::Corrupt { what, path: self.path(&name) };
        let mut text = String::new();
        // A file that grows under our hands is not read beyond the longest.
        let read = file.take(LONGEST + 1).read_to_string(&mut text);
        match read {
            Ok(_) if text.len() as u64 == length && length <= LONGEST => {}
            Err(source) if source.kind() != std::io::ErrorKind::InvalidData => {
                return Err(Error::io("read", self.path(&name), source));
            }
            _ => return Err(corrupt("is not the text of a schema")),
        }
        let schema: Schema = text.parse().map_err(|_| corrupt("is not the text of a schema"))?;
        if schema.fingerprint() != fingerprint {
            return Err(corrupt("is another schema than its name says"));
        }
        Ok(Some(schema))
    }
}

impl FastIoContext {
    /// The schema of a published or sent value by its fingerprint, if it was left in the pipeline.
    ///
    /// Whoever publishes or sends a value of a type for the first time leaves the schema of the type, so that other builds can
    /// tell what differs, and tools can print the value. It stays until the pipeline is removed.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::NotPrivate`], [`Error::Forked`], [`Error::Removed`], [`Error::Io`].
    pub fn schema(&self, fingerprint: u64) -> Result<Option<Schema>> {
        self.store().check()?;
        self.store().schema(fingerprint)
    }

    /// All schemas that were left in the pipeline, in the order of their fingerprints.
    ///
    /// # Errors
    /// As [`schema`](Self::schema).
    pub fn schemas(&self) -> Result<Vec<Schema>> {
        let store = self.store();
        store.check()?;
        let mut fingerprints: Vec<u64> =
            store.directory.entries()?.iter().filter_map(|name| parse_file_name(name)).collect();
        fingerprints.sort_unstable();
        let schemas =
            fingerprints.into_iter().filter_map(|fingerprint| store.schema(fingerprint).transpose());
        schemas.collect()
    }

    /// The schema of a message: its own, that of a codec here, or one that was left in the pipeline.
    pub(crate) fn schema_of(&self, message: &Message<'_>) -> Result<Option<Schema>> {
        match CodecRegistry::global().schema_of_message(message)? {
            Some(schema) => Ok(Some(schema)),
            None => self.schema(message.fingerprint()),
        }
    }

    /// Adds to the error that a message is of another schema what differs first, if the schema was left here.
    #[cold]
    pub(crate) fn explain(&self, mut error: CodecError) -> CodecError {
        if let CodecError::Message(error) = &mut error
            && let MessageError::SchemaMismatch { name, found, difference: difference @ None, .. } =
                &mut **error
            && let Ok(Some(theirs)) = self.schema(*found)
            && let Ok(codec) = CodecRegistry::global().by_name(name)
        {
            *difference = codec.schema().difference(&theirs).map(Box::new);
        }
        error
    }
}
