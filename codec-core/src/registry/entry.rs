//! One codec of the registry: functions for one type, and the name that leads to them.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::name::Short;
use super::{AnyValue, Dynamic, DynamicCodec, RegistryError, value};
use crate::__private::pod::Plain;
use crate::__private::probe::{Same, Via};
use crate::codec::Codec;
use crate::error::{Error, Result};
use crate::raw::erased::Erased;
use crate::raw::place;
use crate::raw::transparent::unwrap_box;
use crate::raw::whole::EncodeWhole;
use crate::reader::Reader;
use crate::schema::{Node, NodeId, Schema, SchemaBuilder};
use crate::writer::Writer;

/// What a codec does, for one type. A constant of each type, so that a registration is data and no code.
pub(super) enum Functions {
    Codec {
        erased: Erased,
        /// A pointer to what every codec has, so that no code is added.
        describe: fn(&mut SchemaBuilder) -> NodeId,
    },
    Pod {
        type_id: TypeId,
        size: usize,
        /// Nothing for a value of another type.
        encode: fn(&dyn Any, &mut Writer<'_>) -> Option<Result<()>>,
        decode: fn(&mut Reader<'_>) -> Result<AnyValue>,
    },
    /// Of a type that Rust does not know.
    Dynamic(Box<dyn DynamicCodec>),
}

impl Functions {
    /// Those of a type with a codec.
    pub(super) const fn of<T: Codec + Any + Send + Sync>() -> &'static Self {
        Self::via::<Same<T>>()
    }

    /// Those of a type that travels by a codec of its own, or as plain old data.
    pub(super) const fn via<V: Via<As: Codec, Of: Any + Send + Sync>>() -> &'static Self {
        const { &Self::Codec { erased: Erased::of::<V>(), describe: <V::As as EncodeWhole>::schema_node } }
    }

    /// Those of plain old data without a codec.
    pub(super) const fn of_pod<T: bytemuck::Pod + Send + Sync>() -> &'static Self {
        const {
            &Self::Pod {
                type_id: TypeId::of::<T>(),
                size: size_of::<T>(),
                encode: |value, writer| Some(writer.write(bytemuck::bytes_of(value.downcast_ref::<T>()?))),
                // Where it will be: it may be larger than the stack.
                decode: |reader| Ok(unwrap_box(place::boxed::<Plain<T>>(reader)?)),
            }
        }
    }
}

/// A codec by name.
pub struct Entry {
    name: Cow<'static, str>,
    /// The same, to be compared.
    short: Short,
    file: &'static str,
    line: u32,
    /// That of the codec, beside what is looked at with it.
    value_type: TypeId,
    codec: &'static Functions,
    schema: OnceLock<Schema>,
}

impl Entry {
    /// A codec under a name, registered where the caller's caller is.
    #[track_caller]
    pub(super) fn here(name: &str, codec: &'static Functions) -> Self {
        let place = std::panic::Location::caller();
        Self::at(name.to_owned().into(), codec, place.file(), place.line())
    }

    /// A codec under a name, registered at a place of the source.
    pub(super) fn at(
        name: Cow<'static, str>,
        codec: &'static Functions,
        file: &'static str,
        line: u32,
    ) -> Self {
        let value_type = match codec {
            Functions::Codec { erased, .. } => erased.type_id(),
            Functions::Pod { type_id, .. } => *type_id,
            Functions::Dynamic(_) => TypeId::of::<Dynamic>(),
        };
        let short = Short::of(&name);
        Self { name, short, file, line, value_type, codec, schema: OnceLock::new() }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is its name, given also in short.
    #[inline(always)]
    pub(super) fn is_named(&self, name: &str, short: Short) -> bool {
        short.is(&self.short) && (name.len() <= Short::WHOLE || self.name == name)
    }

    /// The name, without a copy where it stands in the program.
    pub(super) fn key(&self) -> Cow<'static, str> {
        self.name.clone()
    }

    /// The type.
    #[must_use]
    #[inline]
    pub fn value_type(&self) -> TypeId {
        self.value_type
    }

    /// Whether another one, of the same name, has its codec and its place as well.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq(self.codec, other.codec) && self.place() == other.place()
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
        self.schema.get_or_init(|| match self.codec {
            Functions::Codec { describe, .. } => Schema::of(describe),
            Functions::Pod { size, .. } => Schema::of(|types| types.anonymous(Node::Pod(*size as u64))),
            Functions::Dynamic(codec) => codec.schema(),
        })
    }

    /// Writes a value of the entry's type.
    ///
    /// # Errors
    ///
    /// [`RegistryError::WrongType`] for a value of any other type, [`RegistryError::Boxed`] for a box with one, and
    /// those of the codec.
    pub fn encode(&self, value: &dyn Any, writer: &mut Writer<'_>) -> Result<()> {
        match self.codec {
            Functions::Codec { erased, .. } => erased.encode(value, writer, || self.wrong(value)),
            Functions::Pod { encode, .. } => encode(value, writer).unwrap_or_else(|| Err(self.wrong(value))),
            Functions::Dynamic(codec) => match value.downcast_ref::<Dynamic>() {
                Some(value) if value.codec() == self.name() => codec.encode(value.value(), writer),
                _ => Err(self.wrong(value)),
            },
        }
    }

    /// That a value is of another type.
    #[cold]
    fn wrong(&self, value: &dyn Any) -> Error {
        if value::is_boxed(value.type_id()) {
            return RegistryError::Boxed.into();
        }
        RegistryError::WrongType { name: self.name().into() }.into()
    }

    /// Reads a value of the entry's type.
    ///
    /// # Errors
    ///
    /// Those of the codec.
    pub fn decode(&self, reader: &mut Reader<'_>) -> Result<AnyValue> {
        match self.codec {
            Functions::Codec { erased, .. } => erased.decode(reader),
            Functions::Pod { decode, .. } => decode(reader),
            Functions::Dynamic(codec) => Ok(Box::new(Dynamic::new(self.name(), codec.decode(reader)?))),
        }
    }

    /// [`decode`](Self::decode) into memory that several may hold.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode).
    pub fn decode_shared(&self, reader: &mut Reader<'_>) -> Result<Arc<dyn Any + Send + Sync>> {
        match self.codec {
            Functions::Codec { erased, .. } => erased.decode_shared(reader),
            Functions::Pod { .. } | Functions::Dynamic(_) => self.decode(reader).map(Arc::from),
        }
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
