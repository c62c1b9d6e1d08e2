//! One codec of the registry: functions for one type, and the name that leads to them.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::OnceLock;

use super::{AnyValue, RegistryError};
use crate::codec::Codec;
use crate::error::{Error, Result};
use crate::raw::{place, row};
use crate::reader::Reader;
use crate::schema::{Node, Schema, SchemaBuilder, schema_of};
use crate::writer::Writer;

/// A codec by name.
pub struct Entry {
    name: Box<str>,
    file: &'static str,
    line: u32,
    type_id: TypeId,
    encode: fn(&dyn Any, &mut Writer<'_>) -> Result<()>,
    decode: fn(&mut Reader<'_>) -> Result<AnyValue>,
    describe: fn() -> Schema,
    schema: OnceLock<Schema>,
}

impl Entry {
    /// The entry of a type with a codec.
    #[track_caller]
    pub(super) fn of<T: Codec + Any + Send + Sync>(name: &str) -> Self {
        Self::new::<T>(
            name,
            |value, writer| row::encode(downcast::<T>(value)?, writer),
            |reader| Ok(place::boxed::<T>(reader)?),
            schema_of::<T>,
        )
    }

    /// The entry of plain old data without a codec.
    #[track_caller]
    pub(super) fn of_pod<T: bytemuck::Pod + Send + Sync>(name: &str) -> Self {
        Self::new::<T>(
            name,
            |value, writer| writer.write(bytemuck::bytes_of(downcast::<T>(value)?)),
            |reader| {
                reader.charge(size_of::<T>())?;
                let mut value = Box::new(T::zeroed());
                reader.read(bytemuck::bytes_of_mut(&mut *value))?;
                Ok(value)
            },
            || {
                let describe = |types: &mut SchemaBuilder| types.anonymous(Node::Pod(size_of::<T>() as u64));
                Schema::of(describe)
            },
        )
    }

    #[track_caller]
    fn new<T: Any>(
        name: &str,
        encode: fn(&dyn Any, &mut Writer<'_>) -> Result<()>,
        decode: fn(&mut Reader<'_>) -> Result<AnyValue>,
        describe: fn() -> Schema,
    ) -> Self {
        let place = std::panic::Location::caller();
        Self {
            name: name.into(),
            file: place.file(),
            line: place.line(),
            type_id: TypeId::of::<T>(),
            encode,
            decode,
            describe,
            schema: OnceLock::new(),
        }
    }

    /// The same entry, registered elsewhere.
    pub(super) fn at(self, file: &'static str, line: u32) -> Self {
        Self { file, line, ..self }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type.
    #[must_use]
    pub fn value_type(&self) -> TypeId {
        self.type_id
    }

    /// Where the codec was registered: file and line.
    #[must_use]
    pub fn source(&self) -> Box<str> {
        format!("{}:{}", self.file, self.line).into()
    }

    /// The same, to be sorted by.
    pub(super) fn place(&self) -> (&'static str, u32) {
        (self.file, self.line)
    }

    /// The schema of the type; made once.
    #[must_use]
    pub fn schema(&self) -> Schema {
        self.known_schema().clone()
    }

    /// The fingerprint of the schema.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.known_schema().fingerprint()
    }

    fn known_schema(&self) -> &Schema {
        self.schema.get_or_init(self.describe)
    }

    /// Writes a value of the entry's type.
    ///
    /// # Errors
    ///
    /// [`RegistryError::UnknownType`] for a value of any other type, and those of the codec.
    pub fn encode(&self, value: &dyn Any, writer: &mut Writer<'_>) -> Result<()> {
        (self.encode)(value, writer)
    }

    /// Reads a value of the entry's type.
    ///
    /// # Errors
    ///
    /// Those of the codec.
    pub fn decode(&self, reader: &mut Reader<'_>) -> Result<AnyValue> {
        (self.decode)(reader)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("name", &self.name)
            .field("source", &self.source())
            .finish_non_exhaustive()
    }
}

fn downcast<T: Any>(value: &dyn Any) -> Result<&T> {
    value.downcast_ref().ok_or_else(|| Error::from(RegistryError::UnknownType))
}
