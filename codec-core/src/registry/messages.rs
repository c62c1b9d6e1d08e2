//! Values of any registered type, out and in as messages.

use std::any::{Any, TypeId};
use std::sync::Arc;

use super::{AnyValue, CodecRegistry, Entry, Value, shown};
use crate::codec::Codec;
use crate::endpoint::Endpoint;
use crate::error::Result;
use crate::limits::Limits;
use crate::message::{Message, MessageError, Metadata, Options};

impl CodecRegistry {
    /// Writes a value of any registered type as a message, and says how many bytes that took.
    ///
    /// # Errors
    ///
    /// [`UnknownType`](super::RegistryError::UnknownType), [`Ambiguous`](super::RegistryError::Ambiguous), and those of
    /// the codec and the endpoint; [`Boxed`](super::RegistryError::Boxed) for `&value` of an [`AnyValue`] in the place of `&*value`.
    pub fn serialize<V, E>(&self, value: &V, endpoint: &mut E) -> Result<usize>
    where
        V: Value + ?Sized,
        E: Endpoint + ?Sized,
    {
        let entry = self.by_named_value(value.as_any(), value.type_name())?;
        crate::message::write(entry.name(), entry.fingerprint(), &Metadata::new(), endpoint, |writer| {
            entry.encode(value.as_any(), writer)
        })
    }

    /// [`serialize`](Self::serialize), with metadata, a checksum, or the schema in the message.
    ///
    /// # Errors
    ///
    /// As [`serialize`](Self::serialize).
    pub fn serialize_with<V, E>(&self, value: &V, options: Options<'_>, endpoint: &mut E) -> Result<usize>
    where
        V: Value + ?Sized,
        E: Endpoint + ?Sized,
    {
        let entry = self.by_named_value(value.as_any(), value.type_name())?;
        crate::message::write_with(entry.name(), &entry.schema(), options, endpoint, |writer| {
            entry.encode(value.as_any(), writer)
        })
    }

    /// Reads the next message by the name in its header.
    ///
    /// # Errors
    ///
    /// [`UnknownName`](super::RegistryError::UnknownName), [`Ambiguous`](super::RegistryError::Ambiguous),
    /// [`MessageError`], and those of the codec and
    /// the endpoint. A message of an unknown name was taken whole: the next one can be read.
    pub fn deserialize<E: Endpoint + ?Sized>(&self, endpoint: &mut E) -> Result<AnyValue> {
        self.deserialize_with(endpoint, Limits::DEFAULT)
    }

    /// [`deserialize`](Self::deserialize) under other [`Limits`], for the message and again for its value.
    ///
    /// # Errors
    ///
    /// As [`deserialize`](Self::deserialize).
    pub fn deserialize_with<E: Endpoint + ?Sized>(
        &self,
        endpoint: &mut E,
        limits: Limits,
    ) -> Result<AnyValue> {
        let message = Message::read(endpoint, limits)?;
        self.decode_with(&message, endpoint, limits)
    }

    /// Decodes a message whose segments are with `endpoint`.
    ///
    /// # Errors
    ///
    /// As [`deserialize`](Self::deserialize).
    pub fn decode<E: Endpoint + ?Sized>(&self, message: &Message<'_>, endpoint: &mut E) -> Result<AnyValue> {
        self.decode_with(message, endpoint, Limits::DEFAULT)
    }

    /// [`decode`](Self::decode) under other [`Limits`].
    ///
    /// # Errors
    ///
    /// As [`deserialize`](Self::deserialize).
    pub fn decode_with<E: Endpoint + ?Sized>(
        &self,
        message: &Message<'_>,
        mut endpoint: &mut E,
        limits: Limits,
    ) -> Result<AnyValue> {
        let entry = self.entry_for(message)?;
        message.decode(&mut endpoint, limits, |reader| entry.decode(reader))
    }

    /// [`decode_with`](Self::decode_with), into memory that several may hold.
    ///
    /// # Errors
    ///
    /// As [`deserialize`](Self::deserialize).
    pub fn decode_shared_with<E: Endpoint + ?Sized>(
        &self,
        message: &Message<'_>,
        mut endpoint: &mut E,
        limits: Limits,
    ) -> Result<Arc<dyn Any + Send + Sync>> {
        let entry = self.entry_for(message)?;
        message.decode(&mut endpoint, limits, |reader| entry.decode_shared(reader))
    }

    /// Decodes a message that is to hold a `T`, whose segments are with `endpoint`.
    ///
    /// # Errors
    ///
    /// [`MessageError::WrongType`] if it holds anything else; otherwise as [`deserialize`](Self::deserialize).
    pub fn decode_as<T: Codec + Any, E: Endpoint + ?Sized>(
        &self,
        message: &Message<'_>,
        endpoint: &mut E,
    ) -> Result<T> {
        self.decode_as_with(message, endpoint, Limits::DEFAULT)
    }

    /// [`decode_as`](Self::decode_as) under other [`Limits`].
    ///
    /// # Errors
    ///
    /// As [`decode_as`](Self::decode_as).
    pub fn decode_as_with<T: Codec + Any, E: Endpoint + ?Sized>(
        &self,
        message: &Message<'_>,
        mut endpoint: &mut E,
        limits: Limits,
    ) -> Result<T> {
        if self.by_name(message.name())?.value_type() != TypeId::of::<T>() {
            let wanted = self.by_named_type(TypeId::of::<T>(), Some(std::any::type_name::<T>()))?;
            let expected = wanted.name().into();
            return Err(MessageError::WrongType { expected, found: shown(message.name()) }.into());
        }
        self.entry_for(message)?;
        message.value(&mut endpoint, limits)
    }

    /// The codec of a message, if both sides mean the same by it.
    fn entry_for(&self, message: &Message<'_>) -> Result<&Entry> {
        let entry = self.by_name(message.name())?;
        if entry.fingerprint() == message.fingerprint() {
            Ok(entry)
        } else {
            Err(self.mismatch(entry, message))
        }
    }
}
